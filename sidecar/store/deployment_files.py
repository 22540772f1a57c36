"""File trees kept with a deployment, sealed: they hold addresses with our hook key."""

import base64
import io
import zipfile
from collections.abc import Mapping

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from sidecar.keyring import Keyring
from sidecar.store.tables import deployment_files


def keep(
    db: Connection,
    deployment_id: int,
    name: str,
    files: Mapping[str, bytes],
    *,
    keyring: Keyring,
) -> None:
    """Keep a file tree under a name: ``org``, ``before`` or ``archive``."""
    sealed = seal(files, keyring)
    statement = insert(deployment_files).values(
        deployment_id=deployment_id, name=name, sealed=sealed
    )
    db.execute(
        statement.on_conflict_do_update(
            index_elements=["deployment_id", "name"], set_={"sealed": sealed}
        )
    )


def of(
    db: Connection, deployment_id: int, name: str, *, keyring: Keyring
) -> dict[str, bytes] | None:
    """Give the file tree of that name; None where none was kept."""
    sealed = db.execute(
        select(deployment_files.c.sealed).where(
            deployment_files.c.deployment_id == deployment_id,
            deployment_files.c.name == name,
        )
    ).scalar_one_or_none()
    return unseal(sealed, keyring) if sealed else None


def seal(tree: Mapping[str, bytes], keyring: Keyring) -> str:
    """Seal a file tree as one text."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(tree):
            target.writestr(path, tree[path])
    return keyring.seal(base64.b64encode(packed.getvalue()))


def unseal(sealed: str, keyring: Keyring) -> dict[str, bytes]:
    """
    Undo ``seal``.

    Raises:
        Permanent: its key is not in the key ring.
    """
    content = base64.b64decode(keyring.open(sealed))
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}
