"""The connections that are kept, and the server that is left in peace."""

import random
import smtplib
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from sidecar.errors import Retryable

IDLE_SECONDS = 30.0
"""Servers wait for five minutes (RFC 5321, section 4.5.3.2.7), firewalls for less."""
_FIRST_REST, _LONGEST_REST = timedelta(seconds=10), timedelta(minutes=10)


class Away(Retryable):
    """
    The server takes no mail at the moment, whatever the letter.

    Attributes:
        costs: whether it said so after it had heard to whom this letter goes. Then it
            may be because of this letter, which must not keep others waiting for ever.
    """

    def __init__(
        self, message: str, *, retry_at: datetime | None = None, costs: bool = False
    ) -> None:
        """``message`` and ``retry_at`` as in ``Retryable``."""
        super().__init__(message, retry_at=retry_at)
        self.costs = costs


class Rest:
    """How long a server is left in peace: longer each time, up to ten minutes."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._times = 0
        self._until: datetime | None = None
        self._why = ""

    def check(self) -> None:
        """Raise Away while it lasts."""
        if self._until is not None and self._now() < self._until:
            raise Away(self._why, retry_at=self._until)

    def begin(self, why: str) -> datetime:
        """Begin, or begin again; until when."""
        pause = min(_FIRST_REST * 2 ** min(self._times, 10), _LONGEST_REST)
        self._times += 1
        self._why = why
        # Workers that were sent away together do not come back together.
        self._until = self._now() + pause * random.uniform(0.75, 1.0)  # noqa: S311
        return self._until

    def end(self) -> None:
        """The server works."""
        self._times, self._until = 0, None


class Idle:
    """Connections that nobody uses at the moment; each is closed after a while."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: list[tuple[float, smtplib.SMTP]] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def take(self) -> smtplib.SMTP | None:
        """Take the one that was used last."""
        with self._lock:
            return self._kept.pop()[1] if self._kept else None

    def give(self, smtp: smtplib.SMTP) -> None:
        """Keep one for whoever comes next."""
        with self._lock:
            self._kept.append((time.monotonic() + self._seconds, smtp))
            self._watch()

    def close(self, *, before: float | None = None) -> None:
        """Close those whose time is over; all of them by default."""
        with self._lock:
            over = [one for one in self._kept if before is None or one[0] <= before]
            self._kept = [one for one in self._kept if one not in over]
        for _, smtp in over:
            with suppress(OSError):
                smtp.quit()
            smtp.close()

    def _watch(self) -> None:
        if self._timer is None and self._kept:
            self._timer = threading.Timer(self._seconds, self._look)
            self._timer.daemon = True
            self._timer.start()

    def _look(self) -> None:
        self.close(before=time.monotonic())
        with self._lock:
            self._timer = None
            self._watch()
