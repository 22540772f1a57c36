"""From follow-ups to the world: claim, act, settle.

A claim and its settlement are two short transactions; between them nobody holds a
database connection while Salesforce or a mail server takes its time.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from sqlalchemy import Engine

from sidecar.errors import Permanent, Retryable, SidecarError, Uncertain
from sidecar.jobs.backoff import MAX_ATTEMPTS, retry_at
from sidecar.jobs.unquoted import unquoted
from sidecar.keyring import Keyring
from sidecar.logs import log
from sidecar.mail.letters import Letter
from sidecar.referral.playbook import Email, Task
from sidecar.salesforce.records import BATCH, Rep
from sidecar.store import connections, follow_ups
from sidecar.store.connections import OrgConnection
from sidecar.store.follow_ups import Attempt, End

MAILS_AT_ONCE = 20


class Tasks(Protocol):
    """Where tasks are kept. Repeating a call is harmless: the key decides."""

    def put_tasks(
        self, connection_id: int, tasks: Sequence[tuple[str, Task]]
    ) -> list[str | SidecarError]:
        """
        Create or find at most 200 tasks; for each its id, or its refusal.

        Raises:
            Retryable, Permanent: about the call as a whole; never Uncertain.
        """


class Reps(Protocol):
    """Who reads our mails."""

    def reps(self, connection_id: int, user_ids: Sequence[str]) -> Mapping[str, Rep]:
        """Find users by id. Raises Retryable, Permanent."""


class Post(Protocol):
    """One connection to a mail server."""

    def send(self, letter: Letter) -> str:
        """Hand over a letter. Raises Retryable, Permanent, Uncertain."""


def deliver_tasks(
    connection_id: int,
    *,
    engine: Engine,
    keyring: Keyring,
    tasks: Tasks,
    lease: timedelta,
    now: Callable[[], datetime],
) -> int:
    """
    Put all of an org's due tasks, up to 200 in a call, one call at a time.

    Args:
        lease: how long one call may take before somebody else may make it.

    Returns:
        How many attempts were made. None where somebody else is at it: what they
        find due includes ours, and they look again before they leave.
    """
    made = 0
    while True:
        with engine.begin() as db:
            if _resting(db_connection := connections.find(db, connection_id), now()):
                return made
            if not connections.take_lane(
                db, connection_id, now=now(), until=now() + lease
            ):
                return made
        round_made = 0
        try:
            while attempts := _claim(
                engine, keyring, connection_id, "task", BATCH, now(), lease
            ):
                ends = _put(connection_id, attempts, tasks, now)
                round_made += len(attempts)
                _settle(engine, ends, attempts, now())
                if any(end.pause for end in ends):
                    _pause(engine, connection_id, ends)
                    break
        finally:
            with engine.begin() as db:
                connections.leave_lane(db, connection_id)
        made += round_made
        if round_made == 0 or db_connection is None:
            return made


def deliver_emails(
    connection_id: int,
    *,
    engine: Engine,
    keyring: Keyring,
    reps: Reps,
    post: Callable[[], AbstractContextManager[Post]],
    write: Callable[[OrgConnection, Attempt, Email, Rep], Letter],
    lease: timedelta,
    now: Callable[[], datetime],
) -> int:
    """
    Send all of an org's due mails over one connection to the mail server.

    Each mail is settled as soon as the server has answered: a worker that dies
    leaves one mail in doubt, not twenty.

    Args:
        post: opens the connection.
        write: makes the letter. Raises Permanent.
        lease: how long a batch may take before somebody else may send it.

    Returns:
        How many attempts were made.
    """
    made = 0
    with post() as outgoing:
        while attempts := _claim(
            engine, keyring, connection_id, "email", MAILS_AT_ONCE, now(), lease
        ):
            with engine.connect() as db:
                connection = connections.find(db, connection_id)
            if connection is None:
                return made
            known = _reps_of(attempts, connection, reps, now)
            stop_at = now() + lease / 2
            for attempt in attempts:
                if now() > stop_at:
                    # A slow mail server: what is left goes back untouched, before
                    # its lease ends and somebody else sends it as well.
                    _settle(engine, [_Ending(End("waiting"))], [attempt], now())
                    continue
                with engine.connect() as db:
                    if not follow_ups.is_current(db, attempt):
                        # Whom it is about was erased since the batch was claimed.
                        continue
                send = partial(
                    _send, connection, attempt, known, outgoing=outgoing, write=write
                )
                _settle(engine, [_end_of(attempt, send, now)], [attempt], now())
                made += 1
            if isinstance(known, Retryable) and known.pauses_org:
                _pause(engine, connection_id, [_Ending(End("waiting"), known)])
                return made
    return made


class _Ending:
    """An end, and the pause that came with it."""

    def __init__(self, end: End, pause: Retryable | None = None) -> None:
        self.end = end
        self.pause = pause


def _claim(
    engine: Engine,
    keyring: Keyring,
    connection_id: int,
    kind: str,
    limit: int,
    now: datetime,
    lease: timedelta,
) -> list[Attempt]:
    with engine.begin() as db:
        return follow_ups.claim(
            db,
            connection_id,
            kind,
            now=now,
            lease_ends=now + lease,
            limit=limit,
            keyring=keyring,
        )


def _settle(
    engine: Engine,
    endings: Sequence[_Ending],
    attempts: Sequence[Attempt],
    now: datetime,
) -> None:
    ends = [
        unquoted(ending.end, attempt.what)
        for attempt, ending in zip(attempts, endings, strict=True)
    ]
    with engine.begin() as db:
        follow_ups.settle(
            db,
            {
                attempt.id: (attempt.number, end)
                for attempt, end in zip(attempts, ends, strict=True)
            },
            now=now,
        )
    for attempt, end in zip(attempts, ends, strict=True):
        log().info(
            "follow_up.settled",
            follow_up=attempt.id,
            attempt=attempt.number,
            state=end.state,
            error=end.error,
        )


def _put(
    connection_id: int,
    attempts: Sequence[Attempt],
    tasks: Tasks,
    now: Callable[[], datetime],
) -> list[_Ending]:
    wanted = [(item.key, item.what) for item in attempts if isinstance(item.what, Task)]
    try:
        results: Sequence[str | SidecarError] = tasks.put_tasks(connection_id, wanted)
    except SidecarError as exc:
        results = [exc] * len(attempts)
    return [
        _ended(attempt, result, now())
        for attempt, result in zip(attempts, results, strict=True)
    ]


def _end_of(
    attempt: Attempt, act: Callable[[], str], now: Callable[[], datetime]
) -> _Ending:
    try:
        return _ended(attempt, act(), now())
    except SidecarError as exc:
        return _ended(attempt, exc, now())


def _ended(attempt: Attempt, result: str | SidecarError, now: datetime) -> _Ending:
    """Decide by class, never by the other side's codes."""
    match result:
        case str():
            return _Ending(End("done", receipt=result))
        case Retryable() as exc:
            if exc.pauses_org:
                # Not this follow-up's fault: it costs no attempt's worth of patience.
                return _Ending(
                    End("waiting", error=str(exc), due_at=exc.retry_at or now), exc
                )
            if attempt.number >= MAX_ATTEMPTS:
                return _Ending(End("dead", error=f"given up: {exc}"))
            due_at = retry_at(attempt.number, now, not_before=exc.retry_at)
            return _Ending(End("waiting", error=str(exc), due_at=due_at))
        case Uncertain() as exc if attempt.resend and attempt.number < MAX_ATTEMPTS:
            # To a rep, a second copy with the same Message-ID is a smaller evil than
            # none.
            due_at = retry_at(attempt.number, now, not_before=None)
            return _Ending(End("waiting", error=str(exc), due_at=due_at))
        case Uncertain() as exc:
            return _Ending(End("uncertain", error=str(exc)))
        case exc:
            return _Ending(End("dead", error=str(exc)))


def _reps_of(
    attempts: Sequence[Attempt],
    connection: OrgConnection,
    reps: Reps,
    now: Callable[[], datetime],
) -> Mapping[str, Rep] | SidecarError:
    """Who the mails go to, or why nobody can say."""
    if _resting(connection, now()):
        return Retryable(
            connection.pause_reason or "the org rests",
            retry_at=connection.paused_until,
            pauses_org=True,
        )
    ids = {
        item.what.to_user_id
        for item in attempts
        if isinstance(item.what, Email) and item.what.to_user_id
    }
    try:
        return reps.reps(connection.id, sorted(ids))
    except SidecarError as exc:
        return exc


def _send(
    connection: OrgConnection,
    attempt: Attempt,
    known: Mapping[str, Rep] | SidecarError,
    *,
    outgoing: Post,
    write: Callable[[OrgConnection, Attempt, Email, Rep], Letter],
) -> str:
    if isinstance(known, SidecarError):
        raise known
    if attempt.after_silence and not attempt.resend:
        raise Uncertain("the worker died while sending")
    what = attempt.what
    if not isinstance(what, Email) or what.to_user_id is None:
        raise Permanent(
            "the record belongs to a queue or to nobody: name a fallback owner "
            "(`sidecar connections add --fallback-owner`)"
        )
    rep = known.get(what.to_user_id)
    if rep is None:
        raise Permanent(f"the org has no user {what.to_user_id}, or hides it from us")
    if not rep.active or not rep.email:
        raise Permanent(f"the owner {rep.name} is inactive or has no e-mail address")
    return outgoing.send(write(connection, attempt, what, rep))


def _resting(connection: OrgConnection | None, now: datetime) -> bool:
    if connection is None or connection.paused_until is None:
        return False
    return connection.paused_until > now


def _pause(engine: Engine, connection_id: int, endings: Sequence[_Ending]) -> None:
    pause = next(item.pause for item in endings if item.pause)
    if pause.retry_at is None:
        return
    with engine.begin() as db:
        connections.pause(db, connection_id, until=pause.retry_at, why=str(pause))
    log().warning("connection.paused", connection=connection_id, reason=str(pause))
