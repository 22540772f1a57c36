"""Report: rows, columns and sums that people look at.

Source: "Report", Metadata API Developer Guide; words of refusals as reported by users.
"""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    check,
    child,
    children,
    line_of,
    text,
    texts,
)
from sidecar.devorg.metadata.optional_fields import CURRENCIES
from sidecar.devorg.metadata.report_columns import ROW_COUNT, Reportable, reportable
from sidecar.devorg.metadata.work import Work, check_length, check_name, missing

_LENGTH, _DESCRIPTION = 40, 255
_MOST_GROUPINGS = {"Tabular": 0, "Summary": 3, "Matrix": 2, "MultiBlock": 3}
# Element -> the child of it that names a column.
_NAMING = {
    "columns": "field",
    "groupingsDown": "field",
    "groupingsAcross": "field",
    "timeFrameFilter": "dateColumn",
}
_SCOPES = frozenset(
    (
        "organization",
        "org",
        "user",
        "team",
        "mine",
        "my",
        "queue",
        "queueowner",
        "salesteam",
        "territory",
        "all",
        "MyAccounts",
        "MyTeamsAccounts",
        "AllAccounts",
    )
)


def apply(work: Work, part: Part, _component_id: str) -> Reportable:
    """
    Keep a report; return the report type that it is of.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "Report")
    folder, _, name = part.full_name.rpartition("/")
    if folder != "unfiled$public":
        need_folder(work, "ReportFolder", folder)
    check_name(name)
    check_length("Name", text(element, "name"), _LENGTH)
    check_length("Description", text(element, "description"), _DESCRIPTION)
    type_name = text(element, "reportType") or ""
    found = reportable(work.components, work.org.schema, type_name)
    if found is None:
        raise Problem(f"reportType: Invalid value specified: {type_name}")
    _check_currency(work, element)
    scope = text(element, "scope")
    if scope is not None and scope not in _SCOPES:
        raise Problem(f"scope: Invalid value specified: {scope}")
    _check_format(element)
    own = set(_own(element))
    for tag, column, where in _named(element):
        if column in own or column == ROW_COUNT:
            continue
        if found.column(work.org.schema, column) is None:
            raise Problem(
                f"{tag}: Invalid value specified: {column}", line=line_of(where)
            )
    return found


def need_folder(work: Work, type_: str, name: str) -> None:
    """
    Check that the folder of a component exists.

    Raises:
        Problem: "Cannot find folder:…".
    """
    if work.components.get(type_, name) is None:
        raise Problem(f"Cannot find folder:{name}")


def _check_currency(work: Work, element: Element) -> None:
    currency = text(element, "currency")
    known = CURRENCIES if work.features.multi_currency else CURRENCIES[:1]
    if currency and currency not in known:
        raise Problem(f"currency: Invalid value specified: {currency}")


def _check_format(element: Element) -> None:
    shape = text(element, "format") or ""
    down, across = (
        children(element, "groupingsDown"),
        children(element, "groupingsAcross"),
    )
    if len(down) > _MOST_GROUPINGS[shape]:
        raise Problem(f"A {shape} report can't have {len(down)} groupings")
    if shape == "Matrix" and not (down and across):
        raise Problem("A Matrix report needs groupings down and across")
    if shape != "Matrix" and across:
        raise Problem(f"A {shape} report can't have groupings across")
    if shape == "Summary" and not down:
        raise Problem("A Summary report needs at least one grouping")
    grouped = [text(each, "field") for each in (*down, *across)]
    if len(set(grouped)) < len(grouped):
        raise Problem("A report can't be grouped twice by the same column")
    if child(element, "chart") is not None and shape == "Tabular":
        raise Problem("A Tabular report without row limit can't have a chart")


def _own(element: Element) -> Iterator[str]:
    """Names that the report itself makes: formulas and buckets."""
    for tag in ("aggregates", "buckets", "customDetailFormulas"):
        for each in children(element, tag):
            name = text(each, "developerName")
            if name:
                yield name
                yield f"BucketField_{name}"


def _named(element: Element) -> Iterator[tuple[str, str, Element]]:
    """All places where the report names a column: (element, column, where)."""
    for tag, inner in _NAMING.items():
        for each in children(element, tag):
            yield inner, text(each, inner) or "", each
    if (sort := text(element, "sortColumn")) is not None:
        yield "sortColumn", sort, element
    filters = child(element, "filter")
    for each in () if filters is None else children(filters, "criteriaItems"):
        yield "column", text(each, "column") or "", each
    for bucket in children(element, "buckets"):
        yield "sourceColumnName", text(bucket, "sourceColumnName") or "", bucket
    chart = child(element, "chart")
    if chart is not None:
        for tag in ("groupingColumn", "secondaryGroupingColumn"):
            for column in texts(chart, tag):
                yield tag, column, chart
        for each in children(chart, "chartSummaries"):
            yield "column", text(each, "column") or "", each


def remove(work: Work, full_name: str) -> None:
    """
    Delete a report.

    Raises:
        Problem: a dashboard shows it.
    """
    for each in work.components.of_type("Dashboard"):
        if work.leaving("Dashboard", each.full_name):
            continue
        shown = {(e.text or "").strip() for e in each.element.iter("{*}report")}
        if full_name in shown:
            raise Problem(
                "This report is referenced elsewhere in salesforce.com."
                f" : Dashboard - {each.full_name}"
            )


def need_report(work: Work, name: str) -> None:
    """
    Check that a report exists.

    Raises:
        Problem: "In field: report - no Report named … found".
    """
    if work.components.get("Report", name) is None:
        raise missing("report", "Report", name)
