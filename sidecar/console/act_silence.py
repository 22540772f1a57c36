"""Where a referrer ends our mails: a page for them, a click for a mail program."""

from sidecar.console.act_desk import Desk, Page
from sidecar.mail.links import Link
from sidecar.store import audit, referrer_stops


def page(link: Link) -> Page:
    """Ask whether they mean it. Whoever opens it, nothing happens."""
    return Page("silence", locale=link.locale, values={"asked": False})


def asked(desk: Desk, link: Link) -> Page:
    """
    Send them nothing more from now on, and have Salesforce told.

    Source: RFC 8058, section 3.2: a mail program posts ``List-Unsubscribe=One-Click``;
    our own form has nothing else to say.
    """
    now = desk.now()
    with desk.engine.begin() as db:
        # Whoever has the link may click as often as they like: the trail tells it once.
        if referrer_stops.ask(db, link.connection_id, link.user_id, now=now):
            audit.note(
                db,
                who=f"referrer {link.user_id} (link in a mail)",
                what="referrer.fall_silent",
                about=f"Referrer__c {link.user_id}",
                details={"connection": link.connection_id},
                now=now,
            )
    # The sweep finds it where nobody hears.
    desk.doorbell.ring_to_deliver(link.connection_id, referrer_stops.KIND)
    return Page("silence", locale=link.locale, values={"asked": True})
