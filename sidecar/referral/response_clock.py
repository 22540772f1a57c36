"""Response clocks: what is promised while a referral waits, and when it is broken.

A clock counts working time of the owner's team. It rests while somebody said so, goes
on where it stood, and is handed over with the referral. An action that a playbook sets
for later is a clock as well, with one stage and nothing promised.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from sidecar.referral.business_calendar import Calendar, Staff, Team
from sidecar.referral.journey import Milestone, Referral
from sidecar.referral.playbook import Action, ClockRule, Playbook, Stage
from sidecar.referral.working_time import (
    Promise,
    WorkingWeek,
    after,
    between,
    due_at,
    is_working,
    spans,
)

REMEMBERED = timedelta(hours=24)
"""How far back a clock may start: what was reached before we heard of it counts as
long as Salesforce itself keeps a message; older referrals start when we meet them."""

CLOSED = frozenset({Milestone.WON, Milestone.LOST})
"""Where a referral ends."""

THEN = "then"
"""The one stage of an action set for later."""

Mark: TypeAlias = timedelta | datetime
"""When a stage comes: after so much working time, or on a day of the calendar."""


class Kind(StrEnum):
    """What a clock is for."""

    PROMISE = "promise"  # a response clock of the playbook
    ACTION = "action"  # one of a milestone's actions, set for later


class State(StrEnum):
    """How a clock stands."""

    WAITING = "waiting"  # it runs
    PAUSED = "paused"  # it rests; nothing of it is forgotten
    DONE = "done"  # the referral moved on, or its action was planned
    SPENT = "spent"  # all is told, and nobody answered
    CANCELLED = "cancelled"  # there is no such referral any more


_UNANSWERED = frozenset({State.WAITING, State.PAUSED, State.SPENT})


@dataclass(frozen=True)
class Clock:
    """
    One clock of one referral at one milestone.

    Attributes:
        marks: each stage and when it comes, in the order of time.
        since: from when working time counts, beyond ``used``; None while it rests.
        until: when a pause ends by itself.
        rests_at: the status because of which it rests; None where somebody said so.
        told: stages that have come.
    """

    name: str
    kind: Kind
    milestone: Milestone
    owner_id: str | None
    team: str
    started_at: datetime
    marks: Mapping[str, Mark]
    used: timedelta = timedelta()
    since: datetime | None = None
    until: datetime | None = None
    rests_at: str | None = None
    told: frozenset[str] = frozenset()
    state: State = State.WAITING

    @property
    def id(self) -> tuple[Kind, str, Milestone]:
        """What it is known by, within its referral."""
        return self.kind, self.name, self.milestone


class Note(NamedTuple):
    """Something that happened to a clock, for its history."""

    what: str  # started | handed_over | paused | resumed | stopped | cancelled
    details: str = ""


class Told(NamedTuple):
    """
    A stage that has come.

    ``passed_over`` says that a later one came before anybody could be reminded: it is
    recorded, and brings nothing.
    """

    stage: str
    at: datetime
    passed_over: bool = False


@dataclass(frozen=True)
class Turn:
    """A clock from now on, and what happened to it."""

    clock: Clock
    notes: tuple[Note, ...] = ()
    told: tuple[Told, ...] = field(default=())


def is_open(referral: Referral) -> bool:
    """Tell whether somebody still has to do something about a referral."""
    return referral.status is not None and referral.milestone not in CLOSED


def turn(
    clocks: Iterable[Clock],
    referral: Referral,
    playbook: Playbook,
    staff: Staff,
    *,
    now: datetime,
) -> list[Turn]:
    """
    Set a referral's clocks by where it stands.

    Args:
        clocks: all that it ever had.
        staff: who works when; the owner's team counts.
        now: aware.

    Returns:
        Those that changed, and those that start.
    """
    known = {clock.id: clock for clock in clocks}
    calendar, team = staff.calendar, staff.team(referral.owner_id)
    turns = [_turned(clock, referral, calendar, team, now) for clock in known.values()]
    turns = [_rested(item, referral, playbook, calendar, now) for item in turns]
    for clock in _starting(referral, playbook, team, now):
        if clock.id not in known:
            started = Turn(clock, (Note("started", f"owner {clock.owner_id}"),))
            turns.append(_rested(started, referral, playbook, calendar, now))
    return [item for item in turns if item.notes]


def _turned(
    clock: Clock, referral: Referral, calendar: Calendar, team: Team, now: datetime
) -> Turn:
    """Stop what the referral has left behind; take up again what it came back to."""
    here = referral.milestone == clock.milestone and referral.status is not None
    week = calendar.named(clock.team).week
    notes: list[Note] = []
    if clock.state in _UNANSWERED and not here:
        clock = replace(_banked(clock, week, now), state=State.DONE, until=None)
        notes.append(Note("stopped", f"status {referral.status or 'cleared'}"))
    elif clock.state is State.DONE and here and not _is_over(clock):
        state = State.WAITING if len(clock.told) < len(clock.marks) else State.SPENT
        clock = replace(clock, state=state, since=now, rests_at=None)
        notes.append(Note("resumed", f"back at {clock.milestone}"))
    if clock.owner_id == referral.owner_id and clock.team == team.name:
        return Turn(clock, tuple(notes))
    if clock.state not in {State.WAITING, State.PAUSED}:
        return Turn(clock, tuple(notes))
    if clock.owner_id != referral.owner_id:
        change = f"{clock.owner_id} to {referral.owner_id}"
    else:
        change = f"team {clock.team or 'everybody'} to {team.name or 'everybody'}"
    handed = replace(clock, owner_id=referral.owner_id, team=team.name)
    if clock.since is not None and clock.team != team.name:
        # What was used up counts by the hours of the team that had it.
        banked = _banked(clock, week, now)
        handed = replace(handed, used=banked.used, since=now)
    return Turn(handed, (*notes, Note("handed_over", change)))


def _is_over(clock: Clock) -> bool:
    """Whether an action set for later has come; a promise is never over."""
    return clock.kind is Kind.ACTION and len(clock.told) == len(clock.marks)


def _rested(
    turned: Turn,
    referral: Referral,
    playbook: Playbook,
    calendar: Calendar,
    now: datetime,
) -> Turn:
    """Let a clock rest at the statuses at which its rule says so."""
    clock = turned.clock
    rules = {rule.name: rule for rule in playbook.clocks}
    rule = rules.get(clock.name) if clock.kind is Kind.PROMISE else None
    rests = rule is not None and referral.status in rule.rests_at
    week = calendar.named(clock.team).week
    if rests and clock.state is State.WAITING:
        paused = pause(clock, week, now=now)
        note = Note("paused", f"status {referral.status}")
        return Turn(replace(paused, rests_at=referral.status), (*turned.notes, note))
    if not rests and clock.state is State.PAUSED and clock.rests_at is not None:
        note = Note("resumed", f"status {referral.status}")
        return Turn(resume(clock, now=now), (*turned.notes, note))
    return turned


def _starting(
    referral: Referral, playbook: Playbook, team: Team, now: datetime
) -> list[Clock]:
    """Make the clocks that the referral's milestone calls for."""
    if referral.milestone is None or referral.status is None:
        return []
    at = min(max(referral.changed_at, now - REMEMBERED), now)
    wanted = [
        (Kind.PROMISE, rule.name, promised(rule, referral, team, at))
        for rule in playbook.clocks
        if referral.milestone in rule.milestones
    ] + [
        (Kind.ACTION, action.name, {THEN: _later(action, team.week, at)})
        for action in playbook.actions_for(referral)
        if action.later is not None
    ]
    return [
        Clock(
            name=name,
            kind=kind,
            milestone=referral.milestone,
            owner_id=referral.owner_id,
            team=team.name,
            started_at=at,
            marks=marks,
            since=at,
        )
        for kind, name, marks in wanted
    ]


def promised(
    rule: ClockRule, referral: Referral, team: Team, at: datetime
) -> dict[str, Mark]:
    """
    Say after how much working time each stage of a clock comes.

    A promise in days ends with the last day; what that is in working time is fixed
    when the clock starts.
    """
    kind = referral.details.get("type", "")
    fitting = (
        other.within
        for other in rule.others
        if other.type in {"", kind} and other.team in {"", team.name}
    )
    end = due_at(at, next(fitting, rule.within), team.week)
    whole = between(at, end, team.week)
    marks: dict[str, Mark] = {}
    for stage in Stage:
        wanted = rule.stages.get(stage)
        if wanted is None and stage is not Stage.DUE:
            continue
        match wanted.at if wanted else 100:
            case int() as share:
                marks[stage] = whole * share / 100
            case Promise() as further:
                late = due_at(end, further, team.week)
                marks[stage] = whole + between(end, late, team.week)
    return marks


def _later(action: Action, week: WorkingWeek, at: datetime) -> Mark:
    match action.later:
        case Promise() as promise:
            return between(at, due_at(at, promise, week), week)
        case timedelta() as days:
            # By the team's own reckoning: at the same time of day.
            local = at.astimezone(week.time_zone).replace(tzinfo=None) + days
            return local.replace(tzinfo=week.time_zone)
    raise ValueError(f"action {action.name} is not set for later")


def moment_of(clock: Clock, stage: str, week: WorkingWeek) -> datetime | None:
    """
    Say when a stage comes, if nothing happens until then; None while the clock rests.

    Returns:
        Aware, in the team's zone; within working time, or at its close.
    """
    if clock.since is None:
        return None
    match clock.marks[stage]:
        case timedelta() as mark:
            return after(clock.since, max(mark - clock.used, timedelta()), week)
        case moment:
            return after(max(moment, clock.since), timedelta(), week)


def next_stage(clock: Clock, week: WorkingWeek) -> tuple[str, datetime] | None:
    """Name the stage that comes next, and when; None where none will."""
    if clock.state is not State.WAITING:
        return None
    coming = [
        (moment, stage)
        for stage in clock.marks
        if stage not in clock.told
        and (moment := moment_of(clock, stage, week)) is not None
    ]
    if not coming:
        return None
    moment, stage = min(coming, key=lambda item: item[0])
    return stage, moment


def tell(clock: Clock, week: WorkingWeek, *, now: datetime) -> Turn:
    """
    Let the stages come whose time it is, each once, and only while the team works.

    A reminder that a later stage has overtaken, because nobody looked in between, is
    passed over: nobody is reminded of what is broken.
    """
    if clock.state is not State.WAITING or not is_working(now, week):
        return Turn(clock)
    come = [
        (stage, moment)
        for stage in clock.marks
        if stage not in clock.told
        and (moment := moment_of(clock, stage, week)) is not None
        and moment <= now
    ]
    if not come:
        return Turn(clock)
    last = come[-1][0]
    told = tuple(
        Told(stage, moment, stage != last and stage in {Stage.AT_RISK, Stage.DUE})
        for stage, moment in come
    )
    done = clock.told | {stage for stage, _ in come}
    state: State = clock.state
    if len(done) == len(clock.marks):
        state = State.DONE if clock.kind is Kind.ACTION else State.SPENT
    return Turn(replace(clock, told=frozenset(done), state=state), (), told)


def wakes_at(clock: Clock, week: WorkingWeek, *, now: datetime) -> datetime | None:
    """Say when somebody must look at a clock again; None: nobody needs to."""
    if clock.state is State.PAUSED:
        return clock.until
    if (coming := next_stage(clock, week)) is None:
        return None
    _, moment = coming
    at = max(moment, now)
    # What comes at the close of a day, or while nobody looked, is told in the morning.
    opens, _ = next(spans(at, week))
    return max(at, opens)


def pause(
    clock: Clock, week: WorkingWeek, *, now: datetime, until: datetime | None = None
) -> Clock:
    """Let a running clock rest, until somebody or a moment lets it go on."""
    if clock.state is State.PAUSED:
        return replace(clock, until=until, rests_at=None)
    return replace(_banked(clock, week, now), state=State.PAUSED, until=until)


def resume(clock: Clock, *, now: datetime) -> Clock:
    """Let a resting clock go on where it stood."""
    return replace(clock, state=State.WAITING, since=now, until=None, rests_at=None)


def _banked(clock: Clock, week: WorkingWeek, now: datetime) -> Clock:
    if clock.since is None:
        return clock
    used = clock.used + between(clock.since, now, week)
    return replace(clock, used=used, since=None)
