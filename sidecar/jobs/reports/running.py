"""Runs of reports: claim the turn, plan the mails, remember both or neither.

The row in PostgreSQL says when a report is due; a clock or anybody else may ring for it
as often as they like. A run that was missed takes place once, for what was due last:
whoever was away for three Mondays gets one week's digest.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from sidecar.errors import Permanent, Retryable
from sidecar.jobs.backoff import retry_at
from sidecar.jobs.reports import cron
from sidecar.jobs.reports.kinds import Occasion, Report, Reports, Words
from sidecar.keyring import Keyring
from sidecar.logs import log
from sidecar.store import connections, report_mails, report_schedules
from sidecar.store.connections import OrgConnection
from sidecar.store.report_mails import Planned
from sidecar.store.report_schedules import First, Schedule


def set_up(db: Connection, reports: Reports, *, now: datetime) -> None:
    """Schedule what a connection does not have yet, at the report's usual time."""
    new = [
        First(
            connection_id,
            name,
            reports[name].cron,
            cron.following(reports[name].cron, ZoneInfo(time_zone), now),
        )
        for connection_id, time_zone, name in report_schedules.missing(db, reports)
    ]
    report_schedules.add(db, new)


def run_due(
    connection_id: int,
    *,
    engine: Engine,
    keyring: Keyring,
    reports: Reports,
    lease: timedelta,
    now: Callable[[], datetime],
) -> int:
    """
    Run the reports of a connection that are due and that nobody is at.

    Args:
        lease: how long a run may take before somebody else may take it.

    Returns:
        How many runs there were.
    """
    runs = 0
    while True:
        with engine.begin() as db:
            turn = report_schedules.claim(
                db, connection_id, now=now(), lease_ends=now() + lease, keyring=keyring
            )
            connection = connections.find(db, connection_id)
        if turn is None or connection is None:
            return runs
        runs += 1
        try:
            with engine.begin() as db:
                _take(db, connection, turn, reports, keyring=keyring, now=now())
        except _LeaseLost:
            continue
        except Retryable as exc:
            again_at = retry_at(turn.attempts, now(), not_before=exc.retry_at)
            with engine.begin() as db:
                report_schedules.failed(db, turn, error=str(exc), again_at=again_at)
            log().warning("report.failed", report=turn.report, why=str(exc))


class _LeaseLost(Exception):
    """Somebody else runs it, or it was set anew meanwhile."""


def _take(
    db: Connection,
    connection: OrgConnection,
    turn: Schedule,
    reports: Reports,
    *,
    keyring: Keyring,
    now: datetime,
) -> None:
    zone = ZoneInfo(connection.time_zone)
    at = max(turn.runs_at, cron.latest(turn.cron, zone, now))
    if at > turn.runs_at:
        log().warning(
            "report.late",
            connection=connection.id,
            report=turn.report,
            first_due=turn.runs_at.isoformat(),
            runs_for=at.isoformat(),
        )
    outcome = error = None
    try:
        # What a report that cannot be made has written is nothing.
        with db.begin_nested():
            outcome = run(
                db, connection, turn, reports, at=at, keyring=keyring, now=now
            )
    except Permanent as exc:
        error = str(exc)
    known = report_schedules.ran(
        db,
        turn,
        ran_for=at,
        outcome=outcome,
        error=error,
        runs_at=cron.following(turn.cron, zone, now),
    )
    if not known:
        raise _LeaseLost
    log().info(
        "report.ran",
        connection=connection.id,
        report=turn.report,
        outcome=outcome,
        error=error,
    )


def run(
    db: Connection,
    connection: OrgConnection,
    schedule: Schedule,
    reports: Reports,
    *,
    at: datetime,
    keyring: Keyring,
    now: datetime,
) -> str:
    """
    Plan the mails of a report for what was due at a moment; what it came to.

    A mail that was planned before is not planned again, whoever asks.

    Raises:
        Retryable, Permanent: it cannot be made.
    """
    occasion, planned = plan(db, connection, schedule, reports, at=at)
    if not planned or planned == Words(0):
        return "nothing to say"
    if isinstance(planned, Words):
        return f"words to referrers: {planned.number}"
    new = report_mails.add(
        db,
        planned,
        connection_id=connection.id,
        report=schedule.report,
        first=occasion.period.first,
        now=now,
        keyring=keyring,
    )
    before = len(planned) - new
    return f"mails: {new}" + (f", planned before: {before}" if before else "")


def plan(
    db: Connection,
    connection: OrgConnection,
    schedule: Schedule,
    reports: Reports,
    *,
    at: datetime,
) -> tuple[Occasion, Sequence[Planned] | Words]:
    """
    Say what a report would say for what was due at a moment, and to whom.

    Raises:
        Retryable, Permanent: it cannot be made.
    """
    report = named(reports, schedule.report)
    period = report.period(at, ZoneInfo(connection.time_zone))
    occasion = Occasion(connection, period, at, schedule.recipients, schedule.language)
    return occasion, report.plan(db, occasion)


def named(reports: Reports, name: str) -> Report:
    """Find a report. Raises Permanent: there is none of this name."""
    if name not in reports:
        known = ", ".join(sorted(reports)) or "none"
        raise Permanent(f"there is no report {name!r}; there are: {known}")
    return reports[name]
