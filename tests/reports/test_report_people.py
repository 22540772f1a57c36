"""Mails of reports that are for one person, a referrer: sealed for them, gone with them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from reports_house import House, Life, lead, live, plain_report

from sidecar.errors import Permanent
from sidecar.keyring import Keyring, new_key
from sidecar.referral.journey import Milestone
from sidecar.store import disclosure, erasure, persons, report_mails, rotation
from sidecar.store.report_mails import Planned
from sidecar.store.tables import person, report_mail

AT = datetime(2026, 11, 30, 7, tzinfo=UTC)


@pytest.fixture
def home(house) -> House:
    home = house(AT, {"referrers": plain_report()})
    live(home, Life(lead(1), {Milestone.SUBMITTED: AT - timedelta(days=2)}))
    return home


def plan(home: House) -> int:
    """Plan a mail to the person who is known; how many are new."""
    with home.wiring.engine.begin() as db:
        (person_id,) = db.scalars(person.select().with_only_columns(person.c.id))
        about = Planned("bea@example.org", {"about": "thanks"}, person_id=person_id)
        return report_mails.add(
            db,
            [about],
            connection_id=home.connection.id,
            report="referrers",
            first=date(2026, 11, 1),
            now=AT,
            keyring=home.wiring.keyring,
        )


def rows(home: House, *columns) -> list[tuple]:
    with home.wiring.engine.connect() as db:
        found = report_mail.select().with_only_columns(*columns)
        return [tuple(row) for row in db.execute(found)]


def erase(home: House):
    with home.wiring.engine.begin() as db:
        digest = persons.digester(db, home.wiring.keyring)
        trait = digest(persons.EMAIL, f"{lead(1).lower()}@example.org")
        return erasure.erase(
            db, home.connection.org_id, [trait], now=AT, keyring=home.wiring.keyring
        )


def test_it_is_sent_and_the_ring_alone_does_not_open_it(home):
    assert plan(home) == 1
    ((to, sealed),) = rows(home, report_mail.c.to_sealed, report_mail.c.sealed)
    for text in (to, sealed):
        with pytest.raises(Permanent):
            home.wiring.keyring.open(text)
    home.send()

    assert [str(mail["To"]) for mail in home.post.mails] == ["bea@example.org"]


def test_an_erasure_ends_it_and_leaves_nothing_of_it(home):
    plan(home)
    erase(home)
    home.send()

    assert home.post.mails == []
    columns = (report_mail.c.state, report_mail.c.to_sealed, report_mail.c.sealed)
    assert rows(home, *columns) == [("cancelled", "", "")]


def test_a_server_that_repeats_the_address_leaves_none_behind(home):
    plan(home)
    home.post.says = "250 taken for bea@example.org"
    home.send()

    assert rows(home, report_mail.c.receipt) == [("250 taken for ***",)]


def test_to_somebody_erased_none_is_planned(home):
    erase(home)

    assert plan(home) == 0


def test_it_is_told_to_whom_it_was_for(home):
    plan(home)
    with home.wiring.engine.begin() as db:
        digest = persons.digester(db, home.wiring.keyring)
        trait = digest(persons.EMAIL, f"{lead(1).lower()}@example.org")
        found = erasure.find(db, home.connection.org_id, [trait])
        told = disclosure.known(db, found, keyring=home.wiring.keyring)

    assert [item["report"] for item in told["reports to them"]] == ["referrers"]


def test_what_is_kept_long_enough_loses_its_words_and_keeps_its_key(home):
    plan(home)
    home.send()
    home.wiring.now.move(days=400)
    done = home.wiring.purge(who="a test")

    assert done["report mails"] == 1
    columns = (report_mail.c.to_sealed, report_mail.c.sealed, report_mail.c.person_id)
    assert rows(home, *columns) == [("", "", None)]
    assert home.send() == 0


def test_after_a_rotation_the_old_key_is_needed_no_more(home):
    plan(home)
    with home.wiring.engine.begin() as db:
        report_mails.add(
            db,
            [Planned("boss@example.com", {"about": "all"})],
            connection_id=home.connection.id,
            report="referrers",
            first=date(2026, 11, 1),
            now=AT,
            keyring=home.wiring.keyring,
        )
    old, new = home.wiring.keyring, new_key()
    both = Keyring([new, "ZGVtby1rZXktZm9yLXRoZS1kZW1vLW9ubHktLS0tLS0="])
    assert both.open(old.seal("x")) == "x"
    for _ in rotation.rotate(home.wiring.engine, both):
        pass
    home.wiring.keyring = Keyring([new])
    home.send()

    assert sorted(str(mail["To"]) for mail in home.post.mails) == [
        "bea@example.org",
        "boss@example.com",
    ]
