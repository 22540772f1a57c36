"""Records for flows: which are meant, in which order, and how values are stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from sidecar.devorg.flows.conditions import combine, compare
from sidecar.devorg.flows.model import Operand, Query, RecordLookup
from sidecar.devorg.formula import Value
from sidecar.devorg.metadata.formula_scope import value_at
from sidecar.devorg.schema import Row

if TYPE_CHECKING:
    from sidecar.devorg.org import Org


def matching(org: Org, query: Query, operand: Callable[[Operand], Value]) -> list[str]:
    """Return the ids of the records that a query means."""
    table, type_ = org.records.table(query.object_name), org.schema[query.object_name]
    wanted = [operand(each.value) for each in query.filters]
    found = []
    for record_id in _candidates(org, query, wanted):
        row = table.rows[record_id]
        results = [
            compare(each.operator, value_at(org, type_, row, each.field), value)
            for each, value in zip(query.filters, wanted, strict=True)
        ]
        if combine(query.logic, results):
            found.append(record_id)
    return found


def _candidates(org: Org, query: Query, wanted: list[Value]) -> list[str]:
    """Return the ids to look at: through an index where there is one, else all."""
    table, type_ = org.records.table(query.object_name), org.schema[query.object_name]
    if query.logic.lower() != "and":
        return list(table.rows)
    for each, value in zip(query.filters, wanted, strict=True):
        field = type_.fields[each.field.lower()]
        if each.operator != "EqualTo" or value is None:
            continue
        if field.type == "id":
            return [str(value)] if str(value) in table.rows else []
        if field.unique or field.external_id or field.type == "reference":
            return table.find(field, [value])
    return list(table.rows)


def in_order(rows: list[Row], step: RecordLookup) -> list[Row]:
    """Sort as a lookup asks; empty values come first, whichever way."""
    name = step.sort_field
    if name is None:
        return rows
    present = [row for row in rows if name in row]
    present.sort(key=lambda row: _sortable(row[name]), reverse=step.descending)
    return [row for row in rows if name not in row] + present


def _sortable(value: object) -> str | Decimal | float:
    if isinstance(value, str):
        return value.lower()
    return value  # type: ignore[return-value]


def stored(
    org: Org, object_name: str, values: Mapping[str, Value]
) -> dict[str, object]:
    """Return a flow's values as the org keeps values of an object's fields."""
    fields = org.schema[object_name].fields
    return {
        name: kept(fields[name.lower()].type, value) for name, value in values.items()
    }


def kept(field_type: str, value: Value) -> object:
    """Return one value as the org keeps values of a field's type."""
    return int(value) if field_type == "int" and isinstance(value, Decimal) else value
