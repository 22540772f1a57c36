"""The functions that are a matter of their arguments' values.

A function takes the scope first; text arguments come as "" when empty, all
others as None. A function that Salesforce has and this table has not is refused
by name when a formula is deployed.
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sidecar.devorg.formula.forms import counted, mistyped
from sidecar.devorg.formula.grammar import FormulaError
from sidecar.devorg.formula.values import Type, Value
from sidecar.devorg.ids import full_id

T, N, B, D, M = Type.TEXT, Type.NUMBER, Type.BOOLEAN, Type.DATE, Type.DATETIME

# Any: the arguments of one table row differ in type from those of the next, and
# `checked` has already proved them right.
Act = Callable[..., Any]


@dataclass(frozen=True)
class Function:
    """
    One row of the table.

    Attributes:
        takes: the types allowed at each place.
        result: what it comes to; None for the type of its first argument.
        optional: how many of the last places may be left out.
        repeats: the last place may be filled any number of times.
    """

    takes: tuple[frozenset[Type], ...]
    result: Type | None
    act: Act
    optional: int = 0
    repeats: bool = False

    def checked(self, name: str, found: list[Type]) -> Type:
        """
        Check the arguments' number and types; the type of the result.

        Raises:
            FormulaError: in Salesforce's words.
        """
        most = -1 if self.repeats else len(self.takes)
        counted(name, found, len(self.takes) - self.optional, most)
        for place, each in enumerate(found):
            allowed = self.takes[min(place, len(self.takes) - 1)]
            if each is not Type.NULL and each not in allowed:
                words = ", ".join(kind.value for kind in Type if kind in allowed)
                raise mistyped(name, words, each)
        return self.result or found[0]


def _row(
    takes: tuple[Type | tuple[Type, ...], ...],
    result: Type | None,
    act: Act,
    *,
    optional: int = 0,
    repeats: bool = False,
) -> Function:
    """A row whose ``act`` never sees None: texts become "", others make it None."""
    places = tuple(
        frozenset(each) if isinstance(each, tuple) else frozenset({each})
        for each in takes
    )

    def filled(_scope: object, *given: Value) -> Value:
        values: list[Value] = []
        for place, value in enumerate(given):
            if value is None:
                if T not in places[min(place, len(places) - 1)]:
                    return None
                value = ""
            values.append(value)
        found: Value = act(*values)
        return found

    return Function(places, result, filled, optional, repeats)


def _number(text: str) -> Decimal:
    try:
        return Decimal(text.strip())
    except InvalidOperation as exc:
        raise FormulaError(f"#Error! VALUE() of {text!r}") from exc


def _is_number(text: str) -> bool:
    try:
        _number(text)
    except FormulaError:
        return False
    return True


def _rounded(number: Decimal, digits: Decimal) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-int(digits)), ROUND_HALF_UP)


def _date_of(value: str | datetime) -> date:
    if isinstance(value, datetime):
        return value.date()
    try:
        return date.fromisoformat(value)
    except ValueError as exc:
        raise FormulaError(f"#Error! DATEVALUE() of {value!r}") from exc


def _moment_of(value: str | date) -> datetime:
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(value.replace(" ", "T", 1))
    except ValueError as exc:
        raise FormulaError(f"#Error! DATETIMEVALUE() of {value!r}") from exc
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _date(year: Decimal, month: Decimal, day: Decimal) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError as exc:
        raise FormulaError(f"#Error! DATE({year},{month},{day})") from exc


def _months_later(start: date, months: Decimal) -> date:
    """The last day of a month stays the last day, as Salesforce has it."""
    index = start.year * 12 + start.month - 1 + int(months)
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    was_last = calendar.monthrange(start.year, start.month)[1] == start.day
    return start.replace(
        year=year, month=month + 1, day=last if was_last else min(start.day, last)
    )


def _find(needle: str, text: str, start: Decimal = Decimal(1)) -> Decimal:
    return Decimal(text.find(needle, max(int(start) - 1, 0)) + 1 if needle else 0)


def _padded(text: str, length: Decimal, pad: str, *, left: bool) -> str:
    size = int(length)
    if len(text) >= size or not pad:
        return text[:size]
    fill = (pad * size)[: size - len(text)]
    return fill + text if left else text + fill


def _matches(text: str, pattern: str) -> bool:
    """Salesforce's REGEX() is Java's ``matches``: the whole text."""
    try:
        return re.fullmatch(pattern, text, re.DOTALL) is not None
    except re.error as exc:
        raise FormulaError(f"#Error! REGEX(): {exc}") from exc


FUNCTIONS: dict[str, Function] = {
    "NOT": Function((frozenset({B}),), B, lambda _scope, value: not value),
    "NOW": Function((), M, lambda scope: scope.now),
    "TODAY": Function((), D, lambda scope: scope.now.date()),
    "ISCLONE": Function((), B, lambda _scope: False),
    # text
    "LEN": _row((T,), N, lambda text: Decimal(len(text))),
    "LEFT": _row((T, N), T, lambda text, n: text[: max(int(n), 0)]),
    "RIGHT": _row((T, N), T, lambda text, n: text[-int(n) :] if n > 0 else ""),
    "MID": _row(
        (T, N, N), T, lambda text, at, n: text[max(int(at) - 1, 0) :][: max(int(n), 0)]
    ),
    "TRIM": _row((T,), T, str.strip),
    "UPPER": _row((T, T), T, lambda text, *_: text.upper(), optional=1),
    "LOWER": _row((T, T), T, lambda text, *_: text.lower(), optional=1),
    "LPAD": _row(
        (T, N, T),
        T,
        lambda text, n, pad=" ": _padded(text, n, pad, left=True),
        optional=1,
    ),
    "RPAD": _row(
        (T, N, T),
        T,
        lambda text, n, pad=" ": _padded(text, n, pad, left=False),
        optional=1,
    ),
    "CONTAINS": _row((T, T), B, lambda text, part: part in text),
    "BEGINS": _row((T, T), B, lambda text, part: text.startswith(part)),
    "FIND": _row((T, T, N), N, _find, optional=1),
    "SUBSTITUTE": _row(
        (T, T, T),
        T,
        lambda text, old, new: text.replace(old, new) if old else text,
    ),
    "REGEX": _row((T, T), B, _matches),
    "VALUE": _row((T,), N, _number),
    "ISNUMBER": _row((T,), B, _is_number),
    "CASESAFEID": _row((T,), T, lambda text: full_id(text) or text),
    "BR": _row((), T, lambda: "\n"),
    # numbers
    "ABS": _row((N,), N, abs),
    "ROUND": _row((N, N), N, _rounded),
    "FLOOR": _row((N,), N, lambda n: n.to_integral_value(ROUND_FLOOR)),
    "CEILING": _row((N,), N, lambda n: n.to_integral_value(ROUND_CEILING)),
    "MOD": _row((N, N), N, lambda a, b: a - b * (a / b).to_integral_value(ROUND_FLOOR)),
    "MAX": _row((N,), N, max, repeats=True),
    "MIN": _row((N,), N, min, repeats=True),
    "SQRT": _row((N,), N, lambda n: n.sqrt()),
    # time
    "DATE": _row((N, N, N), D, _date),
    "DATEVALUE": _row(((T, M),), D, _date_of),
    "DATETIMEVALUE": _row(((T, D),), M, _moment_of),
    "YEAR": _row((D,), N, lambda day: Decimal(day.year)),
    "MONTH": _row((D,), N, lambda day: Decimal(day.month)),
    "DAY": _row((D,), N, lambda day: Decimal(day.day)),
    "WEEKDAY": _row((D,), N, lambda day: Decimal(day.isoweekday() % 7 + 1)),
    "ADDMONTHS": _row(((D, M), N), None, _months_later),
}

# Functions that Salesforce has and the table above has not.
_ELSEWHERE = """
    ACOS ASCII ASIN ATAN ATAN2 CHR COS CURRENCYRATE DAYOFYEAR DISTANCE EXP
    FORMATDURATION FROMUNIXTIME GEOLOCATION GETSESSIONID HOUR HYPERLINK IMAGE
    INCLUDE INITCAP ISOWEEK ISOYEAR LINKTO LN LOG MCEILING MFLOOR MILLISECOND
    MINUTE PARENTGROUPVAL PI PICKCOUNT PREDICT PREVGROUPVAL REQUIRESCRIPT REVERSE
    SECOND SIN TAN TIMENOW TIMEVALUE TRUNC UNIXTIMESTAMP URLFOR VLOOKUP
"""
ELSEWHERE = frozenset(_ELSEWHERE.split())
