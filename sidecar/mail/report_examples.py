"""What a report is shown with, where no real numbers are asked for."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sidecar.mail import report_monthly, report_overdue, report_weekly
from sidecar.mail.report_monthly import Month
from sidecar.mail.report_overdue import Item
from sidecar.mail.report_page import Page, Voice
from sidecar.mail.report_weekly import Week
from sidecar.referral.metrics import FUNNEL, Figures, Median, Share, Sum

_NOW = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
_RECORD = "https://salesforce.example.com/00Q000000000001EAA"
_REP = "Rita Rep"


def page(
    report: str,
    speaks: Voice,
    *,
    who: str = "Ada Example, Lighthouse Books",
    **more: str,
) -> Page:
    """
    Write an example of a report.

    Args:
        who: a referred person; ``rep``, ``kind`` and ``reader`` may be given as well.
    """
    given = {"who": who, "rep": _REP, "kind": "Partner", "reader": "Maria Manager"}
    return PAGES[report](speaks, given | more)


def _overdue(speaks: Voice, given: Mapping[str, str]) -> Page:
    def item(hours: int, rep: str) -> Item:
        return Item(given["who"], rep, _RECORD, _NOW - timedelta(hours=hours))

    return report_overdue.page(
        _NOW.date(),
        _NOW,
        [item(70, given["rep"]), item(3, "Rolf Sample"), item(-4, given["rep"])],
        [Item(None, "", _RECORD)],
        [Item(given["who"], given["rep"], _RECORD)],
        speaks=speaks,
        reader=given["reader"],
        preferences_url=given.get("preferences_url"),
    )


def _weekly(speaks: Voice, given: Mapping[str, str]) -> Page:
    monday = date(2026, 2, 23)
    return report_weekly.page(
        Week(
            first=monday,
            last=date(2026, 3, 1),
            now=_figures(23, 18, 7, 142_500),
            before=_figures(19, 17, 5, 0),
            four=_figures(90, 74, 11, 280_500),
            owners=[
                (given["rep"], _figures(12, 10, 4, 90_000)),
                ("", _figures(1, 0, 0, 0)),
            ],
            teams=[
                ("North", _figures(14, 10, 3, 60_000)),
                ("South", _figures(9, 8, 4, 82_500)),
            ],
            funnel=dict(zip(FUNNEL, (257, 241, 148, 90, 39), strict=True)),
            trend=[
                (monday - timedelta(days=7 * (11 - n)), 16 + n * 7 % 11, n * 5 % 7)
                for n in range(12)
            ],
        ),
        speaks=speaks,
        reader=given["reader"],
        content_ids={name: f"{name}.example@example.com" for name in _PICTURES},
        preferences_url=given.get("preferences_url"),
    )


def _monthly(speaks: Voice, given: Mapping[str, str]) -> Page:
    hours = timedelta(hours=1)
    return report_monthly.page(
        Month(
            first=date(2026, 2, 1),
            last=date(2026, 2, 28),
            first_before=date(2026, 1, 1),
            now=_figures(96, 77, 7, 395_500),
            before=_figures(86, 80, 7, 362_500),
            asked=[
                (
                    "slow_kind",
                    {
                        "slow": given["kind"],
                        "fast": "Customer",
                        "times": 3.2,
                        "slow_wait": 28 * hours,
                        "fast_wait": 9 * hours,
                        "slow_n": 23,
                        "fast_n": 28,
                    },
                ),
                (
                    "late_owner",
                    {"owner_id": "005", "own": Share(6, 12), "rest": Share(71, 84)},
                ),
                ("silent", {"n": 14, "days": 30}),
            ],
            names={"005": given["rep"]},
        ),
        speaks=speaks,
        reader=given["reader"],
        preferences_url=given.get("preferences_url"),
    )


def _figures(new: int, kept: int, won: int, value: int) -> Figures:
    return Figures(
        new=new,
        in_time=Share(kept, new),
        contacted=kept,
        qualified=kept // 2,
        won=won,
        lost=won + 2,
        value=Sum(Decimal(value), won if value else 0, won),
        response=Median(timedelta(minutes=37 * kept) if kept else None, kept),
    )


_PICTURES = ("funnel", "trend")
PAGES: Mapping[str, Callable[[Voice, Mapping[str, str]], Page]] = {
    "monthly": _monthly,
    "overdue": _overdue,
    "weekly": _weekly,
}
