"""The Metadata API answers over SOAP and REST what its WSDL and its guide say."""

import base64
import io
import json
import time

import pytest
from lxml import etree
from meta_package import BASE, BASE_MEMBERS, base, flow_file, package, workflow_file

from sidecar.devorg.app import create_app
from sidecar.devorg.clock import OrgClock
from sidecar.devorg.founding import ADMIN, REPS
from sidecar.devorg.org import Org

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
META = "http://soap.sforce.com/2006/04/metadata"
REST = "/services/data/v66.0/metadata/deployRequest"


@pytest.fixture
def org():
    made = Org.fresh(seed=9, clock=OrgClock())
    yield made
    made.stop()


@pytest.fixture
def http(org):
    return create_app(org).test_client()


@pytest.fixture
def token(org):
    return org.sessions.open(org.user_named(ADMIN))


def soap(http, token, content, *, path="/services/Soap/m/66.0", namespace=META):
    """Call as the official CLI does; status and the first element of the Body."""
    body = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
        f'<soapenv:Header xmlns="{namespace}"><SessionHeader><sessionId>{token}</sessionId>'
        f'</SessionHeader></soapenv:Header><soapenv:Body xmlns="{namespace}">{content}'
        "</soapenv:Body></soapenv:Envelope>"
    )
    answer = http.post(
        path, data=body, content_type="text/xml", headers={"SOAPAction": '""'}
    )
    assert answer.content_type == "text/xml; charset=utf-8"
    root = etree.fromstring(answer.data)
    return answer.status_code, root.find(f"{SOAP}Body")[0]


def names(element):
    return [etree.QName(each).localname for each in element]


def find(element, path):
    return element.findtext("/".join(f"{{*}}{part}" for part in path.split("/")))


def deploy_body(
    data,
    options="<checkOnly>true</checkOnly><rollbackOnError>true</rollbackOnError><singlePackage>true</singlePackage>",
):
    return (
        f"<deploy><ZipFile>{base64.b64encode(data).decode()}</ZipFile>"
        f"<DeployOptions>{options}</DeployOptions></deploy>"
    )


def status_of(http, token, deployment_id):
    """Poll until the deployment is done; its result element."""
    for _ in range(1000):
        _, answer = soap(
            http,
            token,
            f"<checkDeployStatus><asyncProcessId>{deployment_id}</asyncProcessId>"
            "<includeDetails>true</includeDetails></checkDeployStatus>",
        )
        if find(answer, "result/done") == "true":
            return answer[0]
        time.sleep(0.005)
    raise AssertionError


# ---- SOAP

# The order of DeployResult and DeployMessage in the Metadata WSDL.
_RESULT = """
canceledBy canceledByName checkOnly completedDate createdBy createdByName createdDate
details done errorMessage errorStatusCode id ignoreWarnings lastModifiedDate
numberComponentErrors numberComponentsDeployed numberComponentsTotal numberFiles
numberTestErrors numberTestsCompleted numberTestsTotal rollbackOnError runTestsEnabled
startDate stateDetail status success zipSize
"""
_MESSAGE = """
changed columnNumber componentType created createdDate deleted fileName fullName id
lineNumber problem problemType success
"""
RESULT, MESSAGE = _RESULT.split(), _MESSAGE.split()


def in_order(found, order):
    return found == [name for name in order if name in found]


def test_a_deployment_over_soap_is_polled_to_its_end(http, token):
    status, answer = soap(http, token, deploy_body(base(flow=flow_file())))
    assert status == 200
    assert names(answer[0]) == ["done", "id", "state"]
    assert find(answer, "result/state") == "Queued"
    result = status_of(http, token, find(answer, "result/id"))
    assert in_order(names(result), RESULT)
    assert find(result, "status") == "Succeeded"
    assert find(result, "numberComponentsTotal") == "6"
    assert find(result, "createdDate").endswith(".000Z")
    rows = result.findall("{*}details/{*}componentSuccesses")
    assert all(in_order(names(row), MESSAGE) for row in rows)
    found = {
        (find(row, "componentType"), find(row, "fullName"), find(row, "fileName"))
        for row in rows
    }
    assert ("CustomField", "Lead.Key__c", "objects/Lead.object") in found
    assert ("", "package.xml", "package.xml") in found


def test_failures_say_which_file_and_line(http, token):
    broken = workflow_file().replace("<name>Tell</name>", "\n<nom>Tell</nom>")
    files = BASE | {"workflows/Lead.workflow": broken}
    _, answer = soap(http, token, deploy_body(package(files, BASE_MEMBERS)))
    result = status_of(http, token, find(answer, "result/id"))
    assert find(result, "status") == "Failed"
    assert find(result, "numberComponentErrors") == "1"
    (row,) = result.findall("{*}details/{*}componentFailures")
    assert in_order(names(row), MESSAGE)
    assert find(row, "fileName") == "workflows/Lead.workflow"
    assert find(row, "lineNumber") == "2"
    assert find(row, "problemType") == "Error"
    assert find(row, "success") == "false"


def test_any_prefix_and_python_s_booleans_are_understood(http, token):
    data = base64.b64encode(base()).decode()
    body = (
        f'<se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/" xmlns:met="{META}">'
        f"<se:Header><met:SessionHeader><met:sessionId>{token}</met:sessionId></met:SessionHeader>"
        f"</se:Header><se:Body><met:deploy><met:ZipFile>{data}</met:ZipFile><met:DeployOptions>"
        "<met:checkOnly>True</met:checkOnly>None<met:singlePackage>True</met:singlePackage>"
        "</met:DeployOptions></met:deploy></se:Body></se:Envelope>"
    )
    answer = http.post(
        "/services/Soap/m/64.0/deployRequest", data=body, content_type="text/xml"
    )
    assert answer.status_code == 200
    result = status_of(
        http, token, find(etree.fromstring(answer.data)[0][0], "result/id")
    )
    assert (find(result, "checkOnly"), find(result, "success")) == ("true", "true")


def test_an_unknown_session_is_a_fault_of_salesforce(http):
    status, fault = soap(http, "00D000000000000!bogus", "<describeMetadata/>")
    assert status == 500
    assert fault.findtext("faultcode") == "sf:INVALID_SESSION_ID"
    assert fault.findtext("faultstring") == (
        "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader: Illegal Session"
    )


@pytest.mark.parametrize(
    ("content", "path", "code"),
    [
        ("<fly/>", "/services/Soap/m/66.0", "soapenv:Client"),
        ("<describeMetadata/>", "/services/Soap/m/99.0", "sf:UNSUPPORTED_API_VERSION"),
        ("<login/>", "/services/Soap/u/66.0", "sf:INVALID_OPERATION"),
        (
            "<checkDeployStatus><asyncProcessId>0Af000000000000AAA</asyncProcessId></checkDeployStatus>",
            "/services/Soap/m/66.0",
            "sf:INVALID_CROSS_REFERENCE_KEY",
        ),
    ],
)
def test_what_cannot_be_done_is_a_fault(http, token, content, path, code):
    status, fault = soap(http, token, content, path=path)
    assert (status, fault.findtext("faultcode")) == (500, code)


def test_a_user_without_the_right_may_not_use_the_metadata_api(org, http):
    rep = org.sessions.open(org.user_named(REPS[0]))
    status, fault = soap(http, rep, "<describeMetadata/>")
    assert status == 500
    assert fault.findtext("faultstring") == (
        "INSUFFICIENT_ACCESS: use of the Metadata API requires a user with the "
        "ModifyAllData or ModifyMetadata permissions"
    )


def test_what_was_deployed_is_described_listed_and_read_back(http, token):
    _, answer = soap(
        http, token, deploy_body(base(), "<singlePackage>true</singlePackage>")
    )
    status_of(http, token, find(answer, "result/id"))
    _, described = soap(
        http,
        token,
        "<describeMetadata><asOfVersion>66.0</asOfVersion></describeMetadata>",
    )
    kinds = [
        find(each, "xmlName")
        for each in described.findall("{*}result/{*}metadataObjects")
    ]
    assert {"CustomObject", "Flow", "PermissionSet", "Workflow"} <= set(kinds)
    _, listed = soap(
        http,
        token,
        "<listMetadata><queries><type>CustomField</type></queries></listMetadata>",
    )
    assert [find(each, "fullName") for each in listed] == [
        "Lead.Journey__c",
        "Lead.Key__c",
    ]
    _, read = soap(
        http,
        token,
        "<readMetadata><type>CustomObject</type><fullNames>Lead</fullNames></readMetadata>",
    )
    (record,) = read.findall("{*}result/{*}records")
    assert names(record) == [
        "fullName",
        "compactLayoutAssignment",
        "enableFeeds",
        "enableHistory",
        "fields",
        "fields",
        "sharingModel",
    ]
    assert find(record, "fields/fullName") == "Journey__c"


def test_a_deployment_that_waits_is_cancelled_over_soap(org, http, token):
    org.metadata.deployments.hold(held=True)
    _, answer = soap(http, token, deploy_body(base()))
    made = find(answer, "result/id")
    _, answer = soap(
        http, token, f"<cancelDeploy><String>{made}</String></cancelDeploy>"
    )
    assert (find(answer, "result/done"), find(answer, "result/id")) == ("true", made)
    assert find(status_of(http, token, made), "status") == "Canceled"
    org.metadata.deployments.hold(held=False)


PARTNER = {"path": "/services/Soap/u/66.0", "namespace": "urn:partner.soap.sforce.com"}


def test_the_partner_api_tells_who_and_what(org, http, token):
    _, answer = soap(http, token, "<getUserInfo/>", **PARTNER)
    assert find(answer, "result/userName") == ADMIN
    assert find(answer, "result/organizationId") == org.id
    _, answer = soap(
        http,
        token,
        "<describeSObject><sObjectType>Lead</sObjectType></describeSObject>",
        **PARTNER,
    )
    fields = [find(each, "name") for each in answer.findall("{*}result/{*}fields")]
    assert {"Id", "LastName", "Company"} <= set(fields)
    _, answer = soap(
        http,
        token,
        "<query><queryString>SELECT Id, Username FROM User</queryString></query>",
        **PARTNER,
    )
    record = answer.find("{*}result/{*}records")
    assert names(record) == ["type", "Id", "Username"]
    assert record.tag == "{urn:partner.soap.sforce.com}records"


# ---- REST


def multipart(data, options):
    return {
        "entity_content": (
            io.BytesIO(json.dumps({"deployOptions": options}).encode()),
            None,
            "application/json",
        ),
        "file": (io.BytesIO(data), "package.zip", "application/zip"),
    }


def post(http, token, data, **options):
    return http.post(
        REST,
        data=multipart(data, options),
        content_type="multipart/form-data",
        headers={"Authorization": f"Bearer {token}"},
    )


def rest_result(http, token, deployment_id):
    for _ in range(1000):
        answer = http.get(
            f"{REST}/{deployment_id}?includeDetails=true",
            headers={"Authorization": f"Bearer {token}"},
        )
        if answer.json["deployResult"]["done"]:
            return answer.json["deployResult"]
        time.sleep(0.005)
    raise AssertionError


def test_a_deployment_over_rest_is_polled_to_its_end(http, token):
    answer = post(
        http, token, base(), checkOnly=True, singlePackage=True, rollbackOnError=True
    )
    assert answer.status_code == 201
    assert answer.json["deployOptions"]["checkOnly"] is True
    assert "api-usage=" in answer.headers["Sforce-Limit-Info"]
    result = rest_result(http, token, answer.json["id"])
    assert list(result) == RESULT
    assert result["status"] == "Succeeded"
    assert result["createdDate"].endswith(".000+0000")
    rows = result["details"]["componentSuccesses"]
    assert {row["componentType"] for row in rows} >= {"CustomField", "PermissionSet"}
    again = http.post(
        REST,
        json={"validatedDeployRequestId": answer.json["id"]},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert again.status_code == 201
    assert rest_result(http, token, again.json["id"])["checkOnly"] is False


def test_without_details_no_component_is_listed(http, token):
    answer = post(http, token, base(), singlePackage=True)
    rest_result(http, token, answer.json["id"])
    short = http.get(
        f"{REST}/{answer.json['id']}", headers={"Authorization": f"Bearer {token}"}
    )
    assert short.json["deployResult"]["details"] == {}


def test_a_deployment_that_waits_is_cancelled_over_rest(org, http, token):
    org.metadata.deployments.hold(held=True)
    made = post(http, token, base(), singlePackage=True).json["id"]
    answer = http.patch(
        f"{REST}/{made}",
        json={"deployResult": {"status": "Canceling"}},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 202
    assert rest_result(http, token, made)["status"] == "Canceled"
    org.metadata.deployments.hold(held=False)


def test_a_request_that_is_wrong_is_refused_as_rest_refuses(http, token):
    headers = {"Authorization": f"Bearer {token}"}
    unknown = post(http, token, base(), fast=True)
    assert (unknown.status_code, unknown.json[0]["errorCode"]) == (
        400,
        "JSON_PARSER_ERROR",
    )
    other = http.post(REST, data="x", content_type="text/plain", headers=headers)
    assert (other.status_code, other.json[0]["errorCode"]) == (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    )
    missing = http.get(f"{REST}/0Af000000000000AAA", headers=headers)
    assert missing.status_code == 404
    nobody = http.get(
        f"{REST}/0Af000000000000AAA", headers={"Authorization": "Bearer x"}
    )
    assert nobody.json == [
        {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    ]


# ---- the back door


def test_the_back_door_shows_the_queue_and_sets_the_switches(org, http):
    assert (
        http.post("/devorg/outbound", json={"paused": True, "drop": 0.5}).json["drop"]
        == 0.5
    )
    assert http.post("/devorg/outbound", json={"explode": 1}).status_code == 400
    shown = http.get("/devorg/outbound").json
    assert shown["switches"]["paused"] is True
    assert (shown["queued"], shown["waiting"]) == (0, [])
    assert http.post("/devorg/outbound/retry").status_code == 200
    http.delete("/devorg/outbound")
    assert http.get("/devorg/outbound").json["switches"]["paused"] is False
