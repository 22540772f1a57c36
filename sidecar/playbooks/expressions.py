"""Conditions in the Common Expression Language, as far as a playbook needs it.

The language cannot loop for ever, assign or reach out; macros that repeat are left
out as well, so that what a condition costs grows with its length alone. Nothing is
turned into Python: the tree of the expression is walked (``InterpretedRunner``).

Source: github.com/google/cel-spec, doc/langdef.md.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sidecar.referral.conditions import NUMBERS, TEXTS, Condition, Fact

LONGEST = 500
"""Characters of a condition."""

_DEEPEST = 120
"""Levels of its tree, of which each operator and each bracket takes about a dozen."""

_FUNCTIONS = frozenset({"contains", "startsWith", "endsWith", "matches", "size"})


class WrongCondition(ValueError):
    """A condition cannot be used; the text says why."""


@lru_cache(maxsize=512)
def condition(text: str) -> Condition:
    """
    Read a condition, and try it on a referral of which all is known and of none.

    Raises:
        WrongCondition: it is too long, is no expression, names what there is not, or
            is neither true nor false.
    """
    if len(text) > LONGEST:
        raise WrongCondition(f"a condition has at most {LONGEST} characters")
    program, parts = _programs(text)

    def judge(facts: Mapping[str, Fact]) -> bool:
        return _true(_evaluated(program, facts))

    # Each part by itself: "a && b" does not look at b where a is false.
    for facts in (_NOTHING, _SOMETHING):
        for part, logical in parts:
            result = _evaluated(part, facts)
            if logical:
                _true(result)
        judge(facts)
    return Condition(text, judge)


_NOTHING: Mapping[str, Fact] = {
    **dict.fromkeys(TEXTS, ""),
    **dict.fromkeys(NUMBERS, 0.0),
}
_SOMETHING: Mapping[str, Fact] = {
    **dict.fromkeys(TEXTS, "text"),
    **dict.fromkeys(NUMBERS, 1.0),
}


def _programs(text: str) -> tuple[Any, list[tuple[Any, bool]]]:
    """Make a program of the whole, and of each part; True for one that is asked."""
    # Not at the top: it takes half a second, which most commands need not wait for.
    import celpy
    from celpy.celparser import CELParseError

    environment = celpy.Environment(runner_class=celpy.InterpretedRunner)
    try:
        tree = environment.compile(text)
    except CELParseError as exc:
        where = f" at line {exc.line}, column {exc.column}" if exc.line else ""
        raise WrongCondition(f"it is no expression{where}") from exc
    except RecursionError as exc:
        raise WrongCondition(_TOO_DEEP) from exc
    asked: set[int] = set()
    parts = []
    for node, depth in _nodes(tree):
        if depth > _DEEPEST:
            raise WrongCondition(_TOO_DEEP)
        _check(str(node.data), [str(w) for w in node.children if isinstance(w, str)])
        several = len(node.children) > 1
        if several and node.data in _LOGICAL:
            asked.update(map(id, node.children))
        if id(node) in asked or (several and node.data in _PARTS):
            parts.append(node)
    programs = [(environment.program(part), id(part) in asked) for part in parts]
    return environment.program(tree), programs


_TOO_DEEP = "it is nested too deeply"
_LOGICAL = frozenset({"conditionaland", "conditionalor"})
_PARTS = _LOGICAL | {"expr", "relation", "addition", "multiplication", "unary"}


def _check(kind: str, words: Sequence[str]) -> None:
    """Refuse what a condition needs not, and what is not there."""
    name = words[0] if words else ""
    if kind == "ident" and name != "referral":
        raise WrongCondition(f"{name} is unknown; write referral.{name}")
    if kind == "member_dot" and name not in TEXTS | NUMBERS:
        known = ", ".join(sorted(TEXTS | NUMBERS))
        raise WrongCondition(f"referral.{name} is unknown; there are {known}")
    if kind in {"member_dot_arg", "ident_arg"} and name not in _FUNCTIONS:
        known = ", ".join(sorted(_FUNCTIONS))
        raise WrongCondition(f"{name}() is unknown; there are {known}")
    if kind in _REFUSED:
        raise WrongCondition(f"{_REFUSED[kind]} cannot be used")


_REFUSED = {
    "member_index": "[ ]",
    "member_object": "an object",
    "map_lit": "a map",
    "dot_ident": "a leading dot",
    "dot_ident_arg": "a leading dot",
}


def _nodes(tree: Any, depth: int = 0) -> Iterator[tuple[Any, int]]:
    """Walk the tree without recursion; its depth is what is to be found out."""
    waiting = [(tree, depth)]
    while waiting:
        node, depth = waiting.pop()
        if hasattr(node, "data"):
            yield node, depth
            waiting += [(child, depth + 1) for child in node.children]


def _evaluated(program: Any, facts: Mapping[str, Fact]) -> object:
    from celpy import celtypes
    from celpy.evaluation import CELEvalError

    values = celtypes.MapType(
        {
            celtypes.StringType(name): celtypes.DoubleType(value)
            if isinstance(value, float)
            else celtypes.StringType(value)
            for name, value in facts.items()
        }
    )
    try:
        result: object = program.evaluate({"referral": values})
    except (CELEvalError, RecursionError, ValueError, TypeError) as exc:
        raise WrongCondition(_reason(exc)) from exc
    return result


def _true(result: object) -> bool:
    from celpy import celtypes

    if not isinstance(result, celtypes.BoolType):
        raise WrongCondition("it is neither true nor false")
    return bool(result)


_OVERLOAD = re.compile(r"applied to '\((.*)\)'")
_TYPES = {
    "StringType": "a text",
    "IntType": "a whole number",
    "DoubleType": "a number",
    "BoolType": "true or false",
    "ListType": "a list",
}


def _reason(exc: Exception) -> str:
    """Say in words what the library says in types."""
    said = str(exc.args[0]) if exc.args else type(exc).__name__
    if found := _OVERLOAD.search(said):
        kinds = [word for name, word in _TYPES.items() if name in found[1]]
        return f"it compares what cannot be compared: {' with '.join(kinds)}"
    if "divide by zero" in said:
        return "it divides by zero"
    return said.partition(" (in activation")[0]
