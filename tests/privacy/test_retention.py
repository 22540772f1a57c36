"""What has been kept long enough comes to its end; what waits, and numbers, do not."""

import threading
from datetime import timedelta

import pytest
from messages import lead_id
from people_house import REFERRER, address, person
from sqlalchemy import func, select, update

from sidecar import clock
from sidecar.errors import Retryable
from sidecar.store import audit, authorizations, inbox, quarantine
from sidecar.store.authorizations import Pending
from sidecar.store.inbox import Arrival
from sidecar.store.quarantine import Refused
from sidecar.store.scribe import Delivery
from sidecar.store.tables import (
    authorization,
    event,
    follow_up,
    person_trait,
    reached,
    referral,
    webhook_delivery,
)
from sidecar.store.tables import person as person_table
from sidecar.store.tables import quarantine as quarantine_table

LATER = "2026-01-02T03:04:09.000Z"


def purge(house) -> dict[str, int]:
    return {
        what: number
        for what, number in house.wiring.purge(who="a test").items()
        if number
    }


def test_nothing_ends_before_its_time(house):
    house.live(person(1))
    house.deliver("task")
    house.wiring.now.move(days=29)

    assert purge(house) == {}
    assert [each.fields["LastName"] for each in house.events()] == ["Surname1"]


def test_an_event_is_emptied_thirty_days_after_it_came(house):
    done, dead, waiting = house.hear(person(1), person(2), person(3))
    house.process([done])
    with house.wiring.engine.begin() as db:
        inbox.bury(db, [dead], why=f"broke on {address(2)}")
    house.wiring.now.move(days=31)
    outcomes = house.rows(event.c.id, event.c.state, event.c.outcome)

    assert purge(house) == {"events": 2}

    assert house.rows(event.c.id, event.c.state, event.c.outcome) == outcomes
    by_id = {each.id: each for each in house.events()}
    assert by_id[done].fields == by_id[dead].fields == {}
    assert address(2) not in by_id[dead].error
    assert by_id[waiting].fields["LastName"] == "Surname3"
    assert house.rows(reached.c.status) == [("Submitted",)]


def test_what_has_ended_is_not_ended_again(house):
    house.live(person(1))
    house.wiring.now.move(days=31)
    purge(house)

    assert purge(house) == {}


def test_more_than_a_batch_is_ended_too(house, monkeypatch):
    monkeypatch.setattr("sidecar.store.retention._BATCH", 7)
    house.live(*(person(number) for number in range(1, 31)))
    house.wiring.now.move(days=31)

    assert purge(house)["events"] == 30


def test_an_emptied_event_that_is_replayed_is_read_in_the_org(house):
    ids = house.live(person(1))
    house.wiring.now.move(days=31)
    purge(house)
    house.org.rows[lead_id(1)] = {**person(1, "Won"), "SystemModstamp": LATER}

    with house.wiring.engine.begin() as db:
        inbox.replay(db, ids, now=house.wiring.now())
    house.process(ids)

    assert house.referral(1).status == "Won"
    assert house.referral(1).details["last_name"] == "Surname1"


def test_a_follow_up_that_is_over_loses_its_words_and_keeps_its_key(house):
    house.live(person(1, Referrer__c=REFERRER), person(2))
    house.deliver("task")
    with house.wiring.engine.begin() as db:
        over = {"state": "dead", "error": "hm", "sent_to": b"whose"}
        db.execute(
            update(follow_up)
            .where(follow_up.c.kind == "email", follow_up.c.record_id == lead_id(1))
            .values(over | {"settled_at": house.wiring.now()})
        )
    keys = sorted(house.rows(follow_up.c.key))
    house.wiring.now.move(days=401)

    assert purge(house)["follow-ups"] == 3

    assert sorted(house.rows(follow_up.c.key)) == keys
    assert house.rows(follow_up.c.sent_to) == [(None,)] * 5
    kept = house.rows(follow_up.c.kind, follow_up.c.state, follow_up.c.sealed == "")
    assert sorted(kept) == [
        ("email", "cancelled", True),
        ("email", "waiting", False),
        ("task", "done", True),
        ("task", "done", True),
        ("word", "waiting", False),
    ]
    # The one that waits is done all the same.
    assert house.deliver("email") == 1
    # The milestone does not bring the same again.
    with house.wiring.engine.begin() as db:
        db.execute(referral.delete())
    house.live(person(1), person(2))
    assert len(house.rows(follow_up.c.id)) == 5


def test_what_was_refused_goes_thirty_days_after_it_last_came(house):
    def refuse(body: str) -> None:
        refused = Refused(house.connection.id, "unreadable", "no XML", body)
        with house.wiring.engine.begin() as db:
            quarantine.keep(
                db, refused, now=house.wiring.now(), keyring=house.wiring.keyring
            )

    refuse("once")
    refuse("again and again")
    house.wiring.now.move(days=20)
    refuse("again and again")
    house.wiring.now.move(days=20)

    assert purge(house) == {"quarantine": 1}
    assert house.rows(quarantine_table.c.seen) == [(2,)]


def test_ids_of_signed_messages_and_old_authorizations_go(house):
    now = house.wiring.now()
    house.wiring.keep(
        [
            Arrival(
                connection_id=house.connection.id,
                org_id=house.org_id,
                source="platform_event",
                notification_id="one",
                action_id="",
                object_type=None,
                record_id=None,
                content={"fields": {}},
                received_at=now,
                outcome="ignored",
            )
        ],
        Delivery(house.connection.id, "msg_1", now),
    )
    words = ("name", "login_url", "client_id", "client_secret", "org_id")
    texts = dict.fromkeys((*words, "ticket", "state", "verifier", "nonce"), "x")
    with house.wiring.engine.begin() as db:
        authorizations.add(db, Pending(**texts), now=now, keyring=house.wiring.keyring)
    assert purge(house) == {}
    house.wiring.now.move(minutes=16)
    assert purge(house) == {"authorizations": 1}
    assert house.rows(authorization.c.id) == []
    house.wiring.now.move(days=31)

    assert purge(house)["webhook deliveries"] == 1
    assert house.rows(webhook_delivery.c.message_id) == []


def test_a_person_about_whom_nothing_is_left_is_forgotten_and_the_erased_are_not(
    house,
):
    house.live(person(1), person(2), person(3))
    house.erase(address(1))
    with house.wiring.engine.begin() as db:
        for table in (follow_up, referral):
            column = table.c.record_id
            db.execute(table.delete().where(column != lead_id(3)))
    assert "persons" not in purge(house)
    house.wiring.now.move(days=2)

    assert purge(house)["persons"] == 1

    left = house.rows(person_table.c.erased_at.is_not(None))
    assert sorted(left) == [(False,), (True,)]
    # Traits: the address and the record of each.
    assert len(house.rows(person_trait.c.digest)) == 4
    house.live(person(1, "Won", SystemModstamp=LATER))
    assert house.referral(1).details == {}


def test_what_came_of_the_erased_by_another_way_is_emptied_with_the_day(house):
    """An echo of our own write is put aside at the door: nobody decides about it."""
    house.live(person(1), person(2))
    house.erase(address(1))
    house.wiring.keep(
        [
            Arrival(
                connection_id=house.connection.id,
                org_id=house.org_id,
                source="change_event",
                notification_id=f"echo {number}",
                action_id="LeadChangeEvent",
                object_type="Lead",
                record_id=lead_id(number),
                content={"fields": {"LastName": f"Surname{number}"}},
                received_at=house.wiring.now(),
                outcome="ignored: our own write",
            )
            for number in (1, 2)
        ]
    )

    assert purge(house) == {"of the erased": 1}

    said = [each.fields.get("LastName") for each in house.events()]
    assert said == [None, "Surname2", None, "Surname2"]
    assert purge(house) == {}


def test_the_trail_says_in_numbers_what_was_ended(house):
    house.live(person(1))
    house.wiring.now.move(days=31)
    purge(house)

    with house.wiring.engine.connect() as db:
        (entry,) = audit.listing(db, limit=10)
        assert list(audit.broken(db)) == []
    assert (entry.who, entry.what) == ("a test", "privacy.purge")
    assert entry.details["events"] == 1


@pytest.mark.parametrize("away", [False, True])
def test_the_clock_purges_at_once_and_then_waits_a_day(house, monkeypatch, away):
    """Or an hour, where it could not."""
    house.live(person(1))
    house.wiring.now.move(days=31)
    waits = []

    class Once(threading.Event):
        def wait(self, timeout=None):
            waits.append(timedelta(seconds=timeout))
            self.set()
            return True

    if away:

        def purge_nothing(**_given):
            raise Retryable("the database is away")

        monkeypatch.setattr(house.wiring, "purge", purge_nothing)
    clock.purge_daily(house.wiring, Once())

    assert waits == [timedelta(hours=1 if away else 24)]
    emptied = select(func.count(event.c.emptied_at)).scalar_subquery()
    assert house.rows(emptied) == [(0 if away else 1,)]
