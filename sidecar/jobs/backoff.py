"""When to try again."""

import random
from datetime import datetime, timedelta

MAX_ATTEMPTS = 16
"""With the delays below: given up on after some eight hours, eleven at most."""

_FIRST = timedelta(seconds=5)
_LONGEST = timedelta(hours=2)


def retry_at(attempt: int, now: datetime, *, not_before: datetime | None) -> datetime:
    """
    Give the moment of the next attempt.

    The delay doubles and is jittered by half, so that what failed together does not
    come back together.

    Args:
        attempt: the number of the attempt that failed, from 1.
        not_before: what the other side asked for.
    """
    delay: timedelta = min(_FIRST * 2 ** min(attempt - 1, 20), _LONGEST)
    at = now + delay * random.uniform(0.5, 1.0)  # noqa: S311 no secret depends on it
    return max(at, not_before) if not_before else at
