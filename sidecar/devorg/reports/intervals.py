"""The spans of days that reports are about.

Source: "UserDateInterval", Metadata API Developer Guide; fiscal years are calendar
years here. Weeks begin on Sunday.
"""

from __future__ import annotations

from datetime import date, timedelta

from sidecar.devorg.soql.dates import span

Span = tuple[date | None, date | None]  # first day, and the day after the last

# Interval -> unit, first and last of them, counted from the current one.
_RELATIVE = {
    "CURRENT": ("QUARTER", 0, 0),
    "CURNEXT1": ("QUARTER", 0, 1),
    "CURPREV1": ("QUARTER", -1, 0),
    "NEXT1": ("QUARTER", 1, 1),
    "PREV1": ("QUARTER", -1, -1),
    "CURNEXT3": ("QUARTER", 0, 3),
    "CURRENTQ": ("QUARTER", 0, 0),
    "CURNEXTQ": ("QUARTER", 0, 1),
    "CURPREVQ": ("QUARTER", -1, 0),
    "NEXTQ": ("QUARTER", 1, 1),
    "PREVQ": ("QUARTER", -1, -1),
    "CURNEXT3Q": ("QUARTER", 0, 3),
    "YESTERDAY": ("DAY", -1, -1),
    "TODAY": ("DAY", 0, 0),
    "TOMORROW": ("DAY", 1, 1),
    "LASTWEEK": ("WEEK", -1, -1),
    "THISWEEK": ("WEEK", 0, 0),
    "NEXTWEEK": ("WEEK", 1, 1),
    "LASTMONTH": ("MONTH", -1, -1),
    "THISMONTH": ("MONTH", 0, 0),
    "NEXTMONTH": ("MONTH", 1, 1),
    "LASTTHISMONTH": ("MONTH", -1, 0),
    "THISNEXTMONTH": ("MONTH", 0, 1),
    **{
        f"{name}{year}": ("YEAR", first, last)
        for year in ("Y", "FY")
        for name, first, last in (
            ("CUR", 0, 0),
            ("PREV", -1, -1),
            ("PREV2", -2, -1),
            ("AGO2", -2, -2),
            ("NEXT", 1, 1),
            ("PREVCUR", -1, 0),
            ("PREVCUR2", -2, 0),
            ("CURNEXT", 0, 1),
        )
    },
    **{f"LAST{days}": ("DAY", -days, 0) for days in (7, 30, 60, 90, 120)},
    **{f"NEXT{days}": ("DAY", 1, days) for days in (7, 30, 60, 90, 120)},
}


def interval(name: str, today: date) -> Span | None:
    """
    Return the days that an interval means; None when this org does not know it.

    Args:
        name: as in metadata: ``INTERVAL_PREVCURY``; not ``INTERVAL_CUSTOM``.
    """
    found = _RELATIVE.get(name.removeprefix("INTERVAL_"))
    if found is None:
        return None
    unit, first, last = found
    return _start(unit, first, today), _start(unit, last + 1, today)


def _start(unit: str, offset: int, today: date) -> date:
    return beginning(unit, today) if offset == 0 else _moved(unit, offset, today)


def beginning(unit: str, day: date) -> date:
    """Return the first day of a day's DAY, WEEK, MONTH, QUARTER or YEAR."""
    match unit:
        case "WEEK":
            return day - timedelta(days=(day.weekday() + 1) % 7)
        case "MONTH":
            return day.replace(day=1)
        case "QUARTER":
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        case "YEAR":
            return date(day.year, 1, 1)
    return day


def _moved(unit: str, offset: int, today: date) -> date:
    start = beginning(unit, today)
    if unit == "DAY":
        return start + timedelta(days=offset)
    if unit == "WEEK":
        return start + timedelta(weeks=offset)
    months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit] * offset
    index = start.year * 12 + start.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def literal(written: str, today: date) -> Span | None:
    """Return the days of ``TODAY``, ``LAST_N_DAYS:90`` or ``2026-01-02``, or None."""
    name, _, number = written.strip().upper().partition(":")
    if (
        found := span(name, int(number) if number.isdigit() else None, today)
    ) is not None:
        return found
    for shape in (_iso, _american):
        if (day := shape(written.strip())) is not None:
            return day, day + timedelta(days=1)
    return None


def _iso(written: str) -> date | None:
    try:
        return date.fromisoformat(written[:10])
    except ValueError:
        return None


def _american(written: str) -> date | None:
    parts = written.split("/")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return None
    month, day, year = map(int, parts)
    try:
        return date(year, month, day)
    except ValueError:
        return None
