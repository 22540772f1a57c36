"""An outbound message has the very shape of Salesforce's."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sidecar.devorg.notation import fields_from
from sidecar.devorg.outbound.acknowledgement import NACK, reason_to_retry
from sidecar.devorg.outbound.message import (
    Action,
    envelope,
    notification_writer,
    opening,
    writer,
)

ACTION = Action(
    id="04k000000000001AAA",
    full_name="Lead.Changed",
    object_name="Lead",
    endpoint_url="https://127.0.0.1:9/om",
    fields=("Id", "LastName", "Company"),
    api_version="62.0",
    integration_user_id="005000000000001AAA",
)
FIELDS = list(
    fields_from(
        """
        Id id
        LastName string(80)
        Company string(255)
        AnnualRevenue currency(18,2)
        NumberOfEmployees int
        IsConverted boolean
        Referral_Status__c picklist(Won)
        CreatedDate datetime
        ConvertedDate date
        npe01__Key__c string(20)
        """
    ).values()
)
HEAD = opening(
    ACTION, org_id="00D000000000062EAA", host="https://acme.my.salesforce.com"
)
GOLDEN = """\
<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>00D000000000062EAA</OrganizationId>
   <ActionId>04k000000000001AAA</ActionId>
   <SessionId xsi:nil="true"/>
   <EnterpriseUrl>https://acme.my.salesforce.com/services/Soap/c/62.0/00D000000000062</EnterpriseUrl>
   <PartnerUrl>https://acme.my.salesforce.com/services/Soap/u/62.0/00D000000000062</PartnerUrl>
   <Notification>
    <Id>04l000000000001AAA</Id>
    <sObject xsi:type="sf:Lead" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     <sf:Id>00Q000000000001AAA</sf:Id>
     <sf:AnnualRevenue>120000.0</sf:AnnualRevenue>
     <sf:Company>Müller &amp; Söhne &lt;GmbH&gt;</sf:Company>
     <sf:ConvertedDate>2026-03-04</sf:ConvertedDate>
     <sf:CreatedDate>2026-01-02T03:04:05.000Z</sf:CreatedDate>
     <sf:IsConverted>false</sf:IsConverted>
     <sf:LastName>Beispiel</sf:LastName>
     <sf:NumberOfEmployees>5000</sf:NumberOfEmployees>
     <sf:npe01__Key__c>k</sf:npe01__Key__c>
    </sObject>
   </Notification>
   <Notification>
    <Id>04l000000000002AAA</Id>
   </Notification>
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>"""


def message(*rows):
    write = notification_writer("Lead", FIELDS)
    texts = [
        write(f"04l00000000000{n}AAA", f"00Q00000000000{n}AAA", row)
        for n, row in enumerate(rows, start=1)
    ]
    return envelope(HEAD, texts)


def test_a_message_is_written_as_salesforce_writes_it():
    row = {
        "LastName": "Beispiel",
        "Company": "Müller & Söhne <GmbH>",
        "AnnualRevenue": Decimal("120000.00"),
        "NumberOfEmployees": 5000,
        "IsConverted": False,
        "CreatedDate": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "ConvertedDate": date(2026, 3, 4),
        "npe01__Key__c": "k",
    }
    assert message(row, None).decode() == GOLDEN


@given(st.text())
def test_any_text_arrives_unchanged_but_for_what_xml_cannot_carry(text):
    body = message({"Company": text})
    found = etree.fromstring(body).findtext(
        ".//{urn:sobject.enterprise.soap.sforce.com}Company"
    )
    carried = "".join(
        c
        for c in text
        if c in "\t\n\r"
        or (c >= " " and c not in "\ufffe\uffff" and not "\ud800" <= c <= "\udfff")
    )
    assert (found or "") == carried.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0", "0.0"),
        ("5.534", "5.534"),
        ("-94.1307667", "-94.1307667"),
        ("9999999", "9999999.0"),
        ("10000000", "1.0E7"),
        ("139000000", "1.39E8"),
        ("0.0005", "5.0E-4"),
        ("0.001", "0.001"),
    ],
)
def test_a_number_is_a_java_double(number, text):
    assert writer("currency")(Decimal(number)) == text


ENVELOPE = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'
RESPONSE = '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>{}</Ack></notificationsResponse>'


@pytest.mark.parametrize("word", ["true", " true\n", "1"])
def test_the_document_that_says_true_acknowledges(word):
    assert reason_to_retry(200, ENVELOPE.format(RESPONSE.format(word)).encode()) is None
    assert (
        reason_to_retry(
            200, b"\xef\xbb\xbf" + ENVELOPE.format(RESPONSE.format(word)).encode()
        )
        is None
    )


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, ENVELOPE.format(RESPONSE.format("false")), NACK),
        (200, ENVELOPE.format(RESPONSE.format("TRUE")), NACK),
        (
            200,
            ENVELOPE.format(
                RESPONSE.format("true").replace(
                    "notificationsResponse", "notifications"
                )
            ),
            NACK,
        ),
        (
            200,
            ENVELOPE.format(
                "<notificationsResponse><Ack>true</Ack></notificationsResponse>"
            ),
            NACK,
        ),
        (200, RESPONSE.format("true"), NACK),
        (
            200,
            "OK",
            "org.xml.sax.SAXParseException; lineNumber: 1; columnNumber: 1; Content is not allowed in prolog.",
        ),
        (200, "", "org.xml.sax.SAXParseException; Premature end of file."),
        (
            200,
            ENVELOPE.format(
                "<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring></s:Fault>"
            ),
            "SOAP response was a fault: no",
        ),
        (503, ENVELOPE.format(RESPONSE.format("true")), "(503)Service Unavailable"),
        (302, "", "(302)Found"),
    ],
)
def test_anything_else_does_not(status, body, words):
    assert reason_to_retry(status, body.encode()) == words
