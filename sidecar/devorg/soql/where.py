"""Conditions: checked against the fields' types, then made into predicates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

from sidecar.devorg.ids import full_id
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.schema import NUMBER_TYPES, PICKLIST_TYPES, Field, Row
from sidecar.devorg.soql import dates
from sidecar.devorg.soql.ast import (
    And,
    Call,
    Comparison,
    Condition,
    DateLiteral,
    Literal,
    Not,
    Or,
    Query,
)
from sidecar.devorg.soql.functions import date_part
from sidecar.devorg.soql.resolve import Getter, Scope
from sidecar.devorg.table import index_key
from sidecar.devorg.values import midnight

Predicate = Callable[[Row], bool]
# Runs a subquery and returns the values of its only column.
Subquery = Callable[[Query], set[object]]
# What a left-hand side means: the field it is, and how to read it.
Operand = Callable[["Comparison"], tuple[Field, Getter]]


def predicate(condition: Condition, scope: Scope, subquery: Subquery) -> Predicate:
    """
    Compile a WHERE clause.

    Raises:
        Refusal: a field that does not exist, a constant of the wrong type.
    """

    def operand(comparison: Comparison) -> tuple[Field, Getter]:
        return _operand(comparison, scope)

    return compile_with(condition, scope, operand, subquery)


def compile_with(
    condition: Condition, scope: Scope, operand: Operand, subquery: Subquery
) -> Predicate:
    """Compile a condition whose left-hand sides ``operand`` understands."""
    match condition:
        case And(parts):
            all_of = [compile_with(p, scope, operand, subquery) for p in parts]
            return lambda row: all(part(row) for part in all_of)
        case Or(parts):
            any_of = [compile_with(p, scope, operand, subquery) for p in parts]
            return lambda row: any(part(row) for part in any_of)
        case Not(part):
            inner = compile_with(part, scope, operand, subquery)
            return lambda row: not inner(row)
        case Comparison():
            return _comparison(condition, scope, operand, subquery)


def _operand(comparison: Comparison, scope: Scope) -> tuple[Field, Getter]:
    left = comparison.left
    if isinstance(left, Call):
        return date_part(left, scope)
    resolved = scope.resolve(left)
    field = resolved.field
    if field.type in {"address", "complexvalue"} or (
        field.type == "textarea" and field.length > 255
    ):
        raise scope.refuse(
            "INVALID_FIELD",
            left.at,
            f"field '{field.name}' can not be filtered in a query call",
        )
    return field, resolved.get


def _comparison(
    comparison: Comparison, scope: Scope, operand: Operand, subquery: Subquery
) -> Predicate:
    field, get = operand(comparison)
    right = comparison.right
    if isinstance(right, Query):
        found = {index_key(field, value) for value in subquery(right)}
        wanted = comparison.operator == "IN"
        return lambda row: (index_key(field, get(row)) in found) is wanted
    literals = right if isinstance(right, list) else [right]
    for literal in literals:
        _check(field, literal, comparison.operator, scope)
    match comparison.operator:
        case "IN" | "NOT IN":
            return _membership(field, get, literals, comparison.operator, scope)
        case "INCLUDES" | "EXCLUDES":
            return _includes(get, literals, comparison.operator)
        case "LIKE":
            return _like(get, str(literals[0].value))
        case operator:
            return _ordered(field, get, operator, literals[0], scope)


def constants(field: Field, literals: Iterable[Literal]) -> list[object]:
    """Return the values as they are kept, for looking up in an index."""
    return [_constant(field, literal) for literal in literals]


def _constant(field: Field, literal: Literal) -> object:
    # Text is never empty, only null.
    value = literal.value if literal.value != "" else None
    if isinstance(value, str) and field.type in {"id", "reference"}:
        return full_id(value) or value
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return value


def _membership(
    field: Field, get: Getter, literals: list[Literal], operator: str, scope: Scope
) -> Predicate:
    spans = [each for each in literals if isinstance(each.value, DateLiteral)]
    if spans:
        tests = [_ordered(field, get, "=", each, scope) for each in literals]
        wanted_any = operator == "IN"
        return lambda row: any(test(row) for test in tests) is wanted_any
    found = {index_key(field, value) for value in constants(field, literals)}
    wanted = operator == "IN"
    return lambda row: (index_key(field, get(row)) in found) is wanted


def _includes(get: Getter, literals: list[Literal], operator: str) -> Predicate:
    # 'A;B' means both; several literals mean any of them.
    wanted = [set(str(each.value).split(";")) for each in literals]

    def includes(row: Row) -> bool:
        has = set(str(get(row) or "").split(";"))
        return any(each <= has for each in wanted)

    if operator == "INCLUDES":
        return includes
    return lambda row: not includes(row)


def _like(get: Getter, pattern: str) -> Predicate:
    parts = re.findall(r"\\.|[%_]|[^%_\\]+|\\", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    expression = re.compile(
        "".join(
            wild.get(part) or re.escape(part[1:] if part[0] == "\\" else part)
            for part in parts
        ),
        re.IGNORECASE | re.DOTALL,
    )
    return lambda row: expression.fullmatch(str(get(row) or "")) is not None


def _ordered(
    field: Field, get: Getter, operator: str, literal: Literal, scope: Scope
) -> Predicate:
    if isinstance(literal.value, DateLiteral):
        return _in_span(field, get, operator, literal, scope)
    wanted = index_key(field, _constant(field, literal))
    if operator == "=":
        return lambda row: _key(field, get(row)) == wanted
    if operator == "!=":
        return lambda row: _key(field, get(row)) != wanted
    if wanted is None:
        return _never
    compare = _COMPARE[operator]
    return lambda row: (
        (value := _key(field, get(row))) is not None and compare(value, wanted)
    )


def _never(_: Row) -> bool:
    return False


def _key(field: Field, value: object) -> object:
    return index_key(field, value)


_COMPARE: dict[str, Callable[..., bool]] = {
    "<": lambda value, wanted: value < wanted,
    "<=": lambda value, wanted: value <= wanted,
    ">": lambda value, wanted: value > wanted,
    ">=": lambda value, wanted: value >= wanted,
}


def _in_span(
    field: Field, get: Getter, operator: str, literal: Literal, scope: Scope
) -> Predicate:
    first, after = _span(literal, scope)
    start: date = midnight(first) if field.type == "datetime" else first
    end: date = midnight(after) if field.type == "datetime" else after
    tests: dict[str, Callable[[date], bool]] = {
        "=": lambda value: start <= value < end,
        "!=": lambda value: not start <= value < end,
        "<": lambda value: value < start,
        "<=": lambda value: value < end,
        ">": lambda value: value >= end,
        ">=": lambda value: value >= start,
    }
    test = tests[operator]

    def within(row: Row) -> bool:
        value = get(row)
        if not isinstance(value, date):
            return operator == "!="
        return test(value)

    return within


def _span(literal: Literal, scope: Scope) -> tuple[date, date]:
    value = literal.value
    today = scope.org.clock.now().date()
    found = (
        dates.span(value.name, value.number, today)
        if isinstance(value, DateLiteral)
        else None
    )
    if found is None:
        raise scope.refuse(
            "MALFORMED_QUERY",
            literal.at,
            f"unexpected token: '{getattr(value, 'name', value)}'",
        )
    return found


def _check(field: Field, literal: Literal, operator: str, scope: Scope) -> None:
    value, kind = literal.value, field.type
    if isinstance(value, DateLiteral):
        _span(literal, scope)
    fits = value is None or isinstance(value, _kinds(kind))
    if isinstance(value, bool) and kind != "boolean":
        fits = False
    if isinstance(value, datetime) and kind == "date":
        fits = False
    if not fits:
        raise _misfit(field, literal, scope)
    if operator == "LIKE" and kind in {"id", "reference", "boolean", "date"}:
        raise scope.refuse(
            "INVALID_QUERY_FILTER_OPERATOR",
            literal.at,
            f"invalid operator on {kind} field",
        )
    if kind in {"id", "reference"} and isinstance(value, str) and not full_id(value):
        raise scope.refuse(
            "INVALID_QUERY_FILTER_OPERATOR", literal.at, f"invalid ID field: {value}"
        )
    multiple = kind == "multipicklist"
    if operator in {"INCLUDES", "EXCLUDES"} and not multiple:
        raise scope.refuse(
            "INVALID_QUERY_FILTER_OPERATOR",
            literal.at,
            f"operator {operator} can only be used on multipicklist fields",
        )


def _kinds(kind: str) -> tuple[type, ...]:
    if kind == "boolean":
        return (bool,)
    if kind in NUMBER_TYPES or kind == "int":
        return (Decimal,)
    if kind == "date":
        return (date, DateLiteral)
    if kind == "datetime":
        return (datetime, DateLiteral)
    return (str,)


def _misfit(field: Field, literal: Literal, scope: Scope) -> Refusal:
    kind = field.type
    if kind in PICKLIST_TYPES or kind in {"textarea", "email", "phone", "url"}:
        kind = "string"
    quotes = "enclosed" if kind in {"string", "id", "reference"} else "not be enclosed"
    wording = "should be enclosed" if quotes == "enclosed" else "should not be enclosed"
    return scope.refuse(
        "INVALID_FIELD",
        literal.at,
        f"value of filter criterion for field '{field.name}' must be of type {kind} "
        f"and {wording} in quotes",
    )
