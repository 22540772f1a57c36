"""Words to referrers: who they are and whether they want to hear is read each time."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from sqlalchemy import Connection, Engine

from sidecar.errors import Retryable, SidecarError, Uncertain
from sidecar.jobs.deliver.attempts import Ending, claim, ended, pause, resting, settle
from sidecar.jobs.deliver.mail_batch import Post
from sidecar.jobs.deliver.readers import Reps
from sidecar.jobs.deliver.word_mails import QUESTIONS, Mail, in_mails, word_of
from sidecar.keyring import Keyring
from sidecar.logs import MASK
from sidecar.mail.letters import Letter
from sidecar.mail.pool import Away
from sidecar.mail.words import Told, told_of
from sidecar.referral.playbook import TESTIMONIAL
from sidecar.referral.words import ASKED_FOR, facts, marks
from sidecar.salesforce.records import Rep
from sidecar.salesforce.referrers import Referrer
from sidecar.store import (
    claims,
    connections,
    digests,
    mail_preferences,
    persons,
    referrer_stops,
    words,
)
from sidecar.store.claims import Attempt, End
from sidecar.store.connections import OrgConnection

WORDS_AT_ONCE = 100
_STOPPED = "the referrer wants no more of these mails"


class Referrers(Protocol):
    """Who hears of their referrals."""

    def __call__(
        self, connection_id: int, ids: Sequence[str], /
    ) -> Mapping[str, Referrer]:
        """Find referrers by id. Raises Retryable, Permanent."""


class WordWriter(Protocol):
    """Who writes the letters."""

    def __call__(
        self,
        connection: OrgConnection,
        mail: Mail,
        referrer: Referrer,
        owner: Rep | None,
        won: int,
        listed: Sequence[Told],
        /,
    ) -> Letter:
        """
        Write one.

        Args:
            won: of so many successes it says so; 0 for none.
            listed: what a monthly list lists.

        Raises:
            Permanent: it does not render.
        """


class Readers(NamedTuple):
    """Who gets the words of a batch, and who answers for us."""

    referrers: Mapping[str, Referrer]
    owners: Mapping[str, Rep]


def deliver_words(
    connection_id: int,
    *,
    engine: Engine,
    keyring: Keyring,
    referrers: Referrers,
    reps: Reps,
    post: Callable[[], AbstractContextManager[Post]],
    write: WordWriter,
    lease: timedelta,
    now: Callable[[], datetime],
) -> int:
    """
    Send an org's due words, one worker a time: nobody gets two mails at once.

    What is not wanted ends as ``cancelled``, with the reason. Of a mail that may or
    may not have left, a person decides.

    Returns:
        How many attempts were made. None where somebody else is at it: what they find
        due includes ours, and they look again before they leave.
    """

    made = 0
    while True:
        with engine.begin() as db:
            found = connections.find(db, connection_id)
            if found is None or resting(found, now()):
                return made
            began = now()
            until = began + lease
            if not connections.take_lane(
                db, connection_id, now=began, until=until, kind="word"
            ):
                return made
        calm = True
        try:
            batch = claim(
                engine, keyring, connection_id, "word", WORDS_AT_ONCE, now(), lease
            )
            if batch:
                calm = _one_batch(
                    found,
                    batch,
                    engine=engine,
                    keyring=keyring,
                    referrers=referrers,
                    reps=reps,
                    post=post,
                    write=write,
                    began=began,
                    stop_at=now() + lease / 2,
                    now=now,
                )
        finally:
            with engine.begin() as db:
                connections.leave_lane(db, connection_id, kind="word", since=until)
        made += len(batch)
        if not batch or not calm:
            return made


def _one_batch(
    connection: OrgConnection,
    batch: Sequence[Attempt],
    *,
    engine: Engine,
    keyring: Keyring,
    referrers: Referrers,
    reps: Reps,
    post: Callable[[], AbstractContextManager[Post]],
    write: WordWriter,
    began: datetime,
    stop_at: datetime,
    now: Callable[[], datetime],
) -> bool:
    """Send what can be sent; False where somebody wants to be left in peace."""
    try:
        readers = _readers(connection.id, batch, referrers, reps)
    except SidecarError as exc:
        ends = [ended(attempt, exc, now()) for attempt in batch]
        settle(engine, ends, batch, now())
        if isinstance(exc, Retryable) and exc.pauses_org:
            pause(engine, connection.id, ends)
        return not isinstance(exc, Retryable)
    with engine.begin() as db:
        silent = _silent(db, connection.id, batch, readers, keyring, began, now())
        last = words.last_news(db, connection.id, list(readers.referrers))
        found = in_mails(batch, silent, last, now=now())
        for mail in found.mails:
            if mail.is_news:
                words.bundle(db, [item.id for item in mail.attempts], mail.key)
    if found.ends:
        attempts, plain = zip(*found.ends, strict=True)
        settle(engine, [Ending(end) for end in plain], attempts, now())
    left = deque(found.mails)
    rest = End("waiting", costs=False)
    try:
        with post() as outgoing:
            while left and now() <= stop_at:
                _send(
                    connection,
                    left[0],
                    readers,
                    engine=engine,
                    keyring=keyring,
                    outgoing=outgoing,
                    write=write,
                    began=began,
                    now=now,
                )
                left.popleft()
    except Away as exc:
        rest = End("waiting", error=str(exc), due_at=exc.retry_at, costs=False)
        if exc.costs:
            left.popleft()
    except BaseException:
        # Whatever breaks us at one of them is not the others' fault.
        left.popleft()
        raise
    finally:
        # What is left goes back untouched, before its lease ends.
        for mail in left:
            settle(engine, [Ending(rest)] * len(mail.attempts), mail.attempts, now())
    return rest.error is None


def _readers(
    connection_id: int, batch: Sequence[Attempt], referrers: Referrers, reps: Reps
) -> Readers:
    said = [word_of(attempt) for attempt in batch]
    found = referrers(connection_id, sorted({item.referrer_id for item in said}))
    owners = sorted({item.owner_id for item in said if item.owner_id})
    return Readers(found, reps.reps(connection_id, owners) if owners else {})


def _silent(
    db: Connection,
    connection_id: int,
    batch: Sequence[Attempt],
    readers: Readers,
    keyring: Keyring,
    began: datetime,
    now: datetime,
) -> dict[int, str]:
    """Say of which words nobody wants to hear, and why."""
    refusing = mail_preferences.suppressed(db, keyring=keyring)
    stopped = referrer_stops.holding(db, connection_id, readers.referrers, since=began)
    silent: dict[int, str] = {}
    for attempt in batch:
        word = word_of(attempt)
        who = readers.referrers.get(word.referrer_id)
        if who is None:
            why = "the org has no such referrer, or hides the record from us"
        elif who.id in stopped:
            why = _STOPPED
        elif not who.silent and mail_preferences.is_suppressed(who.email, refusing):
            why = "to the referrer's address nothing is sent any more"
        else:
            why = who.silent or _overtaken(db, attempt, now)
        if why:
            silent[attempt.id] = why
    return silent


def _overtaken(db: Connection, attempt: Attempt, now: datetime) -> str:
    """Say why a question is not asked after all; empty where it is."""
    word = word_of(attempt)
    if word.template not in QUESTIONS:
        return ""
    if word.template == TESTIMONIAL:
        since = now - ASKED_FOR
        asked = words.asked_since(db, attempt.id, word.referrer_id, since=since)
        return "the referrer was asked within a year" if asked else ""
    newer = words.has_newer(db, attempt.id)
    return "the referrer has referred somebody since" if newer else ""


def _send(
    connection: OrgConnection,
    mail: Mail,
    readers: Readers,
    *,
    engine: Engine,
    keyring: Keyring,
    outgoing: Post,
    write: WordWriter,
    began: datetime,
    now: Callable[[], datetime],
) -> None:
    """
    Send one mail and settle it.

    Raises:
        Away: the server wants to be left in peace; where that ``costs``, the mail is
            settled.
    """
    referrer = readers.referrers[mail.referrer_id]
    with engine.begin() as db:
        # Somebody may have been erased since the batch was claimed.
        current = tuple(a for a in mail.attempts if claims.is_current(db, a))
        stopped = referrer_stops.holding(db, connection.id, [referrer.id], since=began)
        won = 0 if stopped else _worth_a_word(db, current, referrer)
        listed = _listed(db, current, keyring)
        sent_to = persons.digester(db, keyring)(persons.EMAIL, referrer.email).digest
    if not current:
        return
    if stopped:
        end = Ending(End("cancelled", error=_STOPPED))
        settle(engine, [end] * len(current), current, now())
        return
    owner = readers.owners.get(word_of(current[-1]).owner_id or "")
    result: str | SidecarError
    try:
        if any(item.after_silence for item in current):
            raise Uncertain("the worker died while sending")
        left = mail._replace(attempts=current)
        result = outgoing.send(write(connection, left, referrer, owner, won, listed))
    except SidecarError as exc:
        if isinstance(exc, Away) and not exc.costs:
            raise
        result = exc
    endings = [
        _unnamed(ended(attempt, result, now()), referrer, sent_to)
        for attempt in current
    ]
    settle(engine, endings, current, now())
    if isinstance(result, Away):
        raise result


def _worth_a_word(
    db: Connection, attempts: Sequence[Attempt], referrer: Referrer
) -> int:
    """Count a referrer's won referrals where they have just reached a mark; else 0."""
    won = [item for item in attempts if word_of(item).template == "won"]
    if not won:
        return 0
    count = words.won_by(db, won[-1].id)
    thanks = words.recognise(
        db,
        won[-1].id,
        org_id=won[-1].org_id,
        referrer_id=referrer.id,
        marks=marks(count),
    )
    return count if thanks else 0


def _listed(
    db: Connection, attempts: Sequence[Attempt], keyring: Keyring
) -> list[Told]:
    """Give what a monthly list says of each referral; nothing for other mails."""
    if not attempts or word_of(attempts[0]).template != "digest":
        return []
    return [
        told_of(facts(referral))
        for referral in digests.of(db, attempts[0].id, keyring=keyring)
    ]


def _unnamed(ending: Ending, referrer: Referrer, sent_to: bytes) -> Ending:
    """Keep where it went so that nobody can read it; mail servers like to repeat it."""

    def masked(text: str | None) -> str | None:
        for known in filter(None, (referrer.email, referrer.name) if text else ()):
            text = (text or "").replace(known, MASK)
        return text

    end = ending.end
    kept = replace(
        end,
        error=masked(end.error),
        receipt=masked(end.receipt),
        sent_to=sent_to if end.state in {"done", "uncertain"} else None,
    )
    return Ending(kept, ending.pause)
