"""The forms behind a mail's buttons: what they offer, and what a rep makes of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

from sidecar.console.act_desk import Page, translate
from sidecar.mail.languages import formats, language_of, marked
from sidecar.mail.links import Act, Link
from sidecar.mail.lost_reasons import LOST_REASONS, in_words
from sidecar.mail.values import one_line, several_lines, who
from sidecar.referral.journey import Milestone
from sidecar.referral.mail_preference import DIGEST_AT
from sidecar.referral.next_statuses import next_milestones, statuses_for
from sidecar.salesforce.rep_actions import Deed
from sidecar.store.connections import OrgConnection
from sidecar.store.mail_links import About

NOTE_LIMIT = 2000
FURTHEST = timedelta(days=90)
_FIELDS = ("status", "reason", "on", "other", "note")
_OFFERED_DAYS = (1, 3, 7, 14)
_SATURDAY = 5


@dataclass(frozen=True)
class Asked:
    """
    What a form asks for.

    Attributes:
        status: the org's value to set; None to leave it.
        reason: why it is lost; None where it is not, or nobody says.
        due_on: when the rep comes back to it; None where that is not the matter.
        state: what the link is used for, where that may be more than once.
    """

    status: str | None = None
    reason: str | None = None
    note: str = ""
    due_on: date | None = None
    state: str = ""


@dataclass(frozen=True)
class Faulty:
    """A form that cannot be taken: which field, and why."""

    field: str
    why: str


def today_in(time_zone: str, now: datetime) -> date:
    """Give the date in a zone."""
    return now.astimezone(ZoneInfo(time_zone)).date()


def morning(day: date, time_zone: str) -> datetime:
    """When a rep is reminded on a day."""
    return datetime.combine(day, DIGEST_AT, ZoneInfo(time_zone)).astimezone(UTC)


def day(when: date, locale: str) -> str:
    """Write a date as the reader does."""
    return one_line(format_date(when, "full", formats(language_of(locale), locale)))


def moment(at: datetime, time_zone: str, locale: str) -> str:
    """Write a moment as the reader does."""
    local = at.astimezone(ZoneInfo(time_zone))
    written = formats(language_of(locale), locale)
    clock = format_time(local, "short", locale=written)
    return one_line(f"{format_date(local, 'long', written)}, {clock}")


def shown(link: Link, about: About, connection: OrgConnection) -> dict[str, Any]:
    """What every page says of a referral."""
    values = about.email.values if about.email is not None else {}
    return {
        "act": link.act,
        "who": who(
            one_line(values.get("name", "")),
            one_line(values.get("company", "")),
            lambda message: translate(message, link.locale),
        ),
        "phone": one_line(values.get("phone", "")) or None,
        "referrer": one_line(values.get("referrer", "")) or None,
        "status": about.status,
        "record_url": f"{connection.instance_url}/{about.record_id}",
    }


def page(
    link: Link,
    about: About,
    connection: OrgConnection,
    *,
    today: date,
    fault: Faulty | None = None,
    given: Mapping[str, str] | None = None,
) -> Page:
    """Show a form; what was given before stands in it again."""
    statuses = _statuses(link, about, connection)
    values = {
        **shown(link, about, connection),
        "statuses": [
            (status, translate(_MEANINGS[milestone], link.locale))
            for status, milestone in statuses.items()
        ],
        "reasons": [
            (reason, translate(reason, link.locale))
            for reason in (LOST_REASONS if Milestone.LOST in statuses.values() else ())
        ],
        "lost": [
            status
            for status, milestone in statuses.items()
            if milestone is Milestone.LOST
        ],
        "days": [(one.isoformat(), day(one, link.locale)) for one in _offered(today)],
        "earliest": (today + timedelta(days=1)).isoformat(),
        "latest": (today + FURTHEST).isoformat(),
        "limit": NOTE_LIMIT,
        "fault": fault,
        "given": {name: (given or {}).get(name, "") for name in _FIELDS},
    }
    status = HTTPStatus.OK if fault is None else HTTPStatus.UNPROCESSABLE_ENTITY
    return Page("form", status, link.locale, values)


_MEANINGS = {
    Milestone.CONTACTED: marked("I have spoken with them"),
    Milestone.QUALIFIED: marked("They fit, and want more"),
    Milestone.LOST: marked("Nothing will come of it"),
}


def _statuses(
    link: Link, about: About, connection: OrgConnection
) -> dict[str, Milestone]:
    """The org's statuses that a form may set."""
    wanted: tuple[Milestone, ...] = ()
    if link.act is Act.UPDATE:
        wanted = next_milestones(about.object_type, about.milestone)
    elif link.act is Act.CONTACTED and about.milestone is Milestone.SUBMITTED:
        wanted = (Milestone.CONTACTED,)
    return statuses_for(wanted, connection.statuses)


def _offered(today: date) -> list[date]:
    """Days to come back: some time ahead, and none on a weekend."""
    found: list[date] = []
    for ahead in _OFFERED_DAYS:
        one = today + timedelta(days=ahead)
        if one.weekday() >= _SATURDAY:
            one += timedelta(days=7 - one.weekday())
        if one not in found:
            found.append(one)
    return found


def read(
    link: Link,
    about: About,
    connection: OrgConnection,
    form: Mapping[str, str],
    *,
    today: date,
) -> Asked | Faulty:
    """Read a form; nothing in it is taken on trust."""
    note = several_lines(form.get("note", ""))
    if len(note) > NOTE_LIMIT:
        return Faulty("note", translate(marked("This note is too long."), link.locale))
    statuses = _statuses(link, about, connection)
    if link.act is Act.CONTACTED:
        return Asked(status=next(iter(statuses), None), note=note)
    if link.act is Act.UPDATE:
        return _update(about, statuses, form, note=note, locale=link.locale)
    due_on = _date(form)
    if due_on is None or not today < due_on <= today + FURTHEST:
        why = marked("Choose a day after today, within three months.")
        return Faulty("on", translate(why, link.locale))
    return Asked(note=note, due_on=due_on)


def _update(
    about: About,
    statuses: Mapping[str, Milestone],
    form: Mapping[str, str],
    *,
    note: str,
    locale: str,
) -> Asked | Faulty:
    """Read what is new; a reason counts with the status that it belongs to."""
    status = form.get("status") or None
    if status is not None and status not in statuses:
        why = marked("This status cannot be set from here any more.")
        return Faulty("status", translate(why, locale))
    if status is None and not note:
        why = marked("Choose a status, or write a note.")
        return Faulty("status", translate(why, locale))
    lost = status is not None and statuses[status] is Milestone.LOST
    reason = (form.get("reason") or None) if lost else None
    if reason is not None and reason not in LOST_REASONS:
        why = marked("Choose one of the reasons, or none.")
        return Faulty("reason", translate(why, locale))
    state = json.dumps([about.status, status, reason, note])
    return Asked(status=status, reason=reason, note=note, state=state)


def _date(form: Mapping[str, str]) -> date | None:
    given = form.get("on", "")
    try:
        return date.fromisoformat(form.get("other", "") if given == "other" else given)
    except ValueError:
        return None


def deed(
    link: Link, about: About, asked: Asked, *, rep_name: str, digest: str, on: date
) -> Deed:
    """
    Say what is to be done in Salesforce.

    Args:
        rep_name: in whose name; it stands in the note.
        digest: of the link; the key of a task that has to be made.
        on: today, by the rep's clock. No time of day: a form that is sent again
            after an answer got lost adds nothing.
    """
    told = {
        "on": format_date(on, "long", formats(language_of(link.locale), link.locale)),
        "rep": one_line(rep_name),
        "status": asked.status or "",
        "reason": in_words(
            asked.reason or "", lambda message: translate(message, link.locale)
        ),
        "day": day(asked.due_on, link.locale) if asked.due_on else "",
    }
    said = translate(_said(link.act, asked), link.locale) % told
    values = about.email.values if about.email is not None else {}
    name = one_line(values.get("name", "") or values.get("company", ""))
    subject = translate(marked("Referral"), link.locale)
    return Deed(
        object_type=about.object_type,
        record_id=about.record_id,
        owner_id=link.user_id,
        note=f"{said}\n{asked.note}".strip(),
        new_task_key=digest[:32],
        subject=f"{subject}: {name}" if name else subject,
        seen=about.status,
        status=asked.status,
        reason=asked.reason,
        task_keys=about.task_keys,
        due_on=asked.due_on,
        complete=link.act is Act.CONTACTED,
    )


def _said(act: Act, asked: Asked) -> str:
    match act:
        case Act.CONTACTED:
            return marked("%(on)s: %(rep)s has contacted them (link in a mail).")
        case Act.UNREACHABLE:
            return marked(
                "%(on)s: %(rep)s has not reached them, and tries again on %(day)s "
                "(link in a mail)."
            )
        case Act.SNOOZE:
            return marked(
                "%(on)s: %(rep)s comes back to this on %(day)s (link in a mail)."
            )
    if asked.reason is not None:
        return marked(
            "%(on)s: %(rep)s has set the status to %(status)s, reason: %(reason)s "
            "(link in a mail)."
        )
    if asked.status is not None:
        return marked(
            "%(on)s: %(rep)s has set the status to %(status)s (link in a mail)."
        )
    return marked("%(on)s: %(rep)s notes (link in a mail):")
