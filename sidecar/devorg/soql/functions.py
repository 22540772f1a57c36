"""SOQL's functions of one value (dates, labels) and of many (counts, sums)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal

from sidecar.devorg.schema import NUMBER_TYPES, Field, Row
from sidecar.devorg.soql.ast import Call, FieldRef
from sidecar.devorg.soql.resolve import Getter, Scope

AGGREGATES = frozenset(("COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"))

_DATE_PARTS: dict[str, Callable[[date], object]] = {
    "CALENDAR_YEAR": lambda day: day.year,
    "CALENDAR_QUARTER": lambda day: (day.month + 2) // 3,
    "CALENDAR_MONTH": lambda day: day.month,
    "DAY_IN_MONTH": lambda day: day.day,
    "DAY_IN_WEEK": lambda day: day.isoweekday() % 7 + 1,
    "HOUR_IN_DAY": lambda day: day.hour if isinstance(day, datetime) else 0,
    "DAY_ONLY": lambda day: day.date() if isinstance(day, datetime) else day,
}


def date_part(call: Call, scope: Scope) -> tuple[Field, Getter]:
    """
    Return a function of a date as if it were a field.

    Raises:
        Refusal: not a date function, or not of a date field.
    """
    part = _DATE_PARTS.get(call.function)
    if part is None or call.argument is None:
        raise scope.refuse(
            "MALFORMED_QUERY", call.at, f"unexpected token: '{call.function}'"
        )
    resolved = scope.resolve(call.argument)
    if resolved.field.type not in {"date", "datetime"}:
        raise scope.refuse(
            "INVALID_FIELD",
            call.at,
            f"field {resolved.field.name} does not support date functions",
        )
    kind = "date" if call.function == "DAY_ONLY" else "int"
    field = Field(resolved.field.name, resolved.field.label, kind)

    def get(row: Row) -> object:
        value = resolved.get(row)
        return part(value) if isinstance(value, date) else None

    return field, get


def grouped(by: FieldRef | Call, scope: Scope) -> tuple[Field, Getter]:
    """Return what a GROUP BY item reads from each row."""
    if isinstance(by, Call):
        return date_part(by, scope)
    resolved = scope.resolve(by)
    return resolved.field, resolved.get


def aggregate(
    call: Call, scope: Scope
) -> tuple[Field, Callable[[Iterable[Row]], object]]:
    """
    Return an aggregate's result type and how to compute it over rows.

    Raises:
        Refusal: a field that cannot be aggregated so.
    """
    if call.argument is None:
        return Field("COUNT", "Count", "int"), lambda rows: sum(1 for _ in rows)
    resolved = scope.resolve(call.argument)
    field, get = resolved.field, resolved.get
    numeric = field.type in NUMBER_TYPES or field.type == "int"
    if call.function in {"SUM", "AVG"} and not numeric:
        raise scope.refuse(
            "MALFORMED_QUERY",
            call.at,
            f"field {field.name} does not support aggregate operator {call.function}",
        )

    def values(rows: Iterable[Row]) -> list[object]:
        return [value for row in rows if (value := get(row)) is not None]

    kind = Field(field.name, field.label, field.type)
    if call.function.startswith("COUNT"):
        kind = Field(field.name, field.label, "int")
    return kind, lambda rows: _FOLD[call.function](values(rows))


def _average(values: list[object]) -> object:
    numbers = [Decimal(str(value)) for value in values]
    return sum(numbers, Decimal(0)) / len(numbers) if numbers else None


def _sum(values: list[object]) -> object:
    numbers = [Decimal(str(value)) for value in values]
    return sum(numbers, Decimal(0)) if numbers else None


_FOLD: dict[str, Callable[[list[object]], object]] = {
    "COUNT": len,
    "COUNT_DISTINCT": lambda values: len(set(values)),
    "SUM": _sum,
    "AVG": _average,
    "MIN": lambda values: min(values, default=None),  # type: ignore[type-var]
    "MAX": lambda values: max(values, default=None),  # type: ignore[type-var]
}
