"""Outbound messages as Salesforce writes them, for tests to send."""

from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

ORG_ID = "00D000000000001EAA"

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" \
xmlns:xsd="http://www.w3.org/2001/XMLSchema" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>{org_id}</OrganizationId>
   <ActionId>04k000000000001AAA</ActionId>
   {session}
   <EnterpriseUrl>https://example.my.salesforce.com/services/Soap/c/62.0/x</EnterpriseUrl>
   <PartnerUrl>https://example.my.salesforce.com/services/Soap/u/62.0/x</PartnerUrl>
"""
_NOTIFICATION = """   <Notification>
    <Id>{id}</Id>
    <sObject xsi:type="sf:{object_type}" \
xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
{fields}
    </sObject>
   </Notification>
"""
_TAIL = """  </notifications>
 </soapenv:Body>
</soapenv:Envelope>"""


def notification(
    number: int, fields: Mapping[str, str], *, object_type: str = "Lead"
) -> str:
    """One notification; its id follows from the number."""
    told = "\n".join(
        f"     <sf:{name}>{escape(value)}</sf:{name}>" for name, value in fields.items()
    )
    return _NOTIFICATION.format(
        id=notification_id(number), object_type=object_type, fields=told
    )


def notification_id(number: int) -> str:
    """An id as Salesforce gives it, 15 characters."""
    return f"04l{number:012d}"


def lead_id(number: int) -> str:
    """An id of a lead, 18 characters."""
    return f"00Q{number:012d}EAA"


def lead(number: int, status: str = "Submitted", **more: str) -> dict[str, str]:
    """A lead's fields, Id first."""
    return {
        "Id": lead_id(number),
        "Company": "Example Ltd",
        "FirstName": "Ada",
        "LastName": f"Example {number}",
        "OwnerId": "005000000000001AAA",
        "Referral_Key__c": lead_id(number),
        "Referral_Status__c": status,
        "SystemModstamp": "2026-01-02T03:04:05.000Z",
    } | more


def message(
    notifications: Iterable[str],
    *,
    org_id: str = ORG_ID,
    session: str = '<SessionId xsi:nil="true"/>',
) -> bytes:
    """A whole message."""
    head = _HEAD.format(org_id=org_id, session=session)
    return (head + "".join(notifications) + _TAIL).encode()


def of_leads(*numbers: int, status: str = "Submitted") -> bytes:
    """A message of leads, each notification with the lead's number."""
    return message(notification(number, lead(number, status)) for number in numbers)
