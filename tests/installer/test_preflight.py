"""The preflight judges facts; it asks nobody and changes nothing."""

from dataclasses import asdict, replace

import pytest

from sidecar.package import fitting, preflight, read
from sidecar.package.org_answers import Facts
from sidecar.package.preflight import judge

WELL = Facts(
    org_name="Example GmbH",
    edition="Enterprise Edition",
    sandbox=False,
    trial_ends="",
    newest_api="66.0",
    username="admin@example.com",
    permissions=["ModifyAllData", "ModifyMetadata", "AssignPermissionSets"],
    multi_currency=False,
    person_accounts=False,
    state_picklists=False,
    calls_left=90_000,
    calls_a_day=100_000,
    integration_user="integration@example.com",
    integration_active=True,
    settings={
        "PathAssistant": {"pathAssistantEnabled": "true"},
        "Language": {"enableTranslationWorkbench": "true"},
        "Flow": {"enableFlowDeployAsActiveEnabled": "true"},
    },
)
OURS = {
    "objects/Lead.object": b"<fullName>Referral_Code__c</fullName>",
    "flows/A.flow": b"<Flow/>",
    "pathAssistants/P.pathAssistant": b"",
    "objectTranslations/Lead-de.objectTranslation": b"",
    "dashboards/F/D.dashboard": b"<dashboardType>LoggedInUser</dashboardType>",
}

PATH_OFF = WELL.settings | {"PathAssistant": {"pathAssistantEnabled": "false"}}
WORKBENCH_OFF = WELL.settings | {"Language": {"enableTranslationWorkbench": "false"}}


def found(ours=OURS, grants=("integration@example.com",), **facts):
    """Code -> level of what is found when these facts differ."""
    findings = judge(
        replace(WELL, **facts), ours=ours, api_version="62.0", grants=grants
    )
    return {each.code: each.level for each in findings}


def test_nothing_speaks_against_an_org_that_is_well():
    assert found() == {}


@pytest.mark.parametrize(
    ("facts", "code", "level"),
    [
        ({"edition": "Contact Manager Edition"}, "edition", "blocks"),
        ({"edition": "Professional Edition"}, "edition", "warns"),
        ({"newest_api": "61.0"}, "api_version", "blocks"),
        ({"trial_ends": "2030-01-01T00:00:00Z"}, "trial", "informs"),
        ({"calls_left": 10}, "api_calls", "blocks"),
        ({"calls_left": 1_000}, "api_calls", "warns"),
        ({"permissions": ["AssignPermissionSets"]}, "rights", "blocks"),
        (
            {"permissions": ["ModifyMetadata", "AssignPermissionSets"]},
            "rights",
            "warns",
        ),
        ({"permissions": ["ModifyAllData"]}, "rights_to_grant", "blocks"),
        ({"integration_user": ""}, "integration_user", "blocks"),
        ({"integration_active": False}, "integration_user", "blocks"),
        ({"missing_users": ["nobody@example.com"]}, "grant", "blocks"),
        ({"licences": {"Salesforce Integration": [5, 5]}}, "licences", "informs"),
        (
            {"settings": PATH_OFF},
            "path",
            "informs",
        ),
        (
            {"settings": WORKBENCH_OFF},
            "translations",
            "blocks",
        ),
        ({"settings": {}}, "flows_inactive", "informs"),
        ({"multi_currency": True}, "feature", "informs"),
        ({"person_accounts": True}, "feature", "informs"),
        ({"state_picklists": True}, "feature", "informs"),
        ({"dynamic_dashboards": list("abcde")}, "dynamic_dashboards", "warns"),
        ({"objects": ["Referral"]}, "standard_referral", "informs"),
        ({"custom_fields": ["Lead.Referred_By__c"]}, "similar_fields", "informs"),
        ({"packages": ["referralhub"]}, "similar_packages", "informs"),
        ({"required_fields": ["Lead.Region__c"]}, "required_fields", "informs"),
        ({"validation_rules": ["Lead.Region"]}, "validation_rules", "informs"),
        ({"unanswered": {"licences": "no"}}, "unanswered", "informs"),
    ],
)
def test_each_fact_that_matters_is_found_under_its_name(facts, code, level):
    assert found(**facts) == {code: level}


def test_what_an_org_does_not_tell_is_not_held_against_it():
    assert "blocks" not in found(settings={}).values()


def test_our_own_fields_and_dashboards_are_no_rivals_of_ours():
    assert found(custom_fields=["Lead.Referral_Code__c"]) == {}
    theirs = ["Referral_Performance", "a", "b", "c", "d"]
    assert found(dynamic_dashboards=theirs) == {}


def test_features_that_nothing_needs_are_not_asked_for():
    only_fields = {"objects/Lead.object": b""}

    assert found(ours=only_fields, settings=WORKBENCH_OFF) == {}
    assert found(ours=only_fields, dynamic_dashboards=list("abcde")) == {}


def test_apex_and_scheduled_paths_are_told():
    ours = {"classes/A.cls": b"", "flows/B.flow": b"<scheduledPaths><name/>"}

    assert found(ours=ours) == {"apex": "informs", "default_workflow_user": "warns"}


def test_a_sandbox_runs_no_tests_and_keeps_flows_active():
    ours = {"classes/A.cls": b"", "flows/B.flow": b""}

    assert found(ours=ours, sandbox=True, settings={}) == {}


def test_what_blocks_comes_first():
    findings = judge(
        replace(
            WELL, calls_left=10, multi_currency=True, edition="Professional Edition"
        ),
        ours=OURS,
        api_version="62.0",
    )

    assert [each.level for each in findings] == ["blocks", "warns", "informs"]
    assert all(each.remedy for each in findings if each.level != "informs")


def test_facts_survive_the_row_that_keeps_them():
    assert Facts(**asdict(WELL)) == WELL


def test_messages_are_sorted_by_what_they_ask():
    rows = [
        {"level": "blocks", "message": "a"},
        {"level": "warns", "message": "b"},
        {"level": "informs", "message": "c"},
    ]

    assert (preflight.blocked(rows), preflight.warned(rows)) == (["a"], ["b"])


def test_the_package_is_cut_to_what_the_org_can_take():
    tree = {
        "core/pathAssistants/P.pathAssistant-meta.xml": b"",
        "a/dashboards/F/D.dashboard-meta.xml": (
            b"<dashboardType>LoggedInUser</dashboardType>"
        ),
    }
    full = replace(WELL, dynamic_dashboards=list("abcde"), settings=PATH_OFF)

    assert fitting.cut(tree, preflight.fit(WELL)) == tree
    (dashboard,) = fitting.cut(tree, preflight.fit(full)).values()
    assert b"SpecifiedUser" in dashboard
    assert b"<runningUser>admin@example.com</runningUser>" in dashboard


def test_our_dashboards_are_known_by_name():
    bundled = read.load(read.bundled())
    names = {
        path.rpartition("/")[2].removesuffix(".dashboard-meta.xml")
        for path in bundled
        if path.endswith(".dashboard-meta.xml")
    }

    assert names == preflight.OUR_DASHBOARDS
