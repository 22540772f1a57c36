"""Back-off: later each time, never together, and not before we were asked to."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.jobs.backoff import MAX_ATTEMPTS, retry_at

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


def delay(attempt: int) -> timedelta:
    return retry_at(attempt, NOW, not_before=None) - NOW


@pytest.mark.parametrize("attempt", [*range(1, 14), 30, 1000])
def test_the_delay_doubles_from_five_seconds_to_two_hours(attempt: int) -> None:
    longest = min(timedelta(seconds=5 * 2 ** min(attempt - 1, 30)), 2 * HOUR)

    delays = [delay(attempt) for _ in range(100)]
    assert longest / 2 <= min(delays) <= max(delays) <= longest


def test_what_failed_together_does_not_come_back_together() -> None:
    assert len({delay(5) for _ in range(50)}) > 40


@given(attempt=st.integers(1, 30), minutes=st.integers(-60, 3 * 24 * 60))
def test_nobody_is_called_before_the_moment_they_asked_for(
    attempt: int, minutes: int
) -> None:
    asked = NOW + timedelta(minutes=minutes)

    at = retry_at(attempt, NOW, not_before=asked)

    assert at >= asked
    assert at > NOW


def test_a_night_without_the_other_side_is_not_the_end() -> None:
    """Half of the longest delays is the shortest that there can be."""
    shortest = sum(
        (min(timedelta(seconds=5 * 2**n), 2 * HOUR) for n in range(MAX_ATTEMPTS - 1)),
        timedelta(),
    )

    assert 10 * HOUR < shortest < 11 * HOUR
