# ruff: noqa: E501 - a line is a field
"""The objects of the Tooling API, and the standard ones that mirror metadata.

Source: Tooling API Reference (FlowDefinition, Flow, CustomField, ValidationRule,
CustomObject, EntityDefinition, DeployRequest, InstalledSubscriberPackage); Report,
Dashboard and Folder, Object Reference. The fields that clients ask for, not all.
"""

from sidecar.devorg.notation import fields_from
from sidecar.devorg.schema import Field, ObjectType

_AUDIT = """
CreatedDate datetime system
CreatedById reference(User) system rel=CreatedBy
LastModifiedDate datetime system
LastModifiedById reference(User) system rel=LastModifiedBy
"""

# Name, key prefix, fields. ``Metadata`` and ``FullName`` come with one row at a time.
_TOOLING = {
    "FlowDefinition": (
        "300",
        """
        DeveloperName string(80) readonly name
        MasterLabel string(255) readonly
        Description textarea(255) readonly
        ActiveVersionId reference(Flow) readonly rel=ActiveVersion
        LatestVersionId reference(Flow) readonly rel=LatestVersion
        NamespacePrefix string(15) readonly
        ManageableState picklist(unmanaged) readonly
        """,
    ),
    "Flow": (
        "301",
        """
        DefinitionId reference(FlowDefinition) readonly rel=Definition
        MasterLabel string(255) readonly name
        Description textarea(255) readonly
        VersionNumber int readonly
        Status picklist(Active;Draft;Obsolete;InvalidDraft) readonly
        ProcessType picklist(AutoLaunchedFlow;Flow) readonly
        ApiVersion double(18,1) readonly
        RunInMode picklist(DefaultMode;SystemModeWithSharing;SystemModeWithoutSharing) readonly
        IsTemplate boolean readonly
        ManageableState picklist(unmanaged) readonly
        """,
    ),
    "CustomObject": (
        "01I",
        """
        DeveloperName string(80) readonly name
        NamespacePrefix string(15) readonly
        Description textarea(1000) readonly
        ManageableState picklist(unmanaged) readonly
        """,
    ),
    "CustomField": (
        "00N",
        """
        DeveloperName string(40) readonly name
        TableEnumOrId string(40) readonly
        EntityDefinitionId reference(EntityDefinition) readonly rel=EntityDefinition
        NamespacePrefix string(15) readonly
        Description textarea(1000) readonly
        InlineHelpText textarea(510) readonly
        Length int readonly
        Precision int readonly
        Scale int readonly
        ManageableState picklist(unmanaged) readonly
        """,
    ),
    "ValidationRule": (
        "03d",
        """
        ValidationName string(40) readonly name
        Active boolean readonly
        Description textarea(1000) readonly
        EntityDefinitionId reference(EntityDefinition) readonly rel=EntityDefinition
        ErrorDisplayField string(255) readonly
        ErrorMessage string(255) readonly
        NamespacePrefix string(15) readonly
        ManageableState picklist(unmanaged) readonly
        """,
    ),
    "DeployRequest": (
        "0Af",
        """
        Status picklist(Pending;InProgress;Succeeded;SucceededPartial;Failed;Canceling;Canceled) readonly
        CheckOnly boolean readonly
        RollbackOnError boolean readonly
        TestLevel string(40) readonly
        StartDate datetime readonly
        CompletedDate datetime readonly
        ErrorMessage textarea(255) readonly
        NumberComponentErrors int readonly
        NumberComponentsDeployed int readonly
        NumberComponentsTotal int readonly
        """,
    ),
    "InstalledSubscriberPackage": (
        "0A3",
        """
        SubscriberPackageId reference(SubscriberPackage) rel=SubscriberPackage
        SubscriberPackageVersionId reference(SubscriberPackageVersion) rel=SubscriberPackageVersion
        MinPackageVersionId id readonly
        """,
    ),
    "SubscriberPackage": (
        "033",
        """
        Name string(255) name
        NamespacePrefix string(15)
        Description textarea(255)
        """,
    ),
    "SubscriberPackageVersion": (
        "04t",
        """
        Name string(80) name
        SubscriberPackageId reference(SubscriberPackage)
        MajorVersion int
        MinorVersion int
        PatchVersion int
        BuildNumber int
        """,
    ),
}  # fmt: skip
_WITH_METADATA = frozenset(
    ("FlowDefinition", "Flow", "CustomObject", "CustomField", "ValidationRule")
)

_ENTITY = """
Id id system
DurableId string(40) readonly
QualifiedApiName string(70) readonly
DeveloperName string(40) readonly name
Label string(255) readonly
PluralLabel string(255) readonly
KeyPrefix string(3) readonly
IsCustomizable boolean readonly
IsCustomSetting boolean readonly
NamespacePrefix string(15) readonly
"""
# What people look at: seen by who runs reports.
_LOOKED_AT = {
    "Report": (
        "00O",
        """
        Name string(40) readonly name
        DeveloperName string(80) readonly
        Description string(255) readonly
        OwnerId reference(Folder,Organization,User) readonly rel=Owner
        FolderName string(256) readonly
        Format picklist(Tabular;Summary;Matrix;MultiBlock) readonly
        NamespacePrefix string(15) readonly
        LastRunDate datetime readonly
        """,
    ),
    "Dashboard": (
        "01Z",
        """
        Title string(80) readonly name
        DeveloperName string(80) readonly
        Description string(255) readonly
        FolderId reference(Folder) readonly rel=Folder
        FolderName string(256) readonly
        Type picklist(SpecifiedUser;LoggedInUser;MyTeamUser) readonly
        RunningUserId reference(User) readonly rel=RunningUser
        NamespacePrefix string(15) readonly
        """,
    ),
    "Folder": (
        "00l",
        """
        Name string(80) readonly name
        DeveloperName string(80) readonly
        Type picklist(Report;Dashboard;Email) readonly
        AccessType picklist(Shadow;Public;Hidden;PublicInternal) readonly
        IsReadonly boolean readonly
        NamespacePrefix string(15) readonly
        """,
    ),
}


def mirror_types() -> list[ObjectType]:
    """Return fresh types of all objects that this package keeps rows of."""
    made = [_type(name, prefix, spec) for name, (prefix, spec) in _TOOLING.items()]
    for each in made:
        each.tooling = True
        if each.name in _WITH_METADATA:
            for name in ("FullName", "Metadata"):
                kind = "string" if name == "FullName" else "complexvalue"
                added = Field(name, name, kind, permissionable=False)
                added.createable = added.updateable = False
                each.fields[added.key] = added
    looked_at = [_type(name, *found) for name, found in _LOOKED_AT.items()]
    for each in looked_at:
        each.read_permission = "RunReports"
    entity = _type("EntityDefinition", None, _ENTITY, audit=False)
    return [*made, *looked_at, entity]


def _type(
    name: str, prefix: str | None, spec: str, *, audit: bool = True
) -> ObjectType:
    lines = f"Id id system\nIsDeleted boolean system{_AUDIT}" if audit else ""
    text = "\n".join(line for line in (lines + spec).splitlines() if line.strip())
    made = ObjectType(name, name, f"{name}s", prefix)
    made.fields = fields_from(text, permissionable=False)
    made.setup = True
    made.createable = made.updateable = made.deletable = False
    return made
