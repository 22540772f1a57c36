"""Listener WSDLs: which fields an outbound message sends, and whether our Ack fits."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import zeep
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from unit.ack_listener import Listener, call, listening
from zeep.exceptions import Error as ZeepError

from sidecar.errors import Unreadable
from sidecar.intake import listener_wsdl, outbound_message

WSDL = Path(__file__).parent / "messages" / "lead_listener.wsdl"
TEXT = WSDL.read_text()
XSD = "{http://www.w3.org/2001/XMLSchema}"
FIELDS = {
    "Id": "ID",
    "AnnualRevenue": "double",
    "Company": "string",
    "Due__c": "date",
    "IsConverted": "boolean",
    "NumberOfEmployees": "int",
    "OwnerId": "ID",
    "Phone": "string",
    "Referral_Status__c": "string",
    "SystemModstamp": "dateTime",
}


def test_the_object_and_its_fields_are_read_with_their_types() -> None:
    object_type, fields = listener_wsdl.read(WSDL.read_bytes())

    assert object_type == "Lead"
    assert fields == FIELDS
    assert next(iter(fields)) == "Id"


def test_an_object_without_further_fields_sends_its_id() -> None:
    begin, _, rest = TEXT.partition('<element name="AnnualRevenue"')
    _, _, end = rest.partition('type="xsd:dateTime"/>')

    assert listener_wsdl.read((begin + end).encode()) == ("Lead", {"Id": "ID"})


def test_with_the_listener_wsdl_a_missing_field_is_passed_on_as_cleared() -> None:
    """Promise 20: Salesforce leaves out what is null."""
    object_type, fields = listener_wsdl.read(WSDL.read_bytes())
    body = (WSDL.parent / "nulls_left_out.xml").read_bytes()

    message = outbound_message.read(body, field_lists={object_type: list(fields)})

    cleared = {"AnnualRevenue", "Due__c", "IsConverted", "NumberOfEmployees"}
    cleared |= {"OwnerId", "Referral_Status__c", "SystemModstamp"}
    assert [set(item.absent) for item in message.notifications] == [
        cleared,
        cleared | {"Company"},
        cleared | {"Company", "Phone"},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text",
        "<definitions/>",
        TEXT.replace("urn:sobject.enterprise", "urn:sobject.partner"),
        TEXT.replace("2005/09/outbound", "2005/09/inbound"),
        TEXT.replace('<complexType name="Lead">', '<complexType name="Contact">'),
        TEXT.replace('name="sObject" type="ens:Lead"', 'name="record" type="ens:Lead"'),
        TEXT.replace('name="sObject" type="ens:Lead"', 'name="sObject"'),
        TEXT.replace('<?xml version="1.0" encoding="UTF-8"?>', "<!DOCTYPE a>"),
        TEXT[:2000],
    ],
)
def test_what_is_no_listener_wsdl_is_told_so(text: str) -> None:
    with pytest.raises(Unreadable):
        listener_wsdl.read(text.encode())


@given(st.data())
def test_whatever_the_file_it_is_a_wsdl_or_unreadable(data: st.DataObject) -> None:
    body = bytearray(WSDL.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        length = data.draw(st.integers(0, 60))
        body[place : place + length] = data.draw(st.binary(max_size=4))
    try:
        object_type, fields = listener_wsdl.read(bytes(body))
    except Unreadable:
        return
    assert object_type
    assert "Id" in fields


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with listening(outbound_message.ACK) as listener:
        yield listener


@pytest.fixture(scope="module")
def client() -> zeep.Client:
    """A client that was generated from the listener's contract."""
    return zeep.Client(str(WSDL))


LEAD = {"Id": "00Q000000000001EAA", "Company": "Example & Sons", "AnnualRevenue": 1.5}


def test_our_ack_is_what_a_generated_client_expects(
    client: zeep.Client, listener: Listener
) -> None:
    listener.answer = outbound_message.ACK

    assert call(client, listener, LEAD) is True


@pytest.mark.parametrize(
    "answer",
    [
        outbound_message.fault("Server", "not kept"),
        outbound_message.ACK.replace(b"true", b"false"),
        b"",
        b"OK",
    ],
)
def test_the_same_client_takes_nothing_else_for_an_ack(
    client: zeep.Client, listener: Listener, answer: bytes
) -> None:
    """So that the test above can fail."""
    listener.answer = answer
    try:
        acknowledged = call(client, listener, LEAD)
    except (ZeepError, AttributeError):
        return
    assert acknowledged is not True


ACKS = [
    (outbound_message.ACK, True),
    (outbound_message.ACK.replace(b"notificationsResponse", b"notifications"), False),
    (outbound_message.ACK.replace(b"2005/09/outbound", b"2005/09/inbound"), False),
    (outbound_message.ACK.replace(b"<Ack>", b"<ack>").replace(b"/Ack", b"/ack"), False),
    (outbound_message.ACK.replace(b"true", b"yes"), False),
]


@pytest.mark.parametrize(("answer", "valid"), ACKS)
def test_our_ack_is_valid_by_the_contracts_own_schema(
    answer: bytes, valid: bool
) -> None:
    """A generated client is not strict about names; the schema is."""
    of_answers = etree.fromstring(WSDL.read_bytes()).find(f".//{XSD}schema[3]")
    assert of_answers is not None
    for other in list(of_answers):
        if other.get("name") != "notificationsResponse":
            of_answers.remove(other)
    schema = etree.XMLSchema(etree.fromstring(etree.tostring(of_answers)))

    body = etree.fromstring(answer).find("{*}Body")

    assert body is not None
    assert schema.validate(body[0]) is valid


def test_what_a_generated_client_sends_is_read(
    client: zeep.Client, listener: Listener
) -> None:
    """It has prefixes and an order of its own, and nil where Salesforce leaves out."""
    listener.answer = outbound_message.ACK
    listener.bodies.clear()
    nothing = {"Id": "00Q000000000002EAA", "Phone": zeep.xsd.Nil}
    call(client, listener, LEAD, nothing)

    (body,) = listener.bodies
    # The one thing that Salesforce sends and the contract does not ask for.
    typed = (
        rb'<\1:sObject xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        rb' xmlns:record="urn:sobject.enterprise.soap.sforce.com"'
        rb' xsi:type="record:Lead">'
    )
    message = outbound_message.read(re.sub(rb"<(\w+):sObject>", typed, body))

    assert message.org_id == "00D000000000001EAA"
    first, second = message.notifications
    assert (first.object_type, first.record_id) == ("Lead", "00Q000000000001EAA")
    assert first.fields["Company"] == "Example & Sons"
    assert second.fields["Phone"] is None
    assert first.problem == second.problem == ""
