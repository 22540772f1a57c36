"""The door of the SOAP APIs: ``/services/Soap/<api>/<version>/…``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response
from flask import request as http

from sidecar.devorg.caller import admit
from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.soap import metadata, partner
from sidecar.devorg.soap.envelope import Request, answer, fault, read

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_VERSION = re.compile(r"\d{2}(\.0)?$")
_NEWEST = 66.0

# Operation -> what writes the content of its response.
Operations = Mapping[str, Callable[["Org", Access, Request, str], str]]


@dataclass(frozen=True)
class Api:
    """One SOAP API: its namespaces and what it can do."""

    namespace: str
    fault_namespace: str
    operations: Operations


_APIS = {
    "m": Api(metadata.NAMESPACE, metadata.NAMESPACE, metadata.OPERATIONS),
    "u": Api(
        "urn:partner.soap.sforce.com",
        "urn:fault.partner.soap.sforce.com",
        partner.OPERATIONS,
    ),
}


def blueprint(org: Org) -> Blueprint:
    """Build the routes of one org."""
    routes = Blueprint("soap", __name__)

    @routes.post("/services/Soap/<api>/<version>")
    @routes.post("/services/Soap/<api>/<version>/<path:_>")
    def call(api: str, version: str, _: str = "") -> Response:
        """Carry out one operation, all or nothing."""
        known = _APIS.get(api)
        if known is None:
            # Apex, Enterprise and kin: this org does not have them.
            known, body, status = _APIS["u"], None, 500
            refusal = Refusal("API_CURRENTLY_DISABLED", f"Soap/{api} is not available")
        else:
            try:
                with org.work():
                    body, status = _carry_out(org, known, version), 200
                    refusal = None
            except Refusal as exc:
                body, status, refusal = None, 500, exc
        if refusal is not None:
            body = fault(
                refusal,
                namespace=known.fault_namespace,
                detailed=known is _APIS["u"],
            )
        return Response(body, status=status, content_type="text/xml; charset=utf-8")

    return routes


def _carry_out(org: Org, api: Api, version: str) -> bytes:
    if not _VERSION.match(version) or float(version) > _NEWEST:
        raise Refusal("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    request = read(http.get_data())
    if request.operation == "login":
        raise Refusal(
            "INVALID_OPERATION",
            "SOAP API login() is disabled by default in this org.",
        )
    session_id = request.session_id or _bearer()
    try:
        access = admit(org, session_id, f"SOAP {request.operation}")
    except Refusal as refusal:
        if refusal.error_code != "INVALID_SESSION_ID":
            raise
        raise Refusal(
            "INVALID_SESSION_ID",
            "Invalid Session ID found in SessionHeader: Illegal Session",
        ) from refusal
    operation = api.operations.get(request.operation)
    if operation is None:
        raise Refusal(
            "soapenv:Client",
            f"No operation available for request {{{api.namespace}}}"
            f"{request.operation}, please check the WSDL for the service.",
        )
    content = operation(org, access, request, version)
    return answer(request.operation, api.namespace, content)


def _bearer() -> str:
    return http.headers.get("Authorization", "").partition(" ")[2].strip()
