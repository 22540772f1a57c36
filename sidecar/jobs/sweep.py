"""The sweep: whatever is due is rung for again, whoever failed to."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine

from sidecar.jobs.reports import running
from sidecar.jobs.reports.kinds import Reports
from sidecar.store import (
    deployments,
    follow_ups,
    inbox,
    reconciliations,
    referrer_stops,
    report_mails,
    report_schedules,
    response_clocks,
)


def sweep(
    *,
    engine: Engine,
    ring: Callable[[Sequence[int]], object],
    ring_to_deliver: Callable[[int, str], object],
    ring_to_deploy: Callable[[int], object],
    ring_to_reconcile: Callable[[int], object],
    ring_to_clocks: Callable[[int], object],
    ring_to_reports: Callable[[int], object],
    reports: Reports,
    reconcile_every: timedelta,
    now: datetime,
) -> int:
    """
    Ring once for each connection, deployment and reconciliation that is due.

    Args:
        reports: what each connection is to have a schedule for.
        reconcile_every: from a connection's beginning to its first reconciliation.

    Returns:
        How many rings were sent; ringing too often does no harm.
    """
    with engine.begin() as db:
        reconciliations.set_up(db, now=now, first_after=reconcile_every)
        running.set_up(db, reports, now=now)
        events = inbox.due(db, now=now)
        waiting = follow_ups.due(db, now=now)
        waiting += [
            (id_, referrer_stops.KIND) for id_ in referrer_stops.due(db, now=now)
        ]
        deploying = deployments.due(db, now=now)
        reconciling = reconciliations.due(db, now=now)
        ticking = response_clocks.lanes_due(db, now=now)
        reporting = sorted(
            {*report_schedules.due(db, now=now), *report_mails.due(db, now=now)}
        )
    for event_ids in events.values():
        ring(event_ids)
    for connection_id, kind in waiting:
        ring_to_deliver(connection_id, kind)
    for deployment_id in deploying:
        ring_to_deploy(deployment_id)
    for reconciliation_id in reconciling:
        ring_to_reconcile(reconciliation_id)
    for connection_id in ticking:
        ring_to_clocks(connection_id)
    for connection_id in reporting:
        ring_to_reports(connection_id)
    rung = (events, waiting, deploying, reconciling, ticking, reporting)
    return sum(len(due) for due in rung)
