"""Every kind of component deploys, and is refused as Salesforce refuses it."""

from datetime import timedelta

import pytest
from meta_kinds import (
    ACTION,
    APP,
    CONVERT,
    DASHBOARD,
    DUPLICATE,
    EVENT,
    FIELD_SET,
    FRIEND,
    KINDS,
    MATCHING,
    NAME,
    PAGE,
    PATH,
    RECORD_TYPE,
    REPORT,
    TIER,
    changed,
    everything,
    layout,
    of,
    one,
)
from meta_package import (
    NS,
    assign,
    deploy,
    deployed,
    field,
    object_file,
    package,
    problems,
    text_field,
)

from sidecar.devorg.clock import OrgClock
from sidecar.devorg.founding import ADMIN
from sidecar.devorg.metadata.lead_convert import LeadConversion
from sidecar.devorg.org import Org


@pytest.fixture(scope="module")
def full():
    """An org in which everything has been deployed; only looked at or refused."""
    made = Org.fresh(seed=4, clock=OrgClock())
    deployed(made, everything())
    yield made
    made.stop()


@pytest.fixture
def org():
    made = Org.fresh(seed=4, clock=OrgClock())
    yield made
    made.stop()


def words(deployment):
    found = problems(deployment)
    assert len(found) == 1, found
    return next(iter(found.values()))


# ---- all kinds


def test_everything_deploys_together_in_any_order(full):
    for content, type_, name in KINDS.values():
        types = [type_, type_ + "Folder", "EmailFolder"]
        found = [full.metadata.components.get(each, name) for each in types]
        assert any(found), (type_, name, content)


def test_deploying_everything_again_changes_nothing(full):
    again = deployed(full, everything())
    assert [each.full_name for each in again.outcome.successes if each.changed] == [
        "package.xml"
    ]


def test_conversion_knows_its_mapping(full):
    value = full.metadata.components.get("LeadConvertSettings", "LeadConvertSettings")
    assert isinstance(value.value, LeadConversion)
    assert value.value.mappings == {"Contact": (("Code__c", "Code__c"),)}


def test_a_mapping_that_is_left_out_of_a_later_deployment_is_gone(org):
    path = "LeadConvertSettings/LeadConvertSettings.LeadConvertSetting"
    deployed(org, of(path))
    mapping = CONVERT[CONVERT.index("<objectMapping>") : CONVERT.index("</LeadConv")]
    deployed(org, changed(path, mapping, ""))
    component = org.metadata.components.get(
        "LeadConvertSettings", "LeadConvertSettings"
    )
    assert component.value.mappings == {}


def test_a_queue_may_own_leads(full):
    with full.work():
        (queue,) = (
            record_id
            for record_id, row in full.records.table("Group").rows.items()
            if row["DeveloperName"] == "Friends"
        )
        lead = full.records.create(
            full.system(full.user_named(ADMIN)),
            "Lead",
            {"LastName": "Kaya", "Company": "Acme", "OwnerId": queue},
        )
        assert full.records.get(lead)["OwnerId"] == queue


def test_a_platform_event_is_no_record_that_can_be_queried(full):
    event = full.schema["News__e"]
    assert not event.queryable
    assert not event.updateable
    assert event.createable
    assert not event.fields["code__c"].permissionable


def test_a_new_custom_object_comes_with_a_layout(org):
    deployed(
        org,
        one(
            "objects/Friend__c.object",
            object_file(FRIEND.format(fields="")),
            "CustomObject",
            "Friend__c",
        ),
    )
    assert org.metadata.components.get("Layout", "Friend__c-Friend Layout")


def test_a_record_type_can_be_named_by_records(org):
    content = object_file(FRIEND.format(fields=TIER + RECORD_TYPE))
    members = {"CustomObject": ["Friend__c"], "RecordType": ["Friend__c.Close"]}
    deployed(org, package({"objects/Friend__c.object": content}, members))
    assert org.schema["Friend__c"].field("RecordTypeId").reference_to == ("RecordType",)
    (row,) = org.records.table("RecordType").rows.values()
    assert (row["SobjectType"], row["DeveloperName"]) == ("Friend__c", "Close")


def test_a_field_set_lists_fields(org):
    content = object_file(FRIEND.format(fields=text_field("Code__c") + FIELD_SET))
    members = {"CustomObject": ["Friend__c"], "FieldSet": ["Friend__c.Short"]}
    deployed(org, package({"objects/Friend__c.object": content}, members))
    assert org.metadata.components.get("FieldSet", "Friend__c.Short")


def test_a_standard_object_keeps_its_page_settings(org):
    content = object_file(
        "<actionOverrides><actionName>View</actionName><type>Default</type>"
        "</actionOverrides><compactLayoutAssignment>Short</compactLayoutAssignment>"
        "<compactLayouts><fullName>Short</fullName><fields>Name</fields>"
        "<label>Short</label></compactLayouts><enableHistory>true</enableHistory>"
    )
    members = {"CustomObject": ["Lead"], "CompactLayout": ["Lead.Short"]}
    deployed(org, package({"objects/Lead.object": content}, members))
    assert org.metadata.components.get("CustomObject", "Lead")


def test_a_standard_field_can_be_explained_and_tracked(org):
    content = (
        "<fields><fullName>Company</fullName><inlineHelpText>Who pays.</inlineHelpText>"
        "<trackHistory>true</trackHistory></fields>"
    )
    data = one(
        "objects/Lead.object", object_file(content), "CustomField", "Lead.Company"
    )
    deployed(org, data)
    assert org.schema["Lead"].fields["company"].help_text == "Who pays."


def test_an_object_tracks_twenty_fields_and_no_more(org):
    tracked = "<trackHistory>true</trackHistory>"
    names = [f"F{number}__c" for number in range(21)]
    content = object_file("".join(text_field(each, extra=tracked) for each in names))
    members = {"CustomField": [f"Lead.{each}" for each in names]}
    data = package({"objects/Lead.object": content}, members)
    assert "more than 20 fields" in words(deploy(org, data))


# ---- value sets of standard fields


STAGES = (
    f"<StandardValueSet {NS}><sorted>false</sorted>"
    "<standardValue><fullName>Talk</fullName><default>false</default><label>Talk</label>"
    "<forecastCategory>Pipeline</forecastCategory><probability>30</probability>"
    "</standardValue><standardValue><fullName>Signed</fullName><default>false</default>"
    "<label>Signed</label><closed>true</closed><forecastCategory>Closed"
    "</forecastCategory><probability>100</probability><won>true</won></standardValue>"
    "</StandardValueSet>"
)


def test_a_customer_s_own_stages_say_what_is_won(org):
    path = "standardValueSets/OpportunityStage.standardValueSet"
    deployed(org, one(path, STAGES, "StandardValueSet", "OpportunityStage"))
    values = org.schema["Opportunity"].fields["stagename"].values
    assert [each.value for each in values if each.active] == ["Talk", "Signed"]
    system = org.system(org.user_named(ADMIN))
    with org.work():
        won = org.records.create(
            system,
            "Opportunity",
            {"Name": "Deal", "StageName": "Signed", "CloseDate": "2026-02-03"},
        )
        row = org.records.get(won)
    assert (row["IsWon"], row["IsClosed"], row["Probability"]) == (True, True, 100)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "Nonsense",
            STAGES,
            "Entity of type 'StandardValueSet' named 'Nonsense' cannot be found",
        ),
        (
            "LeadSource",
            f"<StandardValueSet {NS}><sorted>false</sorted></StandardValueSet>",
            "A standard value set must have at least one value",
        ),
        ("LeadStatus", STAGES, "A default value must be specified"),
    ],
)
def test_a_standard_value_set_is_refused(org, name, content, expected):
    path = f"standardValueSets/{name}.standardValueSet"
    assert words(deploy(org, one(path, content, "StandardValueSet", name))) == expected


# ---- roll-up summaries


DETAIL = (
    "<deploymentStatus>Deployed</deploymentStatus>"
    + field(
        "Friend__c",
        "<label>Friend</label><referenceTo>Friend__c</referenceTo><relationshipLabel>"
        "Gifts</relationshipLabel><relationshipName>Gifts</relationshipName>"
        "<relationshipOrder>0</relationshipOrder><type>MasterDetail</type>",
    )
    + field(
        "Price__c",
        "<label>Price</label><precision>16</precision><scale>2</scale>"
        "<type>Currency</type>",
    )
    + TIER
    + "<label>Gift</label><nameField><displayFormat>G-{0}</displayFormat><label>No"
    "</label><type>AutoNumber</type></nameField><pluralLabel>Gifts</pluralLabel>"
    "<sharingModel>ControlledByParent</sharingModel>"
)
PAID = field(
    "Paid__c",
    "<label>Paid</label><summarizedField>Gift__c.Price__c</summarizedField>"
    "<summaryFilterItems><field>Gift__c.Tier__c</field><operation>equals</operation>"
    "<value>Gold, Silver</value></summaryFilterItems><summaryForeignKey>"
    "Gift__c.Friend__c</summaryForeignKey><summaryOperation>sum</summaryOperation>"
    "<type>Summary</type>",
)


def with_gifts(*summaries):
    return package(
        {
            "objects/Friend__c.object": object_file(
                FRIEND.format(fields=TIER + "".join(summaries))
            ),
            "objects/Gift__c.object": object_file(DETAIL),
        },
        {"CustomObject": ["Friend__c", "Gift__c"]},
    )


def summary(operation, extra="", key="Gift__c.Friend__c"):
    return field(
        "Sum__c",
        f"<label>Sum</label>{extra}<summaryForeignKey>{key}</summaryForeignKey>"
        f"<summaryOperation>{operation}</summaryOperation><type>Summary</type>",
    )


def test_a_roll_up_sums_the_details_that_pass_its_filter(org):
    count = summary("count")
    deployed(org, with_gifts(PAID, count))
    system = org.system(org.user_named(ADMIN))
    with org.work():
        friend = org.records.create(system, "Friend__c", {"Name": "Kaya"})
        for price, tier in (("10.50", "Gold"), ("4.25", "Silver"), ("100.00", None)):
            gift = {"Friend__c": friend, "Price__c": price, "Tier__c": tier}
            org.records.create(system, "Gift__c", gift)
        row = org.records.get(friend)
    fields = org.schema["Friend__c"].fields
    assert str(fields["paid__c"].compute(row)) == "14.75"
    assert fields["sum__c"].compute(row) == 3
    assert not fields["paid__c"].createable


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            summary("sum"),
            "Must specify 'summarizedField' for a CustomField of type Summary",
        ),
        (
            summary("count", "<summarizedField>Gift__c.Price__c</summarizedField>"),
            "Can not specify 'summarizedField' for a summary of type count",
        ),
        (
            summary("sum", "<summarizedField>Gift__c.Tier__c</summarizedField>"),
            "Gift__c.Tier__c can't be used in a summary of type sum",
        ),
        (
            summary("count", key="Gift__c.No__c"),
            "In field: summaryForeignKey - no CustomField named Gift__c.No__c found",
        ),
        (
            summary("count", key="Lead.OwnerId"),
            "Lead.OwnerId is no master-detail relationship to Friend__c",
        ),
    ],
)
def test_a_roll_up_is_refused(org, content, expected):
    made = deploy(org, with_gifts(content))
    assert problems(made) == {"Friend__c.Sum__c": expected}


# ---- refusals, in an org that has everything


AT = {
    "layout": "layouts/Friend__c-Friend Layout.layout",
    "tab": "tabs/Friend__c.tab",
    "app": "applications/Friends.app",
    "path": "pathAssistants/Tiers.pathAssistant",
    "action": "quickActions/Friend__c.New_Lead.quickAction",
    "page": "flexipages/Friend.flexipage",
    "type": "reportTypes/Friends_with_Leads.reportType",
    "report": "reports/Friends/Leads_by_Friend.report",
    "dashboard": "dashboards/Friends/Overview.dashboard",
    "folder": "reports/Friends-meta.xml",
    "convert": "LeadConvertSettings/LeadConvertSettings.LeadConvertSetting",
    "matching": "matchingRules/Friend__c.matchingRule",
    "queue": "queues/Friends.queue",
    "external": "externalCredentials/Peer.externalCredential",
    "named": "namedCredentials/Peer.namedCredential",
    "class": "classes/Handler.cls",
    "trigger": "triggers/OnNews.trigger",
    "subscriber": "PlatformEventSubscriberConfigs/News.platformEventSubscriberConfig",
    "translation": "objectTranslations/Friend__c-de.objectTranslation",
    "prompt": "prompts/Friends.prompt",
    "notice": "notificationtypes/Friend.notiftype",
    "site": "remoteSiteSettings/Peer.remoteSite",
    "email": "email/Friends/Thanks.email-meta.xml",
}
GRID = DASHBOARD[
    DASHBOARD.index("<dashboardGridComponents>") : DASHBOARD.index("<numberOf")
]
SHARE = "<folderShares><accessLevel>View</accessLevel><sharedTo>x@example.com</sharedTo><sharedToType>User</sharedToType></folderShares>"


@pytest.mark.parametrize(
    ("kind", "old", "new", "expected"),
    [
        (
            "layout",
            "Code__c",
            "Nope__c",
            "In field: field - no CustomField named Friend__c.Nope__c found",
        ),
        (
            "layout",
            "<behavior>Required</behavior><field>Name</field>",
            "<behavior>Edit</behavior><field>Name</field>",
            "Field:Name must be Required",
        ),
        (
            "layout",
            "Code__c",
            "Name",
            "Field: field, value:Name appears more than once",
        ),
        (
            "layout",
            "<layoutItems><behavior>Required</behavior><field>Name</field></layoutItems>",
            "",
            "Layout must contain an item for required layout field: Name",
        ),
        (
            "layout",
            "</layoutSections>",
            "</layoutSections><relatedLists><relatedList>Lead.Nope__c</relatedList></relatedLists>",
            "Cannot find related list:Lead.Nope__c",
        ),
        (
            "layout",
            "</layoutSections>",
            "</layoutSections><relatedLists><fields>Nope__c</fields><relatedList>Lead.Friend__c</relatedList></relatedLists>",
            "Invalid field:Nope__c in related list:Lead.Friend__c",
        ),
        (
            "layout",
            "</layoutSections>",
            "</layoutSections>"
            + "<relatedLists><relatedList>Lead.Friend__c</relatedList></relatedLists>"
            * 2,
            "Field: relatedLists, value:Lead.Friend__c appears more than once",
        ),
        (
            "layout",
            "</layoutSections>",
            "</layoutSections><quickActionList><quickActionListItems><quickActionName>Nope</quickActionName></quickActionListItems></quickActionList>",
            "In field: QuickAction - no QuickAction named Nope found",
        ),
        (
            "tab",
            "<motif>Custom1: Heart</motif>",
            "",
            "Required field is missing: motif",
        ),
        (
            "app",
            "standard-Lead",
            "standard-Nope",
            "In field: tabs - no CustomTab named standard-Nope found",
        ),
        ("app", "standard-Lead", "Friend__c", "Duplicate tab: Friend__c"),
        (
            "path",
            "Gold",
            "Bronze",
            "Picklist value: Bronze in picklist: Tier__c not found",
        ),
        (
            "path",
            "__MASTER__",
            "Nope",
            "In field: recordTypeName - no RecordType named Friend__c.Nope found",
        ),
        (
            "path",
            "<fieldName>Tier__c",
            "<fieldName>Code__c",
            "Path needs a picklist field, Code__c is none",
        ),
        (
            "action",
            "LastName",
            "Nope__c",
            "In field: field - no CustomField named Lead.Nope__c found",
        ),
        (
            "action",
            "<targetObject>Lead<",
            "<targetObject>Nope__c<",
            "In field: targetObject - no CustomObject named Nope__c found",
        ),
        (
            "action",
            "<targetParentField>Friend__c<",
            "<targetParentField>OwnerId<",
            "In field: targetParentField - no CustomField named Lead.OwnerId found",
        ),
        (
            "page",
            "Record.Code__c",
            "Record.Nope__c",
            "In field: fieldItem - no CustomField named Friend__c.Nope__c found",
        ),
        (
            "page",
            "force:detailPanel",
            "c:mine",
            "In field: componentName - no LightningComponentBundle named c:mine found",
        ),
        (
            "type",
            "Leads__r</relationship>",
            "Nope__r</relationship>",
            "Invalid relationship Nope__r of Friend__c",
        ),
        (
            "type",
            "<field>Company",
            "<field>Nope__c",
            "In field: field - no CustomField named Lead.Nope__c found",
        ),
        (
            "report",
            "<field>Friend__c.Leads__r$Company",
            "<field>Friend__c.Leads__r$Nope__c",
            "field: Invalid value specified: Friend__c.Leads__r$Nope__c",
        ),
        (
            "report",
            "Friends_with_Leads__c",
            "Nope__c",
            "reportType: Invalid value specified: Nope__c",
        ),
        (
            "report",
            "<scope>organization",
            "<scope>everyone",
            "scope: Invalid value specified: everyone",
        ),
        (
            "report",
            "<format>",
            "<currency>EUR</currency><format>",
            "currency: Invalid value specified: EUR",
        ),
        (
            "dashboard",
            "Friends/Leads_by_Friend",
            "Friends/Nope",
            "In field: report - no Report named Friends/Nope found",
        ),
        (
            "dashboard",
            "<dashboardType>LoggedInUser</dashboardType>",
            "<dashboardType>SpecifiedUser</dashboardType><runningUser>x@example.com</runningUser>",
            "In field: runningUser - no User named x@example.com found",
        ),
        ("dashboard", GRID, GRID * 2, "Dashboard components overlap"),
        (
            "folder",
            "<name>",
            SHARE + "<name>",
            "In field: sharedTo - no User named x@example.com found",
        ),
        (
            "convert",
            "<inputField>Code__c",
            "<inputField>Nope__c",
            "In field: inputField - no CustomField named Lead.Nope__c found",
        ),
        (
            "convert",
            "<inputField>Code__c",
            "<inputField>Company",
            "Only custom fields can be mapped: Lead.Company",
        ),
        (
            "convert",
            "<inputField>Code__c",
            "<inputField>Friend__c",
            "The data type of Lead.Friend__c doesn't match the data type of Contact.Code__c",
        ),
        (
            "convert",
            "<outputObject>Contact",
            "<outputObject>Task",
            "Invalid object mapping from Lead to Task",
        ),
        (
            "matching",
            "<fieldName>Code__c",
            "<fieldName>Nope__c",
            "In field: fieldName - no CustomField named Friend__c.Nope__c found",
        ),
        (
            "matching",
            "Same Code",
            "Other",
            "Before you change a matching rule, you must deactivate it.",
        ),
        (
            "queue",
            "<sobjectType>Lead",
            "<sobjectType>Account",
            "In field: sobjectType - no CustomObject named Account found",
        ),
        (
            "named",
            "<externalCredential>Peer",
            "<externalCredential>Nope",
            "In field: externalCredential - no ExternalCredential named Nope found",
        ),
        (
            "named",
            "https://peer.example.com",
            "peer",
            "Invalid URL: peer",
        ),
        (
            "external",
            "<parameterType>NamedPrincipal",
            "<certificate>Nope</certificate><parameterType>NamedPrincipal",
            "In field: certificate - no Certificate named Nope found",
        ),
        (
            "class",
            "class Handler",
            "class Other",
            "Invalid type: Other, the class name must match the file: Handler",
        ),
        ("class", "}\n}", "}\n", "Missing '}' at end of file"),
        ("trigger", "News__e", "Nope__e", "Invalid type: Nope__e"),
        (
            "trigger",
            "after insert",
            "before insert",
            "Invalid trigger event: before insert",
        ),
        (
            "subscriber",
            "OnNews",
            "Nope",
            "In field: platformEventConsumer - no ApexTrigger named Nope found",
        ),
        (
            "subscriber",
            "</platformEventConsumer>",
            "</platformEventConsumer><user>x@example.com</user>",
            "In field: user - no User named x@example.com found",
        ),
        (
            "translation",
            "<name>Code__c",
            "<name>Nope__c",
            "In field: name - no CustomField named Friend__c.Nope__c found",
        ),
        (
            "translation",
            "<masterLabel>Gold",
            "<masterLabel>Bronze",
            "Picklist value: Bronze in picklist: Tier__c not found",
        ),
        (
            "prompt",
            "<isPublished>false",
            "<isPublished>true",
            "Required field is missing: startDate",
        ),
        (
            "notice",
            "<desktop>true",
            "<desktop>false",
            "A notification type needs at least one channel",
        ),
        ("site", "https://peer.example.com", "peer", "Invalid URL: peer"),
        (
            "email",
            "<type>text",
            "<type>html",
            "Required field is missing: letterhead",
        ),
        (
            "email",
            "<uiType>Aloha",
            "<uiType>SFX",
            "Required field is missing: relatedEntityType",
        ),
    ],
)
def test_a_component_is_refused_in_salesforce_s_words(full, kind, old, new, expected):
    assert words(deploy(full, changed(AT[kind], old, new))) == expected


@pytest.mark.parametrize(
    ("path", "content", "type_", "name", "expected"),
    [
        (
            "layouts/Friend__c-Second.layout",
            f"<Layout {NS}/>",
            "Layout",
            "Friend__c-Second",
            "Layout must have at least 1 section",
        ),
        (
            "layouts/Nope__c-Second.layout",
            layout(NAME),
            "Layout",
            "Nope__c-Second",
            "Entity Enumeration Or ID: bad value for restricted picklist field: Nope__c",
        ),
        (
            "reports/Nowhere/R.report",
            REPORT,
            "Report",
            "Nowhere/R",
            "Cannot find folder:Nowhere",
        ),
        (
            "pathAssistants/Again.pathAssistant",
            PATH,
            "PathAssistant",
            "Again",
            "A path already exists for this object and record type: Tiers",
        ),
        (
            "quickActions/Nope.quickAction",
            ACTION.replace("<label>New Lead</label>", ""),
            "QuickAction",
            "Nope",
            "Required field is missing: label",
        ),
        (
            "flexipages/Twice.flexipage",
            PAGE.replace("<name>side</name>", "<name>main</name>"),
            "FlexiPage",
            "Twice",
            "Duplicate region: main",
        ),
        (
            "applications/Bare.app",
            APP.replace("<formFactors>Large</formFactors>", ""),
            "CustomApplication",
            "Bare",
            "Required field is missing: formFactors",
        ),
        (
            "reports/Friends/Flat.report",
            REPORT.replace("Summary", "Tabular"),
            "Report",
            "Friends/Flat",
            "A Tabular report can't have 1 groupings",
        ),
        (
            "classes/Bare.cls",
            "class Bare {}",
            "ApexClass",
            "Bare",
            "No Bare.cls-meta.xml file found",
        ),
    ],
)
def test_a_new_component_is_refused(full, path, content, type_, name, expected):
    assert words(deploy(full, one(path, content, type_, name))) == expected


@pytest.mark.parametrize(
    ("content", "names", "expected"),
    [
        (
            "<recordTypes><fullName>R</fullName><active>true</active><label>R</label></recordTypes>",
            {"RecordType": ["Lead.R"]},
            "Required field is missing: businessProcess",
        ),
        (
            "<recordTypes><fullName>R</fullName><active>true</active><businessProcess>P</businessProcess><label>R</label></recordTypes>",
            {"RecordType": ["Lead.R"]},
            "In field: businessProcess - no BusinessProcess named P found",
        ),
        (
            "<businessProcesses><fullName>P</fullName><isActive>true</isActive><values><fullName>Nope</fullName><default>true</default></values></businessProcesses>",
            {"BusinessProcess": ["Lead.P"]},
            "Picklist value: Nope in picklist: Status not found",
        ),
        (
            "<fieldSets><fullName>F</fullName><description>-</description><displayedFields><field>Nope__c</field></displayedFields><label>F</label></fieldSets>",
            {"FieldSet": ["Lead.F"]},
            "In field: field - no CustomField named Lead.Nope__c found",
        ),
        (
            "<listViews><fullName>L</fullName><columns>LEAD.STATUS</columns><filterScope>Queue</filterScope><label>L</label><queue>Nope</queue></listViews>",
            {"ListView": ["Lead.L"]},
            "In field: queue - no Queue named Nope found",
        ),
        (
            "<compactLayoutAssignment>Nope</compactLayoutAssignment>",
            {"CustomObject": ["Lead"]},
            "In field: compactLayoutAssignment - no CompactLayout named Lead.Nope found",
        ),
        (
            "<enableDivisions>true</enableDivisions>",
            {"CustomObject": ["Lead"]},
            "enableDivisions: Not available for deploy for this organization",
        ),
        (
            "<fields><fullName>Nope</fullName></fields>",
            {"CustomField": ["Lead.Nope"]},
            "Could not resolve standard field's name.",
        ),
    ],
)
def test_a_part_of_an_object_is_refused(full, content, names, expected):
    data = package({"objects/Lead.object": object_file(content)}, names)
    assert words(deploy(full, data)) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            EVENT.format(fields=TIER),
            "Can not specify 'Picklist' for a platform event field",
        ),
        (
            EVENT.format(fields="").replace("<eventType>HighVolume</eventType>", ""),
            "Must specify a non-empty eventType for the CustomObject",
        ),
        (
            EVENT.format(fields="") + "<sharingModel>ReadWrite</sharingModel>",
            "Can not specify 'sharingModel' for a platform event",
        ),
    ],
)
def test_a_platform_event_is_refused(org, content, expected):
    data = one(
        "objects/News__e.object", object_file(content), "CustomObject", "News__e"
    )
    assert words(deploy(org, data)) == expected


def test_the_parts_of_an_object_that_failed_say_so(org):
    broken = FRIEND.format(fields=text_field("Code__c")).replace("ReadWrite", "Maybe")
    data = one(
        "objects/Friend__c.object", object_file(broken), "CustomObject", "Friend__c"
    )
    assert problems(deploy(org, data)) == {
        "Friend__c": "'Maybe' is not a valid value for the enum 'SharingModel'",
        "Friend__c.Code__c": "Parent entity failed to deploy",
    }


def test_a_component_that_comes_twice_is_refused(org):
    twice = object_file(text_field("Code__c") + text_field("Code__c"))
    data = one("objects/Lead.object", twice, "CustomField", "Lead.Code__c")
    assert words(deploy(org, data)) == "Duplicate name 'Lead.Code__c' specified"


# ---- rules that find duplicates


def with_rule(content=DUPLICATE, name="Friend__c.Same"):
    return one(f"duplicateRules/{name}.duplicateRule", content, "DuplicateRule", name)


def test_a_duplicate_rule_waits_for_its_matching_rule(org):
    deployed(org, of(AT["matching"]))
    assert words(deploy(org, with_rule())) == (
        "Before you can use this duplicate rule, all associated matching rules must be "
        "active and have their fields mapped"
    )
    org.clock.advance(timedelta(seconds=10))
    deployed(org, with_rule())


def test_a_matching_rule_reads_as_activating_at_first(org):
    deployed(org, of(AT["matching"]))
    rule = org.metadata.components.get("MatchingRule", "Friend__c.Same_Code").value
    assert rule.status(org.clock.now()) == "Activating"
    org.clock.advance(timedelta(seconds=10))
    assert rule.status(org.clock.now()) == "Active"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "<sortOrder>1",
            "<sortOrder>2",
            "SortOrder must be in sequential order from 1",
        ),
        (
            "<matchingRule>Same_Code",
            "<matchingRule>Nope",
            "In field: matchingRule - no MatchingRule named Friend__c.Nope found",
        ),
        (
            "<actionOnInsert>Allow",
            "<actionOnInsert>Block",
            "operationsOnInsert can't be specified when actionOnInsert is Block",
        ),
    ],
)
def test_a_duplicate_rule_is_refused(org, old, new, expected):
    deployed(org, of(AT["matching"]))
    org.clock.advance(timedelta(seconds=10))
    assert words(deploy(org, with_rule(DUPLICATE.replace(old, new)))) == expected


def test_two_duplicate_rules_cannot_have_the_same_place(org):
    deployed(org, of(AT["matching"]))
    org.clock.advance(timedelta(seconds=10))
    deployed(org, with_rule())
    second = with_rule(name="Friend__c.Other")
    assert words(deploy(org, second)) == "SortOrder must be in sequential order from 1"


def test_a_deactivated_matching_rule_can_change(org):
    deployed(org, of(AT["matching"]))
    off = MATCHING.replace("<ruleStatus>Active", "<ruleStatus>Inactive")
    with pytest.raises(AssertionError):
        deployed(org, changed(AT["matching"], "Same Code", "Other"))
    deployed(org, one(AT["matching"], off, "MatchingRule", "Friend__c.Same_Code"))
    deployed(org, changed(AT["matching"], "Same Code", "Other"))


# ---- what the org has switched off


@pytest.mark.parametrize(
    ("switch", "value", "kind"),
    [
        ("path", False, "path"),
        ("languages", [], "translation"),
        ("languages", ["fr"], "translation"),
    ],
)
def test_a_feature_that_is_off_is_not_available(org, switch, value, kind):
    deployed(org, of())
    setattr(org.metadata.features, switch, value)
    refused = words(deploy(org, of(AT[kind], objects=False)))
    assert refused.endswith("Not available for deploy for this organization")


@pytest.mark.parametrize(
    ("edition", "allowed"),
    [
        ("Developer Edition", 3),
        ("Enterprise Edition", 5),
        ("Unlimited Edition", 10),
    ],
)
def test_an_edition_allows_so_many_dynamic_dashboards(org, edition, allowed):
    table = org.records.table("Organization")
    with org.work():
        table.put(org.id, {**table.rows[org.id], "OrganizationType": edition})
    deployed(org, everything())
    files = {
        f"dashboards/Friends/D{number}.dashboard": DASHBOARD
        for number in range(allowed - 1)
    }
    names = [f"Friends/D{number}" for number in range(allowed - 1)]
    deployed(org, package(files, {"Dashboard": names}))
    more = one(
        "dashboards/Friends/More.dashboard", DASHBOARD, "Dashboard", "Friends/More"
    )
    assert words(deploy(org, more)) == (
        "You reached the limit for dashboards run as the logged-in user."
    )


def test_a_language_decides_what_an_object_s_name_needs(org):
    table = org.records.table("Organization")
    with org.work():
        table.put(org.id, {**table.rows[org.id], "LanguageLocaleKey": "de"})
    content = FRIEND.format(fields="") + "<startsWith>Consonant</startsWith>"
    data = one(
        "objects/Friend__c.object", object_file(content), "CustomObject", "Friend__c"
    )
    assert words(deploy(org, data)) == (
        "Cannot specify a startsWith attribute for this language"
    )


# ---- permission sets grant pages, classes, principals


GRANTS = (
    f"<PermissionSet {NS}><applicationVisibilities><application>Friends</application>"
    "<visible>true</visible></applicationVisibilities><classAccesses><apexClass>Handler"
    "</apexClass><enabled>true</enabled></classAccesses>"
    "<externalCredentialPrincipalAccesses><enabled>true</enabled>"
    "<externalCredentialPrincipal>Peer-Peer</externalCredentialPrincipal>"
    "</externalCredentialPrincipalAccesses><label>Set</label><tabSettings>"
    "<tab>Friend__c</tab><visibility>Visible</visibility></tabSettings></PermissionSet>"
)


def test_a_permission_set_grants_classes_and_principals(org):
    deployed(org, everything())
    path = "permissionsets/Set.permissionset"
    deployed(org, one(path, GRANTS, "PermissionSet", "Set"))
    assign(org, ADMIN)
    granted = org.records.table("SetupEntityAccess").rows.values()
    assert {row["SetupEntityType"] for row in granted} == {
        "ApexClass",
        "ExternalCredential",
    }


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "<apexClass>Handler",
            "<apexClass>Nope",
            "In field: apexClass - no ApexClass named Nope found",
        ),
        (
            "Peer-Peer",
            "Peer-Nope",
            "In field: externalCredentialPrincipal - no ExternalCredential named Peer-Nope found",
        ),
        (
            "<application>Friends",
            "<application>Nope",
            "In field: application - no CustomApplication named Nope found",
        ),
        (
            "<label>Set",
            "<fieldPermissions><editable>false</editable><field>Nope__c.X__c</field><readable>true</readable></fieldPermissions><label>Set",
            "In field: field - no CustomObject named Nope__c found",
        ),
        (
            "<label>Set",
            "<label>Set</label><recordTypeVisibilities><recordType>Lead.Nope</recordType><visible>true</visible></recordTypeVisibilities><description>x",
            "In field: recordType - no RecordType named Lead.Nope found",
        ),
    ],
)
def test_a_permission_set_names_only_what_is_there(full, old, new, expected):
    content = GRANTS.replace(old, new).replace("x</label>", "x</description>")
    path = "permissionsets/Set.permissionset"
    assert words(deploy(full, one(path, content, "PermissionSet", "Set"))) == expected
