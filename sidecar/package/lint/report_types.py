"""Report types: each table and column leads to an object and a field."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sidecar.package.lint import references
from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.index import Index
from sidecar.package.lint.near import nearest
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source

# Child relationships that every org has -> object of the children.
_CHILDREN: Mapping[str, str] = MappingProxyType(
    {
        "contacts": "Contact",
        "opportunities": "Opportunity",
        "cases": "Case",
        "tasks": "Task",
        "events": "Event",
        "campaignmembers": "CampaignMember",
        "leads": "Lead",
        "childaccounts": "Account",
        "assets": "Asset",
    }
)
SUFFIXED = re.compile(r"__c$", re.IGNORECASE)


def check(index: Index) -> Iterator[Finding]:
    """Yield what is wrong in the project's report types."""
    for source in index.of("ReportType"):
        yield from _report_type(index, source)


def _report_type(index: Index, source: Source) -> Iterator[Finding]:
    base = source.root.one("baseObject")
    yield from references.an_object(index, source, base)
    owner = base.text if base is not None else ""
    join = source.root.one("join")
    table = owner
    tables = {table.lower()}
    while join is not None:
        relation = join.one("relationship")
        if relation is None:
            break
        yield from _relationship(index, source, table, relation)
        table = f"{table}.{relation.text}"
        tables.add(table.lower())
        join = join.one("join")
    seen: set[tuple[str, str]] = set()
    for row in source.root.all("sections", "columns"):
        column, place = row.one("field"), row.one("table")
        if column is None or place is None:
            continue
        if place.text.lower() not in tables:
            message = f"{source.name} joins no {place.text}"
            yield finding(
                "reference/relationship", source.path, place, place.text, message
            )
            continue
        key = place.text.lower(), column.text.lower()
        if key in seen:
            message = f"{source.name} has the column {column.text} twice"
            yield finding("report/duplicate", source.path, row, column.text, message)
        seen.add(key)
        child = object_of(index, place.text)
        yield from column_path(index, source, child, column, column.text)


def _relationship(
    index: Index, source: Source, table: str, node: Node
) -> Iterator[Finding]:
    owner = object_of(index, table)
    thing = index.object(owner) if owner else None
    name = node.text.lower()
    if not name.endswith("__r") or thing is None or index.foreign(node.text):
        return
    incoming = index.incoming(owner)
    if name.removesuffix("__r") not in incoming:
        known = [f"{one.node.get('relationshipName')}__r" for one in incoming.values()]
        message = f"nothing points to {thing.name} as {node.text}"
        yield finding(
            "reference/relationship",
            source.path,
            node,
            node.text,
            message + nearest(node.text, known),
            level=None if thing.whole else Level.WARNING,
        )


def object_of(index: Index, table: str) -> str:
    """Give the object of ``Referrer__c.Referred_Leads__r``, or '' if unknown."""
    owner, *relations = table.split(".")
    for relation in relations:
        name = relation.lower()
        if name.endswith("__r"):
            lookup = index.incoming(owner).get(name.removesuffix("__r"))
            owner = lookup.object if lookup else ""
        else:
            owner = _CHILDREN.get(name, "")
    return owner


def column_path(
    index: Index, source: Source, owner: str, node: Node, path: str
) -> Iterator[Finding]:
    """Here a lookup on the way is named as the field: ``Contact__c.Email``."""
    *steps, last = path.split(".")
    if last.upper() == "CONVERT" and steps:  # the amount in the reader's currency
        *steps, last = steps
    steps = [SUFFIXED.sub("__r", step) for step in steps]
    if owner:
        yield from references.field(
            index, source, owner, node, ".".join([*steps, last])
        )
