"""Open referrals of which a promise is broken, or must be kept by a moment."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from sidecar.referral.response_clock import CLOSED, Kind
from sidecar.store.tables import referral, response_clock


@dataclass(frozen=True)
class Late:
    """``promised_at`` is the earliest of its promises that are not kept."""

    key: str
    record_id: str
    object_type: str
    milestone: str | None
    owner_id: str | None
    promised_at: datetime


def until(
    db: Connection, connection_id: int, moment: datetime, *, limit: int = 1000
) -> list[Late]:
    """List what had to be, or has to be, answered before a moment; oldest first."""
    promised_at = func.min(response_clock.c.promised_at)
    rows = db.execute(
        select(
            referral.c.key,
            referral.c.record_id,
            referral.c.object_type,
            referral.c.milestone,
            referral.c.owner_id,
            promised_at.label("promised_at"),
        )
        .join(
            response_clock,
            (response_clock.c.org_id == referral.c.org_id)
            & (response_clock.c.referral_key == referral.c.key),
        )
        .where(
            response_clock.c.connection_id == connection_id,
            response_clock.c.kind == Kind.PROMISE,
            response_clock.c.state.in_(("waiting", "spent")),
            response_clock.c.promised_at < moment,
            referral.c.status.is_not(None),
            or_(
                referral.c.milestone.is_(None),
                referral.c.milestone.not_in([str(item) for item in CLOSED]),
            ),
        )
        .group_by(*referral.primary_key.columns)
        .order_by(promised_at, referral.c.key)
        .limit(limit)
    )
    return [Late(**row) for row in rows.mappings()]
