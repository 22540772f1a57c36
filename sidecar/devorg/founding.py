"""A new org: the company, its profiles and roles, and the people in it.

All of them are sample data; mail addresses are under example.com.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sidecar.devorg.derived import STAGES
from sidecar.devorg.licences import API_INTEGRATION, OF_PROFILE, USER_LICENCES
from sidecar.devorg.schema import Row
from sidecar.devorg.standard_objects import USER_PERMISSIONS

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

ADMIN = "admin@example.com"
INTEGRATION = "integration@example.com"
REPS = ("rita.rep@example.com", "ravi.rep@example.com", "rosa.rep@example.com")
AUTOMATED = "autoproc@example.com"

_PROFILES: dict[str, tuple[str, ...]] = {
    "System Administrator": USER_PERMISSIONS,
    "Standard User": (
        "ActivitiesAccess",
        "ApiEnabled",
        "ConvertLeads",
        "EditEvent",
        "EditTask",
        "LightningExperienceUser",
        "RunReports",
        "ViewHelpLink",
        "ViewRoles",
    ),
    "Minimum Access - API Only Integrations": ("ApiEnabled", "ApiUserOnly"),
    "Minimum Access - Salesforce": ("LightningExperienceUser", "ViewHelpLink"),
}

_PEOPLE = (
    # username, first, last, profile, title
    (ADMIN, "Ada", "Admin", "System Administrator", "Administrator"),
    (
        INTEGRATION,
        "Referral",
        "Integration",
        "Minimum Access - API Only Integrations",
        None,
    ),
    (REPS[0], "Rita", "Rep", "Standard User", "Account Executive"),
    (REPS[1], "Ravi", "Rep", "Standard User", "Account Executive"),
    (REPS[2], "Rosa", "Rep", "Standard User", "Sales Manager"),
)


def found(org: Org) -> None:
    """Fill an empty org."""
    admin = org.ids.new("005")
    _put(
        org,
        "Organization",
        org.id,
        admin,
        Name="Example GmbH",
        OrganizationType="Developer Edition",
        InstanceName="DEV1",
        IsSandbox=False,
        IsReadOnly=False,
        DefaultLocaleSidKey="en_US",
        LanguageLocaleKey="en_US",
        TimeZoneSidKey="GMT",
        City="Berlin",
        Country="Germany",
        FiscalYearStartMonth=1,
        PrimaryContact="Ada Admin",
    )
    licences = _licences(org, admin)
    profiles = {
        name: _profile(
            org,
            admin,
            name,
            perms,
            licences[OF_PROFILE.get(name, USER_LICENCES[0][0])],
        )
        for name, perms in _PROFILES.items()
    }
    role = _put(org, "UserRole", None, admin, Name="Sales", DeveloperName="Sales")
    for username, first, last, profile, title in _PEOPLE:
        _user(
            org,
            admin if username == ADMIN else None,
            admin,
            username,
            first,
            last,
            ProfileId=profiles[profile],
            Title=title,
            UserRoleId=role if username in REPS else None,
        )
    _put(
        org,
        "PermissionSetLicenseAssign",
        None,
        admin,
        AssigneeId=org.user_named(INTEGRATION),
        PermissionSetLicenseId=licences[API_INTEGRATION],
    )
    _user(
        org,
        None,
        admin,
        AUTOMATED,
        "Automated",
        "Process",
        UserType="AutomatedProcess",
        ProfileId=profiles["Minimum Access - Salesforce"],
    )
    _put(
        org,
        "Group",
        None,
        admin,
        Name="Unassigned Leads",
        DeveloperName="Unassigned_Leads",
        Type="Queue",
    )
    _sales_process(org, admin)
    org.metadata.found(admin)


def _licences(org: Org, by: str) -> dict[str, str]:
    """Buy the licences; their ids by name."""
    found = {
        name: _put(
            org,
            "UserLicense",
            None,
            by,
            Name=name,
            MasterLabel=name,
            LicenseDefinitionKey=key,
            Status="Active",
            TotalLicenses=total,
        )
        for name, key, total in USER_LICENCES
    }
    found[API_INTEGRATION] = _put(
        org,
        "PermissionSetLicense",
        None,
        by,
        DeveloperName=API_INTEGRATION,
        MasterLabel="Salesforce API Integration",
        PermissionSetLicenseKey=API_INTEGRATION,
        Status="Active",
        TotalLicenses=5,
    )
    return found


def _sales_process(org: Org, by: str) -> None:
    """List the statuses of leads and the stages of opportunities, with meaning."""
    statuses = org.schema["Lead"].fields["status"].values
    for order, status in enumerate(statuses, start=1):
        _put(
            org,
            "LeadStatus",
            None,
            by,
            ApiName=status.value,
            MasterLabel=status.label,
            SortOrder=order,
            IsDefault=status.default,
            IsConverted=status.value == "Closed - Converted",
        )
    for order, (stage, (chance, category, name)) in enumerate(STAGES.items(), start=1):
        _put(
            org,
            "OpportunityStage",
            None,
            by,
            ApiName=stage,
            MasterLabel=stage,
            SortOrder=order,
            IsActive=True,
            IsClosed=stage in {"Closed Won", "Closed Lost"},
            IsWon=stage == "Closed Won",
            DefaultProbability=Decimal(chance),
            ForecastCategory=category,
            ForecastCategoryName=name,
        )


def automated_process(org: Org) -> str:
    """Return the id of the user in whose name the platform itself acts."""
    user_id = org.user_named(AUTOMATED)
    if user_id is None:
        raise LookupError(AUTOMATED)
    return user_id


def _put(
    org: Org, type_name: str, record_id: str | None, by: str, **values: object
) -> str:
    type_ = org.schema[type_name]
    record_id = record_id or org.ids.new(type_.key_prefix or "000")
    now = org.clock.second()
    row: Row = {
        "Id": record_id,
        "IsDeleted": False,
        "CreatedDate": now,
        "CreatedById": by,
        "LastModifiedDate": now,
        "LastModifiedById": by,
        "SystemModstamp": now,
    }
    for field in type_.fields.values():
        value = values.get(field.name, field.default)
        if value is not None:
            row[field.name] = value
    org.records.table(type_name).put(record_id, row)
    return record_id


def _profile(
    org: Org, by: str, name: str, permissions: tuple[str, ...], licence: str
) -> str:
    profile = _put(
        org,
        "Profile",
        None,
        by,
        Name=name,
        UserType="Standard",
        UserLicenseId=licence,
    )
    # Each profile owns a permission set, which holds what the profile grants.
    _put(
        org,
        "PermissionSet",
        None,
        by,
        Name=f"X{profile}",
        Label=f"X{profile}",
        ProfileId=profile,
        IsOwnedByProfile=True,
        IsCustom=False,
        Type="Profile",
        **{f"Permissions{each}": True for each in permissions},
    )
    return profile


def _user(
    org: Org,
    record_id: str | None,
    by: str,
    username: str,
    first: str,
    last: str,
    **values: object,
) -> str:
    return _put(
        org,
        "User",
        record_id,
        by,
        Username=username,
        FirstName=first,
        LastName=last,
        Name=f"{first} {last}",
        Email=username,
        Alias=(first[:1] + last)[:8].lower(),
        IsActive=True,
        TimeZoneSidKey="GMT",
        LocaleSidKey="en_US",
        EmailEncodingKey="UTF-8",
        LanguageLocaleKey="en_US",
        CompanyName="Example GmbH",
        **values,
    )
