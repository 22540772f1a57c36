"""An object with everything around it, as a customer or a package would deploy it."""

import base64

from meta_package import NS, field, object_file, package, text_field

FRIEND = (
    "<deploymentStatus>Deployed</deploymentStatus><enableActivities>true"
    "</enableActivities>{fields}<label>Friend</label><nameField><label>Name</label>"
    "<type>Text</type></nameField><pluralLabel>Friends</pluralLabel>"
    "<sharingModel>ReadWrite</sharingModel>"
)
TIER = field(
    "Tier__c",
    "<label>Tier</label><type>Picklist</type><valueSet><restricted>true</restricted>"
    "<valueSetDefinition><sorted>false</sorted>"
    "<value><fullName>Silver</fullName><default>false</default><label>Silver</label>"
    "</value><value><fullName>Gold</fullName><default>false</default><label>Gold"
    "</label></value></valueSetDefinition></valueSet>",
)
OF_LEAD = field(
    "Friend__c",
    "<deleteConstraint>SetNull</deleteConstraint><label>Friend</label>"
    "<referenceTo>Friend__c</referenceTo><relationshipName>Leads</relationshipName>"
    "<type>Lookup</type>",
)


def columns(*items):
    shown = "".join(
        f"<layoutItems><behavior>{behavior}</behavior><field>{name}</field></layoutItems>"
        for name, behavior in items
    )
    return f"<layoutColumns>{shown}</layoutColumns>"


def layout(*items, extra=""):
    return (
        f"<Layout {NS}><layoutSections><label>Information</label>{columns(*items)}"
        f"<layoutColumns/><style>TwoColumnsTopToBottom</style></layoutSections>{extra}"
        "</Layout>"
    )


NAME = ("Name", "Required")
LAYOUT = layout(NAME, ("Code__c", "Edit"))
TAB = f"<CustomTab {NS}><customObject>true</customObject><motif>Custom1: Heart</motif></CustomTab>"
APP = (
    f"<CustomApplication {NS}><formFactors>Large</formFactors><label>Friends</label>"
    "<navType>Standard</navType><tabs>standard-Lead</tabs><tabs>Friend__c</tabs>"
    "<uiType>Lightning</uiType></CustomApplication>"
)
PATH = (
    f"<PathAssistant {NS}><active>true</active><entityName>Friend__c</entityName>"
    "<fieldName>Tier__c</fieldName><masterLabel>Tiers</masterLabel>"
    "<pathAssistantSteps><fieldNames>Code__c</fieldNames>"
    "<picklistValueName>Gold</picklistValueName></pathAssistantSteps>"
    "<recordTypeName>__MASTER__</recordTypeName></PathAssistant>"
)
ACTION = (
    f"<QuickAction {NS}><label>New Lead</label><optionsCreateFeedItem>false"
    "</optionsCreateFeedItem><quickActionLayout><layoutSectionStyle>"
    "TwoColumnsLeftToRight</layoutSectionStyle><quickActionLayoutColumns>"
    "<quickActionLayoutItems><field>LastName</field><uiBehavior>Required</uiBehavior>"
    "</quickActionLayoutItems></quickActionLayoutColumns></quickActionLayout>"
    "<targetObject>Lead</targetObject><targetParentField>Friend__c</targetParentField>"
    "<type>Create</type></QuickAction>"
)
PAGE = (
    f"<FlexiPage {NS}><flexiPageRegions><itemInstances><componentInstance>"
    "<componentName>force:detailPanel</componentName></componentInstance>"
    "</itemInstances><name>main</name><type>Region</type></flexiPageRegions>"
    "<flexiPageRegions><itemInstances><fieldInstance><fieldItem>Record.Code__c"
    "</fieldItem></fieldInstance></itemInstances><name>side</name><type>Region</type>"
    "</flexiPageRegions><masterLabel>Friend</masterLabel>"
    "<sobjectType>Friend__c</sobjectType><template><name>flexipage:recordHome</name>"
    "</template><type>RecordPage</type></FlexiPage>"
)
REPORT_TYPE = (
    f"<ReportType {NS}><baseObject>Friend__c</baseObject><category>other</category>"
    "<deployed>true</deployed><join><outerJoin>true</outerJoin>"
    "<relationship>Leads__r</relationship></join><label>Friends with Leads</label>"
    "<sections><columns><checkedByDefault>true</checkedByDefault><field>Name</field>"
    "<table>Friend__c</table></columns><columns><checkedByDefault>true"
    "</checkedByDefault><field>Company</field><table>Friend__c.Leads__r</table>"
    "</columns><columns><checkedByDefault>true</checkedByDefault><field>Owner.Name"
    "</field><table>Friend__c.Leads__r</table></columns><masterLabel>Friends"
    "</masterLabel></sections></ReportType>"
)
FOLDER = "<{kind} {ns}><accessType>Public</accessType><name>Friends</name></{kind}>"
REPORT = (
    f"<Report {NS}><columns><field>Friend__c.Leads__r$Company</field></columns>"
    "<columns><field>Friend__c.Leads__r$Owner.Name</field></columns>"
    "<format>Summary</format><groupingsDown><dateGranularity>Day</dateGranularity>"
    "<field>Friend__c$Name</field><sortOrder>Asc</sortOrder></groupingsDown>"
    "<name>Leads by Friend</name><reportType>Friends_with_Leads__c</reportType>"
    "<scope>organization</scope><showDetails>true</showDetails></Report>"
)
DASHBOARD = (
    f"<Dashboard {NS}><backgroundEndColor>#FFFFFF</backgroundEndColor>"
    "<backgroundFadeDirection>Diagonal</backgroundFadeDirection>"
    "<backgroundStartColor>#FFFFFF</backgroundStartColor><dashboardGridLayout>"
    "<dashboardGridComponents><colSpan>6</colSpan><columnIndex>0</columnIndex>"
    "<dashboardComponent><componentType>Bar</componentType><groupingColumn>"
    "Friend__c$Name</groupingColumn><report>Friends/Leads_by_Friend</report>"
    "</dashboardComponent><rowIndex>0</rowIndex><rowSpan>8</rowSpan>"
    "</dashboardGridComponents><numberOfColumns>12</numberOfColumns>"
    "<rowHeight>36</rowHeight></dashboardGridLayout><dashboardType>LoggedInUser"
    "</dashboardType><isGridLayout>true</isGridLayout><textColor>#000000</textColor>"
    "<title>Friends</title><titleColor>#000000</titleColor><titleSize>12</titleSize>"
    "</Dashboard>"
)
EMAIL = (
    f"<EmailTemplate {NS}><available>true</available><encodingKey>UTF-8</encodingKey>"
    "<name>Thanks</name><style>none</style><subject>Thank you</subject>"
    "<type>text</type><uiType>Aloha</uiType></EmailTemplate>"
)
CONVERT = (
    f"<LeadConvertSettings {NS}><allowOwnerChange>true</allowOwnerChange>"
    "<objectMapping><inputObject>Lead</inputObject><mappingFields>"
    "<inputField>Code__c</inputField><outputField>Code__c</outputField></mappingFields>"
    "<outputObject>Contact</outputObject></objectMapping></LeadConvertSettings>"
)
MATCHING = (
    f"<MatchingRules {NS}><matchingRules><fullName>Same_Code</fullName><label>Same Code"
    "</label><matchingRuleItems><blankValueBehavior>NullNotAllowed"
    "</blankValueBehavior><fieldName>Code__c</fieldName><matchingMethod>Exact"
    "</matchingMethod></matchingRuleItems><ruleStatus>Active</ruleStatus>"
    "</matchingRules></MatchingRules>"
)
DUPLICATE = (
    f'<DuplicateRule {NS} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<actionOnInsert>Allow</actionOnInsert><actionOnUpdate>Allow</actionOnUpdate>"
    '<alertText>Again?</alertText><description>-</description><duplicateRuleFilter xsi:nil="true"/>'
    "<duplicateRuleMatchRules><matchRuleSObjectType>Friend__c</matchRuleSObjectType>"
    '<matchingRule>Same_Code</matchingRule><objectMapping xsi:nil="true"/>'
    "</duplicateRuleMatchRules><isActive>true</isActive><masterLabel>Same</masterLabel>"
    "<operationsOnInsert>Alert</operationsOnInsert><securityOption>EnforceSharingRules"
    "</securityOption><sortOrder>1</sortOrder></DuplicateRule>"
)
QUEUE = (
    f"<Queue {NS}><doesSendEmailToMembers>false</doesSendEmailToMembers><name>Friends"
    "</name><queueSobject><sobjectType>Lead</sobjectType></queueSobject></Queue>"
)
EXTERNAL = (
    f"<ExternalCredential {NS}><authenticationProtocol>Custom</authenticationProtocol>"
    "<externalCredentialParameters><parameterGroup>Peer</parameterGroup>"
    "<parameterName>Peer</parameterName><parameterType>NamedPrincipal</parameterType>"
    "<sequenceNumber>1</sequenceNumber></externalCredentialParameters>"
    "<label>Peer</label></ExternalCredential>"
)
NAMED = (
    f"<NamedCredential {NS}><label>Peer</label><namedCredentialParameters>"
    "<parameterName>Url</parameterName><parameterType>Url</parameterType>"
    "<parameterValue>https://peer.example.com</parameterValue>"
    "</namedCredentialParameters><namedCredentialParameters><externalCredential>Peer"
    "</externalCredential><parameterName>ExternalCredential</parameterName>"
    "<parameterType>Authentication</parameterType></namedCredentialParameters>"
    "<namedCredentialType>SecuredEndpoint</namedCredentialType></NamedCredential>"
)
EVENT = (
    "<deploymentStatus>Deployed</deploymentStatus><eventType>HighVolume</eventType>"
    "{fields}<label>News</label><pluralLabel>News</pluralLabel>"
    "<publishBehavior>PublishAfterCommit</publishBehavior>"
)
CLASS = "public class Handler {\n    public static void run() { Integer a = 1; }\n}\n"
TEST_CLASS = (
    "@IsTest\nprivate class HandlerTest {\n"
    "    @IsTest\n    static void runs() { Handler.run(); }\n}\n"
)
CLASS_META = (
    f"<ApexClass {NS}><apiVersion>62.0</apiVersion><status>Active</status></ApexClass>"
)
TRIGGER = "trigger OnNews on News__e (after insert) { Handler.run(); }"
TRIGGER_META = f"<ApexTrigger {NS}><apiVersion>62.0</apiVersion><status>Active</status></ApexTrigger>"
SUBSCRIBER = (
    f"<PlatformEventSubscriberConfig {NS}><batchSize>200</batchSize>"
    "<masterLabel>News</masterLabel><platformEventConsumer>OnNews"
    "</platformEventConsumer></PlatformEventSubscriberConfig>"
)
TRANSLATION = (
    f"<CustomObjectTranslation {NS}><caseValues><plural>false</plural><value>Freund"
    "</value></caseValues><fields><label>Kennung</label><name>Code__c</name></fields>"
    "<fields><name>Tier__c</name><picklistValues><masterLabel>Gold</masterLabel>"
    "<translation>Gold</translation></picklistValues></fields></CustomObjectTranslation>"
)
TRANSLATIONS = (
    f"<Translations {NS}><customApplications><label>Freunde</label><name>Friends"
    "</name></customApplications></Translations>"
)
PROMPT = (
    f"<Prompt {NS}><masterLabel>Friends</masterLabel><promptVersions><body>Look.</body>"
    "<displayType>FloatingPanel</displayType><isPublished>false</isPublished>"
    "<masterLabel>One</masterLabel><title>Friends</title><versionNumber>1"
    "</versionNumber></promptVersions></Prompt>"
)
NOTICE = (
    f"<CustomNotificationType {NS}><customNotifTypeName>Friend</customNotifTypeName>"
    "<desktop>true</desktop><masterLabel>Friend</masterLabel><mobile>false</mobile>"
    "</CustomNotificationType>"
)
SITE = (
    f"<RemoteSiteSetting {NS}><disableProtocolSecurity>false</disableProtocolSecurity>"
    "<isActive>true</isActive><url>https://peer.example.com</url></RemoteSiteSetting>"
)
RECORD_TYPE = (
    "<recordTypes><fullName>Close</fullName><active>true</active><label>Close</label>"
    "<picklistValues><picklist>Tier__c</picklist><values><fullName>Gold</fullName>"
    "<default>false</default></values></picklistValues></recordTypes>"
)
FIELD_SET = (
    "<fieldSets><fullName>Short</fullName><description>-</description>"
    "<displayedFields><field>Code__c</field></displayedFields><label>Short</label>"
    "</fieldSets>"
)

OBJECTS = {
    "objects/Friend__c.object": object_file(
        FRIEND.format(fields=text_field("Code__c", 20) + TIER)
    ),
    "objects/Lead.object": object_file(OF_LEAD + text_field("Code__c", 20)),
    "objects/Contact.object": object_file(text_field("Code__c", 20)),
    "objects/News__e.object": object_file(
        EVENT.format(fields=text_field("Code__c", 20))
    ),
}
OBJECT_MEMBERS = {
    "CustomObject": ["Friend__c", "News__e"],
    "CustomField": ["Lead.Friend__c", "Lead.Code__c", "Contact.Code__c"],
}
# Path -> content, type, member of package.xml; in an order in which all can go alone.
KINDS = {
    "layouts/Friend__c-Friend Layout.layout": (
        LAYOUT,
        "Layout",
        "Friend__c-Friend Layout",
    ),
    "tabs/Friend__c.tab": (TAB, "CustomTab", "Friend__c"),
    "applications/Friends.app": (APP, "CustomApplication", "Friends"),
    "pathAssistants/Tiers.pathAssistant": (PATH, "PathAssistant", "Tiers"),
    "quickActions/Friend__c.New_Lead.quickAction": (
        ACTION,
        "QuickAction",
        "Friend__c.New_Lead",
    ),
    "flexipages/Friend.flexipage": (PAGE, "FlexiPage", "Friend"),
    "reportTypes/Friends_with_Leads.reportType": (
        REPORT_TYPE,
        "ReportType",
        "Friends_with_Leads",
    ),
    "reports/Friends-meta.xml": (
        FOLDER.format(kind="ReportFolder", ns=NS),
        "Report",
        "Friends",
    ),
    "reports/Friends/Leads_by_Friend.report": (
        REPORT,
        "Report",
        "Friends/Leads_by_Friend",
    ),
    "dashboards/Friends-meta.xml": (
        FOLDER.format(kind="DashboardFolder", ns=NS),
        "Dashboard",
        "Friends",
    ),
    "dashboards/Friends/Overview.dashboard": (
        DASHBOARD,
        "Dashboard",
        "Friends/Overview",
    ),
    "email/Friends-meta.xml": (
        FOLDER.format(kind="EmailFolder", ns=NS),
        "EmailTemplate",
        "Friends",
    ),
    "email/Friends/Thanks.email": ("Thank you.", "EmailTemplate", "Friends/Thanks"),
    "email/Friends/Thanks.email-meta.xml": (EMAIL, "EmailTemplate", "Friends/Thanks"),
    "LeadConvertSettings/LeadConvertSettings.LeadConvertSetting": (
        CONVERT,
        "LeadConvertSettings",
        "LeadConvertSettings",
    ),
    "matchingRules/Friend__c.matchingRule": (
        MATCHING,
        "MatchingRule",
        "Friend__c.Same_Code",
    ),
    "queues/Friends.queue": (QUEUE, "Queue", "Friends"),
    "externalCredentials/Peer.externalCredential": (
        EXTERNAL,
        "ExternalCredential",
        "Peer",
    ),
    "namedCredentials/Peer.namedCredential": (NAMED, "NamedCredential", "Peer"),
    "classes/Handler.cls": (CLASS, "ApexClass", "Handler"),
    "classes/Handler.cls-meta.xml": (CLASS_META, "ApexClass", "Handler"),
    "classes/HandlerTest.cls": (TEST_CLASS, "ApexClass", "HandlerTest"),
    "classes/HandlerTest.cls-meta.xml": (CLASS_META, "ApexClass", "HandlerTest"),
    "triggers/OnNews.trigger": (TRIGGER, "ApexTrigger", "OnNews"),
    "triggers/OnNews.trigger-meta.xml": (TRIGGER_META, "ApexTrigger", "OnNews"),
    "PlatformEventSubscriberConfigs/News.platformEventSubscriberConfig": (
        SUBSCRIBER,
        "PlatformEventSubscriberConfig",
        "News",
    ),
    "objectTranslations/Friend__c-de.objectTranslation": (
        TRANSLATION,
        "CustomObjectTranslation",
        "Friend__c-de",
    ),
    "translations/de.translation": (TRANSLATIONS, "Translations", "de"),
    "prompts/Friends.prompt": (PROMPT, "Prompt", "Friends"),
    "notificationtypes/Friend.notiftype": (NOTICE, "CustomNotificationType", "Friend"),
    "remoteSiteSettings/Peer.remoteSite": (SITE, "RemoteSiteSetting", "Peer"),
}


def of(*paths, objects=True):
    """The zip of some of the kinds, with the objects they are about."""
    files = dict(OBJECTS) if objects else {}
    members = {type_: list(names) for type_, names in OBJECT_MEMBERS.items()}
    members = members if objects else {}
    for path in paths:
        content, type_, name = KINDS[path]
        files[path] = content
        if name not in members.setdefault(type_, []):
            members[type_].append(name)
    return package(files, members)


def everything():
    """The zip of all kinds."""
    return of(*KINDS)


def changed(path, old, new):
    """The zip of one file of ``KINDS`` with something in it changed."""
    content, type_, name = KINDS[path]
    assert old in content
    files = {path: content.replace(old, new)}
    for beside in (f"{path}-meta.xml", path.removesuffix("-meta.xml")):
        if beside in KINDS and beside != path:
            files[beside] = KINDS[beside][0]
    return package(files, {type_: [name]})


def one(path, content, type_, name):
    """The zip of one file."""
    return package({path: content}, {type_: [name]})


def encoded(data):
    return base64.b64encode(data).decode()
