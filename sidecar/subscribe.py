"""Entry for streams: one thread a topic, each with a stream of its own."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from sqlalchemy.exc import OperationalError

from sidecar.errors import Retryable
from sidecar.intake.brake import Brake
from sidecar.intake.stream import Listener
from sidecar.logs import log
from sidecar.salesforce.events import stream
from sidecar.salesforce.events.payload import Schema
from sidecar.salesforce.events.stream import Caller, Subscription
from sidecar.store import connections as connections_store
from sidecar.store import streams
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Arrival
from sidecar.wiring import Wiring

DEFAULT_TOPICS = ("/event/Referral_Status_Change__e",)


def run(
    wiring: Wiring, connections: Sequence[OrgConnection], topics: Sequence[str]
) -> None:
    """Listen until SIGTERM or SIGINT; what was received by then is kept."""
    stopped = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stopped.set())
    listen(wiring, connections, topics, stopped)


def listen(
    wiring: Wiring,
    connections: Sequence[OrgConnection],
    topics: Sequence[str],
    stopped: threading.Event,
) -> None:
    """Listen until ``stopped`` is set."""
    address, ca_file = wiring.settings.pubsub_address, wiring.settings.ca_file
    with stream.channel(address, ca_file=ca_file) as opened:
        records = Brake()
        feeds = [
            _Feed(wiring, connection, opened, stopped, records)
            for connection in connections
            for _ in topics
        ]
        threads = [
            threading.Thread(target=feed.listen, args=(topic,), name=topic)
            for feed, topic in zip(feeds, [*topics] * len(connections), strict=True)
        ]
        for thread in threads:
            thread.start()
        stopped.wait()
        for feed in feeds:
            feed.stop()
        for thread in threads:
            thread.join()


@dataclass
class _Feed:
    """One topic's thread, with what a listener needs of the service."""

    wiring: Wiring
    connection: OrgConnection
    opened: grpc.Channel
    stopped: threading.Event
    records: Brake
    schemas: dict[str, Schema] = field(default_factory=dict)
    _token: str | None = None
    _current: Subscription | None = None
    _removed: bool = False

    def listen(self, topic: str) -> None:
        Listener(
            topic=topic,
            connection=lambda: self.connection,
            memory=self,
            subscribe=lambda: self._subscribe(topic),
            log_in=self._log_in,
            wait=self.stopped.wait,
            stopped=lambda: self.stopped.is_set() or self._removed,
            now=self.wiring.now,
            records=self.records,
        ).listen()
        log().info("stream.stopped", topic=topic, connection=self.connection.id)

    def stop(self) -> None:
        if self._current is not None:
            self._current.stop()

    def position(self, topic: str) -> bytes | None:
        with _memory(), self.wiring.engine.connect() as db:
            return streams.position(db, self.connection.id, topic)

    def keep(self, topic: str, arrivals: list[Arrival], after: bytes) -> None:
        with _memory(), self.wiring.engine.begin() as db:
            if connections_store.find(db, self.connection.id) is None:
                self._end()
                return
            kept = streams.keep(
                db,
                arrivals,
                connection_id=self.connection.id,
                topic=topic,
                after=after,
                now=self.wiring.now(),
                keyring=self.wiring.keyring,
            )
        if kept:
            self.wiring.ring(kept)

    def forget(self, topic: str) -> None:
        with _memory(), self.wiring.engine.begin() as db:
            streams.forget(db, self.connection.id, topic)

    def _subscribe(self, topic: str) -> Subscription:
        with _memory():
            instance_url, self._token = self.wiring.current(self.connection.id)
            if self._token is None:
                self._token = self.wiring.renew(self.connection.id, None)
            with self.wiring.engine.connect() as db:
                known = connections_store.find(db, self.connection.id)
        if known is not None:
            self.connection = known
        caller = Caller(self._token, instance_url, self.connection.org_id)
        self._current = Subscription(self.opened, caller, topic, self.schemas)
        if self.stopped.is_set():
            self._current.stop()
        return self._current

    def _end(self) -> None:
        """Listen no longer: an admin has removed the connection."""
        self._removed = True
        self.stop()

    def _log_in(self) -> None:
        self.wiring.renew(self.connection.id, self._token)


@contextmanager
def _memory() -> Iterator[None]:
    """Say in our own words that the database is away."""
    try:
        yield
    except OperationalError as exc:
        raise Retryable(f"the database is away: {exc.orig}") from exc
