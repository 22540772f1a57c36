"""Report types, reports and dashboards: each column leads to a field."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from sidecar.package.lint import references
from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.index import Index
from sidecar.package.lint.near import nearest
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source

# Child relationships that every org has -> object of the children.
_CHILDREN: Mapping[str, str] = MappingProxyType(
    {
        "contacts": "Contact",
        "opportunities": "Opportunity",
        "cases": "Case",
        "tasks": "Task",
        "events": "Event",
        "campaignmembers": "CampaignMember",
        "leads": "Lead",
        "childaccounts": "Account",
        "assets": "Asset",
    }
)
_SUFFIXED = re.compile(r"__c$", re.IGNORECASE)


def check(index: Index) -> Iterator[Finding]:
    """Yield what is wrong in what people analyse."""
    for source in index.of("ReportType"):
        yield from _report_type(index, source)
    for source in index.of("Report"):
        yield from _report(index, source)
        yield from _folder(index, source, "ReportFolder")
    for source in index.of("Dashboard"):
        yield from _dashboard(index, source)
        yield from _folder(index, source, "DashboardFolder")


# --- report types ---


def _report_type(index: Index, source: Source) -> Iterator[Finding]:
    base = source.root.one("baseObject")
    yield from references.an_object(index, source, base)
    owner = base.text if base is not None else ""
    join = source.root.one("join")
    table = owner
    tables = {table.lower()}
    while join is not None:
        relation = join.one("relationship")
        if relation is None:
            break
        yield from _relationship(index, source, table, relation)
        table = f"{table}.{relation.text}"
        tables.add(table.lower())
        join = join.one("join")
    seen: set[tuple[str, str]] = set()
    for row in source.root.all("sections", "columns"):
        column, place = row.one("field"), row.one("table")
        if column is None or place is None:
            continue
        if place.text.lower() not in tables:
            message = f"{source.name} joins no {place.text}"
            yield finding(
                "reference/relationship", source.path, place, place.text, message
            )
            continue
        key = place.text.lower(), column.text.lower()
        if key in seen:
            message = f"{source.name} has the column {column.text} twice"
            yield finding("report/duplicate", source.path, row, column.text, message)
        seen.add(key)
        child = object_of(index, place.text)
        yield from _path(index, source, child, column, column.text)


def _relationship(
    index: Index, source: Source, table: str, node: Node
) -> Iterator[Finding]:
    owner = object_of(index, table)
    thing = index.object(owner) if owner else None
    name = node.text.lower()
    if not name.endswith("__r") or thing is None or index.foreign(node.text):
        return
    incoming = index.incoming(owner)
    if name.removesuffix("__r") not in incoming:
        known = [f"{one.node.get('relationshipName')}__r" for one in incoming.values()]
        message = f"nothing points to {thing.name} as {node.text}"
        yield finding(
            "reference/relationship",
            source.path,
            node,
            node.text,
            message + nearest(node.text, known),
            level=None if thing.whole else Level.WARNING,
        )


def object_of(index: Index, table: str) -> str:
    """Give the object of ``Referrer__c.Referred_Leads__r``, or '' if unknown."""
    owner, *relations = table.split(".")
    for relation in relations:
        name = relation.lower()
        if name.endswith("__r"):
            lookup = index.incoming(owner).get(name.removesuffix("__r"))
            owner = lookup.object if lookup else ""
        else:
            owner = _CHILDREN.get(name, "")
    return owner


def _path(
    index: Index, source: Source, owner: str, node: Node, path: str
) -> Iterator[Finding]:
    """Here a lookup on the way is named as the field: ``Contact__c.Email``."""
    *steps, last = path.split(".")
    if last.upper() == "CONVERT" and steps:  # the amount in the reader's currency
        *steps, last = steps
    steps = [_SUFFIXED.sub("__r", step) for step in steps]
    if owner:
        yield from references.field(
            index, source, owner, node, ".".join([*steps, last])
        )


# --- reports ---


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
            yield from _path(index, source, owner, node, name)
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
        if _SUFFIXED.search(name.removesuffix(".CONVERT")):
            yield from _path(index, source, owner, node, name)


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


# --- dashboards ---


def _dashboard(index: Index, source: Source) -> Iterator[Finding]:
    kind = source.root.one("dashboardType")
    if kind is None or kind.text == "SpecifiedUser":
        message = f"{source.name} shows what one named user may see"
        where = kind or source.root
        yield finding(
            "dashboard/specified-user", source.path, where, source.name, message
        )
    reports = index.names.get("Report", {})
    nested = index.report_ends
    folders = index.names.get("ReportFolder", {})
    for node in source.root.walk():
        if node.name == "report" and node.text:
            # Of nested folders only the last two names may be told.
            last = "/".join(node.text.lower().split("/")[-2:])
            if node.text.lower() in reports or last in nested:
                continue
            message = f"{source.name}: there is no report {node.text}"
            ours = node.text.partition("/")[0].lower() in folders
            yield finding(
                "reference/report",
                source.path,
                node,
                node.text,
                message + index.words("Report").nearest(node.text),
                level=None if ours else Level.WARNING,
            )
        elif node.name in {"dashboardComponent", "components"} and (
            report := index.document("Report", node.get("report"))
        ):
            yield from _component(source, node, report)
    yield from _grid(source)


def _component(source: Source, node: Node, report: Source) -> Iterator[Finding]:
    """A component groups by what its report groups by."""
    grouped = {
        name.lower()
        for tag in ("groupingsDown", "groupingsAcross")
        for name in report.root.texts(tag, "field")
    }
    for column in node.all("groupingColumn"):
        if column.text and column.text.lower() not in grouped:
            message = f"{source.name}: {report.name} does not group by {column.text}"
            yield finding(
                "reference/report-column", source.path, column, column.text, message
            )


def _grid(source: Source) -> Iterator[Finding]:
    """Does each component lie inside the grid, and on no other?"""
    grid = source.root.one("dashboardGridLayout")
    if grid is None:
        return
    width = _number(grid.get("numberOfColumns"))
    taken: dict[tuple[int, int], Node] = {}
    for node in grid.all("dashboardGridComponents"):
        left, top, wide, high = (
            _number(node.get(tag))
            for tag in ("columnIndex", "rowIndex", "colSpan", "rowSpan")
        )
        name = node.get("dashboardComponent", "header") or source.name
        if left + wide > width:
            message = f"{source.name}: {name} reaches beyond column {width}"
            yield finding("dashboard/grid", source.path, node, name, message)
            continue
        cells = [(x, y) for x in range(left, left + wide) for y in _rows(top, high)]
        if any(cell in taken for cell in cells):
            message = f"{source.name}: {name} lies on another component"
            yield finding("dashboard/grid", source.path, node, name, message)
        taken.update(dict.fromkeys(cells, node))


def _rows(top: int, high: int) -> range:
    return range(top, top + min(high, 100))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def _folder(index: Index, source: Source, kind: str) -> Iterator[Finding]:
    folder = source.name.rpartition("/")[0]
    known = index.names.get(kind, {})
    if folder and folder.lower() not in known and not folder.startswith("unfiled"):
        message = f"there is no folder {folder}{index.words(kind).nearest(folder)}"
        yield finding("reference/folder", source.path, 1, folder, message)
