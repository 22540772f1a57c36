"""Working time: when something is due that was promised in working days or hours."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
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
    local = _next_working_moment(now.astimezone(week.time_zone), week)
    if promise.days:
        day = local.date()
        for _ in range(promise.days):
            day = _next_working_day(day, week)
        return datetime.combine(day, week.ends, week.time_zone)
    left = timedelta(hours=promise.hours)
    while True:
        closes = datetime.combine(local.date(), week.ends, week.time_zone)
        if local + left <= closes:
            return local + left
        left -= closes - local
        day = _next_working_day(local.date(), week)
        local = datetime.combine(day, week.starts, week.time_zone)


def _next_working_moment(local: datetime, week: WorkingWeek) -> datetime:
    day = local.date()
    if week.works_on(day):
        if local.timetz().replace(tzinfo=None) < week.starts:
            return datetime.combine(day, week.starts, week.time_zone)
        if local.timetz().replace(tzinfo=None) < week.ends:
            return local
    return datetime.combine(_next_working_day(day, week), week.starts, week.time_zone)


def _next_working_day(day: date, week: WorkingWeek) -> date:
    for _ in range(366):
        day += timedelta(days=1)
        if week.works_on(day):
            return day
    raise ValueError("the holidays leave no working day within a year")
