"""The pages behind a mail's buttons: opening one shows, sending its form acts.

A link is all that lets a rep in, see ``sidecar.mail.links``. Pages for phones, without
a script: they have to work in the browser that a mail program brings along.
"""

from collections.abc import Callable
from datetime import date, datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, request
from sqlalchemy.exc import OperationalError

from sidecar.console import act_forms, act_preferences, act_silence, form
from sidecar.console.act_desk import Desk, Page
from sidecar.console.act_forms import Asked, Faulty
from sidecar.errors import Permanent, Retryable
from sidecar.logs import MASK, log
from sidecar.mail import links
from sidecar.mail.links import Act, Link
from sidecar.salesforce import rep_actions
from sidecar.salesforce.rep_actions import Stale
from sidecar.store import audit, connections, follow_ups, inbox, mail_links
from sidecar.store.connections import OrgConnection
from sidecar.store.mail_links import About, Use

# Nothing but our own style sheet and our own form. The address of a page opens it:
# no other site may learn it, and our own form has to say where it comes from.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}

_SHORTEST = 4
"""Anything shorter stands in many a text that repeats nobody."""


def blueprint(desk: Desk) -> Blueprint:
    """Build the pages."""
    routes = Blueprint("act", __name__, url_prefix=links.PREFIX.rstrip("/"))

    @routes.get("/<token>")
    def show(token: str) -> Response:
        """Show what the link is for. Whoever opens it, nothing happens."""
        return _answered(lambda: _page(desk, token))

    @routes.post("/<token>")
    def act(token: str) -> Response:
        """Do what the form says."""
        if not _from_here(desk.settings.public_url):
            return _answered(lambda: Page("elsewhere", HTTPStatus.FORBIDDEN))
        return _answered(lambda: _acted(desk, token))

    return routes


def _answered(make: Callable[[], Page]) -> Response:
    try:
        page = make()
    except OperationalError as exc:
        log().warning("mail_link.database_away", reason=str(exc.orig))
        page = Page("later", HTTPStatus.SERVICE_UNAVAILABLE)
    answer = make_response(page.html())
    answer.status_code = page.status
    answer.headers.update(_HEADERS)
    return answer


def _from_here(public_url: str) -> bool:
    """
    Tell whether a form comes from a page of ours, or from no page at all.

    Source: "Origin" and "Sec-Fetch-Site", as browsers send them with each form.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {
        "same-origin",
        "none",
    }:
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    ours = urlsplit(public_url)
    return origin in {f"{ours.scheme}://{ours.netloc}", request.host_url.rstrip("/")}


def _page(desk: Desk, token: str) -> Page:
    match _opened(desk, token):
        case Page() as page:
            return page
        case link, None if link.act is Act.FALL_SILENT:
            return act_silence.page(link)
        case link, None:
            return act_preferences.page(desk, link)
        case link, (connection, about):
            if (at := _used(desk, link, token)) is not None:
                return _over(link, connection, about, at)
            return act_forms.page(
                link, about, connection, today=_today(desk, connection)
            )


def _acted(desk: Desk, token: str) -> Page:
    match _opened(desk, token):
        case Page() as page:
            return page
        case link, None if link.act is Act.FALL_SILENT:
            return act_silence.asked(desk, link)
        case link, None:
            return act_preferences.chosen(desk, link, form.fields())
        case link, (connection, about):
            today, given = _today(desk, connection), form.fields()
            asked = act_forms.read(link, about, connection, given, today=today)
            if isinstance(asked, Faulty):
                return act_forms.page(
                    link,
                    about,
                    connection,
                    today=today,
                    fault=asked,
                    given=given,
                )
            return _carried_out(desk, token, link, connection, about, asked)


def _opened(
    desk: Desk, token: str
) -> Page | tuple[Link, None] | tuple[Link, tuple[OrgConnection, About]]:
    """What a link is for, or the page that says why it is for nothing."""
    link = links.read(token, desk.keyring)
    if link is None:
        return Page("unknown", HTTPStatus.NOT_FOUND)
    if link.expires_at <= desk.now():
        return Page("expired", HTTPStatus.GONE, link.locale)
    with desk.engine.connect() as db:
        connection = connections.find(db, link.connection_id)
        if connection is None:
            return Page("forgotten", HTTPStatus.GONE, link.locale)
        if link.act in {Act.PREFERENCES, Act.STOP, Act.FALL_SILENT}:
            return link, None
        about = mail_links.about(
            db, link.connection_id, link.follow_up_id, keyring=desk.keyring
        )
    if about is None or about.email is None:
        return Page("forgotten", HTTPStatus.GONE, link.locale)
    return link, (connection, about)


def _today(desk: Desk, connection: OrgConnection) -> date:
    return act_forms.today_in(connection.time_zone, desk.now())


def _used(desk: Desk, link: Link, token: str) -> datetime | None:
    if link.act is Act.UPDATE:
        return None  # once for each status, which a form names
    with desk.engine.connect() as db:
        return mail_links.used_at(db, links.digest(token))


def _over(link: Link, connection: OrgConnection, about: About, at: datetime) -> Page:
    return Page(
        "used",
        HTTPStatus.OK,
        link.locale,
        {
            **act_forms.shown(link, about, connection),
            "at": act_forms.moment(at, connection.time_zone, link.locale),
        },
    )


def _carried_out(
    desk: Desk,
    token: str,
    link: Link,
    connection: OrgConnection,
    about: About,
    asked: Asked,
) -> Page:
    """Use the link, and do in Salesforce what is asked."""
    digest = links.digest(token, asked.state)
    use = Use(
        digest,
        link.connection_id,
        link.follow_up_id,
        link.user_id,
        link.act,
        link.expires_at,
    )
    with desk.engine.begin() as db:
        if not mail_links.take(db, use, now=desk.now()):
            at = mail_links.used_at(db, digest) or desk.now()
            return _over(link, connection, about, at)
    shown = act_forms.shown(link, about, connection)
    try:
        rep = desk.records.reps(link.connection_id, [link.user_id]).get(link.user_id)
        if rep is None or not rep.active:
            raise Permanent(f"the org has no active user {link.user_id}")
        on = act_forms.today_in(rep.time_zone, desk.now())
        deed = act_forms.deed(
            link, about, asked, rep_name=rep.name, digest=digest, on=on
        )
        outcome = rep_actions.carry_out(desk.sessions, link.connection_id, deed)
    except (Retryable, Permanent) as exc:
        with desk.engine.begin() as db:
            mail_links.give_back(db, digest)
        reason = _unquoted(str(exc), about, asked)
        log().warning("mail_link.failed", act=link.act, reason=reason)
        if isinstance(exc, Retryable):
            return Page("later", HTTPStatus.SERVICE_UNAVAILABLE, link.locale, shown)
        why = {**shown, "why": str(exc)}
        return Page("refused", HTTPStatus.CONFLICT, link.locale, why)
    if isinstance(outcome, Stale):
        with desk.engine.begin() as db:
            mail_links.give_back(db, digest)
        now_at = {**shown, "status": outcome.status}
        return Page("stale", HTTPStatus.CONFLICT, link.locale, now_at)
    _settled(desk, link, about, asked, digest, time_zone=rep.time_zone)
    day = act_forms.day(asked.due_on, link.locale) if asked.due_on else None
    told = {**shown, "status": asked.status or about.status, "day": day}
    return Page("done", HTTPStatus.OK, link.locale, told)


def _unquoted(reason: str, about: About, asked: Asked) -> str:
    """Leave out of a refusal what it repeats of people: it goes into the log."""
    told = about.email.values.values() if about.email is not None else ()
    for text in sorted((asked.note, *told), key=len, reverse=True):
        if len(text) >= _SHORTEST:
            reason = reason.replace(text, MASK)
    return reason


def _settled(
    desk: Desk,
    link: Link,
    about: About,
    asked: Asked,
    digest: str,
    *,
    time_zone: str,
) -> None:
    """Remember that it is done, who did it, and when to speak of it again."""
    now = desk.now()
    with desk.engine.begin() as db:
        # A reminder is about a person: see store.persons.
        inbox.lock_lane(db, link.connection_id)
        mail_links.done(db, digest, now=now)
        if asked.due_on is not None and about.email is not None:
            follow_ups.remind(
                db,
                link.follow_up_id,
                key=digest[:32],
                template="reminder",
                at=act_forms.morning(asked.due_on, time_zone),
                now=now,
                keyring=desk.keyring,
            )
        audit.note(
            db,
            who=f"user {link.user_id} (link in a mail)",
            what=f"referral.{link.act}",
            about=f"{about.object_type} {about.record_id}",
            details={"status": asked.status, "connection": link.connection_id},
            now=now,
        )
