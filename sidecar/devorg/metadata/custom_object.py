"""CustomObject: an object of the customer's own, with its name field."""

from __future__ import annotations

from dataclasses import replace

from sidecar.devorg.ids import base62
from sidecar.devorg.metadata import platform_event, standing
from sidecar.devorg.metadata.auto_number import AutoNumber
from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    NOT_AVAILABLE,
    Problem,
    check,
    child,
    children,
    flag,
    name_of,
    number,
    text,
)
from sidecar.devorg.metadata.folders import OF_OBJECT
from sidecar.devorg.metadata.work import Work, check_name, missing, too_long
from sidecar.devorg.notation import fields_from
from sidecar.devorg.schema import ACTIVITY_OBJECTS, Field, ObjectType

# Other suffixes are objects of other kinds, each with rules of its own.
_OTHER_KINDS = {
    "__mdt": "CustomMetadata",
    "__x": "ExternalObject",
    "__b": "BigObject",
}

# Settings of a standard object that this org keeps.
_OF_STANDARD_TEXT = """
actionOverrides allowInChatterGroups compactLayoutAssignment enableBulkApi
enableEnhancedLookup enableFeeds enableHistory enableReports enableSearch enableSharing
enableStreamingApi externalSharingModel label nameField pluralLabel
recordTypeTrackFeedHistory recordTypeTrackHistory searchLayouts sharingModel
"""
_OF_STANDARD = frozenset(_OF_STANDARD_TEXT.split())

_SYSTEM = """
Id id system | Record ID
OwnerId reference(User,Group) defaulted rel=Owner | Owner ID
IsDeleted boolean system | Deleted
CreatedDate datetime system
CreatedById reference(User) system rel=CreatedBy
LastModifiedDate datetime system
LastModifiedById reference(User) system rel=LastModifiedBy
SystemModstamp datetime system
"""


def apply(work: Work, part: Part, component_id: str) -> ObjectType:
    """
    Create a custom object, or change its settings.

    Raises:
        Problem: Salesforce would refuse it, or it is a standard object whose
            settings this org does not change.
    """
    check(part.element, "CustomObject")
    name = part.full_name
    if name.endswith("__e"):
        return platform_event.apply(work, part, component_id)
    for suffix, kind in _OTHER_KINDS.items():
        if name.endswith(suffix):
            raise Problem(f"{kind}: {NOT_AVAILABLE}")
    if not name.endswith("__c"):
        return _standard(work, part)
    check_name(name.removesuffix("__c"), most=40)
    if child(part.element, "customSettingsType") is not None:
        raise Problem(f"customSettingsType: {NOT_AVAILABLE}")
    known = work.org.schema.get(name)
    type_ = known or ObjectType(name, "", "", _prefix(work))
    _names(type_, part)
    type_.id, type_.custom = component_id, True
    if known is None:
        type_.fields = fields_from(_SYSTEM)
        work.org.schema.add_type(type_)
    _settings(work, type_, part)
    _name_field(work, type_, part)
    _ownership(type_, part)
    _activities(work, type_)
    _pages(work, part)
    if known is None:
        standing.layout_of(work, type_)
    work.org.schema.version += 1
    return type_


def remove(work: Work, full_name: str) -> None:
    """
    Delete a custom object with its records.

    Raises:
        Problem: another object refers to it.
    """
    for child_type, field in work.org.schema.children(full_name):
        if not field.custom:
            # Related To of tasks and events: activities go with their object.
            left = tuple(x for x in field.reference_to if x != full_name)
            child_type.fields[field.key] = replace(field, reference_to=left)
        elif child_type.name != full_name:
            raise Problem(
                "This custom object is referenced elsewhere in salesforce.com."
                f" : Custom Field - {child_type.name}.{field.name}"
            )
    table = work.org.records.table(full_name)
    for record_id in list(table.rows):
        table.delete(record_id)
    work.org.schema.remove_type(full_name)
    for each in list(work.components):
        child_of = each.full_name.startswith(f"{full_name}.")
        if child_of or (
            each.type == "Layout" and each.full_name.startswith(f"{full_name}-")
        ):
            work.components.remove(each.type, each.full_name)


def _standard(work: Work, part: Part) -> ObjectType:
    """Change settings of a standard object: pages and searches, not its data."""
    type_ = work.org.schema.get(part.full_name)
    if type_ is None or type_.custom or type_.tooling or type_.setup:
        raise Problem("Invalid fullName, must end in Custom Suffix (e.g. __c)")
    refused = [
        name_of(each)
        for each in part.element
        if name_of(each) not in _OF_STANDARD and name_of(each) not in OF_OBJECT
    ]
    if refused:
        raise Problem(f"{', '.join(refused)}: {NOT_AVAILABLE}")
    model = text(part.element, "sharingModel")
    if model and model != type_.sharing_model:
        type_.sharing_model = model
    _pages(work, part)
    return type_


def _pages(work: Work, part: Part) -> None:
    """Check the compact layout and the pages that an object names."""
    assigned = text(part.element, "compactLayoutAssignment")
    if assigned and assigned != "SYSTEM":
        name = f"{part.full_name}.{assigned}"
        if not work.has("CompactLayout", name):
            raise missing("compactLayoutAssignment", "CompactLayout", name)
    for each in children(part.element, "actionOverrides"):
        kind, content = text(each, "type"), text(each, "content") or ""
        if kind == "Flexipage" and not work.has("FlexiPage", content):
            raise missing("content", "FlexiPage", content)
        if kind in {"Visualforce", "Scontrol", "LightningComponent"}:
            raise Problem(f"actionOverrides {kind}: {NOT_AVAILABLE}")


def _prefix(work: Work) -> str:
    """Custom objects have key prefixes from ``a00`` on."""
    used = {type_.key_prefix for type_ in work.org.schema}
    number_ = next(n for n in range(62 * 62) if f"a{base62(n, 2)}" not in used)
    return f"a{base62(number_, 2)}"


def _names(type_: ObjectType, part: Part) -> None:
    label, plural = text(part.element, "label"), text(part.element, "pluralLabel")
    if not label:
        raise Problem("Must specify a non-empty label for the CustomObject")
    if not plural:
        raise Problem("Must specify a non-empty pluralLabel for the CustomObject")
    for name, value in (("MasterLabel", label), ("PluralLabel", plural)):
        if len(value) > 40:
            raise too_long(name, 40)
    type_.label, type_.plural = label, plural
    type_.description = text(part.element, "description")
    if len(type_.description or "") > 1000:
        raise too_long("Description", 1000)


def _language(work: Work) -> str:
    company = work.org.records.table("Organization").rows.get(work.org.id, {})
    return str(company.get("LanguageLocaleKey", "en_US"))


def _settings(work: Work, type_: ObjectType, part: Part) -> None:
    status = text(part.element, "deploymentStatus")
    english = _language(work).startswith("en")
    for tag, allowed in (("startsWith", english), ("gender", not english)):
        if text(part.element, tag) is not None and not allowed:
            raise Problem(f"Cannot specify a {tag} attribute for this language")
    if status is None:
        raise Problem("Must specify a deploymentStatus for the CustomObject")
    type_.deployment_status = status
    type_.enable_activities = flag(part.element, "enableActivities")


def _activities(work: Work, type_: ObjectType) -> None:
    """Let tasks and events be about the object's records, or no longer."""
    for name in ACTIVITY_OBJECTS:
        fields = work.org.schema[name].fields
        what = fields["whatid"]
        to = tuple(each for each in what.reference_to if each != type_.name)
        to = (*to, type_.name) if type_.enable_activities else to
        fields["whatid"] = replace(what, reference_to=to)


def _name_field(work: Work, type_: ObjectType, part: Part) -> None:
    element = child(part.element, "nameField")
    kind = None if element is None else text(element, "type")
    if element is None or kind not in {"Text", "AutoNumber"}:
        raise Problem("Must specify a nameField of type Text or AutoNumber")
    label = text(element, "label") or f"{type_.label} Name"
    made = Field("Name", label, "string", length=80, name_field=True)
    made.permissionable = False
    if kind == "AutoNumber":
        made.createable = made.updateable = False
        shown = text(element, "displayFormat") or "{0}"
        counters = work.org.metadata.auto_numbers.setdefault(type_.name, {})
        first = number(element, "startingNumber")
        counters.setdefault("Name", AutoNumber(shown, 1 if first is None else first))
        counters["Name"].display_format = shown
    # A text name that is left out becomes the record's id.
    made.defaulted = True
    type_.fields["name"] = made


def _ownership(type_: ObjectType, part: Part) -> None:
    model = text(part.element, "sharingModel")
    if model is None:
        raise Problem("Must specify a sharingModel for the CustomObject")
    masters = [
        each
        for each in children(part.element, "fields")
        if text(each, "type") == "MasterDetail"
    ]
    existing = any(
        each.type == "reference" and each.delete_constraint == "Cascade"
        for each in type_.fields.values()
    )
    if (model == "ControlledByParent") != bool(masters or existing):
        raise Problem(
            f"Cannot set sharingModel to {model} on a CustomObject "
            f"{'without' if not masters else 'with'} a MasterDetail relationship field"
        )
    type_.sharing_model = model
    if model == "ControlledByParent":
        type_.fields.pop("ownerid", None)
