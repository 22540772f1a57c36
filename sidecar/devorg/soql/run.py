"""Run a query: find the rows, sort them, cut the page, show the records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.schema import PICKLIST_TYPES, Field, Row
from sidecar.devorg.soql.ast import (
    And,
    Call,
    Comparison,
    Condition,
    FieldRef,
    Literal,
    Order,
    Query,
)
from sidecar.devorg.soql.functions import AGGREGATES, grouped
from sidecar.devorg.soql.groups import grouped_records
from sidecar.devorg.soql.parse import parse
from sidecar.devorg.soql.project import Record, projection
from sidecar.devorg.soql.resolve import Scope, scope_for
from sidecar.devorg.soql.where import constants, predicate
from sidecar.devorg.table import Table, index_key

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

# Source: "OFFSET", SOQL and SOSL Reference.
MAX_OFFSET = 2000


@dataclass(slots=True)
class Result:
    """
    What a query found.

    ``rows`` become records by ``show``, page by page. ``COUNT()`` alone has a
    ``total`` and no rows.
    """

    total: int
    rows: Sequence[Row]
    show: Callable[[Row], Record]
    query: Query
    scope: Scope


def run(
    org: Org,
    access: Access,
    text: str,
    *,
    version: str,
    all_rows: bool = False,
    tooling: bool = False,
) -> Result:
    """
    Run SOQL in a user's name.

    Args:
        text: the query.
        version: API version, for the records' URLs, as ``66.0``.
        all_rows: include deleted records, as queryAll does.
        tooling: objects of the Tooling API may be asked for as well.

    Raises:
        Refusal: MALFORMED_QUERY, INVALID_FIELD, INVALID_TYPE and kin.
    """
    query = parse(text)
    scope = scope_for(
        org,
        access,
        query.from_,
        query.from_at,
        text,
        alias=query.alias,
        tooling=tooling,
    )
    if query.offset > MAX_OFFSET:
        raise Refusal(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"Maximum SOQL offset allowed is {MAX_OFFSET}",
        )
    found = _run(query, scope, version, all_rows=all_rows or query.all_rows)
    if scope.type.tooling and found.total > 1:
        _one_at_a_time(query, found.total)
    return found


def _one_at_a_time(query: Query, total: int) -> None:
    """Refuse to show the metadata of several rows, as the Tooling API does."""
    names = {i.path[-1].lower() for i in query.select if isinstance(i, FieldRef)}
    if names & {"metadata", "fullname"}:
        raise Refusal(
            "MALFORMED_QUERY",
            "When retrieving results with Metadata or FullName fields, the query "
            "qualifications must specify no more than one row for retrieval. Result "
            f"size: {total}",
        )


def _run(query: Query, scope: Scope, version: str, *, all_rows: bool) -> Result:
    aggregates = [
        item
        for item in query.select
        if isinstance(item, Call) and item.function in AGGREGATES
    ]
    if query.group_by or (aggregates and not _is_count(query)):
        rows = _matching(query, scope, all_rows=all_rows)
        records = grouped_records(query, scope, rows)
        records = _page(records, query)
        return Result(len(records), records, lambda record: record, query, scope)
    if _is_count(query):
        total = len(_page(_matching(query, scope, all_rows=all_rows), query))
        return Result(total, (), lambda row: row, query, scope)
    show = projection(query, scope, version, _children(version))
    order = [_sort_key(each, scope) for each in query.order_by]
    rows = _matching(query, scope, all_rows=all_rows)
    for key, reverse in reversed(order):
        rows.sort(key=key, reverse=reverse)
    rows = _page(rows, query)
    return Result(len(rows), rows, show, query, scope)


def _is_count(query: Query) -> bool:
    match query.select:
        case [Call("COUNT", None, _, None)]:
            return not query.group_by
    return False


def _page(rows: list[Row], query: Query) -> list[Row]:
    end = None if query.limit is None else query.offset + query.limit
    return list(islice(rows, query.offset, end))


def _matching(query: Query, scope: Scope, *, all_rows: bool) -> list[Row]:
    table = scope.org.records.table(scope.type.name)
    if query.where is None:
        found = list(table.rows.values())
        return found + list(table.bin.values()) if all_rows else found
    test = predicate(query.where, scope, lambda inner: _column(inner, scope))
    rows: Iterable[Row] = _candidates(query.where, scope, table)
    found = [row for row in rows if test(row)]
    if all_rows:
        found += [row for row in table.bin.values() if test(row)]
    can_be_found = scope.org.visibility.found(query.where)
    return found if can_be_found is None else [*filter(can_be_found, found)]


def _candidates(where: Condition, scope: Scope, table: Table) -> Iterable[Row]:
    """Return the rows that can match: by an index where a condition allows it."""
    parts = where.parts if isinstance(where, And) else [where]
    for part in parts:
        found = _by_index(part, scope, table)
        if found is not None:
            return found
    return table.rows.values()


def _by_index(part: Condition, scope: Scope, table: Table) -> list[Row] | None:
    if not isinstance(part, Comparison) or not isinstance(part.left, FieldRef):
        return None
    if part.operator not in {"=", "IN"} or isinstance(part.right, Query):
        return None
    resolved = scope.resolve(part.left)
    field = resolved.field
    literals: list[Literal] = (
        part.right if isinstance(part.right, list) else [part.right]
    )
    values = constants(field, literals)
    if resolved.parents or None in values:
        return None
    if field.type == "id":
        ids = dict.fromkeys(map(str, values))
        return [table.rows[each] for each in ids if each in table.rows]
    if field.unique or field.external_id or field.type == "reference":
        return [table.rows[each] for each in table.find(field, values)]
    return None


def _column(inner: Query, outer: Scope) -> set[object]:
    """Run a subquery of WHERE: the values of its only field."""
    scope = scope_for(
        outer.org,
        outer.access,
        inner.from_,
        inner.from_at,
        outer.text,
        alias=inner.alias,
        tooling=outer.tooling,
    )
    if len(inner.select) != 1 or not isinstance(inner.select[0], FieldRef):
        raise outer.refuse(
            "MALFORMED_QUERY",
            inner.from_at,
            "The inner select must select exactly one field",
        )
    get = scope.resolve(inner.select[0]).get
    rows = _page(_matching(inner, scope, all_rows=False), inner)
    return {value for row in rows if (value := get(row)) is not None}


def _sort_key(
    order: Order, scope: Scope
) -> tuple[Callable[[Row], tuple[Any, ...]], bool]:
    field, get = grouped(order.by, scope)
    if field.type in {"address", "multipicklist"} or (
        field.type == "textarea" and field.length > 255
    ):
        raise scope.refuse(
            "INVALID_FIELD",
            order.by.at,
            f"field '{field.name}' can not be sorted in a query call",
        )
    rank = _ranking(field)
    null = (0,) if order.nulls_first != order.descending else (2,)

    def key(row: Row) -> tuple[Any, ...]:
        value = get(row)
        return null if value is None else (1, rank(value))

    return key, order.descending


def _ranking(field: Field) -> Callable[[object], object]:
    """Text sorts without regard to case, a picklist in the order of its values."""
    if field.type in PICKLIST_TYPES and field.values:
        places = {each.value: place for place, each in enumerate(field.values)}
        return lambda value: (places.get(str(value), len(places)), str(value).lower())
    return lambda value: index_key(field, value)


def _children(version: str) -> Callable[..., Callable[[Row], list[Record]]]:
    def children(
        query: Query, scope: Scope, reference: Field
    ) -> Callable[[Row], list[Record]]:
        show = projection(query, scope, version, _children(version))
        order = [_sort_key(each, scope) for each in query.order_by]
        test: Callable[[Row], bool] | None = None
        if query.where is not None:
            test = predicate(query.where, scope, lambda inner: _column(inner, scope))
        table = scope.org.records.table(scope.type.name)

        def find(parent: Row) -> list[Record]:
            rows = [table.rows[each] for each in table.find(reference, [parent["Id"]])]
            if test is not None:
                rows = [row for row in rows if test(row)]
            for key, reverse in reversed(order):
                rows.sort(key=key, reverse=reverse)
            return [show(row) for row in _page(rows, query)]

        return find

    return children
