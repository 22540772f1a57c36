"""Working time: what is promised in working days and hours is due while people work."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.referral.working_time import Promise, WorkingWeek, due_at

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = WorkingWeek(BERLIN)
WEDNESDAY = date(2026, 1, 14)

ZONES = st.sampled_from(
    [
        ZoneInfo(name)
        for name in (
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "America/St_Johns",
            "Asia/Kolkata",
            "Asia/Kathmandu",
            "Australia/Lord_Howe",  # its clocks change by half an hour
            "Pacific/Chatham",
            "Pacific/Kiritimati",
            "Africa/Casablanca",
            "America/Havana",  # its clocks change at midnight
        )
    ]
)
MOMENTS = st.integers(0, 400 * 24 * 60).map(
    lambda minutes: datetime(2025, 12, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
PROMISES = st.one_of(
    st.builds(Promise, days=st.integers(0, 30)),
    st.builds(Promise, hours=st.integers(0, 200)),
)


@st.composite
def weeks(draw: st.DrawFn, *, from_hour: int = 0) -> WorkingWeek:
    """Working weeks of every kind; ``from_hour`` keeps clear of changing clocks."""
    starts = draw(st.integers(from_hour * 60, 23 * 60))
    ends = draw(st.integers(starts + 1, 24 * 60 - 1))
    return WorkingWeek(
        draw(ZONES),
        days=draw(st.frozensets(st.integers(0, 6), min_size=1)),
        starts=time(*divmod(starts, 60)),
        ends=time(*divmod(ends, 60)),
        holidays=draw(
            st.frozensets(st.dates(date(2025, 12, 20), date(2026, 12, 31)), max_size=9)
        ),
    )


def berlin(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), BERLIN)


@pytest.mark.parametrize(
    ("at", "promise", "due"),
    [
        # at once: now, or when work begins
        ("2026-01-14T10:00", Promise(), "2026-01-14T10:00"),
        ("2026-01-14T07:00", Promise(), "2026-01-14T09:00"),
        ("2026-01-14T17:00", Promise(), "2026-01-15T09:00"),
        ("2026-01-17T12:00", Promise(), "2026-01-19T09:00"),
        # hours are counted while the team works
        ("2026-01-14T10:00", Promise(hours=4), "2026-01-14T14:00"),
        ("2026-01-14T13:00", Promise(hours=4), "2026-01-14T17:00"),
        ("2026-01-14T15:30", Promise(hours=4), "2026-01-15T11:30"),
        ("2026-01-16T16:00", Promise(hours=2), "2026-01-19T10:00"),
        ("2026-01-14T09:00", Promise(hours=24), "2026-01-16T17:00"),
        # days end at the close of the last one
        ("2026-01-14T10:00", Promise(days=1), "2026-01-15T17:00"),
        ("2026-01-16T10:00", Promise(days=1), "2026-01-19T17:00"),
        ("2026-01-16T18:00", Promise(days=1), "2026-01-20T17:00"),
        ("2026-01-14T10:00", Promise(days=5), "2026-01-21T17:00"),
        # clocks go forward on 29 March and back on 25 October: work goes on as ever
        ("2026-03-27T15:00", Promise(hours=4), "2026-03-30T11:00"),
        ("2026-03-27T15:00", Promise(days=1), "2026-03-30T17:00"),
        ("2026-10-23T15:00", Promise(hours=4), "2026-10-26T11:00"),
        ("2026-10-23T15:00", Promise(days=1), "2026-10-26T17:00"),
    ],
)
def test_due_dates_of_a_berlin_team(at: str, promise: Promise, due: str) -> None:
    now = datetime.fromisoformat(at).replace(tzinfo=BERLIN)

    told = due_at(now, promise, WEEK)

    assert told.isoformat(timespec="minutes")[:16] == due
    assert told.tzinfo is BERLIN


def test_nobody_works_on_holidays() -> None:
    week = WorkingWeek(BERLIN, holidays=frozenset({date(2026, 1, 15)}))

    assert due_at(berlin(WEDNESDAY, "10:00"), Promise(days=1), week) == berlin(
        date(2026, 1, 16), "17:00"
    )


def test_a_moment_in_another_zone_is_the_same_moment() -> None:
    at = berlin(WEDNESDAY, "10:00").astimezone(ZoneInfo("Asia/Tokyo"))

    assert due_at(at, Promise(hours=1), WEEK) == berlin(WEDNESDAY, "11:00")


@pytest.mark.parametrize("promise", [Promise(), Promise(hours=3), Promise(days=1)])
def test_through_a_whole_year_hour_by_hour_nothing_is_due_outside_work(
    promise: Promise,
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    due = [due_at(start + timedelta(hours=n), promise, WEEK) for n in range(366 * 24)]

    assert all(at.weekday() < 5 for at in due)
    assert all(time(9) <= at.time() <= time(17) for at in due)
    assert all(a.astimezone(UTC) <= b.astimezone(UTC) for a, b in pairwise(due))


@given(now=MOMENTS, promise=PROMISES, week=weeks(from_hour=4))
def test_due_is_always_within_working_time(
    now: datetime, promise: Promise, week: WorkingWeek
) -> None:
    due = due_at(now, promise, week)

    assert due >= now
    assert week.works_on(due.date())
    assert week.starts <= due.time() <= week.ends


@given(
    moments=st.tuples(MOMENTS, st.timedeltas(timedelta(), timedelta(days=3))),
    promise=PROMISES,
    week=weeks(),
)
def test_a_later_moment_is_never_due_earlier(
    moments: tuple[datetime, timedelta], promise: Promise, week: WorkingWeek
) -> None:
    now, later = moments

    earlier_due = due_at(now, promise, week).astimezone(UTC)
    assert earlier_due <= due_at(now + later, promise, week).astimezone(UTC)
    assert earlier_due >= now


@given(now=MOMENTS, hours=st.integers(0, 60), more=st.integers(0, 60), week=weeks())
def test_a_longer_promise_is_never_due_earlier(
    now: datetime, hours: int, more: int, week: WorkingWeek
) -> None:
    for one, other in (
        (Promise(hours=hours), Promise(hours=hours + more)),
        (Promise(days=hours), Promise(days=hours + more)),
    ):
        first, second = due_at(now, one, week), due_at(now, other, week)
        assert first.astimezone(UTC) <= second.astimezone(UTC)


def test_a_night_shift_does_not_go_back_in_time_with_the_clocks() -> None:
    """Between two and three, on 25 October, Berlin's clocks show each minute twice."""
    week = WorkingWeek(
        BERLIN, days=frozenset(range(7)), starts=time(0), ends=time(23, 59)
    )
    second_time = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 again

    assert due_at(second_time, Promise(), week).astimezone(UTC) == second_time
    assert due_at(second_time, Promise(hours=2), week).astimezone(
        UTC
    ) == second_time + timedelta(hours=2)


@pytest.mark.parametrize(
    "given",
    [
        {"days": frozenset()},
        {"days": frozenset({7})},
        {"starts": time(17), "ends": time(9)},
        {"starts": time(9), "ends": time(9)},
    ],
)
def test_a_week_in_which_nobody_works_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a working"):
        WorkingWeek(BERLIN, **given)  # type: ignore[arg-type]


def test_holidays_without_end_are_an_error_not_a_loop() -> None:
    days = frozenset(WEDNESDAY + timedelta(days=n) for n in range(800))
    week = WorkingWeek(BERLIN, holidays=days)

    with pytest.raises(ValueError, match="no working day"):
        due_at(berlin(WEDNESDAY, "10:00"), Promise(days=1), week)
