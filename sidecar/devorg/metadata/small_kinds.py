"""The kinds that are one short check each.

Labels, custom permissions, list views, compact layouts, field sets, validation rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sidecar.devorg.formula import Formula, FormulaError, Type
from sidecar.devorg.metadata import formula_scope
from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import Problem, check, children, text, texts
from sidecar.devorg.metadata.report_type import follow
from sidecar.devorg.metadata.rows import forget_rows, keep_row
from sidecar.devorg.metadata.work import (
    Work,
    check_name,
    missing,
    object_of,
    too_long,
)

# How list views call standard fields: FULL_NAME, LEAD.STATUS, CORE.USERS.ALIAS.
_STANDARD_COLUMN = re.compile(r"[A-Z][A-Z0-9_]*(\.[A-Z0-9_]+)*$")


@dataclass(frozen=True)
class ValidationRule:
    """A rule of one object; ``condition`` is true for what it refuses."""

    full_name: str
    object_name: str
    active: bool
    condition: Formula
    message: str
    field: str | None


def custom_label(_work: Work, part: Part, _component_id: str) -> str:
    """Return a label's text, for ``$Label``."""
    check(part.element, "CustomLabel")
    check_name(part.full_name)
    value = text(part.element, "value") or ""
    if len(value) > 1000:
        raise too_long("Value", 1000)
    if len(text(part.element, "shortDescription") or "") > 80:
        raise too_long("MasterLabel", 80)
    return value


def custom_permission(work: Work, part: Part, component_id: str) -> str:
    """Create a custom permission, which permission sets may grant."""
    check(part.element, "CustomPermission")
    check_name(part.full_name)
    label = text(part.element, "label") or ""
    if len(label) > 80:
        raise too_long("MasterLabel", 80)
    return keep_row(
        work,
        "CustomPermission",
        component_id,
        {
            "DeveloperName": part.full_name,
            "MasterLabel": label,
            "IsProtected": False,
            "Description": text(part.element, "description"),
        },
    )


def remove_custom_permission(work: Work, full_name: str) -> None:
    """Delete a custom permission and its grants."""
    component = work.components.get("CustomPermission", full_name)
    if component is None:
        return
    forget_rows(work, "SetupEntityAccess", "SetupEntityId", component.id)
    forget_rows(work, "CustomPermission", "Id", component.id)


def list_view(work: Work, part: Part, _component_id: str) -> None:
    """Check a list view; nothing shows it here."""
    check(part.element, "ListView")
    object_name, _, name = part.full_name.partition(".")
    object_of(work, object_name)
    check_name(name, most=40)
    if len(text(part.element, "label") or "") > 40:
        raise too_long("Label", 40)
    if text(part.element, "filterScope") == "Queue":
        work.need("queue", "Queue", text(part.element, "queue") or "")
    columns = texts(part.element, "columns")
    filters = children(part.element, "filters")
    for column in [*columns, *(text(each, "field") or "" for each in filters)]:
        _check_column(work, object_name, column)


def _check_column(work: Work, object_name: str, column: str) -> None:
    if _STANDARD_COLUMN.match(column):
        return
    field = object_of(work, object_name).field(column)
    if field is None or not field.custom:
        raise Problem(f"Could not resolve list view column: {column}")


def compact_layout(work: Work, part: Part, _component_id: str) -> None:
    """Check a compact layout; nothing shows it here."""
    check(part.element, "CompactLayout")
    object_name, _, name = part.full_name.partition(".")
    type_ = object_of(work, object_name)
    check_name(name, most=40)
    for each in texts(part.element, "fields"):
        if type_.field(each) is None:
            raise missing("fields", "CustomField", f"{object_name}.{each}")


def field_set(work: Work, part: Part, _component_id: str) -> None:
    """Check a field set; nothing shows it here."""
    check(part.element, "FieldSet")
    object_name, _, name = part.full_name.partition(".")
    type_ = object_of(work, object_name)
    check_name(name, most=40)
    shown: set[str] = set()
    for tag in ("availableFields", "displayedFields"):
        for each in children(part.element, tag):
            path = text(each, "field") or ""
            if follow(work.org.schema, type_, path.replace("__r.", "__c.")) is None:
                raise missing("field", "CustomField", f"{object_name}.{path}")
            if path in shown:
                raise Problem(f"Duplicate field in field set: {path}")
            shown.add(path)


def validation_rule(work: Work, part: Part, _component_id: str) -> ValidationRule:
    """Compile a validation rule, which every save then runs."""
    check(part.element, "ValidationRule")
    object_name, _, name = part.full_name.partition(".")
    type_ = object_of(work, object_name)
    check_name(name, most=40)
    message = text(part.element, "errorMessage") or ""
    if len(message) > 255:
        raise too_long("ErrorMessage", 255)
    shown_at = text(part.element, "errorDisplayField")
    if shown_at and type_.field(shown_at) is None:
        raise missing("errorDisplayField", "CustomField", f"{object_name}.{shown_at}")
    condition = text(part.element, "errorConditionFormula") or ""
    try:
        compiled = formula_scope.of_record(
            work.org, type_, condition, expected=Type.BOOLEAN, long_texts=True
        )
    except FormulaError as exc:
        raise Problem(str(exc)) from exc
    return ValidationRule(
        full_name=part.full_name,
        object_name=object_name,
        active=text(part.element, "active") in {"true", "1"},
        condition=compiled,
        message=message,
        field=shown_at,
    )
