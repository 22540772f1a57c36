"""What a flow's elements do with stored records: get, create, update, delete."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from sidecar.devorg.flows.conditions import combine, compare
from sidecar.devorg.flows.contents import Content, Held, as_items, kept
from sidecar.devorg.flows.scope import FlowScope
from sidecar.devorg.flows.steps import (
    DataStep,
    Filter,
    Query,
    RecordCreate,
    RecordDelete,
    RecordLookup,
    RecordUpdate,
    Whole,
)
from sidecar.devorg.formula import Value
from sidecar.devorg.metadata.formula_scope import value_at
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.schema import Row

# What the org says that a flow was doing when it failed.
DOING = {
    RecordLookup: "look up records",
    RecordUpdate: "update records",
    RecordCreate: "create records",
    RecordDelete: "delete records",
}


def act(scope: FlowScope, step: DataStep) -> None:
    """
    Do what an element says, in the name of the user, with every right.

    Raises:
        Refusal: the org would not.
        FlowFailed: a value that it needs is not there.
    """
    match step:
        case RecordLookup():
            _look_up(scope, step)
        case RecordUpdate():
            _update(scope, step)
        case RecordCreate():
            _create(scope, step)
        case RecordDelete():
            for object_name, record_id in _meant(scope, step.query, step.held):
                access = scope.org.system(scope.user_id)
                scope.org.records.delete(access, object_name, record_id)


def _look_up(scope: FlowScope, step: RecordLookup) -> None:
    object_name = step.query.object_name
    table = scope.org.records.table(object_name)
    found = [table.rows[each] for each in matching(scope, step.query)]
    rows = _in_order(found, step)
    if step.limit is not None and isinstance(
        most := scope.operand(step.limit), Decimal
    ):
        rows = rows[: int(most)]
    if step.first_only:
        rows = rows[:1]
    held: list[Held] = [Held(object_name, _queried(row, step)) for row in rows]
    content: Content = None
    if held:
        content = held[0] if step.first_only else list(held)
    if step.stores_itself:
        scope.contents[step.name] = content
    if step.whole_to and (held or step.null_if_none):
        scope.contents[step.whole_to] = content
    if rows or step.null_if_none:
        type_, first = scope.org.schema[object_name], rows[0] if rows else None
        for field, to in step.outputs:
            scope.set(to, value_at(scope.org, type_, first, field))


def _queried(row: Row, step: RecordLookup) -> Row:
    if not step.queried:
        return dict(row)
    return {name: row[name] for name in ("Id", *step.queried) if name in row}


def _update(scope: FlowScope, step: RecordUpdate) -> None:
    values = {name: scope.operand(operand) for name, operand in step.values}
    if step.query is None and step.held is None:
        _update_own(scope, values)
        return
    if step.held is None:
        for object_name, record_id in _meant(scope, step.query, None):
            _write(scope, object_name, record_id, values)
        return
    for each in as_items(scope.whole(step.held.path)):
        if isinstance(each, Held):
            record_id = str(each.row.get("Id", ""))
            given = {name: each.row.get(name) for name in each.written - {"Id"}}
            access = scope.org.system(scope.user_id)
            scope.org.records.update(access, each.object_name, record_id, given)


def _update_own(scope: FlowScope, values: dict[str, Value]) -> None:
    """Write what was given and what was assigned; before the save it is set."""
    record = scope.record
    if record is None:
        raise Refusal("INVALID_ID_FIELD", "$Record")
    type_ = scope.org.schema[record.object_name]
    for name, value in values.items():
        record.set(type_.fields[name.lower()], value)
    if scope.flow.before_save or not record.written:
        return
    given = {name: record.row.get(name) for name in record.written}
    record.written.clear()
    access = scope.org.system(scope.user_id)
    scope.org.records.update(access, type_, str(record.row["Id"]), given)


def _write(
    scope: FlowScope, object_name: str, record_id: str, values: dict[str, Value]
) -> None:
    access = scope.org.system(scope.user_id)
    given = _stored(scope, object_name, values)
    scope.org.records.update(access, object_name, record_id, given)


def _create(scope: FlowScope, step: RecordCreate) -> None:
    access = scope.org.system(scope.user_id)
    if step.held is None:
        values = {name: scope.operand(operand) for name, operand in step.values}
        given = _stored(scope, step.object_name, values)
        given = {name: value for name, value in given.items() if value is not None}
        new_id = scope.org.records.create(access, step.object_name, given)
        if step.stores_itself:
            scope.contents[step.name] = new_id
        if step.id_to:
            scope.set(step.id_to, new_id)
        return
    for each in as_items(scope.whole(step.held.path)):
        if isinstance(each, Held):
            given = {name: each.row[name] for name in each.written if name in each.row}
            new_id = scope.org.records.create(access, each.object_name, given)
            # The record at hand knows its id from then on.
            each.row["Id"] = new_id


def _stored(
    scope: FlowScope, object_name: str, values: dict[str, Value]
) -> dict[str, object]:
    fields = scope.org.schema[object_name].fields
    return {name: kept(fields[name.lower()], value) for name, value in values.items()}


def _meant(
    scope: FlowScope, query: Query | None, held: Whole | None
) -> Iterable[tuple[str, str]]:
    """Return object and id of the records that a query finds, or that are held."""
    if query is not None:
        return [(query.object_name, each) for each in matching(scope, query)]
    content = scope.whole(held.path) if held else None
    return [
        (each.object_name, str(each.row.get("Id", "")))
        for each in as_items(content)
        if isinstance(each, Held)
    ]


def matching(scope: FlowScope, query: Query) -> list[str]:
    """Return the ids of the records that a query means."""
    org = scope.org
    table, type_ = org.records.table(query.object_name), org.schema[query.object_name]
    wanted = [_wanted(scope, each) for each in query.filters]
    found = []
    for record_id in _candidates(scope, query, wanted):
        row = table.rows[record_id]
        results = [
            _matches(each.operator, value_at(org, type_, row, each.field), value)
            for each, value in zip(query.filters, wanted, strict=True)
        ]
        if combine(query.logic, results):
            found.append(record_id)
    return found


def _wanted(scope: FlowScope, filter_: Filter) -> Value | list[Value]:
    if not isinstance(filter_.value, Whole):
        return scope.operand(filter_.value)
    items = as_items(scope.whole(filter_.value.path))
    return [each for each in items if not isinstance(each, Held)]


def _matches(operator: str, left: Value, wanted: Value | list[Value]) -> bool:
    if isinstance(wanted, list):
        among = any(compare("EqualTo", left, each) for each in wanted)
        return among is (operator == "In")
    return compare(operator, left, wanted)


def _candidates(
    scope: FlowScope, query: Query, wanted: list[Value | list[Value]]
) -> list[str]:
    """Return the ids to look at: through an index where there is one, else all."""
    table = scope.org.records.table(query.object_name)
    type_ = scope.org.schema[query.object_name]
    if query.logic.lower() != "and":
        return list(table.rows)
    for each, value in zip(query.filters, wanted, strict=True):
        field = type_.fields[each.field.lower()]
        if each.operator != "EqualTo" or value is None or isinstance(value, list):
            continue
        if field.type == "id":
            return [str(value)] if str(value) in table.rows else []
        if field.unique or field.external_id or field.type == "reference":
            return table.find(field, [value])
    return list(table.rows)


def _in_order(rows: list[Row], step: RecordLookup) -> list[Row]:
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
