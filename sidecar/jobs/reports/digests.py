"""The weekly digest and the monthly review: numbers of a whole connection."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from sidecar.errors import Permanent
from sidecar.jobs.clocks import staff
from sidecar.jobs.reports.desk import NOBODY, Desk
from sidecar.jobs.reports.kinds import Occasion, Report
from sidecar.mail import report_monthly, report_weekly
from sidecar.mail.letters import Letter
from sidecar.mail.report_monthly import Month
from sidecar.mail.report_weekly import WEEKS, Week
from sidecar.referral import metrics
from sidecar.referral.business_calendar import Staff
from sidecar.referral.journey import Milestone
from sidecar.referral.metrics import Course, Figures, Median, Share, Sum
from sidecar.referral.period import Period, earlier, month_before, week_before
from sidecar.salesforce.records import Rep
from sidecar.store import courses
from sidecar.store.connections import OrgConnection
from sidecar.store.report_mails import Planned, Sending

TREND = 12
"""So many weeks are drawn."""

_LOOK_BACK = timedelta(days=365)
"""What has been silent for longer is not asked about."""


def weekly(desk: Desk) -> Report:
    """Make the weekly digest."""

    def plan(db: Connection, occasion: Occasion) -> list[Planned]:
        starts = earlier(occasion.period, TREND).starts
        some = courses.since(db, occasion.connection, starts, keyring=desk.keyring)
        people = staff(db, occasion.connection, {item.owner_id for item in some})
        some = [replace(item, team=people.team(item.owner_id).name) for item in some]
        return _to_managers(people, some, occasion, _week(some, occasion.period))

    def write(connection: OrgConnection, sending: Sending, reader: Rep) -> Letter:
        return _write_weekly(desk, connection, sending, reader)

    return Report("0 8 * * 1", week_before, plan, write)


def monthly(desk: Desk) -> Report:
    """Make the monthly review."""

    def plan(db: Connection, occasion: Occasion) -> list[Planned]:
        starts = occasion.period.starts - _LOOK_BACK
        some = courses.since(db, occasion.connection, starts, keyring=desk.keyring)
        people = staff(db, occasion.connection, {item.owner_id for item in some})
        return _to_managers(people, some, occasion, _month(some, occasion.period))

    def write(connection: OrgConnection, sending: Sending, reader: Rep) -> Letter:
        return _write_monthly(desk, connection, sending, reader)

    return Report("0 8 1 * *", month_before, plan, write)


def _to_managers(
    people: Staff,
    some: Iterable[Course],
    occasion: Occasion,
    values: Mapping[str, Any],
) -> list[Planned]:
    """All get the same numbers; of an org in which nothing moved, nobody gets any."""
    readers: set[str | None] = set(occasion.recipients) or {
        people.recipients(item.owner_id).manager for item in some
    }
    if readers == {None}:
        raise Permanent(NOBODY)
    return [
        Planned(reader, values, occasion.language)
        for reader in sorted(filter(None, readers))
    ]


# --- what a mail's row keeps --------------------------------------------------------


def _week(some: Sequence[Course], period: Period) -> dict[str, Any]:
    before, four = earlier(period, 1), earlier(period, WEEKS)
    began = earlier(period, TREND - 1)
    weeks = [earlier(period, number) for number in reversed(range(TREND))]
    drawn = [(week, metrics.figures(some, week.starts, week.ends)) for week in weeks]
    return {
        **_days(period),
        "now": _kept(metrics.figures(some, period.starts, period.ends)),
        "before": _kept(metrics.figures(some, before.starts, before.ends)),
        "four": _kept(metrics.figures(some, four.starts, period.starts)),
        "owners": _groups(some, period, lambda item: item.owner_id or ""),
        "teams": _groups(some, period, lambda item: item.team),
        "funnel": metrics.funnel(some, began.starts, period.ends),
        "trend": [
            [week.first.isoformat(), figures.new, figures.won]
            for week, figures in drawn
        ],
    }


def _groups(
    some: Iterable[Course], period: Period, by: Callable[[Course], str]
) -> list[list[Any]]:
    """Count by group, the busiest first; who had nothing is left out."""
    groups: dict[str, list[Course]] = {}
    for item in some:
        groups.setdefault(by(item), []).append(item)
    counted = [
        (name, metrics.figures(group, period.starts, period.ends))
        for name, group in groups.items()
    ]
    busy = [item for item in counted if any((item[1].new, item[1].won, item[1].lost))]
    busy.sort(key=lambda item: (-item[1].new, -item[1].won, item[0]))
    return [[name, _kept(figures)] for name, figures in busy]


def _month(some: Sequence[Course], period: Period) -> dict[str, Any]:
    before = earlier(period, 1)
    now_, before_ = (
        metrics.figures(some, item.starts, item.ends) for item in (period, before)
    )
    asked = metrics.questions(
        some, now_, before_, starts=period.starts, ends=period.ends
    )
    return {
        **_days(period),
        "first_before": before.first.isoformat(),
        "now": _kept(now_),
        "before": _kept(before_),
        "asked": [
            [item.rule, {name: _plain(value) for name, value in item.says.items()}]
            for item in asked
        ],
    }


def _days(period: Period) -> dict[str, str]:
    return {"first": period.first.isoformat(), "last": period.last.isoformat()}


def _plain(value: object) -> object:
    """Write a question's number so that JSON keeps what it is."""
    match value:
        case timedelta():
            return {"seconds": value.total_seconds()}
        case Share():
            return {"share": list(value)}
    return value


def _read(value: Any) -> Any:
    match value:
        case {"seconds": seconds}:
            return timedelta(seconds=seconds)
        case {"share": [part, of]}:
            return Share(part, of)
    return value


def _kept(figures: Figures) -> dict[str, Any]:
    middle, n = figures.response
    return {
        "new": figures.new,
        "in_time": list(figures.in_time),
        "contacted": figures.contacted,
        "qualified": figures.qualified,
        "won": figures.won,
        "lost": figures.lost,
        "value": [str(figures.value.amount), figures.value.n, figures.value.of],
        "response": [middle.total_seconds() if middle is not None else None, n],
    }


def _figures(kept: Mapping[str, Any]) -> Figures:
    amount, known, of = kept["value"]
    seconds, n = kept["response"]
    middle = timedelta(seconds=seconds) if seconds is not None else None
    return Figures(
        **{
            **kept,
            "in_time": Share(*kept["in_time"]),
            "value": Sum(Decimal(amount), known, of),
            "response": Median(middle, n),
        }
    )


# --- what a reader gets -------------------------------------------------------------


def _write_weekly(
    desk: Desk, connection: OrgConnection, sending: Sending, reader: Rep
) -> Letter:
    kept = sending.values
    names = desk.names(connection, [owner for owner, _ in kept["owners"]])
    teams = kept["teams"] if len(kept["teams"]) > 1 else []
    week = Week(
        first=date.fromisoformat(kept["first"]),
        last=date.fromisoformat(kept["last"]),
        now=_figures(kept["now"]),
        before=_figures(kept["before"]),
        four=_figures(kept["four"]),
        owners=[
            (names.get(owner, ""), _figures(figures))
            for owner, figures in kept["owners"]
        ],
        teams=[(team, _figures(figures)) for team, figures in teams],
        funnel={Milestone(name): count for name, count in kept["funnel"].items()},
        trend=[(date.fromisoformat(day), new, won) for day, new, won in kept["trend"]],
    )
    page = report_weekly.page(
        week,
        speaks=desk.voice(reader),
        reader=reader.name,
        content_ids={
            name: desk.content_id(sending, name) for name in ("funnel", "trend")
        },
        preferences_url=desk.preferences(connection, sending, reader),
    )
    return desk.letter(connection, sending, reader, page)


def _write_monthly(
    desk: Desk, connection: OrgConnection, sending: Sending, reader: Rep
) -> Letter:
    kept = sending.values
    asked = [
        (rule, {name: _read(value) for name, value in numbers.items()})
        for rule, numbers in kept["asked"]
    ]
    owners = [str(numbers.get("owner_id", "")) for _, numbers in asked]
    month = Month(
        first=date.fromisoformat(kept["first"]),
        last=date.fromisoformat(kept["last"]),
        first_before=date.fromisoformat(kept["first_before"]),
        now=_figures(kept["now"]),
        before=_figures(kept["before"]),
        asked=asked,
        names=desk.names(connection, owners),
    )
    page = report_monthly.page(
        month,
        speaks=desk.voice(reader),
        reader=reader.name,
        preferences_url=desk.preferences(connection, sending, reader),
    )
    return desk.letter(connection, sending, reader, page)
