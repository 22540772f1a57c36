"""The words of the daily list: what is overdue, unowned, or without a next step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sidecar.mail.languages import marked
from sidecar.mail.report_page import DASH, Cell, Page, Section, Table, Tile, Voice
from sidecar.mail.values import one_line

SHOWN = 50
"""Of a part; whoever has more to do than that reads no further."""


@dataclass(frozen=True)
class Item:
    """
    One referral on the list.

    Attributes:
        who: the referred person; None where nobody may say any more.
        owner: the rep's name; empty where nobody owns it.
        promised_at: by when it had to be answered; None where nothing is promised.
    """

    who: str | None
    owner: str
    record_url: str
    promised_at: datetime | None = None


def page(
    day: date,
    now: datetime,
    late: Sequence[Item],
    unowned: Sequence[Item],
    stuck: Sequence[Item],
    *,
    speaks: Voice,
    reader: str,
    preferences_url: str | None,
) -> Page:
    """Write the list for a reader."""
    says = speaks.says
    broken = [item for item in late if item.promised_at and item.promised_at < now]
    title = says(marked("Referrals that wait for somebody"))
    return Page(
        subject=f"{title}: {len(late) + len(unowned) + len(stuck)}",
        label=says(marked("Today's list")),
        headline=speaks.weekday(day),
        happened=says(
            marked(
                "People who were recommended to you wait for an answer, or will hear "
                "nothing unless somebody takes them on."
            )
        ),
        tiles=[
            Tile(says(marked("Broken promises")), speaks.count(len(broken))),
            Tile(says(marked("Due today")), speaks.count(len(late) - len(broken))),
            Tile(
                says(marked("Without owner or next step")),
                speaks.count(len(unowned) + len(stuck)),
            ),
        ],
        footer=says(
            marked(
                "You get this list on working days on which there is something on it, "
                "because you look after those who own these referrals."
            )
        ),
        owner=one_line(reader),
        sections=[
            *_by_owner(late, now, speaks),
            *_part(
                says(marked("Without an owner")),
                says(marked("Give each of them to somebody.")),
                unowned,
                speaks,
            ),
            *_part(
                says(marked("Without a next step")),
                says(marked("No response clock runs, and no follow-up waits.")),
                stuck,
                speaks,
            ),
        ],
        preferences_url=preferences_url,
    )


def _by_owner(late: Sequence[Item], now: datetime, speaks: Voice) -> list[Section]:
    """A part for each rep; who has kept somebody waiting longest comes first."""
    queue = speaks.says(marked("A queue"))
    owners: dict[str, list[Item]] = {}
    for item in late:
        owners.setdefault(one_line(item.owner), []).append(item)
    return [
        Section(
            title=f"{owner or queue} ({len(some)})",
            table=Table(
                ["", speaks.says(marked("Promised by"))],
                [_row(item, now, speaks) for item in some[:SHOWN]],
            ),
            note=_more(len(some), speaks),
        )
        for owner, some in owners.items()
    ]


def _row(item: Item, now: datetime, speaks: Voice) -> list[Cell]:
    when = Cell(DASH)
    if item.promised_at is not None:
        when = Cell(speaks.moment(item.promised_at), note=_lateness(item, now, speaks))
    return [_who(item, speaks), when]


def _lateness(item: Item, now: datetime, speaks: Voice) -> str:
    if item.promised_at is None:
        return ""
    if item.promised_at >= now:
        return speaks.says(marked("due today"))
    late = speaks.span(now - item.promised_at)
    return speaks.says(marked("%(span)s late")) % {"span": late}


def _who(item: Item, speaks: Voice, *, owner: bool = False) -> Cell:
    who = one_line(item.who or "") or speaks.says(marked("A referral"))
    note = one_line(item.owner) if owner else ""
    return Cell(who, href=item.record_url, note=note)


def _part(title: str, lead: str, items: Sequence[Item], speaks: Voice) -> list[Section]:
    if not items:
        return []
    rows = [[_who(item, speaks, owner=True)] for item in items[:SHOWN]]
    return [
        Section(
            title=f"{title} ({len(items)})",
            lead=lead,
            table=Table([], rows),
            note=_more(len(items), speaks),
        )
    ]


def _more(number: int, speaks: Voice) -> str:
    if number <= SHOWN:
        return ""
    more = speaks.count(number - SHOWN)
    return speaks.says(marked("And %(number)s more.")) % {"number": more}
