"""Chat channels: where a connection's playbook may post, by name."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from sidecar.keyring import Keyring
from sidecar.store.tables import chat_channel


@dataclass(frozen=True, slots=True)
class Channel:
    """
    One channel, opened.

    Attributes:
        kind: ``slack`` or ``teams``.
        language: of the words beside a playbook's own text: ``en``, ``de``, ``fr``.
        url: its webhook; whoever knows it may post.
    """

    connection_id: int
    name: str
    kind: str
    language: str
    url: str


def add(db: Connection, new: Channel, *, now: datetime, keyring: Keyring) -> bool:
    """Add a channel; False where the connection has one of this name."""
    row = insert(chat_channel).values(
        connection_id=new.connection_id,
        name=new.name,
        kind=new.kind,
        language=new.language,
        url_sealed=keyring.seal(new.url),
        created_at=now,
    )
    added = row.on_conflict_do_nothing().returning(chat_channel.c.name)
    return db.execute(added).first() is not None


def of_connection(
    db: Connection, connection_id: int, *, keyring: Keyring
) -> dict[str, Channel]:
    """Load a connection's channels by their names."""
    rows = db.execute(
        select(chat_channel).where(chat_channel.c.connection_id == connection_id)
    )
    return {
        row.name: Channel(
            row.connection_id,
            row.name,
            row.kind,
            row.language,
            keyring.open(row.url_sealed),
        )
        for row in rows
    }


def listing(db: Connection, connection_id: int | None = None) -> list[dict[str, Any]]:
    """List channels without what is secret in them."""
    columns = [column for column in chat_channel.c if column.name != "url_sealed"]
    query = select(*columns).order_by(chat_channel.c.connection_id, chat_channel.c.name)
    if connection_id is not None:
        query = query.where(chat_channel.c.connection_id == connection_id)
    return [dict(row) for row in db.execute(query).mappings()]


def remove(db: Connection, connection_id: int, name: str) -> bool:
    """Remove a channel; False where there is none."""
    gone = delete(chat_channel).where(
        chat_channel.c.connection_id == connection_id, chat_channel.c.name == name
    )
    return db.execute(gone).rowcount == 1
