"""Who may see and write what: permission sets given, and what a user then sees.

Source: "PermissionSetAssignment" and "FieldPermissions", Object Reference; "sObject
Describe", REST API Developer Guide: a describe lists only what its caller may see.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.errors import Permanent
from sidecar.salesforce.caller import Caller, query, quoted, rest


@dataclass(frozen=True)
class Member:
    """A user to whom permission sets can be given."""

    id: str
    username: str
    name: str
    active: bool


@dataclass(frozen=True)
class Seen:
    """One field as a user sees it; what they may not see is not there at all."""

    type: str
    createable: bool
    updateable: bool
    required: bool
    """Must be given at creation, and nothing gives it by itself."""
    custom: bool
    values: tuple[str, ...] = ()
    """The active values of a picklist."""


def users(caller: Caller, usernames: Collection[str]) -> dict[str, Member]:
    """
    Find users by user name, whatever its case; who is not there is missing.

    Raises:
        LoggedOut, Retryable, Permanent.
    """
    if not usernames:
        return {}
    rows = query(
        caller,
        "SELECT Id, Username, Name, IsActive FROM User "  # noqa: S608
        f"WHERE Username IN ({quoted(sorted(usernames))})",
    )
    found = {row["Username"].lower(): row for row in rows}
    return {
        name: Member(row["Id"], row["Username"], row["Name"], bool(row["IsActive"]))
        for name in usernames
        if (row := found.get(name.lower()))
    }


def permission_sets(caller: Caller, names: Collection[str]) -> dict[str, str]:
    """
    Find permission sets by name: name to id; what is not there is missing.

    Raises:
        LoggedOut, Retryable, Permanent.
    """
    if not names:
        return {}
    rows = query(
        caller,
        "SELECT Id, Name FROM PermissionSet "  # noqa: S608
        f"WHERE Name IN ({quoted(sorted(names))})",
    )
    return {row["Name"]: row["Id"] for row in rows}


def assign(caller: Caller, *, user_id: str, permission_set_id: str) -> bool:
    """
    Give a user a permission set; False where they have it already.

    Raises:
        LoggedOut, Retryable, Permanent: the last with the org's words, as where the
            user's licence does not allow it.
    """
    wanted = {"AssigneeId": user_id, "PermissionSetId": permission_set_id}
    try:
        rest(caller, "POST", "sobjects/PermissionSetAssignment", json=wanted)
    except Permanent as exc:
        if not str(exc).startswith("DUPLICATE_VALUE"):
            raise
        return False
    return True


def assignments(
    caller: Caller, names: Collection[str]
) -> list[tuple[str, str, str, str]]:
    """
    List who has these permission sets.

    Returns:
        Assignment id, user id, user name, name of the permission set.

    Raises:
        LoggedOut, Retryable, Permanent.
    """
    if not names:
        return []
    rows = query(
        caller,
        "SELECT Id, AssigneeId, Assignee.Username, PermissionSet.Name "  # noqa: S608
        "FROM PermissionSetAssignment "
        f"WHERE PermissionSet.Name IN ({quoted(sorted(names))})",
    )
    return [
        (
            row["Id"],
            row["AssigneeId"],
            row["Assignee"]["Username"],
            row["PermissionSet"]["Name"],
        )
        for row in rows
    ]


def take_back(caller: Caller, assignment_id: str) -> None:
    """
    Take a permission set away; one that is gone already is fine.

    Raises:
        LoggedOut, Retryable, Permanent.
    """
    try:
        rest(caller, "DELETE", f"sobjects/PermissionSetAssignment/{assignment_id}")
    except Permanent as exc:
        if not str(exc).startswith(("NOT_FOUND", "ENTITY_IS_DELETED")):
            raise


def described(caller: Caller, object_type: str) -> dict[str, Seen]:
    """
    Tell which fields of an object the caller sees, and may write.

    Raises:
        LoggedOut, Retryable.
        Permanent: the object is not there, or this user may not see it.
    """
    answer = rest(caller, "GET", f"sobjects/{object_type}/describe")
    return {row["name"]: _seen(row) for row in answer["fields"]}


def objects(caller: Caller) -> set[str]:
    """
    Name the objects that the caller sees.

    Raises:
        LoggedOut, Retryable, Permanent.
    """
    return {row["name"] for row in rest(caller, "GET", "sobjects")["sobjects"]}


def _seen(row: Mapping[str, Any]) -> Seen:
    optional = row["nillable"] or row.get("defaultedOnCreate", False)
    return Seen(
        type=row["type"],
        createable=row["createable"],
        updateable=row["updateable"],
        required=bool(row["createable"] and not optional and row["type"] != "boolean"),
        custom=row["custom"],
        values=tuple(
            each["value"] for each in row.get("picklistValues") or () if each["active"]
        ),
    )
