"""Attempts at follow-ups: who takes what is due, and how it ended."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
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

from sidecar.errors import Permanent
from sidecar.keyring import Keyring
from sidecar.referral.follow_up import (
    What,
    what_of,
)
from sidecar.store import persons
from sidecar.store.tables import follow_up, referral


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
    return take(
        db, kind, where, now=now, lease_ends=lease_ends, limit=limit, keyring=keyring
    )


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
    now: datetime,
    lease_ends: datetime,
    limit: int,
    keyring: Keyring,
) -> list[Attempt]:
    """
    Begin an attempt at each of some, oldest first; they are ours until then.

    What cannot be read is given up at once: it must not keep the others waiting.
    """
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
    begun: list[Attempt] = []
    unreadable: dict[int, tuple[int, End]] = {}
    for row in rows:
        try:
            begun.append(_attempt(row, keyring))
        except Permanent as exc:
            unreadable[row.id] = (row.attempts + 1, End("dead", error=str(exc)))
    settle(db, unreadable, now=now)
    return begun


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


def _attempt(row: Row[Any], keyring: Keyring) -> Attempt:
    """Make an attempt of a row. Raises Permanent: what it holds cannot be read."""
    # An erasure cancels, so what is claimed is there.
    text = persons.opened(row, keyring) or "{}"
    try:
        what = what_of(row.kind, json.loads(text))
    except (TypeError, ValueError):
        # What they say may repeat what is sealed.
        raise Permanent(
            "what is to be done cannot be read: another version of the sidecar wrote it"
        ) from None
    return Attempt(
        id=row.id,
        key=row.key,
        number=row.attempts + 1,
        after_silence=row.state == "sending",
        org_id=row.org_id,
        record_id=row.record_id,
        resend=row.resend,
        what=what,
        created_at=row.created_at,
        referral_key=row.referral_key,
        milestone=row.milestone,
        thread_key=row.thread_key,
        moved_on=row.milestone_now is not None and row.milestone_now != row.milestone,
        action=row.action,
        held=row.held,
        digest_key=row.digest_key,
    )
