"""What people say to a deployment: another token, a yes, an export made, a stop."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, update

from sidecar.keyring import Keyring
from sidecar.store.deployments import OPEN, Admin, find, sealed_admin
from sidecar.store.tables import deployment


def give_admin(
    db: Connection, deployment_id: int, given: Admin, *, now: datetime, keyring: Keyring
) -> bool:
    """Give a deployment another admin's token, and let it go on where it asked."""
    sealed = sealed_admin(given, keyring)
    updated = db.execute(
        update(deployment)
        .where(deployment.c.id == deployment_id, deployment.c.state.in_(OPEN))
        .values(admin_sealed=sealed)
    )
    _go_on(db, deployment_id, "token", now)
    return updated.rowcount == 1


def say_yes(
    db: Connection, deployment_id: int, *, fingerprint: str | None, now: datetime
) -> bool:
    """
    Agree to what the plan warns of.

    Args:
        fingerprint: of the plan that was agreed to; another plan asks again.
    """
    row = find(db, deployment_id)
    if row is None or row.question != "yes" or row.fingerprint != fingerprint:
        return False
    db.execute(
        update(deployment)
        .where(deployment.c.id == deployment_id)
        .values(options={**row.options, "yes": fingerprint})
    )
    return _go_on(db, deployment_id, "yes", now)


def exported(
    db: Connection, deployment_id: int, files: Mapping[str, int], *, now: datetime
) -> bool:
    """Record what was written before data goes, and let the deployment go on."""
    row = find(db, deployment_id)
    if row is None or row.question != "export":
        return False
    db.execute(
        update(deployment)
        .where(deployment.c.id == deployment_id)
        .values(evidence={**row.evidence, "exported": dict(files)})
    )
    return _go_on(db, deployment_id, "export", now)


def cancel(db: Connection, deployment_id: int, *, now: datetime) -> bool:
    """
    Ask a deployment to stop; False where it is over.

    What the org is already writing is not stopped, but it is undone or done as a
    whole.
    """
    asked = db.execute(
        update(deployment)
        .where(deployment.c.id == deployment_id, deployment.c.state.in_(OPEN))
        .values(cancel_asked_at=now)
    )
    db.execute(
        update(deployment)
        .where(
            deployment.c.id == deployment_id,
            deployment.c.state.in_(("waiting", "asking")),
        )
        .values(state="waiting", due_at=now, question=None)
    )
    return asked.rowcount == 1


def _go_on(db: Connection, deployment_id: int, question: str, now: datetime) -> bool:
    gone_on = db.execute(
        update(deployment)
        .where(
            deployment.c.id == deployment_id,
            deployment.c.state == "asking",
            deployment.c.question == question,
        )
        .values(state="waiting", due_at=now, question=None, error=None, failures=0)
    )
    return gone_on.rowcount == 1
