"""Workflow files: outbound messages, alerts, field updates and rules."""

from collections.abc import Iterator

from sidecar.package.lint import expressions, references
from sidecar.package.lint.expressions import Scope
from sidecar.package.lint.findings import Finding
from sidecar.package.lint.index import Index
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source

# Type of an action in a rule -> element that holds its definition.
_ACTIONS = {
    "Alert": "alerts",
    "FieldUpdate": "fieldUpdates",
    "OutboundMessage": "outboundMessages",
    "Task": "tasks",
}


def check(index: Index) -> Iterator[Finding]:
    """Yield what is wrong in workflow files; each is named by its object."""
    for source in index.of("Workflow"):
        if missing := index.missing_object(source.name):
            yield missing.at(source.path, 1, source.name)
        for message in source.root.all("outboundMessages"):
            yield from _message(index, source, message)
        for update in source.root.all("fieldUpdates"):
            yield from _update(index, source, update)
        for alert in source.root.all("alerts"):
            yield from _alert(index, source, alert)
        for rule in source.root.all("rules"):
            yield from _rule(index, source, rule)
        yield from _repeated(source)


def _message(index: Index, source: Source, message: Node) -> Iterator[Finding]:
    name = f"{source.name}.{message.get('fullName')}"
    for node in message.all("fields"):
        yield from references.field(index, source, source.name, node)
    url = message.one("endpointUrl")
    if url is not None and not url.text.lower().startswith("https://"):
        said = f"{name} goes to {url.text}, where everybody on the way can read it"
        yield finding("workflow/plain-http", source.path, url, name, said)
    session = message.one("includeSessionId")
    if session is not None and session.text == "true":
        said = f"{name} sends a session of the integration user along"
        yield finding("content/session", source.path, session, name, said)
    seen: set[str] = set()
    for node in message.all("fields"):
        if node.text.lower() in seen:
            said = f"{name} sends {node.text} twice"
            yield finding("workflow/duplicate", source.path, node, node.text, said)
        seen.add(node.text.lower())


def _update(index: Index, source: Source, update: Node) -> Iterator[Finding]:
    owner = source.name
    if update.get("targetObject"):
        return  # the name of a lookup, of which the other side is updated
    node = update.one("field")
    yield from references.field(index, source, owner, node)
    literal = update.one("literalValue")
    if node is not None and literal is not None:
        scope = Scope(index, source.path, literal, source.name, owner)
        yield from expressions.value_of(owner, node.text, literal.text, scope)
    if formula := update.one("formula"):
        scope = Scope(index, source.path, formula, update.get("fullName"), owner)
        yield from expressions.check(formula.text, scope)


def _alert(index: Index, source: Source, alert: Node) -> Iterator[Finding]:
    template = alert.one("template")
    if template is not None and not template.text.startswith("unfiled$public"):
        yield from references.component(
            index, source, "email-template", "EmailTemplate", template
        )
    for node in alert.all("recipients", "field"):
        if node.text.lower().endswith("__c"):
            yield from references.field(index, source, source.name, node)


def _rule(index: Index, source: Source, rule: Node) -> Iterator[Finding]:
    for node in rule.all("criteriaItems", "field"):
        if node.text.lower().endswith("__c"):
            yield from references.full_field(index, source, node)
    if formula := rule.one("formula"):
        scope = Scope(index, source.path, formula, rule.get("fullName"), source.name)
        yield from expressions.check(formula.text, scope)
    actions = [*rule.all("actions"), *rule.all("workflowTimeTriggers", "actions")]
    for action in actions:
        tag = _ACTIONS.get(action.get("type"))
        name = action.one("name")
        if tag is None or name is None:
            continue
        known = source.root.texts(tag, "fullName")
        if name.text not in known:
            message = f"{rule.get('fullName')} calls {name.text}, which is not there"
            yield finding(
                "reference/workflow-action", source.path, name, name.text, message
            )


def _repeated(source: Source) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for node in source.root.kids:
        key = node.name, node.get("fullName").lower()
        if key in seen:
            message = f"{source.name} has two {node.name} {node.get('fullName')}"
            yield finding(
                "source/duplicate", source.path, node, node.get("fullName"), message
            )
        seen.add(key)
