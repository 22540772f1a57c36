"""A service with two or more people in it, and what becomes of them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

from messages import lead, lead_id, message, notification
from sqlalchemy import func, select, update

from sidecar.intake import arrivals, outbound_message
from sidecar.jobs.process import process
from sidecar.mail.letters import Letter
from sidecar.referral.journey import Referral
from sidecar.salesforce.records import Rep
from sidecar.store import (
    erasure,
    inbox,
    mentions,
    persons,
    referrals,
)
from sidecar.store.connections import OrgConnection
from sidecar.store.erasure import Found
from sidecar.store.persons import EMAIL, RECORD
from sidecar.store.tables import connection, follow_up
from sidecar.wiring import Wiring

REFERRER = "a0X000000000001EAA"
_REP = {
    "id": "005000000000001AAA",
    "name": "Rita Rep",
    "email": "rita@example.com",
    "active": True,
    "locale": "en_US",
    "language": "en_US",
    "time_zone": "UTC",
}
REP = Rep(**{part.name: _REP[part.name] for part in fields(Rep)})


def address(number: int) -> str:
    """The address of the person of a lead."""
    return f"person{number}@example.com"


class Org:
    """Where the records, the tasks and the reps are."""

    def __init__(self) -> None:
        self.rows: dict[str, Mapping[str, Any]] = {}
        self.tasks: list[Any] = []
        self.befall: Callable[[], object] = lambda: None

    def read(self, _connection: int, _object: str, ids: Sequence[str], _fields: object):
        return {id_: self.rows[id_] for id_ in ids if id_ in self.rows}

    def put_tasks(self, _connection: int, tasks: Sequence[tuple[str, Any]]):
        self.tasks += [task for _, task in tasks]
        self.befall()
        return [f"00T{key[:12]}" for key, _ in tasks]

    def reps(self, _connection: int, ids: Sequence[str]):
        return {id_: replace(REP, id=id_) for id_ in ids}


class Post:
    """A mail server that keeps what it was sent."""

    def __init__(self) -> None:
        self.sent: list[Letter] = []
        self.befall: Callable[[Letter], object] = lambda letter: None

    @contextmanager
    def connection(self):
        yield self

    def send(
        self,
        letter: Letter,
        *,
        confirm: Callable[[], None] = lambda: None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> str:
        confirm()
        self.sent.append(letter)
        meanwhile()
        self.befall(letter)
        return "250 taken"


class House:
    """One connection, and the road from a message to what is done."""

    def __init__(self, wiring: Wiring, connection: OrgConnection) -> None:
        self.wiring, self.connection = wiring, connection
        self.org, self.post = Org(), Post()
        wiring.records, wiring.mailer = self.org, self.post  # type: ignore[assignment]
        self.number = 0

    @property
    def org_id(self) -> str:
        return self.connection.org_id

    def hear(self, *fields: Mapping[str, str], **more: Any) -> list[int]:
        """A message comes in; it is not yet decided about."""
        parts = []
        for told in fields:
            self.number += 1
            parts.append(notification(self.number, told, **more))
        read = outbound_message.read(
            message(parts), field_lists=self.connection.field_lists
        )
        return self.wiring.scribe.keep(
            arrivals.of(read, self.connection, self.wiring.now())
        )

    def process(self, ids: Sequence[int]) -> None:
        process(
            ids,
            engine=self.wiring.engine,
            keyring=self.wiring.keyring,
            records=self.org,
            playbook_of=self.wiring.playbook_of,
            ring_to_deliver=lambda _id, _kind: None,
            now=self.wiring.now,
        )

    def live(self, *fields: Mapping[str, str], **more: Any) -> list[int]:
        """A message comes in and is decided about."""
        ids = self.hear(*fields, **more)
        self.process(ids)
        return ids

    def act_by(self, playbook: str) -> None:
        """Let the connection have a playbook of its own."""
        with self.wiring.engine.begin() as db:
            db.execute(update(connection).values(playbook=playbook))

    def deliver(self, kind: str) -> int:
        return self.wiring.deliver(self.connection.id, kind)

    def traits(self, emails: Sequence[str] = (), records: Sequence[str] = ()):
        with self.wiring.engine.begin() as db:
            digest = persons.digester(db, self.wiring.keyring)
        return digest, [
            *(digest(EMAIL, email) for email in emails),
            *(digest(RECORD, record) for record in records),
        ]

    def erase(self, *emails: str, records: Sequence[str] = ()) -> Found:
        """All of an erasure, as the command does it."""
        found = self.erase_rows(*emails, records=records)
        digest, _ = self.traits()
        mentions.take_out(
            self.wiring.engine,
            self.org_id,
            found.traits,
            now=self.wiring.now(),
            digest=digest,
            keyring=self.wiring.keyring,
        )
        return found

    def erase_rows(self, *emails: str, records: Sequence[str] = ()) -> Found:
        """Its first half, before the doors' messages are searched."""
        _, traits = self.traits(emails, records)
        with self.wiring.engine.begin() as db:
            return erasure.erase(
                db,
                self.org_id,
                traits,
                now=self.wiring.now(),
                keyring=self.wiring.keyring,
            )

    def referral(self, key: str | int) -> Referral | None:
        wanted = lead_id(key) if isinstance(key, int) else key
        with self.wiring.engine.begin() as db:
            found = referrals.load(
                db, self.org_id, [wanted], keyring=self.wiring.keyring
            )
        return found.get(wanted)

    def events(self) -> list[inbox.Event]:
        with self.wiring.engine.connect() as db:
            found = inbox.listing(db, keyring=self.wiring.keyring, limit=10_000)
        return found[::-1]

    def rows(self, *columns: Any) -> list[tuple[Any, ...]]:
        with self.wiring.engine.connect() as db:
            return [tuple(row) for row in db.execute(select(*columns))]

    def follow_ups(self) -> dict[str, int]:
        """How many follow-ups are in each state."""
        counted = select(follow_up.c.state, func.count()).group_by(follow_up.c.state)
        with self.wiring.engine.connect() as db:
            return {row[0]: row[1] for row in db.execute(counted)}


def person(number: int, status: str = "Submitted", **more: str) -> dict[str, str]:
    """The lead of a person, with the address; ``**{"Email": ""}`` takes it away."""
    told = {
        "Email": address(number),
        "LastName": f"Surname{number}",
        "Phone": f"555-{number}",
    }
    found = lead(number, status, **(told | more))
    return {name: value for name, value in found.items() if value}
