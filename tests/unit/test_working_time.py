"""Working time: what is promised in working days and hours is due while people work."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.referral.working_time import (
    OFFICE_HOURS,
    Day,
    Hours,
    Promise,
    WorkingWeek,
    after,
    between,
    due_at,
    is_working,
    spans,
)

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
def days(draw: st.DrawFn, from_hour: int) -> Day:
    """A day of up to three stretches of work, which may touch each other."""
    edges = draw(
        st.lists(st.integers(from_hour * 60, 24 * 60), max_size=6, unique=True)
    )
    clocks = [time(*divmod(edge % (24 * 60), 60)) for edge in sorted(edges)]
    return tuple(map(Hours, clocks[::2], clocks[1::2]))


@st.composite
def weeks(draw: st.DrawFn, *, from_hour: int = 0) -> WorkingWeek:
    """Working weeks of every kind; ``from_hour`` keeps clear of changing clocks."""
    return WorkingWeek(
        draw(ZONES),
        days=draw(st.lists(days(from_hour), min_size=7, max_size=7).filter(any)),
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
    before = due - timedelta(microseconds=1)
    assert is_working(due, week) or is_working(before, week)


@given(
    at=MOMENTS,
    amounts=st.tuples(*[st.timedeltas(timedelta(), timedelta(hours=90))] * 2),
    week=weeks(),
)
def test_working_time_adds_up(
    at: datetime, amounts: tuple[timedelta, timedelta], week: WorkingWeek
) -> None:
    """However it is parted, it is as long; and what was added is what is counted."""
    one, other = amounts

    whole = after(at, one + other, week)

    assert between(at, whole, week) == one + other
    first = after(at, one, week)
    assert between(at, first, week) == one
    assert between(first, whole, week) == other
    assert after(first, other, week) == whole or not other
    assert between(whole, at, week) == timedelta()


@given(at=MOMENTS, week=weeks())
def test_working_hours_follow_each_other(at: datetime, week: WorkingWeek) -> None:
    """Also where the clocks leave out an hour between two stretches of work."""
    found = spans(at, week)
    some = [next(found) for _ in range(20)]

    assert some[0][1] > at
    assert all(opens < closes for opens, closes in some)
    assert all(one[1] <= other[0] for one, other in pairwise(some))
    for opens, closes in some:
        assert is_working(opens, week)
        assert is_working(closes - timedelta(microseconds=1), week)


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


def test_lunch_is_no_working_time() -> None:
    day = (Hours(time(8), time(12)), Hours(time(13), time(16, 30)))
    week = WorkingWeek(BERLIN, days=[day] * 5 + [(), ()])

    due = due_at(berlin(WEDNESDAY, "11:00"), Promise(hours=2), week)
    assert due == berlin(WEDNESDAY, "14:00")
    assert not is_working(berlin(WEDNESDAY, "12:00"), week)
    assert is_working(berlin(WEDNESDAY, "13:00"), week)
    end = due_at(berlin(WEDNESDAY, "11:00"), Promise(days=1), week)
    assert end == berlin(date(2026, 1, 15), "16:30")


def test_a_night_shift_does_not_go_back_in_time_with_the_clocks() -> None:
    """Between two and three, on 25 October, Berlin's clocks show each minute twice."""
    week = WorkingWeek(BERLIN, days=[(Hours(time(0), time(0)),)] * 7)
    second_time = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 again

    assert due_at(second_time, Promise(), week).astimezone(UTC) == second_time
    assert due_at(second_time, Promise(hours=2), week).astimezone(
        UTC
    ) == second_time + timedelta(hours=2)


OFFICE = OFFICE_HOURS[0]
NINE, FIVE, NOON = time(9), time(17), time(12)


@pytest.mark.parametrize(
    "days",
    [
        [()] * 7,
        [OFFICE] * 5,
        [(Hours(FIVE, NINE),)] * 7,
        [(Hours(NINE, NINE),)] * 7,
        [(Hours(NINE, FIVE), Hours(NOON, time(0)))] * 7,
        [(Hours(NINE, time(0)), Hours(NOON, time(0)))] * 7,
    ],
)
def test_a_week_in_which_nobody_works_is_refused(days: list[Day]) -> None:
    with pytest.raises(ValueError, match="a working"):
        WorkingWeek(BERLIN, days=days)


def test_holidays_without_end_are_an_error_not_a_loop() -> None:
    days = frozenset(WEDNESDAY + timedelta(days=n) for n in range(800))
    week = WorkingWeek(BERLIN, holidays=days)

    with pytest.raises(ValueError, match="no working day"):
        due_at(berlin(WEDNESDAY, "10:00"), Promise(days=1), week)
