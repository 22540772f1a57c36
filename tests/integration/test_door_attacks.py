"""Hostile callers at the door: refused soon, without harm to anybody else.

A server of its own, with few threads: whatever holds a thread is noticed.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from messages import ORG_ID, lead, message, notification, of_leads

from sidecar import keyring
from sidecar.intake import door, outbound_message
from sidecar.machine import Machine
from sidecar.mail import links
from sidecar.mail.links import Act, Link
from sidecar.settings import Settings
from sidecar.store import connections, database
from sidecar.wiring import Wiring

SESSION = "00D000000000001!AQ4AQFakeSessionFakeSessionFakeSessionFakeSession12345"
THREADS = 2
ONE = of_leads(1)


@dataclass
class Attacked:
    """The web application, on PostgreSQL and Redis of its own."""

    machine: Machine
    port: int
    key: str
    url: str

    @property
    def post_to(self) -> bytes:
        """The start of a request line."""
        return f"POST {door.PREFIX}{self.key}".encode()

    def request(self, body: bytes = ONE, *headers: bytes) -> bytes:
        """A whole request, after which the connection ends."""
        length = b"Content-Length: %d" % len(body)
        head = (self.post_to + b" HTTP/1.1", b"Host: x", length, b"Connection: close")
        return b"\r\n".join((*head, *headers, b"", body))

    def connect(self, sent: bytes = b"") -> socket.socket:
        """Connect, and send something."""
        caller = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        with suppress(OSError):  # it may have hung up on us
            caller.sendall(sent)
        return caller

    def exchange(self, sent: bytes) -> bytes:
        """Send, say that it was all, and read until the server hangs up."""
        answer = b""
        with self.connect(sent) as caller, suppress(ConnectionError):
            with suppress(OSError):
                caller.shutdown(socket.SHUT_WR)
            while got := caller.recv(65536):
                answer += got
        return answer

    def post(self, body: bytes, *, key: str | None = None) -> requests.Response:
        """Send a message as Salesforce does."""
        url = f"http://127.0.0.1:{self.port}{door.PREFIX}{key or self.key}"
        return requests.post(url, data=body, timeout=20)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Ask the database."""
        with psycopg.connect(self.url) as db:
            return db.execute(query).fetchall()


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    machine = Machine(tmp_path_factory.mktemp("attacked"))
    url, redis_url = machine.start_postgres("door"), machine.start_redis()
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
    wiring.engine.dispose()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = os.environ | {
        "SIDECAR_DATABASE_URL": url,
        "SIDECAR_REDIS_URL": redis_url,
        "SIDECAR_DEMO": "true",
    }
    command = [sys.executable, "-m", "sidecar", "web", "--processes", "1"]
    command += ["--bind", f"127.0.0.1:{port}", "--threads", str(THREADS)]
    log = machine.directory / "web.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environ, stdout=out, stderr=out)
    try:
        machine.wait_for(
            "web", lambda: requests.get(f"http://127.0.0.1:{port}/readyz").ok
        )
        yield Attacked(machine, port, key, url)
    finally:
        process.terminate()
        process.wait(40)
        machine.stop()
    told = log.read_text(errors="replace")
    assert "Traceback" not in told
    assert SESSION not in told, "a session was logged"
    assert key not in told, "a hook key was logged"


@pytest.fixture(autouse=True)
def _the_others_are_served(attacked: Attacked) -> Iterator[None]:
    """Whatever a test does, the next caller is acknowledged."""
    yield
    assert attacked.post(ONE).content == outbound_message.ACK


# --- requests that are none ---


CHUNKED = b"Host: x\r\nTransfer-Encoding: chunked\r\n\r\n"
HTTP = b" HTTP/1.1\r\n"
MALFORMED: dict[str, bytes] = {
    "length and chunks": HTTP + b"Content-Length: 5\r\n" + CHUNKED + b"0\r\n\r\n",
    "two lengths": HTTP + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "a superscript as length": HTTP + b"Content-Length: \xb2\r\n\r\nxx",
    "a length of 5,000 digits": HTTP + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "a negative length": HTTP + b"Content-Length: -1\r\n\r\n",
    "an unknown coding": HTTP + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a chunk's size that is none": HTTP + CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n",
    "a chunk's size without end": HTTP + CHUNKED + b"f" * 20_000,
    "a chunk of 2^80 bytes": HTTP + CHUNKED + b"f" * 20 + b"\r\nabc",
    "a chunk that goes on": HTTP + CHUNKED + b"3\r\nabcX\r\n0\r\n\r\n",
    "a trailer without colon": HTTP + CHUNKED + b"1\r\na\r\n0\r\nnone\r\n\r\n",
    "a length as trailer": HTTP + CHUNKED + b"0\r\nContent-Length: 3\r\n\r\n",
    "many trailers": HTTP + CHUNKED + b"0\r\n" + b"A: b\r\n" * 300 + b"\r\n",
    "a header without colon": HTTP + SESSION.encode() + b"\r\n\r\n",
    "a folded header": HTTP + b"A: b\r\n c\r\n\r\n",
    "bare line feeds": b" HTTP/1.1\nHost: x\n\n",
    "a huge header": HTTP + b"A: " + b"x" * 100_000 + b"\r\n\r\n",
    "many headers": HTTP + b"A: b\r\n" * 5000 + b"\r\n",
    "an unknown version": b" HTTP/9.9\r\n\r\n",
    "no version": b" FOO\r\n\r\n",
    "a word too many": b" x HTTP/1.1\r\n\r\n",
    "no version at all": b"\r\n\r\n",
    "a null in the path": b"\x00 HTTP/1.1\r\n\r\n",
    "another expectation": HTTP + b"Expect: x\r\n\r\n",
    "HTTP/1.0 without a length": b" HTTP/1.0\r\n\r\n" + ONE,
    "a very long address": b"a" * 80_000 + HTTP + b"\r\n",
}


@pytest.mark.parametrize("shape", MALFORMED)
def test_what_is_no_request_is_refused_and_not_repeated(
    attacked: Attacked, shape: str
) -> None:
    """Neither in the answer nor (see the fixture's end) in the log."""
    answer = attacked.exchange(attacked.post_to + MALFORMED[shape])

    assert answer[:10] == b"HTTP/1.1 4" or answer[:10] == b"HTTP/1.0 4"
    assert b"Ack" not in answer
    assert attacked.key.encode() not in answer
    assert SESSION.encode() not in answer


def test_pipelined_messages_are_each_acknowledged(attacked: Attacked) -> None:
    kept = attacked.request().replace(b"Connection: close\r\n", b"")

    answer = attacked.exchange(kept * 3 + attacked.request())
    assert answer.count(b"HTTP/1.1 200 OK") == 4


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"HTTP/1.1", b"HTTP/1.0"),
        (b"Host: x", b"Host: x\r\nExpect: 100-continue"),
        (b"Host: x", b"Host: x\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA"),
        (b"POST /", b"POST http://example.org/"),
        (b" HTTP", b"?a=%00 HTTP"),
    ],
)
def test_unusual_but_right_requests_are_acknowledged(
    attacked: Attacked, before: bytes, after: bytes
) -> None:
    answer = attacked.exchange(attacked.request().replace(before, after, 1))
    assert outbound_message.ACK in answer


@pytest.mark.parametrize(
    "path",
    [
        "//hooks/outbound/{}",
        "/hooks/outbound/{}/",
        "/hooks/outbound/{}%00",
        "/hooks/outbound/../outbound/{}",
        "/hooks/outbound//{}",
        "/Hooks/outbound/{}",
    ],
)
def test_an_address_is_taken_as_it_is_or_not_at_all(
    attacked: Attacked, path: str
) -> None:
    there = path.format(attacked.key).encode()
    here = f"{door.PREFIX}{attacked.key}".encode()

    answer = attacked.exchange(attacked.request().replace(here, there, 1))
    assert answer.startswith(b"HTTP/1.1 404 ")


PIECES = st.sampled_from(
    [
        b"\r\n",
        b"\n",
        b"\r",
        b":",
        b" ",
        b"\0",
        b"%",
        b"%00",
        b"/",
        b"?",
        b"#",
        b"\xff",
        b"0",
        b"-",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 1\r\n",
        b"<",
    ]
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_bytes_are_answered_without_a_5xx(
    attacked: Attacked, data: st.DataObject
) -> None:
    request = bytearray(attacked.request())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, 260))
        piece = data.draw(st.one_of(st.binary(max_size=5), PIECES))
        request[place : place + data.draw(st.integers(0, 8))] = piece
    answer = attacked.exchange(bytes(request))
    assert not answer.startswith((b"HTTP/1.1 5", b"HTTP/1.0 5"))


# --- requests to pages ---


@pytest.fixture(scope="module")
def preferences(attacked: Attacked) -> bytes:
    """The address of a page with a form, as it stands in a mail."""
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    link = Link(Act.PREFERENCES, 1, "005000000000001AAA", "en_US", until)
    ring = Wiring(Settings(demo=True)).keyring
    return f"{links.PREFIX}{links.token(link, ring)}".encode()


BROKEN_BODIES = [shape for shape in MALFORMED if "chunk" in shape or "trailer" in shape]


@pytest.mark.parametrize("shape", BROKEN_BODIES)
def test_a_form_whose_body_lies_is_refused(
    attacked: Attacked, preferences: bytes, shape: str
) -> None:
    form = b"\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    broken = MALFORMED[shape].replace(b"\r\n", form, 1)

    answer = attacked.exchange(b"POST " + preferences + broken)
    assert answer[:10] in {b"HTTP/1.1 4", b"HTTP/1.0 4"}
    assert answer.count(b"HTTP/1.") == 1, "the rest was taken for another request"


def test_a_form_is_short(attacked: Attacked, preferences: bytes) -> None:
    url = f"http://127.0.0.1:{attacked.port}{preferences.decode()}"
    form = {"mails": "all", "note": "x" * 70_000}

    assert requests.post(url, data={"mails": "all"}, timeout=20).status_code == 200
    with suppress(requests.ConnectionError):
        assert requests.post(url, data=form, timeout=20).status_code == 413


@pytest.mark.parametrize("end", ["//", "/", "%00", "%ff", "%2F", "/..", ";a", "\\"])
def test_the_address_of_a_page_is_taken_as_it_is_or_not_at_all(
    attacked: Attacked, preferences: bytes, end: str
) -> None:
    """Nobody is sent on to another address: the host in it would be the caller's."""
    path = preferences + end.encode()

    answer = attacked.exchange(b"GET " + path + b" HTTP/1.1\r\nHost: evil\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404 ")


_HEADERS = st.sampled_from(
    [
        *(b"Host", b"Cookie", b"Origin", b"Sec-Fetch-Site", b"Range", b"Content-Type"),
        *(b"If-Modified-Since", b"If-None-Match", b"Accept-Language", b"Forwarded"),
        *(b"X-Forwarded-Host", b"X-Forwarded-Proto", b"X-HTTP-Method-Override"),
    ]
)
_PATHS = st.sampled_from(
    [
        *(b"/healthz", b"/readyz", b"/openapi.json", b"/console/static/act.css", b"/"),
        *(b"/oauth/callback", b"/oauth/callback?state=%ff", b"/oauth/start/a", b"/m/a"),
    ]
)


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    method=st.sampled_from([b"GET", b"POST", b"HEAD", b"OPTIONS", b"PUT", b"FOO"]),
    path=st.none() | _PATHS,
    more=st.binary(max_size=8) | PIECES,
    lines=st.lists(st.tuples(_HEADERS, st.binary(max_size=40)), max_size=3),
    body=st.binary(max_size=60),
)
def test_whatever_is_asked_of_a_page_it_is_answered_without_a_5xx(
    attacked: Attacked,
    preferences: bytes,
    method: bytes,
    path: bytes | None,
    more: bytes,
    lines: list[tuple[bytes, bytes]],
    body: bytes,
) -> None:
    head = [
        method + b" " + (path or preferences) + more + b" HTTP/1.1",
        b"Host: x",
        b"Connection: close",
        b"Content-Length: %d" % len(body),
        *(name + b": " + value for name, value in lines),
    ]
    answer = attacked.exchange(b"\r\n".join((*head, b"", body)))
    assert not answer.startswith((b"HTTP/1.1 5", b"HTTP/1.0 5"))


# --- callers that stop halfway ---


def _halves(attacked: Attacked) -> dict[str, bytes]:
    whole = attacked.request()
    stranger = keyring.new_hook_key().encode()
    return {
        "nothing": b"",
        "half a head": whole[:40],
        "half a body": whole[:-100],
        "half a body to nobody": whole[:-100].replace(attacked.key.encode(), stranger),
        "half a body to a page": whole[:-100].replace(attacked.post_to, b"POST /x"),
        "an answer not waited for": b"GET /x HTTP/1.1\r\nConnection: close\r\n\r\n",
        "no request": b"no request\r\n\r\n",
    }


@pytest.mark.parametrize(
    "half",
    [
        "nothing",
        "half a head",
        "half a body to nobody",
        "half a body to a page",
        "an answer not waited for",
        "no request",
    ],
)
def test_a_hundred_strangers_who_stop_halfway_stop_nobody_else(
    attacked: Attacked, half: str
) -> None:
    """Each thread would be taken fifty times: an answer in 20 s needs a free one."""
    with ExitStack() as stalled:
        for _ in range(50 * THREADS):
            stalled.enter_context(attacked.connect(_halves(attacked)[half]))
        assert attacked.post(ONE).status_code == 200


def test_stalled_bodies_give_way_when_others_wait(attacked: Attacked) -> None:
    """Even of callers who know the address."""
    with ExitStack() as stalled:
        for _ in range(3 * THREADS):
            half = _halves(attacked)["half a body"]
            stalled.enter_context(attacked.connect(half))
        assert attacked.post(ONE).status_code == 200


def test_more_silent_connections_than_we_hold_leave_room_for_others(
    attacked: Attacked,
) -> None:
    with ExitStack() as silent:
        for _ in range(1000):
            silent.enter_context(attacked.connect())
        assert attacked.post(ONE).status_code == 200


def test_a_message_that_comes_in_small_pieces_is_kept(attacked: Attacked) -> None:
    """Half a head is no fault, as long as the other half comes."""
    whole = attacked.request()
    with attacked.connect() as caller:
        for place in range(0, len(whole), 150):
            caller.sendall(whole[place : place + 150])
        assert b" 200 " in caller.recv(4096)


# --- messages that are too much ---


def _too_much() -> dict[str, Callable[[], bytes]]:
    head, _, tail = ONE.partition(b"   <Notification>")
    tail = tail[tail.index(b"  </notifications>") :]
    action = b"04k000000000001AAA"
    some = message(notification(n, lead(n)) for n in range(100))
    return {
        "notifications": lambda: head + b"<Notification/>" * 650_000 + tail,
        "an action": lambda: some.replace(action, b"k" * 5_000_000),
        "depth": lambda: b"<a>" * 3_000_000,
        "signs": lambda: b"<" * 9_000_000,
        "sessions": lambda: b"<SessionId>" * 800_000,
        "nulls": lambda: b"\0" * 9_000_000,
        "an org": lambda: ONE.replace(ORG_ID.encode(), b"0" * 5_000_000),
    }


@pytest.mark.parametrize("much", _too_much())
def test_too_much_is_refused_and_others_are_served_meanwhile(
    attacked: Attacked, much: str
) -> None:
    body = _too_much()[much]()
    with ThreadPoolExecutor(1) as aside:
        refusal = aside.submit(attacked.post, body)
        assert attacked.post(ONE).status_code == 200
        answer = refusal.result()
    assert answer.status_code in {400, 403}
    assert b"Fault" in answer.content
    assert len(answer.content) < 1000


def test_notifications_are_taken_up_to_the_byte_limit_and_empty_ones_are_not(
    attacked: Attacked,
) -> None:
    """A hundred by contract; whoever sends more is heard, unless it is a flood."""
    short = (
        '<Notification><Id>04l{0:012}</Id><sObject xsi:type="sf:Lead" xmlns:sf="urn:'
        'sobject.enterprise.soap.sforce.com"><sf:Id>00Q{0:012}</sf:Id></sObject>'
        "</Notification>"
    )
    many = message(short.format(n) for n in range(700_000, 720_000))
    flood = message(["<Notification/>"] * (outbound_message.NOTIFICATIONS_TAKEN + 1))

    assert attacked.post(many).status_code == 200
    kept = "SELECT count(*) FROM event WHERE notification_id LIKE '04l0000007_____AAA'"
    assert attacked.rows(kept) == [(20_000,)]
    assert attacked.post(flood).status_code == 400


def test_an_id_twice_in_one_message_is_one_event(attacked: Attacked) -> None:
    part = notification(71_999, lead(71_999))

    assert attacked.post(message([part] * 50)).status_code == 200
    kept = "SELECT count(*) FROM event WHERE notification_id LIKE '04l000000071999%'"
    assert attacked.rows(kept) == [(1,)]


# --- the database and Redis go away ---


_NEEDING_POSTGRES = ("/readyz", "/oauth/start/x")


def test_without_postgres_nothing_is_acknowledged_and_it_recovers_by_itself(
    attacked: Attacked,
) -> None:
    server = attacked.machine._postgres
    assert server is not None
    pid = server.get_pid()
    assert pid is not None
    os.kill(pid, signal.SIGQUIT)  # as a crash: nothing is tidied up
    attacked.machine.wait_for(
        "postgres's end", lambda: not Path(f"/proc/{pid}").exists()
    )
    try:
        answers = [attacked.post(of_leads(80_001)) for _ in range(2 * THREADS)]
        stranger = attacked.post(ONE, key=keyring.new_hook_key())
        here = f"http://127.0.0.1:{attacked.port}"
        pages = [requests.get(here + path, timeout=20) for path in _NEEDING_POSTGRES]
    finally:
        server.start()
    assert {answer.status_code for answer in answers} == {503}
    assert all(b"Fault" in answer.content for answer in answers)
    assert stranger.status_code == 503
    assert [page.status_code for page in pages] == [503, 503]

    # Each thread had a connection that is dead: one failure each, at most.
    after = [attacked.post(of_leads(80_001)) for _ in range(4 * THREADS)]
    assert [answer.status_code for answer in after] == [200] * len(after)
    kept = "SELECT count(*) FROM event WHERE notification_id LIKE '04l000000080001%'"
    assert attacked.rows(kept) == [(1,)]


def test_without_redis_a_message_is_acknowledged_all_the_same(
    attacked: Attacked,
) -> None:
    (redis,) = (child for child in attacked.machine.children if child.name == "redis")
    assert redis.process is not None
    redis.process.kill()
    redis.process.wait()

    answers = [attacked.post(of_leads(number)) for number in range(81_000, 81_010)]
    assert {answer.status_code for answer in answers} == {200}
