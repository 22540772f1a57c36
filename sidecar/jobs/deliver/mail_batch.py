"""A batch of mails: each is held, dropped, sent, or sent together with others."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from sqlalchemy import Engine

from sidecar.errors import Retryable, SidecarError, Uncertain
from sidecar.jobs.deliver.attempts import Ending, ended, ends_of, settle, tell
from sidecar.jobs.deliver.readers import (
    Readers,
    Reps,
    is_alone,
    reader,
    reader_id,
    verdict,
)
from sidecar.keyring import Keyring
from sidecar.mail.letters import Letter
from sidecar.mail.pool import Away
from sidecar.referral.follow_up import Email
from sidecar.referral.mail_preference import Drop, Hold, Send
from sidecar.salesforce.records import Rep
from sidecar.store import claims, rep_mails
from sidecar.store.claims import Attempt, End
from sidecar.store.connections import OrgConnection
from sidecar.store.settler import Settler

PARTS = 50
"""So many follow-ups are one mail; Gmail cuts off what is longer than 102 kB."""


class Post(Protocol):
    """One connection to a mail server."""

    def send(
        self,
        letter: Letter,
        *,
        confirm: Callable[[], None] = ...,
        meanwhile: Callable[[], None] = ...,
    ) -> str:
        """
        Hand over a letter.

        Args:
            confirm: called before the letter itself goes out, and may stop it by
                raising.
            meanwhile: called when all is sent, before the answer is waited for.

        Raises:
            Retryable, Permanent, Uncertain: about this letter.
            Away: the server takes none at the moment.
        """


@dataclass(frozen=True)
class Desk:
    """
    What it takes to send mails.

    Attributes:
        settler: settles what was sent, in passing.
        write: makes a letter. Raises Permanent.
        write_together: makes one of several, with the key that names it for ever.
        an_hour: so many mails an hour a rep gets one by one; 0 for any number.
        lease: how long a batch may take before somebody else may send it.
    """

    engine: Engine
    keyring: Keyring
    settler: Settler
    reps: Reps
    write: Callable[[OrgConnection, Attempt, Email, Rep], Letter]
    write_together: Callable[[OrgConnection, Sequence[Attempt], str, Rep], Letter]
    an_hour: int
    lease: timedelta
    now: Callable[[], datetime]


class _Unwanted(SidecarError):
    """Somebody cancelled a mail, or a part of it, that was about to go out."""


class Batch:
    """
    Some mails of one org, sent one after the other.

    While the server is busy with one, the next is written; while one is settled, the
    next's envelope is handed over, and the letter itself when that is committed.

    Attributes:
        stopped: nothing more should be sent for now; what was left goes back.
        org_rests: why the org is to be left in peace, where it said so.
    """

    def __init__(
        self,
        connection: OrgConnection,
        attempts: Sequence[Attempt],
        readers: Readers,
        *,
        desk: Desk,
        outgoing: Post,
    ) -> None:
        """``attempts`` are claimed, and ours for ``desk.lease``."""
        self._connection = connection
        self._attempts = attempts
        self._readers = readers
        self._desk = desk
        self._outgoing = outgoing
        now = desk.now()
        self._lease_ends, self._stop_at = now + desk.lease, now + desk.lease / 2
        self._rest_of_batch: Sequence[Attempt] = ()
        self._taken: set[int] = set()
        # Whose later mails wait, and about which referral: order is kept.
        self._behind: set[tuple[str | None, str]] = set()
        self._aside: list[tuple[Attempt, Ending]] = []
        self._rest: End | None = None
        self._unsettled: tuple[Sequence[Attempt], Sequence[Ending]] = ((), ())
        self._settling: Mapping[int, tuple[int, End]] | None = None
        self._wanted: frozenset[int] = frozenset()
        self._ahead: tuple[Attempt | None, Letter | None] = (None, None)
        self.org_rests: Retryable | None = None
        self.stopped = False

    def run(self) -> int:
        """Do what is due with each; how many were tried."""
        made = 0
        try:
            for place, attempt in enumerate(self._attempts, 1):
                self._rest_of_batch = self._attempts[place:]
                if attempt.id not in self._taken:
                    made += self._treat(attempt)
        finally:
            # Whatever breaks us at one of them, those behind it go back untouched.
            for attempt in self._rest_of_batch:
                if attempt.id not in self._taken:
                    self._put_aside(attempt, End("waiting", costs=False))
            self._settle()
        return made

    def _treat(self, attempt: Attempt) -> int:
        now = self._desk.now()
        if self._rest is None and now > self._stop_at:
            # A slow mail server: what is left goes back untouched, before its lease
            # ends and somebody else sends it as well.
            self._rest = End("waiting", costs=False)
        if self._rest is not None:
            self._put_aside(attempt, self._rest)
            return 0
        if _place(attempt) in self._behind:
            self._put_aside(attempt, End("waiting", costs=False))
            return 0
        try:
            rep = reader(attempt, self._readers)
        except SidecarError as exc:
            self._refuse(attempt, exc)
            return 1
        match verdict(attempt, rep, self._readers, now):
            case Hold(until, why):
                held = End("waiting", due_at=until, held=why, costs=False)
                self._put_aside(attempt, held)
                return 0
            case Drop(why):
                self._put_aside(attempt, End("cancelled", error=why))
                return 0
            case Send(together=True):
                return self._send(*self._gather(attempt), rep)
            case Send():
                return self._send([attempt], None, rep)

    def _refuse(self, attempt: Attempt, exc: SidecarError) -> None:
        """End a mail of which nobody knows to whom it goes."""
        ending = ended(attempt, exc, self._desk.now())
        if ending.pause is not None:
            self.org_rests = ending.pause
            self.stopped = True
        self._note(attempt, ending.end)
        self._aside.append((attempt, ending))

    def _put_aside(self, attempt: Attempt, end: End) -> None:
        self._aside.append((attempt, Ending(end)))

    def _gather(self, attempt: Attempt) -> tuple[list[Attempt], str | None]:
        """Take all that goes with a mail; with the key of what they are together."""
        desk, key = self._desk, attempt.digest_key
        mates = [item for item in self._attempts if self._goes_with(attempt, item)]
        with desk.engine.begin() as db:
            if key is not None:
                parts = mates + rep_mails.parts(
                    db,
                    self._connection.id,
                    key,
                    now=desk.now(),
                    lease_ends=self._lease_ends,
                    keyring=desk.keyring,
                )
            else:
                parts = mates[:PARTS]
                parts += rep_mails.gather(
                    db,
                    self._connection.id,
                    reader_id(attempt) or "",
                    now=desk.now(),
                    lease_ends=self._lease_ends,
                    limit=PARTS - len(parts),
                    keyring=desk.keyring,
                )
                if len(parts) > 1:
                    key = _digest_key(parts)
                    rep_mails.bind(db, parts, key)
        self._taken.update(item.id for item in parts)
        return sorted(parts, key=lambda part: part.id), key

    def _goes_with(self, attempt: Attempt, other: Attempt) -> bool:
        if other.id in self._taken or reader_id(other) != reader_id(attempt):
            return False
        if other.digest_key != attempt.digest_key or _place(other) in self._behind:
            return False
        return attempt.digest_key is not None or not is_alone(other)

    def _send(self, parts: Sequence[Attempt], key: str | None, rep: Rep) -> int:
        """
        Hand a letter over while the one before it is settled.

        The next is written while the server is busy with this one.
        """
        self._begin_to_settle(parts)
        try:
            letter = self._written(parts, key, rep)
            result: str | SidecarError = self._outgoing.send(
                letter,
                confirm=partial(self._confirm, parts),
                meanwhile=self._write_ahead,
            )
        except _Unwanted:
            # Whom it is about was erased since the batch was claimed.
            left = [part for part in parts if part.id in self._wanted]
            return self._send(left, key, rep) if left else 0
        except SidecarError as exc:
            result = exc
        finally:
            self._finish_settling()
        self._end(parts, key, rep, result)
        return len(parts)

    def _begin_to_settle(self, following: Sequence[Attempt]) -> None:
        """Settle what was sent last, and see whether what follows is still wanted."""
        attempts, endings = self._unsettled
        self._unsettled = ((), ())
        self._settling = ends_of(endings, attempts)
        self._desk.settler.begin(self._settling, following, now=self._desk.now())

    def _finish_settling(self) -> None:
        if self._settling is not None:
            self._wanted = self._desk.settler.finish()
            ends, self._settling = self._settling, None
            tell(ends)

    def _confirm(self, parts: Sequence[Attempt]) -> None:
        """Let a letter go out: the one before is settled, and this one is wanted."""
        self._finish_settling()
        if any(part.id not in self._wanted for part in parts):
            raise _Unwanted

    def _write_ahead(self) -> None:
        """Write the letter that is probably next."""
        for attempt in self._rest_of_batch:
            if attempt.id in self._taken or attempt.held or attempt.digest_key:
                continue
            # Whatever is wrong with it is found again when it is its turn: it must not
            # put the letter in doubt whose answer is on its way.
            with suppress(Exception):
                rep = reader(attempt, self._readers)
                self._ahead = attempt, self._written([attempt], None, rep)
            return

    def _written(self, parts: Sequence[Attempt], key: str | None, rep: Rep) -> Letter:
        first = parts[0]
        if key is not None and key != first.key:
            return self._desk.write_together(self._connection, parts, key, rep)
        attempt, letter = self._ahead
        if attempt is first and letter is not None:
            return letter
        assert isinstance(first.what, Email)  # noqa: S101 it has a reader
        return self._desk.write(self._connection, first, first.what, rep)

    def _end(
        self,
        parts: Sequence[Attempt],
        key: str | None,
        rep: Rep,
        result: str | SidecarError,
    ) -> None:
        now = self._desk.now()
        end = ended(max(parts, key=lambda part: part.number), result, now).end
        match result:
            case str():
                self._readers.has_been_sent(rep, now)
                end = replace(end, sent_to=self._readers.sent_to(rep))
            case Away() as exc:
                self.stopped = True
                self._rest = End(
                    "waiting", error=str(exc), due_at=exc.retry_at, costs=False
                )
                end = end if exc.costs else self._rest
            case Uncertain() if key is None:
                # It may have arrived: it stays the mail that it is.
                sent_to = self._readers.sent_to(rep)
                end = replace(end, digest_key=parts[0].key, sent_to=sent_to)
        for part in parts:
            self._note(part, end)
        self._unsettled = (parts, [Ending(end)] * len(parts))

    def _note(self, attempt: Attempt, end: End) -> None:
        if end.state == "waiting":
            self._behind.add(_place(attempt))

    def _settle(self) -> None:
        """Settle what is left, and what nobody knows to be settled."""
        if self._settling:
            ends, self._settling = self._settling, None
            with self._desk.engine.begin() as db:
                claims.settle(db, ends, now=self._desk.now())
            tell(ends)
        attempts, endings = self._unsettled
        left = [*zip(attempts, endings, strict=True), *self._aside]
        if left:
            last = [ending for _, ending in left]
            settle(self._desk.engine, last, [one for one, _ in left], self._desk.now())


def _place(attempt: Attempt) -> tuple[str | None, str]:
    """Whose mail it is, about which referral."""
    return reader_id(attempt), attempt.referral_key


def _digest_key(parts: Sequence[Attempt]) -> str:
    """Name what goes together: the same parts are the same mail."""
    keys = "\n".join(sorted(part.key for part in parts))
    return hashlib.sha256(keys.encode()).hexdigest()[:32]
