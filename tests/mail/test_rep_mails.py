"""What reps get, on real rows and from a real mail server: in order, and not a flood."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import time, timedelta

import pytest
from office import RALF
from sqlalchemy import update

from sidecar.jobs.backoff import MAX_ATTEMPTS
from sidecar.jobs.deliver.emails import deliver_emails
from sidecar.referral.journey import Milestone
from sidecar.referral.mail_preference import Mails, Preference
from sidecar.store import connections, mail_preferences
from sidecar.store.tables import follow_up

# --- not a flood ---


def test_more_than_an_hour_should_bring_becomes_one_mail(office):
    keys = office.plan(*(f"Ada {n}" for n in range(15)))
    assert office.deliver() == 10
    assert office.states == [("done", 1)] * 10 + [("waiting", 0)] * 5
    assert office.column("held")[10:] == ["digest"] * 5

    office.move(minutes=30)
    late = office.plan("Late")
    assert office.deliver() == 0
    office.move(minutes=31)
    assert office.deliver() == 6

    assert len(office.peer.mails()) == 11
    digest = office.peer.mails()[-1]
    assert digest["Subject"] == (
        "Referrals: Ada 10, Ada 11, Ada 12, Ada 13, Ada 14, Late"
    )
    for part in ("plain", "html"):
        said = digest.get_body((part,)).get_content()
        assert said.count("has referred Ada 1") == 5
        assert "https://127.0.0.1:1/00Q000000000001EAA" in said
    assert set(office.column("state")) == {"done"}
    assert len(set(office.column("digest_key")[10:])) == 1
    assert (
        digest["Message-ID"] == f"<{office.column('digest_key')[-1]}@sidecar.example>"
    )
    assert digest["Message-ID"] not in {
        f"<{key}@sidecar.example>" for key in keys + late
    }


def test_the_other_reps_mails_are_not_counted(office):
    office.plan(*(f"Ada {n}" for n in range(11)))
    office.plan("Bert", to=RALF)
    office.deliver()

    assert office.states[-1] == ("done", 1)
    assert office.states[-2] == ("waiting", 0)


def test_a_digest_counts_as_one_mail(office):
    office.choose(Preference(Mails.DIGEST))
    office.plan(*(f"Ada {n}" for n in range(20)))
    office.deliver()
    office.move(hours=23)
    assert office.deliver() == 20

    office.choose(Preference())
    office.plan("Bert")
    office.deliver()
    assert len(office.peer.mails()) == 2


def test_two_news_of_a_referral_are_one_card_with_the_latest_next_step(office):
    office.choose(Preference(Mails.DIGEST))
    office.plan("Ada")
    office.plan("Ada", milestone=Milestone.CONTACTED, template="referral_contacted")
    office.plan("Bert")
    office.deliver()
    office.move(hours=23)
    office.deliver()

    (mail,) = office.peer.mails()
    assert mail["Subject"] == "Referrals: Ada, Bert"
    said = mail.get_body(("plain",)).get_content()
    assert said.count("REFERRAL CONTACTED: Ada") == 1
    assert "NEW REFERRAL: Ada" not in said
    assert "has referred Ada to you" in said


def test_one_that_waited_alone_is_the_mail_that_it_was(office):
    office.choose(Preference(quiet_from=time(8), quiet_until=time(10)))
    (key,) = office.plan("Ada")
    assert office.deliver() == 0
    assert (office.states, office.column("held")) == ([("waiting", 0)], ["quiet"])

    office.move(hours=1)
    office.deliver()
    (mail,) = office.peer.mails()
    assert mail["Message-ID"] == f"<{key}@sidecar.example>"


def test_a_digest_that_is_tried_again_is_the_same_mail(office):
    """Whatever came meanwhile is another one."""
    office.choose(Preference(quiet_from=time(8), quiet_until=time(10)))
    office.plan("Ada", "Bert", "Cleo")
    office.deliver()
    office.move(hours=1)
    office.peer.befall = lambda smtp: smtp.transport.abort()
    office.deliver()
    assert office.states == [("waiting", 1)] * 3

    office.peer.befall = None
    office.plan("Dora")
    office.move(minutes=5)
    office.deliver()
    first, *later = office.peer.mails()
    (again,) = [mail for mail in later if mail["Message-ID"] == first["Message-ID"]]
    assert again["Subject"] == first["Subject"] == "Referrals: Ada, Bert, Cleo"
    assert office.states == [("done", 2)] * 3 + [("done", 1)]


def test_a_worker_that_died_with_a_digest_leaves_the_same_digest(office):
    office.choose(Preference(quiet_from=time(8), quiet_until=time(10)))
    office.plan("Ada", "Bert")
    office.deliver()
    office.move(hours=1)

    class Killed(BaseException):
        pass

    class Dying:
        def send(self, letter, **_):
            self.message_id = letter.message_id
            raise Killed

    dying = Dying()
    desk = replace(office.wiring.mail_desk, reps=office.staff)
    with pytest.raises(Killed):
        deliver_emails(office.connection.id, desk=desk, post=lambda: nullcontext(dying))
    assert [state for state, _ in office.states] == ["sending"] * 2

    office.move(minutes=3)
    office.deliver()
    (mail,) = office.peer.mails()
    assert mail["Message-ID"] == dying.message_id


def test_who_changes_their_mind_gets_what_waits(office):
    office.choose(Preference(Mails.DIGEST))
    office.plan("Ada", "Bert")
    office.deliver()
    assert office.peer.mails() == []

    office.choose(Preference())
    office.deliver()
    assert office.subjects == ["Referrals: Ada, Bert"]


def test_who_wants_no_mails_leaves_no_dead_letter(office):
    office.choose(Preference(Mails.NONE))
    office.plan("Ada")
    office.deliver()

    assert office.states == [("cancelled", 1)]
    assert "wants no mails" in office.column("error")[0]


def test_an_escalation_passes_by_the_daily_mail(office):
    office.choose(Preference(Mails.DIGEST))
    office.plan("Ada", action="first-answer.overdue.hurry")
    office.deliver()

    assert office.states == [("done", 1)]


# --- suppressed addresses ---


def test_nothing_goes_to_a_suppressed_address(office):
    with office.wiring.engine.begin() as db:
        mail_preferences.suppress(
            db,
            "Rita@Example.com",
            reason="bounced",
            now=office.wiring.now(),
            keyring=office.wiring.keyring,
        )
    office.plan("Ada")
    office.plan("Bert", to=RALF)
    office.deliver()

    assert [state for state, _ in office.states] == ["cancelled", "done"]
    assert "sidecar mail suppressed" in office.column("error")[0]


# --- in order ---


def test_a_newer_mail_does_not_overtake_one_that_has_to_be_tried_again(office):
    """About the same referral to the same rep; all others go on."""
    office.plan("Ada")
    office.plan("Ada", milestone=Milestone.CONTACTED, template="referral_contacted")
    office.plan("Bert")
    office.plan("Ada", to=RALF)
    office.peer.answers["RCPT"] = ["451 4.3.0 try again later"]
    office.deliver()
    assert office.subjects == ["New referral: Bert", "New referral: Ada"]
    assert office.states == [("waiting", 1), ("waiting", 0), ("done", 1), ("done", 1)]

    assert office.deliver() == 0, "it waits although it is due"
    office.move(minutes=1)
    office.deliver()
    assert office.subjects[2:] == ["New referral: Ada", "Referral contacted: Ada"]


def test_a_bad_recipient_blocks_nobody_for_ever(office):
    office.plan("Ada")
    office.plan("Ada", milestone=Milestone.CONTACTED, template="referral_contacted")
    for _ in range(MAX_ATTEMPTS):
        office.peer.answers["RCPT"] = ["451 4.2.2 mailbox full"]
        office.deliver()
        office.plan(f"Bert {office.wiring.now()}", to=RALF)
        office.peer.answers["RCPT"] = []
        office.deliver()
        office.move(hours=3)
    office.deliver()

    ends = [state for state, _ in office.states]
    assert ends[:2] == ["dead", "done"]
    assert set(ends[2:]) == {"done"}


def test_what_is_cancelled_while_the_one_before_is_sent_is_not_sent(office):
    """It is written already: that does not matter."""
    office.plan("Ada", "Bert", "Cleo")

    def cancel(_smtp):
        with office.wiring.engine.begin() as db:
            bert = follow_up.c.referral_key == "Bert"
            db.execute(update(follow_up).where(bert).values(state="cancelled"))

    office.peer.befall = cancel
    office.deliver()
    assert office.subjects == ["New referral: Ada", "New referral: Cleo"]
    assert [state for state, _ in office.states] == ["done", "cancelled", "done"]


def test_a_letter_that_cannot_be_written_puts_the_one_before_in_no_doubt(office):
    office.plan("Ada", "Bert")
    write = office.wiring.write

    def broken(connection, attempt, email, rep):
        if email.values["name"] == "Bert":
            raise ValueError("a bug")
        return write(connection, attempt, email, rep)

    with pytest.raises(ValueError, match="a bug"):
        office.deliver(write=broken)
    assert office.states == [("done", 1), ("sending", 1)]


def test_one_writer_a_time_for_an_org_and_a_dead_ones_lane_is_free_again(office):
    office.plan("Ada")
    now = office.wiring.now()
    with office.wiring.engine.begin() as db:
        taken = connections.take_lane(
            db,
            office.connection.id,
            now=now,
            until=now + timedelta(minutes=2),
            kind="email",
        )
    assert taken
    assert office.deliver() == 0

    office.move(minutes=3)
    assert office.deliver() == 1
    assert office.states == [("done", 1)]


# --- the mail server ---


def test_a_server_that_sends_us_away_costs_no_mail_an_attempt(office):
    office.plan("Ada", "Bert")
    office.peer.answers["MAIL"] = ["421 4.3.2 shutting down"]
    office.deliver()
    assert office.states == [("waiting", 0)] * 2
    assert "421 4.3.2" in office.column("error")[1]

    seen = len(office.peer.connections)
    office.plan("Cleo")
    assert office.deliver() == 0
    assert len(office.peer.connections) == seen, "it is left in peace"

    office.move(minutes=1)
    assert office.deliver() == 3
    assert office.states == [("done", 1)] * 3


def test_a_recipient_for_whom_the_server_hangs_up_pays_and_the_others_do_not(office):
    office.plan("Ada", "Bert")
    office.peer.answers["RCPT"] = ["421 4.7.0 not this one"]
    office.deliver()
    assert office.states == [("waiting", 1), ("waiting", 0)]

    office.move(minutes=1)
    office.deliver()
    assert office.states == [("done", 2), ("done", 1)]


def test_the_connection_is_kept_for_the_next_batch(office):
    for name in ("Ada", "Bert", "Cleo"):
        office.plan(name)
        office.deliver()

    assert len(office.peer.connections) == 1
