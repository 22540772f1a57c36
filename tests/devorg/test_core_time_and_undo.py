"""The clock that may run faster, and the journal that takes back."""

import time
from datetime import timedelta

import pytest

from sidecar.devorg.clock import OrgClock
from sidecar.devorg.founding import ADMIN
from sidecar.devorg.journal import Journal


def test_time_never_runs_backwards_when_its_speed_changes():
    clock = OrgClock(speed=1_000_000)
    time.sleep(0.001)
    before = clock.now()

    clock.set_speed(1)

    assert clock.now() >= before
    assert clock.now() - before < timedelta(hours=1)


def test_a_wait_ends_early_when_the_clock_jumps():
    clock = OrgClock(speed=1)
    due = clock.now() + timedelta(hours=24)
    assert 80_000 < clock.real_seconds_until(due) <= 86_400

    clock.advance(timedelta(hours=24))
    clock.wait_until(due)

    assert clock.real_seconds_until(due) == 0


class _Abandoned(Exception):
    pass


def _abandon(journal, *steps):
    with journal.savepoint():
        for step in steps:
            step()
        raise _Abandoned


def test_what_was_put_off_is_done_on_commit_alone():
    journal, done = Journal(), []

    with pytest.raises(_Abandoned):
        _abandon(journal, lambda: journal.on_commit(lambda: done.append("undone")))
    journal.on_commit(lambda: done.append("kept"))
    assert done == []

    journal.commit()
    assert done == ["kept"]


def test_things_are_taken_back_last_first():
    journal, log = Journal(), []

    with pytest.raises(_Abandoned):
        _abandon(
            journal,
            lambda: journal.undo(lambda: log.append(1)),
            lambda: journal.undo(lambda: log.append(2)),
        )

    assert log == [2, 1]


def test_a_request_that_breaks_is_taken_back_whole(org):
    admin = org.system(org.user_named(ADMIN))

    def break_down():
        with org.work():
            org.records.create(admin, "Account", {"Name": "Example"})
            raise _Abandoned

    with pytest.raises(_Abandoned):
        break_down()

    assert org.records.table("Account").rows == {}
