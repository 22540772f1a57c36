"""What has been deployed, as rows; and which version of a flow runs."""

import pytest
from meta_package import base, deployed, flow_file, manifest, zipped
from run_flow import create_records, flow, flows_zip, ref, start, string
from run_served import Client

from sidecar.devorg.founding import ADMIN, INTEGRATION
from sidecar.devorg.org import Org


@pytest.fixture(scope="module")
def client(served):
    return Client(served)


def tasker(subject, **options):
    task = create_records(
        "Task", "Task", {"Subject": string(subject), "WhoId": ref("$Record.Id")}
    )
    return flow(task, start("Task", on="Create"), **options)


def removal(*members):
    return zipped(
        {
            "package.xml": manifest({}),
            "destructiveChanges.xml": manifest({"Flow": members}),
        }
    )


def definition(client, name):
    (found,) = client.query(
        "SELECT Id, ActiveVersionId, ActiveVersion.VersionNumber, LatestVersionId, "
        f"LatestVersion.VersionNumber FROM FlowDefinition WHERE DeveloperName = '{name}'",
        tooling=True,
    )
    return found


def activate(client, name, number):
    path = f"tooling/sobjects/FlowDefinition/{definition(client, name)['Id']}"
    answer = client.call("PATCH", path, {"Metadata": {"activeVersionNumber": number}})
    assert answer.status_code == 204, answer.text


def subjects(client):
    """What the flow says when a lead is created."""
    made = client.create("Lead", LastName="L", Company="C")
    found = client.query(f"SELECT Subject FROM Task WHERE WhoId = '{made}'")
    return [each["Subject"] for each in found]


def test_each_change_of_a_flow_is_a_version_and_the_active_one_runs(client):
    client.deployed(flows_zip({"Versions": tasker("One")}))
    client.deployed(flows_zip({"Versions": tasker("Two")}))
    client.deployed(flows_zip({"Versions": tasker("Two")}))
    found = definition(client, "Versions")
    assert found["ActiveVersion"]["VersionNumber"] == 2
    assert found["LatestVersionId"] == found["ActiveVersionId"]
    assert subjects(client) == ["Two"]

    activate(client, "Versions", 1)
    assert subjects(client) == ["One"]
    versions = client.query(
        "SELECT VersionNumber, Status, Definition.DeveloperName FROM Flow WHERE "
        "Definition.DeveloperName = 'Versions' ORDER BY VersionNumber",
        tooling=True,
    )
    assert [(each["VersionNumber"], each["Status"]) for each in versions] == [
        (1, "Active"),
        (2, "Obsolete"),
    ]

    activate(client, "Versions", 0)
    assert subjects(client) == []
    assert definition(client, "Versions")["ActiveVersion"] is None


def test_a_version_is_deleted_when_it_is_not_active(client):
    client.deployed(flows_zip({"Gone": tasker("One")}))
    client.deployed(flows_zip({"Gone": tasker("Two")}))
    for name in ("Gone", "Gone-2"):
        failure = client.deploy(removal(name))["details"]["componentFailures"][0]
        assert failure["problem"] == "insufficient access rights on cross-reference id"
    client.deployed(removal("Gone-1"))
    assert definition(client, "Gone")["LatestVersion"]["VersionNumber"] == 2

    activate(client, "Gone", 0)
    version = definition(client, "Gone")["LatestVersionId"]
    answer = client.call("DELETE", f"tooling/sobjects/Flow/{version}")
    assert answer.status_code == 204
    assert (
        client.query(
            "SELECT Id FROM FlowDefinition WHERE DeveloperName = 'Gone'", tooling=True
        )
        == []
    )


def test_a_version_that_does_not_exist_cannot_be_activated(client):
    client.deployed(flows_zip({"Odd": tasker("One")}))
    path = f"tooling/sobjects/FlowDefinition/{definition(client, 'Odd')['Id']}"
    body = {"Metadata": {"activeVersionNumber": 7}}
    assert client.refused("PATCH", path, body)[:2] == (400, "FIELD_INTEGRITY_EXCEPTION")
    activate(client, "Odd", 0)


def test_metadata_comes_with_one_row_at_a_time(client):
    client.deployed(flows_zip({"Told": tasker("Told", label="Told of")}))
    activate(client, "Told", 0)
    (found,) = client.query(
        "SELECT FullName, Metadata FROM Flow WHERE MasterLabel = 'Told of'",
        tooling=True,
    )
    assert found["FullName"] == "Told-1"
    (task,) = found["Metadata"]["recordCreates"]
    assert (task["object"], task["locationX"]) == ("Task", 0)
    client.deployed(
        flows_zip({"Told": tasker("Again", label="Told of", status="Draft")})
    )
    code = client.refused(
        "GET", "tooling/query", params={"q": "SELECT Id, Metadata FROM Flow"}
    )[1]
    assert code == "MALFORMED_QUERY"


def test_fields_and_rules_are_rows(org_rows):
    assert org_rows(
        "SELECT DeveloperName, TableEnumOrId, Length FROM CustomField "
        "WHERE TableEnumOrId = 'Lead' ORDER BY DeveloperName"
    ) == [("Journey", "Lead", None), ("Key", "Lead", 36)]
    assert org_rows(
        "SELECT QualifiedApiName FROM EntityDefinition WHERE QualifiedApiName = 'Lead'"
    ) == [("Lead",)]
    assert org_rows(
        "SELECT ValidationName, EntityDefinition.QualifiedApiName FROM ValidationRule "
        "WHERE Active = true AND EntityDefinition.QualifiedApiName IN ('Lead')"
    ) == [("Rule", "Lead")]
    ((done, only),) = org_rows(
        "SELECT Status, CheckOnly FROM DeployRequest ORDER BY CreatedDate DESC LIMIT 1"
    )
    assert (done, only) == ("Succeeded", False)


@pytest.fixture
def org_rows():
    from core_api import Api
    from test_run_formulas import rule

    org = Org.fresh(seed=19)
    deployed(org, base(flow=flow_file()))
    deployed(org, rule("ISBLANK(LastName)"))
    api = Api.of(org, ADMIN)

    def rows(soql):
        answer = api.http.get(
            "/services/data/v66.0/tooling/query",
            query_string={"q": soql},
            headers={"Authorization": f"Bearer {api.token}"},
        ).get_json()
        return [
            tuple(_plain(value) for name, value in each.items() if name != "attributes")
            for each in answer["records"]
        ]

    yield rows
    org.stop()


def _plain(value):
    if isinstance(value, dict):
        return next(each for name, each in value.items() if name != "attributes")
    return value


def test_who_may_not_look_into_setup_finds_no_tooling_objects(served):
    integration = Client(served, INTEGRATION)
    found = integration.refused(
        "GET", "tooling/query", params={"q": "SELECT Id FROM FlowDefinition"}
    )
    assert found[1] == "INVALID_TYPE"


def test_packages_are_installed_by_the_back_door_alone(client):
    soql = "SELECT SubscriberPackage.NamespacePrefix FROM InstalledSubscriberPackage"
    assert client.query(soql, tooling=True) == []
    package = client.backdoor(
        "POST",
        "rows",
        {
            "object": "SubscriberPackage",
            "values": {"Name": "Referrals Inc", "NamespacePrefix": "refinc"},
        },
    ).json()["id"]
    client.backdoor(
        "POST",
        "rows",
        {
            "object": "InstalledSubscriberPackage",
            "values": {"SubscriberPackageId": package},
        },
    )
    (found,) = client.query(soql, tooling=True)
    assert found["SubscriberPackage"]["NamespacePrefix"] == "refinc"


def test_the_back_door_knows_setup_objects_and_their_fields_alone(client):
    for wrong in (
        {"object": "Lead", "values": {"LastName": "L"}},
        {"object": "UserLicense", "values": {"Nope": 1}},
    ):
        assert client.backdoor("POST", "rows", wrong).status_code == 400


def test_the_back_door_changes_what_the_company_is(client):
    (company,) = client.query("SELECT Id, IsSandbox FROM Organization")
    row = {"object": "Organization", "id": company["Id"]}
    client.backdoor("POST", "rows", {**row, "values": {"IsSandbox": True}})
    assert client.query("SELECT IsSandbox FROM Organization")[0]["IsSandbox"] is True
    client.backdoor("POST", "rows", {**row, "values": {"IsSandbox": False}})
