"""Numbers in a reader's words: what each is called, how it is written, its formula."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sidecar.mail.languages import marked
from sidecar.mail.report_page import DASH, Voice
from sidecar.referral.journey import Milestone
from sidecar.referral.metrics import ENOUGH, Figures


class Number(NamedTuple):
    """
    One number of a period.

    Attributes:
        written: how it reads.
        n: from how many it was computed; None for a plain count, which is its own.
        size: for comparing two of them; None where there is none.
    """

    written: str
    n: int | None
    size: float | None


class Measure(NamedTuple):
    """What can be measured of a period: its name, its formula, the number."""

    name: str
    formula: str
    of: Callable[[Figures, Voice], Number]


def _counted(name: str) -> Callable[[Figures, Voice], Number]:
    def of(figures: Figures, speaks: Voice) -> Number:
        count = getattr(figures, name)
        return Number(speaks.count(count), None, count)

    return of


def _in_time(figures: Figures, speaks: Voice) -> Number:
    share = figures.in_time
    return Number(speaks.share(share.ratio), share.of, share.ratio)


def _value(figures: Figures, speaks: Voice) -> Number:
    value = figures.value
    if not value.n:
        return Number(DASH, 0, None)
    return Number(speaks.amount(value.amount), value.n, float(value.amount))


def _response(figures: Figures, speaks: Voice) -> Number:
    middle, n = figures.response
    size = middle.total_seconds() if middle is not None else None
    return Number(speaks.span(middle), n, size)


MEASURES: Mapping[str, Measure] = {
    "new": Measure(
        marked("New referrals"),
        marked("referrals first heard of in the period"),
        _counted("new"),
    ),
    "in_time": Measure(
        marked("Contacted in time"),
        marked(
            "promised first responses that were kept, divided by all that are decided, "
            "of the new referrals"
        ),
        _in_time,
    ),
    "qualified": Measure(
        marked("Qualified"),
        marked("referrals that became qualified in the period"),
        _counted("qualified"),
    ),
    "won": Measure(
        marked("Won"), marked("referrals won in the period"), _counted("won")
    ),
    "lost": Measure(
        marked("Lost"), marked("referrals lost in the period"), _counted("lost")
    ),
    "value": Measure(
        marked("Value won"),
        marked(
            "sum of the amounts of those won, in the org's currency; n of them have one"
        ),
        _value,
    ),
    "response": Measure(
        marked("Median time to first response"),
        marked(
            "middle of the times from first heard of to first contact, of those first "
            "contacted in the period"
        ),
        _response,
    ),
}

MILESTONES: Mapping[Milestone, str] = {
    Milestone.SUBMITTED: marked("Submitted"),
    Milestone.CONTACTED: marked("Contacted"),
    Milestone.QUALIFIED: marked("Qualified"),
    Milestone.OPPORTUNITY: marked("Opportunity"),
    Milestone.WON: marked("Won"),
    Milestone.LOST: marked("Lost"),
}


_TOO_FEW = marked("too few to conclude from")


def with_n(number: Number, speaks: Voice) -> str:
    """Say from how many a number is, and whether that is too few."""
    if number.n is None:
        return ""
    said = f"n\u00a0=\u00a0{speaks.count(number.n)}"
    if 0 < number.n < ENOUGH:
        return f"{said}: {speaks.says(_TOO_FEW)}"
    return said
