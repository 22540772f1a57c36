"""What a connection accepts from outside: secrets, tokens, certificates.

A secret's kind is the scheme that it admits. Of a token only the hash is kept, as of a
hook key; what is needed to compute a signature is sealed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, insert, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from sidecar.keyring import Keyring
from sidecar.store.tables import client_certificate, webhook_secret


class Kind(StrEnum):
    """Which scheme a secret admits, and what is kept of it."""

    STANDARD_WEBHOOKS = "standard-webhooks"  # ``whsec_...``
    STANDARD_WEBHOOKS_ED25519 = "standard-webhooks-ed25519"  # ``whpk_...``
    ORG_CERTIFICATE = "org-certificate"  # PEM
    BEARER = "bearer"  # SHA-256 of the token
    API_KEY = "api-key"  # SHA-256 of the key; ``header`` names where it stands
    CANVAS = "canvas"  # the app's consumer secret; opens no door of events


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret to be added; ``value`` is what ``Kind`` says."""

    connection_id: int
    kind: Kind
    value: str
    name: str = ""
    header: str | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """
    One secret, opened.

    Attributes:
        not_after: when a certificate ends; None for what has no end of its own.
        retires_at: taken until then, and no longer; None where nobody retired it.
    """

    id: int
    connection_id: int
    kind: Kind
    value: str
    name: str
    header: str | None
    not_after: datetime | None
    created_at: datetime
    retires_at: datetime | None
    last_used_at: datetime | None


ANNOUNCED = timedelta(days=30)
"""So long before it ends, a certificate is spoken of."""


def add(db: Connection, new: NewSecret, *, now: datetime, keyring: Keyring) -> int:
    """Add a secret; its id."""
    row = insert(webhook_secret).values(
        connection_id=new.connection_id,
        kind=new.kind,
        name=new.name,
        sealed=keyring.seal(new.value),
        header=new.header,
        not_after=new.not_after,
        created_at=now,
    )
    return int(db.execute(row.returning(webhook_secret.c.id)).scalar_one())


def find(db: Connection, secret_id: int, *, keyring: Keyring) -> Secret | None:
    """Load one secret; None where there is none."""
    query = select(webhook_secret).where(webhook_secret.c.id == secret_id)
    found = _secrets(db, query, keyring)
    return found[0] if found else None


def accepted(
    db: Connection, connection_id: int, *, now: datetime, keyring: Keyring
) -> list[Secret]:
    """Load what a connection takes at a moment, newest first."""
    query = (
        select(webhook_secret)
        .where(
            webhook_secret.c.connection_id == connection_id,
            or_(
                webhook_secret.c.retires_at.is_(None), webhook_secret.c.retires_at > now
            ),
        )
        .order_by(webhook_secret.c.id.desc())
    )
    return _secrets(db, query, keyring)


def listing(
    db: Connection, *, connection_id: int | None = None
) -> list[dict[str, Any]]:
    """List secrets, oldest first, without what is secret in them."""
    columns = [column for column in webhook_secret.c if column.name != "sealed"]
    query = select(*columns).order_by(webhook_secret.c.id)
    if connection_id is not None:
        query = query.where(webhook_secret.c.connection_id == connection_id)
    return [dict(row) for row in db.execute(query).mappings()]


def ending(db: Connection, *, by: datetime) -> list[dict[str, Any]]:
    """List the certificates that end by then, or have, and have no successor."""
    return [
        row
        for row in listing(db)
        if row["retires_at"] is None and row["not_after"] and row["not_after"] <= by
    ]


def retire(db: Connection, secret_id: int, *, at: datetime) -> bool:
    """
    Let a secret end; never later than it would have.

    Returns:
        False where there is no such secret, or it has ended before.
    """
    known = webhook_secret.c
    retired = db.execute(
        update(webhook_secret)
        .where(
            known.id == secret_id,
            or_(known.retires_at.is_(None), known.retires_at > at),
        )
        .values(retires_at=at)
    )
    return retired.rowcount == 1


def used(db: Connection, secret_id: int, *, at: datetime) -> None:
    """Remember that a sender used a secret."""
    db.execute(
        update(webhook_secret)
        .where(webhook_secret.c.id == secret_id)
        .values(last_used_at=at)
    )


@dataclass(frozen=True, slots=True)
class SeenCertificate:
    """A client certificate as it was presented; ``fingerprint`` is its SHA-256."""

    fingerprint: str
    subject: str
    issuer: str
    not_after: datetime


def certificate_seen(
    db: Connection, connection_id: int, seen: SeenCertificate, *, at: datetime
) -> None:
    """Remember which client certificate was presented, and when last."""
    row = upsert(client_certificate).values(
        connection_id=connection_id,
        fingerprint=seen.fingerprint,
        subject=seen.subject,
        issuer=seen.issuer,
        not_after=seen.not_after,
        first_seen_at=at,
        last_seen_at=at,
    )
    db.execute(
        row.on_conflict_do_update(
            index_elements=["connection_id", "fingerprint"], set_={"last_seen_at": at}
        )
    )


def certificates(db: Connection) -> list[dict[str, Any]]:
    """List for each connection the client certificate that was presented last."""
    seen = client_certificate.c
    query = (
        select(client_certificate)
        .ext(distinct_on(seen.connection_id))
        .order_by(seen.connection_id, seen.last_seen_at.desc())
    )
    return [dict(row) for row in db.execute(query).mappings()]


def _secrets(
    db: Connection, query: Select[tuple[Any, ...]], keyring: Keyring
) -> list[Secret]:
    return [
        Secret(
            **{name: row[name] for name in _COLUMNS},
            kind=Kind(row["kind"]),
            value=keyring.open(row["sealed"]),
        )
        for row in db.execute(query).mappings()
    ]


_COLUMNS: Sequence[str] = (
    "id",
    "connection_id",
    "name",
    "header",
    "not_after",
    "created_at",
    "retires_at",
    "last_used_at",
)
