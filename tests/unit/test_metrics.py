"""Numbers about referrals: what they count, and what they may be asked."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sidecar.referral.journey import Milestone
from sidecar.referral.metrics import (
    ENOUGH,
    FUNNEL,
    Course,
    Share,
    figures,
    funnel,
    questions,
)

STARTS = datetime(2026, 11, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ENDS = STARTS + 30 * DAY

moments = st.integers(-90 * 24, 60 * 24).map(lambda hours: STARTS + hours * HOUR)
courses = st.builds(
    Course,
    key=st.just("k"),
    owner_id=st.sampled_from([None, "005A", "005B"]),
    team=st.just(""),
    kind=st.sampled_from(["", "Partner", "Customer"]),
    reached=st.dictionaries(st.sampled_from(list(Milestone)), moments, min_size=1),
    kept=st.sampled_from([None, True, False]),
    amount=st.none() | st.integers(0, 10_000).map(Decimal),
)
many = st.lists(courses, max_size=60)


def answered(
    number: int, *, kind: str = "", wait: int = 1, owner_id: str = "005A", **more
) -> list[Course]:
    """Make so many, each first contacted after so many hours, within the period."""
    return [
        Course(
            key=f"{kind}{place}",
            owner_id=owner_id,
            team="",
            kind=kind,
            reached={
                Milestone.SUBMITTED: STARTS + DAY + place * HOUR,
                Milestone.CONTACTED: STARTS + DAY + (place + wait) * HOUR,
            },
            **more,
        )
        for place in range(number)
    ]


def asked(some: list[Course], before: list[Course] | None = None) -> list[str]:
    now = figures(some, STARTS, ENDS)
    then = figures(before or [], STARTS, ENDS)
    return [item.rule for item in questions(some, now, then, starts=STARTS, ends=ENDS)]


@given(many, st.integers(0, 30))
def test_two_halves_of_a_period_have_together_what_the_whole_has(some, days) -> None:
    middle = STARTS + days * DAY
    whole = figures(some, STARTS, ENDS)
    first, second = figures(some, STARTS, middle), figures(some, middle, ENDS)

    for name in ("new", "contacted", "qualified", "won", "lost"):
        assert getattr(first, name) + getattr(second, name) == getattr(whole, name)
    assert first.value.amount + second.value.amount == whole.value.amount
    assert first.response.n + second.response.n == whole.response.n
    for part in range(2):
        halves = first.in_time[part] + second.in_time[part]
        assert halves == whole.in_time[part]


@given(many)
def test_no_number_is_of_more_than_there_are(some) -> None:
    whole = figures(some, STARTS, ENDS)

    assert whole.in_time.part <= whole.in_time.of <= whole.new <= len(some)
    assert whole.value.n <= whole.value.of == whole.won
    assert (whole.response.middle is None) == (whole.response.n == 0)
    if whole.response.middle is not None:
        waits = [
            item.responded - item.began
            for item in some
            if item.responded and STARTS <= item.responded < ENDS
        ]
        assert min(waits) <= whole.response.middle <= max(waits)
        assert sum(wait <= whole.response.middle for wait in waits) * 2 >= len(waits)


@given(many)
def test_nobody_is_further_down_the_funnel_than_above(some) -> None:
    counts = list(funnel(some, STARTS, ENDS).values())

    assert counts == sorted(counts, reverse=True)
    assert counts[0] == figures(some, STARTS, ENDS).new
    assert len(counts) == len(FUNNEL)


@given(many, many)
def test_questions_are_three_at_most_and_rest_on_enough(some, before) -> None:
    now, then = figures(some, STARTS, ENDS), figures(before, STARTS, ENDS)
    found = questions(some, now, then, starts=STARTS, ends=ENDS)

    assert len(found) <= 3
    assert [item.strength for item in found] == sorted(
        (item.strength for item in found), reverse=True
    )
    assert len({item.rule for item in found}) == len(found)
    for item in found:
        for name, value in item.says.items():
            if isinstance(value, Share):
                assert value.of >= ENOUGH
            if name in {"n", "slow_n", "fast_n", "n_before"}:
                assert value >= ENOUGH


@given(many)
def test_of_fewer_than_enough_nothing_is_asked(some) -> None:
    assert asked(some[: ENOUGH - 1]) == []


def test_a_type_that_waits_longer_is_asked_about() -> None:
    some = answered(ENOUGH, kind="Partner", wait=30)
    some += answered(ENOUGH, kind="Customer", wait=10)

    assert "slow_kind" in asked(some)
    assert "slow_kind" not in asked(some[1:]), "one less is too few"


def test_a_type_that_waits_somewhat_longer_is_not_asked_about() -> None:
    some = answered(ENOUGH, kind="Partner", wait=19)
    some += answered(ENOUGH, kind="Customer", wait=10)

    assert "slow_kind" not in asked(some)


def test_a_rep_who_is_late_more_often_than_the_others_is_asked_about() -> None:
    some = answered(ENOUGH, owner_id="005A", kept=False)
    some += answered(ENOUGH, owner_id="005B", kept=True)
    now = figures(some, STARTS, ENDS)
    (found,) = (
        item
        for item in questions(some, now, now, starts=STARTS, ends=ENDS)
        if item.rule == "late_owner"
    )

    assert found.says["owner_id"] == "005A"
    assert found.says["own"] == Share(0, ENOUGH)
    assert found.says["rest"] == Share(ENOUGH, ENOUGH)


def test_more_fewer_and_slower_are_asked_about_as_they_are() -> None:
    many, few = answered(2 * ENOUGH), answered(ENOUGH)

    assert "more" in asked(many, few)
    assert "fewer" in asked(few, many)
    assert "more" not in asked(answered(ENOUGH + 2), few)
    assert "slower" in asked(answered(ENOUGH, wait=9), answered(ENOUGH, wait=3))


def test_what_is_silent_for_a_month_is_asked_about() -> None:
    some = [
        Course(
            str(number),
            None,
            "",
            "",
            {Milestone.SUBMITTED: STARTS - 9 * DAY, Milestone.CONTACTED: STARTS - DAY},
        )
        for number in range(ENOUGH)
    ]

    assert asked(some) == ["silent"]


def test_the_end_of_a_period_belongs_to_the_next() -> None:
    at_the_end = Course("k", None, "", "", {Milestone.SUBMITTED: ENDS})
    at_the_start = Course("k", None, "", "", {Milestone.SUBMITTED: STARTS})

    assert figures([at_the_end], STARTS, ENDS).new == 0
    assert figures([at_the_start], STARTS, ENDS).new == 1
