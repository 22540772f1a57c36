"""Streams: what the org publishes is in the inbox, once, whatever happens to us."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from sqlalchemy import select

from sidecar import subscribe
from sidecar.demo import stage
from sidecar.devorg.process import Running
from sidecar.errors import Permanent, Retryable
from sidecar.intake import org_events
from sidecar.intake.brake import WINDOW, Brake
from sidecar.intake.stream import Listener
from sidecar.salesforce.events.stream import Portion, PositionLost, Received
from sidecar.salesforce.refusals import LoggedOut
from sidecar.store import streams
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Arrival
from sidecar.store.tables import event
from sidecar.wiring import Wiring

TOPIC = "/data/LeadChangeEvent"


@pytest.fixture
def capturing(org: Running) -> Iterator[Running]:
    """A dev org that captures the changes of leads."""
    _events(org, captured=["Lead"])
    yield org
    _events(org, captured=[], batch=100)


@pytest.fixture
def listened(wiring: Wiring, capturing: Running, linked: OrgConnection) -> Wiring:
    """The service, ready to listen; what the org published before is past."""
    wiring.settings = replace(wiring.settings, pubsub_address=capturing.pubsub)
    latest = bytes.fromhex(_events(capturing)["latest"])
    with wiring.engine.begin() as db:
        streams.keep(
            db,
            [],
            connection_id=linked.id,
            topic=TOPIC,
            after=latest,
            now=datetime.now(UTC),
            keyring=wiring.keyring,
        )
    return wiring


def _events(org: Running, **wishes: object) -> dict[str, str]:
    answer = requests.post(
        f"{org.base_url}/devorg/events", json=wishes, verify=org.ca_file, timeout=10
    )
    answer.raise_for_status()
    told: dict[str, str] = answer.json()
    return told


@contextmanager
def _listening(wiring: Wiring, connection: OrgConnection) -> Iterator[None]:
    stopped = threading.Event()
    thread = threading.Thread(
        target=subscribe.listen, args=(wiring, [connection], [TOPIC], stopped)
    )
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(30)
        assert not thread.is_alive()


def _refer(org: Running, count: int) -> list[str]:
    rows = [
        {
            "attributes": {"type": "Lead"},
            "LastName": f"Example {number}",
            "Company": "Example Ltd",
            "Referrer_Name__c": "Rosa Referrer",
            "Referral_Status__c": "Submitted",
        }
        for number in range(count)
    ]
    answers = stage.client(org).restful(
        "composite/sobjects", method="POST", json={"records": rows}
    )
    assert all(answer["success"] for answer in answers), answers
    return [str(answer["id"]) for answer in answers]


def _received(wiring: Wiring) -> list[str]:
    with wiring.engine.connect() as db:
        rows = db.scalars(
            select(event.c.record_id)
            .where(event.c.source == "change_event")
            .order_by(event.c.id)
        )
        return [str(row) for row in rows]


def _until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_new_referral_reaches_the_inbox_through_the_stream(
    listened: Wiring, linked: OrgConnection, capturing: Running
) -> None:
    with _listening(listened, linked):
        (record_id,) = _refer(capturing, 1)

        _until(lambda: record_id in _received(listened))


def test_what_was_published_while_nobody_listened_is_not_lost(
    listened: Wiring, linked: OrgConnection, capturing: Running
) -> None:
    ids = _refer(capturing, 20)

    with _listening(listened, linked):
        _until(lambda: {*ids} <= {*_received(listened)})


def test_what_we_have_changed_ourselves_brings_no_work(
    listened: Wiring, linked: OrgConnection, capturing: Running
) -> None:
    """Promise 15, of streams: our calls say whose they are."""
    with _listening(listened, linked):
        (lead,) = _refer(capturing, 1)
        _until(lambda: lead in _received(listened))
        by_us = {"OwnerId": capturing.user_ids[capturing.reps[1]]}
        listened.sessions.call(
            linked.id,
            lambda org: org.restful(
                f"sobjects/Lead/{lead}", method="PATCH", json=by_us
            ),
        )
        (next_lead,) = _refer(capturing, 1)
        _until(lambda: next_lead in _received(listened))

    with listened.engine.connect() as db:
        rows = db.execute(select(event.c.record_id, event.c.state, event.c.outcome))
        found = {(row.record_id, row.state, row.outcome) for row in rows}
    assert found == {
        (lead, "waiting", None),
        (lead, "done", "ignored: our own write"),
        (next_lead, "waiting", None),
    }


def test_a_session_that_ends_mid_stream_is_renewed(
    listened: Wiring, linked: OrgConnection, capturing: Running
) -> None:
    with _listening(listened, linked):
        (first,) = _refer(capturing, 1)
        _until(lambda: first in _received(listened))
        _, token = listened.current(linked.id)
        requests.delete(
            f"{capturing.base_url}/devorg/sessions",
            json={"token": token},
            verify=capturing.ca_file,
            timeout=10,
        ).raise_for_status()

        (second,) = _refer(capturing, 1)

        _until(lambda: second in _received(listened))


def test_a_stream_restarted_a_hundred_times_keeps_each_event_once(
    listened: Wiring, linked: OrgConnection, capturing: Running
) -> None:
    _events(capturing, batch=3)
    ids: list[str] = []
    rng = random.Random(7)
    for _ in range(100):
        ids += _refer(capturing, 3)
        with _listening(listened, linked):
            time.sleep(rng.uniform(0, 0.03))
    with _listening(listened, linked):
        _until(lambda: {*ids} <= {*_received(listened)})

    creations = [one for one in _received(listened) if one in ids]
    with listened.engine.connect() as db:
        uuids = list(db.scalars(select(event.c.notification_id)))
    assert len(uuids) == len({*uuids})
    # The flow stamps the key after the save: each lead is created and updated once.
    assert sorted(creations) == sorted(ids * 2)


# --- what goes wrong, one by one ---------------------------------------------------

CONNECTION_AT = datetime(2026, 1, 2, tzinfo=UTC)


class Memory:
    """A memory that may fail."""

    def __init__(self) -> None:
        self.after: bytes | None = None
        self.kept: dict[str, Arrival] = {}
        self.fails = 0

    def position(self, _: str) -> bytes | None:
        return self.after

    def keep(self, _: str, arrivals: list[Arrival], after: bytes) -> None:
        if self.fails:
            self.fails -= 1
            raise Retryable("the database is away")
        self.after = after
        self.kept |= {each.notification_id: each for each in arrivals}

    def forget(self, _: str) -> None:
        self.after = None


class Bus:
    """Ten events behind a subscription that fails as told."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = [*failures]
        self.begun: list[bytes | None] = []
        self.header: dict[str, object] = {}

    def portions(self, after: bytes | None, *, earliest: bool) -> Iterator[Portion]:
        assert earliest
        self.begun.append(after)
        first = 0 if after is None else int(after) + 1
        for number in range(first, 10):
            if self.failures and number % 3 == 2:
                raise self.failures.pop(0)
            values = {
                "ChangeEventHeader": {
                    "entityName": "Lead",
                    "changeType": "GAP_UPDATE",
                    "recordIds": [f"00Q00000000000{number}EAA"[:15]],
                    **self.header,
                }
            }
            place = str(number).encode()
            yield Portion((Received(f"uuid {number}", place, values),), place)


def _heard(
    bus: Bus, memory: Memory, connection: OrgConnection, **more: Any
) -> list[float]:
    pauses: list[float] = []
    listener = Listener(
        topic=TOPIC,
        connection=lambda: connection,
        memory=memory,
        subscribe=lambda: bus,
        log_in=more.get("log_in", lambda: None),
        wait=pauses.append,
        stopped=lambda: len(memory.kept) == 10,
        now=lambda: CONNECTION_AT,
        records=more.get("records", Brake()),
    )
    listener.listen()
    return pauses


@pytest.mark.parametrize(
    "failure",
    [Retryable("broken"), LoggedOut("expired"), Permanent("no such topic")],
    ids=["broken", "logged out", "refused"],
)
def test_after_whatever_failure_the_stream_goes_on_where_it_was(
    failure: Exception, connect: Callable[..., tuple[OrgConnection, str]]
) -> None:
    memory, bus = Memory(), Bus(failure, failure)

    _heard(bus, memory, connect()[0])

    assert bus.begun == [None, b"1", b"1"]


def test_a_lost_position_begins_at_the_earliest(
    connect: Callable[..., tuple[OrgConnection, str]],
) -> None:
    memory, bus = Memory(), Bus(PositionLost("too old"))

    _heard(bus, memory, connect()[0])

    assert bus.begun == [None, None]


def test_a_database_that_is_away_is_waited_for_ever_longer(
    connect: Callable[..., tuple[OrgConnection, str]],
) -> None:
    memory, bus = Memory(), Bus()
    memory.fails = 12

    pauses = _heard(bus, memory, connect()[0])

    assert len(pauses) == 12
    assert pauses[0] <= 1.0
    assert 30.0 <= pauses[-1] <= 60.0


def test_a_login_that_is_refused_is_not_hammered(
    connect: Callable[..., tuple[OrgConnection, str]],
) -> None:
    def refused() -> None:
        raise Permanent("invalid_grant")

    memory, bus = Memory(), Bus(*[LoggedOut("expired")] * 8)

    pauses = _heard(bus, memory, connect()[0], log_in=refused)

    assert pauses[-1] >= 30.0


def test_the_integration_users_changes_are_ours_whatever_made_them(
    connect: Callable[..., tuple[OrgConnection, str]],
) -> None:
    """Promise 15: also of a client that names itself after nobody."""
    connection = replace(connect()[0], integration_user_id="005000000000009AAA")
    memory, bus = Memory(), Bus()
    bus.header = {"commitUser": "005000000000009"}

    _heard(bus, memory, connection)

    assert {each.outcome for each in memory.kept.values()} == {"ignored: our own write"}


def test_a_storm_in_a_stream_is_kept_and_waits(
    connect: Callable[..., tuple[OrgConnection, str]],
) -> None:
    """Promise 15: nothing is lost, and nothing turns without end."""
    memory, bus = Memory(), Bus()
    bus.header = {"recordIds": ["00Q000000000001EAA"]}

    _heard(bus, memory, connect()[0], records=Brake(limit=4))

    waits = [each.due_at for each in memory.kept.values()]
    assert waits[:4] == [None] * 4
    assert waits[4:] == [CONNECTION_AT + WINDOW] * 6
    assert all("storm" in each.error for each in [*memory.kept.values()][4:])


class Odd:
    """One event with characters that PostgreSQL keeps in no text."""

    def portions(self, _: bytes | None, *, earliest: bool) -> Iterator[Portion]:
        header = {"entityName": "Le\0ad", "changeType": "GAP_OVERFLOW"}
        values = {"ChangeEventHeader": header, "a\0": "\0"}
        readable = Received("uuid\0", b"\x07", values)
        unread = Received("", b"\x08", {}, "schema \0 is none")
        yield Portion((readable, unread), b"\x08")


def test_what_cannot_be_kept_as_it_came_holds_up_nobody(
    wiring: Wiring, connect: Callable[..., tuple[OrgConnection, str]]
) -> None:
    """A database that refused it would be shown it again for ever."""
    memory, connection = Memory(), connect()[0]
    Listener(
        topic=TOPIC,
        connection=lambda: connection,
        memory=memory,
        subscribe=Odd,
        log_in=lambda: None,
        wait=lambda _: None,
        stopped=lambda: bool(memory.kept),
        now=lambda: CONNECTION_AT,
    ).listen()

    assert memory.kept.keys() == {"replay:07", "replay:08"}
    with wiring.engine.begin() as db:
        new = streams.keep(
            db,
            list(memory.kept.values()),
            connection_id=connection.id,
            topic=TOPIC,
            after=memory.after or b"",
            now=CONNECTION_AT,
            keyring=wiring.keyring,
        )
        assert streams.position(db, connection.id, TOPIC) == b"\x08"
    assert len(new) == 2


# --- what events say ----------------------------------------------------------------


def _of(
    values: dict[str, object], connection: OrgConnection, name: str = "LeadChangeEvent"
) -> list[Arrival]:
    return org_events.arrivals(name, "uuid", values, connection, CONNECTION_AT)


def _header(kind: str, **more: object) -> dict[str, object]:
    header = {
        "entityName": "Lead",
        "changeType": kind,
        "recordIds": ["00Q000000000001", "00Q000000000002EAA"],
        "changedFields": ["Company"],
        **more,
    }
    return {"ChangeEventHeader": header}


def test_one_event_may_be_about_several_records(
    connect: Callable[..., tuple[OrgConnection, str]],
) -> None:
    found = _of(_header("GAP_UPDATE"), connect()[0])

    assert [each.record_id for each in found] == [
        "00Q000000000001EAA",
        "00Q000000000002EAA",
    ]
    assert len({each.notification_id for each in found}) == 2


def test_a_change_that_means_nothing_to_a_referral_is_not_kept(
    connect: Callable[..., tuple[OrgConnection, str]],
) -> None:
    connection = connect()[0]

    assert _of(_header("UPDATE"), connection) == []
    assert _of(_header("DELETE"), connection) == []
    assert _of(_header("CREATE"), connection) == []
    assert len(_of(_header("UPDATE", changedFields=["OwnerId"]), connection)) == 2


def test_an_overflow_tells_what_to_do(
    connect: Callable[..., tuple[OrgConnection, str]],
) -> None:
    (told,) = _of(_header("GAP_OVERFLOW", recordIds=["00Q*"]), connect()[0])

    assert "sidecar reconcile" in told.error


def test_a_status_change_event_is_about_its_record(
    connect: Callable[..., tuple[OrgConnection, str]],
) -> None:
    values = {
        "Object__c": "Opportunity",
        "Record_Id__c": "006000000000001",
        "New_Status__c": "Won",
        "Referral_Key__c": "00Q000000000001EAA",
    }

    (told,) = _of(values, connect()[0], "Referral_Status_Change__e")

    assert (told.object_type, told.record_id) == ("Opportunity", "006000000000001AAA")
    assert told.content["fields"]["Referral_Status__c"] == "Won"
    # Without a time the record is read back.
    assert "SystemModstamp" not in told.content["fields"]
