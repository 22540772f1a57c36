"""Outbound messages as Salesforce writes them: bytes in, notifications out.

What the message looks like is Salesforce's own WSDL ("Outbound Messaging WSDL", SOAP
API Developer Guide). It is read by namespace, never by prefix or position.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from lxml import etree

from sidecar.errors import Unreadable
from sidecar.salesforce.ids import is_id, to_18

_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
_SOBJECT = "{urn:sobject.enterprise.soap.sforce.com}"
_SOBJECT_LENGTH = len(_SOBJECT)
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

NOTIFICATION_LIMIT = 100
"""By contract (the WSDL's maxOccurs); more are taken and flagged."""

NOTIFICATIONS_TAKEN = 50_000
"""As many as ten megabytes hold, at 200 bytes for the shortest that makes sense. More
are refused: of empty ones there would be room for 700,000, each of them a row."""

FIELD_LIMIT = 256 * 1024
"""Characters. A long text area holds 131,072; rich text carries its markup."""

ID_LIMIT = 255
"""Characters of a notification's Id; Salesforce's have 18."""

DEPTH_LIMIT = 32
"""Elements inside elements; an outbound message needs seven."""

NAMESPACE_LIMIT = 100
"""Declared around the notifications, where Salesforce declares five: to resolve a
type, all that are in scope are looked at again for each record."""

Value: TypeAlias = "str | dict[str, Value] | None"


class Notification(NamedTuple):
    """
    One record's state within a message.

    Attributes:
        id: Salesforce's, in its 18-character form; the same on every retry. Empty
            where the message has none.
        object_type: ``Lead``, ``Referral__c``; None where there is no record.
        record_id: 18 characters; None where there is no record.
        fields: text as it was sent; None for nil, ``""`` for empty.
        absent: names of fields that the action sends and that this notification
            left out: Salesforce omits what is null.
        problem: why nobody can work with it; empty when it is fine.
    """

    id: str
    object_type: str | None
    record_id: str | None
    fields: Mapping[str, Value]
    absent: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One POST. ``org_id`` is what the message claims, in 18 characters."""

    org_id: str
    action_id: str
    notifications: list[Notification] = field(default_factory=list)


def read(
    body: bytes, *, field_lists: Mapping[str, Collection[str]] | None = None
) -> Message:
    """
    Read a message of any size; limits on bytes are the door's.

    Args:
        body: as received.
        field_lists: object type to the names of the fields that the action sends,
            where they are known; it tells an absent field from one never asked for.

    Raises:
        Unreadable: the body is not an outbound message; the text says what and
            where. A notification that makes no sense does not raise: it comes back
            with its ``problem``, and its neighbours are unharmed.
    """
    envelope = parse(body)
    if envelope.tag != f"{_SOAP}Envelope":
        root = _short(envelope.tag)
        raise Unreadable(f"the root element is {root}, not a SOAP envelope")
    soap_body = _child(envelope, f"{_SOAP}Body")
    if soap_body is None:
        raise Unreadable("the SOAP envelope has no Body")
    notifications = _child(soap_body, f"{_OUTBOUND}notifications")
    if notifications is None:
        some = (_short(child.tag) for child in islice(soap_body, 3))
        found = ", ".join(some) or "nothing"
        raise Unreadable(f"the SOAP body holds {found}, not notifications")
    org_id = _text(_child(notifications, f"{_OUTBOUND}OrganizationId"))
    if not org_id:
        raise Unreadable("notifications has no OrganizationId")
    if len(notifications.nsmap) > NAMESPACE_LIMIT:
        raise Unreadable(f"more than {NAMESPACE_LIMIT} namespaces are declared")
    action_id = to_18(_text(_child(notifications, f"{_OUTBOUND}ActionId")))
    if len(action_id) > ID_LIMIT:
        # Each row repeats it.
        raise Unreadable(f"the ActionId has {len(action_id)} characters")
    listed = notifications.iterchildren(f"{_OUTBOUND}Notification")
    elements = list(islice(listed, NOTIFICATIONS_TAKEN + 1))
    if len(elements) > NOTIFICATIONS_TAKEN:
        raise Unreadable(f"more than {NOTIFICATIONS_TAKEN} notifications in a message")
    # SessionId is never looked at: it ends here, with the document.
    return Message(
        org_id=to_18(org_id),
        action_id=action_id,
        notifications=[_notification(item, field_lists or {}) for item in elements],
    )


_DECLARATION = re.compile(
    rb"""<\?xml\s+version\s*=\s*["'][^"']*["']\s+encoding\s*=\s*["']([A-Za-z0-9._-]+)"""
)
_ENCODINGS = {"utf-8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "windows-1252"}


def parse(body: bytes) -> etree._Element:
    """
    Parse without a DTD, without entities, without the network.

    A document type is refused before the parser sees it: everything that makes XML
    dangerous needs one.
    """
    text = _utf8(body)
    if not text.strip():
        raise Unreadable("the body is empty")
    if b"<!DOCTYPE" in text and _doctype_in_prolog(text):
        raise Unreadable("the document has a document type, which is refused unread")
    try:
        root = etree.fromstring(text, _parser())
    except etree.XMLSyntaxError as exc:
        raise Unreadable(f"not well-formed XML: {_unquoted(exc)}") from exc
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("the document has a document type, which is refused")
    return root


def _unquoted(exc: etree.XMLSyntaxError) -> str:
    """
    Say what is wrong and where, without the parser's own words.

    It quotes names of elements, and where ``<`` stands unescaped in somebody's notes,
    the next word is one.
    """
    log: Any = exc.error_log
    code = getattr(exc, "code", None)
    kinds = [str(each.type_name) for each in log if each.type == code]
    kind = kinds[-1].removeprefix("ERR_") if kinds else "malformed"
    line, column = exc.position
    return f"{kind.replace('_', ' ').lower()}, line {line}, column {column}"


def _parser() -> etree.XMLParser:
    # A parser of one's own for each message: lxml's are not shared between threads
    # without waiting for one another.
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _utf8(body: bytes) -> bytes:
    """
    Give the document in UTF-8, whatever it came in.

    Only encodings in which ``<!DOCTYPE`` can be seen are taken: a document type
    hidden in UTF-7 would otherwise pass the check.
    """
    if body.startswith(b"\xef\xbb\xbf"):
        return body[3:]
    for mark, name in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if body.startswith(mark):
            return _decoded(body, name).encode()
    if body.startswith((b"<\x00", b"\x00<")):
        name = "utf-16-le" if body[0] else "utf-16-be"
        return _decoded(body, name).encode()
    declared = _DECLARATION.match(body[:200])
    if declared is None:
        return body
    name = declared[1].decode().lower()
    if name == "utf-8":
        return body
    if name not in _ENCODINGS:
        raise Unreadable(f"encoding {name!r} is not taken; Salesforce sends UTF-8")
    return _decoded(body, name).encode()


def _decoded(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as exc:
        raise Unreadable(f"the body is not {encoding}: {exc}") from exc


def _doctype_in_prolog(text: bytes) -> bool:
    """Look before the root element only: further down it is somebody's text."""
    place = 0
    while True:
        place = text.find(b"<", place)
        if place < 0:
            return False
        if text.startswith(b"<!--", place):
            # Not before its content begins: "<!-->" is no comment yet.
            place = text.find(b"-->", place + 4)
        elif text.startswith(b"<?", place):
            place = text.find(b"?>", place + 2)
        else:
            return text.startswith(b"<!DOCTYPE", place)
        if place < 0:
            return True  # never closed: whatever follows cannot be trusted
        place += 2


def _child(element: etree._Element, tag: str) -> etree._Element | None:
    """The first child of that name; ``find`` would interpret a path each time."""
    return next(element.iterchildren(tag), None)


def _text(element: etree._Element | None) -> str:
    if element is None:
        return ""
    return (element.text or "").strip()


def _notification(
    element: etree._Element, field_lists: Mapping[str, Collection[str]]
) -> Notification:
    notification_id, unusable = _id(element)
    record = _child(element, f"{_OUTBOUND}sObject")
    if record is None or (len(record) == 0 and not _text(record)):
        # "If the record is deleted before delivery, the notification contains no
        # data": Outbound Message Considerations.
        object_type = _object_type(record)[0] if record is not None else None
        return Notification(notification_id, object_type, None, {}, problem=unusable)
    object_type, problem = _object_type(record)
    fields: dict[str, Value] = {}
    for child in record:
        tag = child.tag
        name = tag[_SOBJECT_LENGTH:]
        if not tag.startswith(_SOBJECT):
            name = tag.rpartition("}")[2]
            problem = (
                problem
                or f"field {_short(name)} is not in Salesforce's namespace for fields"
            )
        if name in fields:
            problem = problem or f"field {_short(name)} stands in the record twice"
        text = child.text
        # Most fields are a short text and nothing else: the rest takes the long way.
        if text and len(text) <= FIELD_LIMIT and not len(child):
            fields[name] = text
        else:
            fields[name], fault = _value(child, name)
            problem = problem or fault
    raw_id = fields.get("Id")
    record_id = to_18(raw_id.strip()) if isinstance(raw_id, str) else ""
    problem = problem or unusable
    if not problem and not is_id(record_id):
        shown = _short(repr(raw_id))
        problem = f"the record's Id is {shown}, which is no Salesforce id"
    record_id = record_id if is_id(record_id) else ""
    known = field_lists.get(object_type or "", ())
    absent = tuple(name for name in known if name not in fields)
    return Notification(
        notification_id, object_type, record_id or None, fields, absent, problem
    )


def _id(element: etree._Element) -> tuple[str, str]:
    """The notification's Id, or empty and why it is none."""
    text = to_18(_text(_child(element, f"{_OUTBOUND}Id")))
    if not text:
        return "", "the notification has no Id"
    if len(text) > ID_LIMIT:
        return "", f"the notification's Id has {len(text)} characters"
    return text, ""


def _object_type(record: etree._Element) -> tuple[str | None, str]:
    """Resolve ``xsi:type`` through the namespace, as any prefix may be bound to it."""
    declared = record.get(f"{_XSI}type")
    if declared is None:
        return None, "the record does not say of which object it is (no xsi:type)"
    prefix, _, name = declared.strip().rpartition(":")
    namespace = record.nsmap.get(prefix or None)
    if not name or f"{{{namespace}}}" != _SOBJECT:
        shown = _short(repr(declared))
        return None, f"the record's type {shown} is not one of Salesforce's"
    return name, ""


def _value(element: etree._Element, name: str, depth: int = 4) -> tuple[Value, str]:
    if element.get(f"{_XSI}nil") in {"true", "1"}:
        return None, ""
    if len(element):
        if depth >= DEPTH_LIMIT:
            shown = _short(name)
            return None, f"field {shown} is nested deeper than {DEPTH_LIMIT} elements"
        inside: dict[str, Value] = {}
        for child in element:
            below = child.tag.rpartition("}")[2]
            if below in inside:
                return None, f"field {_short(name)} holds {_short(below)} twice"
            inside[below], fault = _value(child, f"{name}.{below}", depth + 1)
            if fault:
                return None, fault
        return inside, ""
    text = element.text or ""
    if len(text) > FIELD_LIMIT:
        shown = _short(name)
        return None, f"field {shown} has {len(text)} characters, over {FIELD_LIMIT}"
    return text, ""


def _short(text: str) -> str:
    """What a sender wrote, as far as a reason needs it."""
    return text if len(text) <= 120 else f"{text[:120]}..."


ACK = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<soapenv:Envelope"
    b' xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    b"<soapenv:Body>"
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound">'
    b"<Ack>true</Ack>"
    b"</notificationsResponse>"
    b"</soapenv:Body>"
    b"</soapenv:Envelope>"
)
"""The one answer that makes Salesforce forget a message: it covers all of it."""


def fault(code: str, text: str) -> bytes:
    """
    Write a SOAP 1.1 fault; to Salesforce it is "not acknowledged".

    Args:
        code: ``Client`` or ``Server``.
        text: for whoever reads the exchange; Salesforce shows it to nobody.
    """
    envelope = etree.Element(f"{_SOAP}Envelope", nsmap={"soapenv": _SOAP.strip("{}")})
    raised = etree.SubElement(
        etree.SubElement(envelope, f"{_SOAP}Body"), f"{_SOAP}Fault"
    )
    etree.SubElement(raised, "faultcode").text = f"soapenv:{code}"
    etree.SubElement(raised, "faultstring").text = _xml_text(text)
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _xml_text(text: str) -> str:
    """Drop what XML cannot carry: control characters, lone surrogates."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)
