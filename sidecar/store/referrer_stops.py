"""Referrers who want no more mails, until Salesforce knows it."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from sidecar.store.tables import referrer_stop

KIND = "referrer_stop"
"""By which workers know this work."""


class Stop(NamedTuple):
    """One wish that Salesforce is to be told of, ours until its lease ends."""

    id: int
    referrer_id: str
    number: int


def ask(db: Connection, connection_id: int, referrer_id: str, *, now: datetime) -> bool:
    """Send a referrer nothing more, from now on; False where that was so already."""
    new = insert(referrer_stop).values(
        connection_id=connection_id, referrer_id=referrer_id, due_at=now, created_at=now
    )
    added = new.on_conflict_do_nothing().returning(referrer_stop.c.id)
    return db.execute(added).first() is not None


def holding(
    db: Connection,
    connection_id: int,
    referrer_ids: Iterable[str],
    *,
    since: datetime | None = None,
) -> frozenset[str]:
    """
    Find those of some referrers whose wish Salesforce does not know yet.

    Args:
        since: when Salesforce was asked; who has stopped after it counts as well.
    """
    holds = referrer_stop.c.state != "done"
    if since is not None:
        holds = or_(holds, referrer_stop.c.created_at >= since)
    found = db.scalars(
        select(referrer_stop.c.referrer_id).where(
            referrer_stop.c.connection_id == connection_id,
            referrer_stop.c.referrer_id.in_(list(referrer_ids)),
            holds,
        )
    )
    return frozenset(found)


def claim(
    db: Connection,
    connection_id: int,
    *,
    now: datetime,
    lease_ends: datetime,
    limit: int,
) -> list[Stop]:
    """Take what is due; a row whose lease has ended is due again."""
    rows = db.execute(
        select(referrer_stop)
        .where(
            referrer_stop.c.connection_id == connection_id,
            referrer_stop.c.state.in_(("waiting", "sending")),
            referrer_stop.c.due_at <= now,
        )
        .order_by(referrer_stop.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if rows:
        db.execute(
            update(referrer_stop)
            .where(referrer_stop.c.id.in_([row.id for row in rows]))
            .values(
                state="sending",
                attempts=referrer_stop.c.attempts + 1,
                due_at=lease_ends,
            )
        )
    return [Stop(row.id, row.referrer_id, row.attempts + 1) for row in rows]


def settle(
    db: Connection, stop: Stop, state: str, *, due_at: datetime, error: str | None
) -> None:
    """Record how an attempt ended; one that is no longer current changes nothing."""
    db.execute(
        update(referrer_stop)
        .where(
            referrer_stop.c.id == stop.id,
            referrer_stop.c.attempts == stop.number,
            referrer_stop.c.state == "sending",
        )
        .values(state=state, due_at=due_at, error=error)
    )


def due(db: Connection, *, now: datetime) -> list[int]:
    """Find connections with something to tell Salesforce."""
    rows = db.scalars(
        select(referrer_stop.c.connection_id)
        .where(
            referrer_stop.c.state.in_(("waiting", "sending")),
            referrer_stop.c.due_at <= now,
        )
        .distinct()
    )
    return list(rows)
