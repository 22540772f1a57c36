"""Reports at work: a connection, a mail server that keeps what it takes, readers."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8

from sqlalchemy import select

from sidecar.jobs.reports import running, sending
from sidecar.jobs.reports.kinds import Occasion, Report, Reports
from sidecar.mail.letters import Address, Letter, message_id
from sidecar.referral.period import week_before
from sidecar.salesforce.records import Rep
from sidecar.store import report_mails, report_schedules
from sidecar.store.connections import OrgConnection
from sidecar.store.report_mails import Planned, Sending
from sidecar.store.report_schedules import Schedule
from sidecar.store.tables import report_mail
from sidecar.wiring import Wiring

LEASE = timedelta(seconds=120)
MANAGER = "005000000000009AAA"


@dataclass
class Post:
    """What a mail server has taken."""

    mails: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802
        if self.answers and not (answer := self.answers.pop(0)).startswith("2"):
            return answer
        self.mails.append(message_from_bytes(envelope.content, policy=SMTPUTF8))
        return "250 2.0.0 kept"


@dataclass
class Users:
    """The users of an org that is not there."""

    known: dict[str, Rep] = field(default_factory=dict)

    def add(self, id_: str, name: str, language: str = "en_US", **more) -> None:
        email = f"{name.partition(' ')[0].lower()}@example.com"
        values = {"active": True, "locale": language, "time_zone": "Europe/Berlin"}
        self.known[id_] = Rep(
            **{"id": id_, "name": name, "email": email, "language": language}
            | values
            | more
        )

    def reps(self, _connection_id, user_ids):
        return {id_: self.known[id_] for id_ in user_ids if id_ in self.known}


@dataclass
class House:
    """A connection whose reports run when a test says so."""

    wiring: Wiring
    connection: OrgConnection
    users: Users
    post: Post
    at: datetime
    reports: Reports

    def now(self) -> datetime:
        return self.at

    def sweep(self) -> bool:
        """Look what is due, as the clock does; whether anything is for this one."""
        with self.wiring.engine.begin() as db:
            running.set_up(db, self.reports, now=self.at)
            due = report_schedules.due(db, now=self.at)
            due += report_mails.due(db, now=self.at)
        return self.connection.id in due

    def run(self) -> int:
        return running.run_due(
            self.connection.id,
            engine=self.wiring.engine,
            keyring=self.wiring.keyring,
            reports=self.reports,
            lease=LEASE,
            now=self.now,
        )

    def send(self) -> int:
        return sending.send_due(
            self.connection.id,
            engine=self.wiring.engine,
            keyring=self.wiring.keyring,
            reports=self.reports,
            reps=self.users,
            post=self.wiring.mailer.connection,
            lease=LEASE,
            now=self.now,
        )

    def work(self) -> None:
        """Answer a ring."""
        self.run()
        self.send()

    def pass_time(self, until: datetime, *, step: timedelta) -> None:
        """Let the clock sweep and a worker answer, again and again."""
        while self.at < until:
            self.at = min(self.at + step, until)
            if self.sweep():
                self.work()

    def schedule(self, report: str) -> Schedule:
        with self.wiring.engine.connect() as db:
            found = report_schedules.find(
                db, self.connection.id, report, keyring=self.wiring.keyring
            )
        assert found is not None
        return found

    def mails(self) -> list[tuple[str, int, str | None]]:
        """State, attempts and error of each mail, oldest first."""
        with self.wiring.engine.connect() as db:
            rows = db.execute(
                select(
                    report_mail.c.state, report_mail.c.attempts, report_mail.c.error
                ).order_by(report_mail.c.id)
            )
            return [tuple(row) for row in rows]


def plain_report(cron: str = "0 8 * * 1", *to: str, period=week_before) -> Report:
    """A report that says which period it is about."""

    def plan(_db, occasion: Occasion) -> list[Planned]:
        words = {"about": f"{occasion.period.first} to {occasion.period.last}"}
        readers = occasion.recipients or to or ("boss@example.com",)
        return [Planned(reader, words, occasion.language) for reader in readers]

    def write(_connection: OrgConnection, mail: Sending, reader: Rep) -> Letter:
        return Letter(
            to=Address(reader.name, reader.email),
            subject=f"{mail.report}: {mail.values['about']}",
            text=mail.values["about"],
            html=f"<p>{mail.values['about']}</p>",
            message_id=message_id(mail.key, domain="sidecar.example"),
            written_at=mail.created_at,
        )

    return Report(cron, period, plan, write)
