"""Custom objects, their fields, record types and validation rules."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from sidecar.package.lint import expressions, references
from sidecar.package.lint.expressions import Scope
from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.index import Index
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source
from sidecar.package.lint.things import Field, Object

# Source: "Custom Field Allocations Per Object" and "Field History Tracking", Salesforce
# Help.
MOST_TRACKED = 20
# Suffix of an object -> what each of its kind needs.
_WANTED: Mapping[str, tuple[str, ...]] = {
    "c": ("label", "pluralLabel", "nameField", "deploymentStatus", "sharingModel"),
    "e": ("label", "pluralLabel", "deploymentStatus", "eventType"),
    "mdt": ("label", "pluralLabel"),
}
# Record types of these need a process that says which stages they have.
_WITH_PROCESS = frozenset({"lead", "opportunity", "case", "solution"})
_BYPASSES = ("$permission.", "$setup.", "$profile.", "$user.", "$custommetadata.")


def check(index: Index) -> Iterator[Finding]:
    """Yield what is wrong with objects and what belongs to them."""
    for thing in index.objects.values():
        yield from _object(index, thing)
        yield from _history(thing)
    yield from _relationships(index)
    for source in index.of("ValidationRule"):
        yield from _validation(index, source)
    for source in index.of("RecordType"):
        yield from _record_type(index, source)
    for source in index.of("CustomMetadata"):
        yield from _custom_metadata(index, source)


def _object(index: Index, thing: Object) -> Iterator[Finding]:
    source = thing.source
    if source is None:
        return
    root, name = source.root, thing.name
    yield from _complete(thing, source)
    details = [one for one in thing.fields.values() if one.type == "MasterDetail"]
    model = root.one("sharingModel")
    if model is not None:
        if model.text == "ControlledByParent" and not details and thing.whole:
            message = f"{name} is ControlledByParent, but has no master-detail field"
            yield finding("object/sharing", source.path, model, name, message)
        elif model.text != "ControlledByParent" and details:
            message = f"{name} is {model.text}, but {details[0].name} is master-detail"
            yield finding("object/sharing", source.path, model, name, message)
    layout = root.one("compactLayoutAssignment")
    if layout is not None and layout.text not in {"", "SYSTEM"}:
        full = f"{name}.{layout.text}"
        yield from references.component(
            index, source, "compact-layout", "CompactLayout", layout, full
        )
    for override in root.all("actionOverrides"):
        if override.get("type").lower() == "flexipage":
            node = override.one("content")
            yield from references.component(index, source, "page", "FlexiPage", node)


def _complete(thing: Object, source: Source) -> Iterator[Finding]:
    root, name = source.root, thing.name
    suffix = name.lower().rpartition("__")[2] if "__" in name else ""
    wanted = _WANTED.get(suffix, ())
    if root.get("customSettingsType"):
        wanted = ("label",)
    for tag in wanted:
        if root.one(tag) is None:
            message = f"{name} has no {tag}"
            level = None if thing.whole else Level.NOTE
            yield finding(
                "object/incomplete", source.path, root, name, message, level=level
            )


def _history(thing: Object) -> Iterator[Finding]:
    tracked = [
        one for one in thing.fields.values() if one.node.get("trackHistory") == "true"
    ]
    if len(tracked) > MOST_TRACKED:
        path = thing.source.path if thing.source else tracked[-1].path
        message = (
            f"{thing.name} tracks the history of {len(tracked)} fields, "
            f"at most {MOST_TRACKED} may be"
        )
        yield finding("object/history-limit", path, 1, thing.name, message)
    if tracked and thing.whole and thing.source:
        enabled = thing.source.root.one("enableHistory")
        if enabled is None or enabled.text == "false":
            names = ", ".join(one.name for one in tracked)
            message = f"{thing.name} tracks no history, but {names} should be"
            where = enabled or thing.source.root
            yield finding(
                "object/history-off", thing.source.path, where, thing.name, message
            )


def _relationships(index: Index) -> Iterator[Finding]:
    """Is each child relationship name the only one of its parent?"""
    seen: dict[tuple[str, str], list[Field]] = defaultdict(list)
    for one in index.fields:
        relation = one.node.get("relationshipName")
        if one.target and relation:
            seen[one.target.lower(), relation.lower()].append(one)
    for fields in seen.values():
        for one in fields[1:]:
            where = one.node.one("relationshipName") or one.node
            message = (
                f"{one.full_name} and {fields[0].full_name} give {one.target} "
                f"two relationships {where.text}"
            )
            yield finding(
                "field/relationship-duplicate",
                one.path,
                where,
                one.full_name,
                message,
            )


def _validation(index: Index, source: Source) -> Iterator[Finding]:
    root = source.root
    node = root.one("errorConditionFormula")
    if node is not None:
        scope = Scope(index, source.path, node, source.name, source.owner)
        yield from expressions.check(node.text, scope)
        if not any(bypass in node.text.lower() for bypass in _BYPASSES):
            message = f"{source.name} lets nobody past it, integrations included"
            yield finding(
                "validation/no-bypass", source.path, node, source.name, message
            )
    display = root.one("errorDisplayField")
    yield from references.field(index, source, source.owner, display)


def _record_type(index: Index, source: Source) -> Iterator[Finding]:
    root, owner = source.root, source.owner
    if owner.lower() in _WITH_PROCESS and not root.get("businessProcess"):
        message = f"record type {source.name} has no businessProcess"
        yield finding("record-type/no-process", source.path, 1, source.name, message)
    layout = root.one("compactLayoutAssignment")
    if layout is not None and layout.text not in {"", "SYSTEM"}:
        full = f"{owner}.{layout.text}"
        yield from references.component(
            index, source, "compact-layout", "CompactLayout", layout, full
        )
    for row in root.all("picklistValues"):
        node = row.one("picklist")
        yield from references.field(index, source, owner, node)
        one = index.field(owner, node.text) if node is not None else None
        known = index.values(one) if one else None
        for value in row.all("values", "fullName"):
            text = unquote(value.text)
            if one and known is not None and text not in known:
                message = f"{source.name}: {one.full_name} has no value {text!r}"
                yield finding(
                    "reference/picklist-value", source.path, value, text, message
                )


def _custom_metadata(index: Index, source: Source) -> Iterator[Finding]:
    """A record's file is named ``Type.Record``, its type ``Type__mdt``."""
    owner = f"{source.owner}__mdt"
    if missing := index.missing_object(owner):
        yield missing.at(source.path, source.root, source.name)
        return
    seen = Counter(source.root.texts("values", "field"))
    for row in source.root.all("values"):
        node = row.one("field")
        if node is None:
            continue
        yield from references.field(index, source, owner, node)
        if seen[node.text] > 1:
            message = f"{source.name} gives {node.text} twice"
            yield finding("source/duplicate", source.path, node, node.text, message)
        value = row.one("value")
        if value is not None and value.text:
            scope = Scope(index, source.path, value, source.name, owner)
            yield from expressions.value_of(owner, node.text, value.text, scope)
