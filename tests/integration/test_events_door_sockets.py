"""The door for events through gunicorn and real sockets, as senders meet it."""

import base64
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import events_sent as sent
import pytest
import requests
import signing
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from messages import ORG_ID

from sidecar import keyring
from sidecar.intake import webhook
from sidecar.machine import Machine
from sidecar.settings import Settings
from sidecar.store import connections, database, inbox, webhook_secrets
from sidecar.store.webhook_secrets import Kind, NewSecret
from sidecar.wiring import Wiring

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
TOKEN = "a-bearer-token-for-tests"
ORG_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Served:
    """The web application and one connection that accepts every scheme."""

    port: int
    key: str
    wiring: Wiring

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{webhook.PREFIX}{self.key}"

    def post(self, body, headers) -> requests.Response:
        return requests.post(self.url, data=body, headers=headers, timeout=20)

    def exchange(self, request: bytes) -> bytes:
        """Send, say that it was all, and read until the server hangs up."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as caller:
            with suppress(OSError):
                caller.sendall(request)
                caller.shutdown(socket.SHUT_WR)
            with suppress(ConnectionError):
                while got := caller.recv(65536):
                    answer += got
        return answer

    def kept(self) -> set[str]:
        with self.wiring.engine.connect() as db:
            found = inbox.listing(db, keyring=self.wiring.keyring, limit=1000)
        return {item.notification_id for item in found}


@pytest.fixture(scope="module")
def served(
    machine: Machine, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    url = machine.start_postgres("events")
    wiring = Wiring(Settings(database_url=url, redis_url=redis_url, demo=True))
    database.upgrade(wiring.engine)
    key = keyring.new_hook_key()
    new = connections.NewConnection(
        name="org",
        org_id=ORG_ID,
        hook_key=key,
        flow="jwt",
        login_url="https://login.salesforce.com",
        instance_url="https://example.my.salesforce.com",
        client_id="key",
        secret="secret",
    )
    pem = signing.pem(signing.certificate(ORG_KEY))
    hashed = keyring.fingerprint(TOKEN)
    with wiring.engine.begin() as db:
        id_ = connections.add(db, new, keyring=wiring.keyring)
        for secret in (
            NewSecret(id_, Kind.STANDARD_WEBHOOKS, SECRET),
            NewSecret(id_, Kind.ORG_CERTIFICATE, pem),
            NewSecret(id_, Kind.BEARER, hashed),
            NewSecret(id_, Kind.API_KEY, hashed, header="x-relay-key"),
        ):
            webhook_secrets.add(db, secret, now=wiring.now(), keyring=wiring.keyring)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = os.environ | {
        "SIDECAR_DATABASE_URL": url,
        "SIDECAR_REDIS_URL": redis_url,
        "SIDECAR_DEMO": "true",
        "SIDECAR_EVENTS_PER_MINUTE": "1000000",
    }
    log = tmp_path_factory.mktemp("web") / "web.log"
    command = [sys.executable, "-m", "sidecar", "web", "--bind", f"127.0.0.1:{port}"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environ, stdout=out, stderr=out)
        machine.wait_for_web(f"127.0.0.1:{port}")
        yield Served(port, key, wiring)
        process.terminate()
        process.wait(20)
    wiring.engine.dispose()
    told = log.read_text()
    assert "Traceback" not in told
    for secret in (key, TOKEN, SECRET):
        assert secret not in told, "a secret was logged"


def test_each_scheme_gets_through_a_real_server(served):
    """WSGI changes the case of header names, and hands over text for bytes."""
    at = time.time()
    bodies = [sent.encoded(sent.bare(uuid=f"real-{number}")) for number in range(4)]
    headers = [
        signing.standard(SECRET, bodies[0], message_id="msg_real", at=at),
        signing.by_org(ORG_KEY, bodies[1], at=at),
        {"Authorization": f"Bearer {TOKEN}"},
        {"X-Relay-Key": TOKEN},
    ]
    for body, sent_with in zip(bodies, headers, strict=True):
        answer = served.post(body, sent_with)
        assert (answer.status_code, answer.json()["new"]) == (200, 1)
    assert {f"real-{number}" for number in range(4)} <= served.kept()


def test_a_body_in_chunks_is_signed_as_a_whole(served):
    body = sent.encoded(sent.bare(uuid="in-chunks"))
    headers = signing.standard(SECRET, body, message_id="msg_c", at=time.time())
    chunks = (body[place : place + 7] for place in range(0, len(body), 7))

    assert served.post(chunks, headers).status_code == 200
    assert "in-chunks" in served.kept()


def test_a_body_that_is_too_long_is_not_taken(served):
    long = b"x" * (webhook.BODY_BYTES + 1)
    for body in (long, iter([long])):
        with suppress(requests.ConnectionError):
            answer = served.post(body, {"Authorization": f"Bearer {TOKEN}"})
            assert answer.status_code == 413
    assert served.post(b"{}", {}).status_code == 401


def test_an_answer_to_a_stranger_tells_nothing(served):
    answer = served.post(b"{}", {"webhook-id": "a", "webhook-signature": "v1,AAAA"})
    assert (answer.status_code, answer.content) == (401, b"")


_BYTES = st.binary(max_size=60)
_NAMES = st.sampled_from(
    [
        b"Authorization",
        b"Webhook-Id",
        b"Webhook-Timestamp",
        b"Webhook-Signature",
        b"X-Referral-Timestamp",
        b"X-Referral-Signature",
        b"X-Relay-Key",
        b"Content-Length",
        b"Transfer-Encoding",
        b"X-Forwarded-For",
    ]
)
_LINES = st.lists(st.tuples(_NAMES, _BYTES), max_size=5)


@given(lines=_LINES, body=st.binary(max_size=100), right=st.booleans())
@settings(max_examples=80, deadline=None)
def test_whatever_comes_over_the_wire_no_error_is_ours(served, lines, body, right):
    head = [
        b"POST %b%b HTTP/1.1" % (webhook.PREFIX.encode(), served.key.encode()),
        b"Host: x",
        b"Connection: close",
        *(b"%b: %b" % line for line in lines),
    ]
    if right:
        head.append(b"Authorization: Bearer " + TOKEN.encode())
    if not any(name in (b"Content-Length", b"Transfer-Encoding") for name, _ in lines):
        head.append(b"Content-Length: %d" % len(body))
    answer = served.exchange(b"\r\n".join((*head, b"", body)))

    statuses = re.findall(rb"^HTTP/1\.[01] (\d{3})", answer, re.MULTILINE)
    assert all(status < b"500" or status == b"501" for status in statuses), answer
