"""Reports at work: a connection, a mail server that keeps what it takes, readers."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8

from sqlalchemy import insert, select

from sidecar.jobs.reports import running, sending
from sidecar.jobs.reports.kinds import Occasion, Report, Reports
from sidecar.mail.letters import Address, Letter, message_id
from sidecar.referral.journey import Milestone, Referral
from sidecar.referral.period import week_before
from sidecar.salesforce.records import Rep
from sidecar.store import reached, referrals, report_mails, report_schedules
from sidecar.store.connections import OrgConnection
from sidecar.store.reached import Heard
from sidecar.store.report_mails import Planned, Sending
from sidecar.store.report_schedules import Schedule
from sidecar.store.tables import report_mail, response_clock
from sidecar.wiring import Wiring

LEASE = timedelta(seconds=120)
MANAGER = "005000000000009AAA"
REP = "005000000000001AAA"


@dataclass
class Post:
    """What a mail server has taken."""

    mails: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refused: list[EmailMessage] = field(default_factory=list)
    says: str = "250 2.0.0 kept"

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content, policy=SMTPUTF8)
        if self.answers and not (answer := self.answers.pop(0)).startswith("2"):
            self.refused.append(mail)
            return answer
        self.mails.append(mail)
        return self.says


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


@dataclass
class Life:
    """One referral, as the tables are to have it."""

    key: str
    reached: dict[Milestone, datetime]
    owner_id: str | None = REP
    name: str = "Ada Example"
    kind: str = "Partner"
    amount: str = ""
    told: tuple[str, ...] = ()
    promised_at: datetime | None = None
    answered: bool = True

    @property
    def milestone(self) -> Milestone:
        return max(self.reached, key=lambda name: self.reached[name])


def live(home: House, *lives: Life) -> None:
    """Write referrals down, with what they reached and what was promised them."""
    wiring, connection = home.wiring, home.connection
    with wiring.engine.begin() as db:
        referrals.remember(
            db,
            connection.org_id,
            [
                Referral(
                    key=life.key,
                    object_type="Lead",
                    record_id=life.key,
                    status=life.milestone.capitalize(),
                    milestone=life.milestone,
                    owner_id=life.owner_id,
                    changed_at=max(life.reached.values()),
                    details={
                        "last_name": life.name,
                        "email": f"{life.key.lower()}@example.org",
                        "type": life.kind,
                        "amount": life.amount,
                    },
                )
                for life in lives
            ],
            now=home.at,
            keyring=wiring.keyring,
        )
        for life in lives:
            reached.hear(
                db,
                connection.org_id,
                connection.id,
                [
                    Heard(life.key, name.capitalize(), "Lead", life.key, at, "test", 1)
                    for name, at in life.reached.items()
                ],
                now=home.at,
            )
            if life.told or life.promised_at or life.answered:
                db.execute(insert(response_clock).values(_clock(connection, life)))


def _clock(connection: OrgConnection, life: Life) -> dict[str, object]:
    return {
        "connection_id": connection.id,
        "org_id": connection.org_id,
        "referral_key": life.key,
        "kind": "promise",
        "name": "first-response",
        "milestone": "submitted",
        "event_id": 1,
        "playbook_version": "1",
        "started_at": min(life.reached.values()),
        "marks": [],
        "used": timedelta(),
        "told": list(life.told),
        "state": "done" if life.answered else "waiting",
        "due_at": None if life.answered else life.promised_at,
        "promised_at": life.promised_at,
    }


def lead(number: int) -> str:
    """The id of a lead, which is its referral's key as well."""
    return f"00Q{number:012}AAA"
