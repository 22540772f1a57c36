"""Dashboard, and the folders of reports, dashboards and e-mail templates.

Source: "Dashboard" and "Folder", Metadata API Developer Guide; "Dynamic dashboards"
in Salesforce Help for how many an edition allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
from sidecar.devorg.metadata.report import need_folder, need_report
from sidecar.devorg.metadata.report_columns import ROW_COUNT, Reportable
from sidecar.devorg.metadata.work import Work, check_length, check_name, missing

_MOST_COMPONENTS = 20
_WITHOUT_REPORT = frozenset(("Image", "RichText", "Scontrol", "VisualforcePage"))
_LONG = 80


def apply(work: Work, part: Part, _component_id: str) -> None:
    """
    Keep a dashboard.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "Dashboard")
    folder, _, name = part.full_name.rpartition("/")
    need_folder(work, "DashboardFolder", folder)
    check_name(name)
    check_length("Title", text(element, "title"), _LONG)
    _check_runner(work, part)
    shown = list(_components(element))
    if len(shown) > _MOST_COMPONENTS:
        raise Problem(f"A dashboard can't have more than {_MOST_COMPONENTS} components")
    for each in shown:
        _check_component(work, each)


def _check_runner(work: Work, part: Part) -> None:
    """Check whose eyes it sees with, and how many dynamic ones there may be."""
    kind = text(part.element, "dashboardType") or "SpecifiedUser"
    if kind == "SpecifiedUser":
        username = text(part.element, "runningUser") or ""
        user_id = work.org.user_named(username)
        if user_id is None:
            raise missing("runningUser", "User", username)
        return
    dynamic = [
        each
        for each in work.components.of_type("Dashboard")
        if text(each.element, "dashboardType") in {"LoggedInUser", "MyTeamUser"}
        and each.full_name != part.full_name
    ]
    allowed = work.features.dashboards_allowed(work.org.metadata.edition)
    if len(dynamic) >= allowed:
        raise Problem("You reached the limit for dashboards run as the logged-in user.")


def _components(element: Element) -> Iterator[Element]:
    grid = child(element, "dashboardGridLayout")
    if grid is not None:
        taken: set[tuple[int, int]] = set()
        for place in children(grid, "dashboardGridComponents"):
            _check_place(grid, place, taken)
            inner = child(place, "dashboardComponent")
            if inner is not None:
                yield inner
    for side in ("leftSection", "middleSection", "rightSection"):
        section = child(element, side)
        if section is not None:
            yield from children(section, "components")


def _check_place(grid: Element, place: Element, taken: set[tuple[int, int]]) -> None:
    def number(element: Element, name: str) -> int:
        return int(text(element, name) or 0)

    left, top = number(place, "columnIndex"), number(place, "rowIndex")
    right, bottom = left + number(place, "colSpan"), top + number(place, "rowSpan")
    if right > number(grid, "numberOfColumns"):
        raise Problem(
            "A dashboard component doesn't fit into the grid", line=line_of(place)
        )
    cells = {(x, y) for x in range(left, right) for y in range(top, bottom)}
    if cells & taken:
        raise Problem("Dashboard components overlap", line=line_of(place))
    taken |= cells


def _check_component(work: Work, element: Element) -> None:
    kind = text(element, "componentType") or ""
    name = text(element, "report")
    if kind in _WITHOUT_REPORT:
        if kind in {"Scontrol", "VisualforcePage"}:
            raise missing("page", "ApexPage", text(element, "page") or "")
        return
    if not name:
        raise Problem("Required field is missing: report", line=line_of(element))
    need_report(work, name)
    report = work.need("report", "Report", name)
    reportable = report.value
    if not isinstance(reportable, Reportable):
        return
    own = {
        (each.text or "").strip() for each in report.element.iter("{*}developerName")
    }
    for tag, column in _columns(element):
        if column in own | {ROW_COUNT}:
            continue
        if reportable.column(work.org.schema, column) is None:
            raise Problem(
                f"{tag}: Invalid value specified: {column}", line=line_of(element)
            )


def _columns(element: Element) -> Iterator[tuple[str, str]]:
    for column in texts(element, "groupingColumn"):
        yield "groupingColumn", column
    for tag in ("chartSummary", "dashboardTableColumn", "dashboardFilterColumns"):
        for each in children(element, tag):
            yield "column", text(each, "column") or ""


def folder(
    type_: str, holds: str
) -> tuple[Callable[[Work, Part, str], None], Callable[[Work, str], None]]:
    """
    Return what keeps and what deletes folders of one type.

    Args:
        type_: ``ReportFolder``.
        holds: the type of what lies in it: ``Report``.
    """

    def apply(work: Work, part: Part, _component_id: str) -> None:
        check(part.element, type_)
        above, _, name = part.full_name.rpartition("/")
        if above:
            need_folder(work, type_, above)
        check_name(name)
        check_length("Name", text(part.element, "name"), _LONG)
        for share in children(part.element, "folderShares"):
            _check_share(work, share)

    def remove(work: Work, full_name: str) -> None:
        for each in work.components.of_type(holds):
            inside = each.full_name.rpartition("/")[0] == full_name
            if inside and not work.leaving(holds, each.full_name):
                raise Problem("Cannot delete a folder that is not empty")

    return apply, remove


def _check_share(work: Work, share: Element) -> None:
    kind, name = text(share, "sharedToType"), text(share, "sharedTo") or ""
    if kind == "User" and work.org.user_named(name) is None:
        raise missing("sharedTo", "User", name)
    if kind == "Group" and name != "AllInternalUsers":
        work.need("sharedTo", "Group", name)
    if kind in {"Role", "RoleAndSubordinates", "RoleAndSubordinatesInternal"}:
        roles = work.org.records.table("UserRole").rows.values()
        if name not in {row.get("DeveloperName") for row in roles}:
            raise missing("sharedTo", "Role", name)
