"""An office of reps: mails are planned, sent to a real server, and looked at."""

from dataclasses import replace
from datetime import timedelta

from smtp_peer import Peer
from sqlalchemy import select

from sidecar.jobs.deliver.emails import deliver_emails
from sidecar.mail.letters import Address
from sidecar.mail.smtp import Mailer
from sidecar.referral.follow_up import Email, FollowUp, follow_up_key
from sidecar.referral.journey import Milestone
from sidecar.referral.mail_preference import Preference
from sidecar.salesforce.records import Rep
from sidecar.store import follow_ups, mail_preferences
from sidecar.store.tables import follow_up
from sidecar.wiring import Wiring

RITA, RALF = "005000000000001AAA", "005000000000002AAA"
SENDER = Address("Referrals", "referrals@sidecar.example")


class Staff:
    """Two reps in Greenwich, as an org tells of them."""

    def __init__(self) -> None:
        self.known = {
            id_: Rep(id_, name, email, True, "en_GB", "UTC")
            for id_, name, email in (
                (RITA, "Rita Rep", "rita@example.com"),
                (RALF, "Ralf Rep", "ralf@example.com"),
            )
        }

    def reps(self, connection_id, user_ids):
        return {id_: self.known[id_] for id_ in user_ids if id_ in self.known}


class Office:
    """Plans mails, sends what is due, and looks at what came of them."""

    def __init__(
        self, wiring: Wiring, connection, peer: Peer, post: Mailer, hook_key: str
    ) -> None:
        self.wiring, self.connection, self.hook_key = wiring, connection, hook_key
        self.peer, self.post = peer, post
        self.staff = Staff()
        # Nine in the morning: nobody sleeps, whenever the tests run.
        now = wiring.now()
        nine = now.replace(hour=9, minute=0, second=0) + timedelta(days=1)
        wiring.now.move(seconds=(nine - now).total_seconds())

    def plan(self, *about: str, to: str = RITA, action: str = "tell-owner", **more):
        """Plan a mail about each referral; their keys."""
        milestone = more.get("milestone", Milestone.SUBMITTED)
        template = more.get("template", "new_referral")
        planned = []
        for name in about:
            what = Email(template, to, {"name": name, "referrer": "Bert Sample"})
            key = follow_up_key(self.connection.org_id, name, milestone, action + to)
            planned.append((1, name, FollowUp(key, milestone, action + to[-4:], what)))
        with self.wiring.engine.begin() as db:
            follow_ups.add(
                db,
                planned,
                connection_id=self.connection.id,
                org_id=self.connection.org_id,
                playbook_version="1",
                record_ids=dict.fromkeys(about, "00Q000000000001EAA"),
                now=self.wiring.now(),
                keyring=self.wiring.keyring,
            )
        return [item.key for _, _, item in planned]

    def deliver(self, **changes) -> int:
        desk = replace(self.wiring.mail_desk, reps=self.staff, **changes)
        return deliver_emails(self.connection.id, desk=desk, post=self.post.connection)

    def choose(self, preference: Preference, user_id: str = RITA) -> None:
        with self.wiring.engine.begin() as db:
            mail_preferences.choose(
                db, self.connection.id, user_id, preference, now=self.wiring.now()
            )

    def column(self, name: str) -> list:
        with self.wiring.engine.connect() as db:
            rows = db.execute(select(follow_up.c[name]).order_by(follow_up.c.id))
            return list(rows.scalars())

    @property
    def states(self) -> list[tuple[str, int]]:
        return list(zip(self.column("state"), self.column("attempts"), strict=True))

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.peer.mails()]

    def move(self, **by: float) -> None:
        self.wiring.now.move(**by)
