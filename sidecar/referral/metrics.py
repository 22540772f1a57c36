"""Numbers about referrals: each with what it was counted from.

A number of few is an accident: ``ENOUGH`` says from how many on two of them may be
held against each other.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import NamedTuple

from sidecar.referral.journey import Milestone

ENOUGH = 10

FUNNEL = (
    Milestone.SUBMITTED,
    Milestone.CONTACTED,
    Milestone.QUALIFIED,
    Milestone.OPPORTUNITY,
    Milestone.WON,
)
_RESPONSES = frozenset(FUNNEL[1:])
_SILENT = timedelta(days=30)


@dataclass(frozen=True)
class Course:
    """
    What one referral has come to, without a word of whom it is about.

    Attributes:
        kind: its type, in the org's words; empty where there is none.
        reached: when each milestone was reached first; never empty.
        kept: whether the first response came as promised; None where nothing was
            promised, or where that is not over yet.
        amount: what it is worth once won; None where nobody says, or may say.
    """

    key: str
    owner_id: str | None
    team: str
    kind: str
    reached: Mapping[Milestone, datetime]
    kept: bool | None = None
    amount: Decimal | None = None

    @property
    def began(self) -> datetime:
        """When it was first heard of."""
        return min(self.reached.values())

    @property
    def responded(self) -> datetime | None:
        """When somebody had answered; None where nobody has."""
        answers = [at for name, at in self.reached.items() if name in _RESPONSES]
        return min(answers, default=None)

    @property
    def closed(self) -> bool:
        """Whether it is won or lost."""
        return Milestone.WON in self.reached or Milestone.LOST in self.reached


class Share(NamedTuple):
    """So many of so many."""

    part: int
    of: int

    @property
    def ratio(self) -> float | None:
        """Between 0 and 1; None of nothing."""
        return self.part / self.of if self.of else None


class Median(NamedTuple):
    """The middle of ``n`` durations; None of none."""

    middle: timedelta | None
    n: int


class Sum(NamedTuple):
    """An amount, and of how many of ``of`` it is known."""

    amount: Decimal
    n: int
    of: int


@dataclass(frozen=True)
class Figures:
    """
    The numbers of a period.

    Attributes:
        new: referrals that began in it.
        in_time: of those, promises kept, among all that are decided.
        contacted, qualified, won, lost: referrals that got there in it.
        value: the amounts of those won.
        response: from beginning to first contact, of those first contacted in it.
    """

    new: int
    in_time: Share
    contacted: int
    qualified: int
    won: int
    lost: int
    value: Sum
    response: Median


def figures(courses: Iterable[Course], starts: datetime, ends: datetime) -> Figures:
    """Count what happened from ``starts`` until just before ``ends``."""

    def within(at: datetime | None) -> bool:
        return at is not None and starts <= at < ends

    courses = list(courses)
    new = [item for item in courses if within(item.began)]
    decided = [item.kept for item in new if item.kept is not None]
    answered = [item for item in courses if within(item.responded)]
    got = {
        name: [item for item in courses if within(item.reached.get(name))]
        for name in Milestone
    }
    amounts = [item.amount for item in got[Milestone.WON] if item.amount is not None]
    return Figures(
        new=len(new),
        in_time=Share(sum(decided), len(decided)),
        contacted=len(answered),
        qualified=len(got[Milestone.QUALIFIED]),
        won=len(got[Milestone.WON]),
        lost=len(got[Milestone.LOST]),
        value=Sum(sum(amounts, Decimal(0)), len(amounts), len(got[Milestone.WON])),
        response=_median(answered),
    )


def _median(answered: Iterable[Course]) -> Median:
    waits = [
        (item.responded - item.began).total_seconds()
        for item in answered
        if item.responded is not None
    ]
    return Median(timedelta(seconds=median(waits)) if waits else None, len(waits))


def funnel(
    courses: Iterable[Course], starts: datetime, ends: datetime
) -> dict[Milestone, int]:
    """
    Count how far the referrals that began in a period have come.

    Whoever is further along has passed what is before, whether or not it was noted.
    """
    counts = dict.fromkeys(FUNNEL, 0)
    for item in courses:
        if not starts <= item.began < ends:
            continue
        furthest = max(
            (FUNNEL.index(name) for name in item.reached if name in FUNNEL), default=0
        )
        for name in FUNNEL[: furthest + 1]:
            counts[name] += 1
    return counts


class Question(NamedTuple):
    """
    Something worth asking, and the numbers that make it so.

    Attributes:
        rule: which of the rules found it.
        strength: the larger, the more there is to ask.
        says: the numbers, by name; for whoever puts it into words.
    """

    rule: str
    strength: float
    says: Mapping[str, object]


def questions(
    courses: Sequence[Course],
    now: Figures,
    before: Figures,
    *,
    starts: datetime,
    ends: datetime,
    most: int = 3,
) -> list[Question]:
    """
    Choose what is worth asking about a period, the most striking first.

    Every rule compares numbers of at least ``ENOUGH``; where none may speak, there is
    no question. A rule asks once.
    """
    here = [item for item in courses if starts <= item.began < ends]
    answered = [
        item
        for item in courses
        if item.responded is not None and starts <= item.responded < ends
    ]
    ended = [
        item
        for item in courses
        if any(
            starts <= at < ends
            for name, at in item.reached.items()
            if name in {Milestone.WON, Milestone.LOST}
        )
    ]
    found = [
        _slow_kind(answered),
        _late_owner(here),
        _lost_kind(ended),
        _more_or_fewer(now, before),
        _slower(now, before),
        _silent(courses, ends),
    ]
    asked = [item for item in found if item is not None]
    return sorted(asked, key=lambda item: (-item.strength, item.rule))[:most]


def _groups(
    courses: Iterable[Course], by: Callable[[Course], str | None]
) -> dict[str, list[Course]]:
    """Group what is enough to be compared; by name, in order."""
    found: dict[str, list[Course]] = {}
    for item in courses:
        if name := by(item):
            found.setdefault(name, []).append(item)
    return {name: found[name] for name in sorted(found) if len(found[name]) >= ENOUGH}


def _slow_kind(answered: Iterable[Course]) -> Question | None:
    medians = [
        (median_.middle, name, median_.n)
        for name, some in _groups(answered, lambda item: item.kind).items()
        if (median_ := _median(some)).middle is not None
    ]
    if len(medians) < 2:
        return None
    fast, slow = min(medians), max(medians)
    times = slow[0] / max(fast[0], timedelta(minutes=1))
    if times < 2:
        return None
    return Question(
        "slow_kind",
        times,
        {
            "slow": slow[1],
            "fast": fast[1],
            "times": times,
            "slow_wait": slow[0],
            "fast_wait": fast[0],
            "slow_n": slow[2],
            "fast_n": fast[2],
        },
    )


def _late_owner(here: Iterable[Course]) -> Question | None:
    decided = [item for item in here if item.kept is not None]
    worst: Question | None = None
    for name, some in _groups(decided, lambda item: item.owner_id).items():
        others = [item for item in decided if item.owner_id != name]
        if len(others) < ENOUGH:
            continue
        own, rest = _kept(some), _kept(others)
        gap = (rest.ratio or 0) - (own.ratio or 0)
        if gap >= 0.2 and (worst is None or gap * 10 > worst.strength):
            says = {"owner_id": name, "own": own, "rest": rest}
            worst = Question("late_owner", gap * 10, says)
    return worst


def _kept(decided: Sequence[Course]) -> Share:
    return Share(sum(bool(item.kept) for item in decided), len(decided))


def _lost_kind(ended: Iterable[Course]) -> Question | None:
    shares = [
        (share.ratio or 0, name, share)
        for name, some in _groups(ended, lambda item: item.kind).items()
        for share in [Share(sum(Milestone.LOST in c.reached for c in some), len(some))]
    ]
    if len(shares) < 2:
        return None
    best, worst = min(shares), max(shares)
    if (gap := worst[0] - best[0]) < 0.2:
        return None
    says = {"worst": worst[1], "best": best[1], "lost": worst[2], "other": best[2]}
    return Question("lost_kind", gap * 10, says)


def _more_or_fewer(now: Figures, before: Figures) -> Question | None:
    if max(now.new, before.new) < ENOUGH or not before.new:
        return None
    change = now.new / before.new - 1
    if abs(change) < 0.25:
        return None
    rule = "more" if change > 0 else "fewer"
    return Question(rule, abs(change) * 5, {"now": now.new, "before": before.new})


def _slower(now: Figures, before: Figures) -> Question | None:
    new, old = now.response, before.response
    if min(new.n, old.n) < ENOUGH or new.middle is None or old.middle is None:
        return None
    times = new.middle / max(old.middle, timedelta(minutes=1))
    if times < 1.5:
        return None
    says = {"now": new.middle, "before": old.middle, "n": new.n, "n_before": old.n}
    return Question("slower", times, says)


def _silent(courses: Iterable[Course], ends: datetime) -> Question | None:
    """Contacted, and nothing since."""
    silent = [
        item
        for item in courses
        if not item.closed
        and item.responded is not None
        and max(item.reached.values()) < ends - _SILENT
    ]
    if len(silent) < ENOUGH:
        return None
    says = {"n": len(silent), "days": _SILENT.days}
    return Question("silent", len(silent) / ENOUGH, says)
