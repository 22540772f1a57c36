"""One letter of several follow-ups: each referral once, with all that happened."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sidecar.jobs import rep_letters
from sidecar.jobs.rep_letters import Sender
from sidecar.mail import letters
from sidecar.mail.letters import Address, Letter
from sidecar.mail.render import render_together
from sidecar.referral.follow_up import Email
from sidecar.salesforce.records import Rep
from sidecar.store.claims import Attempt
from sidecar.store.connections import OrgConnection


def letter(
    connection: OrgConnection,
    attempts: Sequence[Attempt],
    key: str,
    rep: Rep,
    *,
    sender: Sender,
    now: datetime,
) -> Letter:
    """
    Write the one letter of several follow-ups to the rep to whom they go.

    Args:
        attempts: in the order in which they came.
        key: names the letter for ever, whenever it is sent again.

    Raises:
        Permanent: a template does not render.
    """
    rendered = render_together(
        [
            [_said(connection, attempt, rep, sender, now) for attempt in some]
            for some in _by_referral(attempts)
        ],
        {
            "owner": rep.name,
            "preferences_url": rep_letters.preferences(
                connection.id, rep, sender=sender, now=now
            ),
        },
        language=rep.language,
        locale=rep.locale,
        zone=ZoneInfo(rep.time_zone),
    )
    stop = rep_letters.stop(connection.id, rep, sender=sender, now=now)
    return Letter(
        to=Address(rep.name, rep.email),
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        message_id=letters.message_id(key, domain=sender.domain),
        written_at=now,
        headers=letters.unsubscribable(stop),
    )


def _by_referral(attempts: Sequence[Attempt]) -> list[list[Attempt]]:
    """Put together what is about one referral; in the order of what came first."""
    found: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        found.setdefault(attempt.referral_key, []).append(attempt)
    return list(found.values())


def _said(
    connection: OrgConnection,
    attempt: Attempt,
    rep: Rep,
    sender: Sender,
    now: datetime,
) -> tuple[str, Mapping[str, Any]]:
    """Give the template of a follow-up and what it speaks of."""
    email = attempt.what
    assert isinstance(email, Email)  # noqa: S101 mails alone go together
    buttons = rep_letters.buttons(connection.id, attempt, rep, sender=sender, now=now)
    values = rep_letters.values(connection, attempt, email, rep)
    return email.template, {**values, **buttons}
