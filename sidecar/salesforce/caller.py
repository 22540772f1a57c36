"""One user's calls into one org: REST with JSON, and SOAP where REST has nothing.

An installer calls as two users, a temporary admin and the integration user; whatever
is done for it takes the ``Caller`` in whose name it is done. Every call here may be
made twice without harm: the functions that use it see to that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import requests
from lxml import etree

from sidecar.errors import Permanent, Retryable, SidecarError, Unreadable
from sidecar.salesforce import refusals
from sidecar.salesforce.refusals import EXPIRED, LoggedOut
from sidecar.salesforce.session import API_VERSION, CLIENT, http_session

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
METADATA = "http://soap.sforce.com/2006/04/metadata"
PARTNER = "urn:partner.soap.sforce.com"
_PLACES = {METADATA: "m", PARTNER: "u"}

Element = etree._Element


@dataclass(frozen=True)
class Caller:
    """Who calls, and where."""

    http: requests.Session
    """Carries the authorisation; no call of it can hang."""
    base_url: str
    token: str = field(repr=False)
    """The access token: SOAP carries it in the envelope."""
    api_version: str = API_VERSION

    @property
    def where(self) -> dict[str, str]:
        """What ``metadata`` wants to know of an org."""
        return {"base_url": self.base_url, "api_version": self.api_version}


def caller_for(base_url: str, token: str, *, ca_file: Path | None) -> Caller:
    """
    Make a caller of an access token.

    Args:
        base_url: the org's own address, checked (``hosts.checked``).
        ca_file: certificates trusted beside the usual ones.
    """
    http = http_session(ca_file=ca_file)
    http.headers["Authorization"] = f"Bearer {token}"
    http.headers["Sforce-Call-Options"] = f"client={CLIENT}"
    return Caller(http, base_url, token)


def rest(
    caller: Caller,
    method: str,
    path: str,
    *,
    params: Mapping[str, str] | None = None,
    json: object = None,
) -> Any:
    """
    Make one REST call.

    Args:
        path: below ``/services/data/vNN.N/``, or whole where it begins with ``/``.

    Returns:
        The answer's JSON; None where there is no body.

    Raises:
        LoggedOut: the token is refused.
        Retryable, Permanent: with Salesforce's words.
    """
    place = path if path.startswith("/") else _below(caller, path)
    try:
        response = caller.http.request(
            method, f"{caller.base_url}{place}", params=params, json=json
        )
    except requests.RequestException as exc:
        raise Retryable(f"no answer from Salesforce: {exc}") from exc
    if not response.ok:
        raise _refusal(response)
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError as exc:
        raise Unreadable(f"Salesforce's answer is not JSON: {exc}") from exc


def query(caller: Caller, soql: str, *, tooling: bool = False) -> list[dict[str, Any]]:
    """
    Run a query to its last page.

    Args:
        tooling: ask the Tooling API instead of the org's data.

    Raises: as ``rest``.
    """
    return [row for page in pages(caller, soql, tooling=tooling) for row in page]


def pages(
    caller: Caller, soql: str, *, tooling: bool = False
) -> Iterator[list[dict[str, Any]]]:
    """
    Run a query page by page, as many records in each as the org sees fit.

    Raises: as ``rest``.
    """
    path = "tooling/query" if tooling else "query"
    answer = rest(caller, "GET", path, params={"q": soql})
    yield answer["records"]
    while not answer.get("done", True):
        answer = rest(caller, "GET", answer["nextRecordsUrl"])
        yield answer["records"]


def quoted(texts: Sequence[str]) -> str:
    """Write texts as a SOQL list without its brackets: ``'A', 'O\\'Hara'``."""
    return ", ".join(
        "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'" for text in texts
    )


def soap(caller: Caller, api: str, operation: str, content: str) -> Element:
    """
    Make one SOAP call.

    Args:
        api: ``METADATA`` or ``PARTNER``, the namespace of the operation.
        operation: such as ``checkRetrieveStatus``.
        content: the inside of the operation, escaped, in the WSDL's order.

    Returns:
        The operation's response element; ``texts`` and ``find*`` read it.

    Raises: as ``rest``.
    """
    version = caller.api_version
    url = f"{caller.base_url}/services/Soap/{_PLACES[api]}/{version}"
    envelope = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="{_ENVELOPE}" xmlns="{api}">'
        f"<soapenv:Header><SessionHeader><sessionId>{escape(caller.token)}</sessionId>"
        f"</SessionHeader></soapenv:Header><soapenv:Body><{operation}>{content}"
        f"</{operation}></soapenv:Body></soapenv:Envelope>"
    )
    try:
        response = caller.http.post(
            url,
            data=envelope.encode(),
            headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'},
        )
    except requests.RequestException as exc:
        raise Retryable(f"no answer from Salesforce: {exc}") from exc
    body = _body(response)
    if etree.QName(body).localname == "Fault":
        raise _fault(body)
    return body


def texts(element: Element, name: str) -> list[str]:
    """List the texts of an element's children of this local name, empty ones too."""
    return [child.text or "" for child in element.iterchildren(f"{{*}}{name}")]


def text(element: Element, name: str) -> str:
    """Give the text of the first child of this local name, or nothing."""
    return next(iter(texts(element, name)), "")


def tags(values: Mapping[str, object]) -> str:
    """Write values as XML elements, in their order; None is left out."""
    written = []
    for name, value in values.items():
        if value is None:
            continue
        said = str(value).lower() if isinstance(value, bool) else str(value)
        written.append(f"<{name}>{escape(said)}</{name}>")
    return "".join(written)


def _below(caller: Caller, path: str) -> str:
    return f"/services/data/v{caller.api_version}/{path}"


def _body(response: requests.Response) -> Element:
    """Give what stands in the envelope's body."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(response.content, parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        if response.ok:
            raise Unreadable(f"Salesforce's answer is not XML: {exc}") from exc
        raise _refusal(response) from exc
    body = root.find(f"{{{_ENVELOPE}}}Body")
    if body is None or not len(body):
        raise Unreadable("Salesforce's answer is no SOAP envelope")
    return body[0]


def _fault(fault: Element) -> SidecarError:
    code = text(fault, "faultcode").rpartition(":")[2]
    words = text(fault, "faultstring") or code
    if code == EXPIRED:
        return LoggedOut(words)
    told = words.removeprefix(f"{code}: ")
    return refusals.of_errors([{"errorCode": code, "message": told}], datetime.now(UTC))


def _refusal(response: requests.Response) -> SidecarError:
    try:
        content = response.json()
    except ValueError:
        content = f"HTTP {response.status_code}: {response.text[:200]}"
    if response.status_code == 401:
        return LoggedOut(refusals.words(content))
    return refusals.of_errors(content, datetime.now(UTC), status=response.status_code)


def gone(exc: Permanent) -> bool:
    """Tell whether a refusal says that there is no such record (any more)."""
    words = ("ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY")
    return str(exc).startswith(words)
