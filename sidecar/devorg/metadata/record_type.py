"""RecordType and BusinessProcess: which values a kind of record may have.

Source: "RecordType" and "BusinessProcess", Metadata API Developer Guide.
"""

from __future__ import annotations

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    check,
    children,
    flag,
    line_of,
    text,
)
from sidecar.devorg.metadata.rows import keep_row
from sidecar.devorg.metadata.work import (
    Work,
    check_length,
    check_name,
    missing,
    object_of,
)
from sidecar.devorg.notation import fields_from
from sidecar.devorg.schema import Field, ObjectType

# Objects whose record types need a process -> the field that the process is about.
_PROCESSES = {
    "Lead": "Status",
    "Opportunity": "StageName",
    "Case": "Status",
    "Solution": "Status",
}
# Standard fields whose values are listed under another name than their own.
_PICKLIST_FIELDS = {"Status": "Status", "StageName": "StageName"}


def business_process(work: Work, part: Part, _component_id: str) -> None:
    """
    Keep a sales or lead process.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "BusinessProcess")
    object_name, _, name = part.full_name.partition(".")
    field_name = _PROCESSES.get(object_name)
    type_ = object_of(work, object_name)
    if field_name is None:
        raise Problem(f"{object_name} can't have business processes")
    check_length("Name", name, 80)
    field = type_.fields[field_name.lower()]
    values = children(element, "values")
    if not values:
        raise Problem("Required field is missing: values")
    for each in values:
        _check_value(field, each)


def record_type(work: Work, part: Part, component_id: str) -> str:
    """
    Create a record type; return its id, by which records name it.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "RecordType")
    object_name, _, name = part.full_name.partition(".")
    type_ = object_of(work, object_name)
    check_name(name, most=80)
    check_length("Name", text(element, "label"), 80)
    check_length("Description", text(element, "description"), 255)
    process = text(element, "businessProcess")
    if object_name in _PROCESSES and not process:
        raise Problem("Required field is missing: businessProcess")
    if process and not work.has("BusinessProcess", f"{object_name}.{process}"):
        raise missing("businessProcess", "BusinessProcess", process)
    layout = text(element, "compactLayoutAssignment")
    if layout and layout != "SYSTEM":
        full_name = f"{object_name}.{layout}"
        if not work.has("CompactLayout", full_name):
            raise missing("compactLayoutAssignment", "CompactLayout", full_name)
    for each in children(element, "picklistValues"):
        _check_picklist(type_, each)
    _add_field(work, type_)
    keep_row(
        work,
        "RecordType",
        component_id,
        {
            "Name": text(element, "label"),
            "DeveloperName": name,
            "SobjectType": type_.name,
            "IsActive": flag(element, "active"),
            "Description": text(element, "description"),
        },
    )
    return component_id


def remove(_work: Work, _full_name: str) -> None:
    """
    Refuse to delete a record type, as the Metadata API does.

    Raises:
        Problem: always; people delete record types in Setup.
    """
    raise Problem("Cannot delete record type through API")


def _add_field(work: Work, type_: ObjectType) -> None:
    """An object has the field RecordTypeId from its first record type on."""
    if type_.field("RecordTypeId") is None:
        made = fields_from(
            "RecordTypeId reference(RecordType) open rel=RecordType | Record Type ID"
        )
        work.org.schema.add_field(type_.name, made["recordtypeid"])


def _check_picklist(type_: ObjectType, element: Element) -> None:
    name = text(element, "picklist") or ""
    field = type_.field(_PICKLIST_FIELDS.get(name, name))
    if field is None or not field.values:
        raise Problem(
            f"Picklist {name} of {type_.name} not found", line=line_of(element)
        )
    for each in children(element, "values"):
        _check_value(field, each)


def _check_value(field: Field, element: Element) -> None:
    value = text(element, "fullName") or ""
    # Values of record types are percent-encoded: "Proposal%2FPrice Quote".
    plain = value.replace("%2F", "/").replace("%2E", ".").replace("%26", "&")
    plain = plain.replace("%28", "(").replace("%29", ")").replace("%25", "%")
    if not any(each.value in {value, plain} for each in field.values):
        raise Problem(
            f"Picklist value: {value} in picklist: {field.name} not found",
            line=line_of(element),
        )
