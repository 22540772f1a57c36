"""What waits to be sent, which of it is due, and what became of the rest."""

import heapq
import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

LIFETIME = timedelta(hours=24)
LONGEST_RETRY = timedelta(hours=2)
# No official table of the first intervals exists; administrators report half a
# minute and doubling.
FIRST_RETRY = timedelta(seconds=30)


@dataclass(slots=True, eq=False)
class Notification:
    """
    One change of one record that some endpoint has not acknowledged.

    Attributes:
        id: 18 characters, ``04l…``; the same in every attempt.
        error: why the latest attempt failed, in Salesforce's words.
        held: the ``delay`` switch has already put it off.
    """

    id: str
    action_id: str
    record_id: str
    queued_at: datetime
    due_at: datetime
    attempts: int = 0
    error: str | None = None
    held: bool = False

    def expired(self, now: datetime) -> bool:
        """Tell whether Salesforce would give up on it."""
        return now - self.queued_at >= LIFETIME


class Queue:
    """Notifications by action, those that are due apart from those that are not.

    Not thread-safe: the sender holds its lock around each call.
    """

    def __init__(self, *, rng: random.Random) -> None:
        """``rng`` spreads the retries, so that they come out of order."""
        self._rng = rng
        self._due: dict[str, deque[Notification]] = {}
        self._later: list[tuple[datetime, int, Notification]] = []
        self._serial = 0

    def __len__(self) -> int:
        return sum(map(len, self._due.values())) + len(self._later)

    def waiting(self) -> list[Notification]:
        """Return all that is queued, in no order."""
        later = [entry[2] for entry in self._later]
        return [each for due in self._due.values() for each in due] + later

    def put(self, new: Notification) -> None:
        """Queue a notification that is due at once."""
        self._due.setdefault(new.action_id, deque()).append(new)

    def put_off(self, each: Notification, until: datetime) -> None:
        """Queue a notification that is due at ``until``."""
        each.due_at = until
        self._serial += 1
        heapq.heappush(self._later, (until, self._serial, each))

    def retry(self, failed: Iterable[Notification], reason: str, now: datetime) -> None:
        """Queue notifications again, each after its own, doubled interval."""
        for each in failed:
            each.attempts += 1
            each.error = reason
            interval = min(FIRST_RETRY * 2 ** (each.attempts - 1), LONGEST_RETRY)
            spread = self._rng.uniform(0.8, 1.0)
            self.put_off(each, now + interval * spread)

    def next_due(self) -> datetime | None:
        """Return when the next put-off notification is due; None when none waits."""
        return self._later[0][0] if self._later else None

    def hasten(self) -> None:
        """Make all that waits due: the admin's "Retry" in the queue page."""
        for _, _, each in self._later:
            self.put(each)
        self._later.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._due.clear()
        self._later.clear()

    def take(
        self, now: datetime, at_most: int, *, shuffled: bool = False
    ) -> list[Notification]:
        """
        Take due notifications of one action, the one that waits longest first.

        Args:
            shuffled: take any of them, in any order.

        Returns:
            1 to ``at_most`` notifications; empty when nothing is due.
        """
        while self._later and self._later[0][0] <= now:
            self.put(heapq.heappop(self._later)[2])
        heads = [due for due in self._due.values() if due]
        if not heads:
            return []
        due = min(heads, key=lambda each: each[0].due_at)
        if shuffled:
            mixed = list(due)
            self._rng.shuffle(mixed)
            due.clear()
            due.extend(mixed)
        return [due.popleft() for _ in range(min(at_most, len(due)))]
