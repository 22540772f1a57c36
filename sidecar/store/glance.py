"""One referral at a glance: where it stands, what was promised, done, and heard."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select

from sidecar.keyring import Keyring
from sidecar.referral.journey import Referral
from sidecar.store import colleagues, journeys, next_steps
from sidecar.store.next_steps import NextStep
from sidecar.store.tables import follow_up, reached, referral, response_clock

MOST = 50
"""Of clocks, of follow-ups and of statuses, each."""


@dataclass(frozen=True)
class Promise:
    """A response clock: ``kind`` is ``promise`` or ``action``."""

    kind: str
    name: str
    state: str
    due_at: datetime | None
    promised_at: datetime | None


@dataclass(frozen=True)
class Deed:
    """A follow-up, without what it says and to whom."""

    kind: str
    action: str
    milestone: str
    state: str
    attempts: int
    due_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True)
class Stage:
    """A status that was reached; ``heard_at`` is None where no event told it yet."""

    status: str
    object_type: str
    reached_at: datetime
    heard_at: datetime | None


@dataclass(frozen=True)
class Glance:
    """
    A referral and what there is about it; the oldest comes first.

    Attributes:
        owner_left: the owner is a user whom the org has deactivated.
    """

    referral: Referral
    owner_left: bool
    next_step: NextStep | None
    promises: Sequence[Promise]
    deeds: Sequence[Deed]
    stages: Sequence[Stage]


def at(
    db: Connection, connection_id: int, org_id: str, record_id: str, *, keyring: Keyring
) -> Glance | None:
    """
    Look at the referral of a record, which may have moved on from that record.

    Args:
        record_id: 18 characters.

    Returns:
        None where the org has none, or whoever was referred is erased.
    """
    key = _key_of(db, org_id, record_id)
    known = journeys.look(db, org_id, [key], keyring=keyring) if key else {}
    if key is None or key not in known:
        return None
    owner = known[key].owner_id or ""
    colleague = colleagues.load(db, connection_id, [owner]).get(owner)
    return Glance(
        known[key],
        colleague is not None and not colleague.active,
        next_steps.next_steps(db, org_id, [key]).get(key),
        [Promise(**row) for row in _about(db, response_clock, Promise, org_id, key)],
        [Deed(**row) for row in _about(db, follow_up, Deed, org_id, key)],
        _stages(db, org_id, key),
    )


def _key_of(db: Connection, org_id: str, record_id: str) -> str | None:
    """As whose record it is known now, or as whose it was once."""
    for table, key, column in (
        (referral, referral.c.key, referral.c.key),
        (referral, referral.c.key, referral.c.record_id),
        (reached, reached.c.referral_key, reached.c.record_id),
    ):
        mine = select(key).where(table.c.org_id == org_id, column == record_id)
        found: str | None = db.scalar(mine.order_by(key).limit(1))
        if found is not None:
            return found
    return None


def _about(
    db: Connection, table: Table, shape: type[Promise | Deed], org_id: str, key: str
) -> list[dict[str, Any]]:
    """Read the newest rows about a referral, and only what is shown of them."""
    rows = db.execute(
        select(*(table.c[item.name] for item in fields(shape)))
        .where(table.c.org_id == org_id, table.c.referral_key == key)
        .order_by(table.c.id.desc())
        .limit(MOST)
    )
    return [dict(row) for row in reversed(rows.mappings().all())]


def _stages(db: Connection, org_id: str, key: str) -> list[Stage]:
    rows = db.execute(
        select(*(reached.c[item.name] for item in fields(Stage)))
        .where(reached.c.org_id == org_id, reached.c.referral_key == key)
        .order_by(reached.c.reached_at, reached.c.status)
        .limit(MOST)
    )
    return [Stage(**row) for row in rows.mappings()]
