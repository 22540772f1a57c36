"""The words of the monthly review: what changed, and what to ask about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sidecar.mail.languages import marked
from sidecar.mail.report_numbers import MEASURES, Measure, Number, with_n
from sidecar.mail.report_page import Cell, Page, Section, Table, Tile, Voice
from sidecar.mail.values import one_line
from sidecar.referral.metrics import ENOUGH, Figures, Share


@dataclass(frozen=True)
class Month:
    """
    What the review says.

    Attributes:
        first, last: its days; ``first_before``: of the month before.
        asked: rules and their numbers, as ``referral.metrics.questions`` found them.
        names: of reps, by user id.
    """

    first: date
    last: date
    first_before: date
    now: Figures
    before: Figures
    asked: Sequence[tuple[str, Mapping[str, Any]]]
    names: Mapping[str, str]


def page(
    month: Month, *, speaks: Voice, reader: str, preferences_url: str | None
) -> Page:
    """Write the review for a reader."""
    says = speaks.says
    headline = speaks.month(month.first)
    return Page(
        subject=says(marked("Referrals in %(month)s: what changed"))
        % {"month": headline},
        label=says(marked("Monthly review")),
        headline=headline,
        happened=says(
            marked(
                "What is different from %(before)s, and what is worth asking about it."
            )
        )
        % {"before": speaks.month(month.first_before)},
        footer=says(
            marked(
                "You get this review because you look after those who own referrals."
            )
        ),
        owner=one_line(reader),
        tiles=_tiles(month, speaks),
        sections=[_questions(month, speaks), *_changed(month, speaks)],
        preferences_url=preferences_url,
    )


def _tiles(month: Month, speaks: Voice) -> list[Tile]:
    before = speaks.says(marked("%(number)s the month before"))
    return [
        Tile(
            speaks.says(measure.name),
            measure.of(month.now, speaks).written,
            before % {"number": measure.of(month.before, speaks).written},
        )
        for measure in (MEASURES[name] for name in ("new", "won", "value"))
    ]


def _questions(month: Month, speaks: Voice) -> Section:
    says = speaks.says
    points = [_question(rule, numbers, month, speaks) for rule, numbers in month.asked]
    fewer = (
        says(
            marked(
                "Questions are asked where numbers of at least %(enough)s differ "
                "clearly. More there are not this month."
            )
        )
        % {"enough": speaks.count(ENOUGH)}
        if len(points) < 3
        else ""
    )
    return Section(title=says(marked("Worth asking")), points=points, note=fewer)


def _changed(month: Month, speaks: Voice) -> list[Section]:
    says = speaks.says
    changed, same = [], []
    for measure in MEASURES.values():
        now, before = (measure.of(item, speaks) for item in (month.now, month.before))
        if now.written == before.written:
            same.append(says(measure.name))
        else:
            changed.append(_row(measure, now, before, month, speaks))
    note = (
        says(marked("As the month before: %(names)s.")) % {"names": ", ".join(same)}
        if same
        else ""
    )
    if not changed:
        return [Section(title=says(marked("What changed")), lead=note)]
    head = ["", says(marked("This month")), says(marked("Month before"))]
    return [
        Section(
            title=says(marked("What changed")), table=Table(head, changed), note=note
        )
    ]


def _row(
    measure: Measure, now: Number, before: Number, month: Month, speaks: Voice
) -> list[Cell]:
    """Each number says its formula, its period and its n."""
    says = speaks.says
    formula = says(measure.formula)
    return [
        Cell(
            says(measure.name),
            note=f"{formula[0].upper()}{formula[1:]}. "
            f"{speaks.days(month.first, month.last)}.",
        ),
        Cell(now.written, note=with_n(now, speaks)),
        Cell(before.written, note=with_n(before, speaks)),
    ]


def _question(
    rule: str, numbers: Mapping[str, Any], month: Month, speaks: Voice
) -> tuple[str, str]:
    """Put a question into words, and what it rests on."""
    asks, because = _WORDS[rule]
    said = {
        name: _written(name, value, month, speaks) for name, value in numbers.items()
    }
    return speaks.says(asks) % said, speaks.says(because) % said


def _written(name: str, value: Any, month: Month, speaks: Voice) -> str:
    match value:
        case timedelta():
            return speaks.span(value)
        case Share():
            ratio = speaks.share(value.ratio)
            return f"{ratio} (n\u00a0=\u00a0{speaks.count(value.of)})"
        case str() if name == "owner_id":
            name = one_line(month.names.get(value, ""))
            return name or speaks.says(marked("one of the reps"))
        case str():
            return one_line(value)
    return speaks.count(round(float(value), 1))


_WORDS: Mapping[str, tuple[str, str]] = {
    "slow_kind": (
        marked(
            "Referrals of type %(slow)s take %(times)s times as long to first contact "
            "as those of type %(fast)s: why?"
        ),
        marked(
            "Median %(slow_wait)s (n = %(slow_n)s) against %(fast_wait)s "
            "(n = %(fast_n)s), of those first contacted in the month."
        ),
    ),
    "late_owner": (
        marked(
            "First responses of %(owner_id)s come in time less often than those of the "
            "others: what is in the way?"
        ),
        marked(
            "Promises kept: %(own)s against %(rest)s, of the month's new referrals."
        ),
    ),
    "lost_kind": (
        marked(
            "More referrals of type %(worst)s are lost than of type %(best)s: do they "
            "fit, or are they treated differently?"
        ),
        marked("Lost among those that ended in the month: %(lost)s against %(other)s."),
    ),
    "more": (
        marked("More referrals came than the month before: who brought them?"),
        marked("New: %(now)s, after %(before)s the month before."),
    ),
    "fewer": (
        marked("Fewer referrals came than the month before: who has gone quiet?"),
        marked("New: %(now)s, after %(before)s the month before."),
    ),
    "slower": (
        marked("First contact takes longer than the month before: what changed?"),
        marked("Median %(now)s (n = %(n)s), after %(before)s (n = %(n_before)s)."),
    ),
    "silent": (
        marked(
            "%(n)s referrals were contacted, and nothing has happened since: what "
            "would move them?"
        ),
        marked("Open, and without a new milestone for more than %(days)s days."),
    ),
}
