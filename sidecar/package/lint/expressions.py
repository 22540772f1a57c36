"""Judge what a formula names: fields, values, permissions, labels, settings."""

from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.package.lint import formulas
from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.formulas import FUNCTIONS, ON_SAVE, Formula
from sidecar.package.lint.index import Index
from sidecar.package.lint.near import nearest
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a formula stands."""

    index: Index
    path: str
    node: Node
    name: str
    """Of the component that holds it."""
    owner: str
    """Object whose fields it may name; '' where that cannot be told."""
    on_save: bool = True
    """Runs when a record is saved: there, the record has an earlier state."""


def check(text: str, scope: Scope) -> Iterator[Finding]:
    """Yield what is wrong in a formula whose bare names are fields."""
    formula = formulas.read(text)
    yield from syntax(formula, scope)
    for reference in dict.fromkeys(formula.references):
        yield from _reference(reference, scope)
    for subject, value in formula.compared:
        if not subject.startswith("$"):
            yield from value_of(scope.owner, subject, value, scope)


def syntax(formula: Formula, scope: Scope) -> Iterator[Finding]:
    """Yield what is wrong in a formula whatever it names."""
    if formula.problem:
        message = f"the formula of {scope.name} cannot be read: {formula.problem}"
        yield finding("formula/syntax", scope.path, scope.node, scope.name, message)
        return
    for call in formula.calls:
        takes = FUNCTIONS.get(call.function)
        given = len(call.arguments)
        if takes is None:
            near = nearest(call.function, FUNCTIONS)
            message = f"the formula of {scope.name} calls {call.function}, which is"
            yield finding(
                "formula/function",
                scope.path,
                scope.node,
                call.function,
                f"{message} no function that we know{near}",
            )
            continue
        least, most = takes
        if given < least or (most is not None and given > most):
            wanted = f"{least}" if most == least else f"{least} to {most or 'many'}"
            message = f"{call.function} takes {wanted} arguments, not {given}"
            yield finding(
                "formula/arguments", scope.path, scope.node, scope.name, message
            )
        if call.function in ON_SAVE and not scope.on_save:
            message = f"{call.function} only works in what runs when a record is saved"
            yield finding(
                "formula/context", scope.path, scope.node, scope.name, message
            )


def _reference(reference: str, scope: Scope) -> Iterator[Finding]:
    if reference.startswith("$"):
        yield from global_variable(reference, scope)
        return
    # Owner:User.Email: the object is said behind a colon.
    if not scope.owner or ":" in reference:
        return
    missing = scope.index.missing_field(scope.owner, reference)
    if missing:
        yield missing.at(scope.path, scope.node, f"the formula of {scope.name}")


def global_variable(reference: str, scope: Scope) -> Iterator[Finding]:
    """Judge ``$Permission.X``, ``$Label.X``, ``$User.X__c``, ``$Setup.Y__c.X__c``."""
    kind, _, rest = reference.partition(".")
    index, missing = scope.index, None
    match kind.lower():
        case "$permission" | "$label" if "." in rest:
            return  # of another package
        case "$permission":
            missing = index.missing(
                "reference/custom-permission", "CustomPermission", rest
            )
        case "$label":
            missing = index.missing("reference/label", "CustomLabel", rest)
        case "$user" | "$profile" | "$userrole" | "$organization" if "." not in rest:
            missing = index.missing_field(kind[1:], rest)
        case "$setup" if rest.count(".") == 1:
            missing = index.missing_field(*rest.split("."))
        case "$custommetadata" if rest.count(".") == 2:
            owner, _, name = rest.split(".")
            missing = index.missing_field(owner, name)
        case "$objecttype" if ".fields." in rest.lower():
            owner, _, name = rest.split(".")[:3]
            missing = index.missing_field(owner, name)
        case "$api" if "session" in rest.lower():
            message = f"{scope.name} hands out the session of whoever runs it"
            yield finding("content/session", scope.path, scope.node, rest, message)
    if missing:
        yield missing.at(scope.path, scope.node, scope.name)


def value_of(owner: str, field: str, value: str, scope: Scope) -> Iterator[Finding]:
    """Judge a text that a picklist field is compared with, or set to."""
    one = scope.index.field(owner, field) if owner else None
    values = scope.index.values(one) if one else None
    if not one or values is None or not value or "{!" in value:
        return
    restricted = one.node.get("valueSet", "restricted") == "true"
    for part in value.split(";") if one.type == "MultiselectPicklist" else [value]:
        if part.strip() not in values:
            message = f"{scope.name}: {one.full_name} has no value {part.strip()!r}"
            yield finding(
                "reference/picklist-value",
                scope.path,
                scope.node,
                part.strip(),
                message + nearest(part.strip(), values),
                level=None if restricted else Level.WARNING,
            )
