"""Follow-ups: what is to be done, and what has become of it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from sidecar.keyring import Keyring
from sidecar.referral.follow_up import (
    SINCE,
    Chat,
    Email,
    FollowUp,
    SetField,
    What,
    Word,
    kind_of,
)
from sidecar.store import persons
from sidecar.store.persons import People
from sidecar.store.tables import connection, follow_up


def add(
    db: Connection,
    planned: Iterable[tuple[int, str, FollowUp]],
    *,
    connection_id: int,
    org_id: str,
    playbook_version: str,
    record_ids: Mapping[str, str],
    now: datetime,
    keyring: Keyring,
) -> Counter[str]:
    """
    Add what is planned and not there yet.

    Args:
        planned: the event that caused it, the referral's key, the follow-up.
        record_ids: referral key to the record that the follow-up is about.

    Returns:
        How many are new, by kind. The same follow-up planned again, through whatever
        door the change came, is the same row. About somebody erased there is none.
    """
    planned = list(planned)
    keys = {referral_key for _, referral_key, _ in planned}
    people = persons.of_referrals(db, org_id, keys, keyring=keyring) if keys else {}
    rows = [
        {
            "connection_id": connection_id,
            "org_id": org_id,
            "referral_key": referral_key,
            "milestone": item.milestone,
            "action": item.action,
            "key": item.key,
            "kind": kind_of(item.what),
            "record_id": record_ids[referral_key],
            "event_id": event_id,
            "playbook_version": playbook_version,
            # A rep reads a second copy with the same Message-ID once; about one to a
            # referrer a person decides. See design.
            "resend": not isinstance(item.what, Word),
            "recipient_id": _recipient(item.what),
            **_sealed(item.what, people.get(referral_key), keyring),
            "due_at": now,
            "created_at": now,
        }
        for event_id, referral_key, item in planned
        if not _unwanted(item.what, people.get(referral_key))
    ]
    if not rows:
        return Counter()
    new = insert(follow_up).values(rows).on_conflict_do_nothing()
    return Counter(db.scalars(new.returning(follow_up.c.kind)))


def _unwanted(what: What, people: People | None) -> bool:
    """Whether it is about somebody erased, or goes to them."""
    if people is None:
        return False
    return any(people.gone) if isinstance(what, Word) else people.gone.person


def remind(
    db: Connection,
    follow_up_id: int,
    *,
    key: str,
    template: str,
    at: datetime,
    now: datetime,
    keyring: Keyring,
) -> bool:
    """
    Send a mail once more at a later time, from another template.

    Args:
        key: of the new follow-up; planned again, it is the same.

    Returns:
        False where the mail is not there any more, or the reminder is already.
    """
    query = select(follow_up).where(follow_up.c.id == follow_up_id)
    row = db.execute(persons.with_keys(query, follow_up)).one_or_none()
    text = persons.opened(row, keyring) if row is not None else None
    if row is None or text is None:
        return False
    people = persons.people(row, keyring)
    mail = Email(**json.loads(text))
    told = {SINCE: row.created_at.isoformat(), **mail.values}
    what = replace(mail, template=template, values=told)
    new = insert(follow_up).values(
        **{name: row._mapping[name] for name in _SHARED},
        **_sealed(what, people, keyring),
        action=f"remind-{key[:12]}",
        key=key,
        due_at=at,
        created_at=now,
    )
    added = db.execute(new.on_conflict_do_nothing().returning(follow_up.c.id))
    return added.first() is not None


_SHARED = (
    "connection_id",
    "org_id",
    "referral_key",
    "milestone",
    "kind",
    "record_id",
    "event_id",
    "playbook_version",
    "resend",
    "recipient_id",
)


def due(db: Connection, *, now: datetime) -> list[tuple[int, str]]:
    """Find connections that have something due, with its kind; paused ones rest."""
    awake = or_(connection.c.paused_until.is_(None), connection.c.paused_until <= now)
    rows = db.execute(
        select(follow_up.c.connection_id, follow_up.c.kind)
        .join(connection, and_(connection.c.id == follow_up.c.connection_id, awake))
        .where(
            follow_up.c.state.in_(("waiting", "sending")),
            follow_up.c.due_at <= now,
        )
        .distinct()
    )
    return [(row[0], row[1]) for row in rows]


def retry(
    db: Connection, ids: Iterable[int], *, now: datetime
) -> dict[int, tuple[int, str]]:
    """
    Make given-up follow-ups due again.

    Returns:
        Id to connection id and kind of each that was dead, uncertain or waiting; what
        is done, or being done, stays as it is.
    """
    rows = db.execute(
        update(follow_up)
        .where(
            follow_up.c.id.in_(list(ids)),
            follow_up.c.state.in_(("dead", "uncertain", "waiting")),
        )
        .values(state="waiting", due_at=now, error=None)
        .returning(follow_up.c.id, follow_up.c.connection_id, follow_up.c.kind)
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def states(db: Connection, ids: Iterable[int]) -> dict[int, str]:
    """Say how each of these follow-ups stands; of one that is not there, nothing."""
    rows = db.execute(
        select(follow_up.c.id, follow_up.c.state).where(follow_up.c.id.in_(list(ids)))
    )
    return {row[0]: row[1] for row in rows}


def listing(
    db: Connection,
    *,
    state: str | None = None,
    referral_key: str | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """List follow-ups, newest first, without what they say of people."""
    columns = [
        column for column in follow_up.c if column.name not in {"sealed", "sent_to"}
    ]
    query: Select[Any] = select(*columns).order_by(follow_up.c.id.desc()).limit(limit)
    if state:
        query = query.where(follow_up.c.state == state)
    if referral_key:
        query = query.where(follow_up.c.referral_key == referral_key)
    return [dict(row) for row in db.execute(query).mappings()]


def count(db: Connection) -> dict[str, int]:
    """Count follow-ups by state."""
    rows = db.execute(
        select(follow_up.c.state, func.count()).group_by(follow_up.c.state)
    )
    return {row[0]: row[1] for row in rows}


def _sealed(what: What, people: People | None, keyring: Keyring) -> Mapping[str, Any]:
    text = json.dumps(asdict(what))
    if people is None:
        nobody = {"person_id": None, "referrer_id": None}
        return {"sealed": keyring.seal(text), **nobody}
    return {"sealed": persons.seal(text, people), **persons.columns(people)}


def _recipient(what: What) -> str | None:
    match what:
        case Email():
            return what.to_user_id
        case Chat():
            return what.channel
        case SetField():
            return what.field.lower()
        case Word():
            return what.referrer_id
    return None
