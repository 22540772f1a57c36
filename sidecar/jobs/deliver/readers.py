"""To whom a batch of mails goes, and whether each of them goes now."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from sidecar.errors import Permanent, Retryable, SidecarError, Uncertain
from sidecar.jobs.deliver.attempts import resting
from sidecar.keyring import Keyring
from sidecar.referral.follow_up import Email
from sidecar.referral.mail_preference import (
    HOUR,
    Drop,
    Held,
    Hold,
    Preference,
    Send,
    decide,
)
from sidecar.referral.playbook import Stage
from sidecar.salesforce.records import Rep
from sidecar.store import mail_preferences, persons, rep_mails
from sidecar.store.claims import Attempt
from sidecar.store.connections import OrgConnection
from sidecar.store.persons import Digest


class Reps(Protocol):
    """Who reads our mails."""

    def reps(self, connection_id: int, user_ids: Sequence[str]) -> Mapping[str, Rep]:
        """Find users by id. Raises Retryable, Permanent."""


@dataclass(frozen=True)
class Readers:
    """
    What has to be known of those to whom a batch goes.

    Attributes:
        known: the reps by id, or why nobody can say.
        suppressed: addresses that take no mail.
        sent: when mails of the last hour went to whom; it grows with the batch.
        an_hour: so many mails an hour go one by one; 0 for any number.
        digest: writes an address so that nobody can read it.
    """

    known: Mapping[str, Rep] | SidecarError
    preferences: Mapping[str, Preference]
    suppressed: frozenset[str]
    sent: dict[str, list[datetime]]
    an_hour: int
    digest: Digest

    def sent_to(self, rep: Rep) -> bytes:
        """Give what is kept of the address to which a mail went."""
        return self.digest(persons.EMAIL, rep.email).digest

    def has_been_sent(self, rep: Rep, at: datetime) -> None:
        """Count a mail."""
        self.sent.setdefault(rep.id, []).append(at)


def look_up(
    connection: OrgConnection,
    attempts: Iterable[Attempt],
    *,
    engine: Engine,
    reps: Reps,
    an_hour: int,
    keyring: Keyring,
    now: Callable[[], datetime],
) -> Readers:
    """Ask once for all that a batch needs to know: the org first, then the database."""
    ids = sorted({id_ for item in attempts if (id_ := reader_id(item))})
    known = _reps(connection, ids, reps, now)
    since = now() - HOUR
    with engine.begin() as db:
        return Readers(
            known,
            mail_preferences.of_reps(db, connection.id, ids),
            mail_preferences.suppressed(db, keyring=keyring),
            rep_mails.sent(db, connection.id, ids, since=since) if an_hour else {},
            an_hour,
            persons.digester(db, keyring),
        )


def _reps(
    connection: OrgConnection,
    ids: Sequence[str],
    reps: Reps,
    now: Callable[[], datetime],
) -> Mapping[str, Rep] | SidecarError:
    if resting(connection, now()):
        return Retryable(
            connection.pause_reason or "the org rests",
            retry_at=connection.paused_until,
            pauses_org=True,
        )
    try:
        return reps.reps(connection.id, ids)
    except SidecarError as exc:
        return exc


def reader_id(attempt: Attempt) -> str | None:
    """Give the user's id; None where the record is nobody's."""
    return attempt.what.to_user_id if isinstance(attempt.what, Email) else None


def reader(attempt: Attempt, readers: Readers) -> Rep:
    """
    Tell to whom a mail goes.

    Raises:
        Retryable: nobody can say at the moment.
        Permanent: there is nobody to whom it could go.
        Uncertain: it may have gone.
    """
    if isinstance(readers.known, SidecarError):
        raise readers.known
    if attempt.after_silence and not attempt.resend:
        raise Uncertain("the worker died while sending")
    user_id = reader_id(attempt)
    if user_id is None:
        raise Permanent(
            "the record belongs to a queue or to nobody: name a fallback owner "
            "(`sidecar connections add --fallback-owner`)"
        )
    rep = readers.known.get(user_id)
    if rep is None:
        raise Permanent(f"the org has no user {user_id}, or hides it from us")
    if not rep.active or not rep.email:
        raise Permanent(f"the owner {rep.name} is inactive or has no e-mail address")
    return rep


def verdict(
    attempt: Attempt, rep: Rep, readers: Readers, now: datetime
) -> Send | Hold | Drop:
    """Decide whether a mail goes now, by what its reader wants."""
    if mail_preferences.is_suppressed(rep.email, readers.suppressed):
        return Drop(
            "nothing is sent to this address: see `sidecar mail suppressed`; the task "
            "is in Salesforce"
        )
    alone = is_alone(attempt)
    held = Held(attempt.held) if attempt.held else None
    if attempt.digest_key is not None:
        held = Held.DIGEST
    return decide(
        readers.preferences.get(rep.id, Preference()),
        now=now,
        zone=ZoneInfo(rep.time_zone),
        held=None if alone else held,
        sent=readers.sent.get(rep.id, ()),
        an_hour=0 if alone else readers.an_hour,
        urgent=alone or _is_urgent(attempt),
        asked_at=attempt.created_at if _is_asked_for(attempt) else None,
    )


def is_alone(attempt: Attempt) -> bool:
    """Tell whether a mail may have arrived: it can then be no part of another one."""
    if attempt.digest_key is not None:
        return attempt.digest_key == attempt.key
    return attempt.after_silence


_STAGES = frozenset(str(stage) for stage in Stage)


def _is_urgent(attempt: Attempt) -> bool:
    """A response clock speaks; its actions are named ``clock.stage.action``."""
    return any(part in _STAGES for part in attempt.action.split(".")[1:-1])


def _is_asked_for(attempt: Attempt) -> bool:
    """The rep said "remind me": see ``store.follow_ups.remind``."""
    what = attempt.what
    reminds = isinstance(what, Email) and what.template == "reminder"
    return reminds and bool(re.fullmatch(r"remind-[0-9a-f]{12}", attempt.action))
