"""The org's own clock, which may run faster than the wall's, and be moved."""

import threading
import time
from datetime import UTC, datetime, timedelta


class OrgClock:
    """Aware UTC time that starts at ``start`` and runs ``speed`` times as fast."""

    def __init__(self, *, speed: float = 1.0, start: datetime | None = None) -> None:
        """``start`` is aware; None means the wall's time."""
        self._speed = speed
        self._start = start or datetime.now(UTC)
        self._zero = time.monotonic()
        # Whoever waits for org time waits here, to be told when it jumps.
        self._moved = threading.Condition()

    @property
    def speed(self) -> float:
        """Org seconds per real second."""
        return self._speed

    def now(self) -> datetime:
        """Return the org's time, aware UTC, with microseconds."""
        passed = (time.monotonic() - self._zero) * self._speed
        return self._start + timedelta(seconds=passed)

    def second(self) -> datetime:
        """Return the org's time cut to seconds: what audit fields hold."""
        return self.now().replace(microsecond=0)

    def advance(self, by: timedelta) -> None:
        """Jump forward, and wake whoever waits."""
        with self._moved:
            self._start += by
            self._moved.notify_all()

    def set_speed(self, speed: float) -> None:
        """Run ``speed`` times as fast from now on, and wake whoever waits."""
        with self._moved:
            self._start, self._zero = self.now(), time.monotonic()
            self._speed = speed
            self._moved.notify_all()

    def real_seconds_until(self, when: datetime) -> float:
        """Return how long that is on the wall's clock; 0 when it has passed."""
        left = (when - self.now()).total_seconds()
        return max(0.0, left / self._speed) if self._speed > 0 else float("inf")

    def wait_until(self, when: datetime | None, *, at_most: float = 3600.0) -> None:
        """
        Sleep until org time ``when``, a nudge, or ``at_most`` real seconds.

        May return early: the caller looks at the clock again.
        """
        with self._moved:
            seconds = at_most if when is None else self.real_seconds_until(when)
            if seconds > 0:
                self._moved.wait(min(seconds, at_most))

    def nudge(self) -> None:
        """Wake whoever waits, although the time did not jump."""
        with self._moved:
            self._moved.notify_all()
