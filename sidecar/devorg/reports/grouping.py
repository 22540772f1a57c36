"""Rows in groups, and the groups in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sidecar.devorg.metadata.report_columns import ROW_COUNT
from sidecar.devorg.reports.columns import Columns, Joined, day
from sidecar.devorg.reports.definition import Grouping, Report, cannot_run
from sidecar.devorg.reports.intervals import beginning
from sidecar.devorg.reports.sums import computed, summed

_UNITS = {
    "Day": "DAY",
    "Week": "WEEK",
    "Month": "MONTH",
    "Quarter": "QUARTER",
    "FiscalQuarter": "QUARTER",
    "Year": "YEAR",
    "FiscalYear": "YEAR",
}


@dataclass
class Group:
    """Rows that agree in a column; ``key`` as ``0_2``: the third group of the first."""

    key: str
    label: str
    value: object
    rows: list[Joined] = field(default_factory=list)
    inner: list[Group] = field(default_factory=list)

    def shown(self) -> dict[str, object]:
        """Return the group as the API shows it, with those in it."""
        return {
            "groupings": [each.shown() for each in self.inner],
            "key": self.key,
            "label": self.label,
            "value": self.value,
        }

    def all(self) -> list[Group]:
        """Return the group and all groups in it."""
        return [self, *(found for each in self.inner for found in each.all())]


def groups(
    report: Report,
    columns: Columns,
    levels: Sequence[Grouping],
    rows: Sequence[Joined],
    above: str = "",
) -> list[Group]:
    """
    Put rows into groups, level by level.

    Raises:
        Refusal: a granularity or an order that this org does not know.
    """
    if not levels:
        return []
    level, *deeper = levels
    identity = _identity(level, columns)
    found: dict[object, Group] = {}
    order: dict[object, Any] = {}
    for joined in rows:
        value, label, place = identity(joined)
        if value not in found:
            found[value] = Group("", label, value)
            order[value] = (place is not None, place if place is not None else 0)
        found[value].rows.append(joined)
    ranks = {
        v: _rank(report, columns, level, group, order[v]) for v, group in found.items()
    }
    ordered = sorted(found, key=lambda value: ranks[value], reverse=level.descending)
    made = [found[value] for value in ordered]
    for index, group in enumerate(made):
        group.key = f"{above}_{index}" if above else str(index)
        group.inner = groups(report, columns, deeper, group.rows, group.key)
    return made


def _rank(
    report: Report, columns: Columns, level: Grouping, group: Group, place: Any
) -> Any:
    if not level.by:
        return place
    formula = next((each for each in report.formulas if each.name == level.by), None)
    if formula is not None:
        value = computed(formula, group.rows, columns)
    elif level.by == ROW_COUNT or "!" in level.by:
        value = summed(level.by, group.rows, columns)
    else:
        raise cannot_run(f"sorting by {level.by}")
    return (value is not None, value or 0)


def _identity(
    level: Grouping, columns: Columns
) -> Callable[[Joined], tuple[object, str, Any]]:
    """Return what tells a row's group: its value, its label, and its place."""
    if level.granularity == "None":

        def plain(joined: Joined) -> tuple[object, str, Any]:
            shown = columns.shown(level.column, joined)
            value = shown["value"]
            if isinstance(value, dict):
                value = value["amount"]
            return value, str(shown["label"]), _place(level, columns, joined)

        return plain
    unit = _UNITS.get(level.granularity)
    if unit is None:
        raise cannot_run(f"the granularity {level.granularity}")

    def dated(joined: Joined) -> tuple[object, str, Any]:
        value = columns.value(level.column, joined)
        if isinstance(value, datetime):
            value = value.date()
        if not isinstance(value, date):
            return None, "-", None
        start = beginning(unit, value)
        return start.isoformat(), _label(level.granularity, start), start

    return dated


def _place(level: Grouping, columns: Columns, joined: Joined) -> Any:
    """A picklist's values come in their own order, text without regard to case."""
    value = columns.sortable(level.column, joined)
    column = columns.find(level.column)
    if (
        column is not None
        and column.field.values
        and columns.type(level.column) != "string"
    ):
        listed = [each.value for each in column.field.values]
        return listed.index(value) if value in listed else len(listed)
    return value.lower() if isinstance(value, str) else value


def _label(granularity: str, start: date) -> str:
    match granularity:
        case "Week":
            return f"{day(start)} - {day(start + timedelta(days=6))}"
        case "Month":
            return f"{start:%B %Y}"
        case "Quarter":
            return f"Q{(start.month + 2) // 3} CY{start.year}"
        case "FiscalQuarter":
            return f"Q{(start.month + 2) // 3} FY{start.year}"
        case "Year":
            return f"CY{start.year}"
        case "FiscalYear":
            return f"FY{start.year}"
    return day(start)
