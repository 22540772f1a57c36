"""The stretch of time that a report is about, by the clock on a wall."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Period:
    """
    Whole days, in one time zone.

    Attributes:
        first: the first day.
        end: the day after the last one.
    """

    first: date
    end: date
    zone: ZoneInfo

    @property
    def last(self) -> date:
        """The last day."""
        return self.end - timedelta(days=1)

    @property
    def starts(self) -> datetime:
        """The first moment in it, aware."""
        return _midnight(self.first, self.zone)

    @property
    def ends(self) -> datetime:
        """The first moment after it, aware."""
        return _midnight(self.end, self.zone)


def day_of(at: datetime, zone: ZoneInfo) -> Period:
    """Give the day of a moment."""
    first = at.astimezone(zone).date()
    return Period(first, first + timedelta(days=1), zone)


def week_before(at: datetime, zone: ZoneInfo) -> Period:
    """Give the last whole week, Monday to Sunday."""
    today = at.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    return Period(monday - timedelta(days=7), monday, zone)


def month_before(at: datetime, zone: ZoneInfo) -> Period:
    """Give the last whole calendar month."""
    end = at.astimezone(zone).date().replace(day=1)
    return Period((end - timedelta(days=1)).replace(day=1), end, zone)


def earlier(period: Period, number: int) -> Period:
    """Give the period so many before one: months, or as many days each."""
    if _is_month(period):
        months = period.first.year * 12 + period.first.month - 1 - number
        first, end = _month(months), _month(months + 1)
    else:
        by = (period.end - period.first) * number
        first, end = period.first - by, period.end - by
    return Period(first, end, period.zone)


def _is_month(period: Period) -> bool:
    return (
        period.first.day == period.end.day == 1
        and (period.end - period.first).days <= 31
    )


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone)
