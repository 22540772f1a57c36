"""From the XML of one element to a step of the flow."""

from __future__ import annotations

from collections.abc import Callable

from sidecar.devorg.flows.model import (
    Assign,
    Assignment,
    Decision,
    Outcome,
    RecordCreate,
    RecordLookup,
    RecordUpdate,
    SendOutboundMessage,
    Step,
)
from sidecar.devorg.flows.names import Names, cannot_run, check_fit
from sidecar.devorg.formula import Type
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    child,
    children,
    flag,
    text,
)
from sidecar.devorg.metadata.formula_scope import type_of

# What the flow builder calls each element in its messages.
KINDS = {
    "actionCalls": "Action",
    "assignments": "Assignment",
    "decisions": "Decision",
    "recordCreates": "Create Records",
    "recordLookups": "Get Records",
    "recordUpdates": "Update Records",
}
FIRST_OUTBOUND_API = 53.0


def read_step(names: Names, element: Element, kind: str, *, api_version: float) -> Step:
    """
    Read one element.

    Args:
        kind: the element's name, a key of ``KINDS``.

    Raises:
        Problem: Salesforce would refuse it, or this org cannot run it.
    """
    where = where_of(element, kind)
    if names.before_save and kind in {"recordCreates", "actionCalls"}:
        raise _not_before_save(where)
    if kind == "actionCalls":
        return _action(names, where, element, api_version)
    return _READERS[kind](names, where, element)


def where_of(element: Element, kind: str) -> str:
    """Return how messages name an element."""
    return f"{text(element, 'name')} ({KINDS[kind]})"


def target(element: Element, name: str = "connector") -> str | None:
    """Return the name of the element that a connector leads to."""
    connector = child(element, name)
    return None if connector is None else text(connector, "targetReference")


def _not_before_save(where: str) -> Problem:
    return Problem(
        f"{where} - The element can't be used in flows with the trigger type "
        "RecordBeforeSave."
    )


def _name(element: Element) -> str:
    return text(element, "name") or ""


def _decision(names: Names, where: str, element: Element) -> Step:
    outcomes = tuple(
        Outcome(
            name=_name(rule),
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
    return Decision(_name(element), outcomes, target(element, "defaultConnector"))


def _assignment(names: Names, where: str, element: Element) -> Step:
    items = []
    for each in children(element, "assignmentItems"):
        to, operator = text(each, "assignToReference") or "", text(each, "operator")
        if operator not in {"Assign", "Add", "Subtract"}:
            raise cannot_run(f"{where} - operator {operator}")
        if to.startswith("$Record.") and not names.before_save:
            raise cannot_run(f"{where} - assignment to {to} after the save")
        wanted = names.type(where, to)
        value = names.operand(where, child(each, "value"))
        check_fit(where, to, wanted, value.type)
        items.append(Assign(to, operator, value))
    return Assignment(_name(element), tuple(items), target(element))


def _lookup(names: Names, where: str, element: Element) -> Step:
    if not flag(element, "getFirstRecordOnly"):
        raise cannot_run(f"{where} - collection of records")
    query = names.query(where, element)
    outputs = tuple(
        (text(each, "field") or "", text(each, "assignToReference") or "")
        for each in children(element, "outputAssignments")
    )
    for field, to in outputs:
        found = type_of(names.field(where, query.object_name, field))
        check_fit(where, to, names.type(where, to), found)
    sort = text(element, "sortField")
    if sort:
        sort = names.field(where, query.object_name, sort).name
    return RecordLookup(
        name=_name(element),
        query=query,
        sort_field=sort,
        descending=text(element, "sortOrder") == "Desc",
        stores_itself=flag(element, "storeOutputAutomatically"),
        outputs=outputs,
        null_if_none=flag(element, "assignNullValuesIfNoRecordsFound"),
        target=target(element),
        fault=target(element, "faultConnector"),
    )


def _update(names: Names, where: str, element: Element) -> Step:
    given = text(element, "inputReference")
    if given not in {None, "$Record"}:
        raise cannot_run(f"{where} - inputReference {given}")
    query = None if given else names.query(where, element)
    if names.before_save and query is not None:
        raise _not_before_save(where)
    object_name = query.object_name if query else names.object.name
    return RecordUpdate(
        name=_name(element),
        query=query,
        values=names.values(where, object_name, element),
        target=target(element),
        fault=target(element, "faultConnector"),
    )


def _create(names: Names, where: str, element: Element) -> Step:
    if given := text(element, "inputReference"):
        raise cannot_run(f"{where} - inputReference {given}")
    object_name = names.object_named(where, text(element, "object") or "")
    id_to = text(element, "assignRecordIdToReference")
    if id_to:
        check_fit(where, id_to, names.type(where, id_to), Type.TEXT)
    return RecordCreate(
        name=_name(element),
        object_name=object_name,
        values=names.values(where, object_name, element),
        id_to=id_to,
        stores_itself=flag(element, "storeOutputAutomatically"),
        target=target(element),
        fault=target(element, "faultConnector"),
    )


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
    found = names.work.components.get("WorkflowOutboundMessage", action)
    if found is None or action.partition(".")[0] != names.object.name:
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
    return SendOutboundMessage(_name(element), found.full_name, target(element))


_READERS: dict[str, Callable[[Names, str, Element], Step]] = {
    "assignments": _assignment,
    "decisions": _decision,
    "recordCreates": _create,
    "recordLookups": _lookup,
    "recordUpdates": _update,
}
