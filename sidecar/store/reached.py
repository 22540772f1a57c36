"""Which statuses referrals have reached: who told us, and what the org itself shows."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, and_, case, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from sidecar.store.tables import completeness, event, reached

RECONCILE = "reconcile"
"""The source of events that no door brought: read in the org's own records."""


@dataclass(frozen=True)
class Heard:
    """An event told that a referral is at a status."""

    referral_key: str
    status: str
    object_type: str
    record_id: str
    reached_at: datetime
    source: str
    event_id: int


@dataclass(frozen=True)
class Expected:
    """
    The org shows that a referral has reached a status.

    ``event_id`` is the event that is to tell it; None where one has told it.
    """

    referral_key: str
    status: str
    object_type: str
    record_id: str
    reached_at: datetime
    event_id: int | None = None


@dataclass(frozen=True)
class Known:
    """
    What is known of one status of one referral.

    ``heard`` says that an event told it; ``sought`` that one of the reconciler's is to
    tell it; ``confirmed`` that the org showed it.
    """

    heard: bool
    sought: bool
    confirmed: bool


@dataclass(frozen=True)
class Day:
    """
    One day of one connection, in UTC: what the org shows, and how we know of it.

    ``expected`` is the sum of the others. ``in_hand``: the reconciler's event waits to
    be worked on. ``unexplained`` must be 0.
    """

    connection_id: int
    day: date
    expected: int
    received: int
    recovered: int
    in_hand: int
    unexplained: int
    counted_at: datetime


def hear(
    db: Connection,
    org_id: str,
    connection_id: int,
    heard: Iterable[Heard],
    *,
    now: datetime,
) -> None:
    """Remember who told first that a referral is at a status."""
    first: dict[tuple[str, str], Heard] = {}
    for item in heard:
        first.setdefault((item.referral_key, item.status), item)
    rows = [
        {"org_id": org_id, "connection_id": connection_id, "heard_at": now}
        | asdict(item)
        for item in first.values()
    ]
    if not rows:
        return
    new = insert(reached).values(rows)
    told = ("source", "event_id", "heard_at")
    db.execute(
        new.on_conflict_do_update(
            index_elements=["org_id", "referral_key", "status"],
            set_={name: new.excluded[name] for name in told},
            where=reached.c.source.is_(None),
        )
    )


def known(
    db: Connection, org_id: str, keys: Iterable[str]
) -> dict[tuple[str, str], Known]:
    """Say what is known of these referrals, by key and status."""
    rows = db.execute(
        select(
            reached.c.referral_key,
            reached.c.status,
            reached.c.source,
            reached.c.event_id,
            reached.c.confirmed_at,
        ).where(reached.c.org_id == org_id, reached.c.referral_key.in_(list(keys)))
    )
    return {
        (row.referral_key, row.status): Known(
            heard=row.source is not None,
            sought=row.source is None and row.event_id is not None,
            confirmed=row.confirmed_at is not None,
        )
        for row in rows
    }


def expect(
    db: Connection,
    org_id: str,
    connection_id: int,
    shown: Iterable[Expected],
    *,
    now: datetime,
) -> None:
    """Note what the org shows; its time counts, not a message's."""
    rows = [
        {"org_id": org_id, "connection_id": connection_id, "confirmed_at": now}
        | asdict(item)
        for item in {(item.referral_key, item.status): item for item in shown}.values()
    ]
    if not rows:
        return
    new = insert(reached)
    set_ = {
        "confirmed_at": new.excluded.confirmed_at,
        "reached_at": new.excluded.reached_at,
        "event_id": func.coalesce(reached.c.event_id, new.excluded.event_id),
    }
    key = ["org_id", "referral_key", "status"]
    db.execute(new.on_conflict_do_update(index_elements=key, set_=set_), rows)


def unexpect(db: Connection, org_id: str, deleted: Mapping[str, str]) -> None:
    """
    Expect nothing more of records that are deleted: nobody can act on them.

    Args:
        deleted: record id to referral key.
    """
    db.execute(
        delete(reached).where(
            reached.c.org_id == org_id,
            reached.c.referral_key.in_(set(deleted.values())),
            reached.c.record_id.in_(list(deleted)),
            reached.c.source.is_(None),
        )
    )


def count(
    db: Connection, connection_id: int, *, since: datetime, now: datetime
) -> list[Day]:
    """
    Count each day from ``since`` on as things stand now, the newest first.

    A day on which nothing was expected is counted, too: it has been looked at.
    """
    waits = and_(reached.c.source.is_(None), event.c.state == "waiting")
    kind = case(
        (reached.c.source == RECONCILE, "recovered"),
        (reached.c.source.is_not(None), "received"),
        (waits, "in_hand"),
        else_="unexplained",
    )
    day = func.date(func.timezone("UTC", reached.c.reached_at))
    rows = db.execute(
        select(day, kind, func.count())
        .select_from(reached)
        .outerjoin(event, event.c.id == reached.c.event_id)
        .where(
            reached.c.connection_id == connection_id,
            reached.c.confirmed_at.is_not(None),
            # Whole days: a record of a part of one would replace that of the whole.
            reached.c.reached_at >= _midnight(since),
        )
        .group_by(day, kind)
    )
    first = since.astimezone(UTC).date()
    length = max(0, (now.astimezone(UTC).date() - first).days) + 1
    found: dict[date, dict[str, int]] = {
        first + timedelta(days=number): {} for number in range(length)
    }
    for at, name, number in rows:
        found.setdefault(at, {})[name] = number
    return [
        Day(
            connection_id=connection_id,
            day=at,
            expected=sum(counts.values()),
            received=counts.get("received", 0),
            recovered=counts.get("recovered", 0),
            in_hand=counts.get("in_hand", 0),
            unexplained=counts.get("unexplained", 0),
            counted_at=now,
        )
        for at, counts in sorted(found.items(), reverse=True)
    ]


def oldest_open(db: Connection, connection_id: int) -> date | None:
    """Give the first day that was not done with when it was counted."""
    found: date | None = db.scalar(
        select(func.min(completeness.c.day)).where(
            completeness.c.connection_id == connection_id,
            completeness.c.in_hand + completeness.c.unexplained > 0,
        )
    )
    return found


def record(db: Connection, days: Iterable[Day]) -> None:
    """Keep the counts of days, in the place of earlier ones."""
    rows = [asdict(item) for item in days]
    if not rows:
        return
    new = insert(completeness).values(rows)
    counts = ("expected", "received", "recovered", "in_hand", "unexplained")
    db.execute(
        new.on_conflict_do_update(
            index_elements=["connection_id", "day"],
            set_={name: new.excluded[name] for name in (*counts, "counted_at")},
        )
    )


def recorded(
    db: Connection, *, since: date, connection_id: int | None = None
) -> list[Day]:
    """List the days kept, the newest first."""
    query = (
        select(completeness)
        .where(completeness.c.day >= since)
        .order_by(completeness.c.day.desc(), completeness.c.connection_id)
    )
    if connection_id is not None:
        query = query.where(completeness.c.connection_id == connection_id)
    return [Day(**row) for row in db.execute(query).mappings()]


def untold_since(
    db: Connection, connection_id: int, object_type: str, since: datetime
) -> int:
    """Count what an object's records reached from then on, and no message told."""
    return int(
        db.execute(
            select(func.count()).where(
                reached.c.connection_id == connection_id,
                reached.c.object_type == object_type,
                reached.c.reached_at >= since,
                reached.c.confirmed_at.is_not(None),
                func.coalesce(reached.c.source, RECONCILE) == RECONCILE,
            )
        ).scalar_one()
    )


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
