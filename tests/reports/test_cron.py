"""When a cron expression comes to pass on a wall whose clock is put forth and back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import Permanent
from sidecar.jobs.reports import cron

BERLIN = ZoneInfo("Europe/Berlin")


def moments(expression: str, first: str, number: int, zone=BERLIN) -> list[str]:
    """The next ones after a local time, as the wall's clock shows them."""
    at = datetime.fromisoformat(first).replace(tzinfo=zone)
    found = []
    for _ in range(number):
        at = cron.following(expression, zone, at)
        found.append(at.astimezone(zone).strftime("%a %m-%d %H:%M %Z"))
    return found


def test_a_report_of_working_days_passes_over_the_weekend() -> None:
    assert moments("30 7 * * 1-5", "2026-11-27T07:30", 2) == [
        "Mon 11-30 07:30 CET",
        "Tue 12-01 07:30 CET",
    ]


def test_an_hour_that_is_left_out_fires_all_the_same_and_once() -> None:
    assert moments("30 2 * * *", "2026-03-28T03:00", 2) == [
        "Sun 03-29 03:00 CEST",
        "Mon 03-30 02:30 CEST",
    ]
    assert moments("*/20 2,3 * * *", "2026-03-29T01:59", 4) == [
        "Sun 03-29 03:00 CEST",
        "Sun 03-29 03:20 CEST",
        "Sun 03-29 03:40 CEST",
        "Mon 03-30 02:00 CEST",
    ]


def test_an_hour_that_comes_twice_fires_once() -> None:
    assert moments("30 2 * * *", "2026-10-24T03:00", 2) == [
        "Sun 10-25 02:30 CEST",
        "Mon 10-26 02:30 CET",
    ]


@pytest.mark.parametrize("minutes", [0, 29, 31, 59])
def test_in_the_second_passage_of_an_hour_nothing_of_the_first_is_due(minutes) -> None:
    second = datetime(2026, 10, 25, 1, minutes, tzinfo=UTC)
    assert second.astimezone(BERLIN).fold == 1

    due = cron.following("30 2 * * *", BERLIN, second)
    assert due == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
    assert cron.latest("30 2 * * *", BERLIN, second) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


zones = st.sampled_from(
    [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",  # by half an hour
        "Antarctica/Troll",  # by two hours
        "Asia/Kolkata",
    ]
).map(ZoneInfo)
expressions = st.sampled_from(
    ["30 7 * * 1-5", "0 8 * * 1", "0 9 1 * *", "30 2 * * *", "15 * * * *", "0 0 * * *"]
)
times = st.integers(0, 2 * 366 * 24 * 3600).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(expressions, zones, times)
def test_what_follows_was_the_latest_when_it_came(expression, zone, at) -> None:
    due = cron.following(expression, zone, at)

    assert due > at
    assert cron.latest(expression, zone, due) == due
    assert cron.latest(expression, zone, due - timedelta(seconds=1)) <= at
    assert cron.following(expression, zone, due - timedelta(seconds=1)) == due


@given(zones)
def test_in_two_years_each_day_has_one_run_whatever_the_clocks_do(zone) -> None:
    at = datetime(2026, 1, 1, tzinfo=zone)
    days = []
    while at.year < 2028 or at.astimezone(zone).year < 2028:
        at = cron.following("30 2 * * *", zone, at)
        days.append(at.astimezone(zone).date())
    assert days == sorted(set(days))
    assert (days[-1] - days[0]).days == len(days) - 1


@pytest.mark.parametrize(
    "wrong", ["", "8", "* * * *", "* * * * * *", "0 25 * * *", "x", "0 0 30 2 *"]
)
def test_what_is_no_cron_expression_is_refused_with_what_it_takes(wrong) -> None:
    with pytest.raises(Permanent, match="no cron expression"):
        cron.checked(wrong)


def test_blanks_of_a_cron_expression_are_put_in_order() -> None:
    assert cron.checked("  0  8 * *\t1 ") == "0 8 * * 1"
