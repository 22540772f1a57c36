"""Arrivals: what the inbox keeps of a message, and what never gets that far."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages import lead, message, notification, of_leads

from sidecar.intake.arrivals import inspectable, of
from sidecar.intake.outbound_message import read
from sidecar.logs import MASK
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Arrival

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
ORG = "00D000000000001EAA"
LEAD = "00Q000000000001EAA"
SAMPLES = Path(__file__).parent / "messages"
# What must not come out, and the sessions that hold it.
SECRET = "Hush7hush8Hush9hush"
SESSIONS = [
    f"00D000000000001!AQ{SECRET}.x_y",
    f"00D000000000001EAA!AQ{SECRET}",
    f"00D000000000001%21AQ{SECRET}",
    f"Bearer 00D000000000001!{SECRET}, and more",
]


def connection(field_lists: dict[str, list[str]] | None = None) -> OrgConnection:
    return OrgConnection(
        id=7,
        name="org",
        org_id=ORG,
        flow="jwt",
        login_url="",
        instance_url="",
        client_id="",
        username="",
        time_zone="UTC",
        fallback_owner_id=None,
        playbook=None,
        status_map={},
        field_lists=field_lists or {},
        paused_until=None,
        pause_reason=None,
    )


def arrived(body: bytes, **lists: list[str]) -> list[Arrival]:
    return of(read(body, field_lists=lists), connection(), AT)


def in_field(name: str, value: str) -> Any:
    """What is kept of a field."""
    body = message([notification(1, {"Id": LEAD, name: value})])
    (arrival,) = arrived(body)
    return arrival.content["fields"][name]


def test_each_notification_becomes_one_arrival_in_the_messages_order() -> None:
    first, second = arrived(of_leads(1, 2), Lead=["Id", "Company", "Fax"])

    assert (first.connection_id, first.org_id, first.source) == (
        7,
        ORG,
        "outbound_message",
    )
    assert first.notification_id == "04l000000000001AAA"
    assert first.action_id == "04k000000000001AAA"
    assert (first.object_type, first.record_id) == ("Lead", LEAD)
    assert first.content == {"fields": lead(1), "absent": ["Fax"]}
    assert (first.received_at, first.error) == (AT, "")
    assert second.notification_id == "04l000000000002AAA"


def test_without_a_field_list_nothing_is_called_absent() -> None:
    (arrival,) = arrived(of_leads(1))

    assert arrival.content == {"fields": lead(1)}


def test_one_unusable_notification_is_kept_with_its_reason() -> None:
    body = message([notification(1, {"Id": "nonsense"}), notification(2, {"Id": LEAD})])

    bad, good = arrived(body)

    assert "nonsense" in bad.error
    assert bad.content["fields"] == {"Id": "nonsense"}
    assert good.error == ""


def test_without_an_id_the_same_content_is_the_same_notification() -> None:
    one, other = (
        notification(1, {"Id": LEAD, "Company": company}).replace(
            "<Id>04l000000000001</Id>", ""
        )
        for company in ("A", "B")
    )

    first, again, second = (
        item.notification_id for item in arrived(message([one, one, other]))
    )

    assert first == again != second
    assert first.startswith("content:")


# --- promise 27 ---


def test_session_ids_are_dropped_at_the_door() -> None:
    for path in SAMPLES.glob("*.xml"):
        body = path.read_bytes()
        assert "FakeSession" not in repr(arrived(body))
        assert "FakeSession" not in inspectable(body)
    assert b"FakeSession" in (SAMPLES / "three_leads_bom.xml").read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        *("Partner_Password__c", "Passwd__c", "client_secret__c", "ApiKey__c"),
        *("API_Key__c", "Access_Token__c", "AuthToken__c", "acme__Session_Id__c"),
    ],
)
def test_payloads_are_stored_with_secret_looking_fields_masked(name: str) -> None:
    assert in_field(name, "anything") == MASK
    assert in_field(name, "") == ""


@pytest.mark.parametrize(
    "text",
    [
        "Hello! https://user:8080/x@y password=1 Bearer of good news",
        "Call 00D4 at 5!",
        "https://example.com/hooks/outbound/this-is-a-text!",
    ],
)
def test_a_text_that_is_no_session_is_not_altered(text: str) -> None:
    """What people write is theirs; only logs are stricter."""
    assert in_field("Description", text) == text


FORMS: dict[str, Callable[[str], bytes]] = {
    "session element": lambda text: message(
        [notification(1, lead(1))], session=f"<SessionId>{text}</SessionId>"
    ),
    "field": lambda text: message([notification(1, lead(1, Note__c=f"see {text}"))]),
    "field within a field": lambda text: of_leads(1).replace(
        b"</sObject>", f"<sf:A><sf:B>{text}</sf:B></sf:A></sObject>".encode()
    ),
    "secret field within a field": lambda text: of_leads(1).replace(
        b"</sObject>",
        f"<sf:A><sf:Password__c>{SECRET}</sf:Password__c></sf:A></sObject>".encode(),
    ),
    "action": lambda text: of_leads(1).replace(b"04k000000000001AAA", text.encode()),
    "notification": lambda text: of_leads(1).replace(b"04l000000000001", text.encode()),
    "type": lambda text: of_leads(1).replace(b"sf:Lead", f"sf:{text}".encode()),
    "foreign type": lambda text: of_leads(1).replace(b"sf:Lead", text.encode()),
    "record id": lambda text: of_leads(1).replace(LEAD.encode(), text.encode()),
    "character reference": lambda text: of_leads(1).replace(
        b"Example Ltd", text.replace("!", "&#33;").encode()
    ),
    "twice escaped": lambda text: of_leads(1).replace(
        b"Example Ltd", text.replace("!", "&amp;#33;").encode()
    ),
    "cut by a comment": lambda text: of_leads(1).replace(
        b"Example Ltd", text.replace("!", "!<!-- -->").encode()
    ),
    "character data": lambda text: of_leads(1).replace(
        b"Example Ltd", f"<![CDATA[{text}]]>".encode()
    ),
}


@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("form", FORMS)
def test_a_session_in_any_form_never_comes_out_of_arrivals(
    form: str, session: str
) -> None:
    body = FORMS[form](session)
    assert SECRET.encode() in body

    arrivals = arrived(body)

    assert len(arrivals) == 1
    assert SECRET not in repr(arrivals)
    json.dumps(arrivals[0].content)


def test_two_notifications_whose_ids_hold_a_session_stay_two() -> None:
    body = message(notification(number, lead(1)) for number in (1, 2))
    for number, session in enumerate(SESSIONS[:2], start=1):
        body = body.replace(f"04l{number:012d}".encode(), session.encode())

    assert len({item.notification_id for item in arrived(body)}) == 2


# Elements that hold a session, as they may look in what nobody could read.
HELD = [
    "{s}",
    "\n  {s}\n",
    "<![CDATA[{s}]]>",
    "<![CDATA[</SessionId>{s}]]>",
    "<!-- </SessionId> -->{s}",
    "x<!-- a -->{s}",
    "<b>{s}</b>",
    "<SessionId>x</SessionId>{s}",
    "&#72;{s}",
    "<{s}",
]
ELEMENTS = [
    "<SessionId>{held}</SessionId>",
    "<sessionid >{held}</sessionid >",
    "<x:SessionId>{held}</x:SessionId>",
    '<x.y-z:SessionId a="b>c">{held}</x.y-z:SessionId>',
    '<SessionId a="/>{held}</SessionId>',
    "<SessionId\n\txsi:nil='false'>{held}</SessionId\n>",
    '<SessionId xsi:nil="true"/><SessionId>{held}</SessionId>',
    "<SessionId>{held}",
    "<SessionHeader><sessionId>{held}</sessionId></SessionHeader>",
    "<![CDATA[<SessionId>{held}</SessionId>]]>",
    "<!-- <SessionId>{held}</SessionId> -->",
    "<Api_Key__c>{held}</Api_Key__c>",
    "<sf:XPassword__c>{held}</sf:XPassword__c>",
    '{{"sessionId": "{s}"}}',
    "{{'client_secret': '{s}'}}",
    "session_id={s}&a=b",
]
TEXTS = st.text(
    st.characters(exclude_characters="<>\x00", exclude_categories=["Cs"]), max_size=20
)


@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("element", ELEMENTS)
def test_a_session_in_any_form_never_comes_out_of_what_is_inspectable(
    element: str, held: str
) -> None:
    """This secret looks like nothing: only where it stands gives it away."""
    planted = element.format(held=held.format(s=SECRET), s=SECRET)
    text = f"é <a>{planted}</a> and more"

    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        body = text.encode(encoding)
        for end in range(len(body), 0, -1):
            assert SECRET[:-2] not in inspectable(body[:end])


@given(
    session=st.sampled_from(SESSIONS),
    before=TEXTS,
    after=TEXTS,
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-16-be", "latin-1"]),
)
def test_a_session_that_looks_like_one_comes_out_of_nowhere(
    session: str, before: str, after: str, encoding: str
) -> None:
    text = f"{before} {session} {after}"
    for written in (text, text.replace("!", "&#x21;"), text.replace("!", "+ACE-")):
        shown = inspectable(written.encode(encoding, "replace"))
        assert SECRET not in shown


def test_what_is_inspectable_keeps_the_rest() -> None:
    body = (SAMPLES / "three_leads_bom.xml").read_text()
    session = body.partition("<SessionId>")[2].partition("</SessionId>")[0]

    assert inspectable(body.encode()) == body.replace(session, MASK)


@given(st.binary())
def test_any_bytes_are_inspectable(body: bytes) -> None:
    shown = inspectable(body)

    shown.encode()  # as the database wants it
    assert "\x00" not in shown
