"""Reconciliation against a real org: what no message told is found, once, and cheaply."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from life import Life
from sqlalchemy import delete, func, select, update

from sidecar.errors import Permanent
from sidecar.intake import reconcile as door
from sidecar.jobs import catching_up
from sidecar.jobs.reconcile import EVERY
from sidecar.salesforce import changes
from sidecar.store import inbox, reached, reconciliations, referrals
from sidecar.store.inbox import Arrival
from sidecar.store.reconciliations import RESYNC, SINCE
from sidecar.store.tables import event, follow_up, reconciliation, referral


def _told(life: Life) -> list[tuple]:
    return life.events(event.c.source, event.c.state, event.c.outcome)


def test_a_change_whose_message_was_lost_is_recovered_once_and_marked(life: Life):
    life.misfortunes(drop=1.0)
    (lead,) = life.refer(1)
    life.settle()

    assert _told(life) == [("reconcile", "done", "reached: submitted reached")]
    assert life.wanted() == life.done()
    assert life.known() == life.as_they_are()
    assert (life.count("expected"), life.count("recovered")) == (1, 1)
    ((fields,),) = [
        (found.fields,)
        for (id_,) in life.events(event.c.id)
        if (found := _event(life, id_))
    ]
    assert fields["recovered"]["shown_by"] == "stamp"
    assert fields["Id"] == lead


def _event(life: Life, id_: int) -> inbox.Event | None:
    with life.wiring.engine.connect() as db:
        return inbox.find(db, id_, keyring=life.wiring.keyring)


def test_milestones_between_two_messages_are_made_up_for(life: Life):
    """Outbound messages tell the latest state only; the flow's stamps tell the rest."""
    life.misfortunes(drop=1.0)
    leads = life.refer(3)
    life.pass_time(minutes=1)
    life.move(dict.fromkeys(leads, "Contacted"))
    life.pass_time(minutes=1)
    life.misfortunes(drop=0.0)
    life.move(dict.fromkeys(leads, "Qualified"))
    life.hear()
    life.work()
    life.settle()

    assert life.wanted() == life.done()
    assert {status for _, _, status in life.known().values()} == {"Qualified"}
    assert (life.count("received"), life.count("recovered")) == (3, 6)


def test_what_has_come_is_not_made_up_for(life: Life):
    life.refer(3)
    life.hear()
    life.work()
    life.settle()

    assert {source for source, _, _ in _told(life)} == {"outbound_message"}
    assert (life.count("received"), life.count("recovered")) == (3, 0)
    assert life.wanted() == life.done()


def test_a_message_that_is_still_on_its_way_is_waited_for(life: Life):
    life.misfortunes(delay=1.0, delay_seconds=60)
    life.pass_time(minutes=15)
    life.refer(1)
    life.reconcile()
    assert _told(life) == []

    life.live(minutes=2)
    life.settle()
    assert [source for source, _, _ in _told(life)] == ["outbound_message"]


def test_a_message_that_comes_after_its_change_was_made_up_for_does_nothing(life: Life):
    life.misfortunes(delay=1.0, delay_seconds=3600)
    life.refer(1)
    life.settle()
    life.live(hours=1)

    assert [(source, outcome) for source, _, outcome in _told(life)] == [
        ("reconcile", "reached: submitted reached"),
        ("outbound_message", "unchanged: still submitted"),
    ]
    assert life.wanted() == life.done()
    life.settle()
    assert (life.count("received"), life.count("recovered")) == (0, 1)


def test_what_the_index_shows_late_is_found_by_the_next_run(life: Life):
    life.misfortunes(drop=1.0)
    life.lag(300)
    life.pass_time(minutes=12)
    life.refer(2)
    life.live(minutes=4)  # the run that is due now does not see them
    assert life.regular().done_at is not None
    assert _told(life) == []

    life.settle()
    assert life.count("recovered") == 2


def test_a_deleted_referral_is_forgotten_and_no_longer_expected(life: Life):
    life.misfortunes(drop=1.0)
    kept, gone, unheard = life.refer(3)
    life.settle()
    life.pass_time(minutes=1)
    life.move({unheard: "Contacted"})
    life.delete(unheard)
    life.delete(gone)
    life.settle()

    assert set(life.known()) == {kept}
    assert life.wanted() == life.done()
    assert life.count("unexplained") == 0


def test_a_referral_of_another_owner_is_brought_up_to_date_without_any_event(
    life: Life,
):
    (lead,) = life.refer(1)
    life.live(minutes=1)
    other = life.org.user_ids[life.org.reps[2]]
    life.pass_time(minutes=1)
    life.change([lead], OwnerId=other)
    life.settle()

    with life.wiring.engine.connect() as db:
        assert db.scalar(select(referral.c.owner_id)) == other
    assert len(_told(life)) == 1


def test_a_run_is_one_call_whatever_the_number_of_objects(life: Life):
    life.settle()
    life.refer(40)
    life.hear()
    life.work()
    life.pass_time(minutes=16)

    assert life.calls(life.reconcile) == 1
    assert life.regular().records >= 40


def test_records_of_one_second_are_read_page_by_page_each_once(
    life: Life, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(changes, "PAGE", 7)
    life.misfortunes(drop=1.0)
    life.refer(30)
    life.pass_time(minutes=16)
    for _ in range(5):
        life.reconcile()
        life.pass_time(minutes=3)
    life.settle()

    assert life.count("recovered") == 30
    assert life.wanted() == life.done()


def test_an_org_that_refuses_is_asked_again_where_the_run_was(
    life: Life, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(changes, "PAGE", 7)
    life.misfortunes(drop=1.0)
    life.refer(10)
    life.pass_time(minutes=16)
    life.reconcile()
    before = life.regular()
    assert before.todo
    life.door("POST", "/faults", path="queryAll", status=503)
    life.pass_time(minutes=3)
    with pytest.raises(AssertionError, match="SERVER_UNAVAILABLE"):
        life.reconcile()
    life.pass_time(minutes=1)
    life.reconcile()

    assert life.regular().began_at is None
    life.settle()
    assert life.count("recovered") == 10


def test_a_turn_whose_lease_has_ended_writes_nothing(life: Life):
    life.misfortunes(drop=1.0)
    life.refer(1)
    life.pass_time(minutes=16)
    pages = life.wiring.changes.pages

    def slow(*args):
        """While the org takes its time, another worker takes the next turn."""
        found = pages(*args)
        with life.wiring.engine.begin() as db:
            db.execute(
                update(reconciliation).values(attempts=reconciliation.c.attempts + 1)
            )
        return found

    life.wiring.changes.pages = slow  # type: ignore[method-assign]
    try:
        life.wiring.take_turn_of_reconciliation(life.regular().id)
    finally:
        del life.wiring.changes.pages
    assert _told(life) == []
    life.pass_time(minutes=3)
    life.reconcile()
    assert len(_told(life)) == 1


def test_an_overflow_is_closed_by_the_run_that_covers_it(life: Life):
    life.settle()
    header = {
        "entityName": "Lead",
        "changeType": "GAP_OVERFLOW",
        "recordIds": ["00Q*"],
        "commitTimestamp": int(life.wiring.now().timestamp() * 1000),
    }
    arrival = Arrival(
        connection_id=life.connection.id,
        org_id=life.connection.org_id,
        source="change_event",
        notification_id="an overflow",
        action_id="LeadChangeEvent",
        object_type="Lead",
        record_id=None,
        content={"fields": {"event": header}},
        received_at=life.wiring.now(),
        error="too many changes of Lead at once: `sidecar reconcile` finds them",
    )
    life.wiring.keep([arrival])
    life.reconcile()
    assert [state for _, state, _ in _told(life)] == ["dead"]

    life.settle()
    ((_, state, outcome),) = _told(life)
    assert state == "done"
    assert outcome.startswith("closed: reconciled from")


def test_an_org_without_the_package_costs_little_and_is_no_error(
    life: Life, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(life.wiring.changes, "look", lambda *_: {})
    life.pass_time(minutes=16)

    assert life.calls(life.reconcile) == 0
    assert life.regular().objects == {}


# --- after an outage ---------------------------------------------------------------


def _catch_up(life: Life, kind: str, since=None) -> reconciliations.Reconciliation:
    row = catching_up.begin(
        life.connection.id,
        kind=kind,
        since=since or catching_up.BEGINNING,
        engine=life.wiring.engine,
        now=life.wiring.now(),
    )
    life.wiring.reconcile(row.id)
    with life.wiring.engine.connect() as db:
        found = reconciliations.find(db, row.id)
    assert found is not None
    life.work()
    return found


def test_after_days_without_us_one_run_closes_the_gap(life: Life):
    """The messages of the first days are dropped by Salesforce itself."""
    since = life.wiring.now().replace(microsecond=0)
    life.misfortunes(paused=True)
    leads = life.refer(5)
    life.pass_time(hours=20)
    life.move(dict.fromkeys(leads, "Contacted"))
    life.pass_time(hours=30)
    life.misfortunes(paused=False)
    with life.wiring.engine.begin() as db:
        # As if the service had been set up anew: nothing is known of before.
        db.execute(delete(reconciliation))
    life.reconcile()
    bill = catching_up.bill(
        life.connection.id, kind=SINCE, since=since, org=life.wiring.changes
    )
    before = life.wiring.sessions.usage(life.connection.id)[0]
    done = _catch_up(life, SINCE, since)
    after = life.wiring.sessions.usage(life.connection.id)[0]

    assert bill.records == 5
    assert done.state == "done"
    assert done.calls == bill.calls
    # One call puts all tasks, one reads the reps who get mail.
    assert bill.calls <= after - before <= bill.calls + 2
    assert life.wanted() == life.done()
    life.settle()
    assert (life.count("recovered"), life.count("in_hand")) == (10, 0)
    with life.wiring.engine.connect() as db:
        regular = reconciliations.regular(db, life.connection.id)
    assert regular is not None
    assert regular.covers_from == since


def test_the_bill_is_too_much_beyond_a_quarter_of_what_is_left(life: Life):
    life.refer(1)
    life.door("PUT", "/limit", daily=1_000_000)
    small = catching_up.bill(
        life.connection.id,
        kind=SINCE,
        since=life.wiring.now() - timedelta(hours=1),
        org=life.wiring.changes,
    )
    assert not small.too_much
    used = life.wiring.sessions.usage(life.connection.id)[0]
    life.door("PUT", "/limit", daily=used + 20)
    large = catching_up.bill(
        life.connection.id,
        kind=SINCE,
        since=life.wiring.now() - timedelta(hours=1),
        org=life.wiring.changes,
    )
    assert large.too_much
    assert "are left today" in large.words()


def test_asking_again_for_what_is_not_over_goes_on_with_it(
    life: Life, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(changes, "PAGE", 3)
    life.misfortunes(drop=1.0)
    since = life.wiring.now()
    life.refer(10)
    life.pass_time(minutes=10)
    begin = {
        "kind": SINCE,
        "since": since,
        "engine": life.wiring.engine,
        "now": life.wiring.now(),
    }
    row = catching_up.begin(life.connection.id, **begin)
    for _ in range(4):  # a page of opportunities, one of contacts, two of leads
        assert life.wiring.take_turn_of_reconciliation(row.id)
    read = _count(life, event)
    again = catching_up.begin(life.connection.id, **begin)
    assert again.id == row.id
    assert again.todo
    life.wiring.reconcile(row.id)

    assert 0 < read < 10
    assert _count(life, event) == 10


def test_two_that_are_not_the_same_are_not_under_way_at_once(life: Life):
    begin = {"engine": life.wiring.engine, "now": life.wiring.now()}
    since = life.wiring.now() - timedelta(days=2)
    catching_up.begin(life.connection.id, kind=SINCE, since=since, **begin)

    with pytest.raises(Permanent, match="a since from"):
        catching_up.begin(life.connection.id, kind=RESYNC, since=since, **begin)


def _count(life: Life, table) -> int:
    with life.wiring.engine.connect() as db:
        return int(db.scalar(select(func.count()).select_from(table)) or 0)


def test_a_resync_knows_again_all_that_the_org_knows_and_does_nothing(life: Life):
    leads = life.refer(6)
    life.live(minutes=1)
    life.pass_time(minutes=1)
    life.move(dict.fromkeys(leads[:4], "Qualified"))
    life.live(minutes=1)
    life.convert(leads[0])
    life.live(minutes=1)
    planned, details = _count(life, follow_up), _details(life, leads[0])
    with life.wiring.engine.begin() as db:
        db.execute(delete(referral).where(referral.c.key.in_(leads[:2])))
        db.execute(
            update(referral).where(referral.c.key == leads[2]).values(status="Lost")
        )
        db.execute(
            update(referral)
            .where(referral.c.key == leads[3])
            .values(key="00Q000000000009EAA", record_id="00Q000000000009EAA")
        )
    life.pass_time(minutes=1)
    done = _catch_up(life, RESYNC)

    assert done.state == "done"
    assert life.known() == life.as_they_are()
    assert _count(life, follow_up) == planned
    # The opportunity alone does not know whom it is about.
    assert _details(life, leads[0]) == details
    assert details["last_name"] == "Example 0"


def test_what_a_resync_knows_before_it_is_told_is_acted_on_when_it_is(life: Life):
    leads = life.refer(2)
    life.live(minutes=1)
    life.misfortunes(drop=1.0)
    life.pass_time(minutes=1)
    life.move({leads[0]: "Contacted"})
    life.misfortunes(drop=0.0, delay=1.0, delay_seconds=120)
    life.move({leads[1]: "Contacted"})
    _catch_up(life, RESYNC)
    assert life.known() == life.as_they_are()
    assert len(life.wanted() - life.done()) == 4

    life.live(minutes=3)
    life.settle()
    assert life.wanted() == life.done()


def _details(life: Life, key: str) -> Mapping[str, str]:
    with life.wiring.engine.begin() as db:
        org_id, ring = life.connection.org_id, life.wiring.keyring
        details = referrals.load(db, org_id, [key], keyring=ring)[key].details
    return {word: text for word, text in details.items() if text}


def test_what_a_lead_told_is_kept_when_its_opportunity_is_brought_up_to_date(
    life: Life,
):
    (lead,) = life.refer(1, Referral_Status__c="Qualified")
    life.live(minutes=1)
    life.pass_time(minutes=1)
    life.convert(lead)
    life.live(minutes=1)
    life.admin.restful(
        f"sobjects/Opportunity/{life.opportunities[lead]}",
        method="PATCH",
        json={"OwnerId": life.org.user_ids[life.org.reps[1]], "Amount": 4711},
    )
    life.settle()

    details = _details(life, lead)
    assert (details["last_name"], details["company"]) == ("Example 0", "Example Ltd")
    assert details["amount"].startswith("4711")


# --- what is counted -----------------------------------------------------------------


def test_what_is_given_up_on_is_unexplained_until_it_is_done(life: Life):
    life.misfortunes(drop=1.0)
    life.refer(1)
    life.pass_time(minutes=16)
    with life.wiring.engine.connect() as db:
        (id_,) = reconciliations.due(db, now=life.wiring.now())
    life.wiring.reconcile(id_)
    assert (life.count("in_hand"), life.count("unexplained")) == (1, 0)

    with life.wiring.engine.begin() as db:
        (event_id,) = db.scalars(select(event.c.id))
        inbox.bury(db, [event_id], why="a bug")
    life.live(minutes=16)
    assert (life.count("in_hand"), life.count("unexplained")) == (0, 1)

    with life.wiring.engine.begin() as db:
        inbox.replay(db, [event_id], now=life.wiring.now())
    life.settle()
    assert (life.count("recovered"), life.count("unexplained")) == (1, 0)


def test_each_day_is_counted_for_itself(life: Life):
    first = life.wiring.now().date()
    life.refer(2)
    life.live(minutes=1)
    life.settle()
    life.pass_time(days=1)
    life.misfortunes(drop=1.0)
    life.refer(3)
    life.settle()

    by_day = {day.day: (day.received, day.recovered) for day in life.days()}
    assert sum(received for received, _ in by_day.values()) == 2
    assert sum(recovered for _, recovered in by_day.values()) == 3
    assert (first + timedelta(days=1)) in by_day
    assert by_day[first][1] == 0


def test_every_sweep_leaves_one_regular_reconciliation_for_each_connection(life: Life):
    for _ in range(3):
        life.wiring.sweep()
    with life.wiring.engine.connect() as db:
        assert db.scalar(select(func.count()).select_from(reconciliation)) == 1
    assert life.regular().due_at - life.regular().created_at == EVERY


def test_events_of_ours_do_not_count_as_the_pace_of_a_sender(life: Life):
    life.misfortunes(drop=1.0)
    life.refer(2)
    life.settle()

    with life.wiring.engine.connect() as db:
        since = life.wiring.now() - timedelta(days=1)
        assert inbox.arrivals_by_action(db, since=since) == {}
    assert door.SOURCE == reached.RECONCILE
