"""Findings for names that are not there, as most checks need them."""

from collections.abc import Iterator

from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.index import Index
from sidecar.package.lint.near import nearest
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source


def field(
    index: Index, source: Source, owner: str, node: Node | None, name: str = ""
) -> Iterator[Finding]:
    """
    Judge a field's name.

    Args:
        owner: the object; nothing is judged where it is ''.
        node: holds the name; nothing is judged where it is None.
        name: in place of the node's text, such as ``Referrer__r.Name``.
    """
    name = name or (node.text if node is not None else "")
    if node is not None and owner and name:
        missing = index.missing_field(owner, name)
        if missing:
            yield missing.at(source.path, node, source.name)


def full_field(index: Index, source: Source, node: Node | None) -> Iterator[Finding]:
    """Judge a field's name that says its object: ``Lead.Referral_Key__c``."""
    if node is not None and "." in node.text:
        owner, _, name = node.text.partition(".")
        yield from field(index, source, owner, node, name)


def an_object(index: Index, source: Source, node: Node | None) -> Iterator[Finding]:
    """Judge an object's name."""
    if node is not None and (missing := index.missing_object(node.text)):
        yield missing.at(source.path, node, source.name)


def component(
    index: Index,
    source: Source,
    rule: str,
    kind: str,
    node: Node | None,
    name: str = "",
) -> Iterator[Finding]:
    """Judge the name of a component of this type (of ``Index.names``)."""
    if node is None:
        return
    if missing := index.missing(f"reference/{rule}", kind, name or node.text):
        yield missing.at(source.path, node, source.name)


def values(
    index: Index, source: Source, owner: str, name: str, node: Node | None, text: str
) -> Iterator[Finding]:
    """Judge a list of values of a filter, ``Won,Lost``: are they the picklist's?"""
    one = index.field(owner, name) if owner and name and node is not None else None
    known = index.values(one) if one else None
    if one is None or known is None or node is None:
        return
    # Filters name some values by their labels.
    known = (*known, *index.labels(one))
    if text in known:
        return
    restricted = one.node.get("valueSet", "restricted") == "true"
    for value in (part.strip().strip('"') for part in text.split(",")):
        if value and value not in known:
            message = f"{source.name}: {one.full_name} has no value {value!r}"
            near = nearest(value, known)
            yield finding(
                "reference/picklist-value",
                source.path,
                node,
                value,
                message + near,
                level=None if restricted else Level.WARNING,
            )


def folder(index: Index, source: Source, kind: str) -> Iterator[Finding]:
    """Judge the folder that is part of a name: ``Referral_Tracking/Funnel``."""
    name = source.name.rpartition("/")[0]
    known = index.names.get(kind, {})
    if name and name.lower() not in known and not name.startswith("unfiled"):
        message = f"there is no folder {name}{index.words(kind).nearest(name)}"
        yield finding("reference/folder", source.path, 1, name, message)
