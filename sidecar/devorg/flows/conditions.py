"""How flows compare and combine: null as empty, text without regard to case.

Source: "Flow Operators in Decision Elements", Salesforce Help.
"""

import re
from collections.abc import Callable
from decimal import Decimal

from sidecar.devorg.formula import Value


def added(old: Value, new: Value, operator: str) -> Value:
    """Add to a number or a text, or subtract from a number."""
    if isinstance(old, str) or isinstance(new, str):
        return f"{old or ''}{new or ''}"
    before = old if isinstance(old, Decimal) else Decimal(0)
    change = new if isinstance(new, Decimal) else Decimal(0)
    return before + change if operator == "Add" else before - change


def compare(operator: str, left: Value, right: Value) -> bool:
    """Tell whether a comparison holds; order needs two values."""
    left, right = _folded(left), _folded(right)
    match operator:
        case "IsNull" | "IsBlank":
            return (left is None) is (right is not False)
        case "EqualTo":
            return left == right
        case "NotEqualTo":
            return left != right
        case "StartsWith":
            return str(left or "").startswith(str(right or ""))
        case "EndsWith":
            return str(left or "").endswith(str(right or ""))
        case "Contains":
            return str(right or "") in str(left or "")
    if left is None or right is None:
        return False
    return _ORDER[operator](left, right)


def _folded(value: Value) -> Value:
    if isinstance(value, str):
        return value.lower() or None
    return value


_ORDER: dict[str, Callable[..., bool]] = {
    "GreaterThan": lambda a, b: a > b,
    "LessThan": lambda a, b: a < b,
    "GreaterThanOrEqualTo": lambda a, b: a >= b,
    "LessThanOrEqualTo": lambda a, b: a <= b,
}


def combine(logic: str, results: list[bool]) -> bool:
    """Combine results by ``and``, ``or``, or as in ``1 AND (2 OR 3)``."""
    match logic.lower():
        case "and":
            return all(results)
        case "or":
            return any(results)
    return _Logic(logic).value(results)


def check_logic(logic: str, count: int) -> None:
    """
    Check condition logic when a flow is deployed.

    Raises:
        ValueError: it is none, or names a condition that does not exist.
    """
    if logic.lower() not in {"and", "or"}:
        _Logic(logic).value([False] * count)


class _Logic:
    """Custom condition logic; numbers count from 1."""

    def __init__(self, logic: str) -> None:
        self._words = re.findall(r"\d+|[a-z]+|\S", logic.lower())
        self._results: list[bool] = []

    def value(self, results: list[bool]) -> bool:
        self._results = results
        found = self._either()
        if self._words:
            raise ValueError(f"unexpected {self._words[0]}")
        return found

    def _either(self) -> bool:
        found = self._both()
        while self._next("or"):
            found = self._both() or found
        return found

    def _both(self) -> bool:
        found = self._one()
        while self._next("and"):
            found = self._one() and found
        return found

    def _one(self) -> bool:
        if self._next("not"):
            return not self._one()
        if self._next("("):
            found = self._either()
            if not self._next(")"):
                raise ValueError("missing )")
            return found
        word = self._words.pop(0) if self._words else "end"
        if not word.isdigit() or not 1 <= int(word) <= len(self._results):
            raise ValueError(f"unexpected {word}")
        return self._results[int(word) - 1]

    def _next(self, word: str) -> bool:
        if self._words[:1] != [word]:
            return False
        self._words.pop(0)
        return True
