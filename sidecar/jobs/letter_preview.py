"""The letter that a real referral would bring, for a look: it is never sent.

Everything is read in a transaction in which PostgreSQL itself refuses to write; the
org is not asked, so the rep's own name, language and time zone are not known.
"""

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from sidecar.errors import Permanent
from sidecar.jobs import foresight, rep_letters
from sidecar.keyring import Keyring
from sidecar.mail.preview import dead
from sidecar.mail.render import Rendered, names, render
from sidecar.referral import follow_up
from sidecar.referral.journey import Milestone, Referral
from sidecar.salesforce.records import Rep
from sidecar.store import journeys
from sidecar.store.claims import Attempt
from sidecar.store.connections import OrgConnection


def of_record(
    record: str,
    template: str,
    *,
    language: str,
    engine: Engine,
    keyring: Keyring,
    public_url: str,
) -> Rendered:
    """
    Write what a mail would say of a referral as it stands, with buttons that are dead.

    Args:
        record: its record's id, 18 characters, or its key.
        template: one of ``render.names()``.
        language: one of ``LANGUAGES``.

    Raises:
        Permanent: nothing is known of the record, or it is about somebody erased; no
            such mail tells a rep of one referral.
    """
    if template not in names():
        raise Permanent(
            f"{template!r} tells a rep of no single referral, so --record cannot fill "
            f"it; these do: {', '.join(names())}"
        )
    with foresight.reading(engine) as db:
        for connection_id, key in journeys.find(db, record):
            connection = foresight.connection_of(db, connection_id)
            known = journeys.look(db, connection.org_id, [key], keyring=keyring)
            if key in known:
                shown = _values(connection, known[key], template, public_url)
                return render(
                    template,
                    shown,
                    language=language,
                    locale="",
                    zone=ZoneInfo(connection.time_zone),
                )
    raise Permanent(
        f"nothing is known of {record}: `sidecar events list` shows what is"
    )


def _values(
    connection: OrgConnection, referral: Referral, template: str, public_url: str
) -> dict[str, Any]:
    # One whose status means nothing to us would bring no mail, and may be shown.
    milestone = referral.milestone or Milestone.SUBMITTED
    email = follow_up.Email(template, referral.owner_id, follow_up.told(referral))
    attempt = Attempt(
        id=0,
        key="preview",
        number=0,
        after_silence=False,
        org_id=connection.org_id,
        record_id=referral.record_id,
        resend=False,
        what=email,
        created_at=referral.changed_at,
        referral_key=referral.key,
        milestone=milestone,
    )
    nobody = Rep(
        id=email.to_user_id or "",
        name="",
        email="",
        active=True,
        locale="",
        time_zone=connection.time_zone,
    )
    buttons = [f"{act}_url" for act in rep_letters.acts(milestone)]
    return {
        **rep_letters.values(connection, attempt, email, nobody),
        **dead(public_url, [*buttons, "preferences_url"]),
    }
