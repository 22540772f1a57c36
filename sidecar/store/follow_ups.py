"""Follow-ups: what is to be done, who is doing it, and how it ended."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    func,
    null,
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
    what_of,
)
from sidecar.store import persons
from sidecar.store.persons import People
from sidecar.store.tables import connection, follow_up, referral


@dataclass(frozen=True)
class Attempt:
    """
    One attempt at one follow-up, ours until its lease ends.

    Attributes:
        after_silence: whether an earlier attempt never told how it ended.
        thread_key: of the first mail about the same referral; this one's own, where
            it is the first. None for tasks.
        moved_on: whether the referral is at another milestone by now.
        action: its name in the playbook.
        held: why a mail has waited for others; see ``referral.mail_preference``.
        digest_key: of the one mail that it is a part of; its own key, where it may
            have been sent alone.
    """

    id: int
    key: str
    number: int
    after_silence: bool
    org_id: str
    record_id: str
    resend: bool
    what: What
    created_at: datetime
    referral_key: str = ""
    milestone: str = ""
    thread_key: str | None = None
    moved_on: bool = False
    action: str = ""
    held: str | None = None
    digest_key: str | None = None


@dataclass(frozen=True)
class End:
    """
    How an attempt ended: ``done``, ``waiting``, ``dead``, ``uncertain``, ``cancelled``.

    One that was cancelled meanwhile is over, unless it was done all the same. An
    attempt itself may end as ``cancelled``: nobody wants it, and ``error`` says why.
    That is no dead letter; there is nothing to look after.

    Attributes:
        costs: whether it counts as an attempt; what was never tried does not.
        held: why a mail waits; None leaves it as it is, and so with ``digest_key``.
        sent_to: the address, unreadable; see ``store.persons``.
    """

    state: str
    receipt: str | None = None
    error: str | None = None
    due_at: datetime | None = None
    costs: bool = True
    held: str | None = None
    digest_key: str | None = None
    sent_to: bytes | None = None


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


def claim(
    db: Connection,
    connection_id: int,
    kind: str,
    *,
    now: datetime,
    lease_ends: datetime,
    limit: int,
    keyring: Keyring,
) -> list[Attempt]:
    """
    Take what is due, oldest first, and nobody else's.

    A row whose lease has ended is due again: its worker died, or hangs and will find
    its attempt no longer current.
    """
    where = due_of(connection_id, kind, now)
    return take(db, kind, where, lease_ends=lease_ends, limit=limit, keyring=keyring)


def due_of(
    connection_id: int, kind: str, now: datetime
) -> tuple[ColumnElement[bool], ...]:
    """
    Say what is due of a kind.

    A mail is not, while an earlier one to the same rep about the same referral is
    under way or has to be tried again: a rep does not read of the end first. Mails
    about other referrals pass it by.
    """
    due = (
        follow_up.c.connection_id == connection_id,
        follow_up.c.kind == kind,
        follow_up.c.state.in_(("waiting", "sending")),
        follow_up.c.due_at <= now,
    )
    if kind != "email":
        return due
    return (*due, in_turn(also_under_way=True))


def in_turn(*, also_under_way: bool) -> ColumnElement[bool]:
    """
    Say that no earlier mail to the rep about the referral has to be tried again.

    Args:
        also_under_way: nor is one being sent.
    """
    before = follow_up.alias("before")
    open_ = and_(before.c.state == "waiting", before.c.error.is_not(None))
    if also_under_way:
        open_ = or_(before.c.state == "sending", open_)
    earlier = select(before.c.id).where(
        before.c.kind == "email",
        open_,
        before.c.connection_id == follow_up.c.connection_id,
        before.c.recipient_id == follow_up.c.recipient_id,
        before.c.referral_key == follow_up.c.referral_key,
        before.c.id < follow_up.c.id,
    )
    return ~earlier.exists()


def is_due(db: Connection, connection_id: int, kind: str, *, now: datetime) -> bool:
    """Tell whether there is something to claim."""
    some = select(follow_up.c.id).where(*due_of(connection_id, kind, now)).limit(1)
    return db.scalar(some) is not None


def take(
    db: Connection,
    kind: str,
    where: Iterable[ColumnElement[bool]],
    *,
    lease_ends: datetime,
    limit: int,
    keyring: Keyring,
) -> list[Attempt]:
    """Begin an attempt at each of some, oldest first; they are ours until then."""
    query = (
        select(follow_up, *_beside(kind))
        .where(*where)
        .order_by(follow_up.c.due_at, follow_up.c.id)
        .limit(limit)
    )
    keyed = persons.with_keys(query, follow_up)
    rows = db.execute(keyed.with_for_update(of=follow_up, skip_locked=True)).all()
    if rows:
        db.execute(
            update(follow_up)
            .where(follow_up.c.id.in_([row.id for row in rows]))
            .values(
                state="sending",
                attempts=follow_up.c.attempts + 1,
                due_at=lease_ends,
            )
        )
    return [_attempt(row, keyring) for row in rows]


def _beside(kind: str) -> list[ColumnElement[Any]]:
    """What a mail has to know beside its own row; others need not."""
    if kind not in {"email", "word"}:
        return [null().label("thread_key"), null().label("milestone_now")]
    first = follow_up.alias("first")
    # What a referrer was told together was one mail; what was cancelled was none.
    key = func.coalesce(first.c.digest_key, first.c.key) if kind == "word" else None
    thread_key = (
        select(first.c.key if key is None else key)
        .where(
            first.c.org_id == follow_up.c.org_id,
            first.c.referral_key == follow_up.c.referral_key,
            first.c.kind == kind,
            first.c.state != "cancelled",
        )
        .order_by(first.c.id)
        .limit(1)
    )
    milestone_now = select(referral.c.milestone).where(
        referral.c.org_id == follow_up.c.org_id,
        referral.c.key == follow_up.c.referral_key,
    )
    return [
        thread_key.scalar_subquery().label("thread_key"),
        milestone_now.scalar_subquery().label("milestone_now"),
    ]


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


def settle(
    db: Connection,
    ends: Mapping[int, tuple[int, End]],
    *,
    now: datetime,
    table: Table = follow_up,
) -> None:
    """
    Record how attempts ended.

    Args:
        ends: follow-up id to the number of the attempt and its end. An attempt that
            is no longer the current one changes nothing.
        table: another kind of work with the same columns.
    """
    if not ends:
        return
    kept = {
        column.name: func.coalesce(
            bindparam(f"to_{column.name}", type_=column.type), column
        )
        for column in table.c
        if column.name in {"held", "digest_key", "sent_to"}
    }
    statement = (
        update(table)
        .where(
            table.c.id == bindparam("of_id"),
            table.c.attempts == bindparam("of_attempt"),
            or_(
                table.c.state == "sending",
                and_(
                    table.c.state == "cancelled",
                    bindparam("to_state", type_=Text) == "done",
                ),
            ),
        )
        .values(
            state=bindparam("to_state"),
            receipt=bindparam("to_receipt"),
            error=bindparam("to_error"),
            due_at=bindparam("to_due_at"),
            settled_at=now,
            attempts=table.c.attempts - bindparam("to_give_back", type_=Integer),
            **kept,
        )
    )
    db.execute(
        statement,
        [
            {
                "of_id": id_,
                "of_attempt": number,
                "to_state": end.state,
                "to_receipt": end.receipt,
                "to_error": end.error,
                "to_due_at": end.due_at or now,
                "to_give_back": 0 if end.costs else 1,
                **{f"to_{name}": getattr(end, name) for name in kept},
            }
            for id_, (number, end) in ends.items()
        ],
    )


def give_back(db: Connection, attempt: Attempt, *, due_at: datetime) -> None:
    """Let a claimed follow-up wait as if nobody had claimed it."""
    db.execute(
        update(follow_up)
        .where(
            follow_up.c.id == attempt.id,
            follow_up.c.attempts == attempt.number,
            follow_up.c.state == "sending",
        )
        .values(state="waiting", attempts=attempt.number - 1, due_at=due_at)
    )


def postpone(
    db: Connection, connection_id: int, kind: str, recipient_id: str, *, until: datetime
) -> None:
    """Let all that waits for one recipient wait until a moment."""
    db.execute(
        update(follow_up)
        .where(
            follow_up.c.connection_id == connection_id,
            follow_up.c.kind == kind,
            follow_up.c.recipient_id == recipient_id,
            follow_up.c.state == "waiting",
            follow_up.c.due_at < until,
        )
        .values(due_at=until)
    )


def overtaken(db: Connection, attempts: Iterable[Attempt]) -> frozenset[int]:
    """
    Find those whose field a later follow-up of the same referral sets as well.

    Returns:
        Their ids. What was refused, or is not wanted any more, overtakes nothing.
    """
    later = follow_up.alias("later")
    rows = db.scalars(
        select(follow_up.c.id)
        .join(
            later,
            and_(
                later.c.org_id == follow_up.c.org_id,
                later.c.referral_key == follow_up.c.referral_key,
                later.c.kind == follow_up.c.kind,
                later.c.recipient_id == follow_up.c.recipient_id,
                later.c.id > follow_up.c.id,
                later.c.state.in_(("waiting", "sending", "done", "uncertain")),
            ),
        )
        .where(follow_up.c.id.in_([attempt.id for attempt in attempts]))
    )
    return frozenset(rows)


def is_current(db: Connection, attempt: Attempt) -> bool:
    """Tell whether an attempt is still to be made: nobody cancelled or took it."""
    found = db.scalar(
        select(follow_up.c.id).where(
            follow_up.c.id == attempt.id,
            follow_up.c.attempts == attempt.number,
            follow_up.c.state == "sending",
        )
    )
    return found is not None


def current(db: Connection, attempts: Iterable[Attempt]) -> frozenset[int]:
    """Tell which attempts are still to be made: nobody cancelled or took them."""
    numbers = {attempt.id: attempt.number for attempt in attempts}
    rows = db.execute(
        select(follow_up.c.id, follow_up.c.attempts).where(
            follow_up.c.id.in_(numbers), follow_up.c.state == "sending"
        )
    )
    return frozenset(id_ for id_, number in rows if numbers[id_] == number)


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
) -> list[tuple[int, str]]:
    """
    Make given-up follow-ups due again.

    Returns:
        Connection id and kind of each that was dead, uncertain or waiting; what is
        done, or being done, stays as it is.
    """
    rows = db.execute(
        update(follow_up)
        .where(
            follow_up.c.id.in_(list(ids)),
            follow_up.c.state.in_(("dead", "uncertain", "waiting")),
        )
        .values(state="waiting", due_at=now, error=None)
        .returning(follow_up.c.connection_id, follow_up.c.kind)
    )
    return [(row[0], row[1]) for row in rows]


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


def _attempt(row: Row[Any], keyring: Keyring) -> Attempt:
    # An erasure cancels, so what is claimed is there.
    content = json.loads(persons.opened(row, keyring) or "{}")
    return Attempt(
        id=row.id,
        key=row.key,
        number=row.attempts + 1,
        after_silence=row.state == "sending",
        org_id=row.org_id,
        record_id=row.record_id,
        resend=row.resend,
        what=what_of(row.kind, content),
        created_at=row.created_at,
        referral_key=row.referral_key,
        milestone=row.milestone,
        thread_key=row.thread_key,
        moved_on=row.milestone_now is not None and row.milestone_now != row.milestone,
        action=row.action,
        held=row.held,
        digest_key=row.digest_key,
    )
