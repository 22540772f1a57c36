"""What an org has comes back as files, lists and records, as Salesforce gives them."""

from datetime import timedelta

import pytest
from lxml import etree
from meta_kinds import CLASS, KINDS, OBJECT_MEMBERS, everything
from meta_package import (
    base,
    deployed,
    flow_file,
    object_file,
    package,
    text_field,
)
from meta_soap import Soap, names, text

from sidecar.devorg.clock import OrgClock
from sidecar.devorg.founding import REPS
from sidecar.devorg.metadata.flow import activate
from sidecar.devorg.org import Org

# The order of RetrieveResult and FileProperties in the Metadata WSDL.
_RESULT = ["done", "fileProperties", "id", "messages", "status", "success", "zipFile"]
_PROPERTIES = """
createdById createdByName createdDate fileName fullName id lastModifiedById
lastModifiedByName lastModifiedDate manageableState type
"""


@pytest.fixture(scope="module")
def org():
    made = Org.fresh(seed=6, clock=OrgClock())
    deployed(made, everything())
    deployed(made, base(flow=flow_file()))
    yield made
    made.stop()


@pytest.fixture
def soap(org):
    return Soap(org)


@pytest.fixture
def fresh():
    made = Org.fresh(seed=6, clock=OrgClock())
    yield made
    made.stop()


def xml(content):
    return etree.fromstring(content)


# ---- the call itself


def test_a_retrieval_is_asked_for_and_polled(soap):
    asked = soap.call(
        "<retrieve><retrieveRequest><apiVersion>62.0</apiVersion><singlePackage>true"
        "</singlePackage><unpackaged><types><members>Nope</members><name>Layout</name>"
        "</types><version>62.0</version></unpackaged></retrieveRequest></retrieve>"
    )
    assert text(asked, "result/state") == "Queued"
    first = soap.check(text(asked, "result/id"))[0]
    assert (text(first, "done"), text(first, "status")) == ("false", "InProgress")
    assert not text(first, "zipFile")
    found = soap.check(text(asked, "result/id"))[0]
    assert (text(found, "done"), text(found, "status")) == ("true", "Succeeded")
    assert list(dict.fromkeys(names(found))) == _RESULT
    assert names(found.find("{*}fileProperties")) == _PROPERTIES.split()


def test_a_retrieval_waits_while_the_org_is_held(org, soap):
    org.metadata.deployments.hold(held=True)
    asked = soap.call(
        "<retrieve><request><apiVersion>62.0</apiVersion><unpackaged><types>"
        "<members>*</members><name>Layout</name></types></unpackaged></request></retrieve>"
    )
    for _ in range(3):
        assert text(soap.check(text(asked, "result/id"))[0], "done") == "false"
    org.metadata.deployments.hold(held=False)
    assert text(soap.check(text(asked, "result/id"))[0], "done") == "true"


def test_old_clients_ask_for_the_state_alone(soap):
    asked = soap.call(
        "<retrieve><request><apiVersion>62.0</apiVersion><unpackaged><types>"
        "<members>*</members><name>Layout</name></types></unpackaged></request></retrieve>"
    )
    status = f"<checkStatus><asyncProcessId>{text(asked, 'result/id')}</asyncProcessId></checkStatus>"
    said = [text(soap.call(status), "result/state") for _ in range(2)]
    assert said == ["InProgress", "Completed"]


def test_what_is_not_there_is_a_message_and_no_error(soap):
    files, messages, found = soap.retrieve(
        {
            "Layout": ["Lead-Nope"],
            "CustomObject": ["Nope__c"],
            "Nonsense": ["X"],
            "Report": ["*"],
        }
    )
    assert messages == [
        "Entity of type 'Layout' named 'Lead-Nope' cannot be found",
        "Entity of type 'CustomObject' named 'Nope__c' cannot be found",
        "Entity type: 'Nonsense' is unknown",
        "Entity of type 'Report' named '*' cannot be found",
    ]
    assert list(files) == ["package.xml"]
    assert text(found, "success") == "true"


def test_without_single_package_files_lie_in_unpackaged(soap):
    files, _, _ = soap.retrieve({"Layout": ["Lead-Lead Layout"]}, single=False)
    assert sorted(files) == [
        "unpackaged/layouts/Lead-Lead Layout.layout",
        "unpackaged/package.xml",
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (
            "<retrieve><request><apiVersion>62.0</apiVersion></request></retrieve>",
            "sf:INVALID_OPERATION",
        ),
        (
            "<checkRetrieveStatus><asyncProcessId>09S000000000001AAA</asyncProcessId></checkRetrieveStatus>",
            "sf:INVALID_CROSS_REFERENCE_KEY",
        ),
    ],
)
def test_a_wrong_call_is_a_fault(soap, content, code):
    assert soap.call(content).findtext("faultcode") == code


def test_only_those_who_may_change_metadata_retrieve(org):
    answer = Soap(org, REPS[0]).call(
        "<retrieve><request><apiVersion>62.0</apiVersion><unpackaged><types><members>*"
        "</members><name>Layout</name></types></unpackaged></request></retrieve>"
    )
    assert answer.findtext("faultcode") == "sf:INSUFFICIENT_ACCESS"


# ---- what comes


def test_everything_that_was_deployed_comes_back_and_deploys_again(fresh):
    deployed(fresh, everything())
    fresh.clock.advance(timedelta(seconds=10))
    members = {type_: list(found) for type_, found in OBJECT_MEMBERS.items()}
    for _, type_, name in KINDS.values():
        members.setdefault(type_, []).append(name)
    files, messages, _ = Soap(fresh).retrieve(members)
    assert messages == []
    assert set(KINDS) <= set(files)
    content = {path: data.decode() for path, data in files.items()}
    manifest = content.pop("package.xml")
    again = deployed(fresh, package({**content, "package.xml": manifest}, {}))
    changed = [each.full_name for each in again.outcome.successes if each.changed]
    assert changed == ["package.xml"]


def test_an_object_brings_only_the_parts_that_were_asked_for(soap):
    files, _, found = soap.retrieve({"CustomField": ["Lead.Code__c"]})
    assert sorted(files) == ["objects/Lead.object", "package.xml"]
    root = xml(files["objects/Lead.object"])
    assert names(root) == ["fields"]
    assert text(root, "fields/fullName") == "Code__c"
    rows = [
        (text(each, "type"), text(each, "fullName"), text(each, "fileName"))
        for each in found.findall("{*}fileProperties")
    ]
    assert ("CustomField", "Lead.Code__c", "unpackaged/objects/Lead.object") in rows


def test_an_object_asked_for_by_name_brings_all_its_parts(soap):
    files, _, _ = soap.retrieve({"CustomObject": ["Lead", "Friend__c"]})
    lead = xml(files["objects/Lead.object"])
    assert {text(each, "fullName") for each in lead.findall("{*}fields")} >= {
        "Code__c",
        "Friend__c",
        "Journey__c",
    }
    friend = xml(files["objects/Friend__c.object"])
    assert text(friend, "nameField/type") == "Text"
    assert text(friend, "enableActivities") == "true"


def test_the_wildcard_means_custom_objects_alone(soap):
    files, _, _ = soap.retrieve({"CustomObject": ["*"]})
    assert sorted(files) == [
        "objects/Friend__c.object",
        "objects/News__e.object",
        "package.xml",
    ]


def test_salesforce_writes_out_what_was_left_to_its_defaults(soap):
    files, _, _ = soap.retrieve({"CustomObject": ["Friend__c"]})
    root = xml(files["objects/Friend__c.object"])
    code = next(
        each
        for each in root.findall("{*}fields")
        if text(each, "fullName") == "Code__c"
    )
    assert text(code, "externalId") == text(code, "required") == "false"
    assert text(root, "visibility") == "Public"
    assert [text(each, "actionName") for each in root.findall("{*}actionOverrides")]


def test_a_workflow_file_holds_the_messages_that_were_asked_for(soap):
    files, _, _ = soap.retrieve({"WorkflowOutboundMessage": ["Lead.Tell"]})
    root = xml(files["workflows/Lead.workflow"])
    assert text(root, "outboundMessages/fullName") == "Tell"
    whole, _, _ = soap.retrieve({"Workflow": ["Lead"]})
    assert whole["workflows/Lead.workflow"] == files["workflows/Lead.workflow"]


def test_code_comes_with_what_describes_it(soap):
    files, _, _ = soap.retrieve({"ApexClass": ["Handler"]})
    assert files["classes/Handler.cls"].decode() == CLASS
    assert text(xml(files["classes/Handler.cls-meta.xml"]), "status") == "Active"


def test_reports_come_by_folder_and_name(soap):
    files, _, _ = soap.retrieve({"Report": ["Friends/", "Friends/Leads_by_Friend"]})
    assert sorted(files) == [
        "package.xml",
        "reports/Friends-meta.xml",
        "reports/Friends/Leads_by_Friend.report",
    ]


def test_a_flow_comes_in_its_active_version(fresh):
    deployed(fresh, base(flow=flow_file(label="First")))
    deployed(fresh, base(flow=flow_file(label="Second", status="Draft")))
    files, _, _ = Soap(fresh).retrieve({"Flow": ["Tell"]})
    root = xml(files["flows/Tell.flow"])
    assert (text(root, "label"), text(root, "status")) == ("First", "Active")
    with fresh.work():
        activate(fresh, "Tell", 0)
    files, _, _ = Soap(fresh).retrieve({"Flow": ["Tell"]})
    assert text(xml(files["flows/Tell.flow"]), "label") == "Second"


def test_a_matching_rule_reads_as_it_is_now(fresh):
    deployed(fresh, everything())
    for status in ("Activating", "Active"):
        files, _, _ = Soap(fresh).retrieve({"MatchingRules": ["Friend__c"]})
        root = xml(files["matchingRules/Friend__c.matchingRule"])
        assert text(root, "matchingRules/ruleStatus") == status
        fresh.clock.advance(timedelta(seconds=10))


# ---- what a fresh org has


@pytest.mark.parametrize("name", ["Lead", "Contact", "Opportunity", "Account"])
def test_a_fresh_org_has_layouts_that_deploy_again(fresh, name):
    layout = f"{name}-{name} Layout"
    files, _, _ = Soap(fresh).retrieve({"Layout": [layout]})
    path = f"layouts/{layout}.layout"
    root = xml(files[path])
    assert text(root, "layoutSections/label") == f"{name} Information"
    section = (
        "<layoutSections><label>Ours</label><layoutColumns><layoutItems>"
        "<behavior>Edit</behavior><field>Code__c</field></layoutItems></layoutColumns>"
        "<layoutColumns/><style>TwoColumnsTopToBottom</style></layoutSections>"
    )
    patched = (
        files[path]
        .decode()
        .replace("<layoutSections>", f"{section}<layoutSections>", 1)
    )
    code = {f"objects/{name}.object": object_file(text_field("Code__c"))}
    members = {"CustomField": [f"{name}.Code__c"], "Layout": [layout]}
    deployed(fresh, package({**code, path: patched}, members))
    files, _, _ = Soap(fresh).retrieve({"Layout": [layout]})
    shown = [text(each, "field") for each in xml(files[path]).iter("{*}layoutItems")]
    assert "Code__c" in shown
    assert "Name" in shown


def test_a_fresh_org_has_conversion_settings_and_value_sets(fresh):
    files, _, _ = Soap(fresh).retrieve(
        {
            "LeadConvertSettings": ["*"],
            "StandardValueSet": ["LeadSource", "OpportunityStage", "LeadStatus"],
        }
    )
    path = "LeadConvertSettings/LeadConvertSettings.LeadConvertSetting"
    assert names(xml(files[path])) == [
        "allowOwnerChange",
        "opportunityCreationOptions",
    ]
    stages = xml(files["standardValueSets/OpportunityStage.standardValueSet"])
    won = [each for each in stages if text(each, "won") == "true"]
    assert [text(each, "fullName") for each in won] == ["Closed Won"]
    content = {p: d.decode() for p, d in files.items() if p != "package.xml"}
    members = {
        "LeadConvertSettings": ["LeadConvertSettings"],
        "StandardValueSet": ["LeadSource", "OpportunityStage", "LeadStatus"],
    }
    deployed(fresh, package(content, members))


# ---- lists and records


def test_lists_are_by_type_and_for_some_by_folder(soap):
    assert "Lead-Lead Layout" in soap.list("Layout")
    assert soap.list("Report", "Friends") == ["Friends/Leads_by_Friend"]
    assert soap.list("Report", "Nope") == []
    assert soap.list("ReportFolder") == ["Friends"]
    assert soap.list("Workflow") == ["Lead"]
    assert soap.list("StandardValueSet") == []
    assert "Account" in soap.list("CustomObject")


def test_more_than_three_queries_are_refused(soap):
    query = "<queries><type>Layout</type></queries>"
    answer = soap.call(f"<listMetadata>{query * 4}</listMetadata>")
    assert answer.findtext("faultcode") == "sf:EXCEEDED_ID_LIMIT"


def test_components_are_read_as_records(soap):
    (layout,) = soap.read("Layout", "Lead-Lead Layout", "Lead-Nope")
    assert names(layout)[0] == "fullName"
    assert text(layout, "layoutSections/layoutColumns/layoutItems/field") == "OwnerId"


@pytest.mark.parametrize(
    ("switch", "value", "name", "element", "shown"),
    [
        ("path", False, "PathAssistant", "pathAssistantEnabled", "false"),
        ("path", True, "PathAssistant", "pathAssistantEnabled", "true"),
        ("languages", [], "Language", "enableTranslationWorkbench", "false"),
        (
            "flows_deploy_active",
            True,
            "Flow",
            "enableFlowDeployAsActiveEnabled",
            "true",
        ),
        ("multi_currency", True, "Currency", "enableMultiCurrency", "true"),
    ],
)
def test_settings_say_what_is_on(fresh, switch, value, name, element, shown):
    setattr(fresh.metadata.features, switch, value)
    (record,) = Soap(fresh).read(f"{name}Settings", name)
    assert text(record, element) == shown
    files, _, _ = Soap(fresh).retrieve({"Settings": [name]})
    assert text(xml(files[f"settings/{name}.settings"]), element) == shown


# ---- one component at a time


SITE = (
    "<fullName>Peer</fullName><disableProtocolSecurity>false</disableProtocolSecurity>"
    "<isActive>true</isActive><url>https://peer.example.com</url>"
)
OBJECT = (
    "<fullName>Guest__c</fullName><deploymentStatus>Deployed</deploymentStatus>"
    "<fields><fullName>Code__c</fullName><label>Code</label><length>9</length>"
    "<type>Text</type></fields><label>Guest</label><nameField><label>Name</label>"
    "<type>Text</type></nameField><pluralLabel>Guests</pluralLabel>"
    "<sharingModel>ReadWrite</sharingModel>"
)


def test_a_component_is_created_changed_and_deleted_alone(fresh):
    soap = Soap(fresh)
    assert text(soap.save("create", "RemoteSiteSetting", SITE), "success") == "true"
    twice = soap.save("create", "RemoteSiteSetting", SITE)
    assert text(twice, "errors/statusCode") == "DUPLICATE_DEVELOPER_NAME"
    later = SITE.replace("true", "false")
    assert text(soap.save("update", "RemoteSiteSetting", later), "success") == "true"
    upserted = soap.save("upsert", "RemoteSiteSetting", SITE)
    assert (text(upserted, "created"), text(upserted, "success")) == ("false", "true")
    assert text(soap.delete("RemoteSiteSetting", "Peer"), "success") == "true"
    gone = soap.delete("RemoteSiteSetting", "Peer")
    assert text(gone, "errors/message") == "No RemoteSiteSetting named: Peer found"


def test_an_object_is_created_with_its_fields(fresh):
    soap = Soap(fresh)
    assert text(soap.save("create", "CustomObject", OBJECT), "success") == "true"
    assert fresh.schema["Guest__c"].field("Code__c").length == 9
    wider = (
        "<fullName>Guest__c.Code__c</fullName><label>Code</label><length>20</length>"
        "<type>Text</type>"
    )
    assert text(soap.save("update", "CustomField", wider), "success") == "true"
    assert fresh.schema["Guest__c"].field("Code__c").length == 20


def test_what_is_wrong_leaves_nothing_behind(fresh):
    soap = Soap(fresh)
    broken = OBJECT.replace("<length>9</length>", "")
    refused = soap.save("create", "CustomObject", broken)
    assert text(refused, "errors/message") == (
        "Must specify 'length' for a CustomField of type Text"
    )
    assert fresh.schema.get("Guest__c") is None
