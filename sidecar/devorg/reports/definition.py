"""What a deployed report asks for; what this org cannot run is refused by its name."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.devorg.metadata.component import Component
from sidecar.devorg.metadata.element import (
    Element,
    child,
    children,
    flag,
    name_of,
    text,
    texts,
)
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.reports.columns import Bucket

_NOT_RUN = frozenset(
    (
        "aggregateFilters",
        "block",
        "blockInfo",
        "crossFilters",
        "customDetailFormulas",
        "dataCategoryFilters",
        "historicalSelector",
        "rowLimit",
        "userFilter",
    )
)
# Standard filters that leave everything in.
_OPEN_TO_ALL = {"co": "1", "open": "all", "probability": "0", "terr": "all"}
SHORT = {
    "Sum": "s",
    "Average": "a",
    "Maximum": "mx",
    "Minimum": "mi",
    "Unique": "u",
}


def cannot_run(what: str) -> Refusal:
    """Return the refusal of a report that asks for more than this org can do."""
    return Refusal("BAD_REQUEST", f"The report can't be run: {what} is not available")


@dataclass(frozen=True)
class Grouping:
    """One level of grouping; ``by`` is an aggregate to sort by, "" for the value."""

    column: str
    granularity: str
    descending: bool
    by: str


@dataclass(frozen=True)
class Criterion:
    """One filter; ``value`` as it is written."""

    column: str
    operator: str
    value: str


@dataclass(frozen=True)
class Formula:
    """A summary formula; ``down`` is the grouping where alone it is shown."""

    name: str
    label: str
    text: str
    kind: str
    scale: int
    down: str | None


@dataclass(frozen=True)
class Report:
    """A report, read."""

    id: str
    name: str
    developer_name: str
    description: str | None
    report_type: str
    format: str
    columns: tuple[str, ...]
    aggregates: tuple[str, ...]
    formulas: tuple[Formula, ...]
    down: tuple[Grouping, ...]
    across: tuple[Grouping, ...]
    criteria: tuple[Criterion, ...]
    logic: str
    date_column: str
    interval: str
    start: str | None
    end: str | None
    scope: str
    details: bool
    sort: tuple[str, bool] | None
    buckets: dict[str, Bucket]


def read(component: Component) -> Report:
    """
    Read a deployed report.

    Raises:
        Refusal: it asks for more than this org can do.
    """
    element = component.element
    for each in element:
        if name_of(each) in _NOT_RUN:
            raise cannot_run(name_of(each))
    _check_params(element)
    shape = text(element, "format") or "Tabular"
    if shape == "MultiBlock":
        raise cannot_run("the format MultiBlock")
    filter_ = child(element, "filter")
    time = child(element, "timeFrameFilter")
    sort = text(element, "sortColumn")
    return Report(
        id=component.id,
        name=text(element, "name") or "",
        developer_name=component.full_name.rpartition("/")[2],
        description=text(element, "description"),
        report_type=text(element, "reportType") or "",
        format=shape,
        columns=tuple(text(e, "field") or "" for e in children(element, "columns")),
        aggregates=tuple(_aggregates(element)),
        formulas=tuple(_formulas(element)),
        down=tuple(_grouping(each) for each in children(element, "groupingsDown")),
        across=tuple(_grouping(each) for each in children(element, "groupingsAcross")),
        criteria=() if filter_ is None else _criteria(filter_),
        logic=(filter_ is not None and text(filter_, "booleanFilter")) or "and",
        date_column="" if time is None else text(time, "dateColumn") or "",
        interval="" if time is None else text(time, "interval") or "",
        start=None if time is None else text(time, "startDate"),
        end=None if time is None else text(time, "endDate"),
        scope=text(element, "scope") or "organization",
        details=flag(element, "showDetails", default=True),
        sort=(sort, text(element, "sortOrder") == "Desc") if sort else None,
        buckets={
            each.name: each for each in map(_bucket, children(element, "buckets"))
        },
    )


def _check_params(element: Element) -> None:
    for each in children(element, "params"):
        name, value = text(each, "name") or "", text(each, "value") or ""
        if _OPEN_TO_ALL.get(name) != value:
            raise cannot_run(f"the filter {name} = {value}")


def _aggregates(element: Element) -> list[str]:
    found = []
    for column in children(element, "columns"):
        for kind in texts(column, "aggregateTypes"):
            if kind in {"None", "Noop"}:
                continue
            if kind not in SHORT:
                raise cannot_run(f"the summary {kind}")
            found.append(f"{SHORT[kind]}!{text(column, 'field')}")
    return found


def _formulas(element: Element) -> list[Formula]:
    found = []
    for each in children(element, "aggregates"):
        if not flag(each, "isActive"):
            continue
        if flag(each, "isCrossBlock"):
            raise cannot_run("a summary formula across blocks")
        found.append(
            Formula(
                name=text(each, "developerName") or "",
                label=text(each, "masterLabel") or "",
                text=text(each, "calculatedFormula") or "",
                kind=text(each, "datatype") or "number",
                scale=int(text(each, "scale") or 2),
                down=text(each, "downGroupingContext"),
            )
        )
    return found


def _grouping(element: Element) -> Grouping:
    by = ""
    kind = text(element, "sortType") or "Column"
    if kind == "Aggregate":
        name, aggregate = (
            text(element, "sortByName") or "",
            text(element, "aggregateType"),
        )
        by = name if aggregate == "RowCount" else f"{SHORT.get(aggregate or '')}!{name}"
    elif kind == "CustomSummaryFormula":
        by = text(element, "sortByName") or ""
    return Grouping(
        text(element, "field") or "",
        text(element, "dateGranularity") or "None",
        text(element, "sortOrder") == "Desc",
        by,
    )


def _criteria(element: Element) -> tuple[Criterion, ...]:
    found = []
    for each in children(element, "criteriaItems"):
        if flag(each, "columnToColumn"):
            raise cannot_run("a filter that compares two columns")
        found.append(
            Criterion(
                text(each, "column") or "",
                text(each, "operator") or "",
                text(each, "value") or "",
            )
        )
    return tuple(found)


def _bucket(element: Element) -> Bucket:
    if text(element, "bucketType") == "number":
        raise cannot_run("a bucket of numbers")
    names = {}
    for value in children(element, "values"):
        for source in children(value, "sourceValues"):
            names[text(source, "sourceValue") or ""] = text(value, "value") or ""
    return Bucket(
        name=text(element, "developerName") or "",
        label=text(element, "masterLabel") or "",
        source=text(element, "sourceColumnName") or "",
        names=names,
        other=text(element, "otherBucketLabel") if flag(element, "useOther") else None,
    )
