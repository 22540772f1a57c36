"""When each report of each connection is due; one row of work for each."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert

from sidecar.errors import Permanent
from sidecar.keyring import Keyring
from sidecar.store.tables import connection, report_schedule

OPEN = ("waiting", "sending")


@dataclass(frozen=True)
class Schedule:
    """
    When a report of a connection is due.

    Attributes:
        cron: read by the clock of the connection's time zone.
        recipients: users' ids and addresses; empty for whom the report finds itself.
        language: of readers of whom only the address is known.
        runs_at: when it is to run next. It runs for what was due then, however late.
        state: ``waiting``, ``sending``, or ``cancelled``: switched off.
        ran_for: the moment of the last run that came to its end.
        outcome: what that run came to.
    """

    id: int
    connection_id: int
    report: str
    cron: str
    recipients: Sequence[str]
    language: str
    runs_at: datetime
    state: str
    attempts: int
    due_at: datetime
    ran_for: datetime | None
    outcome: str | None
    error: str | None


class First(NamedTuple):
    """A schedule that a connection does not have yet."""

    connection_id: int
    report: str
    cron: str
    runs_at: datetime


def missing(db: Connection, reports: Collection[str]) -> list[tuple[int, str, str]]:
    """Find what nobody has scheduled: connection, its time zone, report."""
    known = {
        tuple(row)
        for row in db.execute(
            select(report_schedule.c.connection_id, report_schedule.c.report)
        )
    }
    return [
        (row.id, row.time_zone, report)
        for row in db.execute(
            select(connection.c.id, connection.c.time_zone).order_by(connection.c.id)
        )
        for report in reports
        if (row.id, report) not in known
    ]


def add(db: Connection, first: Iterable[First]) -> None:
    """Schedule what is not yet; two clocks may find the same missing."""
    rows = [{**item._asdict(), "due_at": item.runs_at} for item in first]
    if rows:
        db.execute(insert(report_schedule).values(rows).on_conflict_do_nothing())


def put(
    db: Connection,
    first: First,
    *,
    recipients: Sequence[str],
    language: str,
    keyring: Keyring,
) -> None:
    """Set when a report is due from now on, and who gets it; it is on again."""
    values = {
        "cron": first.cron,
        "recipients_sealed": keyring.seal(json.dumps(list(recipients)))
        if recipients
        else None,
        "language": language,
        "runs_at": first.runs_at,
        "due_at": first.runs_at,
        "state": "waiting",
        # Whoever is at it now finds that it is somebody else's turn.
        "attempts": report_schedule.c.attempts + 1,
        "failures": 0,
        "error": None,
    }
    new = insert(report_schedule).values(
        {
            **values,
            "connection_id": first.connection_id,
            "report": first.report,
            "attempts": 0,
        }
    )
    db.execute(
        new.on_conflict_do_update(
            index_elements=["connection_id", "report"], set_=values
        )
    )


def switch_off(db: Connection, connection_id: int, report: str) -> bool:
    """Let a report come no more; False where it did not come before."""
    done = db.execute(
        update(report_schedule)
        .where(
            report_schedule.c.connection_id == connection_id,
            report_schedule.c.report == report,
            report_schedule.c.state.in_(OPEN),
        )
        .values(state="cancelled", attempts=report_schedule.c.attempts + 1)
    )
    return done.rowcount == 1


def claim(
    db: Connection,
    connection_id: int,
    *,
    now: datetime,
    lease_ends: datetime,
    keyring: Keyring,
) -> Schedule | None:
    """
    Take the turn of one schedule that is due, if there is one that nobody has.

    ``attempts`` of what is given out is the number of this turn. One whose readers
    cannot be read is nobody's turn until its lease ends: others' turns come meanwhile.
    """
    first = (
        select(report_schedule.c.id)
        .where(
            report_schedule.c.connection_id == connection_id,
            report_schedule.c.state.in_(OPEN),
            report_schedule.c.due_at <= now,
        )
        .order_by(report_schedule.c.due_at, report_schedule.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = db.execute(
        update(report_schedule)
        .where(report_schedule.c.id == first.scalar_subquery())
        .values(
            state="sending",
            attempts=report_schedule.c.attempts + 1,
            due_at=lease_ends,
        )
        .returning(*report_schedule.c)
    ).one_or_none()
    if row is None:
        return None
    try:
        return _value(row, keyring)
    except Permanent as exc:
        mine = report_schedule.c.id == row.id
        db.execute(update(report_schedule).where(mine).values(error=str(exc)))
        return None


def ran(
    db: Connection,
    schedule: Schedule,
    *,
    ran_for: datetime,
    outcome: str | None,
    error: str | None,
    runs_at: datetime,
) -> bool:
    """
    Record that a run has come to its end, and when the next one is due.

    Returns:
        False where the turn is no longer the current one; nothing was written.
    """
    return _write(
        db,
        schedule,
        ran_for=ran_for,
        outcome=outcome,
        error=error,
        failures=0,
        state="waiting",
        runs_at=runs_at,
        due_at=runs_at,
    )


def failed(
    db: Connection, schedule: Schedule, *, error: str, again_at: datetime
) -> bool:
    """Record that a run has to be tried again, for the same moment."""
    return _write(
        db,
        schedule,
        error=error,
        failures=report_schedule.c.failures + 1,
        state="waiting",
        due_at=again_at,
    )


def _write(db: Connection, schedule: Schedule, **values: object) -> bool:
    done = db.execute(
        update(report_schedule)
        .where(
            report_schedule.c.id == schedule.id,
            report_schedule.c.attempts == schedule.attempts,
            report_schedule.c.state == "sending",
        )
        .values(**values)
    )
    return done.rowcount == 1


def due(db: Connection, *, now: datetime) -> list[int]:
    """Find the connections of which a report is due."""
    rows = db.scalars(
        select(report_schedule.c.connection_id)
        .where(report_schedule.c.state.in_(OPEN), report_schedule.c.due_at <= now)
        .distinct()
    )
    return sorted(rows)


def listing(
    db: Connection, *, keyring: Keyring, connection_id: int | None = None
) -> list[Schedule]:
    """List the schedules, by connection and report."""
    query = select(report_schedule).order_by(
        report_schedule.c.connection_id, report_schedule.c.report
    )
    if connection_id is not None:
        query = query.where(report_schedule.c.connection_id == connection_id)
    return [_value(row, keyring) for row in db.execute(query)]


def find(
    db: Connection, connection_id: int, report: str, *, keyring: Keyring
) -> Schedule | None:
    """One schedule; None where there is none."""
    row = db.execute(
        select(report_schedule).where(
            report_schedule.c.connection_id == connection_id,
            report_schedule.c.report == report,
        )
    ).one_or_none()
    return _value(row, keyring) if row else None


_PLAIN = tuple(name for name in Schedule.__dataclass_fields__ if name != "recipients")


def _value(row: Row[Any], keyring: Keyring) -> Schedule:
    sealed = row.recipients_sealed
    return Schedule(
        recipients=json.loads(keyring.open(sealed)) if sealed else [],
        **{name: getattr(row, name) for name in _PLAIN},
    )
