"""Deployments stand in line, take their time, run tests, and can be called off."""

import time
from datetime import timedelta

import pytest
from core_api import Api
from meta_kinds import MATCHING, everything, of
from meta_package import (
    base,
    deploy,
    deployed,
    finished,
    flow_file,
    package,
    problems,
    text_field,
)
from meta_package import object_file as an_object
from meta_soap import Soap, text

from sidecar.devorg.app import create_app
from sidecar.devorg.clock import OrgClock
from sidecar.devorg.founding import ADMIN
from sidecar.devorg.metadata.deployment import Options
from sidecar.devorg.metadata.result import result
from sidecar.devorg.org import Org
from sidecar.devorg.refusal import Refusal

APEX = ("classes/Handler.cls", "classes/Handler.cls-meta.xml")
TESTS = ("classes/HandlerTest.cls", "classes/HandlerTest.cls-meta.xml")


@pytest.fixture
def org():
    made = Org.fresh(seed=8, clock=OrgClock())
    yield made
    made.stop()


@pytest.fixture
def production(org):
    features(org, edition="Enterprise Edition")
    return org


def features(org, **wishes):
    answer = create_app(org).test_client().post("/devorg/features", json=wishes)
    assert answer.status_code == 200, answer.json
    return answer.json


def begun(made):
    while made.status == "Pending":
        time.sleep(0.002)
    return made


def start(org, data, **options):
    access = org.access(org.user_named(ADMIN))
    return org.metadata.deployments.start(access, data, Options(**options))


def shown(org, made):
    return result(made, org.records.table("User").rows, details=True)


# ---- one after the other


def test_a_second_deployment_waits_for_the_first(org):
    org.metadata.deployments.pace = 1.0
    first, second = start(org, base()), start(org, base())
    begun(first)
    assert (first.status, second.status) == ("InProgress", "Pending")
    org.metadata.deployments.pace = 0.0
    org.clock.advance(timedelta(minutes=1))
    assert finished(first).success
    assert finished(second).success


def test_progress_is_told_in_components(org):
    org.metadata.deployments.pace = 1.0
    made = begun(start(org, base()))
    org.clock.advance(timedelta(seconds=2.5))
    while made.handled < 2:
        time.sleep(0.002)
    said = shown(org, made)
    assert said["status"] == "InProgress"
    assert said["numberComponentsDeployed"] == 2
    assert said["numberComponentsTotal"] == 5
    org.clock.advance(timedelta(minutes=1))
    assert finished(made).success
    assert shown(org, made)["numberComponentsDeployed"] == 5


def test_a_deployment_in_progress_is_called_off_and_leaves_nothing(org):
    org.metadata.deployments.pace = 0.01
    made = begun(start(org, base()))
    answer = Soap(org).call(f"<cancelDeploy><String>{made.id}</String></cancelDeploy>")
    assert text(answer, "result/done") == "false"
    assert finished(made).status == "Canceled"
    assert org.schema["Lead"].field("Journey__c") is None
    said = shown(org, made)
    assert (said["canceledByName"], said["success"]) == ("Ada Admin", False)


def test_a_deployment_that_is_done_cannot_be_called_off(org):
    made = deployed(org, base())
    with pytest.raises(Refusal, match="it can't be canceled"):
        org.metadata.deployments.cancel(made.id, user_id=org.user_named(ADMIN))


def test_a_validation_is_good_for_ten_days(org):
    checked = deployed(org, base(), check_only=True)
    org.clock.advance(timedelta(days=11))
    with pytest.raises(Refusal, match="not available for a quick deploy"):
        org.metadata.deployments.quick(org.access(org.user_named(ADMIN)), checked.id)


def test_the_back_door_holds_deployments_up(org):
    http = create_app(org).test_client()
    assert http.post("/devorg/deployments", json={"held": True, "pace": 3}).json == {
        "held": True,
        "pace": 3.0,
    }
    made = start(org, base())
    (row,) = http.get("/devorg/deployments").json
    assert (row["id"], row["status"]) == (made.id, "Pending")
    http.post("/devorg/deployments", json={"held": False, "pace": 0})
    assert finished(made).success


# ---- tests


def test_without_apex_production_runs_no_tests(production):
    features(production, tests={"count": 4, "failing": ["OrderTest.closes"]})
    made = deployed(production, base())
    assert shown(production, made)["runTestsEnabled"] is False


def test_apex_in_production_runs_the_customer_s_tests_too(production):
    features(production, tests={"count": 4})
    deployed(production, of())
    made = deployed(production, of(*APEX, *TESTS))
    said = shown(production, made)
    assert (said["numberTestsTotal"], said["numberTestErrors"]) == (5, 0)
    assert said["runTestsEnabled"] is True


def test_a_customer_s_failing_test_stops_the_deployment(production):
    features(production, tests={"count": 4, "failing": ["OrderTest.closes"]})
    made = deploy(production, of(*APEX, *TESTS))
    assert made.status == "Failed"
    assert problems(made) == {}
    run = shown(production, made)["details"]["runTestResult"]
    (failure,) = run["failures"]
    assert (failure["name"], failure["methodName"]) == ("OrderTest", "closes")
    assert production.metadata.components.get("ApexClass", "Handler") is None


def test_naming_its_own_tests_goes_round_the_customer_s(production):
    features(production, tests={"count": 4, "failing": ["OrderTest.closes"]})
    made = deployed(
        production,
        of(*APEX, *TESTS),
        test_level="RunSpecifiedTests",
        run_tests=("HandlerTest",),
    )
    assert shown(production, made)["numberTestsTotal"] == 1


@pytest.mark.parametrize(
    ("switches", "options", "words"),
    [
        (
            {"coverage": 60},
            {},
            "Average test coverage across all Apex Classes and Triggers is 60%, at least 75% test coverage is required.",
        ),
        (
            {"package_coverage": 70},
            {"test_level": "RunSpecifiedTests", "run_tests": ("HandlerTest",)},
            "Test coverage of selected Apex Class is 70%, at least 75% test coverage is required",
        ),
        (
            {"count": 1},
            {"test_level": "RunSpecifiedTests", "run_tests": ("CustomerTest",)},
            "Test coverage of selected Apex Class is 0%, at least 75% test coverage is required",
        ),
    ],
)
def test_too_little_coverage_stops_the_deployment(production, switches, options, words):
    features(production, tests=switches)
    made = deploy(production, of(*APEX, *TESTS), **options)
    run = shown(production, made)["details"]["runTestResult"]
    assert made.status == "Failed"
    assert [each["message"] for each in run["codeCoverageWarnings"]] == [words]


def test_an_unknown_test_stops_the_deployment(production):
    made = deploy(
        production, base(), test_level="RunSpecifiedTests", run_tests=("Nope",)
    )
    assert (made.status, made.error) == (
        "Failed",
        "No Apex test class named: Nope found",
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"test_level": "RunSpecifiedTests"}, "runTests must name"),
        ({"run_tests": ("HandlerTest",)}, "only with a testLevel of RunSpecifiedTests"),
        ({"purge_on_delete": True}, "purgeOnDelete option can only be used"),
    ],
)
def test_options_that_do_not_go_together_are_refused(production, options, words):
    with pytest.raises(Refusal, match=words):
        start(production, base(), **options)


# ---- features


def test_flows_arrive_active_in_production_when_it_says_so(production):
    features(production, flows_deploy_active=True)
    deployed(production, base(flow=flow_file()))
    assert production.metadata.components.get("Flow", "Tell").value.active == 1


def test_the_back_door_shows_and_sets_features(org):
    said = features(org, path=False, languages=["fr"], edition="Unlimited Edition")
    assert (said["path"], said["languages"], said["production"]) == (
        False,
        ["fr"],
        True,
    )
    assert features(org, sandbox=True)["production"] is False
    http = create_app(org).test_client()
    assert http.get("/devorg/features").json["edition"] == "Unlimited Edition"
    for wrong in (
        {"nonsense": 1},
        {"edition": "Nope"},
        {"path": "yes"},
        {"default_workflow_user": "x@example.com"},
    ):
        assert http.post("/devorg/features", json=wrong).status_code == 400


def test_several_currencies_give_records_a_currency(org):
    features(org, multi_currency=True)
    admin = Api.of(org, ADMIN)
    lead = admin.create("Lead", LastName="Kaya", Company="Acme")
    assert admin.get(f"sobjects/Lead/{lead}")["CurrencyIsoCode"] == "USD"
    features(org, multi_currency=False)
    assert org.schema["Lead"].field("CurrencyIsoCode") is None


def test_person_accounts_show_on_accounts(org):
    features(org, person_accounts=True)
    assert org.schema["Account"].field("IsPersonAccount") is not None
    answer = Soap(org).http.post(
        "/services/Soap/u/66.0",
        data='<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
        '<soapenv:Header xmlns="urn:partner.soap.sforce.com"><SessionHeader><sessionId>'
        f"{org.sessions.open(org.user_named(ADMIN))}</sessionId></SessionHeader>"
        '</soapenv:Header><soapenv:Body xmlns="urn:partner.soap.sforce.com">'
        "<getUserInfo/></soapenv:Body></soapenv:Envelope>",
        content_type="text/xml",
    )
    assert b"<orgHasPersonAccounts>true</orgHasPersonAccounts>" in answer.data


def test_state_picklists_give_addresses_codes(org):
    features(org, state_country_picklists=True)
    assert org.schema["Lead"].field("StateCode") is not None
    assert org.schema["Contact"].field("MailingCountryCode") is not None


# ---- deleting


def destroyed(org, members, *, post=False, **options):
    types = "".join(
        "<types>"
        + "".join(f"<members>{name}</members>" for name in names)
        + f"<name>{type_}</name></types>"
        for type_, names in members.items()
    )
    path = "destructiveChangesPost.xml" if post else "destructiveChanges.xml"
    ns = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
    return deploy(
        org, package({path: f"<Package {ns}>{types}</Package>"}, {}), **options
    )


def test_everything_can_be_deleted_in_one_go_whatever_the_order(org):
    deployed(org, everything())
    members = {
        "CustomObject": ["Friend__c", "News__e"],
        "CustomField": ["Lead.Friend__c", "Lead.Code__c", "Contact.Code__c"],
        "ApexClass": ["Handler", "HandlerTest"],
        "ApexTrigger": ["OnNews"],
        "PlatformEventSubscriberConfig": ["News"],
        "ReportType": ["Friends_with_Leads"],
        "Report": ["Friends", "Friends/Leads_by_Friend"],
        "Dashboard": ["Friends", "Friends/Overview"],
        "FlexiPage": ["Friend"],
        "ExternalCredential": ["Peer"],
        "NamedCredential": ["Peer"],
        "CustomApplication": ["Friends"],
        "LeadConvertSettings": [],
    }
    ns = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
    convert = (
        f"<LeadConvertSettings {ns}><allowOwnerChange>true</allowOwnerChange>"
        "</LeadConvertSettings>"
    )
    path = "LeadConvertSettings/LeadConvertSettings.LeadConvertSetting"
    deployed(
        org, package({path: convert}, {"LeadConvertSettings": ["LeadConvertSettings"]})
    )
    off = everything_inactive(org)
    assert off.success
    made = destroyed(org, {**members, "MatchingRule": ["Friend__c.Same_Code"]})
    assert made.success, problems(made)
    assert org.schema.get("Friend__c") is None
    left = {each.full_name for each in org.metadata.components}
    assert not any("Friend__c" in name for name in left)


def everything_inactive(org):
    content = MATCHING.replace("<ruleStatus>Active", "<ruleStatus>Inactive")
    files = {"matchingRules/Friend__c.matchingRule": content}
    return deploy(org, package(files, {"MatchingRule": ["Friend__c.Same_Code"]}))


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"CustomField": ["Lead.Code__c"]},
            "This custom field is referenced elsewhere in salesforce.com. : LeadConvertSettings - LeadConvertSettings",
        ),
        (
            {"CustomObject": ["Friend__c"]},
            "This custom object is referenced elsewhere in salesforce.com. : ReportType - Friends_with_Leads",
        ),
        (
            {"ApexClass": ["Handler"]},
            "This apex class is referenced elsewhere in salesforce.com. : ApexClass - HandlerTest",
        ),
        (
            {"Report": ["Friends/Leads_by_Friend"]},
            "This report is referenced elsewhere in salesforce.com. : Dashboard - Friends/Overview",
        ),
        ({"Report": ["Friends"]}, "Cannot delete a folder that is not empty"),
        (
            {"ExternalCredential": ["Peer"]},
            "This external credential is referenced elsewhere in salesforce.com. : Named Credential - Peer",
        ),
        (
            {"MatchingRule": ["Friend__c.Same_Code"]},
            "Before you delete a matching rule, you must deactivate it.",
        ),
        (
            {"Layout": ["Friend__c-Friend Layout"]},
            "You cannot delete the only page layout of an object.",
        ),
        (
            {"StandardValueSet": ["LeadSource"]},
            "Cannot delete StandardValueSet: LeadSource",
        ),
    ],
)
def test_what_something_else_needs_is_not_deleted(org, members, words):
    deployed(org, everything())
    made = destroyed(org, members)
    assert list(problems(made).values()) == [words]


def test_a_record_type_is_never_deleted_through_the_api(org):
    content = (
        "<recordTypes><fullName>R</fullName><active>true</active><label>R</label>"
        "</recordTypes>"
    )
    files = {"objects/Account.object": an_object(content)}
    deployed(org, package(files, {"RecordType": ["Account.R"]}))
    made = destroyed(org, {"RecordType": ["Account.R"]})
    assert problems(made) == {"Account.R": "Cannot delete record type through API"}


def test_pages_and_permission_sets_lose_a_deleted_field(org):
    deployed(org, base())
    layout = "Lead-Lead Layout"
    files, _, _ = Soap(org).retrieve({"Layout": [layout]})
    path = f"layouts/{layout}.layout"
    item = "<layoutItems><behavior>Edit</behavior><field>Key__c</field></layoutItems>"
    patched = files[path].decode().replace("<layoutItems>", item + "<layoutItems>", 1)
    deployed(org, package({path: patched}, {"Layout": [layout]}))
    made = destroyed(org, {"CustomField": ["Lead.Key__c"]})
    assert made.success, problems(made)
    again, _, _ = Soap(org).retrieve({"Layout": [layout], "PermissionSet": ["Set"]})
    assert again[path] == files[path]
    assert b"Key__c" not in again["permissionsets/Set.permissionset"]


def test_a_deleted_field_holds_its_value_set_for_fifteen_days(org):
    deployed(org, base())
    gone = {"CustomField": ["Lead.Journey__c"], "GlobalValueSet": ["Journey"]}
    deployed_again = destroyed(org, {"WorkflowOutboundMessage": ["Lead.Tell"]})
    assert deployed_again.success
    refused = destroyed(org, gone)
    assert problems(refused) == {
        "Journey": "This global value set is referenced elsewhere in salesforce.com. : "
        "Deleted Custom Field - Lead.Journey__c"
    }
    assert destroyed(org, {"CustomField": ["Lead.Journey__c"]}).success
    org.clock.advance(timedelta(days=16))
    assert destroyed(org, {"GlobalValueSet": ["Journey"]}).success


def test_purging_lets_go_of_the_value_set_at_once(org):
    deployed(org, base())
    assert destroyed(org, {"WorkflowOutboundMessage": ["Lead.Tell"]}).success
    gone = {"CustomField": ["Lead.Journey__c"], "GlobalValueSet": ["Journey"]}
    assert destroyed(org, gone, purge_on_delete=True).success


def test_plain_deletions_come_before_what_is_deployed_and_late_ones_after(org):
    deployed(org, base())
    before = {"WorkflowOutboundMessage": ["Lead.Tell"]}
    assert destroyed(org, before, post=True).success
    number = (
        text_field("Key__c", 36)
        .replace("<length>36</length>", "<precision>9</precision><scale>0</scale>")
        .replace(">Text<", ">Checkbox<")
        .replace(
            "<precision>9</precision><scale>0</scale>",
            "<defaultValue>false</defaultValue>",
        )
    )
    ns = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
    gone = (
        f"<Package {ns}><types><members>Lead.Key__c</members><name>CustomField</name>"
        "</types></Package>"
    )
    files = {
        "destructiveChanges.xml": gone,
        "objects/Lead.object": an_object(number),
    }
    deployed(org, package(files, {"CustomField": ["Lead.Key__c"]}))
    assert org.schema["Lead"].field("Key__c").type == "boolean"
