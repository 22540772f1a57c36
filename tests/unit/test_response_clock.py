"""Response clocks: working time counted through a year, each stage told once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.referral.business_calendar import Calendar, Colleague, Staff, Team
from sidecar.referral.journey import Milestone, Referral
from sidecar.referral.playbook import (
    Action,
    ClockRule,
    Playbook,
    Stage,
    StageRule,
    TaskRule,
    Within,
)
from sidecar.referral.response_clock import (
    THEN,
    Clock,
    Kind,
    State,
    Turn,
    moment_of,
    next_stage,
    pause,
    resume,
    tell,
    turn,
    wakes_at,
)
from sidecar.referral.working_time import (
    Hours,
    Promise,
    WorkingWeek,
    between,
    is_working,
)

REP, OTHER = "005000000000001AAA", "005000000000002AAA"
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
WEEK = WorkingWeek(BERLIN)
# Clocks change by an hour, by half an hour, at midnight, in autumn, or not at all.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana")
LADDER = {
    Stage.AT_RISK: StageRule(75),
    Stage.DUE: StageRule(100),
    Stage.OVERDUE: StageRule(Promise(hours=1)),
    Stage.BACKUP: StageRule(Promise(hours=4)),
    Stage.MANAGER: StageRule(Promise(days=1)),
}
RULE = ClockRule(
    "first-response",
    (Milestone.SUBMITTED,),
    Promise(hours=8),
    stages=LADDER,
    rests_at=frozenset({"Parked"}),
)
BOOK = Playbook("1", {}, clocks=(RULE,))


def staff(week: WorkingWeek = WEEK, *teams: Team, **known: Colleague) -> Staff:
    calendar = Calendar(Team("", week), {team.name: team for team in teams})
    return Staff(calendar, known)


def referral(
    at: datetime,
    milestone: Milestone = Milestone.SUBMITTED,
    *,
    owner_id: str | None = REP,
    status: str | None = None,
    details: Mapping[str, str] | None = None,
) -> Referral:
    return Referral(
        key="00Q000000000001EAA",
        object_type="Lead",
        record_id="00Q000000000001EAA",
        status=status or milestone.capitalize(),
        milestone=milestone,
        owner_id=owner_id,
        changed_at=at,
        details=details or {},
    )


def berlin(clock: str, day: date = date(2026, 1, 14)) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), BERLIN)


def started(at: datetime, people: Staff | None = None, book: Playbook = BOOK) -> Clock:
    """The clock of a referral that is submitted at a moment."""
    (item,) = turn([], referral(at), book, people or staff(), now=at)
    assert [note.what for note in item.notes] == ["started"]
    return item.clock


def ran_out(clock: Clock, week: WorkingWeek, late: timedelta) -> list[Turn]:
    """Everything that happens to a clock, looked at so long after it is time."""
    happened, at = [], clock.started_at
    while (wakes := wakes_at(clock, week, now=at)) is not None:
        assert wakes >= at
        at = wakes + late
        item = tell(clock, week, now=at)
        for told in item.told:
            assert is_working(at, week), "told while nobody works"
            assert told.at <= at
        happened += [item] if item.told else []
        clock = item.clock
    return happened


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("night", [False, True], ids=["office", "night shift"])
def test_through_a_year_nothing_is_told_outside_work_and_everything_once(
    zone: str, night: bool
) -> None:
    """A clock started in every hour around a change of the clocks, and many others."""
    hours = (Hours(time(0), time(2, 45)), Hours(time(3, 10), time(6)))
    days = [hours] * 7 if night else WEEK.days
    week = WorkingWeek(ZoneInfo(zone), days, frozenset({date(2026, 12, 25)}))
    people = staff(week)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    hours_of_year = [begin + timedelta(hours=number) for number in range(365 * 24)]
    offsets = [at.astimezone(week.time_zone).utcoffset() for at in hours_of_year]
    for number, at in enumerate(hours_of_year):
        changing = offsets[max(number - 60, 0)] != offsets[min(number + 60, 8759)]
        if number % 17 and not changing:
            continue
        clock = started(at, people)
        happened = ran_out(clock, week, timedelta(seconds=number % 16))

        told = [one for item in happened for one in item.told]
        assert [one.stage for one in told] == list(Stage)
        assert happened[-1].clock.state is State.SPENT
        for one in told:
            mark = clock.marks[one.stage]
            assert between(clock.started_at, one.at, week) == mark


@pytest.mark.parametrize("zone", ZONES)
def test_a_sweep_every_ten_minutes_for_a_year_tells_each_breach_once(zone: str) -> None:
    week = WorkingWeek(ZoneInfo(zone))
    people = staff(week)
    at, end = (datetime(year, 1, 1, tzinfo=UTC) for year in (2026, 2027))
    running: dict[int, tuple[datetime | None, Clock]] = {}
    breaches: dict[int, list[datetime]] = {}
    number = 0
    while at < end:
        if at.hour % 11 == 0 and at.minute == 0:
            number += 1
            clock = started(at, people)
            running[number] = wakes_at(clock, week, now=at), clock
        for key, (wakes, clock) in list(running.items()):
            if wakes is None or wakes > at:
                continue
            item = tell(clock, week, now=at)
            assert not item.told or is_working(at, week)
            if Stage.OVERDUE in [told.stage for told in item.told]:
                breaches.setdefault(key, []).append(at)
            running[key] = wakes_at(item.clock, week, now=at), item.clock
        at += timedelta(minutes=10)

    assert number > 1000
    assert all(len(moments) == 1 for moments in breaches.values())
    # The last ones' time has not come at the end of the year.
    assert number - 12 < len(breaches) <= number


def test_a_reminder_overtaken_by_a_breach_is_passed_over() -> None:
    """Nobody looked for a week; then nobody needs to hear that it is at risk."""
    clock = started(berlin("10:00"))

    item = tell(clock, WEEK, now=berlin("10:00", date(2026, 1, 21)))
    assert [(one.stage, one.passed_over) for one in item.told] == [
        ("at_risk", True),
        ("due", True),
        ("overdue", False),
        ("backup", False),
        ("manager", False),
    ]
    assert tell(item.clock, WEEK, now=berlin("11:00", date(2026, 1, 21))).told == ()


def test_what_comes_at_the_close_is_told_in_the_morning() -> None:
    clock = started(berlin("17:00", date(2026, 1, 13)))  # in force from nine on

    assert moment_of(clock, Stage.DUE, WEEK) == berlin("17:00")
    after_risk = tell(clock, WEEK, now=berlin("15:00")).clock
    assert wakes_at(after_risk, WEEK, now=berlin("15:00")) == berlin(
        "09:00", date(2026, 1, 15)
    )
    assert tell(after_risk, WEEK, now=berlin("17:00")).told == ()


@given(
    pauses=st.lists(
        st.tuples(
            st.timedeltas(timedelta(), timedelta(hours=40)),
            st.timedeltas(timedelta(), timedelta(days=9)),
        ),
        max_size=4,
    )
)
def test_a_pause_takes_no_time_and_gives_none(
    pauses: list[tuple[timedelta, timedelta]],
) -> None:
    at = berlin("10:00")
    clock, rested = started(at), timedelta()
    for wait, rest in pauses:
        at += wait
        clock = pause(clock, WEEK, now=at)
        assert next_stage(clock, WEEK) is None
        assert tell(clock, WEEK, now=at + rest).told == ()
        rested += between(at, at + rest, WEEK)
        at += rest
        clock = resume(clock, now=at)

    due = moment_of(clock, Stage.DUE, WEEK)
    assert due is not None
    counted = between(clock.started_at, due, WEEK)
    used = clock.marks[Stage.DUE]
    assert isinstance(used, timedelta)
    if clock.used <= used:
        assert counted == used + rested
    else:
        assert due >= at


def test_a_pause_ends_by_itself_where_that_was_said() -> None:
    clock = pause(
        started(berlin("10:00")), WEEK, now=berlin("11:00"), until=berlin("15:00")
    )

    assert wakes_at(clock, WEEK, now=berlin("11:00")) == berlin("15:00")


def test_a_clock_rests_at_the_statuses_that_its_rule_names() -> None:
    at = berlin("10:00")
    clock = started(at)
    parked = referral(at, status="Parked")

    (item,) = turn([clock], parked, BOOK, staff(), now=berlin("12:00"))
    assert item.clock.state is State.PAUSED
    assert item.clock.used == timedelta(hours=2)
    assert turn([item.clock], parked, BOOK, staff(), now=berlin("13:00")) == []
    (item,) = turn([item.clock], referral(at), BOOK, staff(), now=berlin("14:00"))
    assert item.clock.state is State.WAITING
    assert moment_of(item.clock, Stage.DUE, WEEK) == berlin("12:00", date(2026, 1, 15))


def test_what_a_person_paused_a_status_does_not_wake() -> None:
    at = berlin("10:00")
    clock = pause(started(at), WEEK, now=berlin("11:00"))

    assert turn([clock], referral(at), BOOK, staff(), now=berlin("12:00")) == []


def test_moving_on_stops_the_clock_and_coming_back_lets_it_go_on() -> None:
    at = berlin("10:00")
    clock = started(at)

    contacted = referral(berlin("12:00"), Milestone.CONTACTED)
    (item,) = turn([clock], contacted, BOOK, staff(), now=berlin("12:00"))
    assert item.clock.state is State.DONE
    assert tell(item.clock, WEEK, now=berlin("16:00")).told == ()
    assert turn([item.clock], contacted, BOOK, staff(), now=berlin("13:00")) == []

    back = referral(berlin("14:00"))
    (item,) = turn([item.clock], back, BOOK, staff(), now=berlin("14:00"))
    assert item.clock.state is State.WAITING
    assert moment_of(item.clock, Stage.DUE, WEEK) == berlin("12:00", date(2026, 1, 15))


def test_an_owner_hands_over_what_is_left_of_the_promise() -> None:
    """Six of eight hours are left; in New York they begin at nine."""
    team = Team("new-york", WorkingWeek(NEW_YORK), members=frozenset({OTHER}))
    at = berlin("10:00")
    clock = started(at, staff(WEEK, team))

    moved = referral(at, owner_id=OTHER)
    (item,) = turn([clock], moved, BOOK, staff(WEEK, team), now=berlin("12:00"))
    assert [note.what for note in item.notes] == ["handed_over"]
    assert item.notes[0].details == f"{REP} to {OTHER}"
    assert (item.clock.owner_id, item.clock.team) == (OTHER, "new-york")
    due = moment_of(item.clock, Stage.DUE, team.week)
    assert due == datetime(2026, 1, 14, 15, tzinfo=NEW_YORK)


def test_within_a_team_a_handover_moves_nothing() -> None:
    at = berlin("10:00")
    clock = started(at)

    moved = referral(at, owner_id=OTHER)
    (item,) = turn([clock], moved, BOOK, staff(), now=berlin("12:00"))
    assert moment_of(item.clock, Stage.DUE, WEEK) == moment_of(clock, Stage.DUE, WEEK)


def test_a_role_that_becomes_known_moves_the_clock_to_its_team() -> None:
    team = Team("new-york", WorkingWeek(NEW_YORK), roles=frozenset({"East"}))
    at = berlin("10:00")
    clock = started(at, staff(WEEK, team))
    assert clock.team == ""

    people = staff(WEEK, team, **{REP: Colleague("East")})
    (item,) = turn([clock], referral(at), BOOK, people, now=berlin("12:00"))
    assert item.clock.team == "new-york"
    assert item.notes[0].details == "team everybody to new-york"


@pytest.mark.parametrize(
    ("kind", "owner_id", "hours"),
    [("", REP, 8), ("Partner", REP, 4), ("Customer", REP, 8), ("", OTHER, 2),
     ("Partner", OTHER, 4)],
)  # fmt: skip
def test_types_and_teams_have_promises_of_their_own(
    kind: str, owner_id: str, hours: int
) -> None:
    team = Team("fast", WEEK, members=frozenset({OTHER}))
    others = (
        Within(Promise(hours=4), type="Partner"),
        Within(Promise(hours=2), team="fast"),
    )
    book = replace(BOOK, clocks=(replace(RULE, others=others),))
    at = berlin("09:00")
    given = referral(at, owner_id=owner_id, details={"type": kind})

    (item,) = turn([], given, book, staff(WEEK, team), now=at)
    assert item.clock.marks[Stage.DUE] == timedelta(hours=hours)


def test_a_promise_in_days_ends_with_the_day() -> None:
    book = replace(BOOK, clocks=(replace(RULE, within=Promise(days=1)),))

    clock = started(berlin("10:00"), book=book)
    assert moment_of(clock, Stage.DUE, WEEK) == berlin("17:00", date(2026, 1, 15))


def test_what_was_reached_long_before_we_heard_starts_a_day_ago_at_most() -> None:
    """A first import of a year's referrals does not escalate them all."""
    now = berlin("10:00")

    (item,) = turn([], referral(now - timedelta(days=90)), BOOK, staff(), now=now)
    assert item.clock.started_at == now - timedelta(hours=24)


def later(after: Promise | timedelta) -> Playbook:
    rule = TaskRule("Ask again", "", Promise(days=1), "Normal")
    action = Action("ask-again", rule, later=after)
    return Playbook("1", {Milestone.SUBMITTED: (action,)})


@pytest.mark.parametrize(
    ("after", "at", "comes"),
    [
        (Promise(hours=4), "2026-01-14T15:00", "2026-01-15T11:00"),
        (Promise(days=2), "2026-01-14T10:00", "2026-01-16T17:00"),
        (timedelta(days=5), "2026-01-14T10:00", "2026-01-19T10:00"),
        # ten days later is a Saturday
        (timedelta(days=10), "2026-01-14T10:00", "2026-01-26T09:00"),
        # the clocks have changed in between: it is ten o'clock all the same
        (timedelta(days=30), "2026-03-13T10:00", "2026-04-13T09:00"),
        (timedelta(days=28), "2026-03-12T10:00", "2026-04-09T10:00"),
    ],
)
def test_an_action_may_come_later(
    after: Promise | timedelta, at: str, comes: str
) -> None:
    start = datetime.fromisoformat(at).replace(tzinfo=BERLIN)
    week = WorkingWeek(BERLIN, holidays=frozenset({date(2026, 4, 12)}))

    (item,) = turn([], referral(start), later(after), staff(week), now=start)
    assert (item.clock.kind, item.clock.name) == (Kind.ACTION, "ask-again")
    assert next_stage(item.clock, week) == (
        THEN,
        datetime.fromisoformat(comes).replace(tzinfo=BERLIN),
    )


def test_a_later_action_is_forgotten_when_the_referral_moves_on() -> None:
    at = berlin("10:00")
    (item,) = turn([], referral(at), later(Promise(days=2)), staff(), now=at)

    won = referral(berlin("12:00"), Milestone.WON)
    (gone,) = turn([item.clock], won, later(Promise(days=2)), staff(), now=at)
    assert gone.clock.state is State.DONE
    assert wakes_at(gone.clock, WEEK, now=at) is None


def test_a_later_action_is_done_once_it_has_come() -> None:
    at = berlin("10:00")
    (item,) = turn([], referral(at), later(Promise(hours=2)), staff(), now=at)

    come = tell(item.clock, WEEK, now=berlin("12:00"))
    assert [one.stage for one in come.told] == [THEN]
    assert come.clock.state is State.DONE
    again = turn([come.clock], referral(at), later(Promise(hours=2)), staff(), now=at)
    assert again == []


MOVES = st.lists(
    st.tuples(
        st.timedeltas(timedelta(minutes=1), timedelta(days=4)),
        st.sampled_from(
            ["look", "park", "unpark", "contact", "submit", "own", "disown"]
        ),
    ),
    max_size=25,
)


@settings(max_examples=200)
@given(moves=MOVES, zone=st.sampled_from(ZONES))
def test_whatever_happens_a_stage_comes_once_and_in_order(
    moves: list[tuple[timedelta, str]], zone: str
) -> None:
    team = Team("far", WorkingWeek(ZoneInfo(zone)), members=frozenset({OTHER}))
    people = staff(WEEK, team)
    at = berlin("10:00")
    now_is = referral(at)
    clock, told = started(at, people), []
    for wait, move in moves:
        at += wait
        match move:
            case "park":
                now_is = replace(now_is, status="Parked")
            case "unpark":
                now_is = replace(now_is, status="Submitted")
            case "contact":
                now_is = replace(now_is, milestone=Milestone.CONTACTED)
            case "submit":
                now_is = replace(now_is, milestone=Milestone.SUBMITTED)
            case "own":
                now_is = replace(now_is, owner_id=REP)
            case "disown":
                now_is = replace(now_is, owner_id=OTHER)
        for item in turn([clock], now_is, BOOK, people, now=at):
            clock = item.clock
        week = people.calendar.named(clock.team).week
        item = tell(clock, week, now=at)
        assert not item.told or is_working(at, week)
        clock = item.clock
        told += [one.stage for one in item.told]
        here = now_is.milestone is Milestone.SUBMITTED
        assert (clock.state is State.DONE) == (not here)
        assert (clock.state is State.SPENT) == (here and len(told) == len(Stage))
        coming = wakes_at(clock, week, now=at)
        assert (coming is None) == (clock.state is not State.WAITING)
        assert coming is None or coming > at

    assert told == list(Stage)[: len(told)]
