"""Mails to reps: one connection to the mail server for all that is due."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from sqlalchemy import Engine

from sidecar.errors import Permanent, Retryable, SidecarError, Uncertain
from sidecar.jobs.deliver.attempts import Ending, claim, end_of, pause, resting, settle
from sidecar.keyring import Keyring
from sidecar.mail.letters import Letter
from sidecar.referral.follow_up import Email
from sidecar.salesforce.records import Rep
from sidecar.store import connections, follow_ups
from sidecar.store.connections import OrgConnection
from sidecar.store.follow_ups import Attempt, End

MAILS_AT_ONCE = 20


class Reps(Protocol):
    """Who reads our mails."""

    def reps(self, connection_id: int, user_ids: Sequence[str]) -> Mapping[str, Rep]:
        """Find users by id. Raises Retryable, Permanent."""


class Post(Protocol):
    """One connection to a mail server."""

    def send(self, letter: Letter) -> str:
        """Hand over a letter. Raises Retryable, Permanent, Uncertain."""


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
        while attempts := claim(
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
                    settle(engine, [Ending(End("waiting"))], [attempt], now())
                    continue
                with engine.connect() as db:
                    if not follow_ups.is_current(db, attempt):
                        # Whom it is about was erased since the batch was claimed.
                        continue
                send = partial(
                    _send, connection, attempt, known, outgoing=outgoing, write=write
                )
                settle(engine, [end_of(attempt, send, now)], [attempt], now())
                made += 1
            if isinstance(known, Retryable) and known.pauses_org:
                pause(engine, connection_id, [Ending(End("waiting"), known)])
                return made
    return made


def _reps_of(
    attempts: Sequence[Attempt],
    connection: OrgConnection,
    reps: Reps,
    now: Callable[[], datetime],
) -> Mapping[str, Rep] | SidecarError:
    """Who the mails go to, or why nobody can say."""
    if resting(connection, now()):
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
