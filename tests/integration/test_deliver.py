"""Follow-ups reach a real org and a real mail server, once."""

import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from messages import lead_id
from sqlalchemy import select

from sidecar.demo.play import read_mails
from sidecar.demo.stage import client
from sidecar.errors import Retryable, Uncertain
from sidecar.jobs.backoff import MAX_ATTEMPTS
from sidecar.jobs.deliver.emails import deliver_emails
from sidecar.referral.follow_up import Email, FollowUp, Task, follow_up_key
from sidecar.referral.journey import Milestone
from sidecar.salesforce import lead_conversion
from sidecar.salesforce.caller import caller_for
from sidecar.salesforce.records import TASK_KEY
from sidecar.store import claims, connections, follow_ups
from sidecar.store.tables import follow_up

LEASE = timedelta(seconds=120)


class Desk:
    """Plans follow-ups, and looks at what came of them."""

    def __init__(self, wiring, org, linked) -> None:
        self.wiring, self.org, self.linked = wiring, org, linked
        self.salesforce = client(org)
        created = self.salesforce.restful(
            "sobjects/Lead",
            method="POST",
            json={"LastName": "Example", "Company": "Example Ltd"},
        )
        self.record_id = created["id"]
        self.rep = org.user_ids[org.reps[0]]

    def plan(self, *names: str, **more: object) -> list[str]:
        """Plan a task for each name; the tasks' keys."""
        return self._plan(
            names,
            lambda name: Task(
                **{
                    "subject": f"Call {name}",
                    "description": "As agreed",
                    "due_on": "2026-12-01",
                    "priority": "High",
                    "owner_id": self.rep,
                    "who_id": self.record_id,
                    "what_id": None,
                    **more,
                }
            ),
        )

    def plan_mail(self, *names: str, to: str | None = "rep") -> list[str]:
        """Plan a mail for each name; their keys."""
        owner = self.rep if to == "rep" else to
        return self._plan(
            names,
            lambda name: Email("new_referral", owner, {"name": name}),
        )

    def _plan(self, names, what) -> list[str]:
        keys = []
        for name in names:
            referral_key = f"{self.record_id}{name}"
            key = follow_up_key(self.org.org_id, referral_key, "submitted", "act")
            keys.append(key)
            with self.wiring.engine.begin() as db:
                follow_ups.add(
                    db,
                    [
                        (
                            1,
                            referral_key,
                            FollowUp(key, Milestone.SUBMITTED, "act", what(name)),
                        )
                    ],
                    connection_id=self.linked.id,
                    org_id=self.org.org_id,
                    playbook_version="1",
                    record_ids={referral_key: self.record_id},
                    now=self.wiring.now(),
                    keyring=self.wiring.keyring,
                )
        return keys

    def deliver(self, kind: str = "task") -> int:
        return self.wiring.deliver(self.linked.id, kind)

    def tasks(self, *keys: str) -> list[dict]:
        listed = ", ".join(f"'{key}'" for key in keys)
        return self.salesforce.query_all(
            "SELECT Id, Subject, OwnerId, WhoId, ActivityDate, Priority, "
            f"{TASK_KEY} FROM Task WHERE {TASK_KEY} IN ({listed})"
        )["records"]

    def states(self) -> list[tuple[str, int]]:
        with self.wiring.engine.connect() as db:
            rows = db.execute(
                select(follow_up.c.state, follow_up.c.attempts).order_by(follow_up.c.id)
            )
            return [tuple(row) for row in rows]

    def errors(self) -> list[str | None]:
        with self.wiring.engine.connect() as db:
            return list(
                db.execute(select(follow_up.c.error).order_by(follow_up.c.id)).scalars()
            )

    def backdoor(self, method: str, door: str, **body: object):
        return requests.request(
            method,
            f"{self.org.base_url}/devorg/{door}",
            json=body,
            verify=self.org.ca_file,
            timeout=10,
        )


@pytest.fixture
def desk(wiring, org, linked):
    desk = Desk(wiring, org, linked)
    yield desk
    desk.backdoor("DELETE", "faults")
    desk.backdoor("PUT", "limit", daily=1_000_000)


def test_a_task_is_as_the_playbook_says(desk):
    (key,) = desk.plan("one")
    desk.deliver()

    (task,) = desk.tasks(key)
    assert task["Subject"] == "Call one"
    assert task["OwnerId"] == desk.rep
    assert task["WhoId"] == desk.record_id
    assert (task["ActivityDate"], task["Priority"]) == ("2026-12-01", "High")
    assert desk.states() == [("done", 1)]


def test_two_hundred_tasks_are_one_call(desk):
    keys = desk.plan(*(f"n{number}" for number in range(250)))
    desk.wiring.sessions.call(desk.linked.id, lambda client: client.limits())
    desk.backdoor("DELETE", "calls")
    desk.deliver()

    assert sum(desk.backdoor("GET", "calls").json().values()) == 2
    assert Counter(desk.states()) == {("done", 1): 250}
    assert len(desk.tasks(*keys[:100])) == 100


def test_a_task_that_was_made_before_the_answer_got_lost_is_not_made_again(desk):
    """Promise 16: everything that we create is an upsert on an external id."""
    (key,) = desk.plan("lost")
    desk.backdoor("POST", "faults", hang_up=True, after_acting=True, path="composite")
    desk.deliver()
    assert [state for state, _ in desk.states()] == ["waiting"]
    assert len(desk.tasks(key)) == 1, "the org has acted"

    desk.wiring.now.move(hours=1)
    desk.deliver()
    assert desk.states() == [("done", 2)]
    assert len(desk.tasks(key)) == 1


def test_one_refused_record_does_not_fail_the_other_199(desk):
    keys = desk.plan("good", "also good")
    (bad,) = desk.plan("bad", owner_id="005000000000000AAA")
    desk.deliver()

    assert desk.states() == [("done", 1), ("done", 1), ("dead", 1)]
    assert len(desk.tasks(*keys, bad)) == 2
    assert "INVALID_CROSS_REFERENCE_KEY" in str(desk.errors()[2])


def test_an_expired_session_is_renewed_once(desk):
    """Promise 33."""
    desk.plan("first")
    desk.deliver()
    _, token = desk.wiring.current(desk.linked.id)
    assert desk.backdoor("DELETE", "sessions", token=token).json() == {"ended": 1}
    (key,) = desk.plan("second")
    desk.deliver()

    assert [state for state, _ in desk.states()] == ["done", "done"]
    assert len(desk.tasks(key)) == 1


def test_a_used_up_limit_pauses_the_whole_org_and_says_so(desk):
    desk.plan("one")
    desk.backdoor("PUT", "limit", daily=1)
    desk.deliver()

    assert desk.states() == [("waiting", 0)], "it costs no attempt's worth of patience"
    assert "REQUEST_LIMIT_EXCEEDED" in str(desk.errors()[0])
    with desk.wiring.engine.connect() as db:
        paused = connections.find(db, desk.linked.id)
    assert paused is not None
    assert "REQUEST_LIMIT_EXCEEDED" in str(paused.pause_reason)
    desk.plan("two")
    assert desk.deliver() == 0, "nobody asks while the org rests"

    desk.backdoor("PUT", "limit", daily=1_000_000)
    desk.wiring.now.move(minutes=20)
    desk.deliver()
    assert {state for state, _ in desk.states()} == {"done"}


def test_a_row_lock_is_tried_again(desk):
    """Promise 36."""
    desk.plan("one")
    desk.backdoor(
        "POST", "faults", status=400, error_code="UNABLE_TO_LOCK_ROW", path="composite"
    )
    desk.deliver()
    assert desk.states() == [("waiting", 1)]

    desk.wiring.now.move(minutes=1)
    desk.deliver()
    assert desk.states() == [("done", 2)]


def test_what_never_works_is_given_up_with_its_reason(desk):
    desk.plan("one")
    for _ in range(MAX_ATTEMPTS):
        desk.backdoor("POST", "faults", status=503, path="composite")
        desk.deliver()
        desk.wiring.now.move(hours=3)

    assert desk.states() == [("dead", MAX_ATTEMPTS)]
    assert str(desk.errors()[0]).startswith("given up: ")


def test_one_writer_a_time_and_a_dead_ones_lane_is_free_again(desk):
    desk.plan("one")
    with desk.wiring.engine.begin() as db:
        now = desk.wiring.now()
        assert connections.take_lane(db, desk.linked.id, now=now, until=now + LEASE)
    assert desk.deliver() == 0

    desk.wiring.now.move(seconds=LEASE.total_seconds() + 1)
    assert desk.deliver() == 1


def test_a_worker_that_wakes_after_its_lease_changes_nothing(desk):
    desk.plan("one")
    with desk.wiring.engine.begin() as db:
        (slow,) = claims.claim(
            db,
            desk.linked.id,
            "task",
            now=desk.wiring.now(),
            lease_ends=desk.wiring.now() + LEASE,
            limit=1,
            keyring=desk.wiring.keyring,
        )
    desk.wiring.now.move(seconds=LEASE.total_seconds() + 1)
    desk.deliver()
    assert desk.states() == [("done", 2)]

    with desk.wiring.engine.begin() as db:
        end = claims.End("dead", error="late")
        claims.settle(db, {slow.id: (slow.number, end)}, now=desk.wiring.now())
    assert desk.states() == [("done", 2)]


# --- mail ---


@pytest.fixture
def mailbox(tmp_path: Path, machine, desk):
    folder = tmp_path / "mail"
    command = [sys.executable, "-m", "sidecar.demo.mailbox", "--folder", str(folder)]
    process = subprocess.Popen(command, env=os.environ)
    machine.wait_for("mailbox", (folder / "port").exists)
    port = (folder / "port").read_text()
    desk.wiring.settings = desk.wiring.settings.__class__(
        **{
            **desk.wiring.settings.__dict__,
            "smtp_url": f"smtp://127.0.0.1:{port}",
        }
    )
    yield folder
    process.send_signal(signal.SIGTERM)
    process.wait(10)


def test_a_mail_goes_to_the_owner_and_leads_to_the_record(desk, mailbox):
    (key,) = desk.plan_mail("Ada Example")
    desk.deliver("email")

    (mail,) = read_mails(mailbox)
    assert desk.org.reps[0] in str(mail["To"])
    assert mail["Message-ID"] == f"<{key}@sidecar.example>"
    assert "Ada Example" in str(mail["Subject"])
    for part in ("plain", "html"):
        body = mail.get_body((part,))
        assert body is not None
        assert f"{desk.org.base_url}/{desk.record_id}" in body.get_content()
    assert desk.states() == [("done", 1)]


def test_owners_are_looked_up_once_for_many_mails(desk, mailbox):
    desk.wiring.settings = replace(desk.wiring.settings, mails_an_hour=0)
    desk.plan_mail("one")
    desk.deliver("email")
    desk.backdoor("DELETE", "calls")
    desk.plan_mail(*(f"n{number}" for number in range(45)))
    desk.deliver("email")

    assert desk.backdoor("GET", "calls").json() == {}
    assert len(read_mails(mailbox)) == 46


def test_a_mail_whose_worker_died_is_sent_again_with_the_same_id(desk, mailbox):
    """To a rep: they read two copies as one, and none is worse."""
    (key,) = desk.plan_mail("one")
    with desk.wiring.engine.begin() as db:
        claims.claim(
            db,
            desk.linked.id,
            "email",
            now=desk.wiring.now(),
            lease_ends=desk.wiring.now() + LEASE,
            limit=1,
            keyring=desk.wiring.keyring,
        )
    desk.wiring.now.move(seconds=LEASE.total_seconds() + 1)
    desk.deliver("email")

    assert desk.states() == [("done", 2)]
    assert [mail["Message-ID"] for mail in read_mails(mailbox)] == [
        f"<{key}@sidecar.example>"
    ]


def test_a_queues_record_is_a_dead_letter_with_the_remedy(desk, mailbox):
    desk.plan_mail("one", to=None)
    desk.deliver("email")

    assert desk.states() == [("dead", 1)]
    assert "fallback owner" in str(desk.errors()[0])


def test_without_a_mail_server_mails_wait(desk):
    desk.plan_mail("one")
    desk.wiring.settings = desk.wiring.settings.__class__(
        **{**desk.wiring.settings.__dict__, "smtp_url": "smtp://127.0.0.1:1"}
    )
    desk.deliver("email")

    assert desk.states() == [("waiting", 0)], "it costs them nothing"
    assert "mail server 127.0.0.1:1" in str(desk.errors()[0])


class Silent:
    """A mail server that takes everything and says nothing."""

    def send(self, letter: object, **_: object) -> str:
        raise Uncertain("all was sent, no answer came")


@pytest.mark.parametrize(("resend", "state"), [(True, "waiting"), (False, "uncertain")])
def test_no_answer_is_a_matter_of_policy(desk, resend, state):
    """A rep gets it again; for anybody else a person decides."""
    desk.plan_mail("one")
    with desk.wiring.engine.begin() as db:
        db.execute(follow_up.update().values(resend=resend))

    @contextmanager
    def post():
        yield Silent()

    deliver_emails(desk.linked.id, desk=desk.wiring.mail_desk, post=post)
    assert desk.states() == [(state, 1)]


def test_a_salesforce_that_does_not_answer_keeps_mails_waiting(desk, mailbox):
    class Away:
        def reps(self, connection_id, user_ids):
            raise Retryable("no answer from Salesforce")

    desk.plan_mail("one")
    deliver_emails(
        desk.linked.id,
        desk=replace(desk.wiring.mail_desk, reps=Away()),
        post=desk.wiring.mailer.connection,
    )
    assert desk.states() == [("waiting", 1)]
    assert read_mails(mailbox) == []


def test_lead_ids_of_the_tests_are_those_of_salesforce():
    assert lead_id(1) == "00Q000000000001EAA"


def test_a_task_for_a_lead_converted_meanwhile_goes_to_what_it_became(desk) -> None:
    (key,) = desk.plan("converted")
    admin = caller_for(
        desk.org.base_url, desk.org.admin_token, ca_file=Path(desk.org.ca_file)
    )
    became = lead_conversion.convert(
        admin,
        desk.record_id,
        status=lead_conversion.converted_status(admin),
        opportunity_name="Example",
    )

    desk.deliver()

    (task,) = desk.tasks(key)
    assert (task["WhoId"], desk.states()[-1]) == (became.contact_id, ("done", 1))
