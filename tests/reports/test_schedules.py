"""Each report comes when it is due, once, to whom it is for, whatever breaks."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from reports_house import LEASE, MANAGER, plain_report
from sqlalchemy import func, select, update

from sidecar.errors import Permanent, Retryable
from sidecar.mail.letters import Letter
from sidecar.referral.period import day_of, month_before
from sidecar.store import mail_preferences, report_mails, report_schedules
from sidecar.store.tables import report_mail, report_schedule

FRIDAY = datetime(2026, 11, 27, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, 7, tzinfo=UTC)  # 08:00 in Berlin
HOUR = timedelta(hours=1)


def subjects(home) -> list[str]:
    return [str(mail["Subject"]) for mail in home.post.mails]


def test_a_connection_has_each_report_at_its_usual_time_by_its_own_clock(house):
    home = house(FRIDAY)
    home.sweep()

    assert home.schedule("weekly").runs_at == MONDAY
    other = house(FRIDAY, time_zone="America/New_York")
    other.sweep()
    assert other.schedule("weekly").runs_at == MONDAY + 6 * HOUR


def test_a_report_comes_when_it_is_due_and_not_before(house):
    home = house(FRIDAY)
    home.sweep()
    home.at = MONDAY - timedelta(seconds=1)
    assert not home.sweep()
    home.work()
    assert subjects(home) == []

    home.at = MONDAY
    assert home.sweep()
    home.work()
    assert subjects(home) == ["weekly: 2026-11-23 to 2026-11-29"]
    assert home.schedule("weekly").runs_at == MONDAY + timedelta(days=7)
    assert home.schedule("weekly").outcome == "mails: 1"


def test_however_often_it_is_rung_for_nobody_gets_a_report_twice(house):
    home = house(FRIDAY)
    home.sweep()
    home.at = MONDAY
    for _ in range(5):
        home.work()

    assert len(home.post.mails) == 1


def test_two_workers_who_race_send_one_mail(house):
    readers = [f"boss{number}@example.com" for number in range(30)]
    home = house(FRIDAY, {"weekly": plain_report("0 8 * * 1", *readers)})
    home.sweep()
    home.at = MONDAY
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        home.work()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(str(mail["To"]) for mail in home.post.mails) == sorted(readers)
    assert home.schedule("weekly").attempts == 1


def test_a_run_that_was_missed_takes_place_once_for_what_was_due_last(house):
    home = house(FRIDAY)
    home.sweep()
    home.at = MONDAY + timedelta(days=16)  # three Mondays went by

    home.work()
    home.work()
    assert subjects(home) == ["weekly: 2026-12-07 to 2026-12-13"]
    assert home.schedule("weekly").runs_at == MONDAY + timedelta(days=21)


def test_a_run_missed_on_monday_is_about_the_week_before_it(house):
    home = house(FRIDAY)
    home.sweep()
    home.at = MONDAY + timedelta(days=3)
    home.work()

    assert subjects(home) == ["weekly: 2026-11-23 to 2026-11-29"]


def test_half_a_year_with_an_outage_and_both_changes_of_clocks(house):
    """Each day, week and month once; of the ten days without a clock, the last."""
    home = house(
        datetime(2026, 9, 14, 12, tzinfo=UTC),
        {
            "daily": plain_report("30 2 * * *", period=day_of),
            "weekly": plain_report("0 8 * * 1"),
            "monthly": plain_report("0 8 1 * *", period=month_before),
        },
    )
    home.sweep()
    home.pass_time(datetime(2026, 12, 10, 12, tzinfo=UTC), step=12 * HOUR)
    home.at += timedelta(days=10)
    home.pass_time(datetime(2027, 3, 31, 12, tzinfo=UTC), step=12 * HOUR)

    found = [subject.partition(": ") for subject in subjects(home)]
    assert len(found) == len(set(found)), "none came twice"
    days = {text[:10] for name, _, text in found if name == "daily"}
    every = {str(date(2026, 9, 15) + timedelta(days=n)) for n in range(198)}
    away = {f"2026-12-{day}" for day in range(11, 20)}
    assert days == every - away
    weeks = [text for name, _, text in found if name == "weekly"]
    assert len(weeks) == 28
    months = [text[:7] for name, _, text in found if name == "monthly"]
    assert months == [f"2026-{m:02}" for m in (9, 10, 11, 12)] + ["2027-01", "2027-02"]


def test_a_worker_that_dies_in_a_run_leaves_it_to_the_next(house):
    home = house(FRIDAY)
    home.sweep()
    home.at = MONDAY
    with home.wiring.engine.begin() as db:
        dead = report_schedules.claim(
            db,
            home.connection.id,
            now=MONDAY,
            lease_ends=MONDAY + LEASE,
            keyring=home.wiring.keyring,
        )
    assert dead is not None
    home.work()
    assert subjects(home) == [], "it is still at it, as far as anybody knows"

    home.at = MONDAY + LEASE
    home.work()
    assert len(home.post.mails) == 1
    with home.wiring.engine.begin() as db:
        late = report_schedules.ran(
            db, dead, ran_for=MONDAY, outcome="late", error=None, runs_at=MONDAY
        )
    assert not late, "who wakes after the lease changes nothing"
    assert home.schedule("weekly").outcome == "mails: 1"


def test_who_wakes_while_somebody_else_is_at_it_changes_nothing(house):
    home = house(FRIDAY)
    home.sweep()

    def claim(at: datetime):
        with home.wiring.engine.begin() as db:
            return report_schedules.claim(
                db,
                home.connection.id,
                now=at,
                lease_ends=at + LEASE,
                keyring=home.wiring.keyring,
            )

    slow, now_at_it = claim(MONDAY), claim(MONDAY + LEASE)
    for turn, known in ((slow, False), (now_at_it, True)):
        with home.wiring.engine.begin() as db:
            assert known == report_schedules.ran(
                db, turn, ran_for=MONDAY, outcome="", error=None, runs_at=MONDAY
            )


def test_a_run_that_breaks_in_the_middle_leaves_no_mail_behind(house, monkeypatch):
    """The mails and the memory of the run are committed together, or not at all."""
    home = house(FRIDAY)
    home.sweep()
    home.at = MONDAY
    with monkeypatch.context() as broken:
        broken.setattr(report_schedules, "ran", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            home.run()
    assert home.mails() == []

    home.at += LEASE
    home.work()
    assert len(home.post.mails) == 1


def test_what_passes_is_tried_again_for_the_same_moment(house):
    home = house(FRIDAY)
    report = home.reports["weekly"]

    def away(_db, _occasion):
        raise Retryable("the org rests")

    home.reports = {"weekly": replace(report, plan=away)}
    home.sweep()
    home.at = MONDAY
    home.work()
    assert home.schedule("weekly").error == "the org rests"
    assert home.schedule("weekly").runs_at == MONDAY

    home.reports = {"weekly": report}
    home.at += HOUR
    home.work()
    assert subjects(home) == ["weekly: 2026-11-23 to 2026-11-29"]


def test_what_cannot_be_made_says_why_and_comes_again_next_time(house):
    home = house(FRIDAY)

    def broken(_db, _occasion):
        raise Permanent("nobody is named")

    home.reports = {"weekly": replace(home.reports["weekly"], plan=broken)}
    home.sweep()
    home.at = MONDAY
    home.work()

    assert home.schedule("weekly").error == "nobody is named"
    assert home.schedule("weekly").runs_at == MONDAY + timedelta(days=7)


def test_a_retry_is_the_same_mail(house):
    home = house(FRIDAY)
    home.sweep()
    home.at = MONDAY
    home.post.answers = ["451 4.3.0 later"]
    home.work()
    assert [state for state, _, _ in home.mails()] == ["waiting"]

    home.at += HOUR
    home.work()
    (mail,) = home.post.mails
    key = report_mails.mail_key(
        home.connection.id, "weekly", date(2026, 11, 23), "boss@example.com"
    )
    assert mail["Message-ID"] == f"<{key}@sidecar.example>"
    assert [state for state, _, _ in home.mails()] == ["done"]


def test_a_refused_mail_says_why_and_does_not_repeat_the_address(house):
    home = house(FRIDAY)
    home.sweep()
    home.at = MONDAY
    home.post.answers = ["550 5.1.1 <boss@example.com> is unknown here"]
    home.work()

    ((state, _, error),) = home.mails()
    assert state == "dead"
    assert error is not None
    assert "5.1.1" in error
    assert "boss@example.com" not in error


def test_an_address_that_takes_no_mail_gets_none(house):
    home = house(FRIDAY)
    with home.wiring.engine.begin() as db:
        mail_preferences.suppress(
            db,
            "Boss@Example.com",
            reason="bounced",
            now=home.at,
            keyring=home.wiring.keyring,
        )
    home.sweep()
    home.at = MONDAY
    home.work()

    assert subjects(home) == []
    ((state, _, error),) = home.mails()
    assert (state, error) == ("dead", "the address takes no mail")


def test_a_mail_to_a_user_goes_to_their_address_and_who_left_gets_none(house):
    gone = "005000000000008AAA"
    home = house(FRIDAY, {"weekly": plain_report("0 8 * * 1", MANAGER, gone)})
    home.users.add(gone, "Gustav Gone", active=False)
    home.sweep()
    home.at = MONDAY
    home.work()

    assert [str(mail["To"]) for mail in home.post.mails] == [
        "Maria Manager <maria@example.com>"
    ]
    assert [state for state, _, _ in home.mails()] == ["done", "dead"]


def test_nothing_that_names_a_reader_or_a_number_is_readable_in_the_tables(house):
    home = house(FRIDAY)
    home.sweep()
    with home.wiring.engine.begin() as db:
        report_schedules.put(
            db,
            report_schedules.First(home.connection.id, "weekly", "0 8 * * 1", MONDAY),
            recipients=["canary@example.com"],
            language="de",
            keyring=home.wiring.keyring,
        )
    home.at = MONDAY
    home.work()

    with home.wiring.engine.connect() as db:
        rows = [tuple(row) for row in db.execute(select(report_schedule))]
        rows += [tuple(row) for row in db.execute(select(report_mail))]
    assert "canary" not in str(rows)
    assert "2026-11-23" not in str([row for row in rows if len(row) > 14])
    assert [str(mail["To"]) for mail in home.post.mails] == ["canary@example.com"]


def test_a_report_that_is_off_comes_no_more_until_it_is_set_again(house):
    home = house(FRIDAY)
    home.sweep()
    with home.wiring.engine.begin() as db:
        assert report_schedules.switch_off(db, home.connection.id, "weekly")
        assert not report_schedules.switch_off(db, home.connection.id, "weekly")
    home.pass_time(MONDAY + timedelta(days=8), step=6 * HOUR)

    assert home.post.mails == []


def test_a_schedule_that_is_set_while_it_runs_is_as_it_was_set(house):
    home = house(FRIDAY)
    report = home.reports["weekly"]
    tuesday = MONDAY + timedelta(days=1)

    def meanwhile(db, occasion):
        with home.wiring.engine.begin() as other:
            report_schedules.put(
                other,
                report_schedules.First(
                    home.connection.id, "weekly", "0 8 * * 2", tuesday
                ),
                recipients=[],
                language="en_US",
                keyring=home.wiring.keyring,
            )
        return report.plan(db, occasion)

    home.reports = {"weekly": replace(report, plan=meanwhile)}
    home.sweep()
    home.at = MONDAY
    home.work()

    assert home.mails() == []
    assert home.schedule("weekly").runs_at == tuesday


def test_mails_of_a_slow_batch_whose_lease_ends_are_sent_once(house):
    home = house(FRIDAY)
    home.sweep()
    home.at = MONDAY
    home.run()
    with home.wiring.engine.begin() as db:
        (slow,) = report_mails.claim(
            db,
            home.connection.id,
            now=home.at,
            lease_ends=home.at + LEASE,
            limit=1,
            keyring=home.wiring.keyring,
        )
    home.at += LEASE
    home.send()
    with home.wiring.engine.connect() as db:
        assert not report_mails.is_current(db, slow)
    assert len(home.post.mails) == 1


def test_a_mail_of_a_period_is_known_by_its_reader_whatever_the_case():
    monday = date(2026, 11, 23)
    keys = {
        report_mails.mail_key(1, "weekly", monday, "Boss@example.com"),
        report_mails.mail_key(1, "weekly", monday, "boss@EXAMPLE.com"),
    }
    assert len(keys) == 1
    others = {
        report_mails.mail_key(2, "weekly", monday, "boss@example.com"),
        report_mails.mail_key(1, "monthly", monday, "boss@example.com"),
        report_mails.mail_key(1, "weekly", monday + timedelta(7), "boss@example.com"),
        report_mails.mail_key(1, "weekly", monday, "other@example.com"),
    }
    assert len(others) == 4
    assert not keys & others


def test_settled_mails_are_told_apart_by_their_state(house):
    home = house(FRIDAY)
    home.sweep()
    home.at = MONDAY
    home.work()
    with home.wiring.engine.begin() as db:
        db.execute(update(report_mail).values(error=None))
        assert report_mails.count(db, home.connection.id) == {("weekly", "done"): 1}


def test_the_clock_sets_reports_up_and_a_ring_leads_to_the_mail(wiring, connect, post):
    """The whole way: sweep, queue, worker's function, mail server."""
    connection, _ = connect(time_zone="Europe/Berlin")
    wiring.reports = {"weekly": plain_report()}
    wiring.sweep()
    wiring.now.move(days=7)
    queue = wiring.doorbell._queues["reports"]
    queue.empty()
    assert wiring.sweep()

    (job,) = queue.jobs
    assert (job.func_name, job.args) == ("sidecar.worker.reports", [connection.id])
    assert wiring.report(connection.id) == 1
    assert len(post.mails) == 1
    assert wiring.report(connection.id) == 0


def readers(number: int) -> list[str]:
    return [f"boss{each}@example.com" for each in range(number)]


def test_a_server_that_sends_us_away_is_left_in_peace_with_all_that_is_left(house):
    home = house(FRIDAY, {"weekly": plain_report("0 8 * * 1", *readers(5))})
    home.sweep()
    home.at = MONDAY
    home.post.answers = ["250 2.0.0 kept", "421 4.3.2 going down"] + ["250 kept"] * 3
    home.work()

    states = [(state, attempts) for state, attempts, _ in home.mails()]
    assert states == [("done", 1), ("waiting", 1)] + [("waiting", 0)] * 3
    assert (len(home.post.mails), len(home.post.refused)) == (1, 1)
    home.wiring.now.move(hours=1)
    home.at = home.wiring.now()
    home.send()
    assert {state for state, _, _ in home.mails()} == {"done"}
    assert len(home.post.mails) == 5


def test_what_a_slow_server_leaves_undone_has_cost_no_attempt(house):
    home = house(FRIDAY, {"weekly": plain_report("0 8 * * 1", *readers(3))})
    home.sweep()
    home.at = MONDAY
    home.run()
    taken = home.post.handle_DATA

    async def slow(*args) -> str:
        home.at += LEASE
        return await taken(*args)

    home.post.handle_DATA = slow
    home.send()
    assert [row[:2] for row in home.mails()] == [("done", 1)] * 3


def test_a_report_mail_that_does_not_open_is_a_dead_letter_alone(house):
    home = house(FRIDAY, {"weekly": plain_report("0 8 * * 1", *readers(2))})
    home.sweep()
    home.at = MONDAY
    home.run()
    with home.wiring.engine.begin() as db:
        first = select(func.min(report_mail.c.id)).scalar_subquery()
        broken = update(report_mail).where(report_mail.c.id == first)
        db.execute(broken.values(sealed="no seal"))
    home.send()

    assert [row[:2] for row in home.mails()] == [("dead", 1), ("done", 1)]


def test_readers_who_do_not_open_hold_up_no_other_report(house):
    home = house(FRIDAY, {"weekly": plain_report(), "other": plain_report("5 8 * * 1")})
    home.sweep()
    with home.wiring.engine.begin() as db:
        broken = update(report_schedule).where(report_schedule.c.report == "weekly")
        db.execute(broken.values(recipients_sealed="no seal"))
    home.at = MONDAY + HOUR
    home.work()
    home.work()

    assert [mail["Subject"].partition(":")[0] for mail in home.post.mails] == ["other"]
    with home.wiring.engine.connect() as db:
        rows = db.execute(select(report_schedule.c.report, report_schedule.c.error))
        errors = dict(rows.all())
    assert "cannot be opened" in errors["weekly"]


def test_what_follows_a_report_that_breaks_us_goes_back_untouched(house):
    """A bug is not caught; its neighbours go with the next ring."""
    home = house(FRIDAY, {"weekly": plain_report("0 8 * * 1", *readers(3))})
    plain = home.reports["weekly"].write

    def write(connection, sending, reader) -> Letter:
        if reader.email == "boss0@example.com":
            raise ZeroDivisionError
        return plain(connection, sending, reader)

    home.reports = {"weekly": replace(home.reports["weekly"], write=write)}
    home.sweep()
    home.at = MONDAY
    home.run()
    with pytest.raises(ZeroDivisionError):
        home.send()
    home.send()
    assert [row[:2] for row in home.mails()] == [("sending", 1)] + [("done", 1)] * 2
