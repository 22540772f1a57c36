"""Links of mails that were used, each once; and what a link is about."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from sidecar.keyring import Keyring
from sidecar.referral.follow_up import Email
from sidecar.referral.journey import Milestone
from sidecar.store import persons
from sidecar.store.tables import follow_up, mail_link, referral

BROKEN_OFF = timedelta(minutes=2)
"""After so long without a word, a use counts as broken off: the link works again."""


@dataclass(frozen=True)
class Use:
    """A link about to be used."""

    digest: str
    connection_id: int
    follow_up_id: int
    user_id: str
    act: str
    expires_at: datetime


@dataclass(frozen=True)
class About:
    """
    What a mail was about, and where its referral stands now.

    Attributes:
        email: what the mail said; None where that was erased.
        task_keys: of the tasks that the same milestone brought, oldest first.
    """

    follow_up_id: int
    key: str
    referral_key: str
    object_type: str
    record_id: str
    status: str | None
    milestone: Milestone | None
    email: Email | None
    task_keys: tuple[str, ...]


def take(db: Connection, use: Use, *, now: datetime) -> bool:
    """
    Be the one who uses a link; False where it is used, or somebody is at it.

    Whoever took it says ``done`` or ``give_back``.
    """
    new = insert(mail_link).values(
        digest=use.digest,
        connection_id=use.connection_id,
        follow_up_id=use.follow_up_id,
        user_id=use.user_id,
        act=use.act,
        used_at=now,
        expires_at=use.expires_at,
    )
    taken = new.on_conflict_do_update(
        index_elements=["digest"],
        set_={"used_at": now},
        where=mail_link.c.done_at.is_(None) & (mail_link.c.used_at < now - BROKEN_OFF),
    )
    return db.execute(taken.returning(mail_link.c.digest)).first() is not None


def done(db: Connection, digest: str, *, now: datetime) -> None:
    """Say that what the link was for has happened."""
    db.execute(
        update(mail_link).where(mail_link.c.digest == digest).values(done_at=now)
    )


def give_back(db: Connection, digest: str) -> None:
    """Let a link be used after all: nothing has happened."""
    db.execute(
        delete(mail_link).where(
            mail_link.c.digest == digest, mail_link.c.done_at.is_(None)
        )
    )


def used_at(db: Connection, digest: str) -> datetime | None:
    """Tell when a link was used; None where it was not."""
    moment: datetime | None = db.scalar(
        select(mail_link.c.done_at).where(mail_link.c.digest == digest)
    )
    return moment


def forget(db: Connection, *, before: datetime) -> int:
    """Forget used links that are no longer valid; how many they were."""
    gone = delete(mail_link).where(mail_link.c.expires_at < before)
    return db.execute(gone).rowcount


def about(
    db: Connection, connection_id: int, follow_up_id: int, *, keyring: Keyring
) -> About | None:
    """Find what a mail was about; None where it is forgotten."""
    mail = select(follow_up).where(
        follow_up.c.id == follow_up_id,
        follow_up.c.connection_id == connection_id,
        follow_up.c.kind == "email",
    )
    row = db.execute(persons.with_keys(mail, follow_up)).one_or_none()
    if row is None:
        return None
    text = persons.opened(row, keyring)
    now = db.execute(
        select(referral).where(
            referral.c.org_id == row.org_id, referral.c.key == row.referral_key
        )
    ).one_or_none()
    if now is None:
        return None
    tasks = db.scalars(
        select(follow_up.c.key)
        .where(
            follow_up.c.org_id == row.org_id,
            follow_up.c.referral_key == row.referral_key,
            follow_up.c.milestone == row.milestone,
            follow_up.c.kind == "task",
        )
        .order_by(follow_up.c.id)
    )
    return About(
        follow_up_id=row.id,
        key=row.key,
        referral_key=row.referral_key,
        object_type=now.object_type,
        record_id=now.record_id,
        status=now.status,
        milestone=Milestone(now.milestone) if now.milestone else None,
        email=Email(**json.loads(text)) if text else None,
        task_keys=tuple(tasks),
    )
