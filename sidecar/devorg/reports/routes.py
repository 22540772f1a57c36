"""The resources of the Reports API.

Source: "Reports and Dashboards REST API Resource Descriptions", its Developer Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sidecar.devorg.ids import full_id
from sidecar.devorg.metadata.component import Component
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.reports.definition import Criterion, cannot_run
from sidecar.devorg.reports.run import Run
from sidecar.devorg.rest.calls import Answer, Call, Route

# What a run may be asked to do otherwise than the report says.
_MAY_DIFFER = frozenset(("reportFilters", "reportBooleanFilter", "hasDetailRows"))


def list_reports(call: Call) -> Answer:
    """List the reports that the user may run."""
    _check_rights(call)
    return Answer(
        body=[
            {
                "describeUrl": f"{_base(call, each.id)}/describe",
                "fieldsUrl": f"{_base(call, each.id)}/fields",
                "id": each.id,
                "instancesUrl": f"{_base(call, each.id)}/instances",
                "name": Run(call.org, call.access, each).report.name,
                "url": _base(call, each.id),
            }
            for each in call.org.metadata.components.of_type("Report")
        ]
    )


def run(call: Call, id: str) -> Answer:
    """Run a report as it is."""
    made = _run(call, id)
    details = made.report.details
    if "includeDetails" in call.query:
        details = call.flag("includeDetails")
    return Answer(body=made.answer(_base(call, made.report.id), details=details))


def run_otherwise(call: Call, id: str) -> Answer:
    """Run a report with other filters, for this once."""
    made = _run(call, id)
    details = made.report.details
    if call.body:
        asked = call.json_object().get("reportMetadata")
        if not isinstance(asked, Mapping):
            raise Refusal("BAD_REQUEST", "The request body must hold reportMetadata")
        _change(made, asked)
        if isinstance(wanted := asked.get("hasDetailRows"), bool):
            details = wanted
    if "includeDetails" in call.query:
        details = call.flag("includeDetails")
    return Answer(body=made.answer(_base(call, made.report.id), details=details))


def describe(call: Call, id: str) -> Answer:
    """Describe a report without running it."""
    made = _run(call, id)
    return Answer(
        body={
            "attributes": {
                "describeUrl": f"{_base(call, made.report.id)}/describe",
                "instancesUrl": f"{_base(call, made.report.id)}/instances",
                "reportId": made.report.id,
                "reportName": made.report.name,
                "type": "Report",
            },
            "reportExtendedMetadata": made.extended_metadata(),
            "reportMetadata": made.metadata(details=made.report.details),
        }
    )


def _change(made: Run, asked: Mapping[str, object]) -> None:
    as_it_is = made.metadata(details=made.report.details)
    for name, value in asked.items():
        if name not in _MAY_DIFFER and value != as_it_is.get(name):
            raise cannot_run(f"another {name}")
    filters = asked.get("reportFilters", as_it_is["reportFilters"])
    if not isinstance(filters, list):
        raise Refusal("BAD_REQUEST", "reportFilters must be a list")
    criteria = tuple(
        Criterion(
            str(e.get("column")), str(e.get("operator")), str(e.get("value") or "")
        )
        for e in filters
        if isinstance(e, Mapping)
    )
    logic = asked.get("reportBooleanFilter", as_it_is["reportBooleanFilter"])
    for each in criteria:
        if not made.columns.seen(each.column):
            raise Refusal(
                "BAD_REQUEST", f"The filter column {each.column} is invalid", fields=[]
            )
    made.report = replace(made.report, criteria=criteria, logic=str(logic or "and"))


def _run(call: Call, report_id: str) -> Run:
    _check_rights(call)
    return Run(call.org, call.access, _component(call, report_id))


def _check_rights(call: Call) -> None:
    call.org.usage.permission(call.access, "RunReports")
    if not call.access.has("RunReports"):
        raise Refusal(
            "FORBIDDEN",
            "You don't have sufficient privileges to perform this operation.",
            status=403,
        )


def _component(call: Call, report_id: str) -> Component:
    full = full_id(report_id)
    for each in call.org.metadata.components.of_type("Report"):
        if each.id == full:
            return each
    raise Refusal(
        "NOT_FOUND",
        "The data you're trying to access is unavailable. Check with the data's owner "
        "or your administrator.",
        status=404,
    )


def _base(call: Call, report_id: str) -> str:
    return f"{call.base}/analytics/reports/{report_id}"


ROUTES: tuple[Route, ...] = (
    ("GET", "analytics/reports", list_reports),
    ("GET", "analytics/reports/{id}", run),
    ("POST", "analytics/reports/{id}", run_otherwise),
    ("GET", "analytics/reports/{id}/describe", describe),
)
