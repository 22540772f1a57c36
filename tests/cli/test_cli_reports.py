"""``sidecar reports``: when reports come, and to whom."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sidecar.jobs.reports.kinds import Report, Words
from sidecar.mail.letters import Address, Letter, message_id
from sidecar.referral.period import week_before
from sidecar.store import connections
from sidecar.store.report_mails import Planned
from sidecar.wiring import Wiring


def write(_connection, mail, reader) -> Letter:
    return Letter(
        to=Address(reader.name, reader.email),
        subject="Weekly",
        text="so many referrals",
        html="<p>so many referrals</p>",
        message_id=message_id(mail.key, domain="sidecar.example"),
        written_at=mail.created_at,
    )


WEEKLY = Report(
    "0 8 * * 1",
    week_before,
    lambda _db, occasion: [
        Planned(reader, {}) for reader in occasion.recipients or ["boss@example.com"]
    ],
    write,
)


@pytest.fixture(autouse=True)
def _one_report(monkeypatch):
    monkeypatch.setattr(Wiring, "reports", {"weekly": WEEKLY})


def listed(sidecar) -> dict:
    (row,) = json.loads(sidecar("reports", "list", "--json").stdout)
    return row


def test_a_report_is_set_for_readers_and_a_time(sidecar, connect):
    connection, _ = connect(time_zone="Europe/Berlin")
    result = sidecar(
        *("reports", "set", connection.id, "weekly", "--cron", "30 9 * * 5"),
        *("--to", "boss@example.com", "--to", "005000000000001"),
    )

    assert result.exit_code == 0, result.output
    assert "weekly comes next on Friday" in result.stdout
    assert " 09:30 CE" in result.stdout
    row = listed(sidecar)
    assert row["to"] == "boss@example.com, 005000000000001AAA"
    at = datetime.fromisoformat(row["next (UTC)"])
    assert at.astimezone(UTC).hour in (7, 8)

    sidecar("reports", "set", connection.id, "weekly", "--cron", "0 8 * * 1")
    assert listed(sidecar)["to"].startswith("boss@"), "what is not given stays"
    sidecar("reports", "set", connection.id, "weekly", "--to-whom-it-finds")
    assert listed(sidecar)["to"] == "as the report finds"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("weekly", "--cron", "8 o'clock"), "it takes five fields"),
        (("weekly", "--to", "boss"), "neither a user's id nor an address"),
        (("yearly",), "there is no report 'yearly'; there are: weekly"),
    ],
)
def test_what_cannot_be_set_is_refused_with_the_remedy(sidecar, connect, given, says):
    connection, _ = connect()
    result = sidecar("reports", "set", connection.id, *given)

    assert result.exit_code != 0
    assert says in " ".join(result.stderr.split())
    assert sidecar("reports", "list").stdout.startswith("no reports yet")


def test_a_report_of_no_connection_is_refused(sidecar):
    assert sidecar("reports", "set", 77, "weekly").exit_code == 1


def test_a_report_is_switched_off_and_on(sidecar, connect):
    connection, _ = connect()
    assert "weekly is off" in sidecar("reports", "off", connection.id, "weekly").stdout
    assert listed(sidecar)["next (UTC)"] is None
    again = sidecar("reports", "off", connection.id, "weekly")
    assert "was off already" in again.stdout

    sidecar("reports", "set", connection.id, "weekly")
    assert listed(sidecar)["next (UTC)"] is not None


def test_a_dry_run_shows_the_letters_and_plans_none(sidecar, connect):
    connection, _ = connect()
    shown = sidecar("reports", "run", connection.id, "weekly", "--dry-run")

    assert shown.exit_code == 0, shown.output
    assert "To: boss@example.com" in shown.stdout
    assert "so many referrals" in shown.stdout
    assert listed(sidecar)["mails"] == ""


def test_a_report_run_by_hand_is_not_planned_twice(sidecar, connect):
    connection, _ = connect()
    first = sidecar("reports", "run", connection.id, "weekly")
    second = sidecar("reports", "run", connection.id, "weekly")

    assert first.stdout == "mails: 1\n"
    assert second.stdout == "mails: 0, planned before: 1\n"
    assert listed(sidecar)["mails"] == "1 waiting"


def test_words_to_referrers_are_counted_and_no_mails(sidecar, connect, monkeypatch):
    words = replace(WEEKLY, plan=lambda _db, _occasion: Words(3))
    monkeypatch.setattr(Wiring, "reports", {"weekly": words})
    connection, _ = connect()

    tried = sidecar("reports", "run", connection.id, "weekly", "--dry-run")
    done = sidecar("reports", "run", connection.id, "weekly")

    assert tried.stdout.endswith(": 3 words to referrers\n")
    assert done.stdout == "words to referrers: 3\n"


def test_a_dry_run_takes_back_what_a_report_writes_down(
    sidecar, connect, wiring, monkeypatch
):
    def plan(db, occasion):
        db.execute(connections.connection.update().values(time_zone="Asia/Tokyo"))
        return []

    monkeypatch.setattr(Wiring, "reports", {"weekly": replace(WEEKLY, plan=plan)})
    connection, _ = connect(time_zone="Europe/Berlin")
    assert sidecar("reports", "run", connection.id, "weekly", "--dry-run").stdout

    with wiring.engine.connect() as db:
        found = connections.find(db, connection.id)
    assert found.time_zone == "Europe/Berlin"
