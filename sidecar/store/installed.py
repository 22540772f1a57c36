"""What was last installed: the base against which a customer's changes show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from sidecar.keyring import Keyring
from sidecar.store import deployment_files
from sidecar.store.tables import installed


@dataclass(frozen=True)
class Installed:
    """What was last installed into an org."""

    modules: list[str]
    version: str
    deployment_id: int
    installed_at: datetime
    files: Mapping[str, bytes]
    """In Metadata API format, as the plan leaves them to the next plan."""
    before: Mapping[str, bytes]
    """The org's files of these names before we came for the first time."""


def keep(
    db: Connection,
    connection_id: int,
    *,
    modules: Sequence[str],
    version: str,
    deployment_id: int,
    files: Mapping[str, bytes],
    before: Mapping[str, bytes],
    now: datetime,
    keyring: Keyring,
) -> None:
    """
    Remember what is installed.

    Args:
        before: what an uninstall goes back to.
    """
    values = {
        "modules": list(modules),
        "version": version,
        "deployment_id": deployment_id,
        "sealed": deployment_files.seal(files, keyring),
        "before_sealed": deployment_files.seal(before, keyring),
        "installed_at": now,
    }
    statement = insert(installed).values(connection_id=connection_id, **values)
    db.execute(
        statement.on_conflict_do_update(index_elements=["connection_id"], set_=values)
    )


def of(db: Connection, connection_id: int, *, keyring: Keyring) -> Installed | None:
    """Give what is installed; None where nothing is."""
    row = db.execute(
        select(installed).where(installed.c.connection_id == connection_id)
    ).one_or_none()
    if row is None:
        return None
    return Installed(
        modules=row.modules,
        version=row.version,
        deployment_id=row.deployment_id,
        installed_at=row.installed_at,
        files=deployment_files.unseal(row.sealed, keyring),
        before=deployment_files.unseal(row.before_sealed, keyring),
    )


def modules(db: Connection, connection_id: int) -> list[str]:
    """Name what is installed; empty where nothing is."""
    query = select(installed.c.modules).where(
        installed.c.connection_id == connection_id
    )
    return list(db.scalar(query) or ())


def forget(db: Connection, connection_id: int) -> None:
    """Nothing is installed any more."""
    db.execute(delete(installed).where(installed.c.connection_id == connection_id))
