"""The journey of one referral: what a record's state means, and what it does not."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class Milestone(StrEnum):
    """A status that means something to us, whatever the org calls it."""

    SUBMITTED = "submitted"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    OPPORTUNITY = "opportunity"
    WON = "won"
    LOST = "lost"


# Status values as the package installs them. A connection may map its own.
STANDARD_STATUSES: Mapping[str, Milestone] = {
    milestone.value.capitalize(): milestone for milestone in Milestone
}


class Verdict(StrEnum):
    """What one message meant for the journey."""

    REACHED = "reached"  # a milestone: follow-ups are planned
    UNCHANGED = "unchanged"  # newer, but at the same milestone
    UNMAPPED = "unmapped"  # the org's status has no meaning given to it
    NOT_REFERRED = "not_referred"  # the record carries no referral status
    OLDER = "older"  # late: recorded, changes nothing
    MOVED_ON = "moved_on"  # of a record that the referral has left behind
    READ_BACK = "read_back"  # the message cannot tell: ask the org
    PASSED = "passed"  # reached before what is known, and nobody told us then


# Conversion makes a contact and an opportunity of a lead, and copies its referral
# status to both: from then on the one furthest along speaks for the referral.
STATIONS: Mapping[str, int] = {"Lead": 0, "Contact": 1, "Opportunity": 2}


@dataclass(frozen=True)
class Referral:
    """What we know of one referral, as of ``changed_at``."""

    key: str
    object_type: str
    record_id: str
    status: str | None
    milestone: Milestone | None
    owner_id: str | None
    changed_at: datetime
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """
    One record's state as a message, or the org itself, tells it.

    ``changed_at`` is None when the message carries no time. ``read_back`` says that
    the state was read from the org after the message came in, so it is the truth.
    ``recovered`` says that no message told of it: the org's own records show that it
    was so at ``changed_at``.
    """

    key: str
    object_type: str
    record_id: str
    status: str | None
    owner_id: str | None
    changed_at: datetime | None
    details: Mapping[str, str] = field(default_factory=dict)
    read_back: bool = False
    recovered: bool = False


@dataclass(frozen=True)
class Step:
    """
    Where a message leads: the referral from now on, and why.

    ``at_milestone`` is the referral as the milestone's follow-ups should see it; None
    where none was reached.
    """

    verdict: Verdict
    referral: Referral | None
    reason: str = ""
    at_milestone: Referral | None = None


def advance(
    before: Referral | None, seen: Seen, statuses: Mapping[str, Milestone]
) -> Step:
    """
    Decide what one message means.

    Args:
        before: the referral as last known; None when it is new to us.
        seen: the record's state in the message.
        statuses: the org's status values and the milestones they stand for.

    Returns:
        A step whose ``referral`` is what to remember: ``before`` itself where the
        message changes nothing.

    Source:
        Messages are retried independently of order and may come twice; times have a
        resolution of one second, so two states may carry the same one:
        "Understanding Notifications", SOAP API Developer Guide; primitive data types.
    """
    if seen.changed_at is None:
        return Step(Verdict.READ_BACK, before, "the message carries no time")
    if before is not None and seen.recovered and _behind(seen, seen.changed_at, before):
        return _passed(before, seen, statuses)
    if before is not None and _station(seen) < _station(before):
        return Step(Verdict.MOVED_ON, before, f"it goes on as {before.object_type}")
    if before is not None and _station(seen) == _station(before):
        if seen.changed_at < before.changed_at:
            return Step(Verdict.OLDER, before, "a newer state is already known")
        same_moment = seen.changed_at == before.changed_at
        if same_moment and seen.status != before.status and not seen.read_back:
            return Step(Verdict.READ_BACK, before, "two states of the same second")
    if not seen.status:
        return _without_status(before, seen, seen.changed_at)

    milestone = statuses.get(seen.status)
    after = Referral(
        key=seen.key,
        object_type=seen.object_type,
        record_id=seen.record_id,
        status=seen.status,
        milestone=milestone or (before.milestone if before else None),
        owner_id=seen.owner_id or (before.owner_id if before else None),
        changed_at=seen.changed_at,
        details=_details(before, seen, milestone),
    )
    if milestone is None:
        return Step(Verdict.UNMAPPED, after, f"status {seen.status!r} has no milestone")
    if before is not None and before.milestone == milestone:
        return Step(Verdict.UNCHANGED, after, f"still {milestone}")
    return Step(Verdict.REACHED, after, f"{milestone} reached", at_milestone=after)


def _details(
    before: Referral | None, seen: Seen, milestone: Milestone | None
) -> dict[str, str]:
    """
    What is known from now on.

    A message leaves out what is empty, so that silence says nothing. The reason of a
    loss is the exception: it goes with that loss, and is none of the next one's.
    """
    known = dict(before.details) if before else {}
    goes_on = before is not None and before.milestone is Milestone.LOST
    if not goes_on or milestone is not Milestone.LOST:
        known.pop("lost_reason", None)
    return known | dict(seen.details)


def _behind(seen: Seen, at: datetime, before: Referral) -> bool:
    """Whether a recovered state lies before what is known of the referral."""
    if _station(seen) < _station(before):
        return True
    if seen.read_back:
        return _station(seen) == _station(before) and at < before.changed_at
    return at <= before.changed_at


def _passed(before: Referral, seen: Seen, statuses: Mapping[str, Milestone]) -> Step:
    """A state that was missed and is over: only its milestone is made up for."""
    milestone = statuses.get(seen.status or "")
    if milestone is None or milestone == before.milestone:
        return Step(Verdict.OLDER, before, "a newer state is already known")
    then = replace(before, status=seen.status, milestone=milestone)
    reason = f"{milestone} was reached, and nobody told"
    return Step(Verdict.PASSED, before, reason, at_milestone=then)


def _station(where: Referral | Seen) -> int:
    return STATIONS.get(where.object_type, 0)


def _without_status(before: Referral | None, seen: Seen, at: datetime) -> Step:
    """A record without a referral status: never was one, or its status was cleared."""
    if before is None or _station(seen) > _station(before):
        return Step(Verdict.NOT_REFERRED, before, "the record has no referral status")
    cleared = replace(before, status=None, changed_at=at)
    return Step(Verdict.UNCHANGED, cleared, "the referral status was cleared")
