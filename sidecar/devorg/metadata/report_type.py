"""ReportType: which objects a report joins, and which of their fields it may show.

Source: "ReportType", Metadata API Developer Guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    check,
    child,
    children,
    flag,
    line_of,
    text,
)
from sidecar.devorg.metadata.work import Work, check_length, check_name, missing
from sidecar.devorg.schema import Field, ObjectType, Schema

# Base object and up to three joined to it.
_MOST_TABLES = 4


@dataclass(frozen=True)
class Table:
    """
    One object of a report type.

    Attributes:
        path: as columns name it: ``Referrer__c.Referred_Leads__r``.
        object_name: ``Lead``.
        lookup: the field of this object that refers to the table before; "" for
            the first.
        outer: rows of the table before that have none of these are shown too.
    """

    path: str
    object_name: str
    lookup: str = ""
    outer: bool = False


@dataclass(frozen=True)
class Definition:
    """
    A report type as reports need it.

    Attributes:
        columns: table path -> field paths that reports may show.
    """

    full_name: str
    label: str
    tables: tuple[Table, ...]
    columns: dict[str, frozenset[str]]


def apply(work: Work, part: Part, _component_id: str) -> Definition:
    """
    Keep a report type.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "ReportType")
    check_name(part.full_name)
    check_length("MasterLabel", text(element, "label"), 50)
    check_length("Description", text(element, "description"), 255)
    base = text(element, "baseObject") or ""
    type_ = work.org.schema.get(base)
    if type_ is None or type_.tooling or not type_.queryable:
        raise missing("baseObject", "CustomObject", base)
    if not text(element, "category"):
        raise Problem("Required field is missing: category")
    tables = (Table(type_.name, type_.name), *_joined(work, type_, element))
    if len(tables) > _MOST_TABLES:
        raise Problem(f"A report type can't have more than {_MOST_TABLES} objects")
    columns: dict[str, set[str]] = {table.path: set() for table in tables}
    for section in children(element, "sections"):
        for each in children(section, "columns"):
            table = _table(tables, each)
            path = text(each, "field") or ""
            found = work.org.schema[table.object_name]
            if follow(work.org.schema, found, path) is None:
                raise Problem(
                    f"In field: field - no CustomField named {table.object_name}."
                    f"{path} found",
                    line=line_of(each),
                )
            columns[table.path].add(path)
    return Definition(
        part.full_name,
        text(element, "label") or "",
        tables,
        {path: frozenset(names) for path, names in columns.items()},
    )


def remove(work: Work, full_name: str) -> None:
    """
    Delete a report type.

    Raises:
        Problem: a report is of it.
    """
    for each in work.components.of_type("Report"):
        if text(each.element, "reportType") == f"{full_name}__c" and not work.leaving(
            "Report", each.full_name
        ):
            raise Problem(
                "This report type is referenced elsewhere in salesforce.com."
                f" : Report - {each.full_name}"
            )


def _joined(work: Work, type_: ObjectType, element: Element) -> Iterator[Table]:
    path = type_.name
    join = child(element, "join")
    while join is not None:
        relationship = text(join, "relationship") or ""
        found = next(
            (
                (child_type, field)
                for child_type, field in work.org.schema.children(type_.name)
                if field.child_relationship_name == relationship
            ),
            None,
        )
        if found is None:
            raise Problem(
                f"Invalid relationship {relationship} of {type_.name}",
                line=line_of(join),
            )
        child_type, field = found
        path, type_ = f"{path}.{relationship}", child_type
        yield Table(path, type_.name, field.name, flag(join, "outerJoin"))
        join = child(join, "join")


def _table(tables: tuple[Table, ...], element: Element) -> Table:
    path = text(element, "table") or ""
    for table in tables:
        if table.path == path:
            return table
    raise Problem(f"Invalid table {path}", line=line_of(element))


def follow(schema: Schema, type_: ObjectType, path: str) -> Field | None:
    """
    Return the field at a column's path, or None.

    Steps go by the lookup's own name or by its relationship's: ``Owner.Name``,
    ``Referrer__c.Tier__c``; a path that ends at a relationship means the lookup.
    """
    *steps, last = path.split(".")
    for step in steps:
        lookup = _lookup(type_, step)
        target = schema.get(lookup.reference_to[0]) if lookup else None
        if target is None:
            return None
        type_ = target
    return type_.field(last) or _lookup(type_, last)


def _lookup(type_: ObjectType, name: str) -> Field | None:
    found = type_.field(name) or type_.relationship(name)
    return found if found is not None and found.reference_to else None
