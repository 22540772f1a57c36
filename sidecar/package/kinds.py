"""The metadata types that a package may hold, and how their files are named.

One row for each type. To allow another type, add its row here; the archive needs
nothing else, unless its files are laid out in a new way.

Source: "Metadata Types" and "Metadata Coverage", Metadata API Developer Guide
(directory and suffix of each type); checked against the conversion of Salesforce's
own source-deploy-retrieve library.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sidecar.errors import Unreadable

META = "-meta.xml"


@dataclass(frozen=True)
class Child:
    """A type whose components live inside those of another type."""

    type: str
    tag: str
    """Element inside the parent; also the folder of its files, where it has any."""
    suffix: str = ""
    """Of a file of its own, in source format; empty where children have none."""
    name_tag: str = "fullName"
    listed: bool = True
    """Has a place in package.xml; else it travels with its parent alone."""
    bare: bool = False
    """Named without the parent in package.xml."""


@dataclass(frozen=True)
class Kind:
    """A metadata type."""

    type: str
    directory: str
    suffix: str
    has_content: bool = False
    """Two files: content, as ``X.cls``, and description, as ``X.cls-meta.xml``."""
    in_folders: bool = False
    """Name includes the folder: ``Referral_Tracking/Funnel``."""
    folder_of: str = ""
    """Type of whose folders this type describes one."""
    decomposed: bool = False
    """A folder for each component, and in it a file for each child."""
    children: tuple[Child, ...] = field(default=())


_OBJECT_CHILDREN = (
    Child("BusinessProcess", "businessProcesses", "businessProcess"),
    Child("CompactLayout", "compactLayouts", "compactLayout"),
    Child("CustomField", "fields", "field"),
    Child("FieldSet", "fieldSets", "fieldSet"),
    Child("Index", "indexes", "index"),
    Child("ListView", "listViews", "listView"),
    Child("RecordType", "recordTypes", "recordType"),
    Child("SharingReason", "sharingReasons", "sharingReason"),
    Child("ValidationRule", "validationRules", "validationRule"),
    Child("WebLink", "webLinks", "webLink"),
)
_WORKFLOW_CHILDREN = (
    Child("WorkflowAlert", "alerts"),
    Child("WorkflowFieldUpdate", "fieldUpdates"),
    Child("WorkflowFlowAction", "flowActions"),
    Child("WorkflowKnowledgePublish", "knowledgePublishes"),
    Child("WorkflowOutboundMessage", "outboundMessages"),
    Child("WorkflowRule", "rules"),
    Child("WorkflowSend", "send"),
    Child("WorkflowTask", "tasks"),
)
_SHARING_CHILDREN = (
    Child("SharingCriteriaRule", "sharingCriteriaRules"),
    Child("SharingGuestRule", "sharingGuestRules"),
    Child("SharingOwnerRule", "sharingOwnerRules"),
    Child("SharingTerritoryRule", "sharingTerritoryRules"),
)
_TRANSLATED_FIELD = Child(
    "CustomFieldTranslation", "fields", "fieldTranslation", "name", listed=False
)

KINDS: tuple[Kind, ...] = (
    Kind("ApexClass", "classes", "cls", has_content=True),
    Kind("ApexTrigger", "triggers", "trigger", has_content=True),
    Kind("CspTrustedSite", "cspTrustedSites", "cspTrustedSite"),
    Kind("CustomApplication", "applications", "app"),
    Kind(
        "CustomLabels",
        "labels",
        "labels",
        children=(Child("CustomLabel", "labels", bare=True),),
    ),
    Kind("CustomMetadata", "customMetadata", "md"),
    Kind("CustomNotificationType", "notificationtypes", "notiftype"),
    Kind(
        "CustomObject", "objects", "object", decomposed=True, children=_OBJECT_CHILDREN
    ),
    Kind(
        "CustomObjectTranslation",
        "objectTranslations",
        "objectTranslation",
        decomposed=True,
        children=(_TRANSLATED_FIELD,),
    ),
    Kind("CustomPermission", "customPermissions", "customPermission"),
    Kind("CustomTab", "tabs", "tab"),
    Kind("Dashboard", "dashboards", "dashboard", in_folders=True),
    Kind("DashboardFolder", "dashboards", "dashboardFolder", folder_of="Dashboard"),
    Kind("DuplicateRule", "duplicateRules", "duplicateRule"),
    Kind("EmailFolder", "email", "emailFolder", folder_of="EmailTemplate"),
    Kind("EmailTemplate", "email", "email", has_content=True, in_folders=True),
    Kind("ExternalCredential", "externalCredentials", "externalCredential"),
    Kind("FlexiPage", "flexipages", "flexipage"),
    Kind("Flow", "flows", "flow"),
    Kind("GlobalValueSet", "globalValueSets", "globalValueSet"),
    Kind(
        "GlobalValueSetTranslation",
        "globalValueSetTranslations",
        "globalValueSetTranslation",
    ),
    Kind("Group", "groups", "group"),
    Kind("Layout", "layouts", "layout"),
    Kind("LeadConvertSettings", "LeadConvertSettings", "LeadConvertSetting"),
    Kind(
        "MatchingRules",
        "matchingRules",
        "matchingRule",
        children=(Child("MatchingRule", "matchingRules"),),
    ),
    Kind("NamedCredential", "namedCredentials", "namedCredential"),
    Kind("PathAssistant", "pathAssistants", "pathAssistant"),
    Kind("PermissionSet", "permissionsets", "permissionset"),
    Kind("PermissionSetGroup", "permissionsetgroups", "permissionsetgroup"),
    Kind("PlatformEventChannel", "platformEventChannels", "platformEventChannel"),
    Kind(
        "PlatformEventChannelMember",
        "platformEventChannelMembers",
        "platformEventChannelMember",
    ),
    Kind(
        "PlatformEventSubscriberConfig",
        "PlatformEventSubscriberConfigs",
        "platformEventSubscriberConfig",
    ),
    Kind("Prompt", "prompts", "prompt"),
    Kind("Queue", "queues", "queue"),
    Kind("QuickAction", "quickActions", "quickAction"),
    Kind("RemoteSiteSetting", "remoteSiteSettings", "remoteSite"),
    Kind("Report", "reports", "report", in_folders=True),
    Kind("ReportFolder", "reports", "reportFolder", folder_of="Report"),
    Kind("ReportType", "reportTypes", "reportType"),
    Kind("Settings", "settings", "settings"),
    Kind("SharingRules", "sharingRules", "sharingRules", children=_SHARING_CHILDREN),
    Kind("StandardValueSet", "standardValueSets", "standardValueSet"),
    Kind("Translations", "translations", "translation"),
    Kind("Workflow", "workflows", "workflow", children=_WORKFLOW_CHILDREN),
)

_BY_SUFFIX: Mapping[str, Kind] = MappingProxyType(
    {kind.suffix: kind for kind in KINDS}
    | {child.suffix: kind for kind in KINDS for child in kind.children if child.suffix}
)


def kind_of(path: str) -> tuple[Kind, str]:
    """
    Say to which component a source file belongs.

    Args:
        path: such as ``core/main/default/objects/Lead/fields/X__c.field-meta.xml``.

    Returns:
        The type, and the component's full name; for a child's file those of the
        parent, here CustomObject and ``Lead``.

    Raises:
        Unreadable: no type has files of that name in that place.
    """
    *folders, file_name = path.split("/")
    stem, _, suffix = file_name.removesuffix(META).rpartition(".")
    kind = _BY_SUFFIX.get(suffix)
    if kind is None or not stem:
        raise Unreadable(f"{path}: no metadata type claims this file")
    if not file_name.endswith(META) and not kind.has_content:
        raise Unreadable(f"{path}: in source format its name must end in {META}")
    if kind.directory not in folders:
        raise Unreadable(f"{path}: a .{suffix} file belongs into {kind.directory}/")
    last = len(folders) - 1 - folders[::-1].index(kind.directory)
    inside = folders[last + 1 :]
    if kind.decomposed:
        if not inside:
            raise Unreadable(f"{path}: needs a folder of its own in {kind.directory}/")
        return kind, inside[0]
    if kind.in_folders or kind.folder_of:
        return kind, "/".join((*inside, stem))
    return kind, stem
