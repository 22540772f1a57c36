"""An open referral has one owner and one next step, or stands on the list."""

from datetime import timedelta

import pytest
from clock_floor import OTHER, QUEUE, REP, Floor
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from messages import lead_id
from sqlalchemy import update

from sidecar.jobs import clocks
from sidecar.referral.business_calendar import Colleague
from sidecar.store import colleagues, next_steps
from sidecar.store.connections import OrgConnection
from sidecar.store.tables import follow_up

NUMBERS = st.integers(1, 3)
STATUSES = ["Submitted", "Contacted", "Qualified", "Opportunity", "Won", "Lost"]
ORG_IDS = iter(f"00D{number:012d}EAA" for number in range(100, 100_000))


class Life(RuleBasedStateMachine):
    """Referrals as they come, change hands, wait, are told of and end."""

    def __init__(self, floor: Floor, hand) -> None:
        super().__init__()
        self.floor, self.hand = floor, hand
        self.status: dict[int, str] = {}
        self.owner: dict[int, str] = {}
        self.left: set[str] = set()
        self.closed: set[int] = set()

    def tell_of(self, number: int) -> None:
        self.hand.move(seconds=2)  # Salesforce's times are whole seconds
        self.floor.submit(number, self.status[number], OwnerId=self.owner[number])

    @rule(number=NUMBERS, status=st.sampled_from([*STATUSES, "Parked", "Odd"]))
    def change_status(self, number: int, status: str) -> None:
        self.status[number] = status
        self.owner.setdefault(number, REP)
        if status in {"Won", "Lost"}:
            self.closed.add(number)
        elif status in STATUSES:
            self.closed.discard(number)
        # Any other word means nothing: it stands where it stood before.
        self.tell_of(number)

    @rule(number=NUMBERS, owner=st.sampled_from([REP, OTHER, QUEUE]))
    def change_owner(self, number: int, owner: str) -> None:
        if number in self.status:
            self.owner[number] = owner
            self.tell_of(number)

    @rule(hours=st.sampled_from([1, 5, 9, 60]))
    def wait(self, hours: int) -> None:
        self.hand.move(hours=hours)

    @rule()
    def look(self) -> None:
        self.floor.tell()

    @rule()
    def deliver(self) -> None:
        with self.floor.wiring.engine.begin() as db:
            db.execute(update(follow_up).values(state="done"))

    @rule(number=NUMBERS, hours=st.sampled_from([None, 3]))
    def pause(self, number: int, hours: int | None) -> None:
        now = self.floor.wiring.now()
        connection = self.floor.connection
        with self.floor.wiring.engine.begin() as db:
            clocks.rest(
                db,
                connection,
                lead_id(number),
                playbook=self.floor.wiring.playbook_of(connection),
                until=now + timedelta(hours=hours) if hours else None,
                why="a test",
                now=now,
            )

    @rule(number=NUMBERS)
    def resume(self, number: int) -> None:
        connection = self.floor.connection
        with self.floor.wiring.engine.begin() as db:
            clocks.go_on(
                db,
                connection,
                lead_id(number),
                playbook=self.floor.wiring.playbook_of(connection),
                why="a test",
                now=self.floor.wiring.now(),
            )

    @rule(gone=st.booleans())
    def leave(self, gone: bool) -> None:
        """The org says that somebody has left, or has come back."""
        self.left = {OTHER} if gone else set()
        with self.floor.wiring.engine.begin() as db:
            colleagues.remember(
                db,
                self.floor.connection.id,
                {OTHER: Colleague(active=not gone)},
                now=self.floor.wiring.now(),
            )

    @invariant()
    def one_owner_and_one_next_step_or_on_the_list(self) -> None:
        org_id = self.floor.connection.org_id
        with self.floor.wiring.engine.connect() as db:
            unowned = [r for r in next_steps.unowned(db) if r.org_id == org_id]
            without = [
                r for r in next_steps.without_next_step(db) if r.org_id == org_id
            ]
            keys = [lead_id(number) for number in self.status]
            steps = next_steps.next_steps(db, org_id, keys)
        unowned_keys = [item.key for item in unowned]
        without_keys = [item.key for item in without]
        assert len(set(unowned_keys)) == len(unowned_keys)
        assert len(set(without_keys)) == len(without_keys)
        for number, status in self.status.items():
            key, owner = lead_id(number), self.owner[number]
            is_open = number not in self.closed
            owned = owner.startswith("005") and owner not in self.left
            assert (key in unowned_keys) == (is_open and not owned), status
            if is_open:
                assert (key in steps) != (key in without_keys), status
            else:
                assert key not in without_keys


def test_after_every_event_it_has_one_owner_and_one_next_step_or_is_listed(
    floor, hand
) -> None:
    run_state_machine_as_test(
        lambda: Life(floor(org_id=next(ORG_IDS)), hand),
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_referral_about_which_all_is_told_stands_on_the_list(floor, hand) -> None:
    here = floor()
    here.submit()
    with here.wiring.engine.connect() as db:
        assert next_steps.without_next_step(db) == []
    for _ in range(50):
        hand.move(hours=2)
        here.tell()
    with here.wiring.engine.begin() as db:
        db.execute(update(follow_up).values(state="done"))

    with here.wiring.engine.connect() as db:
        assert [item.key for item in next_steps.without_next_step(db)] == [lead_id(1)]


@pytest.mark.parametrize("owner", [QUEUE, ""])
def test_what_belongs_to_a_queue_or_to_nobody_stands_on_the_list(floor, owner) -> None:
    here = floor()
    here.submit(1, OwnerId=owner)
    here.submit(2)

    with here.wiring.engine.connect() as db:
        assert [item.key for item in next_steps.unowned(db)] == [lead_id(1)]


def test_the_next_step_is_the_one_that_comes_first(floor, hand) -> None:
    here = floor()
    here.submit()
    connection: OrgConnection = here.connection

    def step() -> tuple[str, str]:
        with here.wiring.engine.connect() as db:
            found = next_steps.next_steps(db, connection.org_id, [lead_id(1)])
        return found[lead_id(1)].kind, found[lead_id(1)].name

    here.tell()
    assert step() == ("follow-up", "call")
    with here.wiring.engine.begin() as db:
        db.execute(update(follow_up).values(state="done"))
    assert step() == ("clock", "first-response")
