"""What was received."""

import sys
from collections.abc import Sequence

import click

from sidecar.cli.frame import (
    ID,
    LIMIT,
    json_option,
    note_within,
    only,
    show,
    show_json,
    wired,
)
from sidecar.salesforce.ids import is_id, to_18
from sidecar.store import inbox, quarantine
from sidecar.wiring import Wiring


@click.group()
def events() -> None:
    """What was received."""


@events.command("list")
@click.option("--state", type=click.Choice(["waiting", "done", "dead"]))
@click.option("--record", help="Id of the record.")
@click.option("--quarantined", is_flag=True, help="What was refused at the door.")
@click.option("--limit", type=LIMIT, default=50, show_default=True)
@json_option
@wired
def events_list(
    wiring: Wiring,
    state: str | None,
    record: str | None,
    quarantined: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List events, newest first. Exits with 1 where one is dead."""
    with wiring.engine.connect() as opened:
        if quarantined:
            refused = quarantine.listing(opened, limit=limit)
            shown = ("id", "kind", "org_id", "seen", "last_seen_at", "reason")
            rows = refused if as_json else [only(shown, row) for row in refused]
            show(rows, as_json, "nothing was refused")
            return
        found = inbox.listing(
            opened,
            keyring=wiring.keyring,
            state=state,
            record_id=_record(record) if record else None,
            limit=limit,
        )
    rows = [
        {
            "id": item.id,
            "received": item.received_at,
            "object": item.object_type,
            "record": item.record_id,
            "state": item.state,
            "told": item.outcome or item.error,
        }
        for item in found
    ]
    show(rows, as_json, "no events")
    if any(item.state == "dead" for item in found):
        sys.exit(1)


def _record(given: str) -> str:
    if not is_id(given):
        raise click.UsageError(f"--record {given!r} is no record id (15 or 18)")
    return to_18(given)


@events.command("show")
@click.argument("event_id", type=ID)
@json_option
@wired
def events_show(wiring: Wiring, event_id: int, as_json: bool) -> None:
    """Show one event with what it carried."""
    with wiring.engine.connect() as opened:
        found = inbox.find(opened, event_id, keyring=wiring.keyring)
    if found is None:
        raise click.UsageError(f"there is no event {event_id}")
    row = {name: getattr(found, name) for name in type(found).__dataclass_fields__}
    if as_json:
        show_json(row)
        return
    for name, value in row.items():
        if name == "fields":
            for field, text in value.items():
                click.echo(f"  {field} = {'(nil)' if text is None else text}")
        else:
            click.echo(f"{name}: {'' if value is None else value}")


@events.command("replay")
@click.argument("event_ids", type=ID, nargs=-1, required=True)
@wired
def events_replay(wiring: Wiring, event_ids: Sequence[int]) -> None:
    """
    Run events again; nothing that was done is done twice.

    Example: sidecar events replay 1201 1202
    """
    asked = list(dict.fromkeys(event_ids))
    with wiring.engine.begin() as opened:
        found = inbox.replay(opened, asked, now=wiring.now())
        if found:
            note_within(
                opened, wiring, "events.replay", f"{len(found)} events", ids=found
            )
    wiring.doorbell.ring(found)
    unknown = [id_ for id_ in asked if id_ not in found]
    for id_ in unknown:
        click.echo(f"{id_}: no such event; what was kept long enough is gone")
    click.echo(f"{len(found)} of {len(asked)} will run again")
    sys.exit(1 if unknown else 0)
