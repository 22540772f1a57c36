"""From the XML of one element to a step of the flow."""

from __future__ import annotations

from collections.abc import Callable

from sidecar.devorg.flows.model import (
    AFTER_SAVE,
    BEFORE_DELETE,
    BEFORE_SAVE,
    SCHEDULED,
)
from sidecar.devorg.flows.names import Names, cannot_run, check_fit, written_as
from sidecar.devorg.flows.read_data import (
    read_create,
    read_delete,
    read_lookup,
    read_update,
)
from sidecar.devorg.flows.steps import (
    Assign,
    Assignment,
    CustomError,
    Decision,
    Loop,
    Outcome,
    SendOutboundMessage,
    Step,
    Whole,
)
from sidecar.devorg.flows.wiring import name_of, target
from sidecar.devorg.formula import Type
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    child,
    children,
    flag,
    text,
)

# What the flow builder calls each element in its messages.
KINDS = {
    "actionCalls": "Action",
    "assignments": "Assignment",
    "customErrors": "Custom Error",
    "decisions": "Decision",
    "loops": "Loop",
    "recordCreates": "Create Records",
    "recordDeletes": "Delete Records",
    "recordLookups": "Get Records",
    "recordUpdates": "Update Records",
}
_NOT_BEFORE_SAVE = frozenset(("recordCreates", "recordDeletes", "actionCalls"))
FIRST_OUTBOUND_API = 53.0
_LONGEST_ERROR = 255


def read_step(names: Names, element: Element, kind: str, *, api_version: float) -> Step:
    """
    Read one element.

    Args:
        kind: the element's name, a key of ``KINDS``.

    Raises:
        Problem: Salesforce would refuse it, or this org cannot run it.
    """
    where = where_of(element, kind)
    if names.trigger == BEFORE_SAVE and kind in _NOT_BEFORE_SAVE:
        raise _not_with(where, BEFORE_SAVE)
    if kind == "actionCalls":
        return _action(names, where, element, api_version)
    return _READERS[kind](names, where, element)


def where_of(element: Element, kind: str) -> str:
    """Return how messages name an element."""
    return f"{text(element, 'name')} ({KINDS[kind]})"


def _not_with(where: str, trigger: str) -> Problem:
    return Problem(
        f"{where} - The element can't be used in flows with the trigger type {trigger}."
    )


def _decision(names: Names, where: str, element: Element) -> Step:
    outcomes = tuple(
        Outcome(
            name=name_of(rule),
            test=names.test(
                where,
                [
                    (text(each, "leftValueReference") or "", each, "rightValue")
                    for each in children(rule, "conditions")
                ],
                text(rule, "conditionLogic"),
            ),
            only_when_changed_to_meet=flag(
                rule, "doesRequireRecordChangedToMeetCriteria"
            ),
            target=target(rule),
        )
        for rule in children(element, "rules")
    )
    return Decision(name_of(element), outcomes, target(element, "defaultConnector"))


def _assignment(names: Names, where: str, element: Element) -> Step:
    items = tuple(
        _assign(names, where, each) for each in children(element, "assignmentItems")
    )
    return Assignment(name_of(element), items, target(element))


def _assign(names: Names, where: str, element: Element) -> Assign:
    to = text(element, "assignToReference") or ""
    operator = text(element, "operator") or ""
    given = names.any_operand(where, child(element, "value"))
    whole = names.resources.whole(to)
    if to.startswith("$") and not to.startswith("$Record."):
        raise Problem(f"{where} - The value of {to} can't be set.")
    if operator == "AssignCount":
        if not (isinstance(given, Whole) and given.collection):
            raise Problem(f"{where} - {operator} needs a collection.")
        check_fit(where, to, names.type(where, to), Type.NUMBER)
    elif whole is None:
        if isinstance(given, Whole):
            raise Problem(f"{where} - {to} can't hold {given.path}.")
        _check_value(names, where, to, operator, given.type)
    else:
        allowed = {"Assign", "Add"} if whole.collection else {"Assign"}
        if operator not in allowed:
            raise cannot_run(f"{where} - operator {operator}")
        _check_whole(where, whole, given, operator)
    return Assign(to, operator, given)


def _check_value(names: Names, where: str, to: str, operator: str, given: Type) -> None:
    if operator not in {"Assign", "Add", "Subtract"}:
        raise cannot_run(f"{where} - operator {operator}")
    found = names.type(where, to)
    field = names.resources.field_of(to)
    if field is None:
        check_fit(where, to, found, given)
        return
    root, _, rest = to.partition(".")
    if "." in rest:
        raise Problem(f"{where} - The value of {to} can't be set.")
    names.check_writable(where, names.resources.records[root], field)
    check_fit(where, to, written_as(field), given)


def _check_whole(where: str, to: Whole, given: object, operator: str) -> None:
    of = given.of if isinstance(given, Whole) else getattr(given, "type", None)
    fits = of == to.of or of is Type.NULL
    if isinstance(given, Whole):
        fits = fits and (
            given.collection is to.collection
            or (operator == "Add" and not given.collection)
        )
    elif of is not Type.NULL:
        fits = fits and operator == "Add"
    if not fits:
        raise Problem(f"{where} - The value is not compatible with {to.path}.")


def _loop(names: Names, where: str, element: Element) -> Step:
    name = name_of(element)
    collection = names.whole(where, text(element, "collectionReference") or "")
    if not collection.collection:
        raise Problem(f"{where} - {collection.path} isn't a collection.")
    variable = text(element, "assignNextValueToReference") or name
    if variable != name:
        held = names.resources.whole(variable)
        of = held.of if held else names.type(where, variable)
        if of != collection.of:
            raise Problem(f"{where} - The value is not compatible with {variable}.")
    return Loop(
        name=name,
        collection=collection.path,
        variable=variable,
        backwards=text(element, "iterationOrder") == "Desc",
        each=target(element, "nextValueConnector"),
        after=target(element, "noMoreValuesConnector"),
    )


def _custom_error(names: Names, where: str, element: Element) -> Step:
    if names.trigger not in {BEFORE_SAVE, AFTER_SAVE, BEFORE_DELETE}:
        raise _not_with(where, names.trigger)
    messages = list(children(element, "customErrorMessages"))
    if len(messages) != 1 or target(element) is not None:
        raise cannot_run(f"{where} - several messages, or a step after it")
    message = text(messages[0], "errorMessage") or ""
    if len(message) > _LONGEST_ERROR:
        raise Problem(f"{where} - The error message is longer than {_LONGEST_ERROR}.")
    names.check_text(where, message)
    field = None
    if flag(messages[0], "isFieldError"):
        field = names.field(
            where, names.object_name, text(messages[0], "fieldSelection") or ""
        ).name
    return CustomError(name_of(element), message, field)


def _action(names: Names, where: str, element: Element, api_version: float) -> Step:
    """An outbound message; its fault path is never taken: queueing cannot fail."""
    kind, action = text(element, "actionType"), text(element, "actionName") or ""
    if kind != "outboundMessage":
        raise cannot_run(f"{where} - action type {kind}")
    if api_version < FIRST_OUTBOUND_API:
        raise Problem(
            f'{where} - The action type "Outbound Messages" can\'t be used in flows '
            'with the process type "Autolaunched Flow".'
        )
    if names.trigger in {BEFORE_DELETE, SCHEDULED}:
        raise _not_with(where, names.trigger)
    found = names.work.components.get("WorkflowOutboundMessage", action)
    if found is None or action.partition(".")[0] != names.object_name:
        raise Problem(
            f"{where} - We can't find an action with the name and action type that "
            "you specified."
        )
    if text(element, "flowTransactionModel") == "NewTransaction":
        raise Problem(
            f"{where} - The action can't be used with the flowTransactionModel "
            "NewTransaction."
        )
    for each in children(element, "inputParameters"):
        raise cannot_run(f"{where} - input parameter {text(each, 'name')}")
    return SendOutboundMessage(name_of(element), found.full_name, target(element))


_READERS: dict[str, Callable[[Names, str, Element], Step]] = {
    "assignments": _assignment,
    "customErrors": _custom_error,
    "decisions": _decision,
    "loops": _loop,
    "recordCreates": read_create,
    "recordDeletes": read_delete,
    "recordLookups": read_lookup,
    "recordUpdates": read_update,
}
