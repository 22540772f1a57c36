"""The one page that opens inside Salesforce: what the sidecar knows of a record.

Salesforce posts a signed request when the page of a record shows our canvas app. That
lets its user see this one page, and nothing more: there is no cookie, no session and
no link on it that would open anything. So a request that is posted again shows the
same page again, to whoever has it. Its document has no time that could be relied upon
(``issuedAt`` is Salesforce's own affair), and Salesforce itself posts the same one
again as long as its user's session lasts.

Who may see the app is the org's admin's decision, by the app's permitted users. They
see status, owner, clocks, follow-ups and the journey of the record that their page
shows: no names, no addresses, no texts, no reasons of failures. Only the record that
Salesforce names counts; parameters are written by a page's script.

Source: "Signed Request Authentication", "Record", "CanvasRequest", Canvas Developer
    Guide.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol

from flask import Blueprint, Response, make_response, request
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from sidecar.console import canvas_view, form
from sidecar.console.act_desk import Page
from sidecar.errors import Forged, Retryable
from sidecar.intake.signatures import canvas
from sidecar.intake.signatures.credentials import Credential
from sidecar.intake.signatures.reasons import Reason
from sidecar.keyring import Keyring
from sidecar.logs import log
from sidecar.salesforce.ids import is_id, same_org, to_18
from sidecar.store import connections, glance
from sidecar.store.connections import OrgConnection
from sidecar.store.webhook_secrets import Kind

PREFIX = "/canvas/"
_ID = re.compile(r"[1-9][0-9]{0,17}\Z", re.ASCII)

LONGEST = 256 * 1024
"""Bytes. Twice what a signed request may have: a form escapes some characters."""

# In a frame of Salesforce's alone: the record's page, and what it may stand in itself.
# Source: "My Domain URL Formats", Salesforce Help; sandboxes end in the same names.
_FRAMES = (
    "https://*.my.salesforce.com",
    "https://*.lightning.force.com",
    "https://*.vf.force.com",
    "https://*.visual.force.com",
)
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'none'; "
        f"frame-ancestors {' '.join(_FRAMES)}; base-uri 'none'"
    ),
    "X-Robots-Tag": "noindex, nofollow",
}


class Desk(Protocol):
    """What the page needs of the service."""

    @property
    def now(self) -> Callable[[], datetime]:
        """The service's clock."""

    @property
    def engine(self) -> Engine:
        """PostgreSQL."""

    @property
    def keyring(self) -> Keyring:
        """Opens what is kept of a referral."""

    def credentials_of(self, connection_id: int) -> Sequence[Credential]:
        """Give a connection's secrets. Raises Retryable: the database is away."""

    def secret_used(self, secret_id: int) -> None:
        """Remember it; never fails."""


def address(public_url: str, connection_id: int) -> str:
    """Where the canvas app of a connection is; browsers see it, it is no secret."""
    return f"{public_url}{PREFIX}{connection_id}"


def blueprint(desk: Desk) -> Blueprint:
    """Build the page."""
    routes = Blueprint("canvas", __name__, url_prefix=PREFIX.rstrip("/"))

    @routes.post("/<connection_id>")
    def show(connection_id: str) -> Response:
        """Show the referral of the record that Salesforce names."""
        page = _shown(desk, connection_id)
        answer = make_response(page.html())
        answer.status_code = page.status
        answer.headers.update(_HEADERS)
        return answer

    return routes


def _shown(desk: Desk, connection_id: str) -> Page:
    try:
        connection = _connection(desk, connection_id)
        told = _verified(desk, connection)
        return _page(desk, connection, told)
    except Forged as exc:
        log().warning(
            "canvas.forged",
            reason=str(exc),
            connection=connection_id if _ID.match(connection_id) else None,
            peer=request.remote_addr,
        )
        return Page("outside", HTTPStatus.UNAUTHORIZED)
    except Retryable as exc:
        log().error("canvas.not_shown", reason=str(exc))
    except OperationalError as exc:
        log().error("canvas.not_shown", reason=str(exc.orig))
    return Page("away", HTTPStatus.SERVICE_UNAVAILABLE)


def _connection(desk: Desk, connection_id: str) -> OrgConnection:
    """
    Find whose page it is; a stranger's body stays unread until then.

    Raises:
        Forged: nobody's.
    """
    if _ID.match(connection_id):
        with desk.engine.connect() as db:
            found = connections.find(db, int(connection_id))
        if found is not None:
            return found
    raise Forged(Reason.CANVAS_NOBODY)


def _verified(desk: Desk, connection: OrgConnection) -> Mapping[str, Any]:
    """
    Check what was posted by the connection's secrets, and that it is of its org.

    Raises:
        Forged: with a ``Reason``.
    """
    credentials = desk.credentials_of(connection.id)
    mine = [known for known in credentials if known.kind is Kind.CANVAS]
    if not mine:
        raise Forged(Reason.CANVAS_NO_SECRET)
    signed_request = form.fields(LONGEST).get("signed_request")
    if not signed_request:
        raise Forged(Reason.CANVAS_MISSING)
    told = _by_one_of(signed_request, mine, desk.secret_used)
    org_id = _text(told, "context", "organization", "organizationId")
    if not same_org(org_id, connection.org_id):
        raise Forged(Reason.CANVAS_OTHER_ORG)
    return told


def _by_one_of(
    signed_request: str, mine: Sequence[Credential], used: Callable[[int], None]
) -> Mapping[str, Any]:
    """Try each secret: while one is being replaced, there are two."""
    for known in mine:
        try:
            told = canvas.verify(signed_request, str(known.material))
        except Forged as exc:
            if exc.args != (Reason.CANVAS_WRONG,):
                raise
            continue
        used(known.secret_id)
        return told
    raise Forged(Reason.CANVAS_WRONG)


def _page(desk: Desk, connection: OrgConnection, told: Mapping[str, Any]) -> Page:
    user = canvas_view.Reader.of(
        _text(told, "context", "user", "userId"),
        language=_text(told, "context", "user", "language"),
        locale=_text(told, "context", "user", "locale"),
        time_zone=_text(told, "context", "user", "timeZone"),
        otherwise=connection.time_zone,
    )
    record_id = _text(told, "context", "environment", "record", "Id")
    if not is_id(record_id):
        return Page("no_record", HTTPStatus.OK, user.locale)
    record_id = to_18(record_id)
    with desk.engine.connect() as db:
        found = glance.at(
            db, connection.id, connection.org_id, record_id, keyring=desk.keyring
        )
    log().info(
        "canvas.shown",
        connection=connection.name,
        user=user.user_id,
        record=record_id,
        found=found is not None,
    )
    if found is None:
        return Page("no_referral", HTTPStatus.OK, user.locale)
    return canvas_view.page(found, user, now=desk.now())


def _text(told: object, *path: str) -> str:
    """Give a text out of the document; empty where there is none."""
    for name in path:
        told = told.get(name) if isinstance(told, dict) else None
    return told if isinstance(told, str) else ""
