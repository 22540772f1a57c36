"""The door of the REST API: from HTTP to a call, and from its answer to HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import Blueprint, Request, Response, request

from sidecar.devorg.caller import admit, bearer_token
from sidecar.devorg.refusal import Refusal, not_found
from sidecar.devorg.reports import routes as reports
from sidecar.devorg.rest import (
    collections,
    composite,
    ingest,
    queries,
    resources,
    sobjects,
)
from sidecar.devorg.rest.calls import Answer, Call, Router, refused, split_url
from sidecar.devorg.tooling import routes as tooling

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

# Oldest and newest version answered; older ones Salesforce has retired.
FIRST_VERSION, LAST_VERSION = 31, 66
_SEASONS = ("Spring", "Summer", "Winter")
# Source: "URI length limit", REST API Developer Guide, HTTP 414.
_LONGEST_URL = 16_384
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"]


def blueprint(org: Org) -> Blueprint:
    """Build the routes under ``/services/data`` of one org."""
    routes = Blueprint("rest", __name__)

    def dispatch(call: Call) -> Answer:
        return router.answer(call)

    router = Router(
        [
            *resources.ROUTES,
            *sobjects.ROUTES,
            *collections.ROUTES,
            *queries.routes(),
            *composite.routes(dispatch),
            *ingest.routes(),
            *tooling.ROUTES,
            *reports.ROUTES,
        ]
    )

    @routes.get("/services/data")
    @routes.get("/services/data/")
    def versions() -> Response:
        """List the API versions; needs no token."""
        return _response(Answer(body=[_version(n) for n in _versions()]))

    @routes.route("/services/data/<path:_>", methods=_METHODS)
    def resource(_: str) -> Response:
        """Answer one call, all or nothing."""
        raw = request.get_data()
        try:
            with org.work():
                answer = router.answer(_call(org, request, raw))
        except Refusal as refusal:
            answer = refused(refusal, raw)
        response = _response(answer)
        with org.lock:
            response.headers["Sforce-Limit-Info"] = org.limits.header()
        return response

    return routes


def _call(org: Org, request: Request, raw: bytes) -> Call:
    # The path as it came: an external id may hold an encoded slash.
    raw_path = request.environ.get("RAW_URI") or request.environ["REQUEST_URI"]
    url = f"{str(raw_path).partition('?')[0]}?{request.query_string.decode('latin-1')}"
    if len(url) > _LONGEST_URL:
        raise Refusal("URI_TOO_LONG", "Requested URI is too long", status=414)
    version, segments, query = split_url(url)
    if version is None or not FIRST_VERSION <= float(version) <= LAST_VERSION:
        raise not_found()
    method = query.pop("_HttpMethod", request.method).upper()
    kind = "/".join(segments[:2])
    access = admit(
        org, bearer_token(request.headers.get("Authorization", "")), f"{method} {kind}"
    )
    _check_media(request, raw, segments)
    return Call(
        org=org,
        access=access,
        version=version,
        method="GET" if method == "HEAD" else method,
        segments=segments or ("",),
        query=query,
        headers={name.lower(): value for name, value in request.headers},
        body=raw,
    )


def _check_media(request: Request, raw: bytes, segments: tuple[str, ...]) -> None:
    if not raw or segments[:1] == ("jobs",):
        return
    if request.mimetype not in {"", "application/json"}:
        raise Refusal(
            "UNSUPPORTED_MEDIA_TYPE",
            "Content-Type header specified in HTTP request is not supported: "
            f"{request.mimetype}",
            status=415,
        )


def _response(answer: Answer) -> Response:
    if isinstance(answer.body, bytes):
        response = Response(answer.body, status=answer.status)
    elif answer.body is None:
        response = Response(status=answer.status)
        response.headers.pop("Content-Type", None)
    else:
        text = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
        response = Response(
            text, status=answer.status, content_type="application/json;charset=UTF-8"
        )
    response.headers.update(answer.headers)
    return response


def _versions() -> range:
    return range(FIRST_VERSION, LAST_VERSION + 1)


def _version(number: int) -> dict[str, str]:
    # 64 was Summer '25; three releases a year, Winter named after the coming one.
    season, year = _SEASONS[number % 3], 2004 + (number + 1) // 3
    return {
        "label": f"{season} '{year % 100:02}",
        "url": f"/services/data/v{number}.0",
        "version": f"{number}.0",
    }
