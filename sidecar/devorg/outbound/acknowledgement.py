"""Whether an endpoint's answer acknowledges a message, and if not, why."""

from http import HTTPStatus

from lxml import etree

_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
_TRUE = frozenset(("true", "1"))
NACK = "SOAP response was a nack"


def reason_to_retry(status: int, body: bytes) -> str | None:
    """
    Judge one answer.

    Args:
        status: the HTTP status. Whether Salesforce would take an Ack from a
            failed response is documented nowhere: here only a 200 may carry one,
            and a redirect is not followed.

    Returns:
        None when the body is the document that acknowledges all notifications
        of the message; else the words that the admin reads in the queue.

    Source:
        Outbound messaging WSDL (one ``Ack`` for the whole message); the words
        for a nack and for text that is no XML: Salesforce help 000381752.
    """
    if status != HTTPStatus.OK:
        return f"({status}){_phrase(status)}"
    if not body.strip():
        return "org.xml.sax.SAXParseException; Premature end of file."
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return (
            "org.xml.sax.SAXParseException; lineNumber: 1; columnNumber: 1; "
            "Content is not allowed in prolog."
        )
    if (fault := root.find(f"{_SOAP}Body/{_SOAP}Fault/faultstring")) is not None:
        return f"SOAP response was a fault: {fault.text or ''}"
    path = f"{_SOAP}Body/{_OUTBOUND}notificationsResponse/{_OUTBOUND}Ack"
    ack = root.find(path) if root.tag == f"{_SOAP}Envelope" else None
    if ack is None or (ack.text or "").strip() not in _TRUE:
        return NACK
    return None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
