"""What was last installed: the base against which a customer's changes show."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from sidecar.keyring import Keyring
from sidecar.store.deployments import open_files, seal_files
from sidecar.store.tables import installed


@dataclass(frozen=True)
class Installed:
    """One module as it was last installed into an org."""

    module: str
    version: str
    deployment_id: int
    installed_at: datetime
    files: Mapping[str, bytes]
    """In Metadata API format, as they were deployed."""


def keep(
    db: Connection,
    connection_id: int,
    module: str,
    *,
    version: str,
    deployment_id: int,
    files: Mapping[str, bytes],
    now: datetime,
    keyring: Keyring,
) -> None:
    """Remember a module as installed; what was known of it before is replaced."""
    values = {
        "version": version,
        "deployment_id": deployment_id,
        "sealed": seal_files(files, keyring),
        "installed_at": now,
    }
    statement = insert(installed).values(
        connection_id=connection_id, module=module, **values
    )
    db.execute(
        statement.on_conflict_do_update(
            index_elements=["connection_id", "module"], set_=values
        )
    )


def of(db: Connection, connection_id: int, *, keyring: Keyring) -> dict[str, Installed]:
    """Give the modules that are installed, by name."""
    rows = db.execute(
        select(installed)
        .where(installed.c.connection_id == connection_id)
        .order_by(installed.c.module)
    )
    return {
        row.module: Installed(
            module=row.module,
            version=row.version,
            deployment_id=row.deployment_id,
            installed_at=row.installed_at,
            files=open_files(row.sealed, keyring),
        )
        for row in rows
    }


def forget(db: Connection, connection_id: int, modules: Iterable[str]) -> None:
    """Forget modules that are no longer there."""
    db.execute(
        delete(installed).where(
            installed.c.connection_id == connection_id,
            installed.c.module.in_(list(modules)),
        )
    )
