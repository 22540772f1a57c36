"""From rows to the records of a query answer, nested as the SELECT says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sidecar.devorg.schema import Field, ObjectType, Row
from sidecar.devorg.soql.ast import AllFields, Call, FieldRef, Query
from sidecar.devorg.soql.functions import date_part
from sidecar.devorg.soql.resolve import NAME, Getter, Scope, parent_row
from sidecar.devorg.values import shown

Record = dict[str, object]
Show = Callable[[Row], Record]
# Runs a child subquery for one parent: (total size, shown records).
Children = Callable[[Query, Scope, Field], Callable[[Row], list[Record]]]


@dataclass(slots=True)
class _Node:
    """What is shown of one record: own values, parents, children; in order."""

    values: dict[str, Getter] = field(default_factory=dict)
    parents: dict[str, tuple[Field, _Node]] = field(default_factory=dict)
    children: dict[str, Callable[[Row], list[Record]]] = field(default_factory=dict)


def projection(query: Query, scope: Scope, version: str, children: Children) -> Show:
    """
    Compile a SELECT list without aggregates.

    Raises:
        Refusal: a field or relationship that this user does not have.
    """
    root = _Node()
    for item in query.select:
        match item:
            case Query():
                child, reference = scope.child(item.from_, item.from_at)
                name = str(reference.child_relationship_name)
                root.children[name] = children(item, child, reference)
            case AllFields():
                _all_fields(item, query, scope, root)
            case Call():
                _call(item, scope, root)
            case FieldRef():
                _field(item, scope, root)
    return _shower(root, scope, scope.type, version)


def _field(item: FieldRef, scope: Scope, root: _Node) -> None:
    resolved = scope.resolve(item)
    if item.alias is not None:
        raise scope.refuse(
            "MALFORMED_QUERY", item.at, "only aggregate expressions use field aliasing"
        )
    node = root
    for parent in resolved.parents:
        name = str(parent.relationship_name)
        node = node.parents.setdefault(name, (parent, _Node()))[1]
    name = resolved.field.name
    if name in node.values and not resolved.parents:
        raise scope.refuse(
            "INVALID_FIELD", item.at, f"duplicate field selected: {name}"
        )
    # Read from the parent's own row, which the shower has at hand by then.
    start = scope.within(resolved.type) if resolved.parents else scope
    node.values[name] = start.resolve(FieldRef((name,), item.at)).get


def _call(item: Call, scope: Scope, root: _Node) -> None:
    if item.function in {"TOLABEL", "FORMAT"} and item.argument is not None:
        resolved = scope.resolve(item.argument)
        key = item.alias or resolved.field.name
        get, as_label = resolved.get, item.function == "TOLABEL"
        labels = {v.value: v.label for v in resolved.field.values}

        def read(row: Row) -> object:
            value = get(row)
            if value is None:
                return None
            return labels.get(str(value), value) if as_label else str(shown(value))

        root.values[key] = read
        return
    _, getter = date_part(item, scope)
    root.values[item.alias or f"expr{len(root.values)}"] = getter


def _all_fields(item: AllFields, query: Query, scope: Scope, root: _Node) -> None:
    if item.kind != "STANDARD" and (query.limit is None or query.limit > 200):
        raise scope.refuse(
            "MALFORMED_QUERY",
            item.at,
            "The SOQL FIELDS function must have a LIMIT of at most 200",
        )
    for each in scope.access.readable(scope.type).values():
        if item.kind == "ALL" or each.custom == (item.kind == "CUSTOM"):
            _field(FieldRef((each.name,), item.at), scope, root)


def _shower(node: _Node, scope: Scope, type_: ObjectType, version: str) -> Show:
    below = "tooling/sobjects" if type_.tooling else "sobjects"
    base = f"/services/data/v{version}/{below}/"
    parents = [
        (name, reference, _parent_shower(inner, scope, reference, version))
        for name, (reference, inner) in node.parents.items()
    ]

    def show(row: Row) -> Record:
        of = scope.org.schema.of_id(str(row["Id"])) if type_ is NAME else type_
        of_name = of.name if of else type_.name
        url = f"{base}{of_name}/{row['Id']}"
        record: Record = {"attributes": {"type": type_.name, "url": url}}
        for name, get in node.values.items():
            record[name] = shown(get(row))
        for name, reference, show_parent in parents:
            parent = parent_row(scope.org, reference, row)
            record[name] = None if parent is None else show_parent(parent)
        for name, find in node.children.items():
            records = find(row)
            record[name] = (
                {"totalSize": len(records), "done": True, "records": records}
                if records
                else None
            )
        return record

    return show


def _parent_shower(node: _Node, scope: Scope, reference: Field, version: str) -> Show:
    names = reference.reference_to
    type_ = NAME if len(names) > 1 else scope.org.schema[names[0]]
    return _shower(node, scope, type_, version)
