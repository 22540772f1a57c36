"""Which mails a rep wants, and when: a page for the rep, a click for a mail program."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from http import HTTPStatus

from sidecar.console.act_desk import Desk, Page, translate
from sidecar.mail.languages import marked
from sidecar.mail.links import Act, Link
from sidecar.referral.mail_preference import Mails, Preference
from sidecar.store import mail_preferences

_NIGHT = Preference(quiet_from=time(20), quiet_until=time(7))
"""What the page offers to who has no quiet hours."""


def page(desk: Desk, link: Link, *, saved: bool = False, fault: str = "") -> Page:
    """Show what a rep has chosen; with a link to stop, what stopping would be."""
    chosen = _known(desk, link)
    quiet = chosen.quiet_from is not None
    hours = chosen if quiet else _NIGHT
    stopping = link.act is Act.STOP and not saved
    values = {
        "mails": Mails.NONE if stopping else chosen.mails,
        "quiet": quiet,
        "quiet_from": f"{hours.quiet_from:%H:%M}",
        "quiet_until": f"{hours.quiet_until:%H:%M}",
        "saved": saved,
        "fault": fault,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK
    return Page("preferences", status, link.locale, values)


def chosen(desk: Desk, link: Link, form: Mapping[str, str]) -> Page:
    """
    Take what a rep chooses, as often as they like.

    Source: RFC 8058, section 3.2: a mail program posts ``List-Unsubscribe=One-Click``
    and nothing else.
    """
    if link.act is Act.STOP and "mails" not in form:
        _keep(desk, link, replace(_known(desk, link), mails=Mails.NONE))
        return page(desk, link, saved=True)
    try:
        preference = _read(form)
    except ValueError:
        why = marked(
            "Choose which mails you want; quiet hours have a start and an end."
        )
        return page(desk, link, fault=translate(why, link.locale))
    _keep(desk, link, preference)
    return page(desk, link, saved=True)


def _known(desk: Desk, link: Link) -> Preference:
    with desk.engine.connect() as db:
        known = mail_preferences.of_reps(db, link.connection_id, [link.user_id])
    return known.get(link.user_id, Preference())


def _read(form: Mapping[str, str]) -> Preference:
    mails = Mails(form.get("mails", ""))
    if "quiet" not in form:
        return Preference(mails)
    starts, ends = (
        time.fromisoformat(form.get(name, "")).replace(second=0, tzinfo=None)
        for name in ("quiet_from", "quiet_until")
    )
    return Preference(mails, starts, ends)


def _keep(desk: Desk, link: Link, preference: Preference) -> None:
    with desk.engine.begin() as db:
        mail_preferences.choose(
            db, link.connection_id, link.user_id, preference, now=desk.now()
        )
