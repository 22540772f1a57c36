"""Who did what."""

import sys

import click

from sidecar.cli.frame import LIMIT, json_option, show, wired
from sidecar.store import audit as audit_store
from sidecar.wiring import Wiring


@click.group()
def audit() -> None:
    """Who did what."""


@audit.command("list")
@click.option("--limit", type=LIMIT, default=50, show_default=True)
@json_option
@wired
def audit_list(wiring: Wiring, limit: int, as_json: bool) -> None:
    """
    List what was done, newest first.

    Example: sidecar audit list --limit 200 --json
    """
    with wiring.engine.connect() as opened:
        found = audit_store.listing(opened, limit=limit)
    rows = [
        {
            "id": entry.id,
            "at": entry.at,
            "who": entry.who,
            "what": entry.what,
            "about": entry.about,
            "details": entry.details,
        }
        for entry in found
    ]
    show(rows, as_json, "nothing was done yet")


@audit.command("verify")
@wired
def audit_verify(wiring: Wiring) -> None:
    """Check the chain of the whole trail; exits with 1 where it breaks."""
    with wiring.engine.connect() as opened:
        broken = list(audit_store.broken(opened))
    for entry in broken:
        click.echo(f"the chain breaks at entry {entry.id} ({entry.what})")
    click.echo("the trail is whole" if not broken else "somebody changed the trail")
    sys.exit(1 if broken else 0)
