"""Working time: when something is due that was promised in working days or hours."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo


class Hours(NamedTuple):
    """A stretch of one day on which a team works; midnight as its end is the day's."""

    starts: time
    ends: time


Day: TypeAlias = tuple[Hours, ...]

_OFFICE: Day = (Hours(time(9), time(17)),)
OFFICE_HOURS: tuple[Day, ...] = (*[_OFFICE] * 5, (), ())
"""Monday to Friday, nine to five."""


@dataclass(frozen=True)
class WorkingWeek:
    """
    When a team works, in its own time zone.

    ``days`` are seven, Monday first. ``holidays`` are days on which nobody works.
    """

    time_zone: ZoneInfo
    days: Sequence[Day] = OFFICE_HOURS
    holidays: Container[date] = frozenset()

    def __post_init__(self) -> None:
        if len(self.days) != 7 or not any(self.days):
            raise ValueError("a working week has seven days, and work on one of them")
        for day in self.days:
            at = time(0)
            for hours in day:
                if hours.starts < at or not _later(hours.ends, hours.starts):
                    raise ValueError("a working day's hours follow each other")
                at = hours.ends if hours.ends != time(0) else time.max

    def hours_on(self, day: date) -> Day:
        """Give the hours of a day; none on a holiday."""
        hours = self.days[day.weekday()]
        return () if hours and day in self.holidays else hours


@dataclass(frozen=True)
class Promise:
    """A stretch of working time: either days or hours, both zero for at once."""

    days: int = 0
    hours: int = 0


def due_at(now: datetime, promise: Promise, week: WorkingWeek) -> datetime:
    """
    Add what was promised to a moment.

    Args:
        now: aware.
        promise: working days end at the close of the last one; working hours are
            counted while the team works.

    Returns:
        An aware moment in the team's time zone, always within working time or at
        its close.

    Raises:
        ValueError: the holidays leave no working day within a year.
    """
    if not promise.days:
        return after(now, timedelta(hours=promise.hours), week)
    zone = week.time_zone
    day: date | None = None
    closes = now.astimezone(UTC)
    left = promise.days
    for starts, ends in spans(now, week):
        today = starts.astimezone(zone).date()
        if day is not None and today != day:
            if left == 0:
                break
            left -= 1
        day, closes = today, ends
    return closes.astimezone(zone)


def after(at: datetime, amount: timedelta, week: WorkingWeek) -> datetime:
    """
    Find the moment at which so much working time is over, counted from ``at``.

    Of nothing it is ``at`` itself, or when work next begins.
    """
    at = at.astimezone(UTC)
    for opens, closes in spans(at, week):
        begins = max(at, opens)
        if begins + amount <= closes:
            return (begins + amount).astimezone(week.time_zone)
        amount -= closes - begins
    raise AssertionError("spans never end")


def between(start: datetime, end: datetime, week: WorkingWeek) -> timedelta:
    """Count the working time between two moments; none where the end is earlier."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    total = timedelta()
    if end <= start:
        return total
    for opens, closes in spans(start, week):
        if opens >= end:
            break
        total += min(closes, end) - max(opens, start)
    return total


def is_working(at: datetime, week: WorkingWeek) -> bool:
    """Tell whether the team works at this moment; at the close, it no longer does."""
    opens, _ = next(spans(at, week))
    return opens <= at.astimezone(UTC)


def spans(at: datetime, week: WorkingWeek) -> Iterator[tuple[datetime, datetime]]:
    """
    Yield the working hours that end after a moment: the current ones first.

    In UTC: clocks that are changed repeat an hour or leave one out, and by their own
    reckoning a later moment could be due before an earlier one.

    Raises:
        ValueError: the holidays leave no working day within a year.
    """
    at = at.astimezone(UTC)
    # Of the day before, for a day's end that clocks move into the next one.
    day = at.astimezone(week.time_zone).date() - timedelta(days=1)
    closed = datetime.min.replace(tzinfo=UTC)
    idle = 0
    while idle < 368:
        idle += 1
        for hours in week.hours_on(day):
            opens = max(_moment(day, hours.starts, week), closed)
            last = day if hours.ends != time(0) else day + timedelta(days=1)
            closes = _moment(last, hours.ends, week)
            if opens >= closes:
                continue
            closed = closes
            if closes > at:
                idle = 0
                yield opens, closes
        day += timedelta(days=1)
    raise ValueError("the holidays leave no working day within a year")


def _moment(day: date, clock: time, week: WorkingWeek) -> datetime:
    return datetime.combine(day, clock, week.time_zone).astimezone(UTC)


def _later(ends: time, starts: time) -> bool:
    return ends > starts or ends == time(0)
