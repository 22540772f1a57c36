"""Canaries in every input, a whole life, an erasure: and then none is found anywhere."""

import base64
import json
import os
import secrets as random
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTPUTF8
from pathlib import Path
from typing import Any

import events_sent
import pytest
import signing
import structlog
from aiosmtpd.controller import Controller
from click.testing import CliRunner
from messages import lead, message, notification
from sqlalchemy import select, text

from sidecar import logs
from sidecar.cli import cli
from sidecar.demo import stage
from sidecar.errors import Permanent
from sidecar.intake import door, webhook
from sidecar.salesforce.ids import to_18
from sidecar.store import inbox, rotation, webhook_secrets
from sidecar.store.tables import person
from sidecar.store.webhook_secrets import Kind, NewSecret
from sidecar.web import create_app

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


def canary(kind: str) -> str:
    """A word that is nowhere else."""
    return f"canary{kind}{random.token_hex(6)}"


@dataclass
class Somebody:
    """Somebody referred, each of whose words is theirs alone."""

    first: str = field(default_factory=lambda: canary("First"))
    last: str = field(default_factory=lambda: canary("Last"))
    company: str = field(default_factory=lambda: canary("Company"))
    phone: str = field(default_factory=lambda: f"+49 30 {random.randbelow(10**14):014}")
    notes: str = field(default_factory=lambda: canary("Notes"))
    email: str = field(default_factory=lambda: f"{canary('Mail').lower()}@example.com")
    record_id: str = ""

    def fields(self) -> dict[str, str]:
        return {
            "FirstName": self.first,
            "LastName": self.last,
            "Company": self.company,
            "Phone": self.phone,
            "Email": self.email,
        }

    def words(self) -> list[str]:
        return [self.first, self.last, self.company, self.phone, self.notes, self.email]


class Reader:
    """The reps' mail server; it refuses one mail, and quotes what it refuses."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.refuse: list[str] = []

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802
        if self.refuse:
            return f"451 4.7.1 not now: {self.refuse.pop()}"
        mail = message_from_bytes(envelope.content, policy=SMTPUTF8)
        body = mail.get_body(("plain",))
        self.mails.append(f"{mail['Subject']}\n{body.get_content()}")
        return "250 taken"


@contextmanager
def reading(handler: Reader) -> Iterator[int]:
    controller = Controller(handler, hostname="127.0.0.1", port=0)

    class Loopback(type(controller)):  # type: ignore[misc]
        def _trigger_server(self) -> None:
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    controller.__class__ = Loopback
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


class Life:
    """A service with its doors, an org behind it, and a command line."""

    def __init__(self, wiring, org, port, machine) -> None:
        self.wiring, self.org, self.machine = wiring, org, machine
        wiring.settings = replace(
            wiring.settings,
            ca_file=Path(org.ca_file),
            smtp_url=f"smtp://127.0.0.1:{port}",
        )
        self.connection_id, url = stage.connect(wiring, org)
        self.key = url.rpartition("/")[2]
        self.web = create_app(wiring).test_client()
        self.number = 0
        self.began = time.time() - 1
        self.said: list[str] = []
        with wiring.engine.begin() as db:
            new = NewSecret(self.connection_id, Kind.STANDARD_WEBHOOKS, SECRET)
            webhook_secrets.add(db, new, now=wiring.now(), keyring=wiring.keyring)

    def meet(self, somebody: Somebody) -> None:
        """Enter them into the org."""
        made = stage.client(self.org).restful(
            "sobjects/Lead",
            method="POST",
            json={
                **somebody.fields(),
                "OwnerId": self.org.user_ids[self.org.reps[0]],
                "Referral_Status__c": "Submitted",
                "Referrer_Name__c": "Mira Sample",
                "Referral_Notes__c": somebody.notes,
            },
        )
        somebody.record_id = to_18(made["id"])

    def told(self, somebody: Somebody, status: str, **more: str) -> str:
        """A message; each tells of a later hour, and of one after what is read back."""
        self.number += 1
        at = self.wiring.now() + timedelta(hours=self.number)
        told = lead(1, status, **somebody.fields())
        told |= {
            "Id": somebody.record_id,
            "Referral_Key__c": somebody.record_id,
            "OwnerId": self.org.user_ids[self.org.reps[0]],
            "SystemModstamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "Referral_Notes__c": somebody.notes,
        }
        return notification(self.number, told | more)

    def hear(self, *parts: str, org_id: str = "") -> int:
        body = message(parts, org_id=org_id or self.org.org_id)
        return self.post(door.PREFIX, body)

    def post(self, prefix: str, body: bytes, **headers: str) -> int:
        answer = self.web.post(prefix + self.key, data=body, headers=headers)
        self.said.append(answer.text)
        return answer.status_code

    def announce(self, somebody: Somebody) -> int:
        """A signed platform event, with more in it than anybody asked for."""
        values = events_sent.CHANGE | {
            "Record_Id__c": somebody.record_id,
            "Referral_Key__c": somebody.record_id,
            "Comment__c": f"{somebody.first} {somebody.notes} {somebody.email}",
        }
        body = json.dumps(events_sent.pub_sub(values, uuid=random.token_hex(8)))
        headers = signing.standard(
            SECRET,
            body.encode(),
            message_id=random.token_hex(8),
            at=self.wiring.now().timestamp(),
        )
        return self.post(webhook.PREFIX, body.encode(), **headers)

    def process(self) -> None:
        """Decide about what came."""
        with self.wiring.engine.connect() as db:
            for ids in inbox.due(db, now=self.wiring.now()).values():
                self.wiring.doorbell.ring(ids)
                self.wiring.process(ids)

    def work(self) -> None:
        """Decide about what came, ring, and do what is due."""
        self.process()
        for kind in ("task", "email"):
            self.wiring.doorbell.ring_to_deliver(self.connection_id, kind)
            self.wiring.deliver(self.connection_id, kind)

    def run(self, *words: str) -> str:
        environ = {
            "SIDECAR_DATABASE_URL": self.wiring.settings.database_url,
            "SIDECAR_REDIS_URL": self.wiring.settings.redis_url,
            "SIDECAR_DEMO": "true",
        }
        result = CliRunner().invoke(cli, list(words), env=environ)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.output

    def lists(self) -> str:
        return "\n".join(
            [
                self.run("events", "list", "--json"),
                self.run("events", "list", "--quarantined", "--json"),
                self.run("followups", "list", "--json"),
                self.run("audit", "list", "--json"),
            ]
        )

    # --- where a canary could be ----------------------------------------------------

    def files(self) -> Iterator[Path]:
        """What PostgreSQL has written since: tables, its log of changes, its lines."""
        with self.wiring.engine.connect() as db:
            db.execution_options(isolation_level="AUTOCOMMIT").execute(
                text("CHECKPOINT")
            )
        for path in (self.machine.directory / "postgres").rglob("*"):
            try:
                if path.is_file() and path.stat().st_mtime >= self.began:
                    yield path
            except FileNotFoundError:
                continue  # the server tidies up

    def in_files(self, words: list[str]) -> set[str]:
        found = set()
        for path in self.files():
            content = path.read_bytes()
            found |= {word for word in words if word.encode() in content}
        return found

    def redis(self) -> str:
        """Every value in Redis; RQ presses its jobs."""
        told = []
        client = self.wiring.redis
        for key in client.scan_iter():
            match client.type(key):
                case b"hash":
                    values = [*client.hgetall(key).items()]
                case b"list":
                    values = client.lrange(key, 0, -1)
                case b"zset":
                    values = client.zrange(key, 0, -1)
                case b"set":
                    values = list(client.smembers(key))
                case _:
                    values = [client.get(key)]
            told.append(str(key))
            for value in values:
                parts = value if isinstance(value, tuple) else (value,)
                told += map(_unpressed, parts)
        return "\n".join(told)

    def opened(self) -> str:
        """All that any key that is left opens, in every sealed column."""
        ring = self.wiring.keyring
        told = []
        with self.wiring.engine.connect() as db:
            keys = [
                ring.unwrap(sealed)
                for sealed in db.scalars(select(person.c.key_sealed)).all()
                if sealed
            ]
            for table, column in rotation.sealed_columns():
                for sealed in db.scalars(select(column).select_from(table)):
                    told += _opened(sealed, [ring, *keys]) if sealed else []
        return "\n".join(told)


def _unpressed(value: bytes) -> str:
    try:
        return zlib.decompress(value).decode("utf-8", "replace")
    except zlib.error:
        return value.decode("utf-8", "replace")


def _opened(sealed: str, rings: list[Any]) -> list[str]:
    """Open a text, and whatever sealed text is in it."""
    for ring in rings:
        try:
            content = ring.open(sealed)
        except Permanent:
            continue
        return [content, *(_opened(content, rings) if content[:5] == "gAAAA" else [])]
    return []


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def life(wiring, org, machine, reader) -> Iterator[Life]:
    with reading(reader) as port:
        yield Life(wiring, org, port, machine)


@pytest.fixture
def lines(tmp_path) -> Iterator[Path]:
    """Everything that is logged, as a service logs it."""
    import logging

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    path = tmp_path / "log"
    with path.open("w") as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", file)
        logs.configure("json")
        yield path
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_no_canary_is_found_anywhere(life, lines, reader):
    ada, bob = Somebody(), Somebody()
    for somebody in (ada, bob):
        life.meet(somebody)
    # As an outbound message, with a repeat; as a signed event, which is read back.
    first = life.told(ada, "Submitted")
    assert life.hear(first, life.told(bob, "Submitted"))
    assert life.hear(first) == 200
    life.work()
    assert life.announce(ada) == 200
    # Refused ones: of another org, and unreadable.
    stray = life.told(ada, "Won")
    assert life.hear(stray, org_id="00D000000000009AAA") == 403
    torn = f"<x a='{ada.first}'>{ada.last} {ada.email} <{ada.notes}"
    assert life.post(door.PREFIX, torn.encode()) == 400
    assert life.post(webhook.PREFIX, f"{ada.email} {ada.last}".encode()) == 401
    # A mail that fails, and is quoted; a message that nobody can work with.
    reader.refuse.append(f"about {ada.first} {ada.last}")
    assert life.hear(life.told(ada, "Contacted")) == 200
    life.work()
    assert not reader.refuse
    dead = life.told(ada, "Qualified", Id="")
    assert life.hear(dead) == 200
    # It was all there: in mails, in tasks, and, sealed, with us.
    assert ada.last in "".join(reader.mails)
    assert ada.last in life.opened()
    assert ada.notes in life.opened()
    assert ada.email in life.run("privacy", "export", "--record", ada.record_id)
    clear = [*ada.words(), *bob.words()]
    shown = life.lists() + life.redis() + lines.read_text() + "".join(life.said)
    assert [word for word in clear if word in shown] == []
    assert life.in_files(clear) == set()
    assert life.in_files([ada.record_id]) == {ada.record_id}, "files are not searched"
    # One more is on its way when she is erased.
    life.hear(life.told(ada, "Qualified"))

    told = life.run("privacy", "erase", "--email", ada.email, "--yes")
    life.work()
    life.hear(life.told(ada, "Won"))
    life.announce(ada)
    life.work()
    at_once = life.opened()
    assert [word for word in ada.words() if word in at_once] == []
    life.run("privacy", "purge")

    mails = len(reader.mails)
    life.work()
    assert len(reader.mails) == mails
    left = life.opened()
    assert [word for word in ada.words() if word in left] == []
    assert all(word in left for word in bob.words())
    shown = told + life.lists() + life.redis() + lines.read_text() + "".join(life.said)
    shown += life.run("privacy", "export", "--email", ada.email)
    assert [word for word in clear if word in shown] == []
    assert life.in_files(clear) == set()
    # Numbers stay.
    assert "Won" in life.run("privacy", "export", "--record", ada.record_id)
    assert life.run("audit", "verify").strip() == "the trail is whole"


def test_what_the_canaries_are_looked_for_in_is_looked_through(life):
    """Were anything kept in the clear, it would be found."""
    word = canary("Control")
    with life.wiring.engine.begin() as db:
        db.execute(text("CREATE TABLE control (told text)"))
        db.execute(text("INSERT INTO control VALUES (:word)"), {"word": word})
    life.wiring.redis.set("control", zlib.compress(word.encode()))

    assert life.in_files([word]) == {word}
    assert word in life.redis()
    assert os.path.commonpath([life.machine.directory, *life.files()])
