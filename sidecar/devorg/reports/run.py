"""One run of a report, in the shape of the Reports API.

Source: "Execute Sync Report" and "Factmap Patterns", Reports and Dashboards REST API
Developer Guide: at most 2,000 rows of detail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sidecar.devorg.metadata.component import Component
from sidecar.devorg.metadata.report_columns import ROW_COUNT, Reportable
from sidecar.devorg.permissions import Access
from sidecar.devorg.reports import sums
from sidecar.devorg.reports.columns import Columns, Joined
from sidecar.devorg.reports.definition import Report, cannot_run, read
from sidecar.devorg.reports.grouping import Group, groups
from sidecar.devorg.reports.rows import rows

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_MOST_DETAILS = 2000


class Run:
    """A report that one user runs."""

    def __init__(self, org: Org, access: Access, component: Component) -> None:
        """
        Read the report, and leave out the columns that the user may not see.

        Raises:
            Refusal: it needs more than this org can do, or than the user may see.
        """
        reportable = component.value
        if not isinstance(reportable, Reportable):
            raise cannot_run("its report type")
        self._org, self._access, self._reportable = org, access, reportable
        report = read(component)
        self.columns = Columns(org, access, reportable, report.buckets)
        self.report = self._visible(report)

    def _visible(self, report: Report) -> Report:
        seen = self.columns.seen
        for each in (*report.down, *report.across):
            if not seen(each.column):
                raise cannot_run(f"the column {each.column}, for this user,")
        for criterion in report.criteria:
            if not seen(criterion.column):
                raise cannot_run(f"the column {criterion.column}, for this user,")
        return replace(
            report,
            columns=tuple(each for each in report.columns if seen(each)),
            aggregates=tuple(
                each for each in report.aggregates if seen(each.partition("!")[2])
            ),
        )

    def answer(self, base: str, *, details: bool) -> dict[str, object]:
        """
        Run it.

        Args:
            base: path of the report in the API.
            details: show the rows; without them their sums alone.
        """
        report = self.report
        found = self._sorted(
            rows(self._org, self._access, report, self._reportable, self.columns)
        )
        down = groups(report, self.columns, report.down, found)
        across = groups(report, self.columns, report.across, found)
        facts = self._facts(found, down, across, details=details)
        return {
            "attributes": {
                "describeUrl": f"{base}/describe",
                "instancesUrl": f"{base}/instances",
                "reportId": report.id,
                "reportName": report.name,
                "type": "Report",
            },
            "allData": not details or len(found) <= _MOST_DETAILS,
            "factMap": facts,
            "groupingsAcross": {"groupings": [each.shown() for each in across]},
            "groupingsDown": {"groupings": [each.shown() for each in down]},
            "hasDetailRows": details,
            "picklistColors": {},
            "reportExtendedMetadata": self.extended_metadata(),
            "reportMetadata": self.metadata(details=details),
        }

    def _sorted(self, found: list[Joined]) -> list[Joined]:
        if self.report.sort is None:
            return found
        name, descending = self.report.sort

        def key(joined: Joined) -> tuple[bool, object]:
            value = self.columns.sortable(name, joined)
            return value is not None, value.lower() if isinstance(
                value, str
            ) else value or 0

        return sorted(found, key=key, reverse=descending)

    def _facts(
        self,
        found: Sequence[Joined],
        down: Sequence[Group],
        across: Sequence[Group],
        *,
        details: bool,
    ) -> dict[str, object]:
        """Return sums and rows for each crossing of a group down and one across."""
        all_down = [None, *(group for each in down for group in each.all())]
        all_across = [None, *(group for each in across for group in each.all())]
        facts: dict[str, object] = {}
        left = _MOST_DETAILS
        for row_group in all_down:
            for column_group in all_across:
                rows_here = _crossed(found, row_group, column_group)
                if row_group and column_group and not rows_here:
                    continue
                fact: dict[str, object] = {
                    "aggregates": self._aggregates(rows_here, row_group)
                }
                if details:
                    innermost = _innermost(row_group, down) and _innermost(
                        column_group, across
                    )
                    shown = rows_here[:left] if innermost else []
                    left -= len(shown)
                    fact["rows"] = [{"dataCells": self._cells(row)} for row in shown]
                key = (row_group.key if row_group else "T") + "!"
                facts[key + (column_group.key if column_group else "T")] = fact
        return facts

    def _cells(self, joined: Joined) -> list[dict[str, object]]:
        return [self.columns.shown(name, joined) for name in self.report.columns]

    def _aggregates(
        self, rows_here: Sequence[Joined], group: Group | None
    ) -> list[dict[str, object]]:
        found = []
        for name in self._aggregate_names():
            formula = next((f for f in self.report.formulas if f.name == name), None)
            if formula is None:
                value = sums.summed(name, rows_here, self.columns)
            elif self._shown_here(formula.down, group):
                value = sums.computed(formula, rows_here, self.columns)
            else:
                value = None
            found.append(sums.shown(name, value, self.columns, formula))
        return found

    def _shown_here(self, context: str | None, group: Group | None) -> bool:
        """A formula may be for one level of grouping alone."""
        if context is None:
            return True
        level = 0 if group is None else group.key.count("_") + 1
        wanted = [0, *(each.column for each in self.report.down)]
        return level < len(wanted) and wanted[level] == context

    def _aggregate_names(self) -> list[str]:
        formulas = [each.name for each in self.report.formulas]
        return [*self.report.aggregates, *formulas, ROW_COUNT]

    def metadata(self, *, details: bool) -> dict[str, object]:
        """Return what the report asks for."""
        report = self.report
        return {
            "aggregates": self._aggregate_names(),
            "chart": None,
            "currency": None,
            "description": report.description,
            "detailColumns": list(report.columns),
            "developerName": report.developer_name,
            "groupingsAcross": [_grouping(each) for each in report.across],
            "groupingsDown": [_grouping(each) for each in report.down],
            "hasDetailRows": details,
            "hasRecordCount": True,
            "historicalSnapshotDates": [],
            "id": report.id,
            "name": report.name,
            "reportBooleanFilter": None if report.logic == "and" else report.logic,
            "reportFilters": [
                {
                    "column": each.column,
                    "filterType": "fieldValue",
                    "isRunPageEditable": True,
                    "operator": each.operator,
                    "value": each.value,
                }
                for each in report.criteria
            ],
            "reportFormat": report.format.upper(),
            "reportType": {"label": report.report_type, "type": report.report_type},
            "scope": report.scope,
            "showGrandTotal": True,
            "showSubtotals": True,
            "sortBy": [
                {"sortColumn": name, "sortOrder": "Desc" if descending else "Asc"}
                for name, descending in ([report.sort] if report.sort else [])
            ],
            "standardDateFilter": {
                "column": report.date_column,
                "durationValue": report.interval.removeprefix("INTERVAL_") or "CUSTOM",
                "endDate": report.end,
                "startDate": report.start,
            },
            "standardFilters": [],
        }

    def extended_metadata(self) -> dict[str, object]:
        """Return labels and types of the columns."""
        columns, labels = self.columns, {f.name: f.label for f in self.report.formulas}

        def info(name: str) -> dict[str, object]:
            return {"dataType": columns.type(name), "label": columns.label(name)}

        def of_aggregate(name: str) -> dict[str, object]:
            if name == ROW_COUNT:
                return {"dataType": "int", "label": "Record Count"}
            if name in labels:
                return {"dataType": "double", "label": labels[name]}
            return info(name.partition("!")[2])

        groupings = (*self.report.down, *self.report.across)
        return {
            "aggregateColumnInfo": {
                n: of_aggregate(n) for n in self._aggregate_names()
            },
            "detailColumnInfo": {n: info(n) for n in self.report.columns},
            "groupingColumnInfo": {
                each.column: {**info(each.column), "groupingLevel": level}
                for level, each in enumerate(groupings)
            },
        }


def _crossed(
    found: Sequence[Joined], down: Group | None, across: Group | None
) -> list[Joined]:
    here = list(found) if down is None else down.rows
    if across is None:
        return here
    among = {id(each) for each in across.rows}
    return [each for each in here if id(each) in among]


def _innermost(group: Group | None, groups_: Sequence[Group]) -> bool:
    return not group.inner if group is not None else not groups_


def _grouping(each: object) -> dict[str, object]:
    return {
        "dateGranularity": getattr(each, "granularity", "None"),
        "name": getattr(each, "column", ""),
        "sortAggregate": getattr(each, "by", "") or None,
        "sortOrder": "Desc" if getattr(each, "descending", False) else "Asc",
    }
