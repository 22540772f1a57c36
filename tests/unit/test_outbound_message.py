"""Outbound messages: what Salesforce sends is read as it was meant, field by field."""

from collections.abc import Collection
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages import lead, message, notification, of_leads

from sidecar.errors import Unreadable
from sidecar.intake.declared import typed
from sidecar.intake.outbound_message import (
    FIELD_LIMIT,
    Message,
    Notification,
    fault,
    parse,
    read,
)

SAMPLES = Path(__file__).parent / "messages"
SOBJECT = "urn:sobject.enterprise.soap.sforce.com"
LEAD_1, LEAD_2, LEAD_3 = (f"00Q00000000000{n}EAA" for n in (1, 2, 3))
# What XML can carry; a carriage return is read as a line break.
TEXTS = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff\u2028"
    )
)


def sample(name: str) -> Message:
    return read((SAMPLES / f"{name}.xml").read_bytes())


def told(message: Message) -> list[tuple[str | None, str | None, str]]:
    return [
        (item.object_type, item.record_id, item.problem)
        for item in message.notifications
    ]


def of_fields(elements: str, known: Collection[str] = ()) -> list[Notification]:
    """What is read of one notification with these elements in its record."""
    one = notification(1, {"Id": LEAD_1})
    body = message([one.replace("</sObject>", f"{elements}</sObject>")])
    return read(body, field_lists={"Lead": known}).notifications


# --- the samples ---


def test_a_message_of_today() -> None:
    message = sample("one_lead")

    assert (message.org_id, message.action_id) == (
        "00D000000000001EAA",
        "04k000000000001AAA",
    )
    (item,) = message.notifications
    assert item.id == "04l000000000001AAA"
    assert (item.object_type, item.record_id, item.problem) == ("Lead", LEAD_1, "")
    assert item.fields == {
        "Id": LEAD_1,
        "Company": "Example Ltd",
        "CreatedDate": "2026-01-02T03:04:05.000Z",
        "FirstName": "Ada",
        "LastName": "Example",
        "OwnerId": "005000000000001AAA",
        "Referral_Key__c": LEAD_1,
        "Referral_Status__c": "Submitted",
        "SystemModstamp": "2026-01-02T03:04:05.000Z",
    }


@pytest.mark.parametrize(
    ("name", "notifications"),
    [
        (
            "three_leads_bom",
            [("Lead", LEAD_1, ""), ("Lead", LEAD_2, ""), ("Lead", LEAD_3, "")],
        ),
        ("contact_with_managed_fields", [("Contact", "003000000000001AAA", "")]),
        ("on_one_line", [("Opportunity", "006000000000001AAA", "")]),
        ("standalone_and_attributes_swapped", [("Account", "001000000000001AAA", "")]),
        ("default_namespaces_15_characters", [("Lead", LEAD_1, "")]),
        (
            "without_declaration_with_password",
            [("Transfer__c", "a0x000000000001AAA", "")],
        ),
        ("opaque_action_with_session", [("Case", "500000000000001AAA", "")]),
        ("not_ascii", [("Opportunity", "006000000000001AAA", "")]),
        ("comments_and_cdata", [("Lead", LEAD_1, "")]),
        # A record that was deleted before delivery: nothing is wrong with that.
        (
            "deleted_records",
            [(None, None, ""), ("Lead", None, ""), ("Lead", LEAD_3, "")],
        ),
    ],
)
def test_what_salesforce_has_sent_over_the_years_is_read(
    name: str, notifications: list[tuple[str | None, str | None, str]]
) -> None:
    message = sample(name)

    assert told(message) == notifications
    assert message.org_id == "00D000000000001EAA"


def test_an_action_is_opaque() -> None:
    assert sample("opaque_action_with_session").action_id == "12364"


# --- promise 4 ---


UNUSABLE = {
    "has no Id": "<Notification><Id/>{record}</Notification>",
    "Id has 256": f"<Notification><Id>{'x' * 256}</Id>{{record}}</Notification>",
    "no xsi:type": "<Notification><Id>04l000000000002</Id><sObject><Id>x</Id></sObject>"
    "</Notification>",
    "type 'xsd:Lead' is not": "<Notification><Id>04l000000000002</Id>"
    f'<sObject xsi:type="xsd:Lead"><s:Id xmlns:s="{SOBJECT}">{LEAD_1}</s:Id></sObject>'
    "</Notification>",
    "type 'nobody:Lead' is not": "<Notification><Id>04l000000000002</Id>"
    '<sObject xsi:type="nobody:Lead"><Id>x</Id></sObject></Notification>',
    "Id is 'nonsense'": '<Notification><Id>04l000000000002</Id><sObject xsi:type="s:Lead"'
    f' xmlns:s="{SOBJECT}"><s:Id>nonsense</s:Id></sObject></Notification>',
    "Id is None": '<Notification><Id>04l000000000002</Id><sObject xsi:type="s:Lead"'
    f' xmlns:s="{SOBJECT}"><s:Name>x</s:Name></sObject></Notification>',
    "Company stands in the record twice": "<Notification><Id>04l000000000002</Id>"
    f'<sObject xsi:type="s:Lead" xmlns:s="{SOBJECT}"><s:Id>{LEAD_1}</s:Id>'
    "<s:Company>a</s:Company><s:Company>b</s:Company></sObject></Notification>",
    "Company is not in Salesforce's namespace": "<Notification><Id>04l000000000002</Id>"
    f'<sObject xsi:type="s:Lead" xmlns:s="{SOBJECT}"><s:Id>{LEAD_1}</s:Id>'
    "<Company>a</Company></sObject></Notification>",
    f"Company has {FIELD_LIMIT + 1} characters": "<Notification><Id>04l000000000002</Id>"
    f'<sObject xsi:type="s:Lead" xmlns:s="{SOBJECT}"><s:Id>{LEAD_1}</s:Id>'
    f"<s:Company>{'x' * (FIELD_LIMIT + 1)}</s:Company></sObject></Notification>",
    "nested deeper": "<Notification><Id>04l000000000002</Id>"
    f'<sObject xsi:type="s:Lead" xmlns:s="{SOBJECT}"><s:Id>{LEAD_1}</s:Id>'
    f"{'<s:a>' * 40}{'</s:a>' * 40}</sObject></Notification>",
}
RECORD = (
    f'<sObject xsi:type="s:Lead" xmlns:s="{SOBJECT}"><s:Id>{LEAD_1}</s:Id></sObject>'
)


@pytest.mark.parametrize("reason", UNUSABLE)
def test_one_unusable_notification_is_set_aside_with_its_reason_the_other_99_go_through(
    reason: str,
) -> None:
    good = [notification(number, lead(number)) for number in range(1, 100)]
    bad = UNUSABLE[reason].format(record=RECORD)

    read_ = read(message([*good[:50], bad, *good[50:]]))

    problems = [item.problem for item in read_.notifications]
    assert reason in problems.pop(50)
    assert problems == [""] * 99
    assert len(read_.notifications[50].problem) < 500


def test_two_notifications_without_a_usable_id_stay_two() -> None:
    long = UNUSABLE["Id has 256"].format(record=RECORD)

    first, second = read(message([long, long.replace(LEAD_1, LEAD_2)])).notifications

    assert (first.record_id, second.record_id) == (LEAD_1, LEAD_2)


# --- promises 12 and 17 ---


@pytest.mark.parametrize("n", [0, 1, 2, 99, 100, 101])
def test_a_message_with_n_notifications_makes_n_pieces_of_work(n: int) -> None:
    """By contract there are at most 100; more are taken all the same."""
    read_ = read(of_leads(*range(1, n + 1)))

    assert len({item.id for item in read_.notifications}) == n
    assert len({item.record_id for item in read_.notifications}) == n


def test_one_and_many_notifications_take_the_same_code_path() -> None:
    (alone,) = read(of_leads(7)).notifications
    among = read(of_leads(*range(1, 20))).notifications

    assert alone in among


# --- promise 18 ---


PREFIXES = st.from_regex(r"[a-z_][a-z0-9_.-]{0,5}", fullmatch=True).filter(
    lambda prefix: not prefix.startswith("xml")
)


@given(
    prefixes=st.lists(PREFIXES, min_size=4, max_size=4, unique=True),
    company=TEXTS,
    swapped=st.booleans(),
)
def test_we_read_by_namespace_so_any_prefix_works_and_no_value_is_altered(
    prefixes: list[str], company: str, swapped: bool
) -> None:
    e, o, s, x = prefixes
    attributes = [f'{x}:type="{s}:Lead"', f'xmlns:{s}="{SOBJECT}"']
    if swapped:
        attributes.reverse()
    body = (
        f'<{e}:Envelope xmlns:{e}="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns:{x}="http://www.w3.org/2001/XMLSchema-instance"'
        f' xmlns:{o}="http://soap.sforce.com/2005/09/outbound"><{e}:Body>'
        f"<{o}:notifications><{o}:OrganizationId>00D000000000001</{o}:OrganizationId>"
        f"<{o}:Notification><{o}:Id>04l000000000001</{o}:Id>"
        f"<{o}:sObject {' '.join(attributes)}><{s}:Id>{LEAD_1}</{s}:Id>"
        f"<{s}:Company>{escape(company)}</{s}:Company></{o}:sObject></{o}:Notification>"
        f"</{o}:notifications></{e}:Body></{e}:Envelope>"
    )

    (item,) = read(body.encode()).notifications

    assert (item.object_type, item.record_id, item.problem) == ("Lead", LEAD_1, "")
    assert item.fields == {"Id": LEAD_1, "Company": company}


@pytest.mark.parametrize(
    "text",
    [
        "sf:Company and xsi:type",
        "  padded  ",
        "two\nlines\tand a tab",
        "<b>bold</b><br>",
        "]]>",
        "&amp;",
        "00016492",
        "012345678901234567",
    ],
)
def test_a_value_arrives_as_it_was_sent(text: str) -> None:
    (item,) = read(
        message([notification(1, {"Id": LEAD_1, "Company": text})])
    ).notifications

    assert item.fields["Company"] == text


def test_comments_and_cdata_do_not_cut_a_value() -> None:
    (item,) = sample("comments_and_cdata").notifications

    assert item.fields["Company"] == "Example & <Sons>"
    assert item.fields["LastName"] == "Example"


def test_the_same_word_in_another_namespace_is_another_word() -> None:
    other = "http://soap.sforce.com/2006/09/outbound"
    body = of_leads(1).replace(
        b"http://soap.sforce.com/2005/09/outbound", other.encode()
    )

    with pytest.raises(Unreadable, match="not notifications"):
        read(body)


# --- promise 19 ---


def test_messages_up_to_10_mb_are_read_completely() -> None:
    note = "x" * 95_000
    body = message(
        notification(n, {"Id": f"00Q{n:012d}EAA", "Note__c": note}) for n in range(100)
    )

    assert 9_400_000 < len(body) < 10 * 1024 * 1024
    read_ = read(body)
    assert len(read_.notifications) == 100
    assert all(item.fields["Note__c"] == note for item in read_.notifications)


# --- promise 20 ---


def test_with_the_field_list_known_a_missing_field_is_passed_on_as_cleared() -> None:
    body = (SAMPLES / "nulls_left_out.xml").read_bytes()
    names = ["Id", "Company", "Email", "Phone"]

    known = read(body, field_lists={"Lead": names, "Contact": ["Id", "Fax"]})
    unknown = read(body)

    assert [item.absent for item in known.notifications] == [
        (),
        ("Company", "Email"),
        ("Company", "Email", "Phone"),
    ]
    assert [item.absent for item in unknown.notifications] == [(), (), ()]


def test_nil_empty_and_missing_are_three_things() -> None:
    nil = '<sf:A xsi:nil="true"/><sf:B xsi:nil="1"/><sf:C/><sf:D></sf:D>'

    (item,) = of_fields(nil, known=["A", "B", "C", "D", "E"])

    assert item.fields == {"Id": LEAD_1, "A": None, "B": None, "C": "", "D": ""}
    assert item.absent == ("E",)


def test_a_value_within_a_value_is_kept() -> None:
    (item,) = of_fields("<sf:Owner><sf:Name>Rita</sf:Name><sf:Phone/></sf:Owner>")

    assert item.fields["Owner"] == {"Name": "Rita", "Phone": ""}
    assert item.problem == ""


def test_of_two_values_with_one_name_none_is_lost_unseen() -> None:
    (item,) = of_fields("<sf:Owner><sf:Name>a</sf:Name><sf:Name>b</sf:Name></sf:Owner>")

    assert item.problem == "field Owner holds Name twice"


# --- promise 21 ---


def test_values_stay_text_until_the_declared_type_says_otherwise() -> None:
    (case,) = sample("opaque_action_with_session").notifications
    (contact,) = sample("contact_with_managed_fields").notifications

    assert case.fields["CaseNumber"] == "00016492"
    assert contact.fields["External_Number__c"] == "012345678901234567"
    assert contact.fields["acme_x__Total__c"] == "120000.0"
    assert contact.fields["DoNotCall"] == "false"
    assert contact.fields["acme__Tier__c"] == "Gold;Silver"
    amount = contact.fields["acme_x__Total__c"]
    assert isinstance(amount, str)
    assert str(typed(amount, "double")) == "120000.0"


# --- promise 22 ---


ONE = of_leads(1)
BARE = ONE.partition(b"?>\n")[2]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\xef\xbb\xbf" + ONE, id="BOM"),
        pytest.param(BARE, id="no declaration"),
        pytest.param(b"\n\t " + BARE, id="leading newline, no declaration"),
        pytest.param(b"\xef\xbb\xbf" + BARE, id="BOM, no declaration"),
        pytest.param(b"<?xml version='1.0'?>" + BARE, id="no encoding"),
        pytest.param(ONE.replace(b"UTF-8", b"utf-8"), id="small letters"),
        pytest.param(ONE.replace(b"UTF-8", b"ISO-8859-1"), id="Latin 1"),
        pytest.param(ONE.replace(b"UTF-8", b"windows-1252"), id="Windows"),
        pytest.param(ONE.replace(b"UTF-8", b"US-ASCII"), id="ASCII"),
        pytest.param(ONE.decode().encode("utf-16"), id="UTF-16 with a BOM"),
        pytest.param(ONE.decode().encode("utf-16-le"), id="UTF-16, little"),
        pytest.param(ONE.decode().encode("utf-16-be"), id="UTF-16, big"),
        pytest.param(ONE.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(ONE + b"\r\n\n", id="newlines behind"),
    ],
)
def test_bom_and_missing_declaration_are_accepted(body: bytes) -> None:
    assert read(body) == read(ONE)


def test_an_encoding_counts() -> None:
    latin = ONE.replace(b"UTF-8", b"ISO-8859-1").replace(b"Example Ltd", b"Caf\xe9")

    assert read(latin).notifications[0].fields["Company"] == "Café"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"not xml at all", "not well-formed"),
        (b'{"json": true}', "not well-formed"),
        (b"<not><valid", "not well-formed"),
        (b"\n" + ONE, "not well-formed"),  # nothing may stand before a declaration
        (ONE[:-20], "not well-formed"),
        (ONE + b"<more/>", "not well-formed"),
        (ONE.replace(b"Example Ltd", b"\x00"), "not well-formed"),
        (ONE.replace(b"Example Ltd", b"&nbsp;"), "not well-formed"),
        (ONE.replace(b"Example Ltd", b"Caf\xe9"), "not well-formed"),  # is not UTF-8
        (
            ONE.replace(b' xmlns:sf="urn:sobject', b' xmlns:other="urn:sobject'),
            "not well",
        ),
        (ONE.replace(b"UTF-8", b"UTF-7"), "encoding 'utf-7' is not taken"),
        (ONE.replace(b"UTF-8", b"EBCDIC-CP-US"), "is not taken"),
        (
            ONE.replace(b"UTF-8", b"US-ASCII").replace(b"Ltd", b"\xc3\xa9"),
            "not us-ascii",
        ),
        (ONE.decode().encode("utf-16") + b"\x00", "not utf-16"),
        (ONE.decode().encode("utf-32"), "not"),
        (b"<html><body>nope</body></html>", "root element is html"),
        (
            b"<a xmlns='http://www.w3.org/2003/05/soap-envelope'/>",
            "not a SOAP envelope",
        ),
        (b"<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'/>", "no Body"),
        (
            b"<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'><Body/></Envelope>",
            "holds nothing",
        ),
        (
            b"<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'><Body><other/>"
            b"</Body></Envelope>",
            "other, not notifications",
        ),
        (ONE.replace(b"00D000000000001EAA", b" "), "no OrganizationId"),
    ],
)
def test_documents_that_are_not_outbound_messages_are_refused_with_a_reason(
    body: bytes, reason: str
) -> None:
    with pytest.raises(Unreadable, match=reason):
        read(body)


# --- promise 23 ---


def test_15_and_18_character_forms_of_an_id_are_the_same_id_everywhere() -> None:
    short = (SAMPLES / "default_namespaces_15_characters.xml").read_text()
    long = short
    for fifteen, suffix in {
        "00D000000000001": "EAA",
        "04k000000000001": "AAA",
        "04l000000000001": "AAA",
        "00Q000000000001": "EAA",
    }.items():
        assert fifteen in short
        long = long.replace(fifteen, fifteen + suffix)

    one, other = read(short.encode()), read(long.encode())

    assert (one.org_id, one.action_id) == (other.org_id, other.action_id)
    assert len(one.org_id) == 18
    (first,), (second,) = one.notifications, other.notifications
    assert (first.id, first.record_id) == (second.id, second.record_id)
    assert first.record_id == LEAD_1


# --- the answers ---


@given(st.text())
def test_a_fault_is_xml_whatever_it_says(text: str) -> None:
    envelope = parse(fault("Client", text))

    assert envelope.tag == "{http://schemas.xmlsoap.org/soap/envelope/}Envelope"
    assert envelope.findtext(".//faultcode") == "soapenv:Client"


def test_what_is_malformed_is_told_without_repeating_it() -> None:
    """An unescaped ``<`` in somebody's notes makes the next word a name to a parser."""
    body = ONE.replace(b"</", b"<Surname and more </", 1)

    with pytest.raises(
        Unreadable, match=r"not well-formed XML: [a-z ]+, line \d+"
    ) as it:
        read(body)

    assert "Surname" not in str(it.value)
