"""The door for streams: receive, keep, and only then ask for more."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sidecar.errors import Permanent, Retryable
from sidecar.intake import org_events, own_writes
from sidecar.intake.brake import Brake, braked
from sidecar.logs import log
from sidecar.salesforce.events.stream import Portion, PositionLost, Received
from sidecar.salesforce.refusals import LoggedOut
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Arrival

_FIRST_S, _LONGEST_S = 1.0, 60.0
_REFUSED_S = 600.0
"""A topic that is not there may be there after the next installation."""


class Source(Protocol):
    """Where portions come from: one subscription, made anew after each failure."""

    def portions(self, after: bytes | None, *, earliest: bool) -> Iterator[Portion]:
        """Receive. Raises LoggedOut, PositionLost, Retryable, Permanent."""


class Memory(Protocol):
    """What outlives the process."""

    def position(self, topic: str) -> bytes | None:
        """Give the position after what was kept."""

    def keep(self, topic: str, arrivals: list[Arrival], after: bytes) -> None:
        """Keep events and position in one transaction. Raises Retryable."""

    def forget(self, topic: str) -> None:
        """Forget the position."""


@dataclass
class Listener:
    """Listens to one topic of one org until stopped."""

    topic: str
    connection: Callable[[], OrgConnection]
    """Gives it as it is known now: as whom we write is learnt at login."""
    memory: Memory
    subscribe: Callable[[], Source]
    """Opens a subscription with the token of the moment."""
    log_in: Callable[[], object]
    """Replaces a token that the org refused."""
    wait: Callable[[float], object]
    """Sleeps so many seconds, or until stopped."""
    stopped: Callable[[], bool]
    now: Callable[[], datetime]
    records: Brake = field(default_factory=Brake)
    """Of changes, by connection and record."""

    def listen(self) -> None:
        """Receive and keep; after whatever failure, go on where it was."""
        failures = 0
        while not self.stopped():
            try:
                for portion in self._portions():
                    self._keep(portion)
                    failures = 0
                continue
            except PositionLost as exc:
                # Positions are kept for 72 hours. From the earliest event on,
                # whatever is known already is known by its id.
                log().warning("stream.position_lost", topic=self.topic, why=str(exc))
                self.memory.forget(self.topic)
                pause = 0.0
            except LoggedOut as exc:
                pause = self._logged_out(exc, failures)
            except Retryable as exc:
                log().warning("stream.broken", topic=self.topic, why=str(exc))
                pause = _delay(failures)
            except Permanent as exc:
                log().error("stream.refused", topic=self.topic, why=str(exc))
                pause = _REFUSED_S
            failures += 1
            self.wait(pause if failures == 1 else max(pause, _delay(failures)))

    def _portions(self) -> Iterator[Portion]:
        after = self.memory.position(self.topic)
        # The first time, too, with what the org still has: nothing is done twice.
        return self.subscribe().portions(after, earliest=True)

    def _keep(self, portion: Portion) -> None:
        at = self.now()
        kept = [
            braked(arrival, self.records)
            for each in portion.events
            for arrival in self._arrivals(each, at)
        ]
        after = portion.events[-1].replay_id if portion.events else portion.position
        if after:
            self.memory.keep(self.topic, kept, after)

    def _arrivals(self, event: Received, at: datetime) -> list[Arrival]:
        name, connection = self.topic.rpartition("/")[2], self.connection()
        # An event whose id cannot be kept has its position: one that cannot be kept
        # at all would come again for ever, and nothing after it.
        event_id = org_events.named(event.id) or f"replay:{event.replay_id.hex()[:190]}"
        if event.problem:
            unread = org_events.unreadable(name, event_id, connection, at)
            return [unread._replace(error=event.problem.replace("\0", ""))]
        found = org_events.arrivals(name, event_id, event.values, connection, at)
        if own_writes.ours(event.values, connection.integration_user_id):
            return [own_writes.put_aside(each) for each in found]
        return found

    def _logged_out(self, exc: LoggedOut, failures: int) -> float:
        try:
            self.log_in()
        except (Retryable, Permanent) as refused:
            log().warning("stream.login_refused", topic=self.topic, why=str(refused))
            return _delay(failures + 1)
        log().info("stream.logged_in_again", topic=self.topic, why=str(exc))
        return 0.0


def _delay(failures: int) -> float:
    longest: float = min(_FIRST_S * 2 ** min(failures, 10), _LONGEST_S)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 no secret depends on it
