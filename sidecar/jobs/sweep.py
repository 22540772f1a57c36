"""The sweep: whatever is due is rung for again, whoever failed to."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Engine

from sidecar.store import deployments, follow_ups, inbox


def sweep(
    *,
    engine: Engine,
    ring: Callable[[Sequence[int]], object],
    ring_to_deliver: Callable[[int, str], object],
    ring_to_deploy: Callable[[int], object],
    now: datetime,
) -> int:
    """
    Ring once for each connection, and each deployment, that has something due.

    Returns:
        How many rings were sent; ringing too often does no harm.
    """
    with engine.connect() as db:
        events = inbox.due(db, now=now)
        waiting = follow_ups.due(db, now=now)
        deploying = deployments.due(db, now=now)
    for event_ids in events.values():
        ring(event_ids)
    for connection_id, kind in waiting:
        ring_to_deliver(connection_id, kind)
    for deployment_id in deploying:
        ring_to_deploy(deployment_id)
    return len(events) + len(waiting) + len(deploying)
