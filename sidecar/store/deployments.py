"""Deployments: what an admin asked to be done to an org, and how far it is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import ColumnElement, Connection, Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from sidecar.errors import Permanent
from sidecar.keyring import Keyring
from sidecar.store.tables import deployment, deployment_files

OPEN = ("waiting", "sending", "asking")


@dataclass(frozen=True)
class Admin:
    """The temporary admin who deploys, as long as the deployment lasts."""

    instance_url: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class NewDeployment:
    """What is asked for."""

    connection_id: int
    org_id: str
    kind: str
    modules: Sequence[str]
    options: Mapping[str, Any]
    stage: str
    requested_by: str
    undoes: int | None = None


@dataclass(frozen=True)
class Deployment:
    """One deployment, without its files and its admin."""

    id: int
    connection_id: int
    org_id: str
    kind: str
    modules: list[str]
    options: dict[str, Any]
    undoes: int | None
    requested_by: str
    stage: str
    state: str
    attempts: int
    failures: int
    due_at: datetime
    question: str | None
    error: str | None
    async_id: str | None
    progress: dict[str, Any]
    facts: dict[str, Any]
    findings: list[dict[str, Any]]
    plan: dict[str, Any]
    fingerprint: str | None
    evidence: dict[str, Any]
    report: dict[str, Any] | None
    cancel_asked_at: datetime | None
    created_at: datetime
    settled_at: datetime | None


class Changes(TypedDict, total=False):
    """Columns that a turn may write."""

    stage: str
    state: str
    failures: int
    due_at: datetime
    question: str | None
    error: str | None
    async_id: str | None
    options: dict[str, Any]
    progress: dict[str, Any]
    facts: dict[str, Any]
    findings: list[dict[str, Any]]
    plan: dict[str, Any]
    fingerprint: str | None
    evidence: dict[str, Any]
    report: dict[str, Any] | None
    settled_at: datetime | None


def add(
    db: Connection,
    new: NewDeployment,
    *,
    admin: Admin | None,
    now: datetime,
    keyring: Keyring,
) -> int:
    """
    Ask for a deployment; its id.

    Raises:
        Permanent: another one of this connection is not over yet.
    """
    values = asdict(new) | {
        "modules": list(new.modules),
        "admin_sealed": sealed_admin(admin, keyring) if admin else None,
        "due_at": now,
        "created_at": now,
    }
    statement = insert(deployment).values(values).returning(deployment.c.id)
    try:
        with db.begin_nested():
            return int(db.execute(statement).scalar_one())
    except IntegrityError as exc:
        if "deployment_one_open_idx" not in str(exc.orig):
            raise
    open_id = db.execute(
        select(deployment.c.id).where(
            deployment.c.connection_id == new.connection_id,
            deployment.c.state.in_(OPEN),
        )
    ).scalar()
    raise Permanent(
        f"deployment {open_id} of this connection is not over: resume it "
        f"(`sidecar package install --resume {open_id}`) or cancel it "
        f"(`sidecar package cancel {open_id}`)"
    )


def claim(
    db: Connection, deployment_id: int, *, now: datetime, lease_ends: datetime
) -> Deployment | None:
    """
    Take the next turn of a deployment, if one is due and nobody else has it.

    ``attempts`` of what is given out is the number of this turn.
    """
    row = db.execute(
        update(deployment)
        .where(
            deployment.c.id == deployment_id,
            deployment.c.state.in_(("waiting", "sending")),
            deployment.c.due_at <= now,
        )
        .values(
            state="sending",
            attempts=deployment.c.attempts + 1,
            due_at=lease_ends,
        )
        .returning(*_COLUMNS)
    ).one_or_none()
    return _value(row) if row else None


def write(db: Connection, deployment_id: int, turn: int, changes: Changes) -> bool:
    """
    Record what a turn found or did.

    Returns:
        False where the turn is no longer the current one: its lease ended, somebody
        else goes on, and nothing was written.
    """
    done = db.execute(
        update(deployment)
        .where(
            deployment.c.id == deployment_id,
            deployment.c.attempts == turn,
            deployment.c.state == "sending",
        )
        .values(**changes)
    )
    return done.rowcount == 1


def find(db: Connection, deployment_id: int) -> Deployment | None:
    """One deployment; None where there is none."""
    return _one(db, deployment.c.id == deployment_id)


def newest(
    db: Connection, connection_id: int, *, kinds: Sequence[str], state: str
) -> Deployment | None:
    """The newest deployment of these kinds that ended, or is, in this state."""
    row = db.execute(
        select(*_COLUMNS)
        .where(
            deployment.c.connection_id == connection_id,
            deployment.c.kind.in_(kinds),
            deployment.c.state == state,
        )
        .order_by(deployment.c.id.desc())
        .limit(1)
    ).one_or_none()
    return _value(row) if row else None


def listing(
    db: Connection, *, connection_id: int | None = None, limit: int = 50
) -> list[Deployment]:
    """List deployments, newest first."""
    query = select(*_COLUMNS).order_by(deployment.c.id.desc()).limit(limit)
    if connection_id is not None:
        query = query.where(deployment.c.connection_id == connection_id)
    return [_value(row) for row in db.execute(query)]


def due(db: Connection, *, now: datetime) -> list[int]:
    """Find the deployments that have a turn due."""
    return list(
        db.scalars(
            select(deployment.c.id).where(
                deployment.c.state.in_(("waiting", "sending")),
                deployment.c.due_at <= now,
            )
        )
    )


def admin(db: Connection, deployment_id: int, *, keyring: Keyring) -> Admin | None:
    """The admin who deploys; None where none was given, or it is over."""
    sealed = db.execute(
        select(deployment.c.admin_sealed).where(deployment.c.id == deployment_id)
    ).scalar_one_or_none()
    return Admin(**json.loads(keyring.open(sealed))) if sealed else None


def end(db: Connection, deployment_id: int) -> None:
    """Forget what only a running deployment may know: the admin, the org's files."""
    db.execute(
        update(deployment)
        .where(deployment.c.id == deployment_id)
        .values(admin_sealed=None)
    )
    db.execute(
        delete(deployment_files).where(
            deployment_files.c.deployment_id == deployment_id,
            deployment_files.c.name == "org",
        )
    )


_COLUMNS = tuple(deployment.c[name] for name in Deployment.__dataclass_fields__)


def _one(db: Connection, condition: ColumnElement[bool]) -> Deployment | None:
    row = db.execute(select(*_COLUMNS).where(condition)).one_or_none()
    return _value(row) if row else None


def _value(row: Row[Any]) -> Deployment:
    return Deployment(**row._mapping)


def sealed_admin(given: Admin, keyring: Keyring) -> str:
    return keyring.seal(json.dumps(asdict(given)))
