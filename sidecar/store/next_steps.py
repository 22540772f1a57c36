"""Open referrals, their one owner and their one next step; and those that lack one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on

from sidecar.referral.response_clock import CLOSED
from sidecar.store.tables import (
    colleague,
    connection,
    follow_up,
    person,
    referral,
    response_clock,
)


@dataclass(frozen=True)
class OpenReferral:
    """A referral about which somebody still has to do something."""

    connection_id: int
    org_id: str
    key: str
    record_id: str
    object_type: str
    status: str
    milestone: str | None
    owner_id: str | None
    changed_at: datetime


@dataclass(frozen=True)
class NextStep:
    """What happens next about a referral: which clock or follow-up, and when."""

    referral_key: str
    kind: str  # clock | follow-up
    name: str
    at: datetime


def unowned(
    db: Connection, *, connection_id: int | None = None, limit: int = 1000
) -> list[OpenReferral]:
    """
    List open referrals that belong to a queue, to nobody, or to somebody who left.

    Oldest first, of all connections or of one.
    """
    left = exists().where(
        colleague.c.connection_id == connection.c.id,
        colleague.c.user_id == referral.c.owner_id,
        colleague.c.active.is_(False),
    )
    nobody = or_(
        referral.c.owner_id.is_(None), referral.c.owner_id.not_like("005%"), left
    )
    return _found(db, _open(connection_id).where(nobody).limit(limit))


def without_next_step(
    db: Connection, *, connection_id: int | None = None, limit: int = 1000
) -> list[OpenReferral]:
    """List open referrals about which nothing will happen by itself; oldest first."""
    clock = exists().where(
        response_clock.c.org_id == referral.c.org_id,
        response_clock.c.referral_key == referral.c.key,
        _ticks(),
    )
    waits = exists().where(
        follow_up.c.org_id == referral.c.org_id,
        follow_up.c.referral_key == referral.c.key,
        follow_up.c.state.in_(("waiting", "sending")),
    )
    return _found(db, _open(connection_id).where(~clock, ~waits).limit(limit))


def next_steps(db: Connection, org_id: str, keys: Sequence[str]) -> dict[str, NextStep]:
    """Give the one next step of referrals: what comes first; by referral key."""
    clocks = select(
        response_clock.c.referral_key,
        literal("clock").label("kind"),
        response_clock.c.name,
        response_clock.c.due_at.label("at"),
    ).where(
        response_clock.c.org_id == org_id,
        response_clock.c.referral_key.in_(keys),
        _ticks(),
    )
    waiting = select(
        follow_up.c.referral_key,
        literal("follow-up").label("kind"),
        follow_up.c.action.label("name"),
        follow_up.c.due_at.label("at"),
    ).where(
        follow_up.c.org_id == org_id,
        follow_up.c.referral_key.in_(keys),
        follow_up.c.state.in_(("waiting", "sending")),
    )
    both = union_all(clocks, waiting).subquery()
    first = (
        select(both)
        .ext(distinct_on(both.c.referral_key))
        .order_by(both.c.referral_key, both.c.at, both.c.kind, both.c.name)
    )
    return {
        row.referral_key: NextStep(row.referral_key, row.kind, row.name, row.at)
        for row in db.execute(first)
    }


def _ticks() -> ColumnElement[bool]:
    """Whether a clock will be heard of: it runs, or its pause has an end."""
    return and_(
        response_clock.c.state.in_(("waiting", "paused")),
        response_clock.c.due_at.is_not(None),
    )


def _open(connection_id: int | None) -> Select[Any]:
    """Open referrals of people who are not erased, the longest unchanged first."""
    erased = exists().where(
        person.c.id == referral.c.person_id, person.c.erased_at.is_not(None)
    )
    mine = [] if connection_id is None else [connection.c.id == connection_id]
    names = [name for name in OpenReferral.__dataclass_fields__ if name in referral.c]
    return (
        select(connection.c.id.label("connection_id"), *(referral.c[n] for n in names))
        .join(connection, connection.c.org_id == referral.c.org_id)
        .where(
            referral.c.status.is_not(None),
            or_(
                referral.c.milestone.is_(None),
                referral.c.milestone.not_in([str(item) for item in CLOSED]),
            ),
            ~erased,
            *mine,
        )
        .order_by(referral.c.changed_at, referral.c.key)
    )


def _found(db: Connection, query: Select[Any]) -> list[OpenReferral]:
    return [OpenReferral(**row) for row in db.execute(query).mappings()]
