"""Events, follow-ups and the doctor: what came, what was done, and whether all is well."""

import json

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from messages import ORG_ID, lead_id, message, notification, of_leads

from sidecar.intake import arrivals, outbound_message
from sidecar.store import audit, claims, follow_ups, inbox, quarantine
from sidecar.store.claims import End
from sidecar.store.quarantine import Refused

# As Salesforce tells it: brackets name the field, and mean something to a terminal.
WORDS = "STRING_TOO_LONG: [/b] too long: :smile: " + "x" * 300 + " [Subject]"


@pytest.fixture
def kept(wiring, connect):
    """Keep messages as the door does; gives the ids of their events."""
    connection, _ = connect()

    def keep(body):
        read = outbound_message.read(body)
        return wiring.keep(arrivals.of(read, connection, wiring.now()))

    keep.connection = connection
    return keep


@pytest.fixture
def planned(wiring, kept):
    """A referral with its task and its mail, not yet done."""
    wiring.process(kept(of_leads(1)))
    with wiring.engine.connect() as db:
        return [row["id"] for row in reversed(follow_ups.listing(db))]


def end(wiring, connection, kind, ending):
    """Let one attempt at the follow-ups of a kind end like this."""
    with wiring.engine.begin() as db:
        claimed = claims.claim(
            db,
            connection.id,
            kind,
            now=wiring.now(),
            lease_ends=wiring.now(),
            limit=9,
            keyring=wiring.keyring,
        )
        ends = {item.id: (item.number, ending) for item in claimed}
        claims.settle(db, ends, now=wiring.now())


def told(result, code=0):
    """What a command printed as JSON."""
    assert result.exit_code == code
    assert result.stderr == ""
    return json.loads(result.stdout)


def noted(wiring):
    """What the audit trail says that was done."""
    with wiring.engine.connect() as db:
        return [(entry.what, entry.details) for entry in audit.listing(db, limit=9)]


def rung(wiring):
    """How many jobs wait in Redis."""
    return sum(wiring.redis.llen(f"rq:queue:{name}") for name in ("process", "deliver"))


# --- events ---


def test_events_are_listed_newest_first(sidecar, kept):
    assert told(sidecar("events", "list", "--json")) == []
    assert "no events" in sidecar("events", "list").stdout

    first, second, third = kept(of_leads(1, 2, 3))

    rows = told(sidecar("events", "list", "--json"))
    assert [row["id"] for row in rows] == [third, second, first]
    assert rows[0]["record"] == lead_id(3)
    assert rows[0]["state"] == "waiting"
    assert len(told(sidecar("events", "list", "--json", "--limit", "2"))) == 2
    shown = sidecar("events", "list").stdout
    assert all(lead_id(n) in shown for n in (1, 2, 3))


def test_events_of_a_record_are_found_by_15_or_18_characters(sidecar, kept):
    kept(of_leads(1, 2))

    for record in (lead_id(2), lead_id(2)[:15]):
        (row,) = told(sidecar("events", "list", "--json", "--record", record))
        assert row["record"] == lead_id(2)


def test_a_dead_event_makes_the_list_exit_with_1(sidecar, kept):
    body = message(
        [notification(1, {"Id": "no [id] at all"}), notification(2, {"Id": lead_id(2)})]
    )
    dead, waiting = kept(body)

    rows = told(sidecar("events", "list", "--json"), code=1)
    assert [row["id"] for row in rows] == [waiting, dead]
    assert "no [id] at all" in rows[1]["told"]
    assert "no [id] at all" in sidecar("events", "list").stdout
    assert (
        told(sidecar("events", "list", "--json", "--state", "dead"), code=1) == rows[1:]
    )
    assert told(sidecar("events", "list", "--json", "--state", "waiting")) == rows[:1]


def test_what_was_refused_at_the_door_is_listed(sidecar, wiring, kept):
    refused = Refused(
        kept.connection.id,
        "wrong_org",
        "looks like a copy of your org",
        "<body/>",
        org_id="00D000000000009EAA",
        notification_ids=["04l000000000001AAA"],
    )
    with wiring.engine.begin() as db:
        for _ in range(2):
            quarantine.keep(db, refused, now=wiring.now(), keyring=wiring.keyring)

    (row,) = told(sidecar("events", "list", "--quarantined", "--json"))
    assert (row["kind"], row["seen"], row["org_id"]) == (
        "wrong_org",
        2,
        "00D000000000009EAA",
    )
    assert row["notification_ids"] == ["04l000000000001AAA"]
    assert "copy of your org" in sidecar("events", "list", "--quarantined").stdout


def test_an_event_is_shown_with_what_it_carried(sidecar, kept):
    (event,) = kept(of_leads(1))

    row = told(sidecar("events", "show", event, "--json"))
    assert row["fields"]["Company"] == "Example Ltd"
    assert (row["id"], row["org_id"], row["object_type"]) == (event, ORG_ID, "Lead")
    shown = sidecar("events", "show", event)
    assert shown.exit_code == 0
    assert "  Company = Example Ltd\n" in shown.stdout
    assert f"record_id: {lead_id(1)}\n" in shown.stdout


def test_an_event_that_is_not_there_is_a_misuse(sidecar, wiring):
    result = sidecar("events", "show", 7777)

    assert result.exit_code == 2
    assert "there is no event 7777" in result.stderr


def test_events_are_run_again(sidecar, wiring, kept):
    one, other = kept(of_leads(1, 2))
    wiring.process([one, other])
    wiring.redis.flushall()

    result = sidecar("events", "replay", one, other)

    assert (result.exit_code, result.stderr) == (0, "")
    assert "2 of 2 will run again" in result.stdout
    assert rung(wiring) == 1
    with wiring.engine.connect() as db:
        assert inbox.count(db) == {"waiting": 2}


def test_an_event_that_cannot_be_run_again_makes_1(sidecar, wiring, kept):
    (one,) = kept(of_leads(1))

    result = sidecar("events", "replay", one, 7777)

    assert result.exit_code == 1
    assert "1 of 2 will run again" in result.stdout
    assert "7777: no such event" in result.stdout
    assert noted(wiring) == [("events.replay", {"ids": [one]})]
    assert sidecar("events", "replay").exit_code == 2


@pytest.mark.parametrize("verb", [("events", "replay"), ("followups", "retry")])
def test_where_nothing_was_changed_the_audit_trail_says_nothing(sidecar, wiring, verb):
    result = sidecar(*verb, 999)

    assert result.exit_code == 1
    assert "999: no such" in result.stdout
    assert noted(wiring) == []


# --- follow-ups ---


def test_follow_ups_are_listed_without_what_they_say_of_people(sidecar, planned):
    task, mail = planned

    rows = told(sidecar("followups", "list", "--json"))
    assert [row["id"] for row in rows] == [mail, task]
    assert {row["kind"] for row in rows} == {"task", "email"}
    assert {row["state"] for row in rows} == {"waiting"}
    shown = sidecar("followups", "list")
    assert shown.exit_code == 0
    assert lead_id(1) in shown.stdout
    assert "Ada" not in shown.stdout + json.dumps(rows)


def test_follow_ups_of_a_referral_or_a_state_are_found(sidecar, planned):
    of_it = sidecar("followups", "list", "--json", "--referral", lead_id(1))
    assert len(told(of_it)) == 2
    assert told(sidecar("followups", "list", "--json", "--referral", "other")) == []
    assert told(sidecar("followups", "list", "--json", "--state", "done")) == []
    assert "no follow-ups" in sidecar("followups", "list", "--state", "done").stdout


@pytest.mark.parametrize("state", ["dead", "uncertain"])
def test_a_follow_up_that_needs_a_person_makes_the_list_exit_with_1(
    sidecar, wiring, kept, planned, state
):
    end(wiring, kept.connection, "task", End(state, error=WORDS))

    rows = told(sidecar("followups", "list", "--json", "--state", state), code=1)
    assert [row["error"] for row in rows] == [WORDS]
    assert sidecar("followups", "list").exit_code == 1
    assert sidecar("followups", "list", "--state", "waiting").exit_code == 0


def test_no_word_of_salesforces_is_cut_off_or_taken_for_markup(
    sidecar, wiring, kept, planned
):
    end(wiring, kept.connection, "task", End("dead", error=WORDS))

    shown = sidecar("followups", "list").stdout

    # A table breaks lines within a cell.
    cells = [line.split("│") for line in shown.splitlines() if "│" in line]
    column = "".join("".join(row[-2].split()) for row in cells)
    assert "".join(WORDS.split()) in column


def test_what_was_given_up_on_is_tried_again(sidecar, wiring, kept, planned):
    task, _mail = planned
    end(wiring, kept.connection, "task", End("dead", error="no"))
    wiring.redis.flushall()

    result = sidecar("followups", "retry", task)

    assert (result.exit_code, result.stderr) == (0, "")
    assert "1 of 1 will be tried again" in result.stdout
    assert rung(wiring) == 1
    with wiring.engine.connect() as db:
        assert follow_ups.count(db) == {"waiting": 2}


def test_what_is_done_is_not_done_again(sidecar, wiring, kept, planned):
    task, mail = planned
    end(wiring, kept.connection, "task", End("done", receipt="00T000000000001AAA"))

    result = sidecar("followups", "retry", task, mail, 7777, mail)

    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{task}: it is done, and nothing is done twice",
        "7777: no such follow-up",
        "1 of 3 will be tried again",
    ]
    assert noted(wiring) == [("followups.retry", {"ids": [mail]})]


def test_what_is_being_done_is_left_to_who_does_it(sidecar, wiring, kept, planned):
    task, _mail = planned
    with wiring.engine.begin() as db:
        claims.claim(
            db,
            kept.connection.id,
            "task",
            now=wiring.now(),
            lease_ends=wiring.now(),
            limit=9,
            keyring=wiring.keyring,
        )

    result = sidecar("followups", "retry", task)

    assert (result.exit_code, noted(wiring)) == (1, [])
    assert f"{task}: it is being done at this moment\n" in result.stdout


# --- the doctor ---


@pytest.fixture
def post_office(nobody):
    """A mail server."""
    controller = Controller(Sink(), hostname="127.0.0.1", port=nobody)
    controller.start()
    yield f"smtp://127.0.0.1:{nobody}"
    controller.stop()


def test_where_all_is_well_the_doctor_exits_with_0(sidecar, wiring, post_office):
    result = sidecar("doctor", "--json", SIDECAR_SMTP_URL=post_office)

    findings = told(result)
    assert {row["part"] for row in findings} >= {
        "key ring",
        "database",
        "Redis",
        "mail server",
    }
    assert all(row["well"] for row in findings)
    assert (
        "the tables are up to date"
        in sidecar("doctor", SIDECAR_SMTP_URL=post_office).stdout
    )


def test_each_part_that_is_not_well_is_told(sidecar, wiring, kept, planned, nobody):
    kept(message([notification(9, {"Id": "nonsense"})]))
    end(wiring, kept.connection, "task", End("dead", error="no"))

    result = sidecar(
        "doctor", "--json", SIDECAR_REDIS_URL=f"redis://127.0.0.1:{nobody}/0"
    )

    findings = {row["part"]: row for row in told(result, code=1)}
    org = f"org {kept.connection.name}"
    ill = {"Redis", "mail server", org, "inbox", "follow-ups"}
    assert {part for part, row in findings.items() if not row["well"]} == ill
    assert findings["inbox"]["seen"] == "1 dead events"
    assert "SIDECAR_SMTP_URL says where it is" in findings["mail server"]["seen"]
    assert all(row["seen"] for row in findings.values())


def test_a_database_that_is_away_is_a_finding(sidecar, wiring, post_office, nobody):
    url = "postgresql://user:hush-hush@127.0.0.1:1/name"

    result = sidecar("doctor", SIDECAR_DATABASE_URL=url, SIDECAR_SMTP_URL=post_office)

    assert result.exit_code == 1
    assert "database" in result.stdout
    assert "NO" in result.stdout
    assert "hush-hush" not in result.output
