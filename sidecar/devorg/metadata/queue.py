"""Queue and Group: those who own records together, and those who share them.

Source: "Queue" and "Group", Metadata API Developer Guide.
"""

from __future__ import annotations

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    check,
    child,
    children,
    text,
    texts,
)
from sidecar.devorg.metadata.rows import forget_rows, keep_row
from sidecar.devorg.metadata.work import Work, check_length, check_name, missing


def queue(work: Work, part: Part, component_id: str) -> str:
    """
    Create a queue, which may then own records; return its id.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "Queue")
    check_name(part.full_name)
    check_length("Name", text(element, "name"), 40)
    for each in children(element, "queueSobject"):
        name = text(each, "sobjectType") or ""
        type_ = work.org.schema.get(name)
        owner = type_.field("OwnerId") if type_ else None
        if owner is None or "Group" not in owner.reference_to:
            raise missing("sobjectType", "CustomObject", name)
    if routing := text(element, "queueRoutingConfig"):
        raise missing("queueRoutingConfig", "QueueRoutingConfig", routing)
    _check_members(work, element)
    return _group(work, part, component_id, "Queue")


def _check_members(work: Work, element: Element) -> None:
    members = child(element, "queueMembers")
    if members is None:
        return
    users = child(members, "users")
    for username in () if users is None else texts(users, "user"):
        if work.org.user_named(username) is None:
            raise missing("user", "User", username)
    groups = child(members, "publicGroups")
    for name in () if groups is None else texts(groups, "publicGroup"):
        work.need("publicGroup", "Group", name)
    for tag, inner in (
        ("roles", "role"),
        ("roleAndSubordinates", "roleAndSubordinate"),
        ("roleAndSubordinatesInternal", "roleAndSubordinateInternal"),
    ):
        held = child(members, tag)
        for name in () if held is None else texts(held, inner):
            roles = work.org.records.table("UserRole").rows.values()
            if name not in {row.get("DeveloperName") for row in roles}:
                raise missing(inner, "Role", name)


def group(work: Work, part: Part, component_id: str) -> str:
    """
    Create a public group; return its id.

    Raises:
        Problem: Salesforce would refuse it.
    """
    check(part.element, "Group")
    check_name(part.full_name)
    check_length("Name", text(part.element, "name"), 40)
    return _group(work, part, component_id, "Regular")


def _group(work: Work, part: Part, component_id: str, kind: str) -> str:
    rows = work.org.records.table("Group").rows
    for record_id, row in rows.items():
        same = (row.get("DeveloperName"), row.get("Type")) == (part.full_name, kind)
        if same and record_id != component_id:
            component_id = record_id
    return keep_row(
        work,
        "Group",
        component_id,
        {
            "Name": text(part.element, "name"),
            "DeveloperName": part.full_name,
            "Type": kind,
            "Email": text(part.element, "email"),
        },
    )


def remove(work: Work, full_name: str) -> None:
    """
    Delete a queue or group.

    Raises:
        Problem: it owns records.
    """
    for type_ in ("Queue", "Group"):
        found = work.components.get(type_, full_name)
        group_id = found.value if found else None
        if not isinstance(group_id, str):
            continue
        for each in work.org.schema:
            owned = work.org.records.table(each.name).rows.values()
            if any(row.get("OwnerId") == group_id for row in owned):
                raise Problem(
                    f"This queue owns records of {each.name} and can't be deleted"
                )
        forget_rows(work, "Group", "Id", group_id)
