"""The bundled package meets an org that refuses what Salesforce refuses."""

import io
import queue
import threading
import time
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from lxml import etree
from trees import field

from sidecar.devorg.process import running
from sidecar.errors import Permanent, Retryable
from sidecar.package import archive, read
from sidecar.salesforce import metadata
from sidecar.salesforce.metadata import Options

VERSION = "62.0"
CORE = read.select(read.load(read.bundled()), ["core"])
MAIN = "core/main/default"
ACK = (
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    b'<soapenv:Body><notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound">'
    b"<Ack>true</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>"
)


class Org:
    """A running dev org, as its administrator sees it."""

    def __init__(self, info):
        self.info = info
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {info.admin_token}"
        self.where = {"base_url": info.base_url, "api_version": VERSION}

    def zip(self, tree=CORE, endpoint="https://example.com/hooks/sample"):
        values = {
            "REFERRAL_ENDPOINT_URL": endpoint,
            "REFERRAL_INTEGRATION_USERNAME": self.info.integration_user,
        }
        sends = any("/workflows/" in path for path in tree)
        return archive.build(tree, values=values if sends else {})

    def deploy(self, packed, options=Options()):  # noqa: B008 (a frozen value)
        started = metadata.start(
            self.session, archive=packed, options=options, **self.where
        )
        for _ in range(1000):
            seen = metadata.status(self.session, deployment_id=started, **self.where)
            if seen.done:
                return seen
            time.sleep(0.02)
        raise AssertionError(f"still {seen.state}")

    def call(self, method, path, **body):
        answer = self.session.request(
            method,
            f"{self.info.base_url}/services/data/v{VERSION}/{path}",
            json=body or None,
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def query(self, soql):
        answer = self.session.get(
            f"{self.info.base_url}/services/data/v{VERSION}/query", params={"q": soql}
        )
        assert answer.ok, answer.text
        return answer.json()["records"]

    def fields(self, sobject):
        described = self.call("GET", f"sobjects/{sobject}/describe")["fields"]
        return {each["name"]: each for each in described}

    def grant(self):
        """Let the administrator and the integration user see what was deployed."""
        for username, name in (
            (self.info.admin, "Referral_User"),
            (self.info.admin, "Referral_Integration"),
            (self.info.integration_user, "Referral_Integration"),
        ):
            (found,) = self.query(f"SELECT Id FROM PermissionSet WHERE Name = '{name}'")
            self.assign(found["Id"], username)

    def assign(self, permission_set_id, username):
        self.call(
            "POST",
            "sobjects/PermissionSetAssignment",
            PermissionSetId=permission_set_id,
            AssigneeId=self.info.user_ids[username],
        )

    def open_keys(self):
        """Let the administrator set keys, as somebody who imports referrals."""
        importing = {"Name": "Importing", "Label": "Importing"}
        set_id = self.call("POST", "sobjects/PermissionSet", **importing)["id"]
        self.call(
            "POST",
            "sobjects/FieldPermissions",
            ParentId=set_id,
            SobjectType="Lead",
            Field="Lead.Referral_Key__c",
            PermissionsRead=True,
            PermissionsEdit=True,
        )
        self.assign(set_id, self.info.admin)

    def create_lead(self, **values):
        values = {"LastName": "Sample", "Company": "Example GmbH", **values}
        return self.call("POST", "sobjects/Lead", **values)["id"]

    def lead(self, lead_id):
        return self.call("GET", f"sobjects/Lead/{lead_id}")

    def untouched(self):
        return not self.query(
            "SELECT Id FROM PermissionSet WHERE Name LIKE 'Referral%'"
        )


@pytest.fixture
def org(tmp_path):
    with running(tmp_path, plain=True) as info:
        yield Org(info)


@pytest.fixture(scope="module")
def empty_org(tmp_path_factory):
    """One org for all the tests that leave it as it was."""
    with running(tmp_path_factory.mktemp("org"), plain=True) as info:
        yield Org(info)


@contextmanager
def endpoint():
    """Acknowledge outbound messages; give their address and what they carried."""
    received = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            for sobject in etree.fromstring(body).iter("{*}sObject"):
                received.put({etree.QName(e).localname: e.text for e in sobject})
            self.send_response(200)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(ACK)))
            self.end_headers()
            self.wfile.write(ACK)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hooks/sample", received
        server.shutdown()


def packed(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as target:
        for path, data in files.items():
            target.writestr(path, data)
    return content.getvalue()


def problems(deployment):
    return [(each.file, each.problem) for each in deployment.failures]


def without(*endings):
    return {path: data for path, data in CORE.items() if not path.endswith(endings)}


def test_core_deploys_and_shows_itself_once_it_is_granted(org):
    seen = org.deploy(org.zip())

    assert (seen.state, seen.success, problems(seen)) == ("Succeeded", True, [])
    assert seen.components_deployed == seen.components_total > 0
    assert "Referral_Status__c" not in org.fields("Lead")  # nobody was granted it yet
    org.grant()
    status = org.fields("Lead")["Referral_Status__c"]
    assert status["restrictedPicklist"]
    assert [each["value"] for each in status["picklistValues"]] == [
        "Submitted",
        "Contacted",
        "Qualified",
        "Opportunity",
        "Won",
        "Lost",
    ]
    for sobject in ("Task", "Event"):
        key = org.fields(sobject)["Referral_Followup_Key__c"]
        assert (key["externalId"], key["unique"], key["length"]) == (True, True, 36)


def test_deploying_the_same_again_succeeds(org):
    assert org.deploy(org.zip()).success
    assert org.deploy(org.zip()).success


def test_a_task_put_twice_under_its_key_is_one_task(org):
    org.deploy(org.zip())
    org.grant()
    lead = org.create_lead()
    path = "sobjects/Task/Referral_Followup_Key__c/0b9f6e4c-8d0e-4e8e-9d5f-6c2f4b8f7a10"

    first = org.call("PATCH", path, Subject="Call", WhoId=lead)
    again = org.call("PATCH", path, Subject="Call again", WhoId=lead)

    assert (first["created"], again["created"]) == (True, False)
    assert [t["Subject"] for t in org.query("SELECT Subject FROM Task")] == [
        "Call again"
    ]


def test_a_lead_becomes_a_referral_with_a_key_and_one_message(org):
    with endpoint() as (url, received):
        org.deploy(org.zip(endpoint=url))
        org.grant()
        plain = org.create_lead()
        referred = org.create_lead(
            Referral_Status__c="Submitted",
            Referrer_Name__c="Mira Sample",
            Email="a@example.com",
        )
        sent = received.get(timeout=20)

        assert (sent["Id"], sent["Referral_Key__c"]) == (referred, referred)
        assert (sent["Referral_Status__c"], sent["Email"]) == (
            "Submitted",
            "a@example.com",
        )
        assert org.lead(referred)["Referral_Key__c"] == referred
        assert org.lead(plain)["Referral_Key__c"] is None

        # Another field says nothing; the status of a lead without a key says two.
        org.call("PATCH", f"sobjects/Lead/{referred}", Phone="+49 30 1234567")
        now_one = {"Referral_Status__c": "Contacted", "Referral_Code__c": "CODE1"}
        org.call("PATCH", f"sobjects/Lead/{plain}", **now_one)
        sent = received.get(timeout=20)
        assert (sent["Id"], sent["Referral_Key__c"]) == (plain, plain)

        # Nothing is told twice: the next message is of the next lead.
        last = org.create_lead(
            Referral_Status__c="Submitted", Referrer_Name__c="Mira Sample"
        )
        assert received.get(timeout=20)["Id"] == last


def test_a_key_that_is_there_is_kept(org):
    org.deploy(org.zip())
    org.grant()
    org.open_keys()

    lead = org.create_lead(
        Referral_Status__c="Submitted",
        Referrer_Name__c="Mira Sample",
        Referral_Key__c="KEPT-1",
    )

    assert org.lead(lead)["Referral_Key__c"] == "KEPT-1"


def test_validating_changes_nothing(empty_org):
    seen = empty_org.deploy(empty_org.zip(), Options(check_only=True))

    assert (seen.state, seen.check_only) == ("Succeeded", True)
    assert empty_org.untouched()


def test_an_integration_user_that_is_not_there_is_told_with_its_file(empty_org):
    values = {"REFERRAL_ENDPOINT_URL": "https://example.com/hooks/sample"}
    values["REFERRAL_INTEGRATION_USERNAME"] = "nobody@example.com"
    seen = empty_org.deploy(archive.build(CORE, values=values))

    assert (seen.state, seen.success) == ("Failed", False)
    assert any(
        file == "workflows/Lead.workflow" and "nobody@example.com" in problem
        for file, problem in problems(seen)
    ), problems(seen)
    assert empty_org.untouched()


def test_placeholders_that_nobody_filled_are_refused(empty_org):
    seen = empty_org.deploy(archive.build(CORE, values=None))

    assert seen.state == "Failed"
    assert empty_org.untouched()


@pytest.mark.parametrize(
    ("missing", "file"),
    [
        ("/Lead.workflow-meta.xml", "flows/Referral_Lead_Status_Changed.flow"),
        ("/Referral_Status.globalValueSet-meta.xml", "objects/Lead.object"),
        (
            "/Referral_Code__c.field-meta.xml",
            "permissionsets/Referral_User.permissionset",
        ),
    ],
)
def test_a_part_that_another_needs_is_missed_by_name(empty_org, missing, file):
    seen = empty_org.deploy(empty_org.zip(without(missing)))

    assert seen.state == "Failed"
    assert file in [failed for failed, _ in problems(seen)], problems(seen)
    assert empty_org.untouched()


def test_a_field_of_another_type_is_not_replaced(org):
    code = f"{MAIN}/objects/Lead/fields/Referral_Code__c.field-meta.xml"
    theirs = field("Referral_Code__c", label="Code", type="Text", formula="LastName")
    only = {"sfdx-project.json": CORE["sfdx-project.json"], code: theirs}
    assert org.deploy(org.zip(only)).success

    seen = org.deploy(org.zip())

    assert seen.state == "Failed"
    assert ("objects/Lead.object", "Lead.Referral_Code__c") in [
        (each.file, each.name) for each in seen.failures
    ]
    assert org.untouched()


def test_an_expired_session_and_an_unknown_id_are_told_apart(empty_org):
    stranger = requests.Session()
    stranger.headers["Authorization"] = "Bearer 00Dxx!expired"
    where = {**empty_org.where, "deployment_id": "0Af000000000000AAA"}

    with pytest.raises(Retryable, match="INVALID_SESSION_ID"):
        metadata.status(stranger, **where)
    with pytest.raises(Retryable, match="INVALID_SESSION_ID"):
        metadata.start(stranger, archive=b"", options=Options(), **empty_org.where)
    with pytest.raises(Permanent):
        metadata.status(empty_org.session, **where)


@pytest.mark.parametrize(
    ("content", "words"), [(b"not a zip", "zip"), (packed({"a": b""}), "package.xml")]
)
def test_what_is_no_package_fails_and_says_so(empty_org, content, words):
    seen = empty_org.deploy(content)

    assert (seen.state, seen.done, seen.success) == ("Failed", True, False)
    assert words in str((seen.error, problems(seen)))
