"""The background process that sends what is queued until it is acknowledged."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sidecar.devorg.outbound.endpoint import Endpoints
from sidecar.devorg.outbound.message import (
    Action,
    envelope,
    notification_writer,
    opening,
)
from sidecar.devorg.outbound.queue import Notification, Queue
from sidecar.devorg.outbound.switches import Luck, Switches
from sidecar.devorg.schema import Row

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

# How soon a sleeping thread notices that the org's clock was moved, real seconds.
_GLANCE = 0.1
_KEPT_ENDINGS = 10_000
_ACTION_GONE = "The outbound message was deleted"


class Outbound:
    """
    The outbound messages of one org: deployed actions, queue, sending threads.

    Threads start with the first notification, and end with ``close``.
    """

    def __init__(self, org: Org, *, threads: int = 4, seed: int = 0) -> None:
        """
        Args:
            threads: how many messages may be under way at once.
            seed: for the spread of retries and the fractions of switches.
        """
        self.actions: dict[str, Action] = {}
        self.counts = {"acknowledged": 0, "dropped": 0, "messages": 0, "nacks": 0}
        # The latest endings, for whoever asks what became of a notification.
        self.dropped: deque[Notification] = deque(maxlen=_KEPT_ENDINGS)
        self._org = org
        self._threads = threads
        rng = random.Random(seed)  # noqa: S311 - chance, not a secret
        self._queue = Queue(rng=rng)
        self._luck = Luck(rng=rng)
        self._switches = Switches()
        self._changed = threading.Condition()
        self._running: list[threading.Thread] = []
        self._under_way = 0
        self._stopped = False
        self._writers: dict[object, Callable[[str, str, Row | None], str]] = {}

    @property
    def switches(self) -> Switches:
        """What delivery suffers at present."""
        return self._switches

    def set_switches(self, wishes: Mapping[str, object]) -> None:
        """
        Set some switches, and count their next n anew.

        Raises:
            ValueError: no such switch.
        """
        with self._changed:
            self._switches = self._switches.changed(wishes)
            self._luck.reset(self._switches)
            self._changed.notify_all()

    def queue(self, action: Action, record_ids: Sequence[str]) -> None:
        """Queue one notification per record: their transaction was committed."""
        now = self._org.clock.now()
        with self._changed:
            for record_id in record_ids:
                new_id = self._org.ids.new("04l")
                if self._luck.strikes("drop", self._switches):
                    self.counts["dropped"] += 1
                    continue
                self._queue.put(Notification(new_id, action.id, record_id, now, now))
            self._start()
            self._changed.notify_all()

    def retry_now(self) -> None:
        """Make all that waits for its next attempt due at once."""
        with self._changed:
            self._queue.hasten()
            self._changed.notify_all()

    def reset(self) -> None:
        """Forget queue, switches and counts; what is under way still ends."""
        with self._changed:
            self._queue.clear()
            self._switches = Switches()
            self._luck.reset(self._switches)
            self.counts.update(dict.fromkeys(self.counts, 0))
            self.dropped.clear()
            self._changed.notify_all()

    def waiting(self) -> list[Notification]:
        """Return what is queued and not under way, oldest first."""
        with self._changed:
            return sorted(self._queue.waiting(), key=lambda each: each.queued_at)

    def status(self) -> dict[str, object]:
        """Return counts, and how many notifications wait or are under way."""
        with self._changed:
            return {
                **self.counts,
                "queued": len(self._queue),
                "under_way": self._under_way,
            }

    def close(self) -> None:
        """Stop the threads; each finishes the message under way."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._running:
            thread.join(timeout=5)

    def _start(self) -> None:
        self._running = [each for each in self._running if each.is_alive()]
        while len(self._running) < self._threads and not self._stopped:
            thread = threading.Thread(target=self._run, name="outbound", daemon=True)
            self._running.append(thread)
            thread.start()

    def _run(self) -> None:
        endpoints = Endpoints(ca_file=self._switches.ca_file)
        while batch := self._next():
            # A bug of ours ends this thread, visibly, but loses no notification.
            reason: str | None = "java.lang.RuntimeException"
            try:
                # The lock keeps a deployment that may be rolled back out of sight.
                with self._org.lock:
                    action = self.actions.get(batch[0].action_id)
                if endpoints.ca_file != self._switches.ca_file:
                    endpoints.close()
                    endpoints = Endpoints(ca_file=self._switches.ca_file)
                if action is None:
                    reason = _ACTION_GONE
                else:
                    reason = self._send(action, batch, endpoints)
            finally:
                self._settle(batch, reason)
        endpoints.close()

    def _next(self) -> list[Notification]:
        """Wait for notifications that are due; empty when the org is closing."""
        with self._changed:
            while not self._stopped:
                switches = self._switches
                taken: list[Notification] = []
                if not switches.paused:
                    taken = self._queue.take(
                        self._org.clock.now(),
                        switches.batch_size,
                        shuffled=switches.shuffle,
                    )
                if ready := [each for each in taken if self._ready(each)]:
                    self._under_way += len(ready)
                    return ready
                if not taken:
                    self._changed.wait(self._patience())
        return []

    def _patience(self) -> float | None:
        """Return the real seconds to sleep; None: until told."""
        due = self._queue.next_due()
        if due is None or self._switches.paused:
            return None
        return min(max(self._org.clock.real_seconds_until(due), 0.001), _GLANCE)

    def _ready(self, each: Notification) -> bool:
        now = self._org.clock.now()
        if each.expired(now):
            self._drop(each)
            return False
        if not each.held and self._luck.strikes("delay", self._switches):
            each.held = True
            until = now + timedelta(seconds=self._switches.delay_seconds)
            self._queue.put_off(each, until)
            return False
        return True

    def _drop(self, each: Notification) -> None:
        self.counts["dropped"] += 1
        self.dropped.append(each)

    def _send(
        self, action: Action, batch: list[Notification], endpoints: Endpoints
    ) -> str | None:
        body = self._message(action, batch)
        with self._changed:
            switches = self._switches
            twice = self._luck.strikes("duplicate", switches)
            lost = self._luck.strikes("lose_answer", switches)
            self.counts["messages"] += 1 + twice
        timeout = switches.timeout_seconds
        if twice:
            endpoints.deliver(action.endpoint_url, body, timeout=timeout)
        reason = endpoints.deliver(action.endpoint_url, body, timeout=timeout)
        if lost and reason is None:
            return "java.net.SocketTimeoutException: Read timed out"
        return reason

    def _message(self, action: Action, batch: list[Notification]) -> bytes:
        """Write the records as they are now, whatever they were when queued."""
        org = self._org
        with org.lock:
            access = org.access(action.integration_user_id)
            type_ = org.schema[action.object_name]
            # The user has to see what the message is to carry, or it is left out.
            org.usage.read(access, type_, action.fields)
            readable = access.readable(type_)
            keys = (name.lower() for name in action.fields)
            fields = tuple(readable[key] for key in keys if key in readable)
            rows = org.records.table(type_.name).rows
            records = [rows.get(each.record_id) for each in batch]
        memo = (action, type_.name, tuple(map(id, fields)))
        write = self._writers.get(memo)
        if write is None:
            self._writers.clear()
            write = self._writers[memo] = notification_writer(type_.name, fields)
        head = opening(action, org_id=org.id, host=org.base_url)
        return envelope(
            head,
            [
                write(each.id, each.record_id, row)
                for each, row in zip(batch, records, strict=True)
            ],
        )

    def _settle(self, batch: list[Notification], reason: str | None) -> None:
        with self._changed:
            self._under_way -= len(batch)
            if reason is None:
                self.counts["acknowledged"] += len(batch)
                return
            if reason == _ACTION_GONE:
                for each in batch:
                    self._drop(each)
                return
            self.counts["nacks"] += 1
            self._queue.retry(batch, reason, self._org.clock.now())
            self._changed.notify_all()
