"""Where each metadata type lies in a package, and which types hold others.

Source: the types' pages in the Metadata API Developer Guide.
"""

# Folder -> suffix of its files, type of a file's component. Files of every other
# folder are refused by name.
FOLDERS: dict[str, tuple[str, str]] = {
    "objects": ("object", "CustomObject"),
    "globalValueSets": ("globalValueSet", "GlobalValueSet"),
    "workflows": ("workflow", "Workflow"),
    "flows": ("flow", "Flow"),
    "permissionsets": ("permissionset", "PermissionSet"),
    "customPermissions": ("customPermission", "CustomPermission"),
    "labels": ("labels", "CustomLabels"),
}

# Folders of types that Salesforce has and this org does not run.
OTHER_FOLDERS = {
    "applications": "CustomApplication",
    "approvalProcesses": "ApprovalProcess",
    "aura": "AuraDefinitionBundle",
    "classes": "ApexClass",
    "components": "ApexComponent",
    "connectedApps": "ConnectedApp",
    "cspTrustedSites": "CspTrustedSite",
    "customMetadata": "CustomMetadata",
    "dashboards": "Dashboard",
    "duplicateRules": "DuplicateRule",
    "email": "EmailTemplate",
    "externalCredentials": "ExternalCredential",
    "flexipages": "FlexiPage",
    "flowDefinitions": "FlowDefinition",
    "groups": "Group",
    "layouts": "Layout",
    "LeadConvertSettings": "LeadConvertSettings",
    "lwc": "LightningComponentBundle",
    "matchingRules": "MatchingRules",
    "namedCredentials": "NamedCredential",
    "notificationtypes": "CustomNotificationType",
    "objectTranslations": "CustomObjectTranslation",
    "pages": "ApexPage",
    "pathAssistants": "PathAssistant",
    "permissionsetgroups": "PermissionSetGroup",
    "profiles": "Profile",
    "queues": "Queue",
    "quickActions": "QuickAction",
    "remoteSiteSettings": "RemoteSiteSetting",
    "reports": "Report",
    "reportTypes": "ReportType",
    "roles": "Role",
    "settings": "Settings",
    "sharingRules": "SharingRules",
    "standardValueSets": "StandardValueSet",
    "staticresources": "StaticResource",
    "tabs": "CustomTab",
    "translations": "Translations",
    "triggers": "ApexTrigger",
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
# Types whose members package.xml may name although they have no file of their own,
# and the type in whose file they lie.
CHILD_OF = (
    dict.fromkeys(OF_OBJECT.values(), "CustomObject")
    | dict.fromkeys(OF_WORKFLOW.values(), "Workflow")
    | {"CustomLabel": "CustomLabels"}
)
KNOWN_TYPES = (
    frozenset(kind for _, kind in FOLDERS.values())
    | frozenset(OTHER_FOLDERS.values())
    | frozenset(CHILD_OF)
)
