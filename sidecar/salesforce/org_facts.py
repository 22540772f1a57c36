"""Questions to an org that is to get a package; each only reads.

Sources: "Organization", "UserLicense", "PermissionSetLicense", "Dashboard", Object
Reference; "Limits", "Versions", REST API Developer Guide; "getUserInfo()", SOAP API
Developer Guide; "PathAssistantSettings", "LanguageSettings", "FlowSettings", Metadata
API Developer Guide; "ValidationRule", Tooling API Developer Guide.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sidecar.errors import Permanent
from sidecar.salesforce.caller import (
    METADATA,
    PARTNER,
    Caller,
    Element,
    query,
    quoted,
    rest,
    soap,
    tags,
    text,
)


@dataclass(frozen=True)
class Organisation:
    """What kind of org it is."""

    id: str
    name: str
    edition: str
    sandbox: bool
    trial_ends: str
    """ISO 8601; empty for an org that is no trial."""
    newest_api: str


@dataclass(frozen=True)
class Me:
    """Who calls, and what they may do."""

    user_id: str
    username: str
    multi_currency: bool
    person_accounts: bool
    permissions: frozenset[str]
    """Of those asked for: ``ModifyAllData``..."""


@dataclass(frozen=True)
class Licence:
    """A kind of licence, and how many are left."""

    name: str
    total: int
    used: int


def organisation(caller: Caller) -> Organisation:
    """
    Describe the org.

    Raises:
        LoggedOut, Retryable, Permanent; as every function here.
    """
    soql = "SELECT Id, Name, OrganizationType, IsSandbox, TrialExpirationDate"
    row = query(caller, f"{soql} FROM Organization")[0]
    versions = rest(caller, "GET", "/services/data")
    return Organisation(
        id=row["Id"],
        name=row["Name"],
        edition=row["OrganizationType"],
        sandbox=bool(row["IsSandbox"]),
        trial_ends=str(row["TrialExpirationDate"] or ""),
        newest_api=str(max(float(each["version"]) for each in versions)),
    )


def me(caller: Caller, permissions: Collection[str]) -> Me:
    """
    Tell who calls, and which of these user permissions they have.

    Args:
        permissions: without the ``Permissions`` in front: ``ModifyAllData``.
    """
    info = soap(caller, PARTNER, "getUserInfo", "").find("{*}result")
    if info is None:
        raise Permanent("Salesforce does not say who we are")
    user_id, profile_id = text(info, "userId"), text(info, "profileId")
    columns = ["Id", *(f"Permissions{name}" for name in sorted(permissions))]
    of_profile = quoted([profile_id])
    mine = query(
        caller,
        "SELECT PermissionSetId FROM PermissionSetAssignment "  # noqa: S608
        f"WHERE AssigneeId = {quoted([user_id])}",
    )
    ids = quoted([row["PermissionSetId"] for row in mine] or [profile_id])
    rows = query(
        caller,
        f"SELECT {', '.join(columns)} FROM PermissionSet "  # noqa: S608
        f"WHERE ProfileId = {of_profile} OR Id IN ({ids})",
    )
    return Me(
        user_id=user_id,
        username=text(info, "userName"),
        multi_currency=text(info, "organizationMultiCurrency") == "true",
        person_accounts=text(info, "orgHasPersonAccounts") == "true",
        permissions=frozenset(
            name
            for name in permissions
            if any(row.get(f"Permissions{name}") for row in rows)
        ),
    )


def calls_left(caller: Caller) -> tuple[int, int]:
    """Tell how many API calls are left of today's, and how many there are a day."""
    daily = rest(caller, "GET", "limits")["DailyApiRequests"]
    return int(daily["Remaining"]), int(daily["Max"])


def licences(caller: Caller) -> list[Licence]:
    """List the user licences."""
    soql = "SELECT Name, TotalLicenses, UsedLicenses FROM UserLicense"
    return [
        Licence(row["Name"], int(row["TotalLicenses"]), int(row["UsedLicenses"]))
        for row in query(caller, soql)
    ]


def dynamic_dashboards(caller: Caller) -> list[str]:
    """Name the dashboards that run as whoever looks at them; editions cap them."""
    soql = "SELECT DeveloperName FROM Dashboard WHERE Type = 'LoggedInUser'"
    return [row["DeveloperName"] for row in query(caller, soql)]


def settings(caller: Caller, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """
    Read settings as metadata.

    Args:
        names: such as ``PathAssistant``, ``Language``, ``Flow``.

    Returns:
        For each that the org has: its switches and their values, as text.
    """
    found: dict[str, dict[str, str]] = {}
    for name in names:
        content = tags({"type": f"{name}Settings", "fullNames": name})
        answer = soap(caller, METADATA, "readMetadata", content)
        for record in answer.iterfind("{*}result/{*}records"):
            if values := _leaves(record):
                found[name] = values
    return found


def active_validation_rules(
    caller: Caller, objects: Collection[str]
) -> list[tuple[str, str]]:
    """List the validation rules that act on these objects: object, name."""
    # One object at a time: of definitions, the Tooling API takes no alternatives.
    found = []
    for name in sorted(objects):
        rows = query(
            caller,
            "SELECT ValidationName FROM ValidationRule "  # noqa: S608
            "WHERE Active = true "
            f"AND EntityDefinition.QualifiedApiName = {quoted([name])}",
            tooling=True,
        )
        found += [(name, str(row["ValidationName"])) for row in rows]
    return found


def _leaves(record: Element) -> dict[str, str]:
    values: Mapping[str, str] = {
        child.tag.rpartition("}")[2]: child.text or ""
        for child in record
        if isinstance(child.tag, str) and not len(child)
    }
    return {name: value for name, value in values.items() if name != "fullName"}
