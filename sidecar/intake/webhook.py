"""The door for events: bound, verify, read, store, acknowledge, in this order.

A plain WSGI application, as the door for outbound messages is. Who cannot prove who he
is gets the same plain 401, whatever was wrong; what it was stands in our log alone.

    404  nobody has this address; the body is not read
    429  too many; Retry-After tells for how long
    413  longer than we take
    401  not proved to be from the connection's org, or from whom it trusts
    400  no event in any wrapping that we know; kept for inspection
    403  of another org; kept in quarantine
    503  the database is away; to be sent again
    200  every event is committed; a message that came before is committed already
"""

import json
import math
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from sidecar.errors import Forged, Permanent, Retryable, Unreadable
from sidecar.intake import (
    arrivals,
    event_arrivals,
    request,
    shapes,
    signatures,
    strict_json,
)
from sidecar.intake.brake import Brake, braked
from sidecar.intake.peer import Network
from sidecar.intake.peer import address as caller_of
from sidecar.intake.rates import Rates
from sidecar.intake.shapes import Told
from sidecar.intake.signatures.credentials import Credential, Verified
from sidecar.logs import log, mask_sessions
from sidecar.salesforce.ids import same_org
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Arrival
from sidecar.store.quarantine import Refused
from sidecar.store.scribe import Delivery

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/hooks/events/"
_KEY = re.compile(r"[A-Za-z0-9_-]{20,128}\Z")

BODY_BYTES = 1024 * 1024
"""As much as EventBridge sends at most, four times over; a hundred events of the
package's have 60 kB."""

_FORGED_BURST = 60
_FORGED_PER_SECOND = 1.0


class Rooms(Protocol):
    """What the door needs from the rooms behind it."""

    def connection_of(self, hook_key: str) -> OrgConnection | None:
        """Find whose address this is. Raises Retryable: the database is away."""

    def credentials_of(self, connection_id: int) -> Sequence[Credential]:
        """Give what the connection accepts. Raises Retryable: the database is away."""

    def keep(
        self, arrivals: Sequence[Arrival], delivery: Delivery | None = None
    ) -> list[int]:
        """Commit; give the new ids. Raises Retryable: the database is away."""

    def refuse(self, refused: Refused) -> None:
        """Keep what is refused. Raises Retryable: the database is away."""

    def secret_used(self, secret_id: int) -> None:
        """Remember it; never fails."""

    def ring(self, event_ids: Sequence[int]) -> None:
        """Tell the workers; returns at once, never fails."""


@dataclass(frozen=True)
class Limits:
    """What is taken; shared by the threads of a process."""

    accepted: Rates
    """Of messages, by connection."""

    forged: Rates = field(
        default_factory=partial(
            Rates, per_second=_FORGED_PER_SECOND, burst=_FORGED_BURST
        )
    )
    """Of refused messages, by connection and caller: who fails often waits, and the
    connection's own senders do not."""

    records: Brake = field(default_factory=Brake)
    """Of changes, by connection and record."""

    body_bytes: int = BODY_BYTES


@dataclass(frozen=True)
class Answer:
    """What goes back. ``hang_up`` closes the connection with the body unread."""

    status: HTTPStatus
    told: dict[str, object] = field(default_factory=dict)
    hang_up: bool = False
    retry_after: int = 0


def application(
    rooms: Rooms,
    limits: Limits,
    *,
    now: Callable[[], datetime],
    ticks: Callable[[], float] = time.monotonic,
    proxies: Sequence[Network] = (),
    prefix: str = PREFIX,
    receive: "Receive | None" = None,
) -> "WSGIApplication":
    """
    Build the door around what it needs.

    Args:
        now: the clock, aware.
        ticks: seconds of a clock that never goes back.
        proxies: ours, who may name the caller.
        prefix: where the door is.
        receive: takes what is proved to be from whom the connection trusts; keeps
            events by default.
    """
    inside = receive or partial(_keep_events, rooms, limits.records)

    def events(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        started = time.perf_counter()
        peer = caller_of(environ, proxies)
        try:
            answer = _receive(
                environ, peer, rooms, limits, now(), ticks(), prefix, inside
            )
        except Retryable as exc:
            log().error("events.not_kept", reason=str(exc))
            answer = Answer(HTTPStatus.SERVICE_UNAVAILABLE, retry_after=5)
        if answer.hang_up:
            request.close_unread(environ)
        body = json.dumps(answer.told).encode() if answer.told else b""
        start(f"{answer.status.value} {answer.status.phrase}", _headers(answer, body))
        log().info(
            "events.answered",
            status=answer.status.value,
            ms=round((time.perf_counter() - started) * 1000, 1),
            peer=peer,
            **answer.told,
        )
        return [body]

    return events


def _headers(answer: Answer, body: bytes) -> list[tuple[str, str]]:
    headers = [("Content-Length", str(len(body)))]
    if body:
        headers.append(("Content-Type", "application/json"))
    if answer.status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("Allow", "POST"))
    if answer.status is HTTPStatus.UNAUTHORIZED:
        headers.append(("WWW-Authenticate", "Bearer"))
    if answer.retry_after:
        headers.append(("Retry-After", str(answer.retry_after)))
    if answer.hang_up:
        headers.append(("Connection", "close"))
    return headers


def _receive(
    environ: "WSGIEnvironment",
    peer: str,
    rooms: Rooms,
    limits: Limits,
    at: datetime,
    tick: float,
    prefix: str,
    inside: "Receive",
) -> Answer:
    if environ["REQUEST_METHOD"] != "POST":
        return Answer(HTTPStatus.METHOD_NOT_ALLOWED, hang_up=True)
    hook_key = environ["PATH_INFO"].removeprefix(prefix)
    connection = rooms.connection_of(hook_key) if _KEY.match(hook_key) else None
    if connection is None:
        return Answer(HTTPStatus.NOT_FOUND, hang_up=True)
    caller = (connection.id, peer)
    seconds = limits.forged.wait(caller, at=tick)
    seconds = seconds or limits.accepted.take(connection.id, at=tick)
    if seconds:
        log().warning("events.too_many", connection=connection.name, peer=peer)
        retry_after = math.ceil(seconds)
        return Answer(
            HTTPStatus.TOO_MANY_REQUESTS, hang_up=True, retry_after=retry_after
        )
    try:
        body = request.body(environ, limits.body_bytes)
    except request.TooLong as exc:
        return _unread(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, connection, exc)
    except request.CutShort as exc:
        return _unread(HTTPStatus.BAD_REQUEST, connection, exc)
    try:
        verified = signatures.verify(
            partial(request.header, environ),
            body,
            rooms.credentials_of(connection.id),
            now=at.timestamp(),
        )
    except Forged as exc:
        limits.accepted.give_back(connection.id, at=tick)
        limits.forged.take(caller, at=tick)
        log().warning(
            "events.forged",
            reason=str(exc),
            connection=connection.name,
            peer=peer,
        )
        return Answer(HTTPStatus.UNAUTHORIZED)
    rooms.secret_used(verified.secret_id)
    return inside(connection, body, verified, at, peer)


class Receive(Protocol):
    """What is done with a request that is proved."""

    def __call__(
        self,
        connection: OrgConnection,
        body: bytes,
        verified: Verified,
        at: datetime,
        peer: str,
        /,
    ) -> Answer:
        """Answer it. Raises Retryable: the database is away."""


def _unread(status: HTTPStatus, connection: OrgConnection, exc: Permanent) -> Answer:
    """Nobody knows yet whose body it is: it is neither kept nor answered for."""
    log().warning("events.unread", reason=str(exc), connection=connection.name)
    return Answer(status, hang_up=True)


def _keep_events(
    rooms: Rooms,
    records: Brake,
    connection: OrgConnection,
    body: bytes,
    verified: Verified,
    at: datetime,
    peer: str,
) -> Answer:
    try:
        events = shapes.read(strict_json.read(body))
    except Unreadable as exc:
        kept = arrivals.inspectable(body)
        rooms.refuse(Refused(connection.id, "unreadable", str(exc), kept, peer=peer))
        return Answer(HTTPStatus.BAD_REQUEST, {"error": str(exc)})
    for told in events:
        if told.org_id and not same_org(told.org_id, connection.org_id):
            rooms.refuse(_of_another_org(connection, told, body, peer))
            why = "this address belongs to another org"
            return Answer(HTTPStatus.FORBIDDEN, {"error": why})
    found = [
        arrival
        for place, told in enumerate(events)
        for arrival in event_arrivals.of(
            told, connection, at, message_id=_place(verified.message_id, place)
        )
    ]
    found = [braked(arrival, records) for arrival in found]
    delivery = None
    if verified.message_id is not None:
        delivery = Delivery(connection.id, verified.message_id, at)
    new_ids = rooms.keep(found, delivery)
    if new_ids:
        rooms.ring(new_ids)
    return Answer(HTTPStatus.OK, {"events": len(found), "new": len(new_ids)})


def _place(message_id: str | None, place: int) -> str:
    """Name an event after its message, where the message has a name."""
    if message_id is None:
        return ""
    return f"{message_id}:{place}" if place else message_id


def _of_another_org(
    connection: OrgConnection, told: Told, body: bytes, peer: str
) -> Refused:
    claimed = mask_sessions(told.org_id)[:80]
    log().warning("events.wrong_org", connection=connection.name, claimed=claimed)
    return Refused(
        connection.id,
        "wrong_org",
        f"looks like a copy of your org: sent by {claimed}, while this address "
        f"belongs to {connection.org_id}. A refreshed sandbox keeps the address and "
        "the certificate of the org that it was copied from; change or delete the "
        "named credential there",
        arrivals.inspectable(body),
        org_id=claimed,
        peer=peer,
    )


def address(public_url: str, hook_key: str) -> str:
    """Where a connection's events go; the key in it is a secret."""
    return f"{public_url}{PREFIX}{hook_key}"
