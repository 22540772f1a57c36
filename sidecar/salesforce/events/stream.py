"""A subscription: events as they come, asked for in portions, from a position on.

Source: "Subscribe RPC Method" and "Handle Errors", Pub/Sub API Developer Guide: at most
100 events are asked for at once; an empty answer comes within 270 seconds and carries
a position too; positions are opaque bytes, kept by Salesforce for 72 hours.
"""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import certifi
import grpc

from sidecar.errors import Permanent, Retryable, SidecarError, Unreadable
from sidecar.salesforce.events import payload
from sidecar.salesforce.events import protocol as wire
from sidecar.salesforce.events.payload import Schema
from sidecar.salesforce.refusals import LoggedOut

PORTION = 100
SILENCE_S = 330.0
"""Longer than the 270 seconds within which Salesforce says something."""

_CALL_S = 20.0
_OPTIONS = [
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
]
_GONE_FOR_GOOD = {
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.INVALID_ARGUMENT,
}


class PositionLost(Retryable):
    """The org no longer knows the position; from the earliest event on it may go."""


@dataclass(frozen=True)
class Received:
    """One event. ``id`` is its EventUuid: the same, however often it is sent."""

    id: str
    replay_id: bytes
    values: dict[str, Any]
    problem: str = ""
    """Why nobody can read it; one such event must not hold up the stream."""


@dataclass(frozen=True)
class Portion:
    """Events that came together, and the position after them; maybe no event."""

    events: tuple[Received, ...]
    position: bytes


@dataclass
class Caller:
    """In whose name the calls are made. ``org_id``: 15 or 18 characters."""

    token: str
    instance_url: str
    org_id: str

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The headers of each call."""
        return (
            ("accesstoken", self.token),
            ("instanceurl", self.instance_url),
            ("tenantid", self.org_id),
        )


@contextmanager
def channel(
    address: str, *, ca_file: Path | None = None, plain: bool = False
) -> Iterator[grpc.Channel]:
    """Open a channel to ``host:port``; ``plain`` is for a dev org without TLS."""
    if plain:
        opened = grpc.insecure_channel(address, options=_OPTIONS)
    else:
        trusted = certifi.contents().encode()
        trusted += b"\n" + ca_file.read_bytes() if ca_file else b""
        credentials = grpc.ssl_channel_credentials(trusted)
        opened = grpc.secure_channel(address, credentials, options=_OPTIONS)
    try:
        yield opened
    finally:
        opened.close()


@dataclass
class Subscription:
    """
    One topic of one org.

    Iterating gives portions; the next events are asked for when the consumer comes
    back, so that it is never sent more than it can keep. ``stop`` may be called by
    another thread.
    """

    opened: grpc.Channel
    caller: Caller
    topic: str
    """``/event/Referral_Status_Change__e``, ``/data/LeadChangeEvent``."""
    schemas: dict[str, Schema] = field(default_factory=dict)
    """By id; shared between subscriptions, an id never changes its meaning."""
    silence_s: float = SILENCE_S
    _stopped: threading.Event = field(default_factory=threading.Event)
    _call: Any = None

    def portions(self, after: bytes | None, *, earliest: bool) -> Iterator[Portion]:
        """
        Receive until stopped.

        Args:
            after: the position to go on from; None for ``earliest``, or what is new.

        Raises:
            LoggedOut: the token is refused; PositionLost; other Retryable, Permanent.
        """
        asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
        asked.put(_first(self.topic, after, earliest=earliest))
        stub = self.opened.stream_stream(
            wire.SUBSCRIBE,
            request_serializer=_bytes,
            response_deserializer=wire.FetchResponse.FromString,
        )
        self._call = stub(iter(asked.get, None), metadata=self.caller.metadata())
        try:
            while not self._stopped.is_set():
                response = self._next()
                if response is None:
                    return
                events = tuple(self._received(each) for each in response.events)
                yield Portion(events, bytes(response.latest_replay_id))
                if events:
                    asked.put(wire.FetchRequest(num_requested=len(events)))
        finally:
            asked.put(None)
            self._call.cancel()

    def stop(self) -> None:
        """End the stream from outside; what was given out stays the consumer's."""
        self._stopped.set()
        if self._call is not None:
            self._call.cancel()

    def _next(self) -> Any:
        """Wait for an answer; None when the stream has ended, or was stopped."""
        silent = threading.Event()

        def give_up() -> None:
            silent.set()
            self._call.cancel()

        timer = threading.Timer(self.silence_s, give_up)
        timer.daemon = True
        timer.start()
        try:
            return next(self._call, None)
        except grpc.RpcError as exc:
            if self._stopped.is_set():
                return None
            if silent.is_set():
                raise Retryable(f"{self.topic}: silent for {self.silence_s} s") from exc
            raise refusal(self.topic, exc) from exc
        finally:
            timer.cancel()

    def _received(self, each: Any) -> Received:
        event = each.event
        replay_id = bytes(each.replay_id)
        try:
            values = payload.decode(event.payload, self._schema(event.schema_id))
        except Unreadable as exc:
            return Received(event.id, replay_id, {}, str(exc))
        return Received(event.id, replay_id, values)

    def _schema(self, schema_id: str) -> Schema:
        known = self.schemas.get(schema_id)
        if known is not None:
            return known
        call = self.opened.unary_unary(
            wire.GET_SCHEMA,
            request_serializer=_bytes,
            response_deserializer=wire.SchemaInfo.FromString,
        )
        try:
            told = call(
                wire.SchemaRequest(schema_id=schema_id),
                metadata=self.caller.metadata(),
                timeout=_CALL_S,
            )
        except grpc.RpcError as exc:
            raise refusal(self.topic, exc) from exc
        self.schemas[schema_id] = payload.schema(schema_id, told.schema_json)
        return self.schemas[schema_id]


def refusal(topic: str, exc: grpc.RpcError) -> SidecarError:
    """Say what a broken call means; the server names its reason in a trailer."""
    # Every RpcError that a call raises is also a Call.
    call: Any = exc
    status, details = call.code(), call.details() or ""
    trailers = {str(key): value for key, value in call.trailing_metadata() or ()}
    code = str(trailers.get("error-code", ""))
    words = f"{topic}: {status.name} {code} {details}".strip()
    if status is grpc.StatusCode.UNAUTHENTICATED:
        return LoggedOut(words)
    if "replayid" in code:
        return PositionLost(words)
    return Permanent(words) if status in _GONE_FOR_GOOD else Retryable(words)


def _first(topic: str, after: bytes | None, *, earliest: bool) -> Any:
    preset = wire.EARLIEST if earliest else wire.LATEST
    return wire.FetchRequest(
        topic_name=topic,
        replay_preset=preset if after is None else wire.CUSTOM,
        replay_id=after or b"",
        num_requested=PORTION,
    )


def _bytes(message: Any) -> bytes:
    return bytes(message.SerializeToString())
