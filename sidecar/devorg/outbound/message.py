"""The XML of an outbound message, as Salesforce puts it on the wire.

One SOAP envelope of 1 to 100 notifications, in the shape of recent captures: an
XML declaration, one space of indent, ``Id`` first and the other fields in ASCII
order, a null left out, the session never sent.

Sources: the outbound messaging WSDL (element names, order, ``maxOccurs`` 100);
"Session IDs removed from outbound messages", help 005232763 (week of 23 Feb 2026).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from sidecar.devorg.schema import Field, Row

MOST_NOTIFICATIONS = 100


@dataclass(frozen=True)
class Action:
    """
    A deployed WorkflowOutboundMessage.

    Attributes:
        id: 18 characters, ``04k…``; ``ActionId`` on the wire.
        full_name: ``Lead.Referral_Status_Changed``.
        fields: API names as deployed; ``Id`` is always sent.
        api_version: as in ``62.0``, part of the URLs in the message.
        integration_user_id: whose field-level security decides what is sent.
    """

    id: str
    full_name: str
    object_name: str
    endpoint_url: str
    fields: tuple[str, ...]
    api_version: str
    integration_user_id: str


_OPENING = """\
<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" \
xmlns:xsd="http://www.w3.org/2001/XMLSchema" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>{org_id}</OrganizationId>
   <ActionId>{action_id}</ActionId>
   <SessionId xsi:nil="true"/>
   <EnterpriseUrl>{host}/services/Soap/c/{version}/{org_id15}</EnterpriseUrl>
   <PartnerUrl>{host}/services/Soap/u/{version}/{org_id15}</PartnerUrl>
"""
_CLOSING = """\
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>"""

# One notification, with and without its record.
_ABOUT = """\
   <Notification>
    <Id>{id}</Id>
"""
_RECORD = """\
    <sObject xsi:type="sf:{type}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     <sf:Id>{id}</sf:Id>
"""
_RECORD_END = "    </sObject>\n"
_ABOUT_END = "   </Notification>\n"

# Characters that XML 1.0 cannot carry at all.
_UNCARRIED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DOUBLES = frozenset(("double", "currency", "percent"))

Write = Callable[[object], str]


def opening(action: Action, *, org_id: str, host: str) -> str:
    """
    Write everything before the first notification.

    Args:
        host: the org's My Domain with its scheme, as ``https://acme.my.salesforce.com``.
    """
    return _OPENING.format(
        org_id=org_id,
        org_id15=org_id[:15],
        action_id=action.id,
        host=escaped(host),
        version=action.api_version,
    )


def notification_writer(
    object_name: str, fields: Sequence[Field]
) -> Callable[[str, str, Row | None], str]:
    """
    Prepare the writing of notifications about one kind of record.

    Args:
        fields: what is to be sent, in any order; ``Id`` may be missing.

    Returns:
        A function of notification id, record id and record. A record that is
        gone by now (None) leaves a notification without data.

    Source:
        "the notification contains no data": Outbound Message Considerations.
    """
    columns = [
        (field, f"     <sf:{field.name}>", f"</sf:{field.name}>\n", writer(field.type))
        for field in sorted(fields, key=lambda each: each.name)
        if field.key != "id" and field.type != "address"
    ]

    def write(notification_id: str, record_id: str, row: Row | None) -> str:
        parts = [_ABOUT.format(id=notification_id)]
        if row is not None:
            parts.append(_RECORD.format(type=object_name, id=record_id))
            for field, start, end, as_text in columns:
                value = field.compute(row) if field.compute else row.get(field.name)
                if value is not None and value != "":
                    parts += (start, as_text(value), end)
            parts.append(_RECORD_END)
        parts.append(_ABOUT_END)
        return "".join(parts)

    return write


def envelope(head: str, notifications: Sequence[str]) -> bytes:
    """Put an opening and its 1 to 100 notifications together, as UTF-8."""
    return "".join((head, *notifications, _CLOSING)).encode()


def escaped(text: str) -> str:
    """Write text as XML character data."""
    if "&" in text or "<" in text or ">" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _UNCARRIED.sub("", text)


def writer(field_type: str) -> Write:
    """Return how SOAP writes values of a describe type."""
    if field_type in _DOUBLES:
        return _double
    return _WRITERS.get(field_type, _text)


def _text(value: object) -> str:
    return escaped(str(value))


def _double(value: object) -> str:
    """Write as Java does: ``120000.0``, and ``1.0E7`` from ten millions on."""
    number = float(value) if isinstance(value, Decimal | int | float) else 0.0
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        plain = repr(number)
        return plain if "e" not in plain else f"{number:f}".rstrip("0")
    digits = Decimal(repr(number)).normalize()
    mantissa, exponent = digits.scaleb(-digits.adjusted()), digits.adjusted()
    return f"{mantissa:f}{'' if '.' in f'{mantissa:f}' else '.0'}E{exponent}"


def _boolean(value: object) -> str:
    return "true" if value else "false"


def _datetime(value: object) -> str:
    """UTC; Salesforce keeps whole seconds."""
    assert isinstance(value, datetime)  # noqa: S101 - the schema says so
    return f"{value:%Y-%m-%dT%H:%M:%S}.000Z"


def _date(value: object) -> str:
    assert isinstance(value, date)  # noqa: S101 - the schema says so
    return value.isoformat()


def _time(value: object) -> str:
    assert isinstance(value, time)  # noqa: S101 - the schema says so
    return f"{value:%H:%M:%S}.000Z"


_WRITERS: dict[str, Write] = {
    "boolean": _boolean,
    "datetime": _datetime,
    "date": _date,
    "time": _time,
    "int": str,
    "id": str,
    "reference": str,
}
