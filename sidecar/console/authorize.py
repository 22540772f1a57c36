"""Where an admin's browser leaves for the org, and where it comes back.

The link that the command line prints leads here first: the cookie that it leaves
proves, on the way back, that it is the same browser.
"""

import hmac
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

import requests
from flask import Blueprint, Response, make_response, redirect, render_template, request
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response as Answer

from sidecar import keyring as keys
from sidecar.errors import Permanent, Retryable
from sidecar.intake import door
from sidecar.keyring import Keyring
from sidecar.logs import log
from sidecar.salesforce import web_flow
from sidecar.salesforce.ids import same_org, to_18
from sidecar.salesforce.login import Grant
from sidecar.settings import Settings
from sidecar.store import audit, authorizations, connections
from sidecar.store.authorizations import Pending

COOKIE = "sidecar_authorization"
_PATH = "/oauth"


class Desk(Protocol):
    """What the pages need of the service."""

    @property
    def now(self) -> Callable[[], datetime]:
        """The service's clock."""

    @property
    def settings(self) -> Settings:
        """The settings."""

    @property
    def engine(self) -> Engine:
        """PostgreSQL."""

    @property
    def keyring(self) -> Keyring:
        """Seals what must not be read."""

    def host(self, url: str) -> str:
        """Give back an address that may be called. Raises Permanent."""

    def http(self) -> requests.Session:
        """A session with time-outs."""


def redirect_uri(settings: Settings) -> str:
    """Give the callback URL, as it stands in the External Client App."""
    return f"{settings.public_url}{_PATH}/callback"


def begin(
    desk: Desk,
    *,
    name: str,
    login_url: str,
    client_id: str,
    client_secret: str,
    org_id: str = "",
    connection_id: int | None = None,
) -> str:
    """
    Prepare an authorization; the link to open within a quarter of an hour.

    Raises:
        Permanent: ``login_url`` is not a host of Salesforce's.
    """
    attempt = web_flow.new_attempt()
    pending = Pending(
        name=name,
        login_url=desk.host(login_url),
        client_id=client_id,
        client_secret=client_secret,
        org_id=org_id,
        ticket=keys.new_hook_key(),
        state=attempt.state,
        verifier=attempt.verifier,
        nonce=attempt.nonce,
        connection_id=connection_id,
    )
    with desk.engine.begin() as db:
        authorizations.add(db, pending, now=desk.now(), keyring=desk.keyring)
    return f"{desk.settings.public_url}{_PATH}/start/{pending.ticket}"


def blueprint(desk: Desk) -> Blueprint:
    """Build the two pages."""
    routes = Blueprint(
        "authorize", __name__, url_prefix=_PATH, template_folder="templates"
    )

    @routes.get("/start/<ticket>")
    def start(ticket: str) -> Answer:
        """Send the browser to the org."""
        with desk.engine.connect() as db:
            pending = authorizations.by_ticket(
                db, ticket, now=desk.now(), keyring=desk.keyring
            )
        if pending is None:
            return _refused("This link has expired, or was never given out.")
        leave = redirect(
            web_flow.address(
                _attempt(pending),
                login_url=pending.login_url,
                client_id=pending.client_id,
                redirect_uri=redirect_uri(desk.settings),
            )
        )
        leave.set_cookie(
            COOKIE,
            pending.state,
            max_age=int(authorizations.LIFE.total_seconds()),
            path=_PATH,
            secure=desk.settings.public_url.startswith("https:"),
            httponly=True,
            samesite="Lax",
        )
        return leave

    @routes.get("/callback")
    def callback() -> Answer:
        """Take what the org says."""
        state = request.args.get("state", "")
        if not state or not _same(state, request.cookies.get(COOKIE, "")):
            return _refused(
                "This browser did not begin the authorization. Open the link that "
                "the command line printed in the browser in which you log in."
            )
        with desk.engine.begin() as db:
            pending = authorizations.take(
                db, state, now=desk.now(), keyring=desk.keyring
            )
        if pending is None:
            return _refused("This authorization has expired, or was answered before.")
        if error := request.args.get("error"):
            told = request.args.get("error_description", "")
            return _refused(f"The org says no: {error} {told}".strip())
        try:
            hook_key = _connect(desk, pending, request.args.get("code", ""))
        except (Permanent, Retryable) as exc:
            log().warning("authorization.failed", name=pending.name, why=str(exc))
            return _refused(str(exc))
        address = door.address(desk.settings.public_url, hook_key) if hook_key else ""
        page = make_response(
            render_template("authorized.html", name=pending.name, address=address)
        )
        page.delete_cookie(COOKIE, path=_PATH)
        return page

    @routes.errorhandler(OperationalError)
    def later(exc: OperationalError) -> Answer:
        """Say that the database is away."""
        log().warning("authorization.database_away", reason=str(exc.orig))
        why = "That did not work just now; try again in a few minutes."
        return _refused(why, HTTPStatus.SERVICE_UNAVAILABLE)

    return routes


def _connect(desk: Desk, pending: Pending, code: str) -> str:
    """Get tokens, check whose they are, keep them; the hook key of a new connection."""
    grant = web_flow.exchange(
        desk.http(),
        _attempt(pending),
        code=code,
        login_url=pending.login_url,
        client_id=pending.client_id,
        client_secret=pending.client_secret,
        redirect_uri=redirect_uri(desk.settings),
    )
    if pending.org_id and not same_org(grant.org_id, pending.org_id):
        raise Permanent(
            f"you logged in to org {grant.org_id}, but the connection is to "
            f"{pending.org_id}: log out there, and open the link again"
        )
    instance_url = desk.host(str(grant.answer.get("instance_url", "")))
    hook_key = keys.new_hook_key() if pending.connection_id is None else ""
    with desk.engine.begin() as db:
        if pending.connection_id is None:
            id_ = _added(db, desk, _new(pending, grant, instance_url, hook_key))
        else:
            id_ = _renewed(db, desk, pending.connection_id, pending, grant)
        connections.write_as(db, id_, to_18(grant.user_id))
        audit.note(
            db,
            who=f"user {grant.user_id} (browser)",
            what="connections.authorized",
            about=f"connection {id_}",
            now=desk.now(),
        )
    return hook_key


def _added(db: Connection, desk: Desk, new: connections.NewConnection) -> int:
    if new.name in {known.name for known in connections.listing(db)}:
        raise Permanent(f"there is a connection {new.name!r} already")
    return connections.add(db, new, keyring=desk.keyring)


def _renewed(
    db: Connection, desk: Desk, connection_id: int, pending: Pending, grant: Grant
) -> int:
    if not connections.replace_login(
        db,
        connection_id,
        secret=grant.refresh_token or "",
        client_secret=pending.client_secret,
        access_token=grant.access_token,
        keyring=desk.keyring,
    ):
        raise Permanent(f"the connection {pending.name!r} was removed meanwhile")
    return connection_id


def _new(
    pending: Pending, grant: Grant, instance_url: str, hook_key: str
) -> connections.NewConnection:
    return connections.NewConnection(
        name=pending.name,
        org_id=to_18(grant.org_id),
        hook_key=hook_key,
        flow="refresh_token",
        login_url=pending.login_url,
        instance_url=instance_url,
        client_id=pending.client_id,
        secret=grant.refresh_token or "",
        client_secret=pending.client_secret,
    )


def _attempt(pending: Pending) -> web_flow.Attempt:
    return web_flow.Attempt(pending.state, pending.verifier, pending.nonce)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _refused(why: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Response:
    page = make_response(render_template("refused.html", why=why))
    page.status_code = status
    return page
