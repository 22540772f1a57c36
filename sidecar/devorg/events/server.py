"""The Pub/Sub API: gRPC over the org's own certificate.

Source: "Pub/Sub API as a gRPC API" and "Subscribe RPC Method", Pub/Sub API Developer
Guide: the session in the call's metadata; at most 100 events asked for at a time; an
empty answer keeps a quiet stream alive, within 270 seconds.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NoReturn

import grpc

from sidecar.devorg.events import schemas, wire
from sidecar.devorg.events.bus import Published
from sidecar.devorg.events.changes import EVENT
from sidecar.devorg.refusal import Refusal

if TYPE_CHECKING:
    from sidecar.devorg.certificates import Tls
    from sidecar.devorg.org import Org

MOST_REQUESTED = 100
KEEP_ALIVE_S = 270.0
_STREAMS = 32
_GLANCE_S = 0.05
_ERROR = "sfdc.platform.eventbus.grpc"


def serve(org: Org, tls: Tls | None) -> tuple[grpc.Server, int]:
    """Serve the API on a free port of 127.0.0.1; give the server and the port."""
    server = grpc.server(ThreadPoolExecutor(max_workers=_STREAMS))
    service = _Service(org)
    server.add_generic_rpc_handlers((service.handlers(),))
    if tls is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        pair = (tls.key.read_bytes(), tls.chain.read_bytes())
        credentials = grpc.ssl_server_credentials([pair])
        port = server.add_secure_port("127.0.0.1:0", credentials)
    return server, port


class _Service:
    def __init__(self, org: Org) -> None:
        self._org = org

    def handlers(self) -> grpc.GenericRpcHandler:
        """The methods, by name."""
        methods = {
            "GetTopic": _unary(self._topic, "TopicRequest"),
            "GetSchema": _unary(self._schema, "SchemaRequest"),
            "Publish": _unary(self._publish, "PublishRequest"),
            "Subscribe": grpc.stream_stream_rpc_method_handler(
                self._subscribe,
                request_deserializer=wire.message("FetchRequest").FromString,
                response_serializer=_bytes,
            ),
        }
        return grpc.method_handlers_generic_handler(wire.SERVICE, methods)

    def _topic(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._caller(context)
        schema = self._schema_of(request.topic_name, context)
        return wire.message("TopicInfo")(
            topic_name=request.topic_name,
            tenant_guid=self._org.id,
            can_publish=request.topic_name.endswith(EVENT),
            can_subscribe=True,
            schema_id=schema.id,
            rpc_id=str(uuid.uuid4()),
        )

    def _schema(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._caller(context)
        schema = self._org.events.schemas.get(request.schema_id)
        if schema is None:
            _abort(
                context,
                grpc.StatusCode.NOT_FOUND,
                "schema.not.found",
                f"The schema {request.schema_id} was not found",
            )
        return wire.message("SchemaInfo")(
            schema_json=schema.text, schema_id=schema.id, rpc_id=str(uuid.uuid4())
        )

    def _publish(self, request: Any, context: grpc.ServicerContext) -> Any:
        user_id = self._caller(context)
        schema = self._schema_of(request.topic_name, context)
        results = []
        for event in request.events:
            try:
                payload = schema.decode(event.payload)
            except ValueError as exc:
                error = wire.message("Error")(code=1, msg=str(exc))
                results.append(wire.message("PublishResult")(error=error))
                continue
            payload["CreatedById"] = user_id
            topic = request.topic_name.removeprefix("/event/")
            kept = self._org.events.bus.publish(topic, payload)
            results.append(
                wire.message("PublishResult")(
                    replay_id=replay_bytes(kept.replay_id), correlation_key=kept.uuid
                )
            )
        return wire.message("PublishResponse")(results=results, schema_id=schema.id)

    def _subscribe(
        self, requests: Iterator[Any], context: grpc.ServicerContext
    ) -> Iterator[Any]:
        self._caller(context)
        first = next(requests, None)
        if first is None:
            return
        asked = _Asked(first.num_requested)
        self._schema_of(first.topic_name, context)
        threading.Thread(
            target=asked.listen, args=(requests, first.topic_name), daemon=True
        ).start()
        position = self._beginning(first, context)
        topic = first.topic_name.rpartition("/")[2]
        spoken = time.monotonic()
        bus, events = self._org.events.bus, self._org.events
        while context.is_active() and not bus.closed and not asked.ended:
            self._caller(context)
            if asked.wrong:
                _abort(context, grpc.StatusCode.INVALID_ARGUMENT, *asked.wrong)
            some = bus.after(topic, position, min(asked.pending, events.batch))
            if some:
                position = some[-1].replay_id
                asked.pending -= len(some)
                spoken = time.monotonic()
                yield self._response(topic, some, position, asked.pending)
            elif time.monotonic() - spoken >= events.keep_alive_s:
                spoken = time.monotonic()
                position = max(position, bus.latest()) if asked.pending else position
                yield self._response(topic, [], position, asked.pending)
            else:
                bus.wait(_GLANCE_S)

    def _beginning(self, first: Any, context: grpc.ServicerContext) -> int:
        bus = self._org.events.bus
        if first.replay_preset == wire.EARLIEST:
            return 0
        if first.replay_preset == wire.LATEST:
            return bus.latest()
        position = _number(first.replay_id)
        if position is None or not bus.knows(position):
            _abort(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                "subscription.fetch.replayid.corrupted",
                "The Replay ID validation failed. Ensure that the Replay ID is valid.",
            )
        return position

    def _response(
        self, topic: str, some: list[Published], position: int, pending: int
    ) -> Any:
        schema = self._org.events.schema_of(topic)
        consumer, producer = (
            wire.message("ConsumerEvent"),
            wire.message("ProducerEvent"),
        )
        events = [
            consumer(
                event=producer(
                    id=each.uuid,
                    schema_id=schema.id if schema else "",
                    payload=schema.encode(each.payload) if schema else b"",
                ),
                replay_id=replay_bytes(each.replay_id),
            )
            for each in some
        ]
        return wire.message("FetchResponse")(
            events=events,
            latest_replay_id=replay_bytes(position),
            rpc_id=str(uuid.uuid4()),
            pending_num_requested=pending,
        )

    def _caller(self, context: grpc.ServicerContext) -> str:
        """Who calls; a session that has ended in the meantime ends the stream."""
        told = dict(context.invocation_metadata() or ())
        org = self._org
        try:
            with org.lock:
                session = org.sessions.find(str(told.get("accesstoken", "")))
        except Refusal as exc:
            _abort(
                context,
                grpc.StatusCode.UNAUTHENTICATED,
                "service.auth.error",
                f"An authentication exception occurred: {exc.message}",
            )
        tenant = str(told.get("tenantid", ""))[:15]
        if tenant != org.id[:15] or not told.get("instanceurl"):
            _abort(
                context,
                grpc.StatusCode.UNAUTHENTICATED,
                "service.auth.headers.invalid",
                "The headers instanceurl and tenantid must name the session's org",
            )
        return session.user_id

    def _schema_of(
        self, topic: str, context: grpc.ServicerContext
    ) -> schemas.EventSchema:
        found = None
        if topic.startswith(("/event/", "/data/")):
            with self._org.lock:
                found = self._org.events.schema_of(topic.rpartition("/")[2])
        if found is None:
            _abort(
                context,
                grpc.StatusCode.NOT_FOUND,
                "topic.not.found",
                f"The topic {topic} was not found",
            )
        return found


class _Asked:
    """How many events the client still wants; written by the thread that listens."""

    def __init__(self, requested: int) -> None:
        self.pending = 0
        self.ended = False
        self.wrong: tuple[str, str] | None = None
        self._add(requested)

    def listen(self, requests: Iterator[Any], topic: str) -> None:
        """Take further requests until the client is gone."""
        try:
            for request in requests:
                if request.topic_name not in {"", topic}:
                    self.wrong = ("topic.mismatch", "The topic of a stream is fixed")
                self._add(request.num_requested)
        except grpc.RpcError:
            pass
        except Exception:  # noqa: BLE001 - the stream was torn down under us
            self.ended = True
        # A client that sends no more may still read what it asked for.
        if self.pending <= 0:
            self.ended = True

    def _add(self, requested: int) -> None:
        if requested <= 0 or self.pending + requested > MOST_REQUESTED:
            self.wrong = (
                "subscription.fetch.requested.events.limit",
                f"num_requested must be between 1 and {MOST_REQUESTED} in all",
            )
            return
        self.pending += requested


def replay_bytes(number: int) -> bytes:
    """Ten bytes, as Salesforce's: nobody else may read a meaning into them."""
    return number.to_bytes(8, "big") + b"\0\0"


def _number(replay_id: bytes) -> int | None:
    if len(replay_id) != 10 or replay_id[8:] != b"\0\0":
        return None
    return int.from_bytes(replay_id[:8], "big")


def _unary(
    method: Callable[[Any, grpc.ServicerContext], Any], request: str
) -> grpc.RpcMethodHandler[Any, Any]:
    return grpc.unary_unary_rpc_method_handler(
        method,
        request_deserializer=wire.message(request).FromString,
        response_serializer=_bytes,
    )


def _bytes(answer: Any) -> bytes:
    return bytes(answer.SerializeToString())


def _abort(
    context: grpc.ServicerContext, status: grpc.StatusCode, code: str, words: str
) -> NoReturn:
    context.set_trailing_metadata((("error-code", f"{_ERROR}.{code}"),))
    context.abort(status, words)
    raise AssertionError("abort raises")
