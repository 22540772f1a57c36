"""From a mail's button to Salesforce: opening a link shows, sending its form acts."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import pytest
import requests
import structlog
from flask.testing import FlaskClient
from messages import message, notification
from sqlalchemy import update

from sidecar.demo.play import read_mails
from sidecar.demo.stage import client
from sidecar.errors import Permanent
from sidecar.intake import arrivals, outbound_message
from sidecar.mail import links
from sidecar.mail.links import Act
from sidecar.mail.lost_reasons import LOST_REASONS
from sidecar.referral.mail_preference import Mails, Preference
from sidecar.salesforce.records import TASK_KEY
from sidecar.store import audit, mail_links, mail_preferences
from sidecar.store.tables import connection, follow_up
from sidecar.web import create_app

HERE = "https://sidecar.example.com"


@pytest.fixture(scope="module")
def mailbox(tmp_path_factory, machine) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("mail")
    command = [sys.executable, "-m", "sidecar.demo.mailbox", "--folder", str(folder)]
    process = subprocess.Popen(command, env=os.environ)
    machine.wait_for("mailbox", (folder / "port").exists)
    yield folder
    process.send_signal(signal.SIGTERM)
    process.wait(10)


class Field:
    """A rep with a referral, a task and a mail; and the rep's phone."""

    def __init__(self, wiring, org, linked, mailbox: Path, phone: FlaskClient) -> None:
        self.wiring, self.org, self.linked, self.phone = wiring, org, linked, phone
        self.mailbox = mailbox
        self.number = 0
        self.salesforce = client(org)
        self.rep = org.user_ids[org.reps[0]]
        made = self.salesforce.restful(
            "sobjects/Lead",
            method="POST",
            json={
                "FirstName": "Ada",
                "LastName": "Example",
                "Company": "Example Ltd",
                "OwnerId": self.rep,
                "Referral_Status__c": "Submitted",
                "Referrer_Name__c": "Bert Sample",
            },
        )
        self.lead = made["id"]
        self.hear("Submitted")

    def hear(self, status: str, **more: str) -> None:
        """The org's message comes in, and all that follows is done."""
        self.number += 1
        self.wiring.now.move(seconds=2)
        told = {
            "Id": self.lead,
            "FirstName": "Ada",
            "LastName": "Example",
            "Company": "Example Ltd",
            "OwnerId": self.rep,
            "Phone": "+49 30 1234567",
            "Referrer_Name__c": "Bert Sample",
            "Referral_Key__c": self.lead,
            "Referral_Status__c": status,
            "SystemModstamp": self.wiring.now().isoformat(),
            **more,
        }
        read = outbound_message.read(
            message([notification(self.number, told)], org_id=self.linked.org_id),
            field_lists=self.linked.field_lists,
        )
        kept = self.wiring.scribe.keep(
            arrivals.of(read, self.linked, self.wiring.now())
        )
        self.wiring.process(kept)
        self.deliver()

    def deliver(self) -> None:
        for kind in ("task", "email"):
            self.wiring.deliver(self.linked.id, kind)

    @property
    def mails(self):
        return read_mails(self.mailbox)

    def link(self, act: Act) -> str:
        """The path of a link in the newest mail, as a mail program shows it."""
        for path in re.findall(rf"{HERE}(/m/[\w-]+)", _html(self.mails[-1])):
            found = links.read(path.removeprefix("/m/"), self.wiring.keyring)
            if found is not None and found.act is act:
                return path
        raise AssertionError(f"no link for {act}")

    def open(self, path: str, **headers: str):
        return self.phone.get(path, base_url=HERE, headers=headers)

    def send(self, path: str, headers=None, **form: str):
        headers = {"Origin": HERE, "Sec-Fetch-Site": "same-origin"} | (headers or {})
        return self.phone.post(path, base_url=HERE, data=form, headers=headers)

    def record(self) -> dict:
        return self.salesforce.query(
            "SELECT Referral_Status__c, Referral_Lost_Reason__c, LastModifiedById "
            f"FROM Lead WHERE Id = '{self.lead}'"
        )["records"][0]

    def tasks(self) -> list[dict]:
        return self.salesforce.query(
            f"SELECT Id, Subject, Description, Status, IsClosed, ActivityDate, OwnerId, {TASK_KEY} "
            f"FROM Task WHERE WhoId = '{self.lead}' ORDER BY CreatedDate"
        )["records"]

    def backdoor(self, method: str, door: str, **body: object):
        return requests.request(
            method,
            f"{self.org.base_url}/devorg/{door}",
            json=body,
            verify=self.org.ca_file,
            timeout=10,
        )


def _html(mail) -> str:
    body = mail.get_body(("html",))
    assert body is not None
    return unescape(body.get_content())


@pytest.fixture
def field(wiring, org, linked, mailbox) -> Iterator[Field]:
    for path in mailbox.glob("*.eml"):
        path.unlink()
    wiring.settings = replace(
        wiring.settings,
        public_url=HERE,
        smtp_url=f"smtp://127.0.0.1:{(mailbox / 'port').read_text()}",
    )
    with create_app(wiring).test_client() as phone:
        found = Field(wiring, org, linked, mailbox, phone)
        yield found
        found.backdoor("DELETE", "faults")


ACTS = [Act.CONTACTED, Act.UNREACHABLE, Act.SNOOZE, Act.UPDATE]


@pytest.mark.parametrize("act", [*ACTS, Act.PREFERENCES])
def test_whoever_opens_a_link_nothing_happens(field: Field, act: Act) -> None:
    """Scanners follow links: some of them several times."""
    before = field.record(), field.tasks()
    field.backdoor("DELETE", "calls")
    for _ in range(3):
        page = field.open(field.link(act))
        assert page.status_code == 200
        assert "<form" in page.text
    assert field.phone.head(field.link(act), base_url=HERE).status_code == 200

    assert field.backdoor("GET", "calls").json() == {}, "no call into the org"
    assert (field.record(), field.tasks()) == before


@pytest.mark.parametrize("act", [*ACTS, Act.PREFERENCES])
def test_a_page_is_locked_up_and_can_be_read_by_all(field: Field, act: Act) -> None:
    page = field.open(field.link(act))

    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "no-store"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert not re.search(r"<script|\bstyle=|\bon\w+=", page.text)
    assert '<html lang="en">' in page.text
    assert page.text.count("<h1") == 1
    assert "<main>" in page.text
    _each_field_has_a_label(page.text)


def _each_field_has_a_label(page: str) -> None:
    outside = re.sub(r"<label.*?</label>", "", page, flags=re.S)
    for tag in re.findall(r"<(?:input|select|textarea)[^>]*>", outside):
        found = re.search(r'id="(\w+)"', tag)
        assert found, tag
        assert f'<label class="field" for="{found[1]}">' in page


def test_contacted_sets_the_status_in_the_reps_name_and_completes_the_task(
    field: Field,
) -> None:
    done = field.send(field.link(Act.CONTACTED), note="Likes blue.\nCalls back")

    assert done.status_code == 200, done.text
    assert field.record()["Referral_Status__c"] == "Contacted"
    (task,) = field.tasks()
    assert (task["Status"], task["IsClosed"]) == ("Completed", True)
    assert "Rita Rep has contacted them (link in a mail)." in task["Description"]
    assert task["Description"].endswith("Likes blue.\nCalls back")
    assert "When you have spoken" in task["Description"], (
        "the playbook's own words stay"
    )


def test_the_new_status_comes_back_like_any_other(field: Field) -> None:
    field.send(field.link(Act.CONTACTED))
    field.hear("Contacted")

    assert [mail["Subject"].partition(":")[0] for mail in field.mails] == [
        "New referral",
        "Referral contacted",
    ]
    assert len(field.tasks()) == 2


def test_a_link_works_once(field: Field) -> None:
    link = field.link(Act.CONTACTED)
    field.send(link, note="first")
    again = field.send(link, note="second")

    assert "This has been done already" in again.text
    assert "This has been done already" in field.open(link).text
    (task,) = field.tasks()
    assert "second" not in task["Description"]


def test_not_reachable_completes_nothing_and_comes_back(field: Field) -> None:
    day = _in(field, 3)
    done = field.send(
        field.link(Act.UNREACHABLE), on=day.isoformat(), note="Mailbox full"
    )

    assert done.status_code == 200, done.text
    (task,) = field.tasks()
    assert (task["IsClosed"], task["ActivityDate"]) == (False, day.isoformat())
    assert "Rita Rep has not reached them" in task["Description"]
    assert "Mailbox full" in task["Description"]
    assert field.record()["Referral_Status__c"] == "Submitted"


def test_a_snooze_moves_the_task_and_reminds_in_time(field: Field) -> None:
    day = _in(field, 5)
    field.send(field.link(Act.SNOOZE), on="other", other=day.isoformat())
    assert field.tasks()[0]["ActivityDate"] == day.isoformat()
    field.deliver()
    assert len(field.mails) == 1, "not before its day"

    field.wiring.now.move(days=7)
    field.deliver()

    reminder = field.mails[-1]
    assert len(field.mails) == 2
    assert reminder["Subject"] == "Reminder: Ada Example of Example Ltd"
    assert reminder["Message-ID"] != field.mails[0]["Message-ID"]
    assert field.link(Act.CONTACTED)
    assert _since(reminder) == _since(field.mails[0]), "not since it was snoozed"


@pytest.mark.parametrize(
    "on", ["", "yesterday", "2020-01-01", "9999-12-31", "other", "2026-02-30"]
)
def test_only_a_day_ahead_can_be_chosen(field: Field, on: str) -> None:
    before = field.tasks()
    answer = field.send(field.link(Act.SNOOZE), on=on, note="kept <b>as</b> written")

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "kept &lt;b&gt;as&lt;/b&gt; written" in answer.text
    assert field.tasks() == before
    assert (
        field.send(field.link(Act.SNOOZE), on=_in(field, 1).isoformat()).status_code
        == 200
    ), "the link is not used up"


def test_a_status_can_be_changed_from_the_field(field: Field) -> None:
    page = field.open(field.link(Act.UPDATE)).text
    offered = re.findall(r'name="status" value="(\w*)"', page)
    assert offered == ["Contacted", "Qualified", "Lost", ""]

    done = field.send(field.link(Act.UPDATE), status="Qualified", note="Wants ten")

    assert done.status_code == 200
    assert field.record()["Referral_Status__c"] == "Qualified"
    (task,) = field.tasks()
    assert "Rita Rep has set the status to Qualified" in task["Description"]
    assert task["IsClosed"] is False


def test_a_note_alone_leaves_the_status(field: Field) -> None:
    link = field.link(Act.UPDATE)
    field.send(link, status="", note="One")
    field.send(link, status="", note="Two")
    field.send(link, status="", note="Two")

    assert field.record()["Referral_Status__c"] == "Submitted"
    assert field.tasks()[0]["Description"].count("Rita Rep notes") == 2


def test_a_loss_is_told_with_its_reason(field: Field) -> None:
    page = field.open(field.link(Act.UPDATE)).text
    offered = re.findall(r'<option value="([^"]*)"', page)
    assert offered == ["", *LOST_REASONS]

    done = field.send(field.link(Act.UPDATE), status="Lost", reason="No budget")

    assert done.status_code == 200, done.text
    found = field.record()
    assert (found["Referral_Status__c"], found["Referral_Lost_Reason__c"]) == (
        "Lost",
        "No budget",
    )
    assert (
        "set the status to Lost, reason: No budget" in field.tasks()[0]["Description"]
    )
    field.hear("Lost", Referral_Lost_Reason__c="No budget")
    told = field.mails[-1].get_body(("plain",)).get_content()
    assert re.search(r"Reason: +No budget", told)
    assert "Record why it was lost" not in told


@pytest.mark.parametrize("reason", [None, ""])
def test_a_loss_needs_no_reason(field: Field, reason: str | None) -> None:
    form = {} if reason is None else {"reason": reason}
    done = field.send(field.link(Act.UPDATE), status="Lost", **form)

    assert done.status_code == 200, done.text
    assert field.record()["Referral_Status__c"] == "Lost"
    assert field.record()["Referral_Lost_Reason__c"] is None
    assert "reason" not in field.tasks()[0]["Description"]


def test_a_reason_counts_with_a_loss_alone(field: Field) -> None:
    """It stays chosen, though hidden, where another status is chosen after it."""
    field.send(field.link(Act.UPDATE), status="Qualified", reason="No budget")

    assert field.record()["Referral_Status__c"] == "Qualified"
    assert field.record()["Referral_Lost_Reason__c"] is None


@pytest.mark.parametrize("reason", ["They are rude", "no budget", "x" * 300])
def test_only_a_reason_of_the_list_can_be_given(field: Field, reason: str) -> None:
    answer = field.send(field.link(Act.UPDATE), status="Lost", reason=reason, note="n")

    assert answer.status_code == 422
    assert "Choose one of the reasons, or none." in answer.text
    assert field.record()["Referral_Status__c"] == "Submitted"


def test_an_answer_that_got_lost_leaves_the_reason(field: Field) -> None:
    form = {"status": "Lost", "reason": "Not a good fit"}
    field.backdoor("POST", "faults", hang_up=True, after_acting=True, path="composite")
    assert field.send(field.link(Act.UPDATE), **form).status_code == 503
    assert field.send(field.link(Act.UPDATE), **form).status_code == 200

    assert field.record()["Referral_Lost_Reason__c"] == "Not a good fit"
    assert field.tasks()[0]["Description"].count("Not a good fit") == 1


def test_no_reason_is_asked_for_where_nothing_can_be_lost(field: Field) -> None:
    field.hear("Lost")

    assert "<select" not in field.open(field.link(Act.UPDATE)).text


@pytest.mark.parametrize("status", ["Won", "Submitted", "Nonsense", "' OR 1=1"])
def test_only_a_next_status_can_be_set(field: Field, status: str) -> None:
    assert field.send(field.link(Act.UPDATE), status=status).status_code == 422
    assert field.record()["Referral_Status__c"] == "Submitted"


def test_a_status_that_changed_meanwhile_is_not_overwritten(field: Field) -> None:
    field.salesforce.restful(
        f"sobjects/Lead/{field.lead}",
        method="PATCH",
        json={"Referral_Status__c": "Lost"},
    )
    answer = field.send(field.link(Act.UPDATE), status="Contacted")

    assert answer.status_code == 409
    assert "The status has changed meanwhile" in answer.text
    assert field.record()["Referral_Status__c"] == "Lost"


def test_a_form_that_another_site_sends_does_nothing(field: Field) -> None:
    link = field.link(Act.CONTACTED)
    for headers in (
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://sidecar.example.com"},
    ):
        assert field.send(link, headers=headers).status_code == 403
    assert field.record()["Referral_Status__c"] == "Submitted"


def test_a_link_ends(field: Field) -> None:
    link = field.link(Act.CONTACTED)
    field.wiring.now.move(days=15)

    assert field.open(link).status_code == 410
    assert field.send(link).status_code == 410
    assert field.record()["Referral_Status__c"] == "Submitted"


def test_what_nobody_gave_out_is_not_found(field: Field) -> None:
    link = field.link(Act.CONTACTED)
    for path in ("/m/x", link[:-1], link + "A", "/m/" + "A" * 2000, "/m/%00%ff"):
        assert field.open(path).status_code == 404
        assert field.send(path).status_code == 404


def test_a_salesforce_that_is_away_leaves_the_link_usable(field: Field) -> None:
    link = field.link(Act.CONTACTED)
    field.backdoor("POST", "faults", status=503, path="composite")
    answer = field.send(link)
    assert answer.status_code == 503
    assert "the link still works" in answer.text

    assert field.send(link).status_code == 200
    assert field.record()["Referral_Status__c"] == "Contacted"


def test_an_answer_that_got_lost_adds_no_second_note(field: Field) -> None:
    link = field.link(Act.CONTACTED)
    field.backdoor("POST", "faults", hang_up=True, after_acting=True, path="composite")
    assert field.send(link).status_code == 503
    assert field.record()["Referral_Status__c"] == "Contacted", "the org has acted"

    assert field.send(link).status_code == 200
    assert field.tasks()[0]["Description"].count("Rita Rep has contacted") == 1


def test_a_refusal_is_told_in_salesforces_own_words(field: Field) -> None:
    field.salesforce.restful(f"sobjects/Lead/{field.lead}", method="DELETE", json=None)
    answer = field.send(field.link(Act.CONTACTED))

    assert answer.status_code == 409
    assert "no longer there" in answer.text


def test_a_refusal_that_repeats_the_rep_or_the_record_is_logged_without_it(
    field: Field, monkeypatch
) -> None:
    def refuse(_sessions, _connection, deed):
        raise Permanent(f"TOO_LONG: data value too large: {deed.subject}, {deed.note}")

    monkeypatch.setattr("sidecar.console.act.rep_actions.carry_out", refuse)
    with structlog.testing.capture_logs() as lines:
        answer = field.send(field.link(Act.CONTACTED), note="Her mother is ill")

    assert answer.status_code == 409
    assert "Her mother is ill" in answer.text
    (told,) = [line["reason"] for line in lines if line["event"] == "mail_link.failed"]
    assert told.startswith("TOO_LONG: data value too large: ")
    assert "mother" not in told
    assert "Example" not in told


def test_who_died_while_using_a_link_leaves_it_for_the_next(field: Field) -> None:
    link = field.link(Act.CONTACTED)
    token = link.removeprefix("/m/")
    with field.wiring.engine.begin() as db:
        use = mail_links.Use(
            links.digest(token), field.linked.id, 1, field.rep, "contacted",
            field.wiring.now() + timedelta(days=1),
        )  # fmt: skip
        assert mail_links.take(db, use, now=field.wiring.now())
    assert "done already" in field.send(link).text

    field.wiring.now.move(minutes=3)
    assert field.send(link).status_code == 200
    assert field.record()["Referral_Status__c"] == "Contacted"


def test_without_a_task_the_note_makes_one(field: Field) -> None:
    with field.wiring.engine.begin() as db:
        db.execute(
            update(follow_up).where(follow_up.c.kind == "task").values(key="gone")
        )
    field.send(field.link(Act.CONTACTED), note="Hello")

    made = next(task for task in field.tasks() if "Hello" in task["Description"])
    assert (made["Subject"], made["Status"]) == ("Referral: Ada Example", "Completed")
    assert made["OwnerId"] == field.rep


def test_who_did_it_is_in_the_audit_trail_without_a_name(field: Field) -> None:
    field.send(field.link(Act.CONTACTED), note="Secret words")
    with field.wiring.engine.connect() as db:
        (entry,) = audit.listing(db, limit=1)

    assert entry.who == f"user {field.rep} (link in a mail)"
    assert (entry.what, entry.about) == ("referral.contacted", f"Lead {field.lead}")
    assert "Secret" not in str(entry)


def test_what_was_erased_is_no_longer_shown(field: Field) -> None:
    link = field.link(Act.CONTACTED)
    with field.wiring.engine.begin() as db:
        db.execute(update(follow_up).values(sealed=""))

    assert field.open(link).status_code == 410
    assert "Ada" not in field.open(link).text


def test_an_orgs_own_words_for_a_status_are_the_ones_set(field: Field) -> None:
    with field.wiring.engine.begin() as db:
        known = {"Submitted": "submitted", "Qualified": "contacted", "Lost": "lost"}
        db.execute(update(connection).values(status_map=known))
    field.send(field.link(Act.CONTACTED))

    assert field.record()["Referral_Status__c"] == "Qualified"


# --- which mails ---


def chosen(field: Field) -> Preference | None:
    with field.wiring.engine.connect() as db:
        found = mail_preferences.of_reps(db, field.linked.id, [field.rep])
    return found.get(field.rep)


def test_a_rep_chooses_mails_and_quiet_hours(field: Field) -> None:
    answer = field.send(
        field.link(Act.PREFERENCES),
        mails="digest",
        quiet="yes",
        quiet_from="19:30",
        quiet_until="07:00",
    )

    assert "Saved." in answer.text
    found = chosen(field)
    assert found is not None
    assert found.mails is Mails.DIGEST
    assert f"{found.quiet_from:%H:%M}-{found.quiet_until:%H:%M}" == "19:30-07:00"
    page = field.open(field.link(Act.PREFERENCES)).text
    assert 'value="digest" checked' in page
    assert 'value="19:30"' in page


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"mails": "some"},
        {"mails": "all", "quiet": "yes"},
        {"mails": "all", "quiet": "yes", "quiet_from": "25:00", "quiet_until": "x"},
    ],
)
def test_a_choice_that_is_none_changes_nothing(field: Field, form) -> None:
    assert field.send(field.link(Act.PREFERENCES), **form).status_code == 422
    assert chosen(field) is None


def test_mails_about_a_referral_are_one_thread(field: Field) -> None:
    field.hear("Contacted")
    field.hear("Qualified")
    first, *later = field.mails

    assert first["References"] is None
    assert len(later) == 2
    for mail in later:
        assert mail["References"] == first["Message-ID"]
        assert mail["In-Reply-To"] == first["Message-ID"]


def _in(field: Field, days: int) -> date:
    return field.wiring.now().date() + timedelta(days=days)


def _since(mail) -> str:
    text = mail.get_body(("plain",)).get_content()
    return next(line for line in text.splitlines() if line.startswith("Since:"))
