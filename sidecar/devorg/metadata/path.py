"""PathAssistant: the steps of a picklist, shown above a record.

Source: "PathAssistant", Metadata API Developer Guide.
"""

from __future__ import annotations

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    NOT_AVAILABLE,
    Element,
    Problem,
    check,
    children,
    line_of,
    text,
    texts,
)
from sidecar.devorg.metadata.work import (
    Work,
    check_length,
    check_name,
    field_named,
    missing,
    object_of,
)
from sidecar.devorg.schema import Field, ObjectType

_MASTER = "__MASTER__"
_KEY_FIELDS = 5


def apply(work: Work, part: Part, _component_id: str) -> tuple[str, str]:
    """
    Keep a path; return its object and record type.

    Raises:
        Problem: Path is off in this org, or Salesforce would refuse it.
    """
    if not work.features.path:
        raise Problem(NOT_AVAILABLE)
    element = part.element
    check(element, "PathAssistant")
    check_name(part.full_name)
    check_length("MasterLabel", text(element, "masterLabel"), 80)
    object_name = text(element, "entityName") or ""
    type_ = object_of(work, object_name)
    field = field_named(
        work, "fieldName", object_name, text(element, "fieldName") or ""
    )
    if field.type != "picklist":
        raise Problem(f"Path needs a picklist field, {field.name} is none")
    record_type = text(element, "recordTypeName") or ""
    if record_type != _MASTER:
        work.need("recordTypeName", "RecordType", f"{type_.name}.{record_type}")
    key = (type_.name, record_type)
    for other in work.components.of_type("PathAssistant"):
        if other.full_name != part.full_name and other.value == key:
            raise Problem(
                "A path already exists for this object and record type: "
                f"{other.full_name}"
            )
    seen: set[str] = set()
    for each in children(element, "pathAssistantSteps"):
        _step(type_, field, each, seen)
    return key


def _step(type_: ObjectType, field: Field, step: Element, seen: set[str]) -> None:
    value = text(step, "picklistValueName") or ""
    if value in seen:
        raise Problem(f"Duplicate path step: {value}", line=line_of(step))
    seen.add(value)
    if not any(each.value == value for each in field.values):
        raise Problem(
            f"Picklist value: {value} in picklist: {field.name} not found",
            line=line_of(step),
        )
    names = texts(step, "fieldNames")
    if len(names) > _KEY_FIELDS:
        raise Problem(f"A path step can have up to {_KEY_FIELDS} fields")
    for name in names:
        if type_.field(name) is None:
            raise missing("fieldNames", "CustomField", f"{type_.name}.{name}")
    check_length("Info", text(step, "info"), 1000)
