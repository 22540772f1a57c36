"""Working time: when something is due that was promised in working days or hours."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class WorkingWeek:
    """
    When a team works, in its own time zone.

    ``days`` counts Monday as 0. ``holidays`` are days on which nobody works.
    """

    time_zone: ZoneInfo
    days: AbstractSet[int] = frozenset({0, 1, 2, 3, 4})
    starts: time = time(9)
    ends: time = time(17)
    holidays: AbstractSet[date] = frozenset()

    def __post_init__(self) -> None:
        if not self.days or not self.days <= set(range(7)):
            raise ValueError("a working week has days between 0 and 6")
        if self.starts >= self.ends:
            raise ValueError("a working day ends after it starts")

    def works_on(self, day: date) -> bool:
        """Tell whether anybody works on this day."""
        return day.weekday() in self.days and day not in self.holidays


@dataclass(frozen=True)
class Promise:
    """A stretch of working time: either days or hours, both zero for at once."""

    days: int = 0
    hours: int = 0


def due_at(now: datetime, promise: Promise, week: WorkingWeek) -> datetime:
    """
    Add working time to a moment.

    Args:
        now: aware.
        promise: working days end at the close of the last one; working hours are
            counted while the team works.

    Returns:
        An aware moment in the team's time zone, always within working time.
    """
    at = now.astimezone(UTC)
    opens, closes = _hours_from(at, week)
    if promise.days:
        for _ in range(promise.days):
            _, closes = _hours_from(closes, week)
        return closes.astimezone(week.time_zone)
    at = max(at, opens)
    left = timedelta(hours=promise.hours)
    while at + left > closes:
        left -= closes - at
        at, closes = _hours_from(closes, week)
    return (at + left).astimezone(week.time_zone)


def _hours_from(at: datetime, week: WorkingWeek) -> tuple[datetime, datetime]:
    """
    Find the working hours that end after a moment: the current ones, or the next.

    In UTC: clocks that are changed repeat an hour or leave one out, and by their own
    reckoning a later moment could be due before an earlier one.
    """
    first = at.astimezone(week.time_zone).date()
    for day in (first + timedelta(days=ahead) for ahead in range(367)):
        if not week.works_on(day):
            continue
        opens, closes = (
            datetime.combine(day, clock, week.time_zone).astimezone(UTC)
            for clock in (week.starts, week.ends)
        )
        if opens < closes and at < closes:
            return opens, closes
    raise ValueError("the holidays leave no working day within a year")
