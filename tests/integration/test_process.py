"""From inbox to follow-ups: what a message means, and that it happens once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from messages import lead, lead_id, message, notification
from sqlalchemy import select, update

from sidecar.errors import Permanent, Retryable
from sidecar.intake import arrivals, outbound_message
from sidecar.jobs.process import process
from sidecar.store import claims, inbox, referrals
from sidecar.store.tables import event, follow_up, referral


class Org:
    """Records as the org has them; counts how often it is asked."""

    def __init__(self) -> None:
        self.rows: dict[str, Mapping[str, Any]] = {}
        self.asked = 0
        self.failure: Exception | None = None

    def read(
        self, connection_id: int, object_type: str, ids: Sequence[str], fields: object
    ) -> dict[str, Mapping[str, Any]]:
        self.asked += 1
        if self.failure:
            raise self.failure
        return {id_: self.rows[id_] for id_ in ids if id_ in self.rows}


class Town:
    """One connection, and the road from a message to its follow-ups."""

    def __init__(self, wiring, connect) -> None:
        self.wiring = wiring
        self.connection, _ = connect()
        self.org = Org()
        self.rung: list[tuple[int, str]] = []
        self.number = 0

    def hear(self, *fields: Mapping[str, str], **more: Any) -> list[int]:
        """A message comes in; it is not yet processed."""
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
            ring_to_deliver=lambda id_, kind: self.rung.append((id_, kind)),
            now=self.wiring.now,
        )

    def hear_and_process(self, *fields: Mapping[str, str], **more: Any) -> None:
        self.process(self.hear(*fields, **more))

    def rows(self, *columns) -> list[tuple]:
        with self.wiring.engine.connect() as db:
            return [tuple(row) for row in db.execute(select(*columns).order_by("id"))]

    def planned(self) -> list[tuple]:
        return self.rows(follow_up.c.milestone, follow_up.c.kind)

    def told(self) -> list[tuple]:
        return self.rows(event.c.state, event.c.outcome)

    def status(self, number: int = 1) -> str | None:
        with self.wiring.engine.connect() as db:
            return db.execute(
                select(referral.c.status).where(referral.c.key == lead_id(number))
            ).scalar_one_or_none()


@pytest.fixture
def town(wiring, connect) -> Town:
    return Town(wiring, connect)


def at(second: int) -> str:
    return f"2026-01-02T03:04:{second:02}.000Z"


BOTH = [("task",), ("email",)]


def test_a_milestone_brings_one_task_and_one_mail(town):
    town.hear_and_process(lead(1))

    assert town.planned() == [("submitted", "task"), ("submitted", "email")]
    assert town.rung == [(town.connection.id, "task"), (town.connection.id, "email")]
    assert town.told() == [("done", "reached: submitted reached")]


def test_the_same_change_through_two_messages_is_one_follow_up(town):
    town.hear_and_process(lead(1))
    town.hear_and_process(lead(1))

    assert len(town.planned()) == 2
    assert town.told()[1] == ("done", "unchanged: still submitted")


def test_an_older_state_never_overwrites_a_newer_one(town):
    """Promise 13: recorded, and changes nothing."""
    town.hear_and_process(lead(1, "Qualified", SystemModstamp=at(20)))
    town.hear_and_process(lead(1, "Contacted", SystemModstamp=at(10)))

    assert town.status() == "Qualified"
    assert {milestone for milestone, _ in town.planned()} == {"qualified"}
    assert town.told()[1] == ("done", "older: a newer state is already known")
    assert town.org.asked == 0


def test_states_that_came_in_the_wrong_order_are_decided_in_the_right_one(town):
    late = town.hear(lead(1, "Contacted", SystemModstamp=at(20)))
    early = town.hear(lead(1, "Submitted", SystemModstamp=at(10)))
    town.process(late + early)

    assert town.status() == "Contacted"
    assert [milestone for milestone, _ in town.planned()] == [
        "submitted",
        "submitted",
        "contacted",
        "contacted",
    ]


def test_a_ring_for_a_later_event_takes_earlier_ones_along(town):
    """Nobody overtakes: the ring for the first was lost, the second's was heard."""
    town.hear(lead(1, "Submitted", SystemModstamp=at(10)))
    second = town.hear(lead(1, "Contacted", SystemModstamp=at(20)))
    town.process(second)

    assert [state for state, _ in town.told()] == ["done", "done"]
    assert len(town.planned()) == 4


def test_where_the_message_carries_no_time_the_record_is_read_back(town):
    """Promise 13, second half; the org's word counts, not the message's."""
    fields = {k: v for k, v in lead(1, "Submitted").items() if k != "SystemModstamp"}
    town.org.rows[lead_id(1)] = {
        **lead(1, "Contacted"),
        "SystemModstamp": "2026-01-02T03:04:05.000+0000",
    }
    town.hear_and_process(fields)

    assert town.org.asked == 1
    assert town.status() == "Contacted"
    assert {milestone for milestone, _ in town.planned()} == {"contacted"}


def test_two_states_of_the_same_second_are_read_back(town):
    town.hear_and_process(lead(1, "Contacted", SystemModstamp=at(10)))
    town.org.rows[lead_id(1)] = lead(1, "Contacted", SystemModstamp=at(10))
    town.hear_and_process(lead(1, "Submitted", SystemModstamp=at(10)))

    assert town.org.asked == 1
    assert town.status() == "Contacted"
    assert {milestone for milestone, _ in town.planned()} == {"contacted"}


def test_many_records_are_read_back_in_one_call(town):
    fields = [
        {k: v for k, v in lead(n).items() if k != "SystemModstamp"}
        for n in range(1, 51)
    ]
    town.org.rows = {lead_id(n): lead(n) for n in range(1, 51)}
    town.hear_and_process(*fields)

    assert town.org.asked == 1
    assert len(town.planned()) == 100


def test_a_record_that_is_gone_is_told_so(town):
    fields = {k: v for k, v in lead(1).items() if k != "SystemModstamp"}
    town.hear_and_process(fields)

    assert town.told() == [("done", "ignored: the record is no longer there")]


def test_an_org_that_does_not_answer_is_asked_again_later(town, hand):
    fields = {k: v for k, v in lead(1).items() if k != "SystemModstamp"}
    town.org.failure = Retryable("no answer from Salesforce")
    ids = town.hear(fields)
    town.process(ids)
    assert town.told() == [("waiting", None)]

    town.org.failure = None
    town.org.rows[lead_id(1)] = lead(1)
    town.process(ids)
    assert town.told() == [("waiting", None)], "it is not due yet"
    hand.move(minutes=1)
    town.process(ids)
    assert town.told() == [("done", "reached: submitted reached")]


def test_an_org_that_refuses_makes_a_dead_letter_with_its_words(town):
    fields = {k: v for k, v in lead(1).items() if k != "SystemModstamp"}
    town.org.failure = Permanent("INVALID_FIELD: No such column")
    town.hear_and_process(fields)

    (row,) = town.rows(event.c.state, event.c.error)
    assert row == ("dead", "reading the record: INVALID_FIELD: No such column")


def test_a_poison_event_waits_and_its_neighbours_go_on(town, wiring):
    """Promise 4, behind the door: whatever is wrong with a row, it is alone."""
    ids = town.hear(lead(1), lead(2), lead(3))
    with wiring.engine.begin() as db:
        content = {"fields": lead(2, Referral_Key__c="x\x00y")}
        db.execute(
            update(event)
            .where(event.c.id == ids[1])
            .values(sealed=wiring.keyring.seal(json.dumps(content)))
        )
    town.process(ids)

    assert [state for state, _ in town.told()] == ["done", "waiting", "done"]
    assert len(town.planned()) == 4


def test_an_object_without_referrals_is_left_alone(town):
    fields = {"Id": "0010000000000001AA", "SystemModstamp": at(1)}
    town.hear_and_process(fields, object_type="Account")

    assert town.told() == [("done", "ignored: no referrals are kept on Account")]


def test_a_status_without_a_meaning_is_remembered_and_brings_nothing(town):
    town.hear_and_process(lead(1, "Parked"))

    assert town.status() == "Parked"
    assert town.planned() == []


def test_an_orgs_own_words_are_mapped(town, connect):
    town.connection, _ = connect(
        org_id="00D000000000002EAA", status_map={"Neu": "submitted"}
    )
    town.hear_and_process(lead(1, "Neu"))

    assert [milestone for milestone, _ in town.planned()] == ["submitted"] * 2


def test_a_connections_own_playbook_counts(town, connect):
    text = """
version: "acme 7"
milestones:
  submitted:
    - action: write
      email: {template: new_referral}
"""
    town.connection, _ = connect(org_id="00D000000000002EAA", playbook=text)
    town.hear_and_process(lead(1))

    assert town.rows(follow_up.c.kind, follow_up.c.playbook_version) == [
        ("email", "acme 7")
    ]


@pytest.mark.parametrize(
    ("known", "referrer"),
    [({"Lead": ["Id", "Referrer_Name__c"]}, ""), ({}, "Mira Sample")],
)
def test_a_missing_field_is_cleared_only_where_the_field_list_says_so(
    town, wiring, known, referrer
):
    """Promise 20: with the WSDL, absent means cleared; without it, not told."""
    town.connection = replace(town.connection, field_lists=known)
    town.hear_and_process(lead(1, Referrer_Name__c="Mira Sample", SystemModstamp=at(1)))
    town.hear_and_process(lead(1, "Contacted", SystemModstamp=at(2)))

    with wiring.engine.connect() as db:
        found = referrals.load(
            db, town.connection.org_id, [lead_id(1)], keyring=wiring.keyring
        )
    assert found[lead_id(1)].details["referrer"] == referrer


def test_a_replay_does_nothing_twice(town, wiring):
    ids = town.hear(lead(1))
    town.process(ids)
    with wiring.engine.begin() as db:
        assert inbox.replay(db, ids, now=wiring.now()) == ids
    town.process(ids)

    assert len(town.planned()) == 2
    assert [state for state, _ in town.told()] == ["done"]


def test_the_sweep_rings_for_what_nobody_rang_for(town, wiring):
    ids = town.hear(lead(1))

    assert wiring.sweep() == 1
    job = wiring.doorbell._queues["process"].jobs[0]
    assert (job.func_name, list(job.args[0])) == ("sidecar.worker.process", ids)


def test_personal_data_is_sealed_in_every_table(town, wiring):
    """Promise 7 of the design: a dump of the database names nobody."""
    town.hear_and_process(lead(1, LastName="Findmeplease"))
    with wiring.engine.connect() as db:
        for table in (event, referral, follow_up):
            assert "Findmeplease" not in str(db.execute(select(table)).all())
        claimed = claims.claim(
            db,
            town.connection.id,
            "task",
            now=wiring.now(),
            lease_ends=wiring.now(),
            limit=1,
            keyring=wiring.keyring,
        )
    assert "Findmeplease" in str(claimed)
