"""User licences and permission set licences: who may hold what, and how many are left.

A user of the licence "Salesforce Integration" may hold object permissions only with
the permission set licence "Salesforce API Integration".
Source: "Give Integration Users API Only Access", Salesforce Help; UserLicense and
PermissionSetLicense, Object Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.devorg.refusal import Refusal
from sidecar.devorg.table import Table

if TYPE_CHECKING:
    from sidecar.devorg.org import Org
    from sidecar.devorg.records import Save

INTEGRATION = "Salesforce Integration"
API_INTEGRATION = "SalesforceAPIIntegrationPsl"

# Name, key, how many. Source: a Developer Edition's Company Information.
USER_LICENCES = (
    ("Salesforce", "SFDC", 10),
    (INTEGRATION, "AUL_INTEGRATION", 5),
    ("Salesforce Platform", "AUL", 3),
)
# Profile -> its user licence; all others are of the first.
OF_PROFILE = {"Minimum Access - API Only Integrations": INTEGRATION}


def install(org: Org) -> None:
    """Count the licences in use whenever somebody asks."""

    def count_users(table: Table) -> None:
        profiles = org.records.table("Profile").rows
        used: dict[object, int] = {}
        for user in org.records.table("User").rows.values():
            if user.get("IsActive") and user.get("UserType") == "Standard":
                profile = profiles.get(str(user.get("ProfileId")), {})
                licence = profile.get("UserLicenseId")
                used[licence] = used.get(licence, 0) + 1
        _write(table, used, "UsedLicenses")

    def count_assigned(table: Table) -> None:
        used: dict[object, int] = {}
        for row in org.records.table("PermissionSetLicenseAssign").rows.values():
            licence = row.get("PermissionSetLicenseId")
            used[licence] = used.get(licence, 0) + 1
        _write(table, used, "UsedLicenses")

    org.records.mirrors["UserLicense"] = count_users
    org.records.mirrors["PermissionSetLicense"] = count_assigned


def _write(table: Table, used: dict[object, int], name: str) -> None:
    for record_id, row in table.rows.items():
        if row.get(name) != used.get(record_id, 0):
            table.rows[record_id] = {**row, name: used.get(record_id, 0)}


def check_assignment(save: Save) -> None:
    """
    Check that a user's licences allow what a permission set grants.

    Raises:
        Refusal: FIELD_INTEGRITY_EXCEPTION, in Salesforce's words.
    """
    org, row = save.org, save.after
    user = org.records.table("User").rows.get(str(row.get("AssigneeId")))
    set_ = org.records.table("PermissionSet").rows.get(str(row.get("PermissionSetId")))
    if user is None or set_ is None or _licence_of(org, user) != INTEGRATION:
        return
    if _holds_api_integration(org, str(user["Id"])):
        return
    grants = org.records.table("ObjectPermissions")
    field = org.schema["ObjectPermissions"].fields["parentid"]
    granted = grants.find(field, [set_["Id"]])
    if granted:
        type_ = org.schema.get(str(grants.rows[granted[0]]["SobjectType"]))
        what = type_.plural if type_ else ""
        raise Refusal(
            "FIELD_INTEGRITY_EXCEPTION",
            f"Can't assign permission set {set_['Label']} to user {user['Name']}. The "
            f"user license doesn't allow the permission: Read {what}",
            fields=["AssigneeId"],
        )


def _licence_of(org: Org, user: dict[str, object]) -> object:
    profile = org.records.table("Profile").rows.get(str(user.get("ProfileId")), {})
    licence = org.records.table("UserLicense").rows.get(
        str(profile.get("UserLicenseId"))
    )
    return None if licence is None else licence["Name"]


def _holds_api_integration(org: Org, user_id: str) -> bool:
    licences = org.records.table("PermissionSetLicense").rows
    return any(
        row["AssigneeId"] == user_id
        and licences.get(str(row["PermissionSetLicenseId"]), {}).get("DeveloperName")
        == API_INTEGRATION
        for row in org.records.table("PermissionSetLicenseAssign").rows.values()
    )
