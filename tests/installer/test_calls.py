"""Calls of the installer's hands, against a real socket that answers or hangs up."""

import base64
import io
import json
import socket
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sidecar.errors import Permanent, Retryable, Unreadable
from sidecar.salesforce import caller as calls
from sidecar.salesforce import lead_conversion, reports, retrieval
from sidecar.salesforce.caller import METADATA, caller_for, query, quoted, rest, soap
from sidecar.salesforce.refusals import LoggedOut

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


class _Handler(BaseHTTPRequestHandler):
    def _answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.command, self.path, body))
        status, content = self.server.answers.pop(0)
        if status is None:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

    def log_message(self, *args):
        pass


@contextmanager
def org(*answers):
    """Answer one request after the other: status and JSON, or bytes."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        server.requests = []
        server.answers = [
            (status, body if isinstance(body, bytes) else json.dumps(body).encode())
            for status, body in answers
        ]
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        yield caller_for(url, "00D!token<&>", ca_file=None), server.requests
        server.shutdown()


def envelope(content):
    return (
        f'<e:Envelope xmlns:e="{SOAP}" xmlns="{METADATA}"><e:Body>{content}'
        "</e:Body></e:Envelope>"
    ).encode()


def fault(code, words):
    return envelope(
        f"<e:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {words}"
        "</faultstring></e:Fault>"
    )


def test_a_query_is_read_to_its_last_page():
    first = {"records": [{"Id": "1"}], "done": False, "nextRecordsUrl": "/more"}
    with org((200, first), (200, {"records": [{"Id": "2"}], "done": True})) as (
        me,
        seen,
    ):
        rows = query(me, "SELECT Id FROM Lead")

    assert [row["Id"] for row in rows] == ["1", "2"]
    assert [path for _, path, _ in seen][1] == "/more"


def test_what_is_put_into_a_query_cannot_break_out_of_it():
    assert quoted(["O'Hara", "a\\b"]) == "'O\\'Hara', 'a\\\\b'"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((401, [{"errorCode": "INVALID_SESSION_ID", "message": "x"}]), LoggedOut),
        ((403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "x"}]), Retryable),
        ((503, b"<html>"), Retryable),
        ((None, b""), Retryable),
        ((400, [{"errorCode": "MALFORMED_QUERY", "message": "x"}]), Permanent),
        ((200, b"<html>Log in</html>"), Unreadable),
    ],
)
def test_a_rest_call_that_fails_says_what_may_be_done(answer, expected):
    with org(answer) as (me, _), pytest.raises(expected) as caught:
        rest(me, "GET", "limits")

    assert expected is LoggedOut or not isinstance(caught.value, LoggedOut)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((500, fault("INVALID_SESSION_ID", "Illegal Session")), LoggedOut),
        ((500, fault("INSUFFICIENT_ACCESS", "no")), Permanent),
        ((500, fault("UNKNOWN_EXCEPTION", "again")), Retryable),
        ((503, b"<html>"), Retryable),
        ((None, b""), Retryable),
        ((200, b"not XML"), Unreadable),
        ((200, b"<a/>"), Unreadable),
    ],
)
def test_a_soap_call_that_fails_says_what_may_be_done(answer, expected):
    with org(answer) as (me, _), pytest.raises(expected):
        soap(me, METADATA, "describeMetadata", "")


def test_a_token_is_escaped_in_the_envelope_and_absent_from_words():
    with org((200, envelope("<describeMetadataResponse/>"))) as (me, seen):
        soap(me, METADATA, "describeMetadata", "")

    assert b"<sessionId>00D!token&lt;&amp;&gt;</sessionId>" in seen[0][2]
    assert "00D!" not in repr(me)


def test_a_retrieval_asks_by_name_and_gives_files():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        target.writestr("unpackaged/package.xml", "<Package/>")
        target.writestr("unpackaged/objects/Lead.object", "<CustomObject/>")
    zipped = base64.b64encode(packed.getvalue()).decode()
    started = envelope(
        "<retrieveResponse><result><id>09S1</id></result></retrieveResponse>"
    )
    pending = envelope(
        "<checkRetrieveStatusResponse><result><done>false</done></result>"
        "</checkRetrieveStatusResponse>"
    )
    done = envelope(
        "<checkRetrieveStatusResponse><result><done>true</done><messages>"
        "<fileName>package.xml</fileName><problem>no Flow named X</problem></messages>"
        f"<success>true</success><zipFile>{zipped}</zipFile></result>"
        "</checkRetrieveStatusResponse>"
    )
    with org((200, started), (200, pending), (200, done)) as (me, seen):
        id_ = retrieval.start(me, {"CustomObject": {"Lead", "A&B__c"}})
        first, last = retrieval.check(me, id_), retrieval.check(me, id_)

    assert b"<members>A&amp;B__c</members><members>Lead</members>" in seen[0][2]
    assert (id_, first.done, last.done) == ("09S1", False, True)
    assert last.files == {"objects/Lead.object": b"<CustomObject/>"}
    assert last.missing == ("package.xml: no Flow named X",)


def test_a_retrieval_that_failed_is_told_in_salesforce_s_words():
    failed = envelope(
        "<r><result><done>true</done><errorMessage>It broke</errorMessage>"
        "<errorStatusCode>UNKNOWN_EXCEPTION</errorStatusCode><success>false</success>"
        "</result></r>"
    )
    with org((200, failed)) as (me, _), pytest.raises(Permanent, match="It broke"):
        retrieval.check(me, "09S1")


def test_a_lead_that_a_rule_holds_back_is_not_converted_and_says_why():
    answers = (
        (200, {"records": [{"IsConverted": False}], "done": True}),
        (
            200,
            envelope(
                "<convertLeadResponse><result><errors><message>Region is missing"
                "</message><statusCode>FIELD_CUSTOM_VALIDATION_EXCEPTION</statusCode>"
                "</errors><success>false</success></result></convertLeadResponse>"
            ),
        ),
    )
    with org(*answers) as (me, _), pytest.raises(Permanent, match="Region is missing"):
        lead_conversion.convert(me, "00Q1", status="Closed", opportunity_name="x")


def test_a_lead_that_is_converted_already_is_not_converted_again():
    row = {
        "IsConverted": True,
        "ConvertedAccountId": "001",
        "ConvertedContactId": "003",
        "ConvertedOpportunityId": None,
    }
    with org((200, {"records": [row], "done": True})) as (me, seen):
        made = lead_conversion.convert(me, "00Q1", status="x", opportunity_name="x")

    assert (made.contact_id, made.opportunity_id, len(seen)) == ("003", "", 1)


def test_a_report_s_rows_are_read_from_its_fact_map():
    facts = {
        "factMap": {
            "T!T": {"rows": [{"dataCells": [{"value": "00Q1", "label": "Ada"}]}]},
            "0!T": {},
        },
        "allData": False,
    }
    found = {"records": [{"Id": "00O1"}], "done": True}
    with org((200, found), (200, facts)) as (me, _):
        ran = reports.run(me, "Funnel")

    assert (ran.rows, ran.values, ran.complete) == (1, {"00Q1", "Ada"}, False)


def test_gone_is_told_from_refused():
    assert calls.gone(Permanent("ENTITY_IS_DELETED: entity is deleted"))
    assert not calls.gone(Permanent("INSUFFICIENT_ACCESS: no"))
