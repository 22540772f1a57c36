"""Referrals and what they have reached, read without a lock; nothing is written."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select

from sidecar.keyring import Keyring
from sidecar.referral.journey import Milestone, Referral
from sidecar.store import persons
from sidecar.store.tables import connection, reached, referral


@dataclass(frozen=True)
class Station:
    """A status that a referral has reached, and as which record."""

    referral_key: str
    status: str
    object_type: str
    record_id: str
    reached_at: datetime


def reached_since(
    db: Connection, connection_id: int, since: datetime
) -> dict[str, list[Station]]:
    """Give what a connection's referrals have reached, by key, in order of time."""
    names = list(Station.__dataclass_fields__)
    rows = db.execute(
        select(*(reached.c[name] for name in names))
        .where(reached.c.connection_id == connection_id, reached.c.reached_at >= since)
        .order_by(reached.c.referral_key, reached.c.reached_at, reached.c.status)
    )
    found: dict[str, list[Station]] = {}
    for row in rows.mappings():
        found.setdefault(row["referral_key"], []).append(Station(**row))
    return found


def look(
    db: Connection, org_id: str, keys: Collection[str], *, keyring: Keyring
) -> dict[str, Referral]:
    """Look at referrals as last known; those of people who are erased are missing."""
    query = select(referral).where(
        referral.c.org_id == org_id, referral.c.key.in_(keys)
    )
    found = {}
    for row in db.execute(persons.with_keys(query, referral)):
        people = persons.people(row, keyring)
        if people is not None and people.gone.person:
            continue
        found[row.key] = Referral(
            key=row.key,
            object_type=row.object_type,
            record_id=row.record_id,
            status=row.status,
            milestone=Milestone(row.milestone) if row.milestone else None,
            owner_id=row.owner_id,
            changed_at=row.changed_at,
            details=json.loads(persons.opened(row, keyring) or "{}"),
        )
    return found


def find(db: Connection, id_: str) -> list[tuple[int, str]]:
    """
    Find a referral by its record's id or its key, in every connection.

    Args:
        id_: 18 characters.

    Returns:
        Connection id and referral key.
    """
    rows = db.execute(
        select(connection.c.id, referral.c.key)
        .join(connection, connection.c.org_id == referral.c.org_id)
        .where(or_(referral.c.key == id_, referral.c.record_id == id_))
        .order_by(connection.c.id)
    )
    return [(row[0], row[1]) for row in rows]
