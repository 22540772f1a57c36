"""How far each stream has been read: kept together with what was read."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from sidecar.keyring import Keyring
from sidecar.store import inbox
from sidecar.store.inbox import Arrival
from sidecar.store.tables import stream_position


def position(db: Connection, connection_id: int, topic: str) -> bytes | None:
    """Give the position after the last event kept; None where there is none."""
    found: bytes | None = db.scalar(
        select(stream_position.c.replay_id).where(
            stream_position.c.connection_id == connection_id,
            stream_position.c.topic == topic,
        )
    )
    return found


def keep(
    db: Connection,
    arrivals: Sequence[Arrival],
    *,
    connection_id: int,
    topic: str,
    after: bytes,
    now: datetime,
    keyring: Keyring,
) -> list[int]:
    """
    Keep events and the position after them, both or neither.

    Returns:
        The ids of the rows that are new; an event that came before yields none.
    """
    stated = {"replay_id": after, "updated_at": now}
    upsert = insert(stream_position).values(
        connection_id=connection_id, topic=topic, **stated
    )
    db.execute(
        upsert.on_conflict_do_update(
            index_elements=["connection_id", "topic"], set_=stated
        )
    )
    return list(inbox.keep(db, arrivals, keyring=keyring).values())


def forget(db: Connection, connection_id: int, topic: str) -> None:
    """Forget a position that the org no longer knows."""
    db.execute(
        delete(stream_position).where(
            stream_position.c.connection_id == connection_id,
            stream_position.c.topic == topic,
        )
    )
