"""Removing a connection: all that is kept because of it goes, numbers are given out.

Which rows these are is read off the tables: those that name the connection, those that
belong to such a row, and, with an org's last connection, those that name the org. A new
table is removed from without anybody thinking of it here.

What stays is the audit trail, and the digests of who was erased: should the org be
connected again, a late message must not bring them back.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    delete,
    func,
    select,
    text,
    update,
)

from sidecar.keyring import fingerprint, new_hook_key
from sidecar.store import inbox
from sidecar.store.tables import (
    completeness,
    connection,
    event,
    follow_up,
    metadata,
    person,
    person_trait,
    referral,
)

_BATCH = 5000
_WHY = "an admin removes the connection"


def contents(db: Connection, connection_id: int) -> dict[str, int]:
    """Count what would go, by table; tables without a row of it are left out."""
    counted = {
        table.name: int(
            db.execute(select(func.count()).select_from(table).where(its)).scalar_one()
        )
        for table, its in _all(db, connection_id)
    }
    return {name: rows for name, rows in counted.items() if rows}


def close(db: Connection, connection_id: int, *, until: datetime) -> None:
    """
    Take its address away and let nobody work for it, before anything else goes.

    Args:
        until: it rests for so long; then it is long gone, or somebody gave up.
    """
    db.execute(
        update(connection)
        .where(connection.c.id == connection_id)
        .values(
            hook_key_hash=fingerprint(new_hook_key()),
            hook_key_sealed=None,
            old_hook_key_hash=None,
            paused_until=until,
            pause_reason=_WHY,
        )
    )


def remove_events(engine: Engine, connection_id: int) -> int:
    """Remove the inbox of a closed connection, in portions; how many there were."""
    some = select(event.c.id).where(event.c.connection_id == connection_id)
    total = 0
    while True:
        with engine.begin() as db:
            # Its rows stand in no index of their own.
            db.execute(text("SET LOCAL statement_timeout = 0"))
            gone = delete(event).where(event.c.id.in_(some.limit(_BATCH)))
            total += (rows := db.execute(gone).rowcount)
        if rows < _BATCH:
            return total


def remove(db: Connection, connection_id: int) -> dict[str, Any]:
    """
    Remove a closed connection and the rest of what is kept because of it.

    Nobody decides about its events meanwhile, and nobody adds to it.

    Returns:
        The numbers that stay, for the audit trail: rows by table, follow-ups by state,
        referrals by milestone, what the completeness record says in all.
    """
    db.execute(text("SET LOCAL statement_timeout = 0"))
    inbox.lock_lane(db, connection_id)
    db.execute(
        select(connection.c.id)
        .where(connection.c.id == connection_id)
        .with_for_update()
    )
    numbers = _numbers(db, connection_id)
    rows = {
        table.name: db.execute(delete(table).where(its)).rowcount
        for table, its in _all(db, connection_id)
    }
    return {"rows": {name: gone for name, gone in rows.items() if gone}, **numbers}


def _all(db: Connection, connection_id: int) -> list[tuple[Table, ColumnElement[bool]]]:
    """List the tables and which of their rows go; what names others stands first."""
    org_id = db.scalar(
        select(connection.c.org_id).where(connection.c.id == connection_id)
    )
    others = select(connection.c.id).where(
        connection.c.org_id == org_id, connection.c.id != connection_id
    )
    last = db.scalar(others.limit(1)) is None
    found = [
        (table, its)
        for table in reversed(metadata.sorted_tables)
        if (its := _its(table, connection_id, org_id if last else None)) is not None
    ]
    return [*found, (connection, connection.c.id == connection_id)]


def _its(
    table: Table, connection_id: int, org_id: str | None
) -> ColumnElement[bool] | None:
    """Say which rows of a table go; ``org_id`` where all of the org's do."""
    if table is connection:
        return None
    if "connection_id" in table.columns:
        return table.c.connection_id == connection_id
    if table is person_trait:
        known = select(person.c.id).where(
            person.c.org_id == org_id, person.c.erased_at.is_(None)
        )
        return None if org_id is None else table.c.person_id.in_(known)
    if "org_id" in table.columns:
        if org_id is None:
            return None
        named = table.c.org_id == org_id
        return named & table.c.erased_at.is_(None) if table is person else named
    for key in table.foreign_keys:
        owner = key.column.table
        if "connection_id" in owner.columns:
            owned = select(key.column).where(owner.c.connection_id == connection_id)
            return key.parent.in_(owned)
    return None


def _numbers(db: Connection, connection_id: int) -> Mapping[str, Any]:
    states = db.execute(
        select(follow_up.c.state, func.count())
        .where(follow_up.c.connection_id == connection_id)
        .group_by(follow_up.c.state)
    )
    org_id = select(connection.c.org_id).where(connection.c.id == connection_id)
    milestones = db.execute(
        select(func.coalesce(referral.c.milestone, ""), func.count())
        .where(referral.c.org_id == org_id.scalar_subquery())
        .group_by(referral.c.milestone)
    )
    words = ("expected", "received", "recovered", "unexplained")
    summed = db.execute(
        select(
            *(func.coalesce(func.sum(completeness.c[word]), 0) for word in words)
        ).where(completeness.c.connection_id == connection_id)
    ).one()
    return {
        "follow_ups": {row[0]: row[1] for row in states},
        "milestones": {row[0]: row[1] for row in milestones},
        "completeness": {
            word: int(value) for word, value in zip(words, summed, strict=True)
        },
    }
