"""Authorizations under way: what we wait for while an admin is in the org's browser."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from sidecar.keyring import Keyring, fingerprint
from sidecar.store.tables import authorization

LIFE = timedelta(minutes=15)


@dataclass(frozen=True)
class Pending:
    """
    One authorization.

    ``ticket`` is in the link that an admin is given, ``state`` goes to the org and
    back; both are found by their hash alone.
    """

    name: str
    login_url: str
    client_id: str
    client_secret: str
    org_id: str
    """Expected; empty where any org will do, because none is connected yet."""
    ticket: str
    state: str
    verifier: str
    nonce: str
    connection_id: int | None = None
    """The connection to be renewed; None for a new one."""


def add(db: Connection, new: Pending, *, now: datetime, keyring: Keyring) -> None:
    """Remember an authorization for a quarter of an hour; older ones are forgotten."""
    db.execute(delete(authorization).where(authorization.c.expires_at < now))
    db.execute(
        insert(authorization).values(
            ticket_hash=fingerprint(new.ticket),
            state_hash=fingerprint(new.state),
            sealed=keyring.seal(json.dumps(asdict(new))),
            expires_at=now + LIFE,
        )
    )


def by_ticket(
    db: Connection, ticket: str, *, now: datetime, keyring: Keyring
) -> Pending | None:
    """Find an authorization by its link; it may be opened more than once."""
    sealed = db.scalar(
        select(authorization.c.sealed).where(
            authorization.c.ticket_hash == fingerprint(ticket),
            authorization.c.expires_at >= now,
        )
    )
    return _opened(sealed, keyring)


def take(
    db: Connection, state: str, *, now: datetime, keyring: Keyring
) -> Pending | None:
    """Find an authorization by its state, and forget it: an answer counts once."""
    sealed = db.scalar(
        delete(authorization)
        .where(
            authorization.c.state_hash == fingerprint(state),
            authorization.c.expires_at >= now,
        )
        .returning(authorization.c.sealed)
    )
    return _opened(sealed, keyring)


def forget(db: Connection, connection_id: int, *, keyring: Keyring) -> None:
    """Forget the authorizations under way that would renew a connection."""
    for row in db.execute(select(authorization.c.id, authorization.c.sealed)).all():
        pending = _opened(row.sealed, keyring)
        if pending is not None and pending.connection_id == connection_id:
            db.execute(delete(authorization).where(authorization.c.id == row.id))


def _opened(sealed: str | None, keyring: Keyring) -> Pending | None:
    if sealed is None:
        return None
    kept: Mapping[str, object] = json.loads(keyring.open(sealed))
    return Pending(**kept)  # type: ignore[arg-type]
