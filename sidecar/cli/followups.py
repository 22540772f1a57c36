"""What is done about it."""

import sys
from collections.abc import Sequence

import click

from sidecar.cli.frame import ID, LIMIT, json_option, note_within, only, show, wired
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
    asked = list(dict.fromkeys(follow_up_ids))
    with wiring.engine.begin() as opened:
        found = follow_ups_store.retry(opened, asked, now=wiring.now())
        left = [id_ for id_ in asked if id_ not in found]
        states = follow_ups_store.states(opened, left)
        if found:
            about = f"{len(found)} follow-ups"
            note_within(opened, wiring, "followups.retry", about, ids=sorted(found))
    for connection_id, kind in set(found.values()):
        wiring.doorbell.ring_to_deliver(connection_id, kind)
    for id_ in left:
        click.echo(f"{id_}: {_WHY_NOT.get(states.get(id_, ''), 'no such follow-up')}")
    click.echo(f"{len(found)} of {len(asked)} will be tried again")
    sys.exit(1 if left else 0)


_WHY_NOT = {
    "done": "it is done, and nothing is done twice",
    "sending": "it is being done at this moment",
    "cancelled": "it was cancelled; `sidecar followups list --state cancelled` "
    "says why",
}
