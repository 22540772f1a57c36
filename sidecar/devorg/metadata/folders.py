"""Where each metadata type lies in a package, and which types hold others.

Source: the types' pages in the Metadata API Developer Guide.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """
    Where the files of one type lie.

    Attributes:
        suffix: of its files, without the dot.
        type: the root element of its files, and its name in package.xml.
        folder_type: the type of the folders in which its components lie; "" when
            they lie in the directory itself.
        meta_file: its content is no XML, which lies beside it in ``…-meta.xml``.
    """

    suffix: str
    type: str
    folder_type: str = ""
    meta_file: bool = False


# Directory -> what lies there. Files of every other directory are refused by name.
FOLDERS: dict[str, Place] = {
    "LeadConvertSettings": Place("LeadConvertSetting", "LeadConvertSettings"),
    "PlatformEventSubscriberConfigs": Place(
        "platformEventSubscriberConfig", "PlatformEventSubscriberConfig"
    ),
    "applications": Place("app", "CustomApplication"),
    "certs": Place("crt", "Certificate", meta_file=True),
    "classes": Place("cls", "ApexClass", meta_file=True),
    "customPermissions": Place("customPermission", "CustomPermission"),
    "dashboards": Place("dashboard", "Dashboard", "DashboardFolder"),
    "duplicateRules": Place("duplicateRule", "DuplicateRule"),
    "email": Place("email", "EmailTemplate", "EmailFolder", meta_file=True),
    "externalCredentials": Place("externalCredential", "ExternalCredential"),
    "flexipages": Place("flexipage", "FlexiPage"),
    "flows": Place("flow", "Flow"),
    "globalValueSetTranslations": Place(
        "globalValueSetTranslation", "GlobalValueSetTranslation"
    ),
    "globalValueSets": Place("globalValueSet", "GlobalValueSet"),
    "groups": Place("group", "Group"),
    "labels": Place("labels", "CustomLabels"),
    "layouts": Place("layout", "Layout"),
    "matchingRules": Place("matchingRule", "MatchingRules"),
    "namedCredentials": Place("namedCredential", "NamedCredential"),
    "notificationtypes": Place("notiftype", "CustomNotificationType"),
    "objectTranslations": Place("objectTranslation", "CustomObjectTranslation"),
    "objects": Place("object", "CustomObject"),
    "pathAssistants": Place("pathAssistant", "PathAssistant"),
    "permissionsets": Place("permissionset", "PermissionSet"),
    "prompts": Place("prompt", "Prompt"),
    "queues": Place("queue", "Queue"),
    "quickActions": Place("quickAction", "QuickAction"),
    "remoteSiteSettings": Place("remoteSite", "RemoteSiteSetting"),
    "reportTypes": Place("reportType", "ReportType"),
    "reports": Place("report", "Report", "ReportFolder"),
    "standardValueSets": Place("standardValueSet", "StandardValueSet"),
    "tabs": Place("tab", "CustomTab"),
    "translations": Place("translation", "Translations"),
    "triggers": Place("trigger", "ApexTrigger", meta_file=True),
    "workflows": Place("workflow", "Workflow"),
}

# Folders of types that Salesforce has and this org does not run.
OTHER_FOLDERS = {
    "approvalProcesses": "ApprovalProcess",
    "aura": "AuraDefinitionBundle",
    "components": "ApexComponent",
    "connectedApps": "ConnectedApp",
    "cspTrustedSites": "CspTrustedSite",
    "customMetadata": "CustomMetadata",
    "flowDefinitions": "FlowDefinition",
    "flowtests": "FlowTest",
    "lwc": "LightningComponentBundle",
    "managedEventSubscriptions": "ManagedEventSubscription",
    "mutingpermissionsets": "MutingPermissionSet",
    "pages": "ApexPage",
    "permissionsetgroups": "PermissionSetGroup",
    "platformEventChannelMembers": "PlatformEventChannelMember",
    "platformEventChannels": "PlatformEventChannel",
    "profiles": "Profile",
    "roles": "Role",
    "settings": "Settings",
    "sharingRules": "SharingRules",
    "standardValueSetTranslations": "StandardValueSetTranslation",
    "staticresources": "StaticResource",
}

# Elements of a file that are components of their own: element -> type.
OF_OBJECT = {
    "fields": "CustomField",
    "validationRules": "ValidationRule",
    "listViews": "ListView",
    "compactLayouts": "CompactLayout",
    "recordTypes": "RecordType",
    "businessProcesses": "BusinessProcess",
    "fieldSets": "FieldSet",
    "webLinks": "WebLink",
    "sharingReasons": "SharingReason",
    "indexes": "Index",
}
OF_WORKFLOW = {
    "outboundMessages": "WorkflowOutboundMessage",
    "alerts": "WorkflowAlert",
    "fieldUpdates": "WorkflowFieldUpdate",
    "rules": "WorkflowRule",
    "tasks": "WorkflowTask",
    "flowActions": "WorkflowFlowAction",
    "knowledgePublishes": "WorkflowKnowledgePublish",
    "send": "WorkflowSend",
}
# Type of a file -> its elements that are components, for the files that have some.
PARTS_OF = {
    "CustomObject": OF_OBJECT,
    "Workflow": OF_WORKFLOW,
    "CustomLabels": {"labels": "CustomLabel"},
    "MatchingRules": {"matchingRules": "MatchingRule"},
}
# Types whose members package.xml may name although they have no file of their own,
# and the type in whose file they lie.
CHILD_OF = {
    child: parent for parent, held in PARTS_OF.items() for child in held.values()
}
# Types of folders: package.xml names a folder among the components that lie in it.
FOLDER_OF = {
    place.folder_type: place.type for place in FOLDERS.values() if place.folder_type
}
KNOWN_TYPES = (
    frozenset(place.type for place in FOLDERS.values())
    | frozenset(OTHER_FOLDERS.values())
    | frozenset(CHILD_OF)
)
