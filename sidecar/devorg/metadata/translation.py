"""CustomObjectTranslation, GlobalValueSetTranslation, Translations: other languages.

Source: their pages in the Metadata API Developer Guide. The Translation Workbench and
the language must be on.
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
)
from sidecar.devorg.metadata.work import Work, check_length, missing, object_of
from sidecar.devorg.schema import Field, ObjectType

# Element of an object's translation -> the type that ``name`` in it means.
_OF_OBJECT = {
    "fieldSets": "FieldSet",
    "recordTypes": "RecordType",
    "sharingReasons": "SharingReason",
    "validationRules": "ValidationRule",
    "webLinks": "WebLink",
    "quickActions": "QuickAction",
}
# The same for Translations.
_OF_ORG = {
    "customApplications": "CustomApplication",
    "customLabels": "CustomLabel",
    "customTabs": "CustomTab",
    "prompts": "Prompt",
    "quickActions": "QuickAction",
    "reportTypes": "ReportType",
}
_LABEL, _HELP = 40, 510


def check_language(work: Work, language: str) -> None:
    """
    Check that the org translates into a language.

    Raises:
        Problem: the Translation Workbench is off, or the language is.
    """
    if not work.features.languages:
        raise Problem(NOT_AVAILABLE)
    if language not in work.features.languages:
        raise Problem(f"{language}: {NOT_AVAILABLE}")


def of_object(work: Work, part: Part, _component_id: str) -> None:
    """
    Keep the translation of an object.

    Raises:
        Problem: Salesforce would refuse it.
    """
    object_name, _, language = part.full_name.rpartition("-")
    check_language(work, language)
    check(part.element, "CustomObjectTranslation")
    type_ = object_of(work, object_name)
    for each in children(part.element, "caseValues"):
        check_length("Label", text(each, "value"), _LABEL)
    for each in children(part.element, "fields"):
        _field(type_, each)
    for each in children(part.element, "layouts"):
        name = f"{object_name}-{text(each, 'layout')}"
        work.need("layout", "Layout", name)
    for tag, type_name in _OF_OBJECT.items():
        for each in children(part.element, tag):
            name = f"{object_name}.{text(each, 'name')}"
            if not work.has(type_name, name):
                raise Problem(
                    f"In field: name - no {type_name} named {name} found",
                    line=line_of(each),
                )


def _field(type_: ObjectType, element: Element) -> None:
    name = text(element, "name") or ""
    field = type_.field(name)
    if field is None:
        raise Problem(
            f"In field: name - no CustomField named {type_.name}.{name} found",
            line=line_of(element),
        )
    check_length("Label", text(element, "label"), _LABEL)
    check_length("InlineHelpText", text(element, "help"), _HELP)
    for each in children(element, "picklistValues"):
        _picklist_value(field, each)


def _picklist_value(field: Field, element: Element) -> None:
    label = text(element, "masterLabel")
    if field.global_value_set or not any(v.label == label for v in field.values):
        raise Problem(
            f"Picklist value: {label} in picklist: {field.name} not found",
            line=line_of(element),
        )


def of_value_set(work: Work, part: Part, _component_id: str) -> None:
    """
    Keep the translation of a global value set.

    Raises:
        Problem: Salesforce would refuse it.
    """
    name, _, language = part.full_name.rpartition("-")
    check_language(work, language)
    check(part.element, "GlobalValueSetTranslation")
    found = work.need("fullName", "GlobalValueSet", name)
    values = found.value if isinstance(found.value, list) else []
    for each in children(part.element, "valueTranslation"):
        label = text(each, "masterLabel")
        if not any(value.label == label for value in values):
            raise Problem(
                f"Picklist value: {label} in picklist: {name} not found",
                line=line_of(each),
            )


def of_org(work: Work, part: Part, _component_id: str) -> None:
    """
    Keep translations of what belongs to no object.

    Raises:
        Problem: Salesforce would refuse it.
    """
    check_language(work, part.full_name)
    check(part.element, "Translations")
    for tag, type_name in _OF_ORG.items():
        for each in children(part.element, tag):
            name = text(each, "name") or ""
            if not work.has(type_name, name):
                raise missing("name", type_name, name)
    for each in children(part.element, "flowDefinitions"):
        work.need("fullName", "Flow", text(each, "fullName") or "")
