"""Every working day: what is overdue, by rep, and what nobody looks after."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from sidecar.jobs.reports.desk import Desk, managers
from sidecar.jobs.reports.kinds import Occasion, Report
from sidecar.logs import log
from sidecar.mail import report_overdue
from sidecar.mail.letters import Letter
from sidecar.mail.report_overdue import Item
from sidecar.referral.business_calendar import Calendar
from sidecar.referral.period import Period, day_of
from sidecar.salesforce.records import Rep
from sidecar.store import next_steps, overdue
from sidecar.store.connections import OrgConnection
from sidecar.store.report_mails import Planned, Sending

CRON = "30 7 * * 1-5"


def report(desk: Desk) -> Report:
    """Make the report."""

    def write(connection: OrgConnection, sending: Sending, reader: Rep) -> Letter:
        return _write(desk, connection, sending, reader)

    return Report(CRON, day_of, _plan, write)


def _plan(db: Connection, occasion: Occasion) -> list[Planned]:
    connection, period = occasion.connection, occasion.period
    rows = _rows(db, connection, period)
    owners = [row["owner"] for row in rows]
    people, readers = managers(db, occasion, owners) if rows else (None, {})
    if people is not None and not _works(people.calendar, period):
        log().info("report.day_off", connection=connection.id, day=str(period.first))
        return []
    if not rows:
        log().info("report.nothing_overdue", connection=connection.id)
    return [
        Planned(
            reader,
            {
                "day": period.first.isoformat(),
                "at": occasion.at.isoformat(),
                "rows": [row for row in rows if row["owner"] in owned],
            },
            occasion.language,
        )
        for reader, owned in sorted(readers.items())
    ]


def _rows(
    db: Connection, connection: OrgConnection, period: Period
) -> list[dict[str, Any]]:
    """Each referral once: what has no owner can have no promise kept either."""
    unowned = next_steps.unowned(db, connection_id=connection.id)
    late = overdue.until(db, connection.id, period.ends)
    stuck = next_steps.without_next_step(db, connection_id=connection.id)
    found: dict[str, dict[str, Any]] = {}
    for part, some in (("unowned", unowned), ("late", late), ("stuck", stuck)):
        for item in some:
            promised_at: datetime | None = getattr(item, "promised_at", None)
            found.setdefault(
                item.key,
                {
                    "part": part,
                    "key": item.key,
                    "record": item.record_id,
                    "owner": item.owner_id,
                    "promised_at": promised_at.isoformat() if promised_at else None,
                },
            )
    return list(found.values())


def _works(calendar: Calendar, period: Period) -> bool:
    """Whether anybody works on the day."""
    teams = (calendar.everybody, *calendar.teams.values())
    return any(team.week.hours_on(period.first) for team in teams)


def _write(
    desk: Desk, connection: OrgConnection, sending: Sending, reader: Rep
) -> Letter:
    values = sending.values
    rows: Sequence[dict[str, Any]] = values["rows"]
    people = desk.people(connection, [row["key"] for row in rows])
    names = desk.names(connection, [row["owner"] or "" for row in rows])

    def items(part: str) -> list[Item]:
        return [
            Item(
                who=people.get(row["key"]),
                owner=names.get(row["owner"] or "", ""),
                record_url=f"{connection.instance_url}/{row['record']}",
                promised_at=datetime.fromisoformat(row["promised_at"])
                if row["promised_at"]
                else None,
            )
            for row in rows
            if row["part"] == part
        ]

    at = datetime.fromisoformat(values["at"])
    page = report_overdue.page(
        datetime.fromisoformat(values["day"]).date(),
        at,
        items("late"),
        items("unowned"),
        items("stuck"),
        speaks=desk.voice(reader),
        reader=reader.name,
        preferences_url=desk.preferences(connection, sending, reader),
    )
    return desk.letter(connection, sending, reader, page)
