"""What orgs say of the users who own referrals: their role, their manager."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from sidecar.referral.business_calendar import Colleague
from sidecar.store.tables import colleague, response_clock


def load(
    db: Connection, connection_id: int, user_ids: Collection[str]
) -> dict[str, Colleague]:
    """Give what is known of users; one of whom nothing is known is missing."""
    rows = db.execute(
        select(colleague).where(
            colleague.c.connection_id == connection_id,
            colleague.c.user_id.in_(user_ids),
        )
    )
    return {
        row.user_id: Colleague(row.role, row.manager_id, row.active) for row in rows
    }


def strangers(
    db: Connection, connection_id: int, *, since: datetime, limit: int
) -> list[str]:
    """Find users who own what runs, and of whom nothing was read since a moment."""
    known = select(colleague.c.user_id).where(
        colleague.c.connection_id == connection_id, colleague.c.read_at >= since
    )
    owners = (
        select(response_clock.c.owner_id)
        .where(
            response_clock.c.connection_id == connection_id,
            response_clock.c.state.in_(("waiting", "paused")),
            response_clock.c.owner_id.like("005%"),
            response_clock.c.owner_id.not_in(known),
        )
        .distinct()
        .limit(limit)
    )
    return sorted(owner for owner in db.scalars(owners) if owner)


def remember(
    db: Connection,
    connection_id: int,
    read: Mapping[str, Colleague],
    *,
    now: datetime,
) -> None:
    """Write what the org said of users."""
    if not read:
        return
    new = insert(colleague).values(
        [
            {
                "connection_id": connection_id,
                "user_id": id_,
                "role": item.role,
                "manager_id": item.manager_id,
                "active": item.active,
                "read_at": now,
            }
            for id_, item in read.items()
        ]
    )
    db.execute(
        new.on_conflict_do_update(
            index_elements=["connection_id", "user_id"],
            set_={
                name: new.excluded[name]
                for name in ("role", "manager_id", "active", "read_at")
            },
        )
    )
