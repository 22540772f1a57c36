"""The event bus: what was published in the last 72 hours, in order.

Source: "Platform Event Message Durability" and "Subscribe RPC Method", Pub/Sub API
Developer Guide: events are kept for 72 hours; a replay id is opaque, and its
successor's is not the next number.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sidecar.devorg.clock import OrgClock

RETENTION = timedelta(hours=72)
_STEP = 7  # replay ids rise, with gaps


@dataclass(frozen=True, slots=True)
class Published:
    """One event. ``payload`` holds values as Avro takes them."""

    topic: str
    uuid: str
    replay_id: int
    payload: Mapping[str, object]
    at: datetime


class Bus:
    """All topics of one org. Threads may publish and wait at once."""

    def __init__(self, clock: OrgClock) -> None:
        """``clock`` decides what is still kept."""
        self._clock = clock
        self._changed = threading.Condition()
        self._kept: deque[Published] = deque()
        self._last = 1_000
        self.closed = False

    def publish(self, topic: str, payload: Mapping[str, object]) -> Published:
        """Add an event to a topic, and wake who waits."""
        with self._changed:
            self._last += _STEP
            event = Published(
                topic, str(uuid.uuid4()), self._last, dict(payload), self._clock.now()
            )
            self._kept.append(event)
            self._changed.notify_all()
        return event

    def latest(self) -> int:
        """Return the replay id after which nothing has been published."""
        with self._changed:
            return self._last

    def knows(self, replay_id: int) -> bool:
        """Tell whether a subscription may begin after this id."""
        with self._changed:
            self._forget()
            oldest = self._kept[0].replay_id if self._kept else self._last
            return oldest - _STEP <= replay_id <= self._last

    def after(self, topic: str, replay_id: int, limit: int) -> list[Published]:
        """Return the oldest events of a topic that come after an id."""
        with self._changed:
            self._forget()
            return list(_first(self._kept, topic, replay_id, limit))

    def wait(self, seconds: float) -> None:
        """Wait for something to be published, or for the bus to close."""
        with self._changed:
            if not self.closed:
                self._changed.wait(seconds)

    def empty(self) -> None:
        """Forget all events, and let go of who waits."""
        with self._changed:
            self._kept.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """End all subscriptions."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def _forget(self) -> None:
        horizon = self._clock.now() - RETENTION
        while self._kept and self._kept[0].at < horizon:
            self._kept.popleft()


def _first(
    kept: deque[Published], topic: str, replay_id: int, limit: int
) -> Iterator[Published]:
    found = 0
    for event in kept:
        if found == limit:
            return
        if event.replay_id > replay_id and event.topic == topic:
            found += 1
            yield event
