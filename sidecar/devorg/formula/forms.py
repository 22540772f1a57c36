"""The functions that need more than their arguments' values.

Either they look at an argument's name (``ISCHANGED``), or they take a picklist
(``ISPICKVAL``), or they leave an argument unread (``IF``).
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sidecar.devorg.formula.grammar import (
    FormulaError,
    Literal,
    Node,
    Reference,
)
from sidecar.devorg.formula.values import Type, Value, as_text, is_blank

if TYPE_CHECKING:
    from sidecar.devorg.formula.compiler import Run, Scope

Types = Callable[[str], Type]
Compile = Callable[[Node, Types], tuple[Type, "Run"]]
Form = Callable[[Sequence[Node], Types, Compile], tuple[Type, "Run"]]


def picklist_misused(argument: Node) -> FormulaError:
    """The refusal of a bare picklist where text is wanted."""
    path = argument.path if isinstance(argument, Reference) else ""
    name = path.rpartition(".")[2]
    return FormulaError(
        f"Field {name} is a picklist field. "
        "Picklist fields are only supported in certain functions."
    )


def counted(
    name: str, arguments: Sequence[object], at_least: int, at_most: int
) -> None:
    """
    Check how many arguments a function was given; ``at_most`` -1 for any number.

    Raises:
        FormulaError: in Salesforce's words.
    """
    received = len(arguments)
    if received < at_least or (at_most >= 0 and received > at_most):
        expected = at_least if received < at_least else at_most
        raise FormulaError(
            f"Incorrect number of parameters for function '{name}()'. "
            f"Expected {expected}, received {received}"
        )


def mistyped(name: str, expected: str, received: Type) -> FormulaError:
    """The refusal of an argument of the wrong type."""
    kind = f"function '{name}()'" if name[0].isalpha() else f"operator '{name}'"
    return FormulaError(
        f"Incorrect parameter type for {kind}. "
        f"Expected {expected}, received {received.value}"
    )


def _boolean(name: str, node: Node, types: Types, compile_node: Compile) -> "Run":
    found, run = compile_node(node, types)
    if found not in {Type.BOOLEAN, Type.NULL}:
        if found in {Type.PICKLIST, Type.MULTIPICKLIST}:
            raise picklist_misused(node)
        raise mistyped(name, "Boolean", found)
    return run


def _and(
    nodes: Sequence[Node], types: Types, compile_node: Compile
) -> "tuple[Type, Run]":
    counted("AND", nodes, 1, -1)
    runs = [_boolean("AND", each, types, compile_node) for each in nodes]
    return Type.BOOLEAN, lambda scope: all(run(scope) for run in runs)


def _or(
    nodes: Sequence[Node], types: Types, compile_node: Compile
) -> "tuple[Type, Run]":
    counted("OR", nodes, 1, -1)
    runs = [_boolean("OR", each, types, compile_node) for each in nodes]
    return Type.BOOLEAN, lambda scope: any(run(scope) for run in runs)


def _one_type(
    name: str, nodes: Sequence[Node], types: Types, compile_node: Compile
) -> "tuple[Type, list[Run]]":
    """Compile alternatives, which must agree in type; NULL agrees with all."""
    result = Type.NULL
    runs = []
    for node in nodes:
        found, run = compile_node(node, types)
        if found in {Type.PICKLIST, Type.MULTIPICKLIST}:
            raise picklist_misused(node)
        if result is Type.NULL:
            result = found
        elif found not in {result, Type.NULL}:
            raise mistyped(name, result.value, found)
        runs.append(run)
    return result, runs


def _if(
    nodes: Sequence[Node], types: Types, compile_node: Compile
) -> "tuple[Type, Run]":
    counted("IF", nodes, 3, 3)
    test = _boolean("IF", nodes[0], types, compile_node)
    result, (yes, no) = _one_type("IF", nodes[1:], types, compile_node)
    return result, lambda scope: yes(scope) if test(scope) else no(scope)


def _case(
    nodes: Sequence[Node], types: Types, compile_node: Compile
) -> "tuple[Type, Run]":
    counted("CASE", nodes, 4, -1)
    if len(nodes) % 2:
        raise FormulaError(
            "Incorrect number of parameters for function 'CASE()'. "
            f"Expected {len(nodes) + 1}, received {len(nodes)}"
        )
    subject_type, subject = compile_node(nodes[0], types)
    if subject_type is Type.MULTIPICKLIST:
        raise picklist_misused(nodes[0])
    wanted = Type.TEXT if subject_type is Type.PICKLIST else subject_type
    cases = []
    for node in nodes[1:-1:2]:
        found, run = compile_node(node, types)
        if found not in {wanted, Type.NULL}:
            raise mistyped("CASE", wanted.value, found)
        cases.append(run)
    result, outcomes = _one_type(
        "CASE", [*nodes[2:-1:2], nodes[-1]], types, compile_node
    )

    def run_case(scope: "Scope") -> Value:
        value = subject(scope)
        for case, outcome in zip(cases, outcomes[:-1], strict=True):
            other = case(scope)
            if value == other or (is_blank(value) and is_blank(other)):
                return outcome(scope)
        return outcomes[-1](scope)

    return result, run_case


def _blank(name: str) -> Form:
    def form(
        nodes: Sequence[Node], types: Types, compile_node: Compile
    ) -> "tuple[Type, Run]":
        counted(name, nodes, 1, 1)
        found, run = compile_node(nodes[0], types)
        if found is Type.PICKLIST:
            raise picklist_misused(nodes[0])
        return Type.BOOLEAN, lambda scope: is_blank(run(scope))

    return form


def _blank_value(name: str) -> Form:
    def form(
        nodes: Sequence[Node], types: Types, compile_node: Compile
    ) -> "tuple[Type, Run]":
        counted(name, nodes, 2, 2)
        result, (first, instead) = _one_type(name, nodes, types, compile_node)

        def run(scope: "Scope") -> Value:
            value = first(scope)
            return instead(scope) if is_blank(value) else value

        return result, run

    return form


def _is_pick_value(
    nodes: Sequence[Node], types: Types, compile_node: Compile
) -> "tuple[Type, Run]":
    counted("ISPICKVAL", nodes, 2, 2)
    found, run = compile_node(nodes[0], types)
    if found is not Type.PICKLIST:
        raise mistyped("ISPICKVAL", "Picklist", found)
    if not isinstance(nodes[1], Literal) or not isinstance(nodes[1].value, str):
        raise FormulaError(
            "Incorrect parameter type for function 'ISPICKVAL()'. "
            "Expected Text Literal, received "
            f"{compile_node(nodes[1], types)[0].value}"
        )
    wanted = nodes[1].value
    return Type.BOOLEAN, lambda scope: (run(scope) or "") == wanted


def _includes(
    nodes: Sequence[Node], types: Types, compile_node: Compile
) -> "tuple[Type, Run]":
    counted("INCLUDES", nodes, 2, 2)
    found, run = compile_node(nodes[0], types)
    if found is not Type.MULTIPICKLIST:
        raise mistyped("INCLUDES", "Multipicklist", found)
    wanted_type, wanted = compile_node(nodes[1], types)
    if wanted_type is not Type.TEXT:
        raise mistyped("INCLUDES", "Text", wanted_type)
    return Type.BOOLEAN, lambda scope: wanted(scope) in str(run(scope) or "").split(";")


def _text(
    nodes: Sequence[Node], types: Types, compile_node: Compile
) -> "tuple[Type, Run]":
    counted("TEXT", nodes, 1, 1)
    found, run = compile_node(nodes[0], types)
    if found is Type.MULTIPICKLIST:
        raise picklist_misused(nodes[0])
    if found in {Type.TEXT, Type.BOOLEAN}:
        raise mistyped("TEXT", "Number, Date, DateTime, Picklist", found)
    return Type.TEXT, lambda scope: as_text(run(scope))


def _field(name: str, nodes: Sequence[Node], types: Types) -> tuple[str, Type]:
    counted(name, nodes, 1, 1)
    if not isinstance(nodes[0], Reference):
        raise FormulaError(
            f"Incorrect parameter type for function '{name}()'. Expected Field"
        )
    return nodes[0].path, types(nodes[0].path)


def _is_changed(
    nodes: Sequence[Node], types: Types, _compile: Compile
) -> "tuple[Type, Run]":
    path, _ = _field("ISCHANGED", nodes, types)

    def run(scope: "Scope") -> Value:
        """False while a record is created, whatever its fields hold."""
        if scope.is_new:
            return False
        before, after = scope.prior(path), scope.value(path)
        return before != after and not (is_blank(before) and is_blank(after))

    return Type.BOOLEAN, run


def _prior_value(
    nodes: Sequence[Node], types: Types, _compile: Compile
) -> "tuple[Type, Run]":
    path, found = _field("PRIORVALUE", nodes, types)
    return found, lambda scope: scope.value(path) if scope.is_new else scope.prior(path)


def _is_new(
    nodes: Sequence[Node], _types: Types, _compile: Compile
) -> "tuple[Type, Run]":
    counted("ISNEW", nodes, 0, 0)
    return Type.BOOLEAN, lambda scope: scope.is_new


FORMS: dict[str, Form] = {
    "AND": _and,
    "&&": _and,
    "OR": _or,
    "||": _or,
    "IF": _if,
    "CASE": _case,
    "ISBLANK": _blank("ISBLANK"),
    "ISNULL": _blank("ISNULL"),
    "BLANKVALUE": _blank_value("BLANKVALUE"),
    "NULLVALUE": _blank_value("NULLVALUE"),
    "ISPICKVAL": _is_pick_value,
    "INCLUDES": _includes,
    "TEXT": _text,
    "ISCHANGED": _is_changed,
    "PRIORVALUE": _prior_value,
    "ISNEW": _is_new,
}
