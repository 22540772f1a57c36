"""The pace of a sender: has it fallen silent, and what may be lost by now?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

KEPT = timedelta(hours=24)
"""How long Salesforce keeps what is not acknowledged: "Understanding Notifications"."""

_ENOUGH = 5
_SHORTEST = timedelta(hours=1)


@dataclass(frozen=True)
class Silence:
    """
    Nothing came for longer than usual.

    Attributes:
        since: when the last message came.
        usual: the gap that is rarely exceeded.
        dropped_until: what was queued between ``since`` and then is dropped by now,
            if it was never delivered; None as long as Salesforce keeps all of it.
    """

    since: datetime
    usual: timedelta
    dropped_until: datetime | None


class Meaning(StrEnum):
    """What the org's own records say about a silence."""

    QUIET = "quiet"  # nothing has changed, so there was nothing to tell
    LOSING = "losing"  # things have changed, and nobody told
    OPEN = "open"  # nobody has looked since it began


def meaning(
    since: datetime, now: datetime, *, compared_until: datetime | None, untold: int
) -> Meaning:
    """
    Say what a silence means, where the org's own records have been looked at.

    Args:
        since: when the last message came.
        compared_until: up to when the org's records are compared; None: never.
        untold: changes since then that no message told of.
    """
    if untold:
        return Meaning.LOSING
    if compared_until is None or compared_until <= since:
        return Meaning.OPEN
    return Meaning.QUIET if now - compared_until <= _SHORTEST else Meaning.OPEN


def silence(arrivals: Sequence[datetime], now: datetime) -> Silence | None:
    """
    Tell whether a sender has been silent for longer than its usual pace.

    Args:
        arrivals: when its messages came, in any order.
        now: aware, as they are.

    Returns:
        None where all is usual, or where fewer than five messages came and nobody
        can say what is. Silence begins at twice the gap that nineteen in twenty of
        its gaps do not exceed, and never before an hour.
    """
    moments = sorted(set(arrivals))
    if len(moments) < _ENOUGH:
        return None
    gaps = sorted(later - earlier for earlier, later in pairwise(moments))
    usual = gaps[len(gaps) * 19 // 20]
    since = moments[-1]
    if now - since <= max(2 * usual, _SHORTEST):
        return None
    dropped_until = now - KEPT
    return Silence(since, usual, dropped_until if dropped_until > since else None)
