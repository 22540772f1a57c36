"""When people work: time zone, hours, holidays, teams."""

from typing import TextIO

import click

from sidecar.cli.frame import CONNECTION, note, wired
from sidecar.errors import Permanent
from sidecar.jobs import foresight
from sidecar.playbooks.calendars import calendar
from sidecar.referral.business_calendar import Calendar, Team
from sidecar.store import connections, inbox, response_clocks
from sidecar.wiring import Wiring


@click.group()
def calendars() -> None:
    """When people work."""


@calendars.command("set")
@click.argument("connection_id", metavar="CONNECTION", type=CONNECTION)
@click.argument("file", type=click.File(encoding="utf-8"))
@wired
def calendars_set(wiring: Wiring, connection_id: int, file: TextIO) -> None:
    """
    Count working time by this calendar from now on; running clocks follow.

    Example: sidecar calendars set 1 berlin.yaml
    """
    try:
        text = file.read()
    except UnicodeDecodeError as exc:
        raise Permanent(f"{file.name} is no UTF-8 text: {exc}") from exc
    with wiring.engine.begin() as db:
        inbox.lock_lane(db, connection_id)
        connection = foresight.connection_of(db, connection_id)
        found = calendar(text, connection.time_zone)
        connections.set_calendar(db, connection_id, text)
        response_clocks.wake(db, connection_id, now=wiring.now())
    note(wiring, "calendars.set", f"connection {connection_id}")
    wiring.doorbell.ring_to_clocks(connection_id)
    _tell(found)


@calendars.command("show")
@click.argument("connection_id", metavar="CONNECTION", type=CONNECTION)
@wired
def calendars_show(wiring: Wiring, connection_id: int) -> None:
    """Show by which calendar a connection counts working time."""
    with wiring.engine.connect() as db:
        connection = foresight.connection_of(db, connection_id)
    if connection.calendar is not None:
        click.echo(connection.calendar)
    else:
        click.echo(f"Monday to Friday, 09:00-17:00, {connection.time_zone}")


def _tell(found: Calendar) -> None:
    for team in (found.everybody, *found.teams.values()):
        zone = team.week.time_zone.key
        name = team.name or "everybody"
        click.echo(f"{name}: {_hours(team):g} hours a week in {zone}")


def _hours(team: Team) -> float:
    minutes = 0
    for day in team.week.days:
        for hours in day:
            ends = hours.ends.hour * 60 + hours.ends.minute or 24 * 60
            minutes += ends - hours.starts.hour * 60 - hours.starts.minute
    return minutes / 60
