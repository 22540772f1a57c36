"""Dashboards: each component shows a report, in a place of its own."""

from collections.abc import Iterator

from sidecar.package.lint import references
from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.index import Index
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source


def check(index: Index) -> Iterator[Finding]:
    """Yield what is wrong in the project's dashboards."""
    for source in index.of("Dashboard"):
        yield from _dashboard(index, source)
        yield from references.folder(index, source, "DashboardFolder")


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
