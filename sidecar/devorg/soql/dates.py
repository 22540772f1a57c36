"""SOQL's date literals: each is a span of days in the org's time zone, UTC.

Source: "Date Formats and Date Literals in WHERE", SOQL and SOSL Reference. Weeks
begin on Sunday, as in the locale en_US.
"""

from collections.abc import Callable
from datetime import date, timedelta

_Span = tuple[date, date]  # first day, and the day after the last


def span(name: str, number: int | None, today: date) -> _Span | None:
    """Return the days that a literal means; None when there is no such literal."""
    plain = _PLAIN.get(name)
    if plain is not None:
        return plain(today) if number is None else None
    parts = name.split("_")
    if number is None:
        return None
    match parts:
        case ["LAST", "N", unit] if unit in _UNITS:
            return _last(unit, number, today)
        case ["NEXT", "N", unit] if unit in _UNITS:
            return _next(unit, number, today)
        case ["N", unit, "AGO"] if unit in _UNITS:
            return _unit(unit, today, -number)
        case _:
            return None


def _last(unit: str, number: int, today: date) -> _Span:
    # LAST_N_DAYS includes today; weeks, months and years end with the last full one.
    if unit == "DAYS":
        return today - timedelta(days=number), today + timedelta(days=1)
    return _unit(unit, today, -number)[0], _unit(unit, today, 0)[0]


def _next(unit: str, number: int, today: date) -> _Span:
    return _unit(unit, today, 1)[0], _unit(unit, today, number)[1]


def _unit(unit: str, today: date, offset: int) -> _Span:
    return _UNITS[unit](today, offset)


def _days(today: date, offset: int) -> _Span:
    day = today + timedelta(days=offset)
    return day, day + timedelta(days=1)


def _weeks(today: date, offset: int) -> _Span:
    sunday = today - timedelta(days=(today.weekday() + 1) % 7)
    start = sunday + timedelta(weeks=offset)
    return start, start + timedelta(weeks=1)


def _months(today: date, offset: int, *, length: int = 1) -> _Span:
    month = today.year * 12 + today.month - 1
    month = month // length * length + offset * length
    return _month(month), _month(month + length)


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


def _quarters(today: date, offset: int) -> _Span:
    return _months(today, offset, length=3)


def _years(today: date, offset: int) -> _Span:
    return _months(today, offset, length=12)


_UNITS: dict[str, Callable[[date, int], _Span]] = {
    "DAYS": _days,
    "WEEKS": _weeks,
    "MONTHS": _months,
    "QUARTERS": _quarters,
    "YEARS": _years,
}

_PLAIN: dict[str, Callable[[date], _Span]] = {
    "YESTERDAY": lambda today: _days(today, -1),
    "TODAY": lambda today: _days(today, 0),
    "TOMORROW": lambda today: _days(today, 1),
    "LAST_90_DAYS": lambda today: _last("DAYS", 90, today),
    "NEXT_90_DAYS": lambda today: _next("DAYS", 90, today),
}


def _relative(unit: str, offset: int) -> Callable[[date], _Span]:
    return lambda today: _unit(unit, today, offset)


for _word, _offset in (("LAST", -1), ("THIS", 0), ("NEXT", 1)):
    for _name, _plural in (
        ("WEEK", "WEEKS"),
        ("MONTH", "MONTHS"),
        ("QUARTER", "QUARTERS"),
        ("YEAR", "YEARS"),
        ("FISCAL_QUARTER", "QUARTERS"),
        ("FISCAL_YEAR", "YEARS"),
    ):
        _PLAIN[f"{_word}_{_name}"] = _relative(_plural, _offset)
