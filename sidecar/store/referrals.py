"""Referrals as last known; all of it can be read from the orgs again."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from sidecar.keyring import Keyring
from sidecar.referral.journey import Milestone, Referral
from sidecar.store import persons, recognition
from sidecar.store.persons import People
from sidecar.store.tables import referral


def load(
    db: Connection, org_id: str, keys: Iterable[str], *, keyring: Keyring
) -> dict[str, Referral]:
    """
    Load referrals of one org by their keys, and lock them.

    Of whoever is erased, the details are empty.
    """
    query = (
        select(referral)
        .where(referral.c.org_id == org_id, referral.c.key.in_(list(keys)))
        .order_by(referral.c.key)
    )
    keyed = persons.with_keys(query, referral).with_for_update(of=referral)
    rows = db.execute(keyed)
    return {
        row.key: Referral(
            key=row.key,
            object_type=row.object_type,
            record_id=row.record_id,
            status=row.status,
            milestone=Milestone(row.milestone) if row.milestone else None,
            owner_id=row.owner_id,
            changed_at=row.changed_at,
            details=json.loads(persons.opened(row, keyring) or "{}"),
        )
        for row in rows
    }


def remember(
    db: Connection,
    org_id: str,
    referrals: Iterable[Referral],
    *,
    now: datetime,
    keyring: Keyring,
) -> None:
    """
    Write referrals as they are from now on, and get to know their people.

    Of whoever is erased, nothing is written that says who they were. The caller holds
    the lane of the connection.
    """
    referrals = list(referrals)
    people = recognition.recognise(db, org_id, referrals, now=now, keyring=keyring)
    rows = [_row(org_id, item, people[item.key], now) for item in referrals]
    if not rows:
        return
    new = insert(referral).values(rows)
    changed = {
        name: new.excluded[name]
        for name in rows[0]
        if name not in {"org_id", "key", "created_at"}
    }
    db.execute(
        new.on_conflict_do_update(index_elements=["org_id", "key"], set_=changed)
    )


def untouched(
    db: Connection, org_id: str, keys: Iterable[str], *, since: datetime
) -> set[str]:
    """Name those of these referrals that nobody has written since a moment."""
    rows = db.scalars(
        select(referral.c.key).where(
            referral.c.org_id == org_id,
            referral.c.key.in_(list(keys)),
            referral.c.updated_at < since,
        )
    )
    return set(rows)


def forget_untouched(db: Connection, org_id: str, *, since: datetime) -> int:
    """Forget what nobody has written since a moment; how many they were."""
    stale = (referral.c.org_id == org_id, referral.c.updated_at < since)
    return db.execute(delete(referral).where(*stale)).rowcount


def forget_deleted(db: Connection, org_id: str, deleted: Mapping[str, str]) -> int:
    """
    Forget referrals whose records are deleted; how many they were.

    Args:
        deleted: record id to referral key. A referral that goes on as another record
            stays.
    """
    gone = (
        referral.c.org_id == org_id,
        referral.c.key.in_(set(deleted.values())),
        referral.c.record_id.in_(list(deleted)),
    )
    return db.execute(delete(referral).where(*gone)).rowcount


def _row(
    org_id: str, item: Referral, people: People, now: datetime
) -> Mapping[str, Any]:
    details = people.gone.permitted(item.details)
    return {
        "org_id": org_id,
        "key": item.key,
        "object_type": item.object_type,
        "record_id": item.record_id,
        "status": item.status,
        "milestone": item.milestone,
        "owner_id": item.owner_id,
        "changed_at": item.changed_at,
        **persons.columns(people),
        "sealed": persons.seal(json.dumps(details), people),
        "created_at": now,
        "updated_at": now,
    }
