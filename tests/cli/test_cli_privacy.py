"""Telling a person what is known of them, and erasing it, from the command line."""

import json

import pytest
from messages import ORG_ID, lead, lead_id, message, notification

from sidecar.intake import arrivals, outbound_message
from sidecar.store import audit, quarantine
from sidecar.store.quarantine import Refused

REFERRER = "a0X000000000001EAA"
ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture
def people(wiring, connect):
    """Ada and Bob, whom Mira Sample has referred."""
    connection, _ = connect()
    named = {"Referrer__c": REFERRER, "Referrer_Name__c": "Mira Sample"}
    parts = [
        notification(number, lead(number, Email=email, LastName=name, **named))
        for number, email, name in ((1, ADA, "Lovelace"), (2, BOB, "Builder"))
    ]
    read = outbound_message.read(message(parts))
    wiring.process(wiring.keep(arrivals.of(read, connection, wiring.now())))
    refused = Refused(connection.id, "wrong_org", "of another org", f"<a>{ADA}</a>")
    wiring.refuse(refused)
    return connection


def told(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_person_is_told_all_that_is_kept_and_nothing_of_others(sidecar, people):
    (of_ada,) = told(sidecar("privacy", "export", "--email", "ADA@example.com"))

    assert of_ada["org"] == ORG_ID
    assert [item["erased"] for item in of_ada["known"]] == [None]
    (referral,) = of_ada["referrals about them"]
    assert referral["details"]["last_name"] == "Lovelace"
    assert referral["status"] == "Submitted"
    assert {item["kind"] for item in of_ada["done about them"]} == {
        "task",
        "email",
        "word",
    }
    assert "Lovelace" in json.dumps(of_ada["done about them"])
    (heard,) = of_ada["messages about them"]
    assert heard["fields"]["Email"] == ADA
    assert len(of_ada["refused messages that name them"]) == 1
    assert "Builder" not in json.dumps(of_ada)
    assert BOB not in json.dumps(of_ada)


def test_a_referrer_is_told_what_is_theirs_and_not_who_was_referred(sidecar, people):
    (of_mira,) = told(sidecar("privacy", "export", "--record", REFERRER[:15]))

    by_them = of_mira["referrals by them"]
    assert [item["referral"] for item in by_them] == [lead_id(1), lead_id(2)]
    assert [item["details"]["referrer"] for item in by_them] == ["Mira Sample"] * 2
    assert len(of_mira["done, naming them as the referrer"]) == 6
    assert len(of_mira["messages that name them"]) == 2
    assert of_mira["messages about them"] == []
    for name in ("Lovelace", "Builder", ADA, BOB, "Ada"):
        assert name not in json.dumps(of_mira)


def test_nothing_is_told_of_somebody_erased_but_when(sidecar, people):
    told(sidecar("privacy", "erase", "--email", ADA, "--yes", "--json"))

    (of_ada,) = told(sidecar("privacy", "export", "--email", ADA))

    (known,) = of_ada["known"]
    assert known["erased"]
    assert "Lovelace" not in json.dumps(of_ada)
    assert ADA not in json.dumps(of_ada)
    (of_bob,) = told(sidecar("privacy", "export", "--email", BOB))
    assert of_bob["referrals about them"][0]["details"]["last_name"] == "Builder"


def test_an_erasure_shows_what_it_would_take_and_asks(sidecar, people):
    result = sidecar("privacy", "erase", "--email", ADA, given="n\n")

    assert result.exit_code == 1
    assert lead_id(1) in result.stdout
    assert lead_id(2) not in result.stdout
    (of_ada,) = told(sidecar("privacy", "export", "--email", ADA))
    assert of_ada["referrals about them"][0]["details"]


def test_an_erasure_says_what_it_took(sidecar, people):
    (row,) = told(
        sidecar("privacy", "erase", "--record", lead_id(1), "--yes", "--json")
    )

    assert row == {
        "org": ORG_ID,
        "persons": 1,
        "records": lead_id(1),
        "referrals about them": 1,
        "referrals by them": 0,
        "follow-ups": 3,
        "cancelled": 3,
        "being done": 0,
        "messages": 2,
    }
    assert sidecar("followups", "list", "--state", "cancelled").exit_code == 0


def test_an_erasure_says_where_the_person_still_is(sidecar, people):
    result = sidecar("privacy", "erase", "--record", lead_id(1), "--yes")

    assert "Salesforce keeps its records" in result.stdout


def test_an_address_may_come_from_standard_input(sidecar, people):
    (row,) = told(
        sidecar("privacy", "erase", "--email", "-", "--yes", "--json", given=f"{ADA}\n")
    )

    assert row["records"] == lead_id(1)


@pytest.mark.parametrize(
    "given",
    [
        (),
        ("--email", "hush-hush"),
        ("--email", ""),
        ("--record", "hush-hush"),
        ("--email", ADA, "--org-id", "00D00000000000zEAA"),
    ],
    ids=str,
)
@pytest.mark.parametrize("verb", ["export", "erase"])
def test_a_misuse_is_told_without_repeating_an_address(sidecar, people, verb, given):
    result = sidecar("privacy", verb, *given)

    assert result.exit_code == 2
    assert "hush" not in result.output
    assert ADA not in result.output


def test_a_machine_must_say_yes(sidecar, people):
    assert sidecar("privacy", "erase", "--email", ADA, "--json").exit_code == 2


def test_the_trail_says_who_did_it_and_not_to_whom(sidecar, wiring, people):
    told(sidecar("privacy", "export", "--email", ADA))
    told(sidecar("privacy", "erase", "--email", ADA, "--yes", "--json"))

    with wiring.engine.connect() as db:
        erased, exported = audit.listing(db, limit=10)
    assert (erased.what, exported.what) == ("privacy.erase", "privacy.export")
    assert erased.details["digests"] == exported.details["digests"]
    assert len(erased.details["digests"]) == 2
    assert ADA not in str(erased) + str(exported)
    assert sidecar("audit", "verify").exit_code == 0


def test_a_purge_says_what_came_to_its_end(sidecar, wiring, people):
    with wiring.engine.begin() as db:
        db.exec_driver_sql("UPDATE event SET received_at = now() - interval '31 days'")

    rows = told(sidecar("privacy", "purge", "--json"))

    assert {"what": "events", "ended": 2} in rows
    assert {"what": "quarantine", "ended": 0} in rows
    with wiring.engine.connect() as db:
        assert len(quarantine.listing(db)) == 1


def test_how_long_it_is_kept_can_be_set(sidecar, wiring, people):
    with wiring.engine.begin() as db:
        db.exec_driver_sql("UPDATE event SET received_at = now() - interval '31 days'")

    rows = told(
        sidecar("privacy", "purge", "--json", SIDECAR_KEEP_EVENTS_DAYS="999999999999")
    )

    assert {"what": "events", "ended": 0} in rows
    assert sidecar("privacy", "purge", SIDECAR_KEEP_EVENTS_DAYS="0").exit_code == 2
