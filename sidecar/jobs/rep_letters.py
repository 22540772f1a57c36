"""The letter of a follow-up: words, buttons, and the headers that go with them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sidecar.keyring import Keyring
from sidecar.mail import letters, links
from sidecar.mail.languages import formats, language_of
from sidecar.mail.letters import Address, Letter
from sidecar.mail.links import LIFE, PREFERENCES_LIFE, Act, Link
from sidecar.mail.render import render
from sidecar.referral.follow_up import SINCE, Email
from sidecar.salesforce.records import Rep
from sidecar.store.claims import Attempt
from sidecar.store.connections import OrgConnection

# What a rep may say at once, by the milestone that the mail is about. An opportunity
# is worked on in Salesforce: there is more to say than a page for phones can ask.
_BUTTONS: Mapping[str, tuple[Act, ...]] = {
    "submitted": (Act.CONTACTED, Act.UNREACHABLE, Act.SNOOZE, Act.UPDATE),
    "contacted": (Act.UNREACHABLE, Act.SNOOZE, Act.UPDATE),
}
_OTHERWISE = (Act.SNOOZE, Act.UPDATE)

RECORD_TYPES = {"00Q": "Lead", "003": "Contact", "006": "Opportunity"}
"""Key prefixes: "Standard Field and Object Prefixes", Salesforce Help."""


class Sender(NamedTuple):
    """
    Who writes, and from where.

    Attributes:
        public_url: where the pages behind the buttons are.
        keyring: signs their links.
    """

    address: Address
    public_url: str
    keyring: Keyring

    @property
    def domain(self) -> str:
        """The right part of our Message-IDs."""
        return self.address.email.rpartition("@")[2]


def letter(
    connection: OrgConnection,
    attempt: Attempt,
    email: Email,
    rep: Rep,
    *,
    sender: Sender,
    now: datetime,
) -> Letter:
    """
    Write the letter of a follow-up to the rep who owns the record.

    Raises:
        Permanent: the template does not render.
    """
    rendered = render(
        email.template,
        {
            **values(connection, attempt, email, rep),
            **buttons(connection.id, attempt, rep, sender=sender, now=now),
        },
        language=rep.language,
        locale=rep.locale,
        zone=ZoneInfo(rep.time_zone),
    )
    thread = attempt.thread_key
    return Letter(
        to=Address(rep.name, rep.email),
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        message_id=letters.message_id(attempt.key, domain=sender.domain),
        written_at=now,
        headers={
            **(
                letters.replies_to(letters.message_id(thread, domain=sender.domain))
                if thread and thread != attempt.key
                else {}
            ),
            **letters.unsubscribable(stop(connection.id, rep, sender=sender, now=now)),
        },
    )


def values(
    connection: OrgConnection, attempt: Attempt, email: Email, rep: Rep
) -> dict[str, Any]:
    """Give the words of a letter, without its buttons."""
    since = email.values.get(SINCE)
    return {
        **email.values,
        "owner": rep.name,
        "changed_at": datetime.fromisoformat(since) if since else attempt.created_at,
        "record_type": RECORD_TYPES.get(attempt.record_id[:3]),
        "record_url": f"{connection.instance_url}/{attempt.record_id}",
    }


def buttons(
    connection_id: int, attempt: Attempt, rep: Rep, *, sender: Sender, now: datetime
) -> dict[str, str]:
    """Give the addresses behind the buttons, each for one purpose."""

    def link(act: Act) -> str:
        about = Link(
            act,
            connection_id,
            rep.id,
            _locale(rep),
            # Whole hours: a letter that is sent again is the same letter.
            (now + LIFE).replace(minute=0, second=0, microsecond=0),
            attempt.id,
            attempt.referral_key,
        )
        return links.address(sender.public_url, about, sender.keyring)

    return {
        **{f"{act}_url": link(act) for act in acts(attempt.milestone)},
        "preferences_url": preferences(connection_id, rep, sender=sender, now=now),
    }


def acts(milestone: str) -> tuple[Act, ...]:
    """List what a letter about a milestone lets a rep say at once."""
    return _BUTTONS.get(milestone, _OTHERWISE)


def preferences(connection_id: int, rep: Rep, *, sender: Sender, now: datetime) -> str:
    """Give the address at which a rep chooses mails."""
    return _lasting(Act.PREFERENCES, connection_id, rep, sender, now)


def stop(connection_id: int, rep: Rep, *, sender: Sender, now: datetime) -> str:
    """Give the address at which a mail program ends a rep's mails."""
    return _lasting(Act.STOP, connection_id, rep, sender, now)


def _lasting(
    act: Act, connection_id: int, rep: Rep, sender: Sender, now: datetime
) -> str:
    ends = (now + PREFERENCES_LIFE).replace(minute=0, second=0, microsecond=0)
    link = Link(act, connection_id, rep.id, _locale(rep), ends)
    return links.address(sender.public_url, link, sender.keyring)


def _locale(rep: Rep) -> str:
    """Language and country in one: how pages are written."""
    return str(formats(language_of(rep.language), rep.locale))
