"""Promise 6: a silence longer than the usual pace is told, with what may be lost."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sidecar.referral.pace import silence

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOURLY = [START + timedelta(hours=number) for number in range(10)]


def test_an_action_at_its_usual_pace_is_not_silent():
    assert silence(HOURLY, HOURLY[-1] + timedelta(hours=2)) is None


def test_a_silence_is_told_with_its_beginning_and_nothing_is_lost_within_a_day():
    found = silence(HOURLY, HOURLY[-1] + timedelta(hours=3))

    assert found is not None
    assert found.since == HOURLY[-1]
    assert found.usual == timedelta(hours=1)
    assert found.dropped_until is None


def test_after_a_day_the_window_of_loss_is_told():
    now = HOURLY[-1] + timedelta(hours=40)
    found = silence(HOURLY, now)

    assert found is not None
    assert found.dropped_until == now - timedelta(hours=24)


def test_few_messages_have_no_pace():
    assert silence(HOURLY[:4], START + timedelta(days=30)) is None


@given(
    st.lists(st.integers(0, 10**6), min_size=5, max_size=60, unique=True),
    st.integers(0, 10**6),
)
def test_a_silence_never_gets_better_by_waiting(seconds, waited):
    arrivals = [START + timedelta(seconds=number) for number in seconds]
    now = max(arrivals) + timedelta(seconds=waited)
    if silence(arrivals, now) is not None:
        assert silence(arrivals, now + timedelta(hours=1)) is not None
