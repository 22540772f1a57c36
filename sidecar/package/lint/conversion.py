"""Lead conversion: what a lead knows arrives at contact, account and opportunity."""

from collections.abc import Iterator

from sidecar.package.lint import references
from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.index import Index
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source
from sidecar.package.lint.things import Field

_TARGETS = frozenset({"account", "contact", "opportunity"})


def check(index: Index) -> Iterator[Finding]:
    """Yield what is wrong with the mapping of lead fields."""
    mapped: set[str] = set()
    for source in index.of("LeadConvertSettings"):
        for mapping in source.root.all("objectMapping"):
            yield from _objects(source, mapping)
            yield from _mapping(index, source, mapping)
            mapped |= {
                index.bare(name).lower()
                for name in mapping.texts("mappingFields", "inputField")
            }
    lead = index.object("Lead")
    if lead is None:
        return
    level = None if any(index.of("LeadConvertSettings")) else Level.NOTE
    for one in lead.fields.values():
        ours = one.name.lower().endswith("__c") and not one.is_formula
        if ours and one.name.lower() not in mapped:
            message = f"{one.full_name} is lost when a lead is converted"
            yield finding(
                "lead-convert/unmapped",
                one.path,
                1,
                one.full_name,
                message,
                level=level,
            )


def _objects(source: Source, mapping: Node) -> Iterator[Finding]:
    entry, target = mapping.one("inputObject"), mapping.one("outputObject")
    if entry is not None and entry.text != "Lead":
        message = f"only a Lead is converted, not {entry.text}"
        yield finding("lead-convert/object", source.path, entry, entry.text, message)
    if target is not None and target.text.lower() not in _TARGETS:
        message = f"a lead becomes no {target.text}"
        yield finding("lead-convert/object", source.path, target, target.text, message)


def _mapping(index: Index, source: Source, mapping: Node) -> Iterator[Finding]:
    target = mapping.get("outputObject")
    seen: dict[str, set[str]] = {"inputField": set(), "outputField": set()}
    for row in mapping.all("mappingFields"):
        entry, output = row.one("inputField"), row.one("outputField")
        if entry is None or output is None:
            continue
        yield from references.field(index, source, "Lead", entry)
        yield from references.field(index, source, target, output)
        for tag, node in (("inputField", entry), ("outputField", output)):
            if node.text.lower() in seen[tag]:
                message = f"{node.text} is mapped to {target} more than once"
                yield finding(
                    "lead-convert/several", source.path, node, node.text, message
                )
            seen[tag].add(node.text.lower())
        one = index.field("Lead", entry.text)
        other = index.field(target, output.text)
        if one and other and (problem := _differ(index, one, other)):
            message = f"{one.full_name} cannot become {other.full_name}: {problem}"
            yield finding(
                "lead-convert/mismatch", source.path, row, one.full_name, message
            )


def _differ(index: Index, one: Field, other: Field) -> str:
    """Say why a field's value does not fit the other, or ''."""
    if not (one.type and other.type):
        return ""
    if one.type != other.type:
        return f"{one.type} is no {other.type}"
    for tag in ("length", "precision", "scale"):
        if one.node.get(tag) != other.node.get(tag):
            return f"{tag} {one.node.get(tag)} is not {other.node.get(tag)}"
    if one.target.lower() != other.target.lower():
        return f"{one.target} is no {other.target}"
    values, others = index.values(one), index.values(other)
    if values is not None and others is not None and values != others:
        return "their values differ"
    return ""
