"""Which playbooks a connection has had: a version, once used, means one text."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from sidecar.errors import Permanent
from sidecar.store.tables import connection, playbook_version


def put(
    db: Connection, connection_id: int, version: str, text: str, *, now: datetime
) -> None:
    """
    Act by this playbook from now on.

    Raises:
        Permanent: the version is known, with another text: what was done by it could
            no longer be explained.
    """
    new = insert(playbook_version).values(
        connection_id=connection_id, version=version, text=text, set_at=now
    )
    db.execute(new.on_conflict_do_nothing())
    if text_of(db, connection_id, version) != text:
        raise Permanent(
            f"version {version!r} is known with another text; give this one a new name"
        )
    db.execute(
        update(connection).where(connection.c.id == connection_id).values(playbook=text)
    )


def text_of(db: Connection, connection_id: int, version: str) -> str | None:
    """Give the playbook of a version; None where it was never set."""
    found: str | None = db.scalar(
        select(playbook_version.c.text).where(
            playbook_version.c.connection_id == connection_id,
            playbook_version.c.version == version,
        )
    )
    return found


def listing(db: Connection, connection_id: int) -> list[dict[str, Any]]:
    """List a connection's versions, the newest first, without their texts."""
    rows = db.execute(
        select(playbook_version.c.version, playbook_version.c.set_at)
        .where(playbook_version.c.connection_id == connection_id)
        .order_by(playbook_version.c.set_at.desc())
    )
    return [dict(row) for row in rows.mappings()]
