"""Response clocks on real rows: each stage once, whoever looks, however often."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from clock_floor import ALWAYS, BACKUP, MANAGER, OTHER, REP
from messages import lead_id
from sqlalchemy import select, update

from sidecar.errors import Permanent, Retryable
from sidecar.store import claims, inbox, response_clocks
from sidecar.store.tables import connection, follow_up, referral, response_clock

LADDER = [
    ("started", None),
    ("told", "at_risk"),
    ("told", "due"),
    ("told", "overdue"),
    ("told", "backup"),
    ("told", "manager"),
]


def test_each_stage_is_told_once_and_brings_its_follow_up(floor, hand):
    here = floor()
    here.submit()
    for _ in range(40):
        hand.move(minutes=30)
        here.tell()
        here.tell()

    assert here.notes() == LADDER
    assert here.actions() == [
        "call",
        "first-response.at_risk.remind",
        "first-response.overdue.tell-owner",
        "first-response.backup.take-over",
        "first-response.manager.step-in",
    ]
    assert here.clock().state == "spent"


def test_a_clocks_mail_says_since_when_somebody_waits(floor, hand, wiring):
    here = floor()
    here.submit()
    started_at = here.clock().started_at
    for _ in range(20):
        hand.move(hours=1)
        here.tell()

    with wiring.engine.begin() as db:
        mails = claims.claim(
            db,
            here.connection.id,
            "email",
            now=wiring.now(),
            lease_ends=wiring.now(),
            limit=50,
            keyring=wiring.keyring,
        )
    late = [mail for mail in mails if mail.created_at > started_at + timedelta(hours=1)]
    assert late
    for mail in late:
        assert datetime.fromisoformat(mail.what.values["since"]) == started_at


def test_the_ladder_goes_to_the_owner_the_backup_and_the_manager(floor, hand, wiring):
    here = floor()
    here.submit()
    for _ in range(20):
        hand.move(hours=1)
        here.tell()

    to = {}
    for kind in ("task", "email"):
        with wiring.engine.begin() as db:
            for item in claims.claim(
                db,
                here.connection.id,
                kind,
                now=wiring.now(),
                lease_ends=wiring.now(),
                limit=50,
                keyring=wiring.keyring,
            ):
                to[item.key] = item.what
    by_action = {}
    with wiring.engine.connect() as db:
        for row in db.execute(select(follow_up.c.key, follow_up.c.action)):
            what = to[row.key]
            by_action[row.action] = getattr(what, "owner_id", None) or what.to_user_id
    assert by_action == {
        "call": REP,
        "first-response.at_risk.remind": REP,
        "first-response.overdue.tell-owner": REP,
        "first-response.backup.take-over": BACKUP,
        "first-response.manager.step-in": MANAGER,
    }


def test_every_follow_up_names_the_playbook_that_caused_it(floor, hand, wiring):
    here = floor()
    here.submit()
    hand.move(hours=10)
    here.tell()

    with wiring.engine.connect() as db:
        assert set(db.scalars(select(follow_up.c.playbook_version))) == {"clocks 1"}


def test_whoever_is_contacted_in_time_is_never_escalated(floor, hand):
    here = floor()
    here.submit()
    hand.move(hours=2)
    here.submit(status="Contacted")
    hand.move(days=5)
    here.tell()

    assert here.clock().state == "done"
    assert here.actions() == ["call"]
    assert here.notes() == [("started", None), ("stopped", None)]


def test_an_action_for_later_comes_once_and_not_where_the_referral_moved_on(
    floor, hand
):
    here = floor()
    here.submit(1)
    here.submit(2)
    hand.move(hours=1)
    here.submit(2, status="Lost")
    hand.move(days=4)
    here.tell()
    here.tell()

    assert here.actions().count("ask-again") == 1
    assert here.clock("ask-again", 1).state == "done"
    assert here.clock("ask-again", 2).state == "done"


def test_a_referral_that_is_gone_stops_its_clocks(floor, hand, wiring):
    here = floor()
    here.submit()
    with wiring.engine.begin() as db:
        db.execute(referral.delete())
    hand.move(days=2)
    here.tell()

    assert here.clock().state == "cancelled"
    assert here.actions() == ["call"]


def test_one_referral_that_breaks_us_does_not_hold_up_the_others(floor, hand, wiring):
    here = floor()
    for number in (1, 2, 3):
        here.submit(number)
    with wiring.engine.begin() as db:
        db.execute(
            update(response_clock)
            .where(response_clock.c.referral_key == lead_id(2))
            .values(marks=[["no such stage", 0]])
        )
    hand.move(hours=10)
    here.tell()

    assert here.actions().count("first-response.overdue.tell-owner") == 2
    assert ("told", "overdue") in here.notes(3)


def test_the_owners_role_decides_by_which_hours_it_counts(floor, hand):
    """Until the org has said so, everybody's hours count."""
    calendar = ALWAYS + (
        "teams:\n  west:\n    roles: [West]\n    hours: {monday: 00:00-00:01}\n"
    )
    here = floor(calendar)
    here.org.rows[REP] = {
        "Id": REP,
        "IsActive": True,
        "ManagerId": None,
        "UserRole": {"Name": "West"},
    }
    here.submit()
    assert here.clock().team == ""
    assert here.lanes_due(here.wiring.now()) == [here.connection.id]

    assert here.meet() == 1
    here.tell()
    assert here.clock().team == "west"
    assert ("handed_over", None) in here.notes()
    assert here.meet() == 0, "it is not asked again within a day"
    hand.move(days=2)
    assert here.meet() == 1


def test_an_org_that_does_not_answer_keeps_no_clock_waiting(floor, hand):
    here = floor()
    here.submit()
    here.org.failure = Retryable("no answer from Salesforce")
    here.meet()
    hand.move(hours=10)
    here.tell()

    assert ("told", "overdue") in here.notes()


def test_an_owner_change_is_recorded_and_hands_the_clock_over(floor, hand, wiring):
    here = floor()
    here.submit()
    hand.move(hours=1)
    here.submit(OwnerId=OTHER)

    assert here.clock().owner_id == OTHER
    with wiring.engine.connect() as db:
        told = response_clocks.history(db, here.connection.org_id, lead_id(1))
    assert [
        (note["what"], note["details"])
        for note in told
        if note["name"] == "first-response"
    ] == [("started", f"owner {REP}"), ("handed_over", f"{REP} to {OTHER}")]


# --- what the record is told ------------------------------------------------------


def due_of(here, number: int = 1) -> object:
    return here.org.rows[lead_id(number)].get("Referral_Response_Due__c")


def test_the_record_is_told_by_when_somebody_must_answer(floor, hand):
    here = floor()
    here.submit()
    assert here.write() == 1

    promised = here.clock().promised_at
    assert due_of(here) == f"{promised.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000+0000"
    assert here.write() == 0


def test_a_record_that_says_so_already_is_not_written(floor, hand):
    here = floor()
    here.submit()
    promised = here.clock().promised_at.astimezone(UTC)
    here.org.rows[lead_id(1)]["Referral_Response_Due__c"] = (
        f"{promised:%Y-%m-%dT%H:%M:%S}.000+0000"
    )

    assert here.write() == 0
    assert here.org.updates == []


def test_two_hundred_and_one_records_take_two_calls(floor, hand):
    here = floor()
    for number in range(1, 202):
        here.submit(number)
    calls = here.org.read_calls

    assert here.write() == 201
    assert [len(ids) for ids in here.org.updates] == [200, 1]
    assert here.org.read_calls - calls == 2


def test_a_pause_that_ends_tells_the_record_the_new_moment(floor, hand):
    here = floor()
    here.submit()
    here.write()
    first = due_of(here)
    hand.move(hours=1)
    here.submit(status="Parked")
    hand.move(hours=5)
    here.submit(status="Submitted")
    here.write()

    moved = datetime.fromisoformat(due_of(here)) - datetime.fromisoformat(first)
    assert timedelta(hours=4, minutes=59) < moved < timedelta(hours=5, minutes=1)


@pytest.mark.parametrize(
    ("failure", "again"), [(Retryable("away"), True), (Permanent("no access"), False)]
)
def test_what_the_org_refuses_is_tried_again_only_where_that_helps(
    floor, hand, failure, again
):
    here = floor()
    here.submit()
    here.org.failure = failure
    here.write()
    assert here.clock().write_error == str(failure)
    assert (here.clock().write_due_at is not None) == again

    here.org.failure = None
    hand.move(hours=1)
    assert here.write() == (1 if again else 0)


def test_one_refused_record_does_not_hold_up_the_others(floor, hand):
    here = floor()
    here.submit(1)
    here.submit(2)
    here.org.refused[lead_id(1)] = Permanent("CANNOT_UPDATE_CONVERTED_LEAD")

    assert here.write() == 1
    assert due_of(here, 2)
    assert here.clock(number=1).write_due_at is None


def test_an_org_that_wants_rest_gets_it(floor, hand, wiring):
    here = floor()
    here.submit()
    until = wiring.now() + timedelta(hours=1)
    here.org.failure = Retryable("limit", retry_at=until, pauses_org=True)
    here.write()
    here.org.failure = None
    assert here.write() == 0

    with wiring.engine.connect() as db:
        assert db.scalar(select(connection.c.pause_reason)) == "limit"
    hand.move(hours=3)
    assert here.write() == 1


def test_two_that_look_at_once_tell_a_stage_once(floor, hand, wiring):
    """The second waits for the lane, and finds that all is told."""
    here = floor()
    here.submit()
    hand.move(hours=10)
    both = [threading.Thread(target=here.tell) for _ in range(2)]
    with wiring.engine.begin() as db:
        inbox.lock_lane(db, here.connection.id)
        for one in both:
            one.start()
    for one in both:
        one.join()

    stages = [stage for _, stage in here.notes() if stage]
    assert len(stages) == len(set(stages)) == 3
    assert here.actions().count("first-response.overdue.tell-owner") == 1
