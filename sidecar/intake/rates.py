"""How much of something is taken from one sender: so many a second, and a burst."""

import threading
from collections import OrderedDict
from collections.abc import Hashable


class Rates:
    """
    A bucket for each sender, shared by the threads of a process.

    A bucket holds ``burst`` at first and is filled again by ``per_second``. Of senders
    who have not been heard of for long nothing is remembered: theirs are full.
    """

    def __init__(
        self, *, per_second: float, burst: int, remembered: int = 10_000
    ) -> None:
        """
        Args:
            remembered: so many senders at most, so that a flood fills no memory.
        """
        self._per_second = per_second
        self._burst = float(burst)
        self._remembered = remembered
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, sender: Hashable, *, at: float) -> float:
        """
        Say how long a sender has to wait; nothing is taken.

        Args:
            at: of a clock that never goes back, in seconds.

        Returns:
            Seconds; 0.0 where the next one is taken at once.
        """
        with self._lock:
            level = self._level(sender, at)
        return max(0.0, (1.0 - level) / self._per_second)

    def take(self, sender: Hashable, *, at: float) -> float:
        """Take one, unless the sender has to wait: then as ``wait``."""
        with self._lock:
            level = self._level(sender, at)
            if level < 1.0:
                return (1.0 - level) / self._per_second
            self._keep(sender, level - 1.0, at)
        return 0.0

    def give_back(self, sender: Hashable, *, at: float) -> None:
        """Undo ``take``: it was somebody else in the sender's name."""
        with self._lock:
            self._keep(sender, min(self._burst, self._level(sender, at) + 1.0), at)

    def _level(self, sender: Hashable, at: float) -> float:
        known = self._buckets.get(sender)
        if known is None:
            return self._burst
        level, since = known
        return min(self._burst, level + max(0.0, at - since) * self._per_second)

    def _keep(self, sender: Hashable, level: float, at: float) -> None:
        self._buckets[sender] = (level, at)
        self._buckets.move_to_end(sender)
        if len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
