"""Who is erased is gone, stays gone, and takes nobody and no number along."""

import threading
import time
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from messages import lead, lead_id, message, notification
from people_house import REFERRER, House, address, person
from sqlalchemy import func, select, text, update

from sidecar.store import audit, claims, follow_ups, inbox, quarantine, referrals
from sidecar.store.inbox import Arrival
from sidecar.store.quarantine import Refused
from sidecar.store.tables import (
    event,
    follow_up,
    reached,
    referral,
    response_clock,
)
from sidecar.store.tables import person as person_table

LATER = "2026-01-02T03:04:09.000Z"


def introduced(number: int, **more: str) -> dict[str, str]:
    """A person whom Mira Sample has referred."""
    named = {
        "Referrer__c": REFERRER,
        "Referrer_Name__c": "Mira Sample",
        "Referral_Code__c": "MIRA-7",
    }
    return person(number, **(named | more))


def test_nothing_of_a_person_can_be_read_after_the_erasure(house):
    (event_id,) = house.live(person(1))
    sealed = house.rows(referral.c.sealed) + house.rows(follow_up.c.sealed)
    ((key,),) = house.rows(person_table.c.key_sealed)

    house.erase(address(1))

    assert house.referral(1).details == {}
    assert house.rows(person_table.c.key_sealed) == [(None,)]
    assert house.rows(follow_up.c.sealed) == [("",), ("",)]
    assert [each.fields for each in house.events() if each.id == event_id] == [{}]
    # What the database has not yet written over takes the key, too.
    assert all("Surname" in house.wiring.keyring.unwrap(key).open(t) for (t,) in sealed)


def test_numbers_and_keys_stay(house):
    house.live(person(1))
    house.deliver("task")
    before = house.rows(
        referral.c.key, referral.c.status, referral.c.milestone, referral.c.changed_at
    )
    reached_before = house.rows(reached.c.status, reached.c.reached_at)
    keys = sorted(house.rows(follow_up.c.key, follow_up.c.milestone))

    house.erase(address(1))

    assert before == house.rows(
        referral.c.key, referral.c.status, referral.c.milestone, referral.c.changed_at
    )
    assert house.rows(reached.c.status, reached.c.reached_at) == reached_before
    assert keys == sorted(house.rows(follow_up.c.key, follow_up.c.milestone))
    assert any(receipt for (receipt,) in house.rows(follow_up.c.receipt))
    assert house.follow_ups() == {"done": 1, "cancelled": 1}
    assert house.rows(func.count(event.c.id)) == [(1,)]


def test_what_was_to_be_done_is_cancelled_and_cannot_be_tried_again(house):
    house.live(person(1), person(2))
    with house.wiring.engine.begin() as db:
        db.execute(
            update(follow_up)
            .where(follow_up.c.kind == "email", follow_up.c.record_id == lead_id(1))
            .values(state="dead", error=f"550 {address(1)} unknown")
        )

    found = house.erase(address(1))

    assert (found.open, found.follow_ups) == (2, 2)
    ids = [id_ for (id_,) in house.rows(follow_up.c.id)]
    with house.wiring.engine.begin() as db:
        follow_ups.retry(db, ids, now=house.wiring.now())
    assert house.follow_ups() == {"cancelled": 2, "waiting": 2}
    assert not any(address(1) in (e or "") for (e,) in house.rows(follow_up.c.error))
    assert house.deliver("task") == 1
    assert "Surname2" in house.org.tasks[0].subject + house.org.tasks[0].description


def test_nobody_waits_for_an_answer_to_who_is_erased(house):
    """Their response clocks stop; the others' run on."""
    house.live(person(1), person(2))
    with house.wiring.engine.begin() as db:
        for number in (1, 2):
            values = {
                "connection_id": house.connection.id,
                "org_id": house.org_id,
                "referral_key": lead_id(number),
                "kind": "promise",
                "name": "first answer",
                "milestone": "submitted",
                "event_id": 1,
                "playbook_version": "1",
                "started_at": house.wiring.now(),
                "marks": [],
                "used": timedelta(),
                "due_at": house.wiring.now(),
            }
            db.execute(response_clock.insert().values(values))

    house.erase(address(1))

    clocks = house.rows(response_clock.c.referral_key, response_clock.c.state)
    assert set(clocks) == {(lead_id(1), "cancelled"), (lead_id(2), "waiting")}


@pytest.mark.parametrize(
    "late",
    [
        pytest.param({}, id="the same record"),
        pytest.param({"Email": ""}, id="without the address"),
        pytest.param({"Email": "new@example.com"}, id="with another address"),
        pytest.param({"Id": lead_id(7)}, id="another record of the referral"),
        pytest.param(
            {"Id": lead_id(8), "Referral_Key__c": lead_id(8)},
            id="a new record with the address",
        ),
    ],
)
def test_a_late_message_brings_nobody_back(house, late):
    """It is counted, emptied, and nothing is planned."""
    house.live(person(1))
    house.erase(address(1))

    told = person(1, "Won", SystemModstamp=LATER, **late)
    (event_id,) = house.live(told)

    key = told["Referral_Key__c"]
    known = house.referral(key)
    assert (known.status, known.details) == ("Won", {})
    assert ("Won",) in house.rows(reached.c.status)
    assert house.follow_ups() == {"cancelled": 2}
    (heard,) = [each for each in house.events() if each.id == event_id]
    assert (heard.state, heard.fields) == ("done", {})
    assert heard.outcome == "reached: won reached, by somebody erased"


def test_a_record_of_an_erased_address_stays_unknown_without_it(house):
    house.live(person(1))
    house.erase(address(1))
    house.live(person(2, Email=address(1)))

    house.live(person(2, "Won", Email="", SystemModstamp=LATER))

    assert house.referral(2).details == {}


def test_what_is_read_back_brings_nobody_back(house):
    house.live(person(1))
    house.erase(address(1))
    house.org.rows[lead_id(1)] = {**person(1, "Won"), "SystemModstamp": LATER}

    house.live(person(1, "Won", SystemModstamp=""))

    assert (house.referral(1).status, house.referral(1).details) == ("Won", {})
    assert house.follow_ups() == {"cancelled": 2}
    assert [each.fields for each in house.events()] == [{}, {}]


def test_an_emptied_event_that_is_replayed_brings_nobody_back(house):
    ids = house.live(person(1))
    house.erase(address(1))
    house.org.rows[lead_id(1)] = {**person(1, "Won"), "SystemModstamp": LATER}

    with house.wiring.engine.begin() as db:
        inbox.replay(db, ids, now=house.wiring.now())
    house.process(ids)

    assert house.referral(1).details == {}
    assert [each.fields for each in house.events()] == [{}]


def test_whoever_writes_referrals_writes_nothing_of_somebody_erased(house):
    """The reconciler writes without deciding about a message."""
    house.live(person(1))
    known = house.referral(1)
    house.erase(address(1))

    with house.wiring.engine.begin() as db:
        inbox.lock_lane(db, house.connection.id)
        referrals.remember(
            db,
            house.org_id,
            [known],
            now=house.wiring.now(),
            keyring=house.wiring.keyring,
        )

    assert known.details["last_name"] == "Surname1"
    assert house.referral(1).details == {}


def test_a_message_that_waits_during_the_erasure_counts_and_says_nothing(house):
    house.live(person(1))
    ids = house.hear(person(1, "Won", SystemModstamp=LATER))

    house.erase(records=[lead_id(1)])
    (waiting,) = [each for each in house.events() if each.id in ids]
    house.process(ids)

    assert waiting.state == "waiting"
    assert set(waiting.fields) == {
        "Id",
        "OwnerId",
        "Referral_Key__c",
        "Referral_Status__c",
        "SystemModstamp",
    }
    assert house.referral(1).status == "Won"
    assert [each.fields for each in house.events()] == [{}, {}]


def test_who_is_not_known_is_remembered_as_erased(house):
    ids = house.hear(person(1), person(2))

    found = house.erase(address(1))
    house.process(ids)

    assert (found.referrals, found.follow_ups) == ((), 0)
    assert house.referral(1).details == {}
    assert house.referral(2).details["last_name"] == "Surname2"
    assert len(house.rows(follow_up.c.id)) == 2


def test_an_erasure_can_be_repeated(house):
    house.live(person(1), person(2))
    first = house.erase(address(1))
    ((erased_at,),) = house.rows(person_table.c.erased_at)[:1]

    again = house.erase(address(1))

    assert again.persons == first.persons
    assert house.rows(person_table.c.erased_at)[0] == (erased_at,)
    assert house.referral(2).details


def test_by_a_record_the_same_person_is_found_as_by_the_address(house):
    house.live(person(1), person(2, Email=address(1)), person(3))

    found = house.erase(records=[lead_id(2)[:15]])

    assert found.referrals == (lead_id(1), lead_id(2))
    assert house.referral(1).details == house.referral(2).details == {}
    assert house.referral(3).details


def test_two_who_come_to_share_an_address_are_erased_together(house):
    """Known apart at first, each with a key; and a third who shares with neither."""
    house.live(person(1), person(2), person(3))
    for number in (1, 2):
        shared = {"Email": "info@example.com", "SystemModstamp": LATER}
        house.live(person(number, **shared))

    found = house.erase(address(1))

    assert len(found.persons) == 2
    assert house.referral(1).details == house.referral(2).details == {}
    assert house.referral(3).details


def test_an_event_that_was_put_aside_is_emptied_too(house):
    """Dead, or of nobody's concern: no table names whom it is about."""
    ids = house.hear(
        person(1, Referral_Status__c=""), person(2), person(3, Referral_Status__c="")
    )
    house.process(ids[:1])
    with house.wiring.engine.begin() as db:
        inbox.bury(db, ids[1:2], why=f"it broke on {address(2)}")

    house.erase(address(1), address(2))

    first, second, third = house.events()
    assert first.fields == second.fields == {}
    assert (second.state, address(2) in second.error) == ("dead", False)
    assert third.fields["Email"] == address(3)


def test_what_was_refused_is_emptied_and_not_kept_anew(house):
    def refuse(body: str) -> None:
        with house.wiring.engine.begin() as db:
            refused = Refused(house.connection.id, "wrong_org", "of another org", body)
            quarantine.keep(
                db, refused, now=house.wiring.now(), keyring=house.wiring.keyring
            )

    bodies = [
        message([notification(number, person(number))], org_id="0" * 18).decode()
        for number in (1, 2)
    ]
    for body in bodies:
        refuse(body)

    house.erase(address(1))
    refuse(bodies[0])

    with house.wiring.engine.connect() as db:
        kept = {
            row["seen"]: quarantine.body(db, row["id"], keyring=house.wiring.keyring)
            for row in quarantine.listing(db)
        }
    assert kept == {2: "", 1: bodies[1]}


# --- referrers ----------------------------------------------------------------------


def test_a_referrer_is_taken_out_and_the_referrals_go_on(house):
    house.live(introduced(1), person(2))

    found = house.erase(records=[REFERRER])

    assert found.introduced == (lead_id(1),)
    details = house.referral(1).details
    assert details["last_name"] == "Surname1"
    assert {"referrer", "referrer_id", "code"}.isdisjoint(details)
    assert house.follow_ups() == {"waiting": 4, "cancelled": 1}
    word = (follow_up.c.state, follow_up.c.sealed, follow_up.c.recipient_id)
    rows = house.rows(follow_up.c.kind, *word, follow_up.c.referrer_id)
    assert [row for row in rows if row[0] == "word"] == [
        ("word", "cancelled", "", None, None)
    ]
    assert house.deliver("word") == 0
    assert house.deliver("task") == 2
    assert house.deliver("email") == 2
    said = "".join(
        [f"{task.subject}\n{task.description}" for task in house.org.tasks]
        + [letter.subject + letter.text for letter in house.post.sent]
    )
    assert "Surname1" in said
    assert "Mira" not in said
    assert "MIRA-7" not in said


def test_a_referrer_does_not_come_back_with_the_next_message(house):
    house.live(introduced(1))
    waiting = house.hear(introduced(2))
    house.erase(records=[REFERRER])

    house.process(waiting)
    house.live(introduced(1, Referral_Status__c="Won", SystemModstamp=LATER))
    house.live(introduced(3))

    for number in (1, 2, 3):
        details = house.referral(number).details
        assert details["last_name"] == f"Surname{number}"
        assert "referrer" not in details
    assert house.follow_ups() == {"waiting": 8, "cancelled": 1}
    house.deliver("task")
    assert not any("Mira" in task.description for task in house.org.tasks)
    assert not any("Mira" in str(each.fields) for each in house.events())


def test_of_a_message_that_only_names_a_referrer_the_rest_stays(house):
    ids = house.hear(introduced(1))
    with house.wiring.engine.begin() as db:
        inbox.bury(db, ids, why="a bug of ours")

    house.erase(records=[REFERRER])

    (dead,) = house.events()
    assert (dead.state, dead.error) == ("dead", "a bug of ours")
    assert dead.fields["LastName"] == "Surname1"
    assert "Mira" not in str(dead.fields)
    assert {"Referrer__c", "Referral_Code__c"}.isdisjoint(dead.fields)


def test_the_erasure_of_a_prospect_leaves_the_referrer(house):
    house.live(introduced(1), introduced(2))

    house.erase(address(1))

    assert house.referral(1).details == {}
    assert house.referral(2).details["referrer"] == "Mira Sample"


# --- while everything goes on -------------------------------------------------------


def test_an_erasure_during_a_delivery_stops_that_persons_mail_and_no_other(house):
    """Three are claimed together; while the first is sent, the third is erased."""
    house.live(person(1), person(2), person(3))

    def erase_third(_letter) -> None:
        house.post.befall = lambda letter: None
        house.erase(address(3))
        house.wiring.now.move(seconds=1)

    house.post.befall = erase_third
    house.deliver("email")

    said = [letter.text for letter in house.post.sent]
    assert ["Surname1" in said[0], "Surname2" in said[1], len(said)] == [True, True, 2]
    house.wiring.now.move(minutes=10)
    assert house.deliver("email") == 0
    states = {
        record: state
        for record, kind, state in house.rows(
            follow_up.c.record_id, follow_up.c.kind, follow_up.c.state
        )
        if kind == "email"
    }
    assert states == {lead_id(1): "done", lead_id(2): "done", lead_id(3): "cancelled"}


def test_an_erasure_during_a_delivery_stops_that_persons_task_and_no_other(house):
    """200 go in a call; while they do, one of those behind them is erased."""
    house.live(*(person(number) for number in range(1, 100)))
    house.live(*(person(number) for number in range(100, 200)))
    house.live(*(person(number) for number in range(200, 205)))

    def erase_last() -> None:
        house.org.befall = lambda: None
        house.erase_rows(address(204))

    house.org.befall = erase_last
    assert house.deliver("task") == 203

    done = [task.who_id for task in house.org.tasks]
    assert sorted(done) == [lead_id(number) for number in range(1, 204)]


def test_what_was_done_while_it_was_cancelled_is_told_as_done(house):
    """Whoever erases in Salesforce must know of the task."""
    house.live(person(1))
    house.org.befall = lambda: house.erase_rows(address(1))

    house.deliver("task")

    (task,) = [
        row
        for row in house.rows(follow_up.c.kind, follow_up.c.state, follow_up.c.receipt)
        if row[0] == "task"
    ]
    assert task[1] == "done"
    assert task[2].startswith("00T")
    assert house.rows(follow_up.c.sealed) == [("",), ("",)]


def test_what_failed_while_it_was_cancelled_is_not_tried_again(house):
    house.live(person(1))
    with house.wiring.engine.begin() as db:
        (attempt,) = claims.claim(
            db,
            house.connection.id,
            "email",
            now=house.wiring.now(),
            lease_ends=house.wiring.now() + timedelta(minutes=2),
            limit=1,
            keyring=house.wiring.keyring,
        )
    house.erase_rows(address(1))
    end = claims.End("waiting", error=f"450 {address(1)} later")
    with house.wiring.engine.begin() as db:
        claims.settle(db, {attempt.id: (attempt.number, end)}, now=house.wiring.now())

    assert house.follow_ups() == {"cancelled": 2}
    assert not any(address(1) in error for (error,) in house.rows(follow_up.c.error))


def test_an_erasure_waits_for_a_decision_under_way_and_covers_it(house):
    """A person who is about to be known is not overlooked."""
    house.live(person(9))
    known = house.referral(9)
    with house.wiring.engine.begin() as db:
        inbox.lock_lane(db, house.connection.id)
        newcomer = type(known)(
            **{
                **{name: getattr(known, name) for name in known.__dataclass_fields__},
                "key": lead_id(1),
                "record_id": lead_id(1),
                "details": {"last_name": "Surname1", "email": address(1)},
            }
        )
        referrals.remember(
            db,
            house.org_id,
            [newcomer],
            now=house.wiring.now(),
            keyring=house.wiring.keyring,
        )
        eraser = threading.Thread(target=house.erase_rows, args=(address(1),))
        eraser.start()
        _until_somebody_waits(house)
    eraser.join(30)

    assert house.referral(1).details == {}
    assert house.referral(9).details


def _until_somebody_waits(house: House) -> None:
    waiting = text(
        "SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database"
        " WHERE NOT granted AND locktype = 'advisory'"
        " AND datname = current_database()"
    )
    for _ in range(1000):
        with house.wiring.engine.connect() as db:
            if db.execute(waiting).first():
                return
        time.sleep(0.01)
    raise AssertionError("the erasure did not wait")


# --- the trail ----------------------------------------------------------------------


def test_the_trail_stays_whole_and_names_nobody(house):
    house.live(person(1))
    _, traits = house.traits([address(1)])
    with house.wiring.engine.begin() as db:
        audit.note(db, who="x", what="before", now=house.wiring.now())
        audit.note(
            db,
            who="x",
            what="privacy.erase",
            details={"digests": [trait.digest.hex() for trait in traits]},
            now=house.wiring.now(),
        )
    house.erase(address(1))

    with house.wiring.engine.connect() as db:
        assert list(audit.broken(db)) == []
        assert address(1) not in str(audit.listing(db, limit=10))


# --- whatever the order ---------------------------------------------------------------

NUMBERS = st.integers(1, 4)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("hear"), NUMBERS, st.sampled_from(["own", "none", "shared"])),
        st.tuples(st.just("erase"), NUMBERS, st.sampled_from(["email", "record"])),
    ),
    min_size=1,
    max_size=10,
)


@given(ACTS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_in_whatever_order_the_erased_are_gone_and_the_others_are_there(house, acts):
    """Against a model that keeps everything in the clear."""
    with house.wiring.engine.begin() as db:
        db.execute(
            text(
                "TRUNCATE event, reached, follow_up, referral, person_trait, person"
                " CASCADE"
            )
        )
    addresses: dict[int, set[str]] = {}
    erased_addresses: set[str] = set()
    erased_records: set[int] = set()
    heard: set[int] = set()
    for place, (act, number, how) in enumerate(acts):
        if act == "hear":
            email = {"own": address(number), "none": "", "shared": "info@example.com"}
            at = f"2026-01-02T03:05:{place:02}.000Z"
            house.live(person(number, Email=email[how], SystemModstamp=at))
            heard.add(number)
            # Of who is erased nothing new is kept, not even an address.
            if email[how] and number not in erased_records:
                addresses.setdefault(number, set()).add(email[how])
            if not addresses.get(number, set()).isdisjoint(erased_addresses):
                erased_records.add(number)
            continue
        if how == "email":
            house.erase(address(number))
            emails, records = {address(number)}, set[int]()
        else:
            house.erase(records=[lead_id(number)])
            emails, records = set[str](), {number}
        while True:
            before = len(emails), len(records)
            records |= {
                other for other in heard if addresses.get(other, set()) & emails
            }
            emails |= {each for other in records for each in addresses.get(other, ())}
            if (len(emails), len(records)) == before:
                break
        erased_addresses |= emails
        erased_records |= records
    for number in heard:
        details = house.referral(number).details
        if number in erased_records:
            assert details == {}
        else:
            assert details["last_name"] == f"Surname{number}"


def test_a_stranger_to_the_door_is_nobodys_mention(house):
    """An event about another record with no address is left alone."""
    house.live(person(1))
    with house.wiring.engine.begin() as db:
        inbox.keep(
            db,
            [
                Arrival(
                    connection_id=house.connection.id,
                    org_id=house.org_id,
                    source="platform_event",
                    notification_id="one",
                    action_id="",
                    object_type=None,
                    record_id=None,
                    content={"fields": {"About": "nobody"}},
                    received_at=house.wiring.now(),
                    error="unreadable",
                )
            ],
            keyring=house.wiring.keyring,
        )

    house.erase(address(1))

    assert [each.fields for each in house.events()] == [{}, {"About": "nobody"}]


def test_the_words_of_a_lead_without_an_address_are_found_by_its_id(house):
    house.live({name: v for name, v in lead(5).items() if name != "Email"})

    house.erase(records=[lead_id(5)])

    assert house.referral(5).details == {}
    assert house.rows(select(func.count()).select_from(event).scalar_subquery()) == [
        (1,)
    ]


POSTING = """
version: "1"
milestones:
  submitted:
    - {action: tell, chat: {channel: sales, text: "{prospect}, by {referrer}"}}
    - {action: note, set_field: {field: Description, value: "By {referrer}"}}
    - {action: join, add_to_campaign: {campaign: 701000000000001}}
"""


def test_whatever_waits_names_an_erased_referrer_no_longer(house):
    house.act_by(POSTING)
    house.live(introduced(1))

    house.erase(records=[REFERRER])

    def waiting(kind):
        with house.wiring.engine.begin() as db:
            (attempt,) = claims.claim(
                db,
                house.connection.id,
                kind,
                now=house.wiring.now(),
                lease_ends=house.wiring.now(),
                limit=9,
                keyring=house.wiring.keyring,
            )
        return attempt.what

    post = waiting("chat")
    assert post.text == "Ada Surname1, by a referrer not yet named"
    assert {"referrer", "code"}.isdisjoint(post.values)
    assert "Surname1" in post.values["name"]
    assert waiting("set_field").value == "By a referrer not yet named"
    assert waiting("add_to_campaign").record_id == lead_id(1)
