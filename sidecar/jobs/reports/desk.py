"""What every report to managers is made with: its readers, their names, its letter."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from sidecar.errors import Permanent
from sidecar.jobs import rep_letters
from sidecar.jobs.clocks import staff
from sidecar.jobs.deliver.readers import Reps
from sidecar.jobs.rep_letters import Sender
from sidecar.jobs.reports.kinds import Occasion
from sidecar.keyring import Keyring
from sidecar.mail import letters, report_page
from sidecar.mail.letters import Address, Letter
from sidecar.mail.report_page import Page, Voice
from sidecar.referral.business_calendar import Staff
from sidecar.salesforce.records import Rep
from sidecar.store import journeys
from sidecar.store.connections import OrgConnection
from sidecar.store.report_mails import Sending

NOBODY = (
    "there is nobody to tell: name a manager in the calendar, a fallback owner, or "
    "readers (`sidecar reports set CONNECTION REPORT --to ...`)"
)


@dataclass(frozen=True)
class Desk:
    """
    What a report needs beside the database that it reads from.

    ``from_whom`` tells who writes; it is asked when there is something to write.
    """

    engine: Engine
    keyring: Keyring
    reps: Reps
    from_whom: Callable[[], Sender]

    @property
    def sender(self) -> Sender:
        """Who writes. Raises WrongSetting."""
        return self.from_whom()

    def voice(self, reader: Rep) -> Voice:
        """Speak as a reader does."""
        zone = ZoneInfo(reader.time_zone)
        return report_page.voice(reader.language, reader.locale, zone)

    def names(self, connection: OrgConnection, ids: Iterable[str]) -> dict[str, str]:
        """Give users' names, as the org has them. Raises Retryable, Permanent."""
        wanted = sorted({id_ for id_ in ids if id_.startswith("005")})
        if not wanted:
            return {}
        return {
            id_: rep.name for id_, rep in self.reps.reps(connection.id, wanted).items()
        }

    def people(self, connection: OrgConnection, keys: Iterable[str]) -> dict[str, str]:
        """Give the names of referred persons, by referral key; none of the erased."""
        with self.engine.connect() as db:
            known = journeys.look(
                db, connection.org_id, list(keys), keyring=self.keyring
            )
        return {
            key: name for key, item in known.items() if (name := _name(item.details))
        }

    def preferences(
        self, connection: OrgConnection, sending: Sending, reader: Rep
    ) -> str | None:
        """Give the address at which a user chooses mails; an address has none."""
        if not reader.id:
            return None
        return rep_letters.preferences(
            connection.id, reader, sender=self.sender, now=sending.created_at
        )

    def content_id(self, sending: Sending, name: str) -> str:
        """Name a picture within a mail; the same one for every attempt."""
        return f"{name}.{sending.key}@{self.sender.domain}"

    def letter(
        self, connection: OrgConnection, sending: Sending, reader: Rep, page: Page
    ) -> Letter:
        """Write a page out. Raises Permanent: it does not render."""
        rendered = report_page.render(page, self.voice(reader))
        headers: Mapping[str, str] = {}
        if reader.id:
            headers = letters.unsubscribable(
                rep_letters.stop(
                    connection.id, reader, sender=self.sender, now=sending.created_at
                )
            )
        return Letter(
            to=Address(reader.name, reader.email),
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            message_id=letters.message_id(sending.key, domain=self.sender.domain),
            written_at=sending.created_at,
            headers=headers,
            images=rendered.images,
        )


def _name(details: Mapping[str, str]) -> str | None:
    name = f"{details.get('first_name', '')} {details.get('last_name', '')}".strip()
    company = details.get("company") or details.get("opportunity")
    return ", ".join(filter(None, (name, company))) or None


def managers(
    db: Connection, occasion: Occasion, owner_ids: Iterable[str | None]
) -> tuple[Staff, dict[str, set[str | None]]]:
    """
    Say who is told about whom: by reader, the owners of the referrals.

    Readers whom an admin has named are told about all; else each owner's manager, as
    the calendar, then the org, then the fallback owner has it.

    Raises:
        Permanent: nobody is to be told about somebody.
    """
    owners = set(owner_ids)
    people = staff(db, occasion.connection, owners)
    if occasion.recipients:
        return people, dict.fromkeys(occasion.recipients, owners)
    found: dict[str, set[str | None]] = {}
    for owner in owners:
        manager = people.recipients(owner).manager
        if manager is None:
            raise Permanent(NOBODY)
        found.setdefault(manager, set()).add(owner)
    return people, found
