"""Which days a report is about."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from sidecar.referral.period import day_of, earlier, month_before, week_before

BERLIN = ZoneInfo("Europe/Berlin")
times = st.integers(0, 3 * 366 * 24 * 3600).map(
    lambda seconds: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
kinds = st.sampled_from([day_of, week_before, month_before])


def test_on_monday_morning_the_week_is_the_one_that_is_over() -> None:
    week = week_before(datetime(2026, 11, 30, 7, tzinfo=UTC), BERLIN)

    assert (week.first, week.last) == (date(2026, 11, 23), date(2026, 11, 29))


def test_on_the_first_the_month_is_the_one_that_is_over() -> None:
    month = month_before(datetime(2027, 1, 1, 7, tzinfo=UTC), BERLIN)

    assert (month.first, month.last) == (date(2026, 12, 1), date(2026, 12, 31))
    assert earlier(month, 10).first == date(2026, 2, 1)
    assert earlier(month, 10).last == date(2026, 2, 28)


def test_the_week_of_a_change_of_clocks_has_an_hour_less() -> None:
    week = week_before(datetime(2026, 3, 30, 6, tzinfo=UTC), BERLIN)

    real = week.ends.astimezone(UTC) - week.starts.astimezone(UTC)
    assert real == timedelta(days=7, hours=-1)


@given(kinds, times, st.integers(1, 30))
def test_periods_follow_each_other_without_a_gap(kind, at, number) -> None:
    period = kind(at, BERLIN)

    assert earlier(period, number).end == earlier(period, number - 1).first
    assert earlier(period, number) == earlier(earlier(period, number - 1), 1)
    assert earlier(period, 0) == period
    if kind is not day_of:
        assert period.ends <= at.astimezone(BERLIN)
