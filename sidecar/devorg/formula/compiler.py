"""A formula's tree becomes one Python callable, with its types checked on the way."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from sidecar.devorg.formula import forms
from sidecar.devorg.formula.functions import ELSEWHERE, FUNCTIONS
from sidecar.devorg.formula.grammar import (
    Call,
    FormulaError,
    Literal,
    Node,
    Reference,
    parse,
)
from sidecar.devorg.formula.operators import operator
from sidecar.devorg.formula.values import Type, Value

# What a refused result type is called: the editor speaks of "true or false".
_RESULT_WORDS = {Type.BOOLEAN: "true or false"}


class Scope(Protocol):
    """The record, or the flow interview, that a formula is run against."""

    @property
    def now(self) -> datetime:
        """Aware UTC, the org's own time."""

    @property
    def is_new(self) -> bool:
        """True while the record is being created."""

    def value(self, path: str) -> Value:
        """The value behind a merge field, in the case in which it was written."""

    def prior(self, path: str) -> Value:
        """The same before the save that is under way."""


Run = Callable[[Scope], Value]


@dataclass(frozen=True)
class Formula:
    """A formula that compiled; ``references`` are its merge fields, as written."""

    text: str
    type: Type
    references: frozenset[str]
    run: Run


def compile_formula(
    text: str, types: Callable[[str], Type], *, expected: Type | None = None
) -> Formula:
    """
    Read and check one formula.

    Args:
        types: gives the type behind a merge field, or raises ``FormulaError``
            saying that it does not exist.
        expected: the type that the formula must come to; None for any.

    Raises:
        FormulaError: the words that a deployment reports.
    """
    tree = parse(text)
    found, run = compile_node(tree, types)
    if expected and found not in {expected, Type.NULL}:
        word = _RESULT_WORDS.get(expected, expected.value)
        raise FormulaError(
            f"Formula result is data type ({_RESULT_WORDS.get(found, found.value)}), "
            f"incompatible with expected data type ({word})."
        )
    return Formula(text, found, frozenset(_references(tree)), run)


def compile_node(node: Node, types: Callable[[str], Type]) -> tuple[Type, Run]:
    """Check one node and what is below it; the result's type, and how to get it."""
    match node:
        case Literal(value):
            return _type_of_literal(value), lambda _scope: value
        case Reference(path):
            return types(path), lambda scope: scope.value(path)
        case Call(name, arguments) if name in forms.FORMS:
            return forms.FORMS[name](arguments, types, compile_node)
        case Call(name, arguments):
            return _call(name, [compile_node(each, types) for each in arguments], node)


def _call(name: str, compiled: list[tuple[Type, Run]], node: Call) -> tuple[Type, Run]:
    found = [each[0] for each in compiled]
    for argument, of_type in zip(node.arguments, found, strict=True):
        if of_type in {Type.PICKLIST, Type.MULTIPICKLIST}:
            raise forms.picklist_misused(argument)
    if not name[0].isalpha():
        result, act = operator(name, found)
    elif function := FUNCTIONS.get(name):
        result, act = function.checked(name, found), function.act
    elif name in ELSEWHERE:
        raise FormulaError(f"Function {name} may not be used in this type of formula")
    else:
        raise FormulaError(f"Unknown function {name}. Check spelling.")
    runs = [each[1] for each in compiled]
    if len(runs) == 2:  # most calls: spare them the list
        one, two = runs
        return result, lambda scope: act(scope, one(scope), two(scope))
    return result, lambda scope: act(scope, *(run(scope) for run in runs))


def _type_of_literal(value: Decimal | str | bool | None) -> Type:
    match value:
        case None:
            return Type.NULL
        case bool():
            return Type.BOOLEAN
        case Decimal():
            return Type.NUMBER
        case _:
            return Type.TEXT


def _references(node: Node) -> set[str]:
    match node:
        case Reference(path):
            return {path}
        case Call(_, arguments):
            return {path for each in arguments for path in _references(each)}
        case _:
            return set()
