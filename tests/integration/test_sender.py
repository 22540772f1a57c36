"""Marks of a sender beside the secret address: certificate and address.

One server ends TLS itself, as gunicorn can; the rest goes through the door's function.
"""

import base64
import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
import requests
import signing
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from messages import ORG_ID, of_leads

from sidecar import keyring
from sidecar.errors import Forged, Permanent
from sidecar.intake import client_certificate, door, outbound_message, peer
from sidecar.intake.ip_ranges import IpRanges
from sidecar.intake.sender import Certificates, Sender
from sidecar.intake.signatures.reasons import Reason
from sidecar.machine import Machine
from sidecar.settings import Settings, WrongSetting
from sidecar.store import connections, database, webhook_secrets
from sidecar.wiring import Wiring

NAME = "proxy.salesforce.com"
HEADER = "X-Client-Cert"
PROXY, STRANGER = "10.0.0.1", "192.0.2.1"
CONNECTION = SimpleNamespace(id=1, name="acme")


def a_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


ROOT_KEY, BETWEEN_KEY, KEY = a_key(), a_key(), a_key()
ROOT = signing.certificate(ROOT_KEY, name="Root", authority=True)
BETWEEN = signing.certificate(
    BETWEEN_KEY, name="Between", authority=True, issuer=(ROOT, ROOT_KEY)
)


def client(name=NAME, **more):
    return signing.certificate(
        KEY, name=name, **({"issuer": (BETWEEN, BETWEEN_KEY)} | more)
    )


def key_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


# --- behind a proxy -----------------------------------------------------------------------


def escaped(*certificates) -> str:
    """As nginx passes it on, and AWS."""
    return quote("".join(map(signing.pem, certificates)))


def with_blanks(*certificates) -> str:
    """As Apache does."""
    return "".join(map(signing.pem, certificates)).replace("\n", " ")


def rfc_9440(certificate) -> str:
    der = certificate.public_bytes(Encoding.DER)
    return f":{base64.b64encode(der).decode()}:"


@pytest.fixture
def seen():
    return []


@pytest.fixture
def sender(seen):
    return Sender(
        now=lambda: datetime.now(UTC),
        proxies=peer.networks([f"{PROXY}/32"]),
        certificates=Certificates(
            client_certificate.authorities(signing.pem(ROOT).encode()), {NAME}, HEADER
        ),
        seen=lambda connection_id, certificate: seen.append(
            (connection_id, certificate.subject)
        ),
    )


def ask(sender, value=None, *, remote=PROXY, **environ):
    """Why the caller is refused; empty where he is not."""
    given = {"REMOTE_ADDR": remote} | environ
    if value is not None:
        given["HTTP_X_CLIENT_CERT"] = value
    try:
        sender.require(given, CONNECTION)
    except Forged as exc:
        return str(exc)
    return ""


@pytest.mark.parametrize("write", [escaped, with_blanks])
def test_a_proxys_word_is_taken_with_the_chain_that_it_brings(sender, seen, write):
    assert ask(sender, write(client(), BETWEEN)) == ""
    assert seen == [(1, f"CN={NAME}")]
    assert ask(sender, write(client())) == Reason.CLIENT_CERTIFICATE_UNTRUSTED


def test_an_issuer_below_the_root_may_be_the_one_that_is_trusted(sender):
    pem = signing.pem(BETWEEN).encode()
    trusted = Certificates(client_certificate.authorities(pem), {NAME}, HEADER)
    sender = Sender(now=sender.now, proxies=sender.proxies, certificates=trusted)
    for write in (escaped, with_blanks, rfc_9440):
        assert ask(sender, write(client())) == ""


@pytest.mark.parametrize(
    "certificate",
    [
        client(),
        client(dns=(NAME,)),
        client("another", dns=("x.example.com", NAME.upper())),
        client(purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,)),
        client(purposes=(ExtendedKeyUsageOID.SERVER_AUTH,)),
    ],
)
def test_it_is_issuer_and_name_and_never_the_one_certificate(sender, certificate):
    """Promise 29: whatever Salesforce replaces it with."""
    assert ask(sender, escaped(certificate, BETWEEN)) == ""


LONG_AGO = datetime.now(UTC) - timedelta(days=400)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.CLIENT_CERTIFICATE_MISSING),
        ("", Reason.CLIENT_CERTIFICATE_MISSING),
        ("no certificate", Reason.CLIENT_CERTIFICATE_MALFORMED),
        (":AAAA:", Reason.CLIENT_CERTIFICATE_MALFORMED),
        (":%%:", Reason.CLIENT_CERTIFICATE_MALFORMED),
        ("\xff", Reason.CLIENT_CERTIFICATE_MALFORMED),
        ("%ff%fe", Reason.CLIENT_CERTIFICATE_MALFORMED),
        ("A" * 40_000, Reason.CLIENT_CERTIFICATE_MALFORMED),
        (escaped(*[BETWEEN] * 6), Reason.CLIENT_CERTIFICATE_MALFORMED),
        (
            escaped(client(begins=LONG_AGO), BETWEEN),
            Reason.CLIENT_CERTIFICATE_UNTRUSTED,
        ),
        (escaped(client(issuer=None)), Reason.CLIENT_CERTIFICATE_UNTRUSTED),
        (
            escaped(client("proxy.salesforce.com.example.org"), BETWEEN),
            Reason.CLIENT_CERTIFICATE_NAME,
        ),
        (escaped(client("*.salesforce.com"), BETWEEN), Reason.CLIENT_CERTIFICATE_NAME),
    ],
)
def test_each_fault_of_a_certificate_has_its_reason(sender, seen, value, reason):
    assert ask(sender, value) == reason
    assert not seen


def test_nobody_but_a_proxy_of_ours_is_believed(sender):
    right = escaped(client(), BETWEEN)
    reason = Reason.CLIENT_CERTIFICATE_NOT_FROM_PROXY
    assert ask(sender, right, remote=STRANGER) == reason
    assert ask(sender, right, remote="") == reason
    forwarded = {"HTTP_X_FORWARDED_FOR": PROXY}
    assert ask(sender, right, remote=STRANGER, **forwarded) == reason
    assert ask(sender, remote=STRANGER) == Reason.CLIENT_CERTIFICATE_MISSING


@given(st.text() | st.binary().map(lambda some: some.decode("latin-1")))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_header_holds_it_is_a_refusal(sender, value):
    assert ask(sender, value)


_DER = client().public_bytes(Encoding.DER)


@given(st.integers(0, len(_DER) - 1), st.integers(1, 255))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_certificate_with_a_byte_changed_is_a_refusal(sender, place, by):
    der = _DER[:place] + bytes([_DER[place] ^ by]) + _DER[place + 1 :]
    assert ask(sender, f":{base64.b64encode(der).decode()}:")


# --- addresses ----------------------------------------------------------------------------

PUBLISHED = {
    "syncToken": "1700000000",
    "createDate": "2026-01-01",
    "prefixes": [
        {"provider": "aws", "region": "eu-central-1", "ip_prefix": ["192.0.2.0/25"]},
        {"ip_prefix": "192.0.2.128/26", "direction": ["outbound"]},
        {"ip_prefix": ["198.51.100.0/24"], "direction": "inbound"},
        {"ipv6_prefix": ["2001:db8::/48"]},
    ],
    "ipv6_prefixes": [{"ipv6_prefix": "2001:db8:1::/48"}],
}


@pytest.fixture
def file(folder):
    path = folder / "ip-ranges.json"
    path.write_text(json.dumps(PUBLISHED))
    return path


@pytest.mark.parametrize(
    ("address", "held"),
    [
        ("192.0.2.1", True),
        ("192.0.2.191", True),
        ("192.0.2.192", False),
        ("198.51.100.1", False),
        ("::ffff:192.0.2.1", True),
        ("2001:db8::1", True),
        ("2001:db8:1::1", True),
        ("2001:db8:2::1", False),
        ("0.0.0.0", False),
        ("", False),
        ("unix", False),
    ],
)
def test_the_published_ranges_hold_what_they_name(file, address, held):
    assert IpRanges(file).hold(address, at=0) is held


def test_the_list_is_read_again_when_its_file_is_another(file):
    """Promise 30."""
    ranges = IpRanges(file)
    assert not ranges.hold("203.0.113.1", at=0)
    new = file.with_suffix(".new")
    new.write_text(json.dumps({"prefixes": [{"ip_prefix": ["203.0.113.0/24"]}]}))
    new.replace(file)

    assert not ranges.hold("203.0.113.1", at=1), "not with every message"
    assert ranges.hold("203.0.113.1", at=10)
    assert not ranges.hold("192.0.2.1", at=10)
    for broken in ("{", "[]", "{}", '{"prefixes": [{"ip_prefix": "x"}]}', "[" * 9999):
        new.write_text(broken)
        new.replace(file)
        assert ranges.hold("203.0.113.1", at=20), "a broken list changes nothing"
    file.unlink()
    assert ranges.hold("203.0.113.1", at=30)


def test_without_a_list_nothing_begins(file):
    for broken in ("", "{}", '{"prefixes": [{"ip_prefix": ["999.0.0.0/8"]}]}'):
        file.write_text(broken)
        with pytest.raises(Permanent, match=r"ip-ranges\.json"):
            IpRanges(file)


def test_other_addresses_are_told_of_and_refused_only_on_demand(file):
    """Promise 30."""
    ranges = IpRanges(file)
    warns = Sender(now=lambda: datetime.now(UTC), ranges=ranges)
    refuses = Sender(now=warns.now, ranges=ranges, enforce_ranges=True)
    behind = Sender(
        now=warns.now,
        ranges=ranges,
        enforce_ranges=True,
        proxies=peer.networks([PROXY]),
    )
    assert ask(warns, remote="203.0.113.9") == ""
    assert ask(refuses, remote="203.0.113.9") == Reason.ADDRESS_UNKNOWN
    assert ask(refuses, remote="192.0.2.1") == ""
    assert ask(behind, remote=PROXY) == Reason.ADDRESS_UNKNOWN
    assert ask(behind, remote=PROXY, HTTP_X_FORWARDED_FOR="192.0.2.1") == ""
    spoofed = "192.0.2.1, 203.0.113.9"
    assert ask(behind, remote=PROXY, HTTP_X_FORWARDED_FOR=spoofed)


def test_settings_that_would_check_nothing_are_refused(folder):
    file = folder / "ca.pem"
    file.write_text(signing.pem(ROOT))
    for wrong in (
        {"client_ca_file": file},
        {"client_ca_file": file, "client_certificate_header": HEADER},
        {"client_ca_file": file, "trusted_proxies": (PROXY,)},
        {"client_certificate_header": HEADER, "trusted_proxies": (PROXY,)},
        {"tls_certificate_file": file, "client_ca_file": file},
    ):
        with pytest.raises(WrongSetting):
            _ = Wiring(Settings(**wrong)).marks
    assert Wiring(Settings()).marks is None


def test_who_lacks_a_mark_is_turned_away_unread(wiring, connect):
    _, key = connect()
    asked = []

    def refuse(_environ, connection):
        asked.append(connection.name)
        raise Forged(Reason.ADDRESS_UNKNOWN)

    application = door.application(
        wiring, max_bytes=10_000, now=wiring.now, require_sender=refuse
    )
    body = BytesIO(of_leads(1))
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": door.PREFIX + key,
        "wsgi.input": body,
    }
    started = []
    answer = application(environ, lambda *given: started.append(given))

    assert started[0][0] == "401 Unauthorized"
    assert b"".join(answer) == b""
    assert body.tell() == 0
    assert len(asked) == 1


# --- TLS that we end ourselves ----------------------------------------------------------------


@dataclass
class Served:
    """The web application, speaking TLS."""

    port: int
    key: str
    wiring: Wiring
    folder: Path
    process: "subprocess.Popen[bytes]"

    def session(self, certificate=None, *chain) -> requests.Session:
        """Call as Salesforce does, with this client certificate."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.folder / "ca.pem")
        if certificate is not None:
            file = self.folder / f"{certificate.serial_number}.pem"
            shown = "".join(map(signing.pem, (certificate, *chain)))
            file.write_text(key_pem(KEY) + shown)
            session.cert = str(file)
        return session

    def post(self, session: requests.Session) -> requests.Response:
        url = f"https://localhost:{self.port}{door.PREFIX}{self.key}"
        return session.post(url, data=of_leads(1), timeout=20)


@pytest.fixture(scope="module")
def served(
    machine: Machine, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("tls")
    server_key = a_key()
    own = signing.certificate(
        server_key, name="localhost", dns=("localhost",), issuer=(ROOT, ROOT_KEY)
    )
    (folder / "server.pem").write_text(signing.pem(own))
    (folder / "server.key").write_text(key_pem(server_key))
    (folder / "ca.pem").write_text(signing.pem(ROOT))
    url = machine.start_postgres("sender")
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
    with wiring.engine.begin() as db:
        connections.add(db, new, keyring=wiring.keyring)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = os.environ | {
        "SIDECAR_DATABASE_URL": url,
        "SIDECAR_REDIS_URL": redis_url,
        "SIDECAR_DEMO": "true",
        "SIDECAR_TLS_CERTIFICATE_FILE": str(folder / "server.pem"),
        "SIDECAR_TLS_KEY_FILE": str(folder / "server.key"),
        "SIDECAR_CLIENT_CA_FILE": str(folder / "ca.pem"),
    }
    command = [sys.executable, "-m", "sidecar", "web", "--bind", f"127.0.0.1:{port}"]
    command += ["--threads", "2"]
    log = folder / "web.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environ, stdout=out, stderr=out)
        machine.wait_for_web(f"127.0.0.1:{port}", tls=True)
        yield Served(port, key, wiring, folder, process)
        process.terminate()
        process.wait(20)
    wiring.engine.dispose()
    assert "Traceback" not in log.read_text()


def test_over_tls_salesforces_certificate_opens_the_door(served):
    with served.session(client(), BETWEEN) as session:
        for _ in range(3):  # on one connection
            answer = served.post(session)
            assert (answer.status_code, answer.content) == (200, outbound_message.ACK)
    with served.wiring.engine.connect() as db:
        (seen,) = webhook_secrets.certificates(db)
    assert seen["subject"] == f"CN={NAME}"
    assert seen["not_after"] > datetime.now(UTC)


def test_over_tls_none_or_another_name_is_turned_away(served):
    with served.session() as session:
        answer = served.post(session)
        assert (answer.status_code, answer.content) == (401, b"")
        ready = session.get(f"https://localhost:{served.port}/readyz", timeout=20)
        assert ready.ok, "the other pages ask for none"
    with served.session(client("app.example.com"), BETWEEN) as session:
        assert served.post(session).status_code == 401


def test_over_tls_an_unknown_issuer_gets_no_connection(served):
    with (
        served.session(client(issuer=None)) as session,
        pytest.raises(requests.RequestException),
    ):
        served.post(session)


def test_callers_who_begin_no_tls_hold_up_nobody(served):
    """As many as there are threads, twice."""
    begun = (b"", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 99, *[b"\x16\x03\x01"] * 4)
    idle = [socket.create_connection(("127.0.0.1", served.port)) for _ in begun]
    for caller, some in zip(idle, begun, strict=True):
        caller.sendall(some)
    with served.session(client(), BETWEEN) as session:
        assert served.post(session).status_code == 200
    for caller in idle:
        caller.close()


def test_over_tls_who_stops_halfway_holds_up_nobody(served):
    context = ssl.create_default_context(cafile=str(served.folder / "ca.pem"))
    halves = []
    for _ in range(4):
        raw = socket.create_connection(("127.0.0.1", served.port))
        caller = context.wrap_socket(raw, server_hostname="localhost")
        caller.sendall(b"POST /hooks/outbound/x HTTP/1.1\r\nContent-Le")
        halves.append(caller)
    with served.session(client(), BETWEEN) as session:
        assert served.post(session).status_code == 200
    for caller in halves:
        with suppress(OSError):
            caller.close()


def test_over_tls_large_messages_come_whole(served):
    body = of_leads(*range(1, 400))
    url = f"https://localhost:{served.port}{door.PREFIX}{served.key}"
    with served.session(client(), BETWEEN) as session:
        assert session.post(url, data=body, timeout=30).status_code == 200
        chunks = (body[place : place + 999] for place in range(0, len(body), 999))
        assert session.post(url, data=chunks, timeout=30).status_code == 200


def test_over_tls_the_answer_comes_encrypted_though_the_body_stays_unread(served):
    with served.session() as session:
        url = f"https://localhost:{served.port}{door.PREFIX}{'x' * 43}"
        assert session.post(url, data=b"x" * 9999, timeout=20).status_code == 404
