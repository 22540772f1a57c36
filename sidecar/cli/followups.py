"""What is done about it."""

import sys
from collections.abc import Sequence

import click

from sidecar.cli.frame import ID, LIMIT, json_option, note, only, show, wired
from sidecar.store import follow_ups as follow_ups_store
from sidecar.wiring import Wiring


@click.group()
def followups() -> None:
    """What is done about it."""


@followups.command("list")
@click.option(
    "--state",
    type=click.Choice(["waiting", "sending", "done", "dead", "uncertain", "cancelled"]),
)
@click.option("--referral", help="The referral's key.")
@click.option("--limit", type=LIMIT, default=50, show_default=True)
@json_option
@wired
def followups_list(
    wiring: Wiring, state: str | None, referral: str | None, limit: int, as_json: bool
) -> None:
    """List follow-ups, newest first. Exits with 1 where one needs a person."""
    with wiring.engine.connect() as opened:
        found = follow_ups_store.listing(
            opened, state=state, referral_key=referral, limit=limit
        )
    shown = ("id", "kind", "referral_key", "milestone", "state", "attempts")
    rows = [only((*shown, "receipt", "error"), row) for row in found]
    show(found if as_json else rows, as_json, "no follow-ups")
    if any(row["state"] in {"dead", "uncertain"} for row in found):
        sys.exit(1)


@followups.command("retry")
@click.argument("follow_up_ids", type=ID, nargs=-1, required=True)
@wired
def followups_retry(wiring: Wiring, follow_up_ids: Sequence[int]) -> None:
    """
    Try again what was given up on.

    Example: sidecar followups retry 318 319
    """
    with wiring.engine.begin() as opened:
        found = follow_ups_store.retry(opened, follow_up_ids, now=wiring.now())
    for connection_id, kind in set(found):
        wiring.doorbell.ring_to_deliver(connection_id, kind)
    note(wiring, "followups.retry", f"{len(found)} follow-ups", ids=list(follow_up_ids))
    click.echo(f"{len(found)} of {len(follow_up_ids)} will be tried again")
    sys.exit(0 if len(found) == len(set(follow_up_ids)) else 1)
