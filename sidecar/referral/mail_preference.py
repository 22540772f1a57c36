"""Whether a rep gets a mail now, later together with others, or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
DIGEST_AT = time(8)
"""By the rep's own clock: before the first call of the day."""


class Mails(StrEnum):
    """Which mails a rep wants. Tasks come in any case."""

    ALL = "all"
    DIGEST = "digest"  # one a day
    NONE = "none"


class Held(StrEnum):
    """Why a mail waits."""

    QUIET = "quiet"  # the rep's quiet hours
    DIGEST = "digest"  # it goes with others


@dataclass(frozen=True)
class Preference:
    """
    What a rep has chosen.

    ``quiet_from`` and ``quiet_until`` are both given or both None; equal ones mean
    none, and a night may go past midnight. ``since`` tells when it was chosen.
    """

    mails: Mails = Mails.ALL
    quiet_from: time | None = None
    quiet_until: time | None = None
    since: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Send:
    """Now; ``together`` with all that waits for the same rep."""

    together: bool = False


@dataclass(frozen=True)
class Hold:
    """Not before ``until``."""

    until: datetime
    why: Held


@dataclass(frozen=True)
class Drop:
    """Never."""

    why: str


def decide(
    preference: Preference,
    *,
    now: datetime,
    zone: ZoneInfo,
    held: Held | None,
    sent: Sequence[datetime],
    an_hour: int,
    urgent: bool = False,
    asked_at: datetime | None = None,
) -> Send | Hold | Drop:
    """
    Decide about a mail that is due.

    Args:
        now: aware.
        zone: the rep's.
        held: why it has waited until now; None where it has not.
        sent: when the mails of the last hour went to this rep, oldest first.
        an_hour: so many mails an hour go one by one; 0 for any number.
        urgent: a promised answer is due, or overdue: the daily mail would be too late,
            but fifty of them at once are one mail all the same.
        asked_at: when the rep asked for just this mail at just this time. Who asks
            after having wished for no mails gets it, and it is held back by nothing
            but the quiet hours.
    """
    asked = asked_at is not None
    if preference.mails is Mails.NONE and not _asked_since(preference, asked_at):
        return Drop("the rep wants no mails: the task is in Salesforce")
    quiet_until = _quiet_until(preference, now, zone)
    if preference.mails is Mails.DIGEST and not urgent and not asked:
        if held is not Held.DIGEST:
            return Hold(_daily(preference, now, zone), Held.DIGEST)
        if quiet_until is not None:
            return Hold(quiet_until, Held.DIGEST)
        return Send(together=True)
    if quiet_until is not None:
        return Hold(quiet_until, Held.QUIET)
    if held is not None:
        return Send(together=True)
    if an_hour and len(sent) >= an_hour and not asked:
        return Hold(max(sent[-an_hour] + HOUR, now + timedelta(minutes=1)), Held.DIGEST)
    return Send()


def _asked_since(preference: Preference, asked_at: datetime | None) -> bool:
    if asked_at is None or preference.since is None:
        return False
    return asked_at > preference.since


def _daily(preference: Preference, now: datetime, zone: ZoneInfo) -> datetime:
    """When the next mail of the day goes: in the morning, or when the quiet ends."""
    at = _next(DIGEST_AT, now, zone)
    return _quiet_until(preference, at, zone) or at


def _quiet_until(
    preference: Preference, now: datetime, zone: ZoneInfo
) -> datetime | None:
    """The end of the quiet hours that it is in now."""
    starts, ends = preference.quiet_from, preference.quiet_until
    if starts is None or ends is None or starts == ends:
        return None
    clock = now.astimezone(zone).time()
    inside = starts <= clock < ends if starts < ends else not ends <= clock < starts
    return _next(ends, now, zone) if inside else None


def _next(clock: time, now: datetime, zone: ZoneInfo) -> datetime:
    """
    Find the next moment at which the clock shows this time.

    In UTC: where clocks are put back an hour comes twice, and so may the end of a
    night; one that is left out has to come all the same.
    """
    today = now.astimezone(zone).date()
    for ahead in range(3):
        day = datetime.combine(today + timedelta(days=ahead), clock, zone)
        # Its second time, where it comes twice; else the same moment, or none later.
        for at in (day, day.replace(fold=1)):
            if at.astimezone(UTC) > now:
                return at.astimezone(UTC)
    raise ValueError(f"no {clock} follows {now}")
