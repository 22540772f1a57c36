"""Single records of the Tooling API; queries are with the other queries.

Source: "REST Resources", Tooling API Developer Guide.
"""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.devorg.ids import full_id
from sidecar.devorg.metadata import flow
from sidecar.devorg.metadata.deployment import check_rights
from sidecar.devorg.metadata.element import Problem
from sidecar.devorg.metadata.work import Work
from sidecar.devorg.refusal import Refusal, not_found
from sidecar.devorg.rest.calls import Answer, Call, Route
from sidecar.devorg.schema import ObjectType, Row
from sidecar.devorg.soql.resolve import value_of
from sidecar.devorg.values import shown


def get(call: Call, type: str, id: str) -> Answer:
    """Return one record with everything, its metadata too."""
    found = _type(call, type)
    row = _row(call, found, id)
    url = f"{call.base}/tooling/sobjects/{found.name}/{row['Id']}"
    body: dict[str, object] = {"attributes": {"type": found.name, "url": url}}
    for field in found.fields.values():
        body[field.name] = shown(value_of(field, row))
    return Answer(body=body)


def update(call: Call, type: str, id: str) -> Answer:
    """Change a record: of a flow definition, which version is active."""
    found = _type(call, type)
    check_rights(call.access)
    row = _row(call, found, id)
    if found.name != "FlowDefinition":
        raise _closed(found)
    flow_name = str(row["DeveloperName"])
    try:
        flow.activate(call.org, flow_name, _number(call.json_object()))
    except Problem as exc:
        raise Refusal("FIELD_INTEGRITY_EXCEPTION", exc.message, fields=[]) from exc
    return Answer(204)


def delete(call: Call, type: str, id: str) -> Answer:
    """Delete a record: one version of a flow that is not active."""
    found = _type(call, type)
    check_rights(call.access)
    row = _row(call, found, id)
    if found.name != "Flow":
        raise _closed(found)
    work = Work(
        call.org,
        call.org.metadata.components,
        call.access.user_id,
        api_version=float(call.version),
    )
    try:
        flow.remove(work, str(row["FullName"]))
    except Problem as exc:
        raise Refusal(
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", exc.message, fields=[]
        ) from exc
    return Answer(204)


def _number(body: Mapping[str, object]) -> int:
    """Return the version that is to be active; 0 and null are none."""
    unknown = [name for name in body if name not in {"Metadata", "attributes"}]
    metadata = body.get("Metadata")
    if unknown or not isinstance(metadata, Mapping):
        raise Refusal(
            "INVALID_FIELD",
            f"No such column '{unknown[0]}' on sobject of type FlowDefinition"
            if unknown
            else "Metadata is required",
        )
    number = metadata.get("activeVersionNumber")
    if number is None:
        return 0
    if isinstance(number, bool) or not isinstance(number, int):
        raise Refusal(
            "JSON_PARSER_ERROR",
            f"Cannot deserialize instance of int from VALUE_STRING value {number} or "
            "request may be missing a required field",
        )
    return number


def _type(call: Call, name: str) -> ObjectType:
    found = call.org.schema.get(name)
    if found is None or not found.tooling or not call.access.may("Read", found):
        raise not_found()
    return found


def _row(call: Call, type_: ObjectType, record_id: str) -> Row:
    row = call.org.records.table(type_.name).rows.get(full_id(record_id) or "")
    if row is None:
        raise not_found()
    return row


def _closed(type_: ObjectType) -> Refusal:
    return Refusal(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        f"entity type cannot be updated: {type_.label}",
        fields=[],
    )


ROUTES: tuple[Route, ...] = (
    ("GET", "tooling/sobjects/{type}/{id}", get),
    ("PATCH", "tooling/sobjects/{type}/{id}", update),
    ("DELETE", "tooling/sobjects/{type}/{id}", delete),
)
