"""Reports: columns, groupings and filters lead to fields and fit together."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sidecar.package.lint import references
from sidecar.package.lint.findings import Finding
from sidecar.package.lint.index import Index
from sidecar.package.lint.near import nearest
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.report_types import SUFFIXED, column_path, object_of
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source


def check(index: Index) -> Iterator[Finding]:
    """Yield what is wrong in the project's reports."""
    for source in index.of("Report"):
        yield from _report(index, source)
        yield from references.folder(index, source, "ReportFolder")


@dataclass(frozen=True)
class _Report:
    """One report and what may stand in its columns."""

    index: Index
    source: Source

    @cached_property
    def own(self) -> set[str]:
        """Names that the report itself makes, in lower case."""
        root = self.source.root
        names = root.texts("buckets", "developerName")
        names += root.texts("aggregates", "developerName")
        names += root.texts("customDetailFormulas", "developerName")
        return {name.lower() for name in names} | {"rowcount"}

    @cached_property
    def columns(self) -> set[str] | None:
        """What its custom report type offers, in lower case; None if not known."""
        name = self.source.root.get("reportType").lower().removesuffix("__c")
        kind = self.index.document("ReportType", name)
        if kind is None:
            return None
        rows = kind.root.all("sections", "columns")
        return {f"{row.get('table')}${row.get('field')}".lower() for row in rows}


def _report(index: Index, source: Source) -> Iterator[Finding]:
    root = source.root
    yield from _type_of(index, source)
    if root.get("format") == "MultiBlock":
        return  # each block is a report with names of its own
    report = _Report(index, source)
    places: list[Node] = []
    for path in (
        ("columns", "field"),
        ("groupingsDown", "field"),
        ("groupingsAcross", "field"),
        ("filter", "criteriaItems", "column"),
        ("timeFrameFilter", "dateColumn"),
        ("buckets", "sourceColumnName"),
        ("chart", "groupingColumn"),
        ("chart", "secondaryGroupingColumn"),
        ("chart", "chartSummaries", "column"),
        ("sortColumn",),
    ):
        places += root.all(*path)
    for node in places:
        yield from _column(report, node)
    for row in root.all("filter", "criteriaItems"):
        yield from _criterion(report, row)
    yield from _shape(source)


def _type_of(index: Index, source: Source) -> Iterator[Finding]:
    node = source.root.one("reportType")
    if node is None:
        return
    name = node.text
    if name.lower().endswith("__c") and "$" not in name and "@" not in name:
        bare = name[:-3]
        if not index.object(name):
            yield from references.component(
                index, source, "report-type", "ReportType", node, bare
            )
    elif "$" in name:
        for part in re.split(r"[$@]", name)[1:]:
            owner, _, lookup = part.partition(".")
            if lookup:
                yield from references.field(index, source, owner, node, lookup)
            elif missing := index.missing_object(owner):
                yield missing.at(source.path, node, source.name)


def _column(report: _Report, node: Node) -> Iterator[Finding]:
    """``Referrer__c$Code__c`` of a custom type, ``Lead.Referral_Key__c`` of another."""
    index, source, text = report.index, report.source, node.text
    lower = text.lower()
    if lower in report.own:
        return
    if re.match(r"(bucketfield|formula|cdf)_?\d", lower):
        message = f"{source.name} does not define {text}"
        yield finding("reference/report-column", source.path, node, text, message)
    elif "$" in text:
        table, _, name = text.rpartition("$")
        if owner := object_of(index, table):
            yield from column_path(index, source, owner, node, name)
        plain = lower.removesuffix(".convert")
        columns = report.columns
        if columns is not None and "." not in name and plain not in columns:
            message = f"the report type of {source.name} has no column {text}"
            near = nearest(text, columns)
            yield finding(
                "reference/report-column", source.path, node, text, message + near
            )
    elif "." in text:
        owner, _, name = text.partition(".")
        if SUFFIXED.search(name.removesuffix(".CONVERT")):
            yield from column_path(index, source, owner, node, name)


def _criterion(report: _Report, row: Node) -> Iterator[Finding]:
    column, value = row.one("column"), row.one("value")
    if column is None or value is None:
        return
    if row.get("operator") not in {"equals", "notEqual"}:
        return
    separator = "$" if "$" in column.text else "."
    table, _, name = column.text.partition(separator)
    owner = object_of(report.index, table)
    yield from references.values(
        report.index, report.source, owner, name, value, value.text
    )


def _shape(source: Source) -> Iterator[Finding]:
    """Do format and groupings fit together?"""
    root = source.root
    down = root.texts("groupingsDown", "field")
    across = root.texts("groupingsAcross", "field")
    form = root.get("format")
    problem = ""
    if form == "Tabular" and (down or across):
        problem = "is Tabular, but groups its rows"
    elif form == "Summary" and (not down or across):
        problem = "is a Summary, and needs groupings down and none across"
    elif form == "Matrix" and not (down and across):
        problem = "is a Matrix, and needs groupings down and across"
    elif root.one("chart") and not down and form != "MultiBlock":
        problem = "has a chart, but groups nothing"
    if problem:
        where = root.one("format") or root
        message = f"{source.name} {problem}"
        yield finding("report/shape", source.path, where, source.name, message)
    grouped = {name.lower() for name in (*down, *across)}
    for tag in ("groupingColumn", "secondaryGroupingColumn"):
        node = root.one("chart", tag)
        if node is not None and grouped and node.text.lower() not in grouped:
            message = (
                f"the chart of {source.name} groups by {node.text}, the report not"
            )
            yield finding("report/chart", source.path, node, node.text, message)
