"""Aggregate queries: GROUP BY, HAVING, and the results' names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sidecar.devorg.refusal import Refusal
from sidecar.devorg.schema import Field, Row
from sidecar.devorg.soql.ast import Call, Comparison, FieldRef, Order, Query
from sidecar.devorg.soql.functions import AGGREGATES, aggregate, grouped
from sidecar.devorg.soql.resolve import Getter, Scope
from sidecar.devorg.soql.where import compile_with
from sidecar.devorg.table import index_key
from sidecar.devorg.values import shown

# A group travels as a row: its members, and the values it is grouped by.
_MEMBERS = "members"


@dataclass(slots=True)
class _Key:
    by: FieldRef | Call
    field: Field
    get: Getter


def grouped_records(query: Query, scope: Scope, rows: list[Row]) -> list[Row]:
    """
    Return the AggregateResult records of a query, sorted, not yet paged.

    Raises:
        Refusal: a selected field that is neither grouped nor aggregated.
    """
    keys = [_Key(by, *grouped(by, scope)) for by in query.group_by]
    columns = _columns(query, scope, keys)
    groups = _groups(rows, keys)
    if query.having is not None:
        keep = compile_with(
            query.having,
            scope,
            lambda comparison: _having(comparison, scope, keys),
            _no_subquery,
        )
        groups = [group for group in groups if keep(group)]
    for order in reversed(query.order_by):
        _sort(groups, order, scope, keys)
    attributes = {"type": "AggregateResult"}
    return [
        {"attributes": attributes}
        | {name: shown(read(group)) for name, read in columns.items()}
        for group in groups
    ]


def _groups(rows: list[Row], keys: list[_Key]) -> list[Row]:
    if not keys:
        return [{_MEMBERS: rows}]
    found: dict[tuple[object, ...], Row] = {}
    for row in rows:
        values = [key.get(row) for key in keys]
        place = tuple(
            index_key(key.field, value) for key, value in zip(keys, values, strict=True)
        )
        group = found.get(place)
        if group is None:
            group = found[place] = {_MEMBERS: []}
            group.update({str(n): value for n, value in enumerate(values)})
        members = group[_MEMBERS]
        assert isinstance(members, list)  # noqa: S101 - put there just above
        members.append(row)
    return list(found.values())


def _columns(query: Query, scope: Scope, keys: list[_Key]) -> dict[str, Getter]:
    columns: dict[str, Getter] = {}
    unnamed = 0
    for item in query.select:
        if not isinstance(item, (FieldRef, Call)):
            raise scope.refuse(
                "MALFORMED_QUERY", query.from_at, "unexpected token in grouped query"
            )
        _, get = _reader(item, scope, keys)
        name = item.alias
        if name is None and isinstance(item, FieldRef):
            name = scope.resolve(item).field.name
        if name is None:
            name, unnamed = f"expr{unnamed}", unnamed + 1
        columns[name] = get
    return columns


def _reader(
    item: FieldRef | Call, scope: Scope, keys: list[_Key]
) -> tuple[Field, Getter]:
    if isinstance(item, Call) and item.function in AGGREGATES:
        field, fold = aggregate(item, scope)
        return field, _folding(fold)
    wanted = _spelling(item)
    for place, key in enumerate(keys):
        if _spelling(key.by) == wanted:
            return key.field, _at(str(place))
    raise _not_grouped(item, scope)


def _folding(fold: Callable[..., object]) -> Getter:
    return lambda group: fold(group[_MEMBERS])


def _at(place: str) -> Getter:
    return lambda group: group.get(place)


def _spelling(item: FieldRef | Call) -> str:
    if isinstance(item, FieldRef):
        return ".".join(item.path).lower()
    inner = _spelling(item.argument) if item.argument else ""
    return f"{item.function}({inner})".lower()


def _having(
    comparison: Comparison, scope: Scope, keys: list[_Key]
) -> tuple[Field, Getter]:
    return _reader(comparison.left, scope, keys)


def _no_subquery(inner: Query) -> set[object]:
    raise Refusal("MALFORMED_QUERY", f"unexpected token: '{inner.from_}'")


def _sort(groups: list[Row], order: Order, scope: Scope, keys: list[_Key]) -> None:
    field, get = _reader(order.by, scope, keys)
    null = (0,) if order.nulls_first != order.descending else (2,)

    def key(group: Row) -> tuple[object, ...]:
        value = get(group)
        return null if value is None else (1, index_key(field, value))

    groups.sort(key=key, reverse=order.descending)


def _not_grouped(item: FieldRef | Call, scope: Scope) -> Refusal:
    name = ".".join(item.path) if isinstance(item, FieldRef) else item.function
    return scope.refuse(
        "MALFORMED_QUERY", item.at, f"Field must be grouped or aggregated: {name}"
    )
