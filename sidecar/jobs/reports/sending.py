"""Mails of reports on their way: claim, write, send, settle."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Engine

from sidecar.errors import Permanent, Retryable, SidecarError
from sidecar.jobs.deliver.attempts import Ending, ended, pause, resting
from sidecar.jobs.deliver.mail_batch import Post
from sidecar.jobs.deliver.readers import Reps
from sidecar.jobs.reports.kinds import Reports
from sidecar.jobs.reports.running import named
from sidecar.keyring import Keyring
from sidecar.logs import MASK, log
from sidecar.mail.letters import Letter
from sidecar.mail.pool import Away
from sidecar.referral.mail_preference import Mails, Preference
from sidecar.salesforce.records import Rep
from sidecar.store import (
    claims,
    connections,
    mail_preferences,
    report_mails,
)
from sidecar.store.claims import End
from sidecar.store.connections import OrgConnection
from sidecar.store.report_mails import Sending
from sidecar.store.tables import report_mail

MAILS_AT_ONCE = 20


def send_due(
    connection_id: int,
    *,
    engine: Engine,
    keyring: Keyring,
    reports: Reports,
    reps: Reps,
    post: Callable[[], AbstractContextManager[Post]],
    lease: timedelta,
    now: Callable[[], datetime],
) -> int:
    """
    Send the mails of a connection's reports that are due.

    Each is settled as soon as the server has answered.

    Args:
        post: opens a connection to the mail server.
        lease: how long a batch may take before somebody else may send it.

    Returns:
        How many attempts were made.
    """
    made = 0
    while batch := _claim(engine, keyring, connection_id, now(), lease):
        with engine.connect() as db:
            connection = connections.find(db, connection_id)
            refusing = mail_preferences.suppressed(db, keyring=keyring)
            chosen = mail_preferences.of_reps(
                db, connection_id, [item.to for item in batch]
            )
        if connection is None:
            return made
        known = readers(batch, connection, reps, now())
        done, goes_on = _one_batch(
            batch,
            partial(_send, connection, known, refusing, reports),
            chosen,
            engine=engine,
            post=post,
            stop_at=now() + lease / 2,
            now=now,
        )
        made += done
        if isinstance(known, Retryable) and known.pauses_org:
            pause(engine, connection_id, [Ending(End("waiting"), known)])
            return made
        if not goes_on:
            return made
    return made


def _one_batch(
    batch: Sequence[Sending],
    send: Callable[[Sending, Post], str],
    chosen: Mapping[str, Preference],
    *,
    engine: Engine,
    post: Callable[[], AbstractContextManager[Post]],
    stop_at: datetime,
    now: Callable[[], datetime],
) -> tuple[int, bool]:
    """Send one after the other; how many, and False where the server wants peace."""
    made = 0
    left = deque(batch)
    # What is left goes back untouched, before its lease ends and somebody else has it.
    rest = End("waiting", costs=False)
    try:
        with post() as outgoing:
            while left and now() <= stop_at:
                made += _one(left[0], send, chosen, outgoing, engine=engine, now=now)
                left.popleft()
    except Retryable as exc:
        rest = End("waiting", error=str(exc), due_at=exc.retry_at, costs=False)
        if isinstance(exc, Away) and exc.costs:
            # It may be because of this mail: it must not keep the others for ever.
            sending = left.popleft()
            _settle(engine, sending, ended(sending, exc, now()), now())
            made += 1
    except BaseException:
        # Whatever breaks us at one of them is not the others' fault.
        left.popleft()
        raise
    finally:
        for sending in left:
            _settle(engine, sending, Ending(rest), now())
    return made, rest.error is None


def _one(
    sending: Sending,
    send: Callable[[Sending, Post], str],
    chosen: Mapping[str, Preference],
    outgoing: Post,
    *,
    engine: Engine,
    now: Callable[[], datetime],
) -> int:
    """Send a mail that is wanted; how many attempts that was. Raises Away."""
    if _unwanted(chosen.get(sending.to)):
        end = End("cancelled", error="the reader wants no mails")
        _settle(engine, sending, Ending(end), now())
        return 0
    with engine.connect() as db:
        if not report_mails.is_current(db, sending):
            return 0
    try:
        ending = ended(sending, send(sending, outgoing), now())
    except Away:
        raise
    except SidecarError as exc:
        ending = ended(sending, exc, now())
    _settle(engine, sending, ending, now())
    return 1


def _unwanted(chosen: Preference | None) -> bool:
    return chosen is not None and chosen.mails is Mails.NONE


def _claim(
    engine: Engine,
    keyring: Keyring,
    connection_id: int,
    now: datetime,
    lease: timedelta,
) -> list[Sending]:
    with engine.begin() as db:
        return report_mails.claim(
            db,
            connection_id,
            now=now,
            lease_ends=now + lease,
            limit=MAILS_AT_ONCE,
            keyring=keyring,
        )


def _settle(engine: Engine, sending: Sending, ending: Ending, now: datetime) -> None:
    # Mail servers like to quote whom they refuse, and whom they take a mail for.
    error, receipt = (
        text.replace(sending.to, MASK) if text else text
        for text in (ending.end.error, ending.end.receipt)
    )
    end = replace(ending.end, error=error, receipt=receipt)
    with engine.begin() as db:
        claims.settle(
            db, {sending.id: (sending.number, end)}, now=now, table=report_mail
        )
    log().info(
        "report_mail.settled",
        report_mail=sending.id,
        report=sending.report,
        attempt=sending.number,
        state=end.state,
        error=end.error,
    )


def readers(
    batch: Sequence[Sending], connection: OrgConnection, reps: Reps, now: datetime
) -> Mapping[str, Rep] | SidecarError:
    """Say who reads these mails, by what they are addressed to; or why nobody can."""
    users = sorted({item.to for item in batch if "@" not in item.to})
    known = {
        item.to: Rep(
            id="",
            name="",
            email=item.to,
            active=True,
            locale=item.language,
            time_zone=connection.time_zone,
            language=item.language,
        )
        for item in batch
        if "@" in item.to
    }
    if not users:
        return known
    if resting(connection, now):
        return Retryable(
            connection.pause_reason or "the org rests",
            retry_at=connection.paused_until,
            pauses_org=True,
        )
    try:
        return known | dict(reps.reps(connection.id, users))
    except SidecarError as exc:
        return exc


def write(
    connection: OrgConnection,
    sending: Sending,
    known: Mapping[str, Rep],
    reports: Reports,
) -> Letter:
    """
    Write a mail to its reader.

    Raises:
        Permanent: there is no such reader or report, or it cannot be written.
    """
    reader = known.get(sending.to)
    if reader is None:
        raise Permanent(f"the org has no user {sending.to}, or hides it from us")
    if not reader.active or not reader.email:
        raise Permanent(f"the user {sending.to} is inactive or has no e-mail address")
    return named(reports, sending.report).write(connection, sending, reader)


def _send(
    connection: OrgConnection,
    known: Mapping[str, Rep] | SidecarError,
    refusing: frozenset[str],
    reports: Reports,
    sending: Sending,
    outgoing: Post,
) -> str:
    if isinstance(known, SidecarError):
        raise known
    letter = write(connection, sending, known, reports)
    if mail_preferences.is_suppressed(letter.to.email, refusing):
        raise Permanent("the address takes no mail")
    return outgoing.send(letter)
