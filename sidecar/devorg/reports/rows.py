"""Which rows a report is about: its objects joined, then filtered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from sidecar.devorg.flows.conditions import combine
from sidecar.devorg.metadata.report_columns import Reportable
from sidecar.devorg.permissions import Access
from sidecar.devorg.reports.columns import Columns, Joined
from sidecar.devorg.reports.definition import Criterion, Report, cannot_run
from sidecar.devorg.reports.intervals import Span, interval, literal

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_EVERYONE = frozenset(("organization", "org", "all", "AllAccounts"))
_MINE = frozenset(("user", "mine", "my", "MyAccounts"))


def rows(
    org: Org, access: Access, report: Report, reportable: Reportable, columns: Columns
) -> list[Joined]:
    """
    Return the rows of a report.

    Raises:
        Refusal: a filter that this org cannot apply.
    """
    tests = [
        _criterion(each, columns, org.clock.now().date()) for each in report.criteria
    ]
    dated = _dated(org, report, columns)
    mine = _scope(access, report)
    return [
        joined
        for joined in _joined(org, reportable)
        if mine(joined)
        and dated(joined)
        and combine(report.logic, [test(joined) for test in tests])
    ]


def _joined(org: Org, reportable: Reportable) -> Iterator[Joined]:
    found: list[Joined] = [
        (row,)
        for row in org.records.table(reportable.tables[0].object_name).rows.values()
    ]
    for table in reportable.tables[1:]:
        rows_of = org.records.table(table.object_name)
        lookup = org.schema[table.object_name].fields[table.lookup.lower()]
        wider: list[Joined] = []
        for joined in found:
            parent = joined[-1]
            ids = [] if parent is None else rows_of.find(lookup, [parent["Id"]])
            wider += [(*joined, rows_of.rows[each]) for each in ids]
            if not ids and table.outer:
                wider.append((*joined, None))
        found = wider
    return iter(found)


def _scope(access: Access, report: Report) -> Callable[[Joined], bool]:
    if report.scope in _EVERYONE:
        return lambda _: True
    if report.scope in _MINE:
        return lambda joined: (joined[0] or {}).get("OwnerId") == access.user_id
    raise cannot_run(f"the scope {report.scope}")


def _dated(org: Org, report: Report, columns: Columns) -> Callable[[Joined], bool]:
    if report.interval in {"", "INTERVAL_CUSTOM"}:
        first = literal(report.start, date.min) if report.start else None
        last = literal(report.end, date.min) if report.end else None
        span: Span | None = (first[0] if first else None, last[1] if last else None)
    else:
        span = interval(report.interval, org.clock.now().date())
    if span is None:
        raise cannot_run(f"the interval {report.interval}")
    if span == (None, None):
        return lambda _: True
    return lambda joined: _within(columns.value(report.date_column, joined), span)


def _within(value: object, span: Span) -> bool:
    if isinstance(value, datetime):
        value = value.date()
    if not isinstance(value, date):
        return False
    first, end = span
    return (first is None or first <= value) and (end is None or value < end)


def _criterion(
    criterion: Criterion, columns: Columns, today: date
) -> Callable[[Joined], bool]:
    column = columns.find(criterion.column)
    if column is None:
        raise cannot_run(f"the filter column {criterion.column}")
    match columns.type(criterion.column):
        case "date" | "datetime":
            test = _of_date(criterion, today)
        case "int" | "double" | "currency" | "percent":
            test = _of_number(criterion)
        case "boolean":
            test = _of_boolean(criterion)
        case _:
            test = _of_text(criterion)
    names = bool(column.field.reference_to)

    def holds(joined: Joined) -> bool:
        value = columns.value(criterion.column, joined)
        # A lookup may be meant by the record's name or by its id.
        shown = columns.shown(criterion.column, joined)["label"] if names else None
        return test(value) or (names and value is not None and test(shown))

    if names and criterion.operator in {"notEqual", "notContain"}:
        return lambda joined: (
            test(value := columns.value(criterion.column, joined))
            and (
                value is None or test(columns.shown(criterion.column, joined)["label"])
            )
        )
    return holds


def _of_text(criterion: Criterion) -> Callable[[object], bool]:
    wanted = [each.strip().lower() for each in criterion.value.split(",")]
    tests: dict[str, Callable[[str], bool]] = {
        "equals": lambda text: text in wanted,
        "notEqual": lambda text: text not in wanted,
        "contains": lambda text: any(each in text for each in wanted),
        "notContain": lambda text: not any(each in text for each in wanted),
        "startsWith": lambda text: any(text.startswith(each) for each in wanted),
        "includes": lambda text: bool(set(text.split(";")) & set(wanted)),
        "excludes": lambda text: not set(text.split(";")) & set(wanted),
    }
    test = tests.get(criterion.operator)
    if test is None:
        raise cannot_run(f"the operator {criterion.operator} on text")
    return lambda value: test("" if value is None else str(value).lower())


def _of_boolean(criterion: Criterion) -> Callable[[object], bool]:
    wanted = criterion.value.strip().lower() in {"1", "true"}
    if criterion.operator not in {"equals", "notEqual"}:
        raise cannot_run(f"the operator {criterion.operator} on a checkbox")
    same = criterion.operator == "equals"
    return lambda value: (bool(value) is wanted) is same


def _of_number(criterion: Criterion) -> Callable[[object], bool]:
    if not criterion.value:
        return _empty(criterion)
    try:
        wanted = Decimal(criterion.value.replace(",", ""))
    except InvalidOperation as exc:
        raise cannot_run(f"the number {criterion.value}") from exc
    return _ordered(criterion.operator, wanted, wanted)


def _of_date(criterion: Criterion, today: date) -> Callable[[object], bool]:
    if not criterion.value:
        return _empty(criterion)
    span = literal(criterion.value, today)
    if span is None:
        raise cannot_run(f"the date {criterion.value}")
    first, end = span
    last = None if end is None else date.fromordinal(end.toordinal() - 1)
    test = _ordered(criterion.operator, first, last)
    return lambda value: test(value.date() if isinstance(value, datetime) else value)


def _empty(criterion: Criterion) -> Callable[[object], bool]:
    if criterion.operator not in {"equals", "notEqual"}:
        raise cannot_run(f"the operator {criterion.operator} without a value")
    empty = criterion.operator == "equals"
    return lambda value: (value is None) is empty


def _ordered(operator: str, first: object, last: object) -> Callable[[object], bool]:
    """Compare with everything from ``first`` to ``last``; nothing is like null."""
    tests: dict[str, Callable[..., bool]] = {
        "equals": lambda value: first <= value <= last,
        "notEqual": lambda value: not first <= value <= last,
        "lessThan": lambda value: value < first,
        "lessOrEqual": lambda value: value <= last,
        "greaterThan": lambda value: value > last,
        "greaterOrEqual": lambda value: value >= first,
    }
    test = tests.get(operator)
    if test is None:
        raise cannot_run(f"the operator {operator}")
    if operator == "notEqual":
        return lambda value: value is None or test(value)
    return lambda value: value is not None and test(value)
