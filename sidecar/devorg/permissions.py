"""Who may see and change what: profiles, permission sets, field-level security.

The grants are records (PermissionSet, ObjectPermissions, FieldPermissions,
PermissionSetAssignment, SetupEntityAccess), as in Salesforce, so that a grant made
through the API and one that was deployed are the same thing.

A field that was deployed is seen by nobody, administrators included, until a
permission set assigned to them says so. Source: FieldPermissions, Object Reference;
"Fields deployed with Metadata API 31 and later are not visible by default".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.devorg.schema import ACTIVITY_OBJECTS, Field, ObjectType

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

# A change in one of these makes every computed access stale.
PERMISSION_OBJECTS = frozenset(
    (
        "User",
        "PermissionSet",
        "PermissionSetAssignment",
        "ObjectPermissions",
        "FieldPermissions",
        "SetupEntityAccess",
        "CustomPermission",
    )
)

# Profiles whose standard fields and objects are open; others see what is granted.
_STANDARD_FIELDS_OPEN = frozenset(("System Administrator", "Standard User"))
_STANDARD_USER_OBJECTS = frozenset(
    (
        "Account",
        "Contact",
        "Lead",
        "Opportunity",
        "OpportunityContactRole",
        "Campaign",
        "CampaignMember",
        "CampaignMemberStatus",
    )
)

# Objects without permissions of their own: what has to be granted on the parent; where
# nothing else is said, Edit. Source: "CampaignMember" (create() takes read access to
# campaigns) and "OpportunityContactRole", Object Reference.
_WITHIN = {
    "CampaignMember": ("Campaign", {"Read": "Read", "Create": "Read"}),
    "CampaignMemberStatus": ("Campaign", {"Read": "Read"}),
    "OpportunityContactRole": ("Opportunity", {"Read": "Read"}),
}

_ACTIONS = ("Read", "Create", "Edit", "Delete")


class Access:
    """What one user may do. Made by ``Org.access``; stale after a grant."""

    def __init__(self, org: Org, user_id: str, *, system: bool = False) -> None:
        """``system``: no permission is asked for, as in a record-triggered flow."""
        self.user_id = user_id
        self.is_system = system
        self._org = org
        self._readable: dict[str, dict[str, Field]] = {}
        self._editable: dict[str, frozenset[str]] = {}
        self._permissions: set[str] = set()
        self._custom: set[str] = set()
        self._objects: dict[str, set[str]] = {}
        self._fields: dict[tuple[str, str], tuple[bool, bool]] = {}
        self._open_fields = system
        self._profile = ""
        if not system:
            self._collect()

    def has(self, permission: str) -> bool:
        """Tell whether the user has a user permission, as ``ApiEnabled``."""
        return self.is_system or permission in self._permissions

    def has_custom(self, name: str) -> bool:
        """Tell whether the user has a custom permission."""
        return name in self._custom

    def may(self, action: str, type_: ObjectType) -> bool:
        """Tell whether the user may ``Read``, ``Create``, ``Edit`` or ``Delete``."""
        if self.is_system or self.has("ModifyAllData"):
            return True
        if type_.tooling:
            return action == "Read" and self.has("ViewSetup")
        if type_.setup and type_.read_permission is not None:
            return action == "Read" and self.has(type_.read_permission)
        if type_.setup:
            return action == "Read" or self.has("ManageUsers")
        if action == "Read" and self.has("ViewAllData"):
            return True
        if type_.edit_permission is not None:
            needed = type_.read_permission if action == "Read" else None
            return self.has(type_.edit_permission) or (
                needed is not None and self.has(needed)
            )
        if self._profile == "Standard User" and type_.name in _STANDARD_USER_OBJECTS:
            return action != "Delete" or type_.name != "Campaign"
        if type_.name in _WITHIN:
            parent, needed_there = _WITHIN[type_.name]
            right = needed_there.get(action, "Edit")
            return self.may(right, self._org.schema[parent])
        return action in self._objects.get(type_.name, ())

    def readable(self, type_: ObjectType) -> dict[str, Field]:
        """Return the fields the user sees, by lower-case name."""
        if self.is_system:
            return type_.fields
        known = self._readable.get(type_.name)
        if known is None:
            known = {
                key: field
                for key, field in type_.fields.items()
                if self._field(type_, field)[0]
            }
            self._readable[type_.name] = known
        return known

    def edits(self, type_: ObjectType, field: Field) -> bool:
        """Tell whether field-level security lets the user write the field."""
        if self.is_system:
            return True
        known = self._editable.get(type_.name)
        if known is None:
            known = frozenset(
                key for key, each in type_.fields.items() if self._field(type_, each)[1]
            )
            self._editable[type_.name] = known
        return field.key in known

    def _field(self, type_: ObjectType, field: Field) -> tuple[bool, bool]:
        if not field.permissionable or (self._open_fields and not field.custom):
            return True, True
        return self._fields.get((type_.name, field.key), (False, False))

    def _collect(self) -> None:
        tables = self._org.records.table
        user = tables("User").rows[self.user_id]
        profile = tables("Profile").rows.get(str(user.get("ProfileId")), {})
        self._profile = str(profile.get("Name", ""))
        self._open_fields = self._profile in _STANDARD_FIELDS_OPEN
        sets = self._permission_sets(str(user.get("ProfileId")))
        for set_id in sets:
            row = tables("PermissionSet").rows[set_id]
            self._permissions |= {
                name.removeprefix("Permissions")
                for name, value in row.items()
                if value is True and name.startswith("Permissions")
            }
        for row in tables("ObjectPermissions").rows.values():
            if row["ParentId"] in sets:
                granted = self._objects.setdefault(str(row["SobjectType"]), set())
                granted |= {a for a in _ACTIONS if row.get(f"Permissions{a}")}
        for row in tables("FieldPermissions").rows.values():
            if row["ParentId"] in sets:
                self._add_field_grant(row)
        for row in tables("SetupEntityAccess").rows.values():
            if row["ParentId"] in sets:
                custom = tables("CustomPermission").rows.get(str(row["SetupEntityId"]))
                if custom is not None:
                    self._custom.add(str(custom["DeveloperName"]))

    def _permission_sets(self, profile_id: str) -> set[str]:
        tables = self._org.records.table
        now = self._org.clock.now()
        assigned = {
            str(row["PermissionSetId"])
            for row in tables("PermissionSetAssignment").rows.values()
            if row["AssigneeId"] == self.user_id
            and not ((end := row.get("ExpirationDate")) is not None and end <= now)  # type: ignore[operator]
        }
        owned = {
            set_id
            for set_id, row in tables("PermissionSet").rows.items()
            if row.get("ProfileId") == profile_id
        }
        return (assigned | owned) & tables("PermissionSet").rows.keys()

    def _add_field_grant(self, row: dict[str, object]) -> None:
        type_name, _, field_name = str(row["Field"]).partition(".")
        for name in mirrored(type_name):
            key = (name, field_name.lower())
            read, edit = self._fields.get(key, (False, False))
            self._fields[key] = (
                read or bool(row.get("PermissionsRead")),
                edit or bool(row.get("PermissionsEdit")),
            )


def mirrored(object_name: str) -> tuple[str, ...]:
    """Return the objects that a field grant on ``object_name`` covers.

    Tasks and events share their fields, and so the security of their fields.
    """
    return ACTIVITY_OBJECTS if object_name in ACTIVITY_OBJECTS else (object_name,)
