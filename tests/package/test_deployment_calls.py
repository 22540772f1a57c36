"""One call at a time, against a real socket that answers, stalls or hangs up."""

import email.parser
import email.policy
import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from sidecar.errors import Permanent, Retryable, Uncertain, Unreadable
from sidecar.salesforce import metadata
from sidecar.salesforce.metadata import Options

ID = "0Af000000000001AAA"
PENDING = {"id": ID, "deployResult": {"id": ID, "status": "Pending", "done": False}}


class Org(ThreadingHTTPServer):
    """Gives one answer to whatever comes, and keeps what came."""

    daemon_threads = True

    def __init__(self, status, body):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body = status, body
        self.requests = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def _answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.command, self.path, self.headers, body))
        if self.server.status is None:  # hang up after having read everything
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        content = self.server.body
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = _answer  # noqa: N815 (the names that http.server calls)

    def log_message(self, *args):
        pass


@contextmanager
def org(status=200, body=PENDING):
    with Org(status, body) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server
        server.shutdown()


VALIDATE = Options(check_only=True)


def start(url, options=VALIDATE, archive=b"zip"):
    return metadata.start(
        requests.Session(),
        base_url=url,
        api_version="62.0",
        archive=archive,
        options=options,
    )


def status(url):
    return metadata.status(
        requests.Session(), base_url=url, api_version="62.0", deployment_id=ID
    )


def cancel(url):
    return metadata.cancel(
        requests.Session(), base_url=url, api_version="62.0", deployment_id=ID
    )


def parts(headers, body):
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    return [
        (
            part.get_param("name", header="Content-Disposition"),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]


def test_a_deployment_starts_with_its_options_and_its_zip():
    archive = b"PK\x03\x04\r\n--zip\x00\xff"
    options = Options(test_level="RunSpecifiedTests", run_tests=("A", "B"))
    with org(201) as server:
        assert start(server.url, options, archive) == ID

    ((method, path, headers, body),) = server.requests
    assert (method, path) == ("POST", "/services/data/v62.0/metadata/deployRequest")
    (first, second) = parts(headers, body)
    assert first[:2] == ("entity_content", "application/json")
    assert json.loads(first[2]) == {
        "deployOptions": {
            "checkOnly": False,
            "ignoreWarnings": False,
            "rollbackOnError": True,
            "singlePackage": True,
            "testLevel": "RunSpecifiedTests",
            "runTests": ["A", "B"],
        }
    }
    assert second == ("file", "application/zip", archive)


def test_the_test_level_is_left_to_the_org_unless_it_is_named():
    with org(201) as server:
        start(server.url)

    content = parts(*server.requests[0][2:])[0][2]
    assert not {"testLevel", "runTests"} & set(json.loads(content)["deployOptions"])


def test_failures_are_told_with_file_line_and_salesforce_s_words():
    failures = [
        {
            "componentType": "WorkflowOutboundMessage",
            "fullName": "Lead.Referral_Status_Changed",
            "fileName": "workflows/Lead.workflow",
            "lineNumber": 4,
            "columnNumber": 23,
            "problem": "In field: integrationUser - no User named x found",
            "problemType": "Error",
        },
        {"fileName": "package.xml", "problem": "Odd", "problemType": "Warning"},
    ]
    result = {
        "id": ID,
        "status": "Failed",
        "done": True,
        "success": False,
        "checkOnly": True,
        "numberComponentsTotal": 9,
        "numberComponentsDeployed": 7,
        "numberComponentErrors": 2,
        "numberTestsTotal": 1,
        "numberTestsCompleted": 0,
        "numberTestErrors": 1,
        "errorStatusCode": "UNKNOWN_EXCEPTION",
        "errorMessage": "Something broke",
        "details": {
            "componentFailures": failures,
            "runTestResult": {
                "failures": [{"name": "T", "methodName": "m", "message": "no"}]
            },
        },
    }
    with org(body={"id": ID, "deployResult": result}) as server:
        seen = status(server.url)

    assert server.requests[0][1].endswith(f"/deployRequest/{ID}?includeDetails=true")
    assert (seen.state, seen.done, seen.success) == ("Failed", True, False)
    assert (seen.components_total, seen.components_deployed) == (9, 7)
    assert (seen.components_failed, seen.tests_failed) == (2, 1)
    assert seen.error == "UNKNOWN_EXCEPTION: Something broke"
    first, second = seen.failures
    assert (first.file, first.line, first.column) == ("workflows/Lead.workflow", 4, 23)
    assert first.problem == "In field: integrationUser - no User named x found"
    assert (first.warning, second.warning, second.line) == (False, True, None)
    assert [t.problem for t in seen.failed_tests] == ["no"]


def test_numbers_and_truth_values_in_quotes_are_read_like_bare_ones():
    """The guide's samples quote them."""
    result = {"status": "Succeeded", "done": "true", "success": "true"}
    result |= {"checkOnly": "false", "numberComponentsTotal": "10"}
    with org(body={"id": ID, "deployResult": result}) as server:
        seen = status(server.url)

    assert (seen.id, seen.done, seen.success) == (ID, True, True)
    assert (seen.check_only, seen.components_total) == (False, 10)


def test_cancelling_asks_for_the_state_and_tells_which_one_it_got():
    result = {"status": "Canceling", "done": False}
    with org(202, {"id": ID, "deployResult": result}) as server:
        assert cancel(server.url).state == "Canceling"

    ((method, path, _, body),) = server.requests
    assert (method, path.rpartition("/")[2]) == ("PATCH", ID)
    assert json.loads(body) == {"deployResult": {"status": "Canceling"}}


def refused(code):
    return [{"errorCode": code, "message": "Salesforce's words"}]


@pytest.mark.parametrize("call", [start, status, cancel])
@pytest.mark.parametrize(
    ("http", "code", "expected"),
    [
        (401, "INVALID_SESSION_ID", Retryable),
        (403, "REQUEST_LIMIT_EXCEEDED", Retryable),
        (503, "SERVER_UNAVAILABLE", Retryable),
        (500, "UNKNOWN_EXCEPTION", Retryable),
        (403, "API_CURRENTLY_DISABLED", Retryable),
        (400, "UNABLE_TO_LOCK_ROW", Retryable),
        (403, "INSUFFICIENT_ACCESS", Permanent),
        (400, "INVALID_CROSS_REFERENCE_KEY", Permanent),
        (404, "NOT_FOUND", Permanent),
    ],
)
def test_a_refusal_keeps_salesforce_s_words(call, http, code, expected):
    with org(http, refused(code)) as server, pytest.raises(expected) as caught:
        call(server.url)

    assert str(caught.value) == f"{code}: Salesforce's words"


@pytest.mark.parametrize("call", [start, status, cancel])
@pytest.mark.parametrize(("http", "expected"), [(429, Retryable), (418, Permanent)])
def test_a_refusal_without_words_is_told_by_its_number(call, http, expected):
    with org(http, b"") as server, pytest.raises(expected, match=f"HTTP {http}"):
        call(server.url)


@pytest.mark.parametrize("http", [None, 502, 504])
def test_a_deployment_whose_answer_is_lost_is_uncertain(http):
    with org(http, b"<html>Bad gateway</html>") as server, pytest.raises(Uncertain):
        start(server.url)
    assert len(server.requests) == 1  # the zip did arrive


@pytest.mark.parametrize("call", [status, cancel])
@pytest.mark.parametrize("http", [None, 502, 504])
def test_a_lost_answer_to_anything_else_is_asked_for_again(call, http):
    with org(http, b"<html>Bad gateway</html>") as server, pytest.raises(Retryable):
        call(server.url)


@pytest.mark.parametrize("call", [start, status, cancel])
def test_an_org_that_cannot_be_reached_is_tried_again(call):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but nobody listens
        with pytest.raises(Retryable):
            call(f"http://127.0.0.1:{unused.getsockname()[1]}")


@pytest.mark.parametrize("call", [start, status, cancel])
@pytest.mark.parametrize("body", [b"<html>Please log in</html>", [], {}])
def test_an_answer_that_is_not_salesforce_s_is_unreadable(call, body):
    with org(200, body) as server, pytest.raises(Unreadable):
        call(server.url)
