"""The quarantine: what came in by a right address and was refused all the same."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from sidecar.keyring import Keyring
from sidecar.store.tables import quarantine


@dataclass(frozen=True, slots=True)
class Refused:
    """One refused message; ``body`` has its secrets blackened already."""

    connection_id: int
    kind: str
    reason: str
    body: str
    org_id: str | None = None
    action_id: str | None = None
    notification_ids: Sequence[str] = ()
    peer: str | None = None


def keep(db: Connection, refused: Refused, *, now: datetime, keyring: Keyring) -> int:
    """
    Keep a refused message, or count it once more.

    Salesforce repeats for 24 h what it gets no Ack for: the same body is one row.

    Returns:
        How often it was seen, this time included.
    """
    row = insert(quarantine).values(
        connection_id=refused.connection_id,
        kind=refused.kind,
        reason=refused.reason,
        org_id=refused.org_id,
        action_id=refused.action_id,
        notification_ids=list(refused.notification_ids),
        digest=hashlib.sha256(refused.body.encode()).hexdigest(),
        sealed=keyring.seal(refused.body),
        peer=refused.peer,
        first_seen_at=now,
        last_seen_at=now,
    )
    again = row.on_conflict_do_update(
        index_elements=["connection_id", "digest"],
        set_={"seen": quarantine.c.seen + 1, "last_seen_at": now},
    ).returning(quarantine.c.seen)
    return int(db.execute(again).scalar_one())


def listing(db: Connection, *, limit: int = 50) -> list[dict[str, Any]]:
    """List the refused, latest first, without their bodies."""
    columns = [column for column in quarantine.c if column.name != "sealed"]
    rows = db.execute(
        select(*columns).order_by(quarantine.c.last_seen_at.desc()).limit(limit)
    )
    return [dict(row) for row in rows.mappings()]


def body(db: Connection, id_: int, *, keyring: Keyring) -> str | None:
    """Open the body of one refused message."""
    sealed = db.execute(
        select(quarantine.c.sealed).where(quarantine.c.id == id_)
    ).scalar_one_or_none()
    return keyring.open(sealed) if sealed is not None else None


def count(db: Connection) -> dict[str, int]:
    """Count refused messages by kind, repeats included."""
    rows = db.execute(
        select(quarantine.c.kind, func.sum(quarantine.c.seen)).group_by(
            quarantine.c.kind
        )
    )
    return {kind: int(seen) for kind, seen in rows}
