"""The door for outbound messages, through gunicorn and real sockets."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psycopg
import pytest
import requests
from messages import (
    ORG_ID,
    lead,
    lead_id,
    message,
    notification,
    notification_id,
    of_leads,
)

from sidecar import keyring
from sidecar.intake import door, outbound_message
from sidecar.intake.brake import LIMIT
from sidecar.machine import Machine
from sidecar.settings import Settings
from sidecar.store import connections, database, inbox, quarantine
from sidecar.wiring import Wiring

SESSION = "00D000000000001!AQ4AQFakeSessionFakeSessionFakeSessionFakeSession12345"


@dataclass
class Served:
    """The web application as Salesforce meets it."""

    host: str
    port: int
    key: str
    wiring: Wiring
    connection_id: int

    def post(self, body: bytes, *, key: str | None = None) -> requests.Response:
        """Send a message as Salesforce does."""
        headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
        url = f"http://{self.host}:{self.port}{door.PREFIX}{key or self.key}"
        return requests.post(url, data=body, headers=headers, timeout=20)

    def events(self, *numbers: int) -> list[inbox.Event]:
        """The events of leads with these numbers, in the order they were kept."""
        ids = [lead_id(number) for number in numbers]
        with self.wiring.engine.connect() as db:
            found = inbox.listing(db, keyring=self.wiring.keyring, limit=10_000)
        return [event for event in reversed(found) if event.record_id in ids]

    def refused(self) -> list[dict[str, object]]:
        """What the quarantine holds, with bodies."""
        with self.wiring.engine.connect() as db:
            rows = quarantine.listing(db, limit=1000)
            for row in rows:
                row["body"] = quarantine.body(
                    db, int(str(row["id"])), keyring=self.wiring.keyring
                )
        return rows


@pytest.fixture(scope="module")
def served(
    machine: Machine, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    url = machine.start_postgres("door")
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
        connection_id = connections.add(db, new, keyring=wiring.keyring)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = os.environ | {
        "SIDECAR_DATABASE_URL": url,
        "SIDECAR_REDIS_URL": redis_url,
        "SIDECAR_DEMO": "true",
    }
    log = tmp_path_factory.mktemp("web") / "web.log"
    command = [sys.executable, "-m", "sidecar", "web", "--bind", f"127.0.0.1:{port}"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environ, stdout=out, stderr=out)
        machine.wait_for(
            "web", lambda: requests.get(f"http://127.0.0.1:{port}/readyz").ok
        )
        yield Served("127.0.0.1", port, key, wiring, connection_id)
        process.terminate()
        process.wait(20)
    wiring.engine.dispose()
    told = log.read_text()
    assert "Traceback" not in told
    assert SESSION not in told, "a session was logged"
    assert key not in told, "a hook key was logged"


def test_what_is_stored_is_answered_with_the_exact_ack(served: Served) -> None:
    """Promise 1: status 200, text/xml, the Ack document."""
    answer = served.post(of_leads(1))

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/xml; charset=UTF-8"
    assert answer.content == outbound_message.ACK
    assert [event.state for event in served.events(1)] == ["waiting"]


def test_ack_is_said_only_after_the_commit(served: Served) -> None:
    """Promise 2: while somebody holds the table, nobody is acknowledged."""
    url = served.wiring.settings.database_url
    with psycopg.connect(url) as blocker:
        blocker.execute("LOCK TABLE event IN ACCESS EXCLUSIVE MODE")
        body = of_leads(2)
        with socket.create_connection((served.host, served.port)) as caller:
            caller.sendall(_request(served.key, body))
            caller.settimeout(0.7)
            with pytest.raises(TimeoutError):
                caller.recv(1)
            blocker.rollback()
            caller.settimeout(20)
            assert b" 200 " in caller.recv(4096)
    assert len(served.events(2)) == 1


def test_a_repeated_notification_is_acknowledged_and_runs_nothing(
    served: Served,
) -> None:
    """Promise 3."""
    answers = [served.post(of_leads(3)) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(served.events(3)) == 1


def test_one_unusable_notification_does_not_stop_the_other_99(served: Served) -> None:
    """Promise 4."""
    numbers = range(400, 500)
    parts = [notification(number, lead(number)) for number in numbers]
    parts[50] = parts[50].replace('xsi:type="sf:Lead"', 'xsi:type="sf:"')

    assert served.post(message(parts)).status_code == 200
    states = [event.state for event in served.events(*numbers)]
    assert states.count("waiting") == 99
    assert states.count("dead") == 1
    dead = next(event for event in served.events(*numbers) if event.state == "dead")
    assert "not one of Salesforce's" in str(dead.error)
    assert dead.notification_id.startswith(notification_id(450))


def test_the_reason_for_a_refusal_is_kept_and_can_be_found(served: Served) -> None:
    """Promise 5: by organisation, action and notification id."""
    other = message([notification(5, lead(5))], org_id="00D000000000009EAA")

    assert served.post(other).status_code == 403
    (row,) = [row for row in served.refused() if row["org_id"] == "00D000000000009EAA"]
    assert row["kind"] == "wrong_org"
    assert row["action_id"] == "04k000000000001AAA"
    assert row["notification_ids"] == [notification_id(5) + "AAA"]


def test_we_dedupe_on_org_and_notification_id_never_on_record_or_time(
    served: Served,
) -> None:
    """Promise 11: two quick edits of one record are two events."""
    first = notification(11, lead(11))
    second = notification(1011, lead(11, "Contacted"))

    served.post(message([first]))
    served.post(message([second]))
    assert len(served.events(11)) == 2


def test_a_storm_of_one_record_is_acknowledged_kept_and_waits(served: Served) -> None:
    """Promise 15: a flow that sets itself off is not worked on as fast as it turns."""
    parts = [notification(5000 + number, lead(5000)) for number in range(LIMIT + 2)]

    assert served.post(message(parts)).status_code == 200

    kept = served.events(5000)
    assert {item.state for item in kept} == {"waiting"}
    assert ["storm" in (item.error or "") for item in kept[-3:]] == [False, True, True]


@pytest.mark.parametrize("size", [1, 2, 99, 100, 150])
def test_a_message_with_n_notifications_makes_n_events(
    served: Served, size: int
) -> None:
    """Promises 12 and 17: one code path for one and for many."""
    numbers = range(12_000 + size * 1000, 12_000 + size * 1000 + size)

    assert served.post(of_leads(*numbers)).status_code == 200
    assert len(served.events(*numbers)) == size


def test_a_message_of_ten_megabytes_is_read_whole(served: Served) -> None:
    """Promise 19, first half."""
    body = message(
        notification(number, lead(number, Description="x" * 95_000))
        for number in range(19_000, 19_100)
    )
    assert 9_000_000 < len(body) < 10 * 1024 * 1024

    assert served.post(body).status_code == 200
    kept = served.events(*range(19_000, 19_100))
    assert [len(event.fields["Description"]) for event in kept] == [95_000] * 100


def test_a_longer_message_is_refused_clearly(served: Served) -> None:
    """Promise 19, second half; with Content-Length, and without."""
    head = _head(served.key) + b"Content-Length: 999999999\r\n\r\n"
    assert b" 413 " in _exchange(served, head + b"<")

    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    chunked = _head(served.key) + b"Transfer-Encoding: chunked\r\n\r\n"
    assert b" 413 " in _exchange(served, chunked + chunk * 170 + b"0\r\n\r\n")
    kinds = [row["kind"] for row in served.refused()]
    assert "too_long" in kinds


def test_what_is_not_xml_is_refused_with_a_reason_and_kept(served: Served) -> None:
    """Promise 22."""
    answer = served.post(b"<not-xml<<<<>>")

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "text/xml; charset=UTF-8"
    assert b"line 1, column" in answer.content
    assert b"Ack" not in answer.content
    assert "<not-xml<<<<>>" in [row["body"] for row in served.refused()]


def test_15_and_18_characters_are_the_same_org(served: Served) -> None:
    """Promise 23."""
    short = message([notification(23, lead(23))], org_id=ORG_ID[:15])

    assert served.post(short).status_code == 200
    assert served.events(23)[0].org_id == ORG_ID


def test_a_document_type_is_refused(served: Served) -> None:
    """Promise 24."""
    bomb = of_leads(24).replace(b"?>", b'?><!DOCTYPE x [<!ENTITY a "b">]>', 1)

    answer = served.post(bomb)
    assert answer.status_code == 400
    assert b"document type" in answer.content
    assert served.events(24) == []


def test_an_unknown_address_is_404_empty_and_the_body_is_not_read(
    served: Served,
) -> None:
    """Promise 25: a stranger's bytes reach no parser."""
    unknown = keyring.new_hook_key()
    answer = served.post(of_leads(25), key=unknown)
    assert (answer.status_code, answer.content) == (404, b"")

    # Ten gigabytes are announced, one byte comes: the answer does not wait for it.
    head = _head(unknown) + b"Content-Length: 9999999999\r\n\r\n<"
    assert b" 404 " in _exchange(served, head)
    assert served.events(25) == []


@pytest.mark.parametrize("key", ["", "x", "../../etc", "a" * 4000, "%00", "ä"])
def test_an_odd_address_is_404(served: Served, key: str) -> None:
    """Promise 25: nothing a stranger sends causes a 5xx."""
    url = f"http://{served.host}:{served.port}{door.PREFIX}{key}"
    assert requests.post(url, data=b"x", timeout=5).status_code == 404


def test_a_sandbox_copy_is_quarantined_and_never_run(served: Served) -> None:
    """Promise 26; repeats of the same message are counted, not stored again."""
    copy = message([notification(26, lead(26))], org_id="00D000000000026EAA")

    for _ in range(3):
        answer = served.post(copy)
        assert answer.status_code == 403
        assert b"<Ack>" not in answer.content
    (row,) = [row for row in served.refused() if row["org_id"] == "00D000000000026EAA"]
    assert str(row["reason"]).startswith("looks like a copy of your org")
    assert row["seen"] == 3
    assert served.events(26) == []


def test_sessions_are_dropped_and_secrets_masked(served: Served) -> None:
    """Promise 27: neither kept, nor logged (see the fixture's end)."""
    session = f"<SessionId>{SESSION}</SessionId>"
    fields = lead(27, Api_Password__c="hunter2", Note__c=f"see {SESSION} there")
    good = message([notification(27, fields)], session=session)
    bad = good.replace(b"</soapenv:Envelope>", b"")

    assert served.post(good).status_code == 200
    assert served.post(bad).status_code == 400
    kept = str([event.fields for event in served.events(27)]) + str(served.refused())
    assert "hunter2" not in kept
    assert SESSION not in kept
    assert "see *** there" in kept


def test_only_post_is_taken(served: Served) -> None:
    url = f"http://{served.host}:{served.port}{door.PREFIX}{served.key}"
    for method in ("GET", "PUT", "DELETE", "HEAD", "OPTIONS"):
        answer = requests.request(method, url, timeout=5)
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "POST"


def test_a_body_cut_short_is_not_acknowledged(served: Served) -> None:
    body = of_leads(30)
    with socket.create_connection((served.host, served.port)) as caller:
        caller.sendall(_request(served.key, body)[:-100])
        caller.shutdown(socket.SHUT_WR)
        assert b" 200 " not in caller.recv(4096)
    assert served.events(30) == []


def test_the_address_of_a_slow_sender_does_not_stop_the_others(
    served: Served,
) -> None:
    """Promise 7: each of a few stalled bodies holds one thread, no more."""
    stalled = [socket.create_connection((served.host, served.port)) for _ in range(6)]
    try:
        for caller in stalled:
            caller.sendall(_request(served.key, of_leads(31))[:-100])
        time.sleep(0.2)
        assert served.post(of_leads(32)).status_code == 200
    finally:
        for caller in stalled:
            caller.close()


def _head(key: str) -> bytes:
    return (
        f"POST {door.PREFIX}{key} HTTP/1.1\r\nHost: x\r\n"
        "Content-Type: text/xml; charset=UTF-8\r\n"
    ).encode()


def _request(key: str, body: bytes) -> bytes:
    return _head(key) + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def _exchange(served: Served, sent: bytes) -> bytes:
    with socket.create_connection((served.host, served.port)) as caller:
        caller.settimeout(10)
        with suppress(OSError):  # it hangs up on us, as it should
            caller.sendall(sent)
        try:
            return caller.recv(4096)
        except ConnectionResetError:
            return b""
