"""PermissionSet: grants, kept as the records through which the API shows them.

Source: "PermissionSet", Metadata API Developer Guide: from API 40 on a deployment
states the whole set; what it leaves out is no longer granted.
"""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.devorg.metadata.component import Component, Part
from sidecar.devorg.metadata.credential import need_principal
from sidecar.devorg.metadata.element import (
    NOT_AVAILABLE,
    Element,
    Problem,
    check,
    children,
    flag,
    text,
)
from sidecar.devorg.metadata.navigation import need_app, need_tab
from sidecar.devorg.metadata.rows import forget_rows, keep_row
from sidecar.devorg.metadata.work import Work, check_name, missing, too_long
from sidecar.devorg.schema import Field, ObjectType, Row
from sidecar.devorg.standard_objects import USER_PERMISSIONS

# Element -> what names the component in it, and the component's type.
_SETUP_GRANTS = (
    ("customPermissions", "name", "CustomPermission"),
    ("classAccesses", "apexClass", "ApexClass"),
)
_GRANTS = ("ObjectPermissions", "FieldPermissions", "SetupEntityAccess")
# Element -> column, and the columns it depends on.
_OBJECT_GRANTS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "allowRead": ("PermissionsRead", "Read", ()),
    "allowCreate": ("PermissionsCreate", "Create", ("Read",)),
    "allowEdit": ("PermissionsEdit", "Edit", ("Read",)),
    "allowDelete": ("PermissionsDelete", "Delete", ("Edit", "Read")),
    "viewAllRecords": ("PermissionsViewAllRecords", "View All", ("Read",)),
    "modifyAllRecords": (
        "PermissionsModifyAllRecords",
        "Modify All",
        ("Delete", "Edit", "Read", "View All"),
    ),
    "viewAllFields": ("PermissionsViewAllFields", "View All Fields", ("Read",)),
}


def apply(work: Work, part: Part, component_id: str) -> str:
    """
    Create a permission set, or make it grant this and nothing else.

    Returns:
        The PermissionSet's id, which is the component's.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "PermissionSet")
    check_name(part.full_name)
    label = text(element, "label") or ""
    description = text(element, "description")
    for name, value, most in (
        ("Label", label, 80),
        ("Description", description or "", 255),
    ):
        if len(value) > most:
            raise too_long(name, most)
    if license_ := text(element, "license"):
        raise Problem(f"license {license_}: {NOT_AVAILABLE}")
    _check_pages(work, element)
    row: Row = {
        "Name": part.full_name,
        "Label": label,
        "IsCustom": True,
        "IsOwnedByProfile": False,
        "HasActivationRequired": flag(element, "hasActivationRequired"),
        "Type": "Regular",
        **dict.fromkeys(_user_permissions(element), True),
    }
    if description:
        row["Description"] = description
    keep_row(work, "PermissionSet", component_id, row)
    _forget_grants(work, component_id)
    for grants, values in _grants(work, element):
        keep_row(work, grants, None, {"ParentId": component_id, **values})
    return component_id


def remove(work: Work, full_name: str) -> None:
    """Delete a permission set with its grants and assignments."""
    component = work.components.get("PermissionSet", full_name)
    if component is None:
        return
    _forget_grants(work, component.id)
    forget_rows(work, "PermissionSetAssignment", "PermissionSetId", component.id)
    forget_rows(work, "PermissionSet", "Id", component.id)


def _check_pages(work: Work, element: Element) -> None:
    for each in children(element, "applicationVisibilities"):
        need_app(work, "application", text(each, "application") or "")
    for each in children(element, "tabSettings"):
        need_tab(work, "tab", text(each, "tab") or "")
    for each in children(element, "recordTypeVisibilities"):
        work.need("recordType", "RecordType", text(each, "recordType") or "")
    for each in children(element, "flowAccesses"):
        work.need("flow", "Flow", text(each, "flow") or "")


def _user_permissions(element: Element) -> Iterator[str]:
    for each in children(element, "userPermissions"):
        name = text(each, "name") or ""
        if name not in USER_PERMISSIONS:
            raise Problem(f"Unknown user permission: {name}")
        if flag(each, "enabled"):
            yield f"Permissions{name}"


def _grants(work: Work, element: Element) -> Iterator[tuple[str, Row]]:
    for each in children(element, "objectPermissions"):
        yield "ObjectPermissions", _object_grant(work, each)
    for each in children(element, "fieldPermissions"):
        yield "FieldPermissions", _field_grant(work, each)
    for tag, named, type_ in _SETUP_GRANTS:
        for each in children(element, tag):
            found = work.need(named, type_, text(each, named) or "")
            if flag(each, "enabled"):
                yield "SetupEntityAccess", _setup_grant(found)
    for each in children(element, "externalCredentialPrincipalAccesses"):
        name = text(each, "externalCredentialPrincipal") or ""
        found = need_principal(work, name)
        if flag(each, "enabled"):
            yield "SetupEntityAccess", _setup_grant(found)


def _setup_grant(found: Component) -> Row:
    return {"SetupEntityId": found.id, "SetupEntityType": found.type}


def _object_grant(work: Work, element: Element) -> Row:
    name = text(element, "object") or ""
    type_ = work.org.schema.get(name)
    if type_ is None or type_.setup or type_.tooling or type_.edit_permission:
        raise missing("object", "CustomObject", name)
    granted = {
        word for tag, (_, word, _) in _OBJECT_GRANTS.items() if flag(element, tag)
    }
    for _, word, needed in _OBJECT_GRANTS.values():
        lacking = [each for each in needed if each not in granted]
        if word in granted and lacking:
            raise Problem(
                f"Permission {word} {type_.name} depends on permission(s): "
                + ", ".join(f"{each} {type_.name}" for each in lacking)
            )
    return {
        "SobjectType": type_.name,
        **{column: word in granted for column, word, _ in _OBJECT_GRANTS.values()},
    }


def _field_grant(work: Work, element: Element) -> Row:
    full_name = text(element, "field") or ""
    type_, field = _field(work, full_name)
    if not field.permissionable:
        raise Problem(f"You cannot deploy to a required field: {full_name}")
    editable, readable = flag(element, "editable"), flag(element, "readable")
    if editable and not readable:
        raise Problem(
            f"Permission Edit {full_name} depends on permission(s): Read {full_name}"
        )
    return {
        "SobjectType": type_.name,
        "Field": f"{type_.name}.{field.name}",
        "PermissionsRead": readable,
        "PermissionsEdit": editable and (field.createable or field.updateable),
    }


def _field(work: Work, full_name: str) -> tuple[ObjectType, Field]:
    object_name, _, name = full_name.partition(".")
    type_ = work.org.schema.get(object_name)
    field = None if type_ is None else type_.field(name)
    if type_ is None:
        raise missing("field", "CustomObject", object_name)
    if field is None:
        raise missing("field", "CustomField", full_name)
    return type_, field


def _forget_grants(work: Work, set_id: str) -> None:
    for name in _GRANTS:
        forget_rows(work, name, "ParentId", set_id)
