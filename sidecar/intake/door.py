"""The door for outbound messages: verify, store, acknowledge, in this order.

A plain WSGI application in front of Flask, because this is the one road that must be
short: Salesforce's queue is shared between orgs and favours fast endpoints ("Outbound
Message Considerations"). docs/performance.md has the measured ratio.

    404  nobody has this address; the body is not read
    401  not from whom it should be, where an operator asks for more than the address
    413  longer than we take
    400  not an outbound message; kept for inspection
    403  of another org; kept in quarantine
    503  the database is away; Salesforce keeps the message and repeats it
    200  every notification is committed: Ack
"""

import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, TypeAlias
from urllib.parse import quote

from sidecar.errors import Forged, Retryable, Unreadable
from sidecar.intake import arrivals, outbound_message, request
from sidecar.intake.brake import Brake, braked
from sidecar.logs import log, mask_sessions
from sidecar.salesforce.ids import same_org
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Arrival
from sidecar.store.quarantine import Refused

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/hooks/outbound/"
_KEY = re.compile(r"[A-Za-z0-9_-]{20,128}\Z")

# A document takes up to thirty times its bytes while it is read. A message of a
# hundred notifications has some 200 kB; of larger ones a process reads two at once.
_LARGE_BYTES = 1024 * 1024
_LARGE = threading.BoundedSemaphore(2)


class Doors(Protocol):
    """What the door needs from the rooms behind it."""

    def connection_of(self, hook_key: str) -> OrgConnection | None:
        """Find whose address this is. Raises Retryable: the database is away."""

    def keep(self, arrivals: Sequence[Arrival]) -> list[int]:
        """Commit; give the new ids. Raises Retryable: the database is away."""

    def refuse(self, refused: Refused) -> None:
        """Keep what is refused. Raises Retryable: the database is away."""

    def ring(self, event_ids: Sequence[int]) -> None:
        """Tell the workers; returns at once, never fails."""


RequireSender: TypeAlias = "Callable[[WSGIEnvironment, OrgConnection], None]"
"""Raises Forged."""


@dataclass(frozen=True)
class Answer:
    """What goes back. ``hang_up`` closes the connection with the body unread."""

    status: HTTPStatus
    body: bytes = b""
    hang_up: bool = False
    new_ids: Sequence[int] = ()


def application(
    doors: Doors,
    *,
    max_bytes: int,
    now: Callable[[], datetime],
    require_sender: "RequireSender | None" = None,
) -> "WSGIApplication":
    """
    Build the door around what it needs.

    Args:
        max_bytes: the longest body that is read.
        now: the clock, aware.
        require_sender: refuses who lacks a mark of Salesforce's, as ``sender`` does;
            None where the secret address is enough.
    """

    # Of changes, by connection and record; shared by the threads of the process.
    records = Brake()

    def outbound(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        started = time.perf_counter()
        answer = _receive(
            environ,
            doors,
            records,
            max_bytes=max_bytes,
            now=now,
            require_sender=require_sender,
        )
        headers = [("Content-Length", str(len(answer.body)))]
        if answer.body:
            headers.append(("Content-Type", "text/xml; charset=UTF-8"))
        if answer.status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "POST"))
        if answer.hang_up:
            request.close_unread(environ)
            headers.append(("Connection", "close"))
        start(f"{answer.status.value} {answer.status.phrase}", headers)
        log().info(
            "outbound.answered",
            status=answer.status.value,
            ms=round((time.perf_counter() - started) * 1000, 1),
            peer=environ.get("REMOTE_ADDR"),
            events=len(answer.new_ids),
            first_event=answer.new_ids[0] if answer.new_ids else None,
        )
        return [answer.body]

    return outbound


def _receive(
    environ: "WSGIEnvironment",
    doors: Doors,
    records: Brake,
    *,
    max_bytes: int,
    now: Callable[[], datetime],
    require_sender: "RequireSender | None",
) -> Answer:
    if environ["REQUEST_METHOD"] != "POST":
        return Answer(HTTPStatus.METHOD_NOT_ALLOWED, hang_up=True)
    hook_key = environ["PATH_INFO"].removeprefix(PREFIX)
    if not _KEY.match(hook_key):
        return Answer(HTTPStatus.NOT_FOUND, hang_up=True)
    try:
        connection = doors.connection_of(hook_key)
        if connection is None:
            return Answer(HTTPStatus.NOT_FOUND, hang_up=True)
        if require_sender is not None:
            require_sender(environ, connection)
        return _receive_for(connection, environ, doors, records, max_bytes, now())
    except Forged as exc:
        log().warning(
            "outbound.forged", reason=str(exc), peer=environ.get("REMOTE_ADDR")
        )
        return Answer(HTTPStatus.UNAUTHORIZED, hang_up=True)
    except Retryable as exc:
        log().error("outbound.not_kept", reason=str(exc))
        body = outbound_message.fault("Server", "not kept; please send it again")
        return Answer(HTTPStatus.SERVICE_UNAVAILABLE, body)


def _receive_for(
    connection: OrgConnection,
    environ: "WSGIEnvironment",
    doors: Doors,
    records: Brake,
    max_bytes: int,
    at: datetime,
) -> Answer:
    peer = environ.get("REMOTE_ADDR")
    try:
        body = request.body(environ, max_bytes)
    except request.TooLong as exc:
        doors.refuse(Refused(connection.id, "too_long", str(exc), "", peer=peer))
        return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(exc), hang_up=True)
    except request.CutShort as exc:
        return _refusal(HTTPStatus.BAD_REQUEST, str(exc), hang_up=True)
    with _LARGE if len(body) > _LARGE_BYTES else nullcontext():
        return _receive_body(connection, body, peer, doors, records, at)


def _receive_body(
    connection: OrgConnection,
    body: bytes,
    peer: str | None,
    doors: Doors,
    records: Brake,
    at: datetime,
) -> Answer:
    try:
        message = outbound_message.read(body, field_lists=connection.field_lists)
    except Unreadable as exc:
        kept = arrivals.inspectable(body)
        doors.refuse(Refused(connection.id, "unreadable", str(exc), kept, peer=peer))
        return _refusal(HTTPStatus.BAD_REQUEST, str(exc))
    if not same_org(message.org_id, connection.org_id):
        doors.refuse(_of_another_org(connection, message, body, peer))
        return _refusal(HTTPStatus.FORBIDDEN, "this address belongs to another org")
    if len(message.notifications) > outbound_message.NOTIFICATION_LIMIT:
        log().warning(
            "outbound.over_contract",
            connection=connection.name,
            notifications=len(message.notifications),
        )
    found = arrivals.of(message, connection, at)
    new_ids = doors.keep([braked(arrival, records) for arrival in found])
    if new_ids:
        doors.ring(new_ids)
    return Answer(HTTPStatus.OK, outbound_message.ACK, new_ids=new_ids)


def _refusal(status: HTTPStatus, why: str, *, hang_up: bool = False) -> Answer:
    return Answer(status, outbound_message.fault("Client", why), hang_up)


def _of_another_org(
    connection: OrgConnection,
    message: outbound_message.Message,
    body: bytes,
    peer: str | None,
) -> Refused:
    def shown(text: str) -> str:
        return mask_sessions(text)[:80]

    claimed = shown(message.org_id)
    log().warning("outbound.wrong_org", connection=connection.name, claimed=claimed)
    return Refused(
        connection.id,
        "wrong_org",
        f"looks like a copy of your org: sent by {claimed}, while this address "
        f"belongs to {connection.org_id}. A refreshed sandbox keeps the address of "
        "the org that it was copied from; change or delete the outbound message there",
        arrivals.inspectable(body),
        org_id=claimed,
        action_id=shown(message.action_id),
        notification_ids=[shown(item.id) for item in message.notifications[:1000]],
        peer=peer,
    )


def address(public_url: str, hook_key: str) -> str:
    """Where an org's outbound message goes; it is shown once and not kept."""
    return f"{public_url}{PREFIX}{quote(hook_key, safe='')}"
