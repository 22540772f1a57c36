"""Fields: what their type needs, what they refer to, and what people read of them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sidecar.package.lint import expressions, references
from sidecar.package.lint.expressions import Scope
from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.index import Index
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source
from sidecar.package.lint.things import Field

# Source: "CustomField" and "Metadata Field Types", Metadata API Developer Guide.
_NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Text": ("length",),
        "EncryptedText": ("length",),
        "LongTextArea": ("length", "visibleLines"),
        "Html": ("length", "visibleLines"),
        "Number": ("precision", "scale"),
        "Currency": ("precision", "scale"),
        "Percent": ("precision", "scale"),
        "Location": ("scale",),
        "Checkbox": ("defaultValue",),
        "Lookup": ("referenceTo",),
        "MasterDetail": ("referenceTo", "relationshipName"),
        "MetadataRelationship": ("referenceTo",),
        "Hierarchy": ("relationshipName",),
        "Picklist": ("valueSet",),
        "MultiselectPicklist": ("valueSet", "visibleLines"),
        "Summary": ("summaryForeignKey", "summaryOperation"),
    }
)
_NUMBERS = frozenset({"Number", "Currency", "Percent"})
# Type -> least and most of its length.
_LENGTHS = {
    "Text": (1, 255),
    "EncryptedText": (1, 175),
    "LongTextArea": (256, 131_072),
    "Html": (256, 131_072),
}
_EXTERNAL_ID = frozenset({"Text", "Number", "Email", "AutoNumber"})
_UNIQUE = frozenset({"Text", "Number", "Email", "AutoNumber", "Lookup"})


def check(index: Index) -> Iterator[Finding]:
    """Yield what is wrong with the project's fields and value sets."""
    sources = {source.path: source for source in index.of("CustomField")}
    sources |= {source.path: source for source in index.of("CustomObject")}
    for one in index.fields:
        source = sources[one.path]
        if one.name.lower().endswith("__c") and not index.foreign(one.name):
            yield from _told(one)
            yield from _complete(one)
        yield from _refers(index, source, one)
        yield from _picklist(index, source, one)
        if text := one.node.get("formula"):
            node = one.node.one("formula") or one.node
            scope = Scope(
                index, one.path, node, one.full_name, one.object, on_save=False
            )
            yield from expressions.check(text, scope)
    for source in index.of("GlobalValueSet"):
        yield from _values(source.path, source.name, source.root, "customValue")


def _told(one: Field) -> Iterator[Finding]:
    for tag, rule in (
        ("label", "field/label"),
        ("inlineHelpText", "field/help"),
        ("description", "field/description"),
    ):
        if not one.node.get(tag):
            message = f"{one.full_name} has no {tag}"
            yield finding(rule, one.path, one.node, one.full_name, message)


def _complete(one: Field) -> Iterator[Finding]:
    """Has the field what its type needs, and nothing that contradicts it?"""
    node = one.node

    def wrong(rule: str, tag: str, message: str) -> Finding:
        where = node.one(tag) or node
        return finding(rule, one.path, where, one.full_name, message)

    if not one.type:
        yield wrong("field/incomplete", "type", f"{one.full_name} has no type")
        return
    if one.is_formula:
        return
    for tag in _NEEDS.get(one.type, ()):
        if node.one(tag) is None:
            message = f"{one.full_name} is a {one.type} and has no {tag}"
            yield wrong("field/incomplete", tag, message)
    if one.type == "Lookup" and not node.get("relationshipName"):
        message = f"{one.full_name} has no relationshipName"
        yield wrong("field/relationship-name", "relationshipName", message)
    if (
        one.type == "Lookup"
        and node.get("required") == "true"
        and node.get("deleteConstraint") == "SetNull"
    ):
        message = f"{one.full_name} is required, and cleared when its target goes"
        yield wrong("field/set-null-required", "deleteConstraint", message)
    for tag, allowed in (("externalId", _EXTERNAL_ID), ("unique", _UNIQUE)):
        if node.get(tag) == "true" and one.type not in allowed:
            message = f"{one.full_name} is a {one.type}, which cannot be {tag}"
            yield wrong("field/key-type", tag, message)
    yield from _ranges(one)


def _ranges(one: Field) -> Iterator[Finding]:
    length, precision, scale = (
        _whole(one.node.get(tag)) for tag in ("length", "precision", "scale")
    )
    if one.type in _LENGTHS and length is not None:
        least, most = _LENGTHS[one.type]
        if not least <= length <= most:
            where = one.node.one("length") or one.node
            message = f"{one.full_name}: a {one.type} has {least} to {most} characters"
            yield finding("field/range", one.path, where, one.full_name, message)
    if one.type not in _NUMBERS or precision is None or scale is None:
        return
    if not 1 <= precision <= 18 or scale > precision:
        where = one.node.one("precision") or one.node
        message = (
            f"{one.full_name}: {precision} digits, {scale} of them behind the "
            "point, where 18 are possible"
        )
        yield finding("field/range", one.path, where, one.full_name, message)


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _refers(index: Index, source: Source, one: Field) -> Iterator[Finding]:
    node = one.node
    yield from references.an_object(index, source, node.one("referenceTo"))
    for tag in ("summarizedField", "summaryForeignKey"):
        yield from references.full_field(index, source, node.one(tag))
    if (key := node.one("summaryForeignKey")) is not None and "." in key.text:
        yield from _summary(index, one, key)
    for item in node.all("summaryFilterItems", "field"):
        yield from references.full_field(index, source, item)
    for item in node.all("lookupFilter", "filterItems"):
        for tag in ("field", "valueField"):
            part = item.one(tag)
            if part is None or part.text.startswith("$"):
                owner, name = one.object, (part.text if part is not None else "")
                if name.lower().startswith("$source."):
                    rest = name.partition(".")[2]
                    yield from references.field(index, source, owner, part, rest)
                continue
            yield from references.full_field(index, source, part)


def _summary(index: Index, one: Field, key: Node) -> Iterator[Finding]:
    owner, _, name = key.text.partition(".")
    detail = index.field(owner, name)
    if detail is None or not detail.type:
        return
    if detail.type != "MasterDetail" or detail.target.lower() != one.object.lower():
        message = (
            f"{one.full_name} sums over {key.text}, which is no master-detail "
            f"field to {one.object}"
        )
        yield finding("field/summary", one.path, key, one.full_name, message)


def _picklist(index: Index, source: Source, one: Field) -> Iterator[Finding]:
    node = one.node
    shared = node.one("valueSet", "valueSetName")
    if shared is not None:
        yield from references.component(
            index, source, "value-set", "GlobalValueSet", shared
        )
        if node.one("valueSet", "valueSetDefinition"):
            message = f"{one.full_name} has both a global value set and its own values"
            yield finding("picklist/two-sets", one.path, shared, one.full_name, message)
    control = node.one("valueSet", "controllingField")
    yield from references.field(index, source, one.object, control)
    own = node.one("valueSet", "valueSetDefinition")
    if own is not None:
        yield from _values(one.path, one.full_name, own, "value")
    known = index.values(one)
    for row in node.all("valueSet", "valueSettings"):
        name = row.one("valueName")
        if known is not None and name is not None and name.text not in known:
            message = f"{one.full_name} has no value {name.text!r}"
            yield finding(
                "reference/picklist-value", one.path, name, name.text, message
            )


def _values(path: str, owner: str, node: Node, tag: str) -> Iterator[Finding]:
    """Is each value there once, and at most one the default?"""
    rows = list(node.all(tag))
    names = Counter(row.get("fullName").lower() for row in rows)
    labels = Counter(row.get("label").lower() for row in rows if row.get("label"))
    for row in rows:
        name = row.get("fullName")
        if names[name.lower()] > 1:
            message = f"{owner} has the value {name!r} more than once"
            yield finding("picklist/duplicate", path, row, name, message)
        elif labels[row.get("label").lower()] > 1:
            message = f"{owner} has the label {row.get('label')!r} more than once"
            yield finding("picklist/duplicate", path, row, name, message)
    defaults = [row for row in rows if row.get("default") == "true"]
    if len(defaults) > 1:
        message = f"{owner} has {len(defaults)} defaults"
        yield finding("picklist/defaults", path, defaults[-1], owner, message)
    if not rows:
        message = f"{owner} has no values"
        yield finding("picklist/empty", path, node, owner, message, level=Level.ERROR)
