"""The words and pictures of the weekly digest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date

from sidecar.mail import charts
from sidecar.mail.charts import Bars
from sidecar.mail.languages import marked
from sidecar.mail.letters import Image
from sidecar.mail.report_numbers import MEASURES, MILESTONES, with_n
from sidecar.mail.report_page import (
    Cell,
    Page,
    Picture,
    Section,
    Table,
    Tile,
    Voice,
)
from sidecar.mail.values import one_line
from sidecar.referral.journey import Milestone
from sidecar.referral.metrics import Figures

WEEKS = 4
"""Of the mean."""


@dataclass(frozen=True)
class Week:
    """
    What the digest says.

    Attributes:
        first, last: its days.
        four: the four weeks before it as one.
        owners, teams: the week's figures by name, the busiest first.
        funnel: of the referrals that began in ``trend``'s weeks.
        trend: by the first day of each week, new and won; this one is the last.
    """

    first: date
    last: date
    now: Figures
    before: Figures
    four: Figures
    owners: Sequence[tuple[str, Figures]]
    teams: Sequence[tuple[str, Figures]]
    funnel: Mapping[Milestone, int]
    trend: Sequence[tuple[date, int, int]]


def page(
    week: Week,
    *,
    speaks: Voice,
    reader: str,
    content_ids: Mapping[str, str],
    preferences_url: str | None,
) -> Page:
    """
    Write the digest for a reader.

    Args:
        content_ids: of the pictures ``funnel`` and ``trend``.
    """
    says = speaks.says
    days = speaks.days(week.first, week.last)
    return Page(
        subject=says(marked("Referrals, week of %(days)s")) % {"days": days},
        label=says(marked("Weekly digest")),
        headline=days,
        happened=_happened(week, speaks),
        footer=says(
            marked(
                "You get this digest because you look after those who own referrals."
            )
        ),
        owner=one_line(reader),
        tiles=_tiles(week, speaks),
        sections=[
            _numbers(week, speaks),
            _funnel(week, speaks, content_ids["funnel"]),
            _trend(week, speaks, content_ids["trend"]),
            *_by(says(marked("By team")), week.teams, speaks),
            *_by(says(marked("By rep")), week.owners, speaks),
        ],
        preferences_url=preferences_url,
    )


def _happened(week: Week, speaks: Voice) -> str:
    said = speaks.says(
        marked(
            "New referrals: %(new)s, won: %(won)s. The week before it was "
            "%(before)s and %(won_before)s."
        )
    )
    return said % {
        "new": speaks.count(week.now.new),
        "won": speaks.count(week.now.won),
        "before": speaks.count(week.before.new),
        "won_before": speaks.count(week.before.won),
    }


def _tiles(week: Week, speaks: Voice) -> list[Tile]:
    before = speaks.says(marked("%(number)s the week before"))
    tiles = []
    for name in ("new", "in_time", "won"):
        measure = MEASURES[name]
        now, then = (measure.of(figures, speaks) for figures in (week.now, week.before))
        note = before % {"number": then.written}
        label = speaks.says(measure.name)
        tiles.append(Tile(label, now.written, note))
    return tiles


def _numbers(week: Week, speaks: Voice) -> Section:
    says = speaks.says
    rows = []
    for measure in MEASURES.values():
        now, before, four = (
            measure.of(figures, speaks)
            for figures in (week.now, week.before, week.four)
        )
        mean = four.written
        if four.n is None and four.size is not None:
            mean = speaks.count(four.size / WEEKS)
        elif measure is MEASURES["value"] and week.four.value.n:
            mean = speaks.amount(week.four.value.amount / WEEKS)
        rows.append(
            [
                Cell(says(measure.name), note=with_n(now, speaks)),
                Cell(now.written),
                Cell(before.written),
                Cell(mean),
            ]
        )
    head = [
        "",
        says(marked("This week")),
        says(marked("Week before")),
        says(marked("Mean of four")),
    ]
    formulas = "; ".join(
        f"{says(measure.name)}: {says(measure.formula)}"
        for measure in MEASURES.values()
    )
    note = says(
        marked(
            "The mean is that of the four weeks before; of shares and medians it is "
            "the one number of all four. %(formulas)s."
        )
    )
    return Section(
        title=says(marked("The week in numbers")),
        table=Table(head, rows),
        note=note % {"formulas": formulas},
    )


def _funnel(week: Week, speaks: Voice, content_id: str) -> Section:
    says = speaks.says
    steps = [(says(MILESTONES[name]), count) for name, count in week.funnel.items()]
    first = week.trend[0][0] if week.trend else week.first
    return Section(
        title=says(marked("How far referrals come")),
        lead=says(marked("Of those that began from %(first)s to %(last)s."))
        % {"first": speaks.day(first), "last": speaks.day(week.last)},
        picture=Picture(
            Image(content_id, "funnel.png", charts.funnel(steps)),
            says(marked("Bars, from first to last: %(numbers)s."))
            % {"numbers": ", ".join(f"{name} {count}" for name, count in steps)},
            charts.WIDTH,
            charts.HEIGHT,
        ),
    )


def _trend(week: Week, speaks: Voice, content_id: str) -> Section:
    says = speaks.says
    ticks = [
        format_date(day, _SHORT[speaks.language], speaks.locale)
        for day, _, _ in week.trend
    ]
    new, won = (says(MEASURES[name].name) for name in ("new", "won"))
    drawn = charts.trend(
        ticks,
        (
            Bars(new, [count for _, count, _ in week.trend]),
            Bars(won, [count for _, _, count in week.trend]),
        ),
    )
    numbers = "; ".join(
        f"{tick}: {new} {began}, {won} {got}"
        for tick, (_, began, got) in zip(ticks, week.trend, strict=True)
    )
    return Section(
        title=says(marked("Week by week")),
        picture=Picture(
            Image(content_id, "trend.png", drawn),
            says(marked("Bars, by the first day of each week: %(numbers)s."))
            % {"numbers": numbers},
            charts.WIDTH,
            charts.HEIGHT,
        ),
    )


_SHORT = {"en": "d MMM", "de": "d.M.", "fr": "d/M"}


def _by(
    title: str, groups: Sequence[tuple[str, Figures]], speaks: Voice
) -> list[Section]:
    if not groups:
        return []
    says = speaks.says
    rows = [
        [
            Cell(one_line(name) or says(marked("Nobody"))),
            Cell(speaks.count(figures.new)),
            Cell(
                speaks.share(figures.in_time.ratio),
                note=f"n\u00a0=\u00a0{figures.in_time.of}"
                if figures.in_time.of
                else "",
            ),
            Cell(speaks.count(figures.won)),
            Cell(speaks.count(figures.lost)),
        ]
        for name, figures in groups
    ]
    head = [
        "",
        says(marked("New")),
        says(marked("In time")),
        says(marked("Won")),
        says(marked("Lost")),
    ]
    return [Section(title=title, table=Table(head, rows))]
