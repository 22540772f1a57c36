"""Asking for deployments: what a person may want, checked before a row is made.

The command line and the console both come through here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy import Engine

from sidecar.errors import Permanent
from sidecar.jobs.deploy import job
from sidecar.keyring import Keyring
from sidecar.package import bundle as bundles
from sidecar.package import read
from sidecar.package.bundle import Bundle
from sidecar.store import audit, connections, deployments, installed
from sidecar.store.deployments import Admin, Deployment, NewDeployment

Kind = Literal["plan", "install", "verify", "rollback", "uninstall"]


@dataclass(frozen=True)
class Wish:
    """What somebody wants to be done to an org."""

    connection_id: int
    kind: Kind
    requested_by: str
    modules: Sequence[str] = ()
    """Beside those that are installed already; none asks for core."""
    grants: Sequence[tuple[str, str]] = ()
    """User name and permission set."""
    yes: bool = False
    """Agree beforehand to whatever the preflight warns of."""
    self_test: bool = True
    delete_data: bool = False
    export: bool = False
    """Stop before anything is removed, until the data is written to files."""
    undoes: int | None = None
    """A rollback's deployment; the newest install by default."""


@dataclass(frozen=True)
class State:
    """What is known of an org's package."""

    modules: Sequence[str] = ()
    version: str = ""
    installed_at: datetime | None = None
    newest: Deployment | None = field(default=None)


def ask(
    wish: Wish,
    *,
    admin: Admin | None,
    engine: Engine,
    keyring: Keyring,
    bundle: Bundle,
    now: datetime,
) -> int:
    """
    Make the row of a deployment; whoever is free takes its first turn.

    Args:
        admin: who deploys; without one the deployment asks for a token.

    Returns:
        The deployment's id.

    Raises:
        Permanent: the wish makes no sense, or another deployment is not over.
    """
    with engine.begin() as db:
        connection = connections.find(db, wish.connection_id)
        if connection is None:
            raise Permanent(f"there is no connection {wish.connection_id}")
        known = installed.of(db, connection.id, keyring=keyring)
        undoes = None
        if wish.kind == "rollback":
            past = deployments.listing(db, connection_id=connection.id, limit=500)
            undoes = _undone(past, wish)
        if wish.kind == "uninstall" and known is None:
            past = deployments.listing(db, connection_id=connection.id, limit=500)
            undoes = _unfinished(past)
        if wish.kind in {"uninstall", "verify"} and known is None and undoes is None:
            raise Permanent(
                "nothing of ours is installed in this org, as far as we know"
            )
        modules = [*wish.modules, *(known.modules if known else ())]
        chosen = bundles.with_needed(bundle, modules)
        new = NewDeployment(
            connection_id=connection.id,
            org_id=connection.org_id,
            kind=wish.kind,
            modules=chosen,
            options={
                "grants": _grants(wish.grants, bundle, chosen),
                "yes": "any" if wish.yes else None,
                "self_test": wish.self_test,
                "delete_data": wish.delete_data,
                "export": wish.export,
            },
            stage=job.FIRST,
            requested_by=wish.requested_by,
            undoes=undoes,
        )
        id_ = deployments.add(db, new, admin=admin, now=now, keyring=keyring)
        audit.note(
            db,
            who=wish.requested_by,
            what=f"package.{wish.kind}",
            about=f"connection {connection.id}",
            details={"deployment": id_, "modules": chosen},
            now=now,
        )
        return id_


def state(engine: Engine, connection_id: int, *, keyring: Keyring) -> State:
    """Tell what is installed in an org, and what was done last."""
    with engine.connect() as db:
        known = installed.of(db, connection_id, keyring=keyring)
        newest = deployments.listing(db, connection_id=connection_id, limit=1)
    return State(
        modules=known.modules if known else (),
        version=known.version if known else "",
        installed_at=known.installed_at if known else None,
        newest=newest[0] if newest else None,
    )


def _undone(known: Sequence[Deployment], wish: Wish) -> int:
    """Choose what a rollback undoes: the newest deployment that changed the org."""
    undone: set[int | None] = set()
    for row in known:
        if row.state == "done" and row.kind == "uninstall":
            break
        if row.state == "done" and row.kind == "rollback":
            undone.add(row.undoes)
        changed = row.kind == "install" and "deployed" in row.evidence
        if changed and row.id not in undone and wish.undoes in {None, row.id}:
            return row.id
    raise Permanent(
        "no deployment of this connection changed anything that can be rolled back"
        if wish.undoes is None
        else f"deployment {wish.undoes} changed nothing that can be rolled back"
    )


def _unfinished(known: Sequence[Deployment]) -> int | None:
    """Find the uninstall that left something which can only go later."""
    for row in known:
        if row.kind == "uninstall" and row.state == "done":
            return row.id if row.evidence.get("later") else None
    return None


def _grants(
    wanted: Sequence[tuple[str, str]], bundle: Bundle, modules: Sequence[str]
) -> list[list[str]]:
    """Refuse a permission set that the chosen modules do not bring."""
    tree = read.select(bundle.tree, modules)
    known = {
        component.name
        for component in read.components(tree)
        if component.kind.type == "PermissionSet"
    }
    for _, name in wanted:
        if name not in known:
            raise Permanent(
                f"the package has no permission set {name}; there are "
                f"{', '.join(sorted(known))}"
            )
    return [[user, name] for user, name in wanted]
