"""The letter to a referrer: words, the way out, and whom an answer reaches."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sidecar.jobs.deliver.word_mails import Mail, word_of
from sidecar.jobs.rep_letters import Sender
from sidecar.mail import letters, links, words
from sidecar.mail.languages import formats
from sidecar.mail.letters import Address, Letter
from sidecar.mail.links import PREFERENCES_LIFE, Act, Link
from sidecar.mail.words import LANGUAGES_OF_REFERRERS, Reader, Told, told_of
from sidecar.salesforce.records import Rep
from sidecar.salesforce.referrers import Referrer
from sidecar.store.connections import OrgConnection
from sidecar.store.digests import MOST


def letter(
    connection: OrgConnection,
    mail: Mail,
    referrer: Referrer,
    owner: Rep | None,
    won: int,
    listed: Sequence[Told] = (),
    *,
    sender: Sender,
    now: datetime,
) -> Letter:
    """
    Write a mail to a referrer.

    Args:
        owner: of the newest of the referrals; an answer goes there, if anywhere.
        won: how many of the referrer's referrals are won; 0 where that is no news.
        listed: what a monthly list lists.

    Raises:
        Permanent: the template does not render.
    """
    stop_url = _stop(connection.id, referrer, sender=sender, now=now)
    news = [told_of(word_of(attempt).values) for attempt in mail.attempts]
    rendered = words.write(
        _template(mail, won),
        listed[:MOST] or news,
        reader=Reader(referrer.name, referrer.language, ZoneInfo(connection.time_zone)),
        stop_url=stop_url,
        count=won,
        code=referrer.code,
        month=news[0].at,
        more=len(listed) > MOST,
    )
    return Letter(
        to=Address(referrer.name, referrer.email),
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        message_id=letters.message_id(mail.key, domain=sender.domain),
        written_at=now,
        headers={
            **_thread(mail, sender.domain),
            **({"Reply-To": owner.email} if owner and _answers(owner) else {}),
            **letters.unsubscribable(stop_url),
        },
    )


def _template(mail: Mail, won: int) -> str:
    if len(mail.attempts) > 1:
        return "news"
    template = word_of(mail.attempts[0]).template
    return "recognition" if template == "won" and won else template


def _thread(mail: Mail, domain: str) -> dict[str, str]:
    """One referral is one conversation; of several, none is."""
    first = mail.attempts[0].thread_key
    if len(mail.attempts) > 1 or first is None or first == mail.key:
        return {}
    return letters.replies_to(letters.message_id(first, domain=domain))


def _answers(owner: Rep) -> bool:
    return owner.active and "@" in owner.email and owner.email.isascii()


def _stop(
    connection_id: int, referrer: Referrer, *, sender: Sender, now: datetime
) -> str:
    language = LANGUAGES_OF_REFERRERS.get(referrer.language, "en")
    link = Link(
        Act.FALL_SILENT,
        connection_id,
        referrer.id,
        str(formats(language, language)),
        # Whole hours: a letter that is sent again is the same letter.
        (now + PREFERENCES_LIFE).replace(minute=0, second=0, microsecond=0),
    )
    return links.address(sender.public_url, link, sender.keyring)
