"""What is summed up over the rows of a group."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from sidecar.devorg.metadata.report_columns import ROW_COUNT
from sidecar.devorg.reports.columns import Columns, Joined, money, number
from sidecar.devorg.reports.definition import Formula, cannot_run

Value = Decimal | None
_TOKENS = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|([A-Za-z][\w.$]*(?::[A-Z]+)?)|([-+*/()]))")
_OF_FORMULA = {"SUM": "s", "AVG": "a", "MAX": "mx", "MIN": "mi", "UNIQUE": "u"}


def summed(name: str, rows: Sequence[Joined], columns: Columns) -> Value:
    """
    Return an aggregate, ``RowCount`` or ``s!Column``, over rows.

    Averages and extremes of nothing are None; a checkbox counts as 1 and 0.
    """
    if name == ROW_COUNT:
        return Decimal(len(rows))
    kind, _, column = name.partition("!")
    # A record that is joined to several counts once ("smart totals").
    once = {columns.identity(column, row): row for row in rows}
    found = [columns.value(column, row) for row in once.values()]
    present = [value for value in found if value is not None]
    if kind == "u":
        return Decimal(len(set(present)))
    numbers = [
        Decimal(value) for value in present if isinstance(value, (Decimal, int, bool))
    ]
    match kind:
        case "s":
            return sum(numbers, Decimal(0))
        case "a":
            return sum(numbers, Decimal(0)) / len(numbers) if numbers else None
        case "mx":
            return max(numbers, default=None)
        case "mi":
            return min(numbers, default=None)
    raise cannot_run(f"the summary {name}")


def shown(
    name: str, value: Value, columns: Columns, formula: Formula | None
) -> dict[str, object]:
    """Return label and value of an aggregate."""
    if value is None:
        return {"label": "-", "value": None}
    plain = float(value)
    if formula is not None:
        if formula.kind == "percent":
            plain *= 100
            return {"label": f"{plain:,.{formula.scale}f}%", "value": plain}
        text = f"{plain:,.{formula.scale}f}"
        label = f"${text}" if formula.kind == "currency" else text
        return {"label": label, "value": plain}
    if name == ROW_COUNT or name.startswith("u!"):
        return {"label": f"{int(value):,}", "value": int(value)}
    kind = columns.type(name.partition("!")[2])
    if kind == "currency":
        return {"label": money(plain), "value": plain}
    return {"label": number(kind, plain), "value": plain}


def computed(formula: Formula, rows: Sequence[Joined], columns: Columns) -> Value:
    """
    Return a summary formula over rows; None when it divides by zero.

    Raises:
        Refusal: it has functions, which this org does not run.
    """
    reader = _Reader(formula.text, lambda name: summed(name, rows, columns))
    try:
        return reader.read()
    except ZeroDivisionError:
        return None


class _Reader:
    """Numbers, aggregates as ``AMOUNT:SUM``, and ``+ - * / ( )``."""

    def __init__(self, text: str, value: Callable[[str], Value]) -> None:
        self._text = text
        self._value = value
        self._words: list[str] = []
        at = 0
        while at < len(text.rstrip()):
            match = _TOKENS.match(text, at)
            if match is None:
                raise cannot_run(f"the summary formula {text}")
            at = match.end()
            self._words.append(match[0].strip())

    def read(self) -> Value:
        found = self._sum()
        if self._words:
            raise cannot_run(f"the summary formula {self._text}")
        return found

    def _next(self, *words: str) -> str | None:
        if self._words and self._words[0] in words:
            return self._words.pop(0)
        return None

    def _sum(self) -> Value:
        found = self._product()
        while sign := self._next("+", "-"):
            other = self._product()
            if found is None or other is None:
                found = None
            else:
                found = found + other if sign == "+" else found - other
        return found

    def _product(self) -> Value:
        found = self._one()
        while sign := self._next("*", "/"):
            other = self._one()
            if found is None or other is None:
                found = None
            elif sign == "*":
                found = found * other
            elif other == 0:
                raise ZeroDivisionError
            else:
                found = found / other
        return found

    def _one(self) -> Value:
        if self._next("("):
            found = self._sum()
            if not self._next(")"):
                raise cannot_run(f"the summary formula {self._text}")
            return found
        word = self._words.pop(0) if self._words else ""
        if word == ROW_COUNT:
            return self._value(ROW_COUNT)
        if word.replace(".", "", 1).isdigit():
            return Decimal(word)
        column, _, kind = word.rpartition(":")
        if column and kind in _OF_FORMULA:
            return self._value(f"{_OF_FORMULA[kind]}!{column}")
        raise cannot_run(f"the summary formula {self._text}")
