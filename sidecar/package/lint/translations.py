"""Translations: of things that are there, and complete in each shipped language.

A language is shipped when any file translates into it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sidecar.package.lint.findings import Finding
from sidecar.package.lint.index import Index
from sidecar.package.lint.near import nearest
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source
from sidecar.package.lint.things import Field, Missing

# Element of Translations -> type of what it translates, and element with its name.
_NAMED = (
    ("customLabels", "CustomLabel"),
    ("customApplications", "CustomApplication"),
    ("customTabs", "CustomTab"),
    ("quickActions", "QuickAction"),
    ("reportTypes", "ReportType"),
    ("prompts", "Prompt"),
)


def check(index: Index) -> Iterator[Finding]:
    """Yield what is wrong with the project's translations."""
    languages = _languages(index)
    for source in index.of("CustomFieldTranslation"):
        yield from _field(index, source, source.root)
    for source in index.of("CustomObjectTranslation"):
        for node in source.root.all("fields"):
            yield from _field(index, source, node)
        yield from _inside(index, source)
    for source in index.of("GlobalValueSetTranslation"):
        yield from _value_set(index, source)
    for source in index.of("Translations"):
        yield from _names(index, source)
    for language in sorted(languages):
        yield from _objects_complete(index, language)
        yield from _labels_complete(index, language)


def _split(name: str) -> tuple[str, str]:
    """Take ``Lead-de`` apart; no name has a hyphen of its own."""
    owner, _, language = name.rpartition("-")
    return owner, language


def _languages(index: Index) -> dict[str, str]:
    """Language -> a file in it."""
    found: dict[str, str] = {}
    for source in index.of("Translations"):
        found.setdefault(source.name, source.path)
    for source in index.of("CustomObjectTranslation", "GlobalValueSetTranslation"):
        found.setdefault(_split(source.name)[1], source.path)
    return found


# --- what is translated must be there ---


def _no(source: Source, node: Node, name: str, near: str = "") -> Finding:
    message = f"{source.name} translates {name}, which is not there{near}"
    return finding("reference/translated", source.path, node, name, message)


def _field(index: Index, source: Source, node: Node) -> Iterator[Finding]:
    name = node.one("name")
    place = source.owner if source.type == "CustomFieldTranslation" else source.name
    owner, _ = _split(place)
    if name is None:
        return
    if missing := index.missing_field(owner, name.text):
        yield _translated(missing, source, name)
        return
    one = index.field(owner, name.text)
    labels = _labels(index, one) if one else None
    for value in node.all("picklistValues", "masterLabel"):
        if labels is not None and value.text not in labels:
            yield _no(source, value, value.text, nearest(value.text, labels))


def _translated(missing: Missing, source: Source, node: Node) -> Finding:
    return finding(
        "reference/translated",
        source.path,
        node,
        missing.name,
        f"{source.name}: {missing.message}",
        level=missing.level,
        doubtful=missing.doubtful,
    )


def _labels(index: Index, one: Field) -> list[str] | None:
    """Labels of a picklist's own values; None for what the project does not hold."""
    return index.labels(one) if index.values(one) is not None else None


def _inside(index: Index, source: Source) -> Iterator[Finding]:
    owner, _ = _split(source.name)
    if missing := index.missing_object(owner):
        yield _translated(missing, source, source.root)
        return
    thing = index.object(owner)
    if thing is None or not thing.whole:
        return
    for tag, kind in (
        ("validationRules", "ValidationRule"),
        ("recordTypes", "RecordType"),
        ("fieldSets", "FieldSet"),
        ("webLinks", "WebLink"),
    ):
        known = index.names.get(kind, {})
        for node in source.root.all(tag, "name"):
            if f"{owner}.{node.text}".lower() not in known:
                yield _no(source, node, f"{owner}.{node.text}")


def _value_set(index: Index, source: Source) -> Iterator[Finding]:
    owner, language = _split(source.name)
    document = index.document("GlobalValueSet", owner)
    if document is None:
        if missing := index.missing("reference/translated", "GlobalValueSet", owner):
            yield _translated(missing, source, source.root)
        return
    labels = [
        row.get("label") or row.get("fullName")
        for row in document.root.all("customValue")
    ]
    done = set()
    for row in source.root.all("valueTranslation"):
        node = row.one("masterLabel")
        if node is not None and node.text not in labels:
            yield _no(source, node, node.text, nearest(node.text, labels))
        elif node is not None and row.get("translation"):
            done.add(node.text)
    lacking = [(f"{owner}.{label}", "") for label in labels if label not in done]
    yield from _lacks(source.path, owner, language, lacking)


def _names(index: Index, source: Source) -> Iterator[Finding]:
    for tag, kind in _NAMED:
        known = index.names.get(kind, {})
        for node in source.root.all(tag, "name"):
            if node.text.startswith("standard") or not known:
                continue
            if node.text.lower() not in known and not index.foreign(node.text):
                yield _no(source, node, node.text, index.words(kind).nearest(node.text))


# --- what is there must be translated ---


# Above so many an object was left out as a whole, and is told once.
_MANY = 12
_Lack = tuple[str, str]  # what is not translated, and which part of it


def _lacks(
    path: str, owner: str, language: str, lacking: list[_Lack]
) -> Iterator[Finding]:
    rule = "translation/incomplete"
    if len(lacking) > _MANY:
        few = ", ".join(name for name, _ in lacking[:_MANY])
        more = len(lacking) - _MANY
        message = f"{owner} lacks in {language}: {few} and {more} more"
        yield finding(rule, path, 1, f"{owner} in {language}", message)
        return
    for name, part in lacking:
        message = f"{name} has no {part or 'translation'} in {language}"
        yield finding(rule, path, 1, f"{name} in {language}", message)


@dataclass(frozen=True, slots=True)
class _Translated:
    """What the files of one object say in one language."""

    path: str
    fields: Mapping[str, Node]
    root: Node


def _translation_of(index: Index, owner: str, language: str) -> _Translated | None:
    name = f"{owner}-{language}".lower()
    path, root = "", Node("CustomObjectTranslation")
    fields: dict[str, Node] = {}
    if whole := index.document("CustomObjectTranslation", name):
        path, root = whole.path, whole.root
        for node in root.all("fields"):
            fields[node.get("name").lower()] = node
    for source in index.by_owner.get(("CustomFieldTranslation", name), ()):
        path = path or source.path
        fields[source.root.get("name").lower()] = source.root
    return _Translated(path, fields, root) if path else None


def _objects_complete(index: Index, language: str) -> Iterator[Finding]:
    for thing in index.objects.values():
        ours = [one for one in thing.fields.values() if one.name.endswith("__c")]
        if not ours or thing.name.lower().endswith(("__mdt", "__e")):
            continue
        done = _translation_of(index, thing.name, language)
        if done is None:
            path = thing.source.path if thing.source else ours[0].path
            message = f"{thing.name} is not translated into {language}"
            name = f"{thing.name} in {language}"
            yield finding("translation/incomplete", path, 1, name, message)
            continue
        lacking = [
            lack
            for one in ours
            for lack in _lacking(index, one, done.fields.get(one.name.lower()))
        ]
        if thing.whole and not done.root.texts("caseValues", "value"):
            lacking.append((thing.name, "name"))
        for tag, kind, text in (
            ("validationRules", "ValidationRule", "errorMessage"),
            ("recordTypes", "RecordType", "label"),
        ):
            said = {row.get("name") for row in done.root.all(tag) if row.get(text)}
            lacking += [
                (other.name, "")
                for other in index.by_owner.get((kind, thing.name.lower()), ())
                if other.own_name not in said
            ]
        yield from _lacks(done.path, thing.name, language, lacking)


def _lacking(index: Index, one: Field, node: Node | None) -> Iterator[_Lack]:
    if node is None:
        yield one.full_name, ""
        return
    if not node.get("label"):
        yield one.full_name, "label"
    if one.node.get("inlineHelpText") and not node.get("help"):
        yield one.full_name, "help"
    if one.node.one("valueSet", "valueSetDefinition"):
        said = {
            row.get("masterLabel")
            for row in node.all("picklistValues")
            if row.get("translation")
        }
        for label in _labels(index, one) or ():
            if label not in said:
                yield f"{one.full_name}.{label}", ""


def _labels_complete(index: Index, language: str) -> Iterator[Finding]:
    document = index.document("Translations", language)
    for tag, kind in _NAMED[:2]:
        rows = document.root.all(tag) if document else ()
        done = {row.get("name").lower() for row in rows if row.get("label")}
        known = index.names.get(kind, {})
        lacking = [(name, "") for lower, name in known.items() if lower not in done]
        if document:
            yield from _lacks(document.path, kind, language, lacking)
    sets = {s.name.lower() for s in index.of("GlobalValueSetTranslation")}
    for source in index.of("GlobalValueSet"):
        if f"{source.name}-{language}".lower() not in sets:
            message = f"{source.name} is not translated into {language}"
            name = f"{source.name} in {language}"
            yield finding("translation/incomplete", source.path, 1, name, message)
