"""Cron expressions, read by the clock on a connection's wall.

When daylight saving time begins, an hour is left out: what was to happen in it happens
as soon as it is over. When it ends, an hour comes twice: it counts the first time.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

from sidecar.errors import Permanent

_MINUTE = timedelta(minutes=1)
_LONGEST_REPEAT = timedelta(hours=3)
"""Clocks have been put back by one hour, by half of one, and by two."""


def checked(expression: str) -> str:
    """
    Give a cron expression back, its blanks in order, where it means something.

    Raises:
        Permanent: it has not five fields, cannot be read, or never comes to pass.
    """
    fields = expression.split()
    if len(fields) != 5:
        raise Permanent(
            f"{expression!r} is no cron expression: it takes five fields, minute, "
            "hour, day of the month, month and day of the week, as in '30 7 * * 1-5'"
        )
    clean = " ".join(fields)
    try:
        croniter(clean, datetime(2026, 1, 1)).get_next(datetime)  # noqa: DTZ001
    except ValueError as exc:
        raise Permanent(f"{expression!r} is no cron expression: {exc}") from exc
    return clean


def following(expression: str, zone: ZoneInfo, after: datetime) -> datetime:
    """
    Find when an expression comes to pass next.

    Args:
        after: aware.

    Returns:
        An aware moment in UTC, later than ``after``.
    """
    walk = croniter(expression, _wall(after, zone))
    while (at := _moment(walk.get_next(datetime), zone)) <= after:
        pass
    return at


def latest(expression: str, zone: ZoneInfo, until: datetime) -> datetime:
    """
    Find when an expression came to pass last, in UTC; ``until`` itself counts.

    Args:
        until: aware.
    """
    # On the second passage of an hour, the wall's clock is behind what it has shown.
    walk = croniter(expression, _wall(until, zone) + _LONGEST_REPEAT)
    while (at := _moment(walk.get_prev(datetime), zone)) > until:
        pass
    return at


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """Find when the wall's clock shows a time first, or what follows it."""
    while True:
        at = wall.replace(tzinfo=zone).astimezone(UTC)
        if _wall(at, zone) == wall:
            return at
        wall += _MINUTE
