"""Mails of reports: one row of work for each reader and period.

A row says what a report says in numbers and ids. Names of persons are no part of it:
they are looked up when the letter is written, so that an erasure need not look for
them here. What is said to one person, a referrer, is sealed with that person's key.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from sidecar.errors import Permanent
from sidecar.keyring import Keyring
from sidecar.store import claims
from sidecar.store.claims import End
from sidecar.store.tables import connection, person, report_mail

_OPEN = ("waiting", "sending")


@dataclass(frozen=True)
class Planned:
    """
    A mail of a report that is to be sent.

    Attributes:
        to: a user's id, or an address.
        values: what it says, as JSON has it; for the report's own ``write``.
        language: of a reader of whom only the address is known.
        person_id: the person who reads it, where it is one of ours: it is sealed with
            their key, and not sent to whom is erased.
    """

    to: str
    values: Mapping[str, Any]
    language: str = "en_US"
    person_id: int | None = None


@dataclass(frozen=True)
class Sending:
    """
    One attempt at one mail, ours until its lease ends.

    Attributes:
        key: unique for ever; becomes the Message-ID.
        after_silence: whether an earlier attempt never told how it ended.
        to: a user's id, or an address.
        resend: a second copy with the same Message-ID is a smaller evil than none.
    """

    id: int
    key: str
    number: int
    after_silence: bool
    report: str
    to: str
    language: str
    values: Mapping[str, Any]
    created_at: datetime
    resend: bool = True


def mail_key(connection_id: int, report: str, first: date, to: str) -> str:
    """
    Compute the key of a mail: 32 characters.

    Whoever plans the same report of the same period for the same reader again finds
    the mail that was planned before.
    """
    name = "\n".join((str(connection_id), report, first.isoformat(), to.casefold()))
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def add(
    db: Connection,
    planned: Iterable[Planned],
    *,
    connection_id: int,
    report: str,
    first: date,
    now: datetime,
    keyring: Keyring,
) -> int:
    """
    Add the mails of a report that are not there yet; how many are new.

    Args:
        first: the first day of the period that it is about.
    """
    planned = list(planned)
    keys = _keys(db, {item.person_id for item in planned if item.person_id}, keyring)
    rows = [
        {
            "connection_id": connection_id,
            "report": report,
            "key": mail_key(connection_id, report, first, item.to),
            "language": item.language,
            "person_id": item.person_id,
            "to_sealed": keys[item.person_id].seal(item.to),
            "sealed": keys[item.person_id].seal(json.dumps(item.values)),
            "due_at": now,
            "created_at": now,
        }
        for item in planned
        if item.person_id in keys
    ]
    if not rows:
        return 0
    new = insert(report_mail).values(rows).on_conflict_do_nothing()
    return len(db.execute(new.returning(report_mail.c.id)).all())


def draft(
    planned: Planned, *, connection_id: int, report: str, first: date, now: datetime
) -> Sending:
    """Show a planned mail as it would be sent, without a row."""
    return Sending(
        id=0,
        key=mail_key(connection_id, report, first, planned.to),
        number=1,
        after_silence=False,
        report=report,
        to=planned.to,
        language=planned.language,
        values=planned.values,
        created_at=now,
    )


def _keys(
    db: Connection, people: Collection[int], keyring: Keyring
) -> dict[int | None, Keyring]:
    """Give what seals for each person, and for nobody; for the erased, nothing does."""
    rows = db.execute(
        select(person.c.id, person.c.key_sealed).where(
            person.c.id.in_(people), person.c.key_sealed.is_not(None)
        )
    )
    return {None: keyring} | {row.id: keyring.unwrap(row.key_sealed) for row in rows}


def claim(
    db: Connection,
    connection_id: int,
    *,
    now: datetime,
    lease_ends: datetime,
    limit: int,
    keyring: Keyring,
) -> list[Sending]:
    """Take what is due, oldest first, and nobody else's."""
    query = (
        select(report_mail, person.c.key_sealed)
        .outerjoin(person, person.c.id == report_mail.c.person_id)
        .where(
            report_mail.c.connection_id == connection_id,
            report_mail.c.state.in_(_OPEN),
            report_mail.c.due_at <= now,
        )
        .order_by(report_mail.c.due_at, report_mail.c.id)
        .limit(limit)
    )
    rows = db.execute(query.with_for_update(of=report_mail, skip_locked=True)).all()
    if rows:
        db.execute(
            update(report_mail)
            .where(report_mail.c.id.in_([row.id for row in rows]))
            .values(
                state="sending", attempts=report_mail.c.attempts + 1, due_at=lease_ends
            )
        )
    begun: list[Sending] = []
    unreadable: dict[int, tuple[int, End]] = {}
    for row in rows:
        try:
            begun.append(_sending(row, keyring))
        except Permanent as exc:
            # It must not keep the others waiting.
            unreadable[row.id] = (row.attempts + 1, End("dead", error=str(exc)))
    claims.settle(db, unreadable, now=now, table=report_mail)
    return begun


def is_current(db: Connection, sending: Sending) -> bool:
    """Tell whether an attempt is still to be made: nobody cancelled or took it."""
    found = db.scalar(
        select(report_mail.c.id).where(
            report_mail.c.id == sending.id,
            report_mail.c.attempts == sending.number,
            report_mail.c.state == "sending",
        )
    )
    return found is not None


def due(db: Connection, *, now: datetime) -> list[int]:
    """Find the connections of which a mail is due; paused ones rest."""
    awake = or_(connection.c.paused_until.is_(None), connection.c.paused_until <= now)
    rows = db.scalars(
        select(report_mail.c.connection_id)
        .join(connection, and_(connection.c.id == report_mail.c.connection_id, awake))
        .where(report_mail.c.state.in_(_OPEN), report_mail.c.due_at <= now)
        .distinct()
    )
    return sorted(rows)


def count(db: Connection, connection_id: int) -> dict[tuple[str, str], int]:
    """Count a connection's mails by report and state."""
    rows = db.execute(
        select(report_mail.c.report, report_mail.c.state, func.count())
        .where(report_mail.c.connection_id == connection_id)
        .group_by(report_mail.c.report, report_mail.c.state)
    )
    return {(row[0], row[1]): row[2] for row in rows}


def _sending(row: Row[Any], keyring: Keyring) -> Sending:
    # An erasure cancels, so what is claimed can be opened.
    key = keyring if row.person_id is None else keyring.unwrap(row.key_sealed)
    return Sending(
        id=row.id,
        key=row.key,
        number=row.attempts + 1,
        after_silence=row.state == "sending",
        report=row.report,
        to=key.open(row.to_sealed),
        language=row.language,
        values=json.loads(key.open(row.sealed)),
        created_at=row.created_at,
    )
