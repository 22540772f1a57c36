"""How many API calls the org allows in 24 hours, and how many it has had.

Source: "API Request Limits and Allocations": one call is one request, however many
records it carries; the count is over a rolling 24 hours.
"""

from collections import Counter, deque
from datetime import datetime, timedelta

from sidecar.devorg.clock import OrgClock
from sidecar.devorg.refusal import Refusal

_DAY = timedelta(hours=24)


class Limits:
    """Counts calls by minute of org time."""

    def __init__(self, *, clock: OrgClock, daily: int) -> None:
        """``daily`` is the number of calls allowed in 24 hours."""
        self.daily = daily
        self.calls: Counter[str] = Counter()
        self._clock = clock
        self._minutes: deque[tuple[datetime, int]] = deque()
        self._used = 0

    @property
    def used(self) -> int:
        """Calls within the last 24 hours."""
        self._forget()
        return self._used

    def count(self, kind: str) -> None:
        """
        Count one call.

        Args:
            kind: what was called, as ``GET query``; for the call counter only.

        Raises:
            Refusal: REQUEST_LIMIT_EXCEEDED, the call is one too many.
        """
        self.calls[kind] += 1
        if self.used >= self.daily:
            raise Refusal(
                "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403
            )
        minute = self._clock.now().replace(second=0, microsecond=0)
        if self._minutes and self._minutes[-1][0] == minute:
            self._minutes[-1] = (minute, self._minutes[-1][1] + 1)
        else:
            self._minutes.append((minute, 1))
        self._used += 1

    def header(self) -> str:
        """Return the value of ``Sforce-Limit-Info``."""
        return f"api-usage={self.used}/{self.daily}"

    def reset(self) -> None:
        """Forget all calls."""
        self.calls.clear()
        self._minutes.clear()
        self._used = 0

    def _forget(self) -> None:
        oldest = self._clock.now() - _DAY
        while self._minutes and self._minutes[0][0] <= oldest:
            self._used -= self._minutes.popleft()[1]
