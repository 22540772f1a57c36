"""An install changes what its plan listed, proves itself, and has nothing left to do."""

import pytest

from sidecar.jobs.deploy import deploying
from sidecar.package import canonical, report


def test_core_is_planned_installed_granted_activated_and_proven(customer):
    rep = customer.org.reps[0]

    row = customer.install(grants=[(rep, "Referral_User")])

    assert row.plan["counts"]["add"] > 0
    assert row.evidence["read_back"]["lacking"] == []
    assert [step["ok"] for step in row.evidence["self_test"]["steps"]] == [True] * 7
    assert all(row.evidence["flows"].values())
    assert row.report["report"]["good"]
    assert report.html(row.report)
    given = customer.rows(
        "SELECT Assignee.Username FROM PermissionSetAssignment "
        "WHERE PermissionSet.Name = 'Referral_User'"
    )
    assert [each["Assignee"]["Username"] for each in given] == [rep]


def test_the_self_test_leaves_nothing_behind(customer):
    row = customer.install()

    assert row.evidence["self_test"]["passed"]
    for name in ("Lead", "Contact", "Account", "Opportunity", "Task"):
        assert customer.rows(f"SELECT Id FROM {name}") == []


def test_after_an_install_the_plan_is_empty(customer):
    customer.install(self_test=False)

    row = customer.install(self_test=False)

    assert "deployed" not in row.evidence
    assert row.plan["counts"]["add"] == row.plan["counts"]["patch"] == 0
    assert row.plan["counts"]["leave"] > 0


def test_a_plan_changes_nothing(customer):
    row = customer.run(customer.ask("plan", modules=["programme"]))

    assert row.state == "done"
    assert row.plan["counts"]["add"] > 50
    assert customer.rows("SELECT Id FROM DeployRequest", tooling=True) == []


def test_no_secret_of_ours_is_in_what_a_plan_shows(customer):
    row = customer.run(customer.ask("plan"))

    wiring = customer.wiring
    address = wiring.placeholders(customer.connection_id)["REFERRAL_ENDPOINT_URL"]
    assert address.rpartition("/")[2] not in str(row)


def test_an_install_is_verified_and_drift_is_told(customer):
    customer.install(self_test=False)

    row = customer.run(customer.ask("verify"))

    assert (row.state, row.evidence["drift"]) == ("done", [])
    assert row.evidence["self_test"]["passed"]


def test_a_customer_s_required_field_is_named_and_filled(customer):
    layout = "layouts/Lead-Lead Layout.layout"
    shown = customer.retrieve(Layout=["Lead-Lead Layout"])[layout].replace(
        b"<layoutItems>",
        b"<layoutItems><behavior>Required</behavior><field>Region__c</field>"
        b"</layoutItems><layoutItems>",
        1,
    )
    customer.deploy(
        {
            layout: shown,
            "objects/Lead.object": (
                b'<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata"><fields>'
                b"<fullName>Region__c</fullName><label>Region</label><length>40</length>"
                b"<required>true</required><type>Text</type></fields></CustomObject>"
            ),
            "package.xml": (
                b'<Package xmlns="http://soap.sforce.com/2006/04/metadata"><types>'
                b"<members>Lead.Region__c</members><name>CustomField</name></types>"
                b"<types><members>Lead-Lead Layout</members><name>Layout</name></types>"
                b"<version>62.0</version></Package>"
            ),
        }
    )

    row = customer.install()

    assert any("Lead.Region__c" in each["message"] for each in row.findings)


def test_a_module_is_added_to_what_is_installed(customer):
    customer.install(self_test=False)

    row = customer.install(modules=["programme"], self_test=False)

    assert row.modules == ["core", "programme"]
    assert row.plan["counts"]["leave"] > 0


def test_all_modules_install_together_and_a_report_returns_the_referral(customer):
    customer.back_door("POST", "/features", body={"certificates": ["Referral_Signing"]})
    row = customer.install(
        modules=["programme", "analytics", "signed_events", "guidance", "translations"]
    )

    steps = {step["step"]: step["ok"] for step in row.evidence["self_test"]["steps"]}
    assert steps["a report returns it"]


def test_what_was_there_before_is_kept_byte_by_byte(customer):
    before = customer.retrieve(Layout=["Lead-Lead Layout"])

    row = customer.install(self_test=False)

    kept = customer.files(row.id, "before")
    for path, content in before.items():
        assert canonical.canonical(kept[path], path) == canonical.canonical(
            content, path
        )


@pytest.mark.parametrize(
    ("switches", "features"),
    [
        (
            {
                "edition": "Enterprise Edition",
                "multi_currency": True,
                "person_accounts": True,
                "state_country_picklists": True,
            },
            3,
        ),
        ({"edition": "Unlimited Edition", "sandbox": True}, 0),
    ],
)
def test_an_install_is_proven_in_each_kind_of_org(customer, switches, features):
    customer.back_door("POST", "/features", body=switches)

    row = customer.install()

    assert sum(each["code"] == "feature" for each in row.findings) == features
    assert row.evidence["self_test"]["passed"]


def test_a_customer_s_failing_tests_do_not_stop_apex_of_ours_in_production(customer):
    customer.back_door(
        "POST",
        "/features",
        body={
            "edition": "Enterprise Edition",
            "certificates": ["Referral_Signing"],
            "tests": {"count": 3, "failing": ["OrderTest.testClosing"]},
        },
    )

    row = customer.install(modules=["signed_events"], self_test=False)

    assert row.evidence["deployed"]["tests"] > 0
    assert any(each["code"] == "apex" for each in row.findings)


@pytest.mark.parametrize(
    ("production", "paths", "level"),
    [
        (True, ["objects/Lead.object"], None),
        (False, ["classes/A.cls", "classes/ATest.cls"], None),
        (True, ["classes/A.cls", "classes/ATest.cls"], "RunSpecifiedTests"),
    ],
)
def test_tests_run_where_apex_meets_production(production, paths, level):
    content = {
        path: b"@IsTest class X {}" * path.endswith("Test.cls") for path in paths
    }

    options = deploying.options_for(content, check_only=True, production=production)

    assert options.test_level == level
    assert options.run_tests == (("ATest",) if level else ())
