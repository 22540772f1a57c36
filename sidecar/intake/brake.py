"""The brake on storms: a record that changes without end is worked on now and then.

A loop between two systems, ours or others', changes one record again and again. What
comes beyond the limit is kept like everything else, and waits until the window ends:
then the last state counts and the rest is older. The loop turns as slowly as that.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta

from sidecar.logs import log
from sidecar.store.inbox import Arrival

LIMIT = 30
"""Changes of one record within a window. A person makes two or three."""

WINDOW = timedelta(minutes=1)


class Brake:
    """Counts the changes of each record; shared by the threads of a process."""

    def __init__(
        self,
        *,
        limit: int = LIMIT,
        window: timedelta = WINDOW,
        remembered: int = 10_000,
    ) -> None:
        """
        Args:
            remembered: so many records at most, those that were heard of last.
        """
        self._limit = limit
        self._window = window
        self._remembered = remembered
        self._windows: OrderedDict[Hashable, tuple[datetime, int]] = OrderedDict()
        self._lock = threading.Lock()

    def until(self, record: Hashable, *, at: datetime) -> datetime | None:
        """
        Count a change, and say until when it has to wait; None: not at all.

        Args:
            at: aware.
        """
        with self._lock:
            began, count = self._windows.get(record, (at, 0))
            if not began <= at < began + self._window:
                began, count = at, 0
            self._windows[record] = (began, count + 1)
            self._windows.move_to_end(record)
            if len(self._windows) > self._remembered:
                self._windows.popitem(last=False)
        return began + self._window if count >= self._limit else None


def braked(arrival: Arrival, records: Brake) -> Arrival:
    """Let a record that changes without end wait; it is kept all the same."""
    if arrival.record_id is None or arrival.outcome or arrival.error:
        return arrival
    record = (arrival.connection_id, arrival.record_id)
    until = records.until(record, at=arrival.received_at)
    if until is None:
        return arrival
    log().warning("events.storm", record=arrival.record_id, until=until)
    why = "a storm: this record changes again and again; the last state will count"
    return arrival._replace(due_at=until, error=why)
