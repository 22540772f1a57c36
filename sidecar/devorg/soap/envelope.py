"""SOAP 1.1 as Salesforce speaks it: envelopes in, answers in WSDL order, faults.

Requests come with any prefixes, in any order, and some with text where there should
be none; so they are read by local names alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from lxml import etree

from sidecar.devorg.outbound.message import escaped
from sidecar.devorg.refusal import Refusal

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
Element = etree._Element


class Nil:
    """An element that is there and null: ``xsi:nil``."""


NIL = Nil()


@dataclass(frozen=True)
class Raw:
    """Content that is XML already, with the attributes of its element."""

    xml: str
    attributes: str = ""


@dataclass(frozen=True)
class Request:
    """
    One call: its operation, and the session it is made in ("" for none).

    ``all_or_none``: what the AllOrNoneHeader asks for.
    """

    operation: str
    body: Element
    session_id: str
    all_or_none: bool = False

    def text(self, *path: str) -> str:
        """Return the text at a path of local names below the operation, or ""."""
        element: Element | None = self.body
        for name in path:
            element = None if element is None else child(element, name)
        return "" if element is None else (element.text or "").strip()

    def texts(self, name: str) -> list[str]:
        """Return the texts of all children of that name."""
        return [(each.text or "").strip() for each in children(self.body, name)]


def local(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(etree.QName(element).localname)


def children(element: Element, name: str) -> Iterator[Element]:
    """Return the children of a local name, whatever their namespace."""
    return (
        each for each in element if isinstance(each.tag, str) and local(each) == name
    )


def child(element: Element, name: str) -> Element | None:
    """Return the first child of a local name, or None."""
    return next(children(element, name), None)


def read(data: bytes) -> Request:
    """
    Read a request.

    Raises:
        Refusal: it is no SOAP envelope.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise Refusal("soapenv:Client", f"Unable to parse the request: {exc}") from exc
    body = child(root, "Body")
    operation = (
        None
        if body is None
        else next((each for each in body if isinstance(each.tag, str)), None)
    )
    if root.tag != f"{{{SOAP}}}Envelope" or operation is None:
        raise Refusal("soapenv:Client", "No operation in the request's Body")
    header = child(root, "Header")
    session_id, all_or_none = _said(header, "sessionId"), _said(header, "allOrNone")
    return Request(
        local(operation), operation, session_id, all_or_none in {"true", "1"}
    )


def _said(header: Element | None, name: str) -> str:
    """Return the text of a header's part, however deep it is, or ""."""
    found = None if header is None else next(header.iter(f"{{*}}{name}"), None)
    return "" if found is None else (found.text or "").strip()


def answer(operation: str, namespace: str, content: str) -> bytes:
    """Write the answer to an operation; ``content`` is what is in its response."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns="{namespace}" '
        f'xmlns:xsi="{_XSI}" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
        f"<soapenv:Body><{operation}Response>{content}</{operation}Response>"
        "</soapenv:Body></soapenv:Envelope>"
    ).encode()


def fault(refusal: Refusal, *, namespace: str, detailed: bool) -> bytes:
    """
    Write a refusal as a fault.

    Args:
        namespace: what the prefix ``sf`` stands for.
        detailed: add the ``ApiFault`` that the Partner API has.
    """
    code, message = refusal.error_code, escaped(refusal.message)
    ours = not code.startswith("soapenv:")
    detail = ""
    if detailed and ours:
        detail = (
            '<detail><sf:UnexpectedErrorFault xsi:type="sf:UnexpectedErrorFault">'
            f"<sf:exceptionCode>{code}</sf:exceptionCode>"
            f"<sf:exceptionMessage>{message}</sf:exceptionMessage>"
            "</sf:UnexpectedErrorFault></detail>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:sf="{namespace}" '
        f'xmlns:xsi="{_XSI}"><soapenv:Body><soapenv:Fault>'
        f"<faultcode>{'sf:' if ours else ''}{code}</faultcode>"
        f"<faultstring>{f'{code}: ' if ours else ''}{message}</faultstring>"
        f"{detail}</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    ).encode()


def xml(name: str, value: object) -> str:
    """
    Write a value as an element; None as nothing, a list as one element each.

    Mappings are written in their own order, which has to be the WSDL's.
    """
    match value:
        case None:
            return ""
        case Nil():
            return f'<{name} xsi:nil="true"/>'
        case Raw():
            return f"<{name}{value.attributes}>{value.xml}</{name}>"
        case list() | tuple():
            return "".join(xml(name, each) for each in value)
        case Mapping():
            inner = "".join(xml(key, each) for key, each in value.items())
            return f"<{name}>{inner}</{name}>"
        case _:
            return f"<{name}>{text(value)}</{name}>"


def text(value: object) -> str:
    """Write one value as XML schema types do."""
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%S}.000Z"
        case date() | time():
            return value.isoformat()
        case Decimal() | float():
            return str(float(value))
        case _:
            return escaped(str(value))
