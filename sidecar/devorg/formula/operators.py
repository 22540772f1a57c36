"""The operators, by the types on their two sides.

Text is compared with null as "", and with regard to case; nothing is smaller or
greater than null; arithmetic with null is null.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sidecar.devorg.formula.forms import mistyped
from sidecar.devorg.formula.functions import Act
from sidecar.devorg.formula.grammar import FormulaError
from sidecar.devorg.formula.values import Type

T, N, B, D, M = Type.TEXT, Type.NUMBER, Type.BOOLEAN, Type.DATE, Type.DATETIME
_DAY = Decimal(86_400)


def operator(sign: str, found: list[Type]) -> tuple[Type, Act]:
    """
    The meaning of an operator for two types.

    Raises:
        FormulaError: it has none.
    """
    left, right = found
    if sign in {"=", "<>"}:
        return B, _equality(sign, left, right)
    if sign in _ORDER:
        for each in found:
            if each not in {N, D, M, Type.NULL}:
                raise mistyped(sign, "Number, Date, DateTime", each)
        _same(sign, left, right)
        return B, _order(_ORDER[sign])
    if sign == "&" or (sign == "+" and T in found):
        for each in found:
            if each not in {T, Type.NULL}:
                raise mistyped(sign, "Text", each)
        return T, lambda _scope, a, b: (a or "") + (b or "")
    return _arithmetic(sign, left, right)


def _same(sign: str, left: Type, right: Type) -> None:
    if Type.NULL not in {left, right} and left is not right:
        raise mistyped(sign, left.value, right)


def _equality(sign: str, left: Type, right: Type) -> Act:
    _same(sign, left, right)
    equal = sign == "="
    if T in {left, right}:
        return lambda _scope, a, b: ((a or "") == (b or "")) is equal
    if B in {left, right}:
        return lambda _scope, a, b: (bool(a) == bool(b)) is equal
    return lambda _scope, a, b: (a == b) is equal


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _order(compare: Callable[[Any, Any], bool]) -> Act:
    """Nothing is smaller or greater than an empty value."""
    return lambda _scope, a, b: a is not None and b is not None and compare(a, b)


def _arithmetic(sign: str, left: Type, right: Type) -> tuple[Type, Act]:
    left = N if left is Type.NULL else left
    right = N if right is Type.NULL else right
    if (left, right) == (N, N):
        return N, _unless_empty(_NUMBERS[sign])
    if sign in "+-" and left in {D, M} and right is N:
        days = 1 if sign == "+" else -1
        return left, _unless_empty(
            lambda moment, n: (
                moment + timedelta(seconds=float(n * _DAY)) * days
                if left is M
                else moment + timedelta(days=int(n)) * days
            )
        )
    if sign == "+" and left is N and right in {D, M}:
        return _arithmetic("+", right, left)[0], _unless_empty(
            lambda n, moment: moment + timedelta(days=float(n))
        )
    if sign == "-" and left is right and left in {D, M}:
        return N, _unless_empty(
            lambda a, b: (
                Decimal((a - b).total_seconds()) / _DAY
                if left is M
                else Decimal((a - b).days)
            )
        )
    wrong = right if left is N else left
    raise mistyped(sign, "Number", wrong)


def _divided(a: Decimal, b: Decimal) -> Decimal:
    if b == 0:
        raise FormulaError("#Error! Division by zero")
    return a / b


_NUMBERS: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divided,
    "^": lambda a, b: a**b,
}


def _unless_empty(act: Callable[[Any, Any], Any]) -> Act:
    return lambda _scope, a, b: None if a is None or b is None else act(a, b)
