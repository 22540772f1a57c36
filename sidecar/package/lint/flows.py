"""Flows: what they name exists, and what they do is allowed where they do it."""

import re
from collections.abc import Iterator

from sidecar.package.lint import expressions, formulas
from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.flow import Flow
from sidecar.package.lint.index import Index
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding

# Outbound messages as a flow's action came with this version; before it, "action type
# outboundMessage is not allowed".
_OUTBOUND_SINCE = 53.0
# They may point to records of several objects, and an entry formula cannot name them:
# Salesforce then says that the field does not exist.
_POLYMORPHIC = re.compile(r"\$Record(?:__Prior)?\.(OwnerId|WhoId|WhatId|Owner:\w+)\b")
# What a flow that runs before the save may do.
_BEFORE_SAVE = frozenset(
    {"assignments", "decisions", "loops", "recordLookups", "customErrors"}
    | {"collectionProcessors", "transforms", "subflows"}
)


def check(index: Index) -> Iterator[Finding]:
    """Yield what is wrong in the project's flows."""
    for source in index.of("Flow"):
        flow = Flow(index, source)
        yield from _start(flow)
        yield from _names(flow)
        yield from _records(flow)
        yield from _actions(flow)
        yield from _references(flow)
        yield from _values(flow)
        yield from _before_save(flow)
        yield from _reached(flow)


def _start(flow: Flow) -> Iterator[Finding]:
    start, index = flow.start, flow.index
    owner = start.get("object")
    if owner:
        yield from flow.at(index.missing_object(owner), start)
    text = start.get("filterFormula")
    if node := start.one("filterFormula"):
        for match in dict.fromkeys(_POLYMORPHIC.findall(text)):
            message = f"the entry formula of {flow.source.name} names {match}"
            yield flow.say("flow/polymorphic-entry", node, match, message)
    for node in start.all("filters"):
        yield from _field(flow, owner, node.one("field"))
    for node in start.all("scheduledPaths"):
        yield from _field(flow, owner, node.one("recordField"))
    status = flow.root.get("status")
    if status and status != "Active":
        message = f"flow {flow.source.name} is {status}: it does nothing when deployed"
        node = flow.root.one("status") or flow.root
        yield flow.say("flow/inactive", node, flow.source.name, message)


def _names(flow: Flow) -> Iterator[Finding]:
    seen: set[str] = set()
    for node in flow.root.kids:
        name = node.one("name")
        if name is None or not name.text or node.name == "processMetadataValues":
            continue
        if name.text.lower() in seen:
            message = f"{flow.source.name} has two elements named {name.text}"
            yield flow.say("flow/duplicate-name", name, name.text, message)
        seen.add(name.text.lower())


def _field(flow: Flow, owner: str, node: Node | None) -> Iterator[Finding]:
    if owner and node is not None and node.text:
        yield from flow.at(flow.index.missing_field(owner, node.text), node)


def _records(flow: Flow) -> Iterator[Finding]:
    """Elements that name an object and its fields."""
    kinds = ("recordCreates", "recordUpdates", "recordLookups", "recordDeletes")
    for kind in (*kinds, "dynamicChoiceSets"):
        for node in flow.root.all(kind):
            owner = node.get("object") or flow.owner(node.get("inputReference"))
            if named := node.one("object"):
                yield from flow.at(flow.index.missing_object(named.text), named)
            for tag in ("filters", "inputAssignments", "outputAssignments"):
                for part in node.all(tag):
                    yield from _field(flow, owner, part.one("field"))
            for tag in ("queriedFields", "sortField", "displayField", "valueField"):
                for part in node.all(tag):
                    yield from _field(flow, owner, part)
            if picklist := node.one("picklistField"):
                yield from _field(flow, node.get("picklistObject"), picklist)
    for node in flow.root.all("variables"):
        if named := node.one("objectType"):
            yield from flow.at(flow.index.missing_object(named.text), named)
    for node in flow.root.all("customErrors", "customErrorMessages"):
        yield from _field(flow, flow.start.get("object"), node.one("fieldSelection"))


def _actions(flow: Flow) -> Iterator[Finding]:
    for node in flow.root.all("actionCalls"):
        name = node.get("actionName")
        where = node.one("actionName") or node
        match node.get("actionType"):
            case "outboundMessage":
                yield from _outbound_message(flow, node, where, name)
            case "emailAlert":
                yield from _of_workflow(flow, where, name, "alerts", "EmailAlert")
            case "apex":
                yield from _component(flow, where, "reference/apex", "Apex", name)
            case "quickAction":
                rule = "reference/quick-action"
                yield from _component(flow, where, rule, "QuickAction", name)
            case "flow":
                yield from _component(flow, where, "reference/flow", "Flow", name)
            case _:
                pass
    for node in flow.root.all("subflows", "flowName"):
        yield from _component(flow, node, "reference/flow", "Flow", node.text)


def _component(
    flow: Flow, node: Node, rule: str, kind: str, name: str
) -> Iterator[Finding]:
    yield from flow.at(flow.index.missing(rule, kind, name), node)


def _of_workflow(
    flow: Flow, node: Node, name: str, tag: str, kind: str
) -> Iterator[Finding]:
    """What a workflow file holds can only be missed where the project has that file."""
    owner, _, own = name.partition(".")
    workflow = flow.index.names.get("Workflow", {})
    known = flow.index.names.get(kind, {})
    if name.lower() in known or flow.index.foreign(own):
        return
    rule = "reference/outbound-message" if tag != "alerts" else "reference/email-alert"
    message = f"{flow.source.name}: there is no {name}"
    yield finding(
        rule,
        flow.source.path,
        node,
        name,
        message + flow.index.words(kind).nearest(name),
        level=None if owner.lower() in workflow else Level.WARNING,
    )


def _outbound_message(
    flow: Flow, node: Node, where: Node, name: str
) -> Iterator[Finding]:
    yield from _of_workflow(flow, where, name, "outboundMessages", "OutboundMessage")
    called = node.get("name")
    if node.get("flowTransactionModel") != "CurrentTransaction":
        message = f"{called} sends an outbound message, but not in CurrentTransaction"
        spot = node.one("flowTransactionModel") or node
        yield flow.say("flow/transaction-model", spot, called, message)
    version = flow.root.get("apiVersion")
    if _number(version) < _OUTBOUND_SINCE:
        said = f"has version {version}" if version else "has no apiVersion"
        message = f"{called} sends an outbound message, but the flow {said}"
        spot = flow.root.one("apiVersion") or flow.root
        yield flow.say("flow/api-version", spot, flow.source.name, message)
    if flow.start.get("recordTriggerType") == "Delete":
        message = f"{called} sends an outbound message of a record that is deleted"
        yield flow.say("flow/delete-outbound-message", node, called, message)
    owner = flow.start.get("object")
    if owner and name and name.partition(".")[0].lower() != owner.lower():
        message = f"{called} sends {name}, but the flow runs on {owner}"
        yield flow.say("flow/other-object", where, name, message)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _references(flow: Flow) -> Iterator[Finding]:
    """Connectors, references to elements, and merge fields in texts and formulas."""
    for node in flow.root.walk():
        match node.name:
            case "targetReference" | "startElementReference":
                if node.text.lower() not in flow.elements:
                    yield from _unknown_element(flow, node, node.text)
            case (
                "elementReference"
                | "leftValueReference"
                | "assignToReference"
                | "inputReference"
                | "outputReference"
                | "collectionReference"
                | "assignNextValueToReference"
                | "assignRecordIdToReference"
            ):
                yield from _reference(flow, node, node.text)
            case "expression" | "filterFormula" | "formula" | "formulaExpression":
                yield from _formula(flow, node)
            case "text" | "stringValue" | "fieldText" | "helpText" | "errorMessage":
                for merged in dict.fromkeys(formulas.merged(node.text)):
                    yield from _reference(flow, node, merged)
            case _:
                pass


def _unknown_element(flow: Flow, node: Node, name: str) -> Iterator[Finding]:
    message = f"{flow.source.name} has no element {name}"
    near = flow.words.nearest(name)
    yield flow.say("reference/flow-element", node, name, message + near)


def _reference(flow: Flow, node: Node, reference: str) -> Iterator[Finding]:
    """Judge ``$Record.X__c``, ``Get_Lead.X__c``, ``$Label.X`` or a resource's name."""
    head, _, rest = reference.partition(".")
    owner = flow.owner(head)
    if owner:
        if rest and ":" not in rest:
            yield from flow.at(flow.index.missing_field(owner, rest), node)
    elif head.startswith("$"):
        yield from expressions.global_variable(reference, flow.scope(node))
    elif not head or re.search(r"[^\w]", head):
        return  # a function, a collection's item, or no reference at all
    elif head.lower() not in flow.names:
        yield from _unknown_element(flow, node, head)


def _formula(flow: Flow, node: Node) -> Iterator[Finding]:
    formula = formulas.read(node.text)
    scope = flow.scope(node)
    yield from expressions.syntax(formula, scope)
    for reference in dict.fromkeys(formula.references):
        yield from _reference(flow, node, reference)
    for subject, value in formula.compared:
        head, _, rest = subject.partition(".")
        yield from expressions.value_of(flow.owner(head), rest, value, scope)


def _values(flow: Flow) -> Iterator[Finding]:
    """Texts that fields are set to or compared with are among the picklist's."""
    for node in flow.root.walk():
        if node.name in {"filters", "inputAssignments"}:
            continue  # they do not say the object; their parent does
        for part in node.kids:
            if part.name in {"filters", "inputAssignments"}:
                owner = node.get("object") or flow.owner(node.get("inputReference"))
                yield from _value(flow, owner, part.get("field"), part, "value")
            elif part.name == "conditions":
                head, _, field = part.get("leftValueReference").partition(".")
                if part.get("operator") in {"EqualTo", "NotEqualTo"}:
                    owner = flow.owner(head)
                    yield from _value(flow, owner, field, part, "rightValue")
            elif part.name == "assignmentItems":
                head, _, field = part.get("assignToReference").partition(".")
                yield from _value(flow, flow.owner(head), field, part, "value")


def _value(
    flow: Flow, owner: str, field: str, part: Node, tag: str
) -> Iterator[Finding]:
    literal = part.one(tag, "stringValue")
    plain = part.get("operator") in {"", "EqualTo", "NotEqualTo", "Assign"}
    if literal is not None and owner and field and plain:
        scope = flow.scope(literal)
        yield from expressions.value_of(owner, field, literal.text, scope)


def _before_save(flow: Flow) -> Iterator[Finding]:
    if flow.start.get("triggerType") != "RecordBeforeSave":
        return
    for node in flow.elements.values():
        if node.name not in _BEFORE_SAVE:
            name = node.get("name")
            message = f"{name} is a {node.name}: a flow before the save cannot do that"
            yield flow.say("flow/before-save", node, name, message)


def _reached(flow: Flow) -> Iterator[Finding]:
    """Is there a way from the start to each element?"""
    first = [
        node.text.lower()
        for node in flow.start.walk()
        if node.name == "targetReference"
    ]
    first += [text.lower() for text in flow.root.texts("startElementReference")]
    reached: set[str] = set()
    waiting = list(first)
    while waiting:
        name = waiting.pop()
        if name in reached or name not in flow.elements:
            continue
        reached.add(name)
        waiting += [
            node.text.lower()
            for node in flow.elements[name].walk()
            if node.name == "targetReference"
        ]
    targets = {node.text for node in flow.root.walk() if node.name == "targetReference"}
    if not first or any(target.lower() not in flow.elements for target in targets):
        return  # a connector leads nowhere, which is told already
    for name, node in flow.elements.items():
        if name not in reached and node.name != "steps":
            said = node.get("name")
            message = f"nothing leads to {said} in {flow.source.name}"
            yield flow.say("flow/unreached", node, said, message)
