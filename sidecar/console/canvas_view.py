"""A referral at a glance, in the language and the hours of who looks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sidecar.console.act_desk import Page, translate
from sidecar.console.act_forms import moment
from sidecar.mail.languages import language_of, marked
from sidecar.mail.report_numbers import MILESTONES
from sidecar.mail.values import one_line
from sidecar.referral.journey import Milestone, Referral
from sidecar.referral.response_clock import State
from sidecar.salesforce.ids import is_id, to_18
from sidecar.store.glance import Deed, Glance, Promise, Stage

_LOCALE = re.compile(r"[A-Za-z]{2,8}(?:[_-][A-Za-z0-9]{1,8}){0,4}\Z")
_USER = "005"
_QUEUE = "00G"

_KINDS: Mapping[str, str] = {
    "task": marked("Task"),
    "email": marked("Mail to the owner"),
    "chat": marked("Chat message"),
    "set_field": marked("Field of the record"),
    "add_to_campaign": marked("Campaign"),
    "word": marked("Word to the referrer"),
}
_PLANNED = marked("planned for %(at)s")
_RETRIED = marked("did not work yet; tried again on %(at)s")
_ENDS: Mapping[str, str] = {
    "sending": marked("under way"),
    "done": marked("done on %(at)s"),
    "dead": marked("given up; the sidecar's operator sees why"),
    "uncertain": marked("perhaps done; the sidecar's operator has to decide"),
    "cancelled": marked("no longer needed"),
}
_OVERDUE = marked("overdue since %(at)s")
_DUE = marked("due on %(at)s")
_CLOCKS: Mapping[str, str] = {
    State.WAITING: marked("runs"),
    State.PAUSED: marked("rests"),
    State.DONE: marked("answered"),
    State.SPENT: marked("nobody answered"),
    State.CANCELLED: marked("no longer needed"),
}


@dataclass(frozen=True)
class Reader:
    """
    Who looks, as Salesforce says.

    Attributes:
        user_id: 18 characters; empty where none was named.
        locale: their language, with the country whose dates they read.
        time_zone: one that is known.
    """

    user_id: str
    locale: str
    time_zone: str

    @classmethod
    def of(
        cls, user_id: str, *, language: str, locale: str, time_zone: str, otherwise: str
    ) -> Self:
        """
        Take what Salesforce says of a user, as far as it makes sense.

        Args:
            otherwise: the zone where theirs is unknown.
        """
        country = locale.replace("-", "_").partition("_")[2]
        spoken = language_of(language if _LOCALE.match(language) else "")
        combined = f"{spoken}_{country}" if country else spoken
        return cls(
            to_18(user_id) if is_id(user_id) else "",
            combined if _LOCALE.match(combined) else spoken,
            time_zone if _is_zone(time_zone) else otherwise,
        )

    def says(self, message: str) -> str:
        """Say a message in their language."""
        return translate(message, self.locale)

    def at(self, message: str, when: datetime | None) -> str:
        """Say a message that names a moment, where there is one."""
        written = moment(when, self.time_zone, self.locale) if when else ""
        return self.says(message) % {"at": written}


class Line(NamedTuple):
    """One line of a list: what, how it stands, and whether that asks for somebody."""

    what: str
    how: str
    urgent: bool = False


def page(found: Glance, reader: Reader, *, now: datetime) -> Page:
    """Show a referral."""
    referral = found.referral
    values = {
        "status": one_line(referral.status or ""),
        "milestone": _milestone(referral.milestone, reader),
        "owner": reader.says(_owner(referral, reader, left=found.owner_left)),
        "since": moment(referral.changed_at, reader.time_zone, reader.locale),
        "next_step": _next_step(found, reader, now),
        "promises": [_promise(item, reader, now) for item in found.promises],
        "deeds": [_deed(item, reader) for item in found.deeds],
        "stages": [_stage(item, reader) for item in found.stages],
    }
    return Page("referral", locale=reader.locale, values=values)


def _milestone(milestone: str | None, reader: Reader) -> str:
    if milestone is None or milestone not in MILESTONES:
        return ""
    return reader.says(MILESTONES[Milestone(milestone)])


def _owner(referral: Referral, reader: Reader, *, left: bool) -> str:
    owner = referral.owner_id or ""
    if left:
        return marked("Somebody who has left")
    if owner == reader.user_id and owner:
        return marked("You")
    if owner.startswith(_QUEUE):
        return marked("A queue")
    return marked("Somebody else") if owner.startswith(_USER) else marked("Nobody")


def _next_step(found: Glance, reader: Reader, now: datetime) -> Line | None:
    step = found.next_step
    if step is None:
        return None
    if step.kind == "clock":
        return Line(
            one_line(step.name),
            reader.at(_DUE if step.at > now else _OVERDUE, step.at),
            step.at <= now,
        )
    return Line(one_line(step.name), reader.at(_PLANNED, step.at))


def _promise(item: Promise, reader: Reader, now: datetime) -> Line:
    """Tell of a clock; of one that runs, by when somebody must have answered."""
    what, until = one_line(item.name), item.promised_at
    if item.kind == "action" and item.state == State.WAITING:
        return Line(what, reader.at(_PLANNED, item.due_at))
    if item.state == State.WAITING and until is not None:
        late = until <= now
        return Line(what, reader.at(_OVERDUE if late else _DUE, until), late)
    how = reader.says(_CLOCKS[item.state])
    return Line(what, how, item.state == State.SPENT)


def _deed(item: Deed, reader: Reader) -> Line:
    kind = reader.says(_KINDS[item.kind]) if item.kind in _KINDS else item.kind
    of = _milestone(item.milestone, reader)
    what = ", ".join(filter(None, (f"{kind}: {one_line(item.action)}", of)))
    if item.state == "waiting":
        how = reader.at(_RETRIED if item.attempts else _PLANNED, item.due_at)
    else:
        how = reader.at(_ENDS[item.state], item.settled_at)
    return Line(what, how, item.state in {"dead", "uncertain"})


def _stage(item: Stage, reader: Reader) -> Line:
    how = reader.at(marked("reached on %(at)s"), item.reached_at)
    heard = marked("not heard of yet")
    if item.heard_at is not None:
        heard = marked("heard of on %(at)s")
    return Line(one_line(item.status), f"{how}; {reader.at(heard, item.heard_at)}")


def _is_zone(name: str) -> bool:
    try:
        return bool(name) and bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
