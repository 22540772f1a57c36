"""The page inside Salesforce: a signed request shows one record's referral, no more."""

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import signing
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from messages import lead, lead_id, message, notification
from sqlalchemy import update

from sidecar.console import canvas as page
from sidecar.intake import arrivals, outbound_message
from sidecar.intake.signatures.reasons import Reason
from sidecar.store import webhook_secrets
from sidecar.store.database import engine_for
from sidecar.store.tables import follow_up, person
from sidecar.store.webhook_secrets import Kind, NewSecret
from sidecar.web import create_app

SECRET = "A-CONSUMER-SECRET"
REP = "005000000000001AAA"
PRIVATE = {
    "Email": "ada@example.com",
    "Phone": "+49 30 1234567",
    "Referrer_Name__c": "Bert Sample",
}


def document(record: object = None, **user: object) -> dict[str, Any]:
    """What Salesforce signs, as far as it matters."""
    return {
        "algorithm": "HMACSHA256",
        "issuedAt": None,
        "userId": REP,
        "client": {"oauthToken": "00D000000000001!AQ.secret", "instanceId": "_:x"},
        "context": {
            "user": {
                "userId": REP,
                "language": "en_US",
                "locale": "en_US",
                "timeZone": "America/Los_Angeles",
                **user,
            },
            "organization": {"organizationId": "00D000000000001EAA"},
            "environment": {
                "parameters": {},
                "record": {"Id": lead_id(1)} if record is None else record,
            },
        },
    }


class Frame:
    """A connection with a canvas app, and the browser that opens it."""

    def __init__(self, wiring, connection) -> None:
        self.wiring, self.connection = wiring, connection
        self.browser = create_app(wiring).test_client()
        self.path = f"/canvas/{connection.id}"
        self.numbers = itertools.count(1)

    def accept(self, value: str, kind: Kind = Kind.CANVAS) -> int:
        with self.wiring.engine.begin() as db:
            return webhook_secrets.add(
                db,
                NewSecret(self.connection.id, kind, value),
                now=self.wiring.now(),
                keyring=self.wiring.keyring,
            )

    def hear(self, *fields: dict[str, str], object_type: str = "Lead") -> None:
        parts = [
            notification(next(self.numbers), told, object_type=object_type)
            for told in fields
        ]
        read = outbound_message.read(
            message(parts, org_id=self.connection.org_id),
            field_lists=self.connection.field_lists,
        )
        found = arrivals.of(read, self.connection, self.wiring.now())
        self.wiring.process(self.wiring.scribe.keep(found))

    def open(self, told: object = None, *, secret: str = SECRET):
        content = json.dumps(document() if told is None else told).encode()
        return self.post(signed_request=signing.canvas(secret, content))

    def post(self, **form: str):
        return self.browser.post(self.path, data=form)


@pytest.fixture
def frame(wiring, connect) -> Frame:
    frame = Frame(wiring, connect()[0])
    frame.accept(SECRET)
    frame.hear(lead(1, **PRIVATE))
    return frame


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


def reasons(logged) -> list[str]:
    return [line["reason"] for line in logged if line["event"] == "canvas.forged"]


def told_of(answer) -> str:
    """What is read on a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


# --- Who is not let in ------------------------------------------------------------------


def test_whatever_is_wrong_looks_the_same_and_is_logged_apart(frame, logged, connect):
    content = json.dumps(document()).encode()
    right = signing.canvas(SECRET, content)
    other_org = document()
    other_org["context"]["organization"]["organizationId"] = "00D000000000002EAA"
    no_org = document()
    del no_org["context"]["organization"]
    md5 = document() | {"algorithm": "HMACMD5"}
    bare = Frame(frame.wiring, connect()[0])
    nobody = Frame(frame.wiring, replace(frame.connection, id=999_999_999))
    huge = Frame(frame.wiring, replace(frame.connection, id=10**30))
    odd = Frame(frame.wiring, frame.connection)
    odd.path = "/canvas/%D9%A1x"
    answers = [
        (frame.post(), Reason.CANVAS_MISSING),
        (frame.post(signed_request=""), Reason.CANVAS_MISSING),
        (
            frame.browser.post(f"{frame.path}?signed_request={right}"),
            Reason.CANVAS_MISSING,
        ),
        (
            frame.browser.post(frame.path, json={"signed_request": right}),
            Reason.CANVAS_MISSING,
        ),
        (
            frame.browser.post(
                frame.path, data=b"--", content_type="multipart/form-data; boundary=x"
            ),
            Reason.CANVAS_MISSING,
        ),
        (frame.post(signed_request="x"), Reason.CANVAS_MALFORMED),
        (frame.post(signed_request="é." + right), Reason.CANVAS_MALFORMED),
        (frame.post(signed_request=right[:-4]), Reason.CANVAS_WRONG),
        (frame.open(secret="another"), Reason.CANVAS_WRONG),
        (frame.open([]), Reason.CANVAS_UNREADABLE),
        (frame.open(md5), Reason.CANVAS_ALGORITHM),
        (frame.open(other_org), Reason.CANVAS_OTHER_ORG),
        (frame.open(no_org), Reason.CANVAS_OTHER_ORG),
        (bare.open(), Reason.CANVAS_NO_SECRET),
        (nobody.open(), Reason.CANVAS_NOBODY),
        (huge.open(), Reason.CANVAS_NOBODY),
        (odd.open(), Reason.CANVAS_NOBODY),
    ]
    assert reasons(logged) == [reason for _, reason in answers]
    assert {answer.status_code for answer, _ in answers} == {401}
    assert len({answer.text for answer, _ in answers}) == 1
    assert "opens inside Salesforce only" in answers[0][0].text
    assert SECRET not in str(logged)
    assert "oauthToken" not in str(logged)


def test_a_body_without_end_is_not_read(frame):
    answer = frame.post(signed_request="A" * (page.LONGEST + 1))

    assert answer.status_code == 413
    assert answer.headers["Connection"] == "close"


def test_no_other_secret_opens_it_and_its_own_opens_no_other_door(
    wiring, connect, logged
):
    connection, key = connect()
    frame = Frame(wiring, connection)
    frame.accept("0" * 64, Kind.BEARER)
    assert frame.open(secret="0" * 64).status_code == 401
    assert reasons(logged) == [Reason.CANVAS_NO_SECRET]

    other, key = connect()
    frame = Frame(wiring, other)
    frame.accept(SECRET)
    for headers in ({"Authorization": f"Bearer {SECRET}"}, {"x-api-key": SECRET}):
        answer = frame.browser.post(f"/hooks/events/{key}", json={}, headers=headers)
        assert answer.status_code == 401


_SCRAPS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Id", "record", "user", "locale", "timeZone", "language"]),
            inside,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    where=st.sampled_from(
        [
            ("context",),
            ("context", "user"),
            ("context", "user", "language"),
            ("context", "user", "locale"),
            ("context", "user", "timeZone"),
            ("context", "user", "userId"),
            ("context", "organization"),
            ("context", "environment"),
            ("context", "environment", "record"),
            ("context", "environment", "record", "Id"),
        ]
    ),
    what=_SCRAPS | st.sampled_from(["../../etc/passwd", "/", "de_\x00", "a" * 5000]),
)
def test_no_document_however_odd_makes_it_stumble(frame, where, what):
    told = document()
    place = told
    for name in where[:-1]:
        place = place[name]
    place[where[-1]] = what

    assert frame.open(told).status_code in {200, 401}


# --- What is shown ----------------------------------------------------------------------


def test_it_shows_how_the_referral_stands(frame):
    answer = frame.open()

    assert answer.status_code == 200
    said = told_of(answer)
    assert "Submitted" in said
    assert "Owner You" in said
    assert "Task: call-prospect, Submitted planned for" in said
    assert "Mail to the owner: tell-owner, Submitted planned for" in said
    assert "first-response due on" in said
    assert "reached on January 1, 2026, 7:04" in said, "in the user's own time zone"
    assert "heard of on" in said


def test_it_speaks_the_users_language_and_writes_their_dates(frame):
    answer = frame.open(
        document(language="de", locale="de_CH", timeZone="Europe/Zurich")
    )

    assert '<html lang="de">' in answer.text
    said = told_of(answer)
    assert "Inhaber Sie" in said
    assert "erreicht am 2. Januar 2026, 04:04" in said


def test_an_unknown_language_zone_or_user_is_no_reason_to_fail(frame):
    answer = frame.open(
        document(language="xx", locale="??", timeZone="Mars/Base", userId="who?")
    )

    assert answer.status_code == 200
    assert "Owner Somebody else" in told_of(answer)
    assert "January 2026, 03:04" in told_of(answer), "in the connection's time zone"


def test_it_tells_nothing_of_people_and_no_reason_of_a_failure(frame):
    with frame.wiring.engine.begin() as db:
        db.execute(
            update(follow_up).values(
                state="dead",
                error="550 <rita@example.com>: no such user",
                receipt="250 for rita@example.com",
                settled_at=frame.wiring.now(),
            )
        )
    answer = frame.open()

    assert "given up; the sidecar&#39;s operator sees why" in answer.text
    for secret in (*PRIVATE.values(), "Ada", "Example", "@", "oauth", "550"):
        assert secret not in answer.text


def test_it_leaves_nothing_in_the_browser_and_stands_in_salesforces_frames_alone(frame):
    first, again = frame.open(), frame.open()

    assert first.text == again.text
    for answer in (first, frame.post()):
        assert "Set-Cookie" not in answer.headers
        assert "X-Frame-Options" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        policy = dict(
            part.split(" ", 1)
            for part in answer.headers["Content-Security-Policy"].split("; ")
        )
        assert policy == {
            "default-src": "'none'",
            "style-src": "'self'",
            "form-action": "'none'",
            "base-uri": "'none'",
            "frame-ancestors": (
                "https://*.my.salesforce.com https://*.lightning.force.com "
                "https://*.vf.force.com https://*.visual.force.com"
            ),
        }
        assert not re.search(r"<script|<a |<form|style=", answer.text)


def test_only_the_record_that_salesforce_names_counts(frame):
    told = document({})
    told["context"]["environment"]["parameters"] = {
        "recordId": lead_id(1),
        "Id": lead_id(1),
    }
    assert "Salesforce has named no record" in frame.open(told).text
    strange = frame.open(document({"Id": lead_id(2)}))
    assert "knows of no referral" in strange.text


def test_an_id_of_15_characters_is_the_same_record_and_the_same_org(frame):
    told = document({"Id": lead_id(1)[:15]})
    told["context"]["organization"]["organizationId"] = "00D000000000001"

    assert "Task: call-prospect" in frame.open(told).text


def test_lead_contact_and_opportunity_of_one_referral_show_the_same(frame):
    contact, opportunity = "003000000000001AAA", "006000000000001AAA"
    for id_, object_type, status, day in (
        (contact, "Contact", "Qualified", "02"),
        (opportunity, "Opportunity", "Opportunity", "03"),
    ):
        told = {
            "Id": id_,
            "OwnerId": REP,
            "Referral_Key__c": lead_id(1),
            "Referral_Status__c": status,
            "SystemModstamp": f"2026-02-{day}T03:04:05.000Z",
        }
        frame.hear(told, object_type=object_type)
    by_any = {
        frame.open(document({"Id": id_})).text
        for id_ in (lead_id(1), contact, opportunity)
    }
    assert len(by_any) == 1
    assert "Task: advance-opportunity, Opportunity" in by_any.pop()


def test_an_org_and_its_copy_with_the_same_ids_are_kept_apart(frame, connect):
    copied = connect(org_id="00D000000000002EAA")[0]
    copy = Frame(frame.wiring, copied)
    copy.accept(SECRET)
    told = document()
    told["context"]["organization"]["organizationId"] = "00D000000000002EAA"
    assert "knows of no referral" in copy.open(told).text

    copy.hear(lead(1, "Won"))
    assert "Won" in copy.open(told).text
    assert "Won" not in frame.open().text


def test_of_who_is_erased_it_knows_nothing(frame):
    with frame.wiring.engine.begin() as db:
        db.execute(update(person).values(erased_at=frame.wiring.now(), key_sealed=None))
    assert "knows of no referral" in frame.open().text


def test_what_is_overdue_says_so(frame):
    frame.wiring.now.move(days=30)

    assert re.search(r'class="fault">overdue since [A-Z]', frame.open().text)


# --- Its secret -------------------------------------------------------------------------


def test_while_a_secret_is_replaced_both_are_taken_and_then_the_new_alone(frame):
    frame.accept("A-NEWER-SECRET")
    assert frame.open().status_code == 200
    assert frame.open(secret="A-NEWER-SECRET").status_code == 200

    with frame.wiring.engine.begin() as db:
        (old, new) = webhook_secrets.listing(db, connection_id=frame.connection.id)
        assert old["last_used_at"]
        assert new["last_used_at"]
        webhook_secrets.retire(db, old["id"], at=frame.wiring.now())
    later = Frame(type(frame.wiring)(frame.wiring.settings), frame.connection)
    assert later.open().status_code == 401
    assert later.open(secret="A-NEWER-SECRET").status_code == 200
    later.wiring.engine.dispose()


def test_a_database_that_is_away_is_no_ones_fault(frame):
    frame.wiring.engine = engine_for("postgresql+psycopg://x@127.0.0.1:1/x")
    answer = frame.open()

    assert answer.status_code == 503
    assert "in a few minutes" in answer.text
