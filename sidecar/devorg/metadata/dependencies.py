"""What deleting a field or an object runs into, and what it takes along.

Source: "Deleting Components from an Organization", Metadata API Developer Guide, and
"Manage Deleted Custom Fields", Salesforce Help: automation and code keep a field from
being deleted; pages, lists and permission sets just lose it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

from sidecar.devorg.metadata import custom_field, custom_object
from sidecar.devorg.metadata.apex import Code
from sidecar.devorg.metadata.component import Component
from sidecar.devorg.metadata.element import Element, Problem, name_of, text
from sidecar.devorg.metadata.lead_convert import LeadConversion
from sidecar.devorg.metadata.rows import forget_rows
from sidecar.devorg.metadata.work import Work

_WORDED = frozenset(
    (
        "Flow",
        "ValidationRule",
        "WorkflowOutboundMessage",
        "FlexiPage",
        "MatchingRule",
        "DuplicateRule",
    )
)
# Type -> elements that go when the field that they name goes. "" is the field's text
# itself, otherwise the child that names it.
_LOSING: dict[str, tuple[tuple[str, str], ...]] = {
    "Layout": (("layoutItems", "field"), ("fields", "")),
    "CompactLayout": (("fields", ""),),
    "ListView": (("columns", ""), ("filters", "field")),
    "FieldSet": (("availableFields", "field"), ("displayedFields", "field")),
    "QuickAction": (("quickActionLayoutItems", "field"), ("fieldOverrides", "field")),
    "PathAssistant": (("fieldNames", ""),),
    "ReportType": (("columns", "field"),),
    "PermissionSet": (("fieldPermissions", "field"),),
    "CustomObjectTranslation": (("fields", "name"),),
}
_REFERENCED = "is referenced elsewhere in salesforce.com. : "


def remove_field(work: Work, full_name: str) -> None:
    """
    Delete a field with its values, and take it off pages and permission sets.

    Raises:
        Problem: automation or code still names it.
    """
    object_name, _, name = full_name.partition(".")
    for each in work.components:
        if _holds(each, object_name, name):
            raise Problem(
                f"This custom field {_REFERENCED}{each.type} - {each.full_name}"
            )
    custom_field.remove(work, full_name)
    for type_, tags in _LOSING.items():
        for each in work.components.of_type(type_):
            about = _about(each, object_name)
            wanted = {full_name, name} if about else {full_name}
            _lose(work, each, tags, wanted)
    forget_rows(work, "FieldPermissions", "Field", full_name)


def _holds(component: Component, object_name: str, name: str) -> bool:
    value, element = component.value, component.element
    if component.full_name == f"{object_name}.{name}":
        return False
    if isinstance(value, LeadConversion):
        used = {
            ("Lead", given) for pairs in value.mappings.values() for given, _ in pairs
        }
        used |= {(o, made) for o, pairs in value.mappings.items() for _, made in pairs}
        return (object_name, name) in used
    if isinstance(value, Code):
        return bool(re.search(rf"\b{re.escape(name)}\b", value.body))
    if component.type == "CustomField":
        formula = text(element, "formula") or ""
        same = component.full_name.partition(".")[0] == object_name
        return (same and mentions(formula, name)) or any(
            word == f"{object_name}.{name}" for word in _words(element)
        )
    if component.type == "PathAssistant":
        on = (text(element, "entityName"), text(element, "fieldName"))
        return on == (object_name, name)
    if component.type not in _WORDED:
        return False
    words = set(_words(element))
    about = {component.full_name.partition(".")[0]} | words
    return object_name in about and any(mentions(word, name) for word in words)


def _words(element: Element) -> Iterator[str]:
    return ((each.text or "").strip() for each in element.iter())


def mentions(word: str, name: str) -> bool:
    """Tell whether a formula or a path names a field."""
    before, found, after = word.partition(name)
    while found:
        if (
            not before[-1:].isalnum()
            and before[-1:] != "_"
            and not (after[:1].isalnum() or after[:1] == "_")
        ):
            return True
        before, found, after = after.partition(name)
    return False


def _about(component: Component, object_name: str) -> bool:
    """Tell whether bare field names in a component are those of an object."""
    name = component.full_name
    if component.type in {"Layout", "CustomObjectTranslation"}:
        return name.partition("-")[0] == object_name
    if component.type == "PathAssistant":
        return text(component.element, "entityName") == object_name
    if component.type == "QuickAction":
        return text(component.element, "targetObject") == object_name
    return name.partition(".")[0] == object_name


def _lose(
    work: Work, component: Component, tags: tuple[tuple[str, str], ...], names: set[str]
) -> None:
    """Take elements that name one of ``names`` out of a component."""
    element = deepcopy(component.element)
    lost = False
    for each in list(element.iter()):
        for tag, naming in tags:
            if name_of(each) != tag or each.getparent() is None:
                continue
            named = text(each, naming) if naming else (each.text or "").strip()
            if named in names:
                each.getparent().remove(each)  # type: ignore[union-attr]
                lost = True
    if lost:
        work.components.put(replace(component, element=element))


def remove_object(work: Work, full_name: str) -> None:
    """
    Delete a custom object with its records, pages, tab, translations and grants.

    Raises:
        Problem: another object, automation, code or a report type still names it.
    """
    for each in work.components:
        if each.type in {"Flow", "ReportType", "ApexTrigger", "ApexClass"}:
            body = each.value.body if isinstance(each.value, Code) else ""
            if full_name in set(_words(each.element)) or mentions(body, full_name):
                raise Problem(
                    f"This custom object {_REFERENCED}{each.type} - {each.full_name}"
                )
    custom_object.remove(work, full_name)
    for each in list(work.components):
        if _belongs(each, full_name):
            work.components.remove(each.type, each.full_name)
    for app in work.components.of_type("CustomApplication"):
        _lose(work, app, (("tabs", ""),), {full_name})
    for type_ in work.components.of_type("PermissionSet"):
        fields = {
            text(each, "field") or ""
            for each in type_.element.iter("{*}fieldPermissions")
        }
        gone = {each for each in fields if each.partition(".")[0] == full_name}
        tags = (
            ("objectPermissions", "object"),
            ("fieldPermissions", "field"),
            ("tabSettings", "tab"),
        )
        _lose(work, type_, tags, {full_name, *gone})
    for name in ("ObjectPermissions", "FieldPermissions"):
        forget_rows(work, name, "SobjectType", full_name)


def _belongs(component: Component, object_name: str) -> bool:
    name = component.full_name
    match component.type:
        case "Layout" | "CustomObjectTranslation":
            return name.partition("-")[0] == object_name
        case "CustomTab":
            return name == object_name
        case "PathAssistant":
            return text(component.element, "entityName") == object_name
        case _:
            return "." in name and name.partition(".")[0] == object_name
