"""Builds every adapter from the settings; the only place that knows them all."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from functools import cached_property, partial
from typing import TypeVar

import psycopg
import redis
import requests
from sqlalchemy import Engine
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from sidecar import __version__, doorbell, keyring
from sidecar.chat.posts import Post
from sidecar.chat.webhooks import Webhooks
from sidecar.doorbell import Doorbell
from sidecar.errors import Permanent, Retryable, Unreadable
from sidecar.intake import door, sender, signatures, webhook
from sidecar.intake.peer import Network, networks
from sidecar.intake.sender import Sender
from sidecar.intake.signatures.credentials import Credential
from sidecar.jobs import bounces as bounces_job
from sidecar.jobs import (
    chat_posts,
    process,
    referrer_letters,
    referrer_reports,
    rep_digests,
    rep_letters,
    sweep,
)
from sidecar.jobs import clock_records as clock_records_job
from sidecar.jobs import clocks as clocks_job
from sidecar.jobs import reconcile as reconcile_job
from sidecar.jobs.deliver import (
    campaigns,
    chats,
    emails,
    fields,
    mail_batch,
    stops,
    tasks,
    words,
)
from sidecar.jobs.deliver.word_mails import Mail
from sidecar.jobs.deploy import job as deploy_job
from sidecar.jobs.reports import digests, overdue, running, sending
from sidecar.jobs.reports.desk import Desk
from sidecar.jobs.reports.kinds import Reports
from sidecar.keyring import Keyring
from sidecar.logs import log
from sidecar.mail import bounce_mailbox, bounces
from sidecar.mail.bounce_mailbox import Mailbox
from sidecar.mail.bounces import Bounce
from sidecar.mail.letters import Address, Letter
from sidecar.mail.render import names
from sidecar.mail.server import server_at
from sidecar.mail.smtp import Mailer
from sidecar.mail.words import Told
from sidecar.package import bundle
from sidecar.package import read as package
from sidecar.package.bundle import Bundle
from sidecar.playbooks import read as playbooks
from sidecar.referral.follow_up import Chat, Email
from sidecar.referral.playbook import Playbook
from sidecar.salesforce import login, referrers, trial
from sidecar.salesforce.caller import Caller, caller_for
from sidecar.salesforce.campaign_members import CampaignMembers
from sidecar.salesforce.changes import ReferralChanges
from sidecar.salesforce.field_values import FieldValues
from sidecar.salesforce.hosts import checked
from sidecar.salesforce.ids import same_org, to_18
from sidecar.salesforce.record_updates import RecordUpdates
from sidecar.salesforce.records import Records, Rep
from sidecar.salesforce.referrers import Referrer
from sidecar.salesforce.refusals import LoggedOut
from sidecar.salesforce.session import Sessions, http_session
from sidecar.settings import Settings, WrongSetting
from sidecar.store import (
    audit,
    connections,
    database,
    quarantine,
    referrer_stops,
    retention,
    webhook_secrets,
)
from sidecar.store.channels import Channel
from sidecar.store.connections import OrgConnection
from sidecar.store.deployments import Admin
from sidecar.store.follow_ups import Attempt
from sidecar.store.inbox import Arrival
from sidecar.store.quarantine import Refused
from sidecar.store.retention import Terms
from sidecar.store.scribe import Delivery, Scribe
from sidecar.store.settler import Settler
from sidecar.store.webhook_secrets import SeenCertificate

T = TypeVar("T")

_DEMO_KEY = "ZGVtby1rZXktZm9yLXRoZS1kZW1vLW9ubHktLS0tLS0="
_KNOWN_SECONDS = 10
"""How long a door remembers a connection: a revoked hook key works no longer."""
_USED_SECONDS = 60
"""How exactly the last use of a secret is known: one write a minute, at most."""


def utc_now() -> datetime:
    """The clock of the whole service."""
    return datetime.now(UTC)


@dataclass
class Wiring:
    """The adapters, each made when it is first asked for."""

    settings: Settings
    now: Callable[[], datetime] = utc_now
    poll: timedelta = timedelta(seconds=5)
    """How long to wait, at most, before an org is asked again after a deployment."""
    _known: dict[str, tuple[float, OrgConnection]] = field(default_factory=dict)
    _credentials: dict[int, tuple[float, Sequence[Credential]]] = field(
        default_factory=dict
    )
    _used: dict[int, float] = field(default_factory=dict)
    _certificates: dict[tuple[int, str], float] = field(default_factory=dict)

    @cached_property
    def keyring(self) -> Keyring:
        """The key ring. Raises WrongSetting: there is none, outside the demo."""
        keys = list(self.settings.keys)
        if (path := self.settings.keys_file) is not None:
            try:
                keys += path.read_text("ascii").split()
            except (OSError, UnicodeDecodeError) as exc:
                raise WrongSetting(f"SIDECAR_KEYS_FILE cannot be read: {exc}") from exc
        if not keys and self.settings.demo:
            keys = [_DEMO_KEY]
        try:
            return Keyring(keys)
        except Permanent as exc:
            raise WrongSetting(str(exc)) from exc

    @cached_property
    def engine(self) -> Engine:
        """PostgreSQL."""
        if not self.settings.database_url:
            raise WrongSetting(
                "SIDECAR_DATABASE_URL is not set; `sidecar up` brings a database along"
            )
        try:
            return database.engine_for(self.settings.database_url)
        except (ValueError, ArgumentError):
            # What they say may hold a part of the password.
            raise WrongSetting(
                "SIDECAR_DATABASE_URL cannot be read; it takes "
                "postgresql://user:password@host:port/name, percent-encoded"
            ) from None

    @cached_property
    def redis(self) -> redis.Redis:
        """Redis, as the doorbell needs it."""
        try:
            return doorbell.redis_for(self.settings.redis_url)
        except ValueError:
            raise WrongSetting(
                "SIDECAR_REDIS_URL cannot be read; it takes "
                "redis://user:password@host:port/number, percent-encoded"
            ) from None

    @cached_property
    def doorbell(self) -> Doorbell:
        """The doorbell."""
        return Doorbell(self.redis)

    @cached_property
    def scribe(self) -> Scribe:
        """Who writes into the inbox."""
        return Scribe(self._own_connection, self.keyring)

    @cached_property
    def settler(self) -> Settler:
        """Who notes how mails ended."""
        return Settler(self._own_connection)

    @cached_property
    def mailer(self) -> Mailer:
        """The mail server."""
        return Mailer(
            server_at(
                self.settings.smtp_url,
                sender=self.sender,
                ca_file=self.settings.ca_file,
            ),
            now=self.now,
        )

    @cached_property
    def webhooks(self) -> Webhooks:
        """Chat channels' webhooks."""
        return Webhooks(self.http, self.now, demo=self.settings.demo)

    @cached_property
    def sender(self) -> Address:
        """Who our mails are from."""
        name, email = parseaddr(self.settings.mail_from)
        if "@" not in email:
            raise WrongSetting(f"SIDECAR_MAIL_FROM is {self.settings.mail_from!r}")
        return Address(name, email)

    @cached_property
    def sessions(self) -> Sessions:
        """Calls into orgs."""
        return Sessions(self, self.now, ca_file=self.settings.ca_file)

    @cached_property
    def records(self) -> Records:
        """Records of orgs."""
        return Records(self.sessions)

    @cached_property
    def field_values(self) -> FieldValues:
        """Fields of records of orgs."""
        return FieldValues(self.sessions)

    @cached_property
    def changes(self) -> ReferralChanges:
        """What changed in orgs."""
        return ReferralChanges(self.sessions)

    @property
    def lease(self) -> timedelta:
        """How long an attempt may take before another worker makes the next."""
        return timedelta(seconds=self.settings.lease_seconds)

    @property
    def templates(self) -> tuple[str, ...]:
        """The names of the mail templates."""
        return tuple(names())

    # --- what the doors need -------------------------------------------------------

    def connection_of(self, hook_key: str) -> OrgConnection | None:
        """Find whose address this is; remembered for some seconds."""
        fingerprint = keyring.fingerprint(hook_key)
        kept = self._known.get(fingerprint)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        try:
            with self.engine.begin() as db:
                found = connections.by_hook_key(db, hook_key)
                if found is not None:
                    connections.address_used(db, hook_key, at=self.now())
        except SQLAlchemyError as exc:
            raise Retryable(f"the database is away: {_words(exc)}") from exc
        if found is not None:
            self._known[fingerprint] = (time.monotonic() + _KNOWN_SECONDS, found)
        return found

    @cached_property
    def proxies(self) -> Sequence[Network]:
        """Proxies of ours, who may say who called."""
        return networks(self.settings.trusted_proxies)

    @cached_property
    def marks(self) -> Sender | None:
        """What an outbound message's sender must show beside the secret address."""
        return sender.asked_for(self.settings, now=self.now, seen=self.certificate_seen)

    def certificate_seen(self, connection_id: int, seen: SeenCertificate) -> None:
        """Remember a client certificate; to the minute, and in nobody's way."""
        place = (connection_id, seen.fingerprint)
        if self._certificates.get(place, 0.0) > time.monotonic():
            return
        self._certificates[place] = time.monotonic() + _USED_SECONDS
        try:
            with self.engine.begin() as db:
                webhook_secrets.certificate_seen(db, connection_id, seen, at=self.now())
        except SQLAlchemyError as exc:
            log().warning("outbound.certificate_not_kept", reason=_words(exc))

    def credentials_of(self, connection_id: int) -> Sequence[Credential]:
        """Give what a connection's events door accepts; remembered for some seconds."""
        kept = self._credentials.get(connection_id)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        try:
            with self.engine.connect() as db:
                known = webhook_secrets.accepted(
                    db, connection_id, now=self.now(), keyring=self.keyring
                )
            ready = tuple(map(signatures.credential, known))
        except SQLAlchemyError as exc:
            raise Retryable(f"the database is away: {_words(exc)}") from exc
        except Permanent as exc:
            # Ours to mend; the sender may come again.
            raise Retryable(str(exc)) from exc
        self._credentials[connection_id] = (time.monotonic() + _KNOWN_SECONDS, ready)
        return ready

    def secret_used(self, secret_id: int) -> None:
        """Remember that a sender used a secret; to the minute, and never in his way."""
        if self._used.get(secret_id, 0.0) > time.monotonic():
            return
        self._used[secret_id] = time.monotonic() + _USED_SECONDS
        try:
            with self.engine.begin() as db:
                webhook_secrets.used(db, secret_id, at=self.now())
        except SQLAlchemyError as exc:
            log().warning("events.use_not_kept", reason=_words(exc))

    def keep(
        self, arrivals: Sequence[Arrival], delivery: Delivery | None = None
    ) -> list[int]:
        """Commit what came in."""
        return self.scribe.keep(arrivals, delivery)

    def refuse(self, refused: Refused) -> None:
        """Keep what is refused."""
        try:
            with self.engine.begin() as db:
                quarantine.keep(db, refused, now=self.now(), keyring=self.keyring)
        except SQLAlchemyError as exc:
            raise Retryable(f"the database is away: {_words(exc)}") from exc

    def ring(self, event_ids: Sequence[int]) -> None:
        """Tell the workers."""
        self.doorbell.ring_later(event_ids)

    # --- what calls into orgs need ---------------------------------------------------

    def current(self, connection_id: int) -> tuple[str, str | None]:
        """The org's address and our access token. Raises Permanent: it is removed."""
        with self.engine.connect() as db:
            if connections.find(db, connection_id) is None:
                raise Permanent(f"there is no connection {connection_id}")
            known = connections.login(db, connection_id, keyring=self.keyring)
        return self.host(known.instance_url), known.access_token

    def renew(self, connection_id: int, stale: str | None) -> str:
        """Log in again; one worker a time, and the org must still be the same."""
        with self.engine.begin() as db:
            connection = connections.find(db, connection_id)
            if connection is None:
                raise Permanent(f"there is no connection {connection_id}")

            def fetch(known: connections.Login) -> tuple[str, str | None]:
                grant = login.fetch(
                    http_session(ca_file=self.settings.ca_file),
                    flow=known.flow,
                    login_url=self.host(known.login_url),
                    client_id=known.client_id,
                    username=known.username,
                    secret=known.secret,
                    client_secret=known.client_secret,
                )
                if not same_org(grant.org_id, connection.org_id):
                    raise Permanent(
                        f"the login leads to org {grant.org_id or 'unknown'}, but the "
                        f"connection is to {connection.org_id}"
                    )
                if grant.user_id:
                    connections.write_as(db, connection_id, to_18(grant.user_id))
                return grant.access_token, grant.refresh_token

            return connections.renew_token(
                db, connection_id, stale, fetch, keyring=self.keyring
            )

    def sign_out(self, connection_id: int) -> str | None:
        """
        End at the org what lets us in, as far as it can be ended from here.

        Returns:
            None when that is done, or there was nothing; else why not, and what helps.
        """
        try:
            with self.engine.connect() as db:
                known = connections.login(db, connection_id, keyring=self.keyring)
            renewing = known.flow == "refresh_token"
            token = known.secret if renewing else known.access_token
            if token:
                login.revoke(self.http(), self.host(known.login_url), token)
        except (Retryable, Permanent) as exc:
            return (
                f"the token was not revoked: {exc}. Do it in the org: Setup, Connected "
                "Apps OAuth Usage"
            )
        return None

    def as_admin(self, admin: Admin) -> Caller:
        """Call an org as the admin who installs."""
        return caller_for(
            self.host(admin.instance_url), admin.token, ca_file=self.settings.ca_file
        )

    def as_integration(self, connection_id: int, ask: Callable[[Caller], T]) -> T:
        """Call an org as the user who runs; one refresh of the token at most."""
        url, token = self.current(connection_id)
        try:
            if token is not None:
                return ask(caller_for(url, token, ca_file=self.settings.ca_file))
        except LoggedOut:
            pass
        renewed = self.renew(connection_id, token)
        try:
            return ask(caller_for(url, renewed, ca_file=self.settings.ca_file))
        except LoggedOut as exc:
            raise Permanent(f"reconnect needed: {exc}") from exc

    def placeholders(self, connection_id: int) -> Mapping[str, str]:
        """What the package has to be told of a connection."""
        with self.engine.connect() as db:
            connection = connections.find(db, connection_id)
            hook_key = connections.hook_key(db, connection_id, keyring=self.keyring)
        if connection is None:
            raise Permanent(f"there is no connection {connection_id}")
        if hook_key is None:
            raise Permanent(
                f"connection {connection.name} was made when hook keys were not kept: "
                "add it once more"
            )
        return {
            "REFERRAL_ENDPOINT_URL": door.address(self.settings.public_url, hook_key),
            "REFERRAL_EVENTS_URL": webhook.address(self.settings.public_url, hook_key),
        }

    def try_out(self, connection_id: int) -> Iterator[trial.Step]:
        """
        Look at a connection, part by part.

        Raises:
            Permanent: there is none of this number, or its host is not Salesforce's.
        """
        with self.engine.connect() as db:
            if connections.find(db, connection_id) is None:
                raise Permanent(f"there is no connection {connection_id}")
            known = connections.login(db, connection_id, keyring=self.keyring)
        return trial.run(
            self.http(),
            login_url=self.host(known.login_url),
            instance_url=self.host(known.instance_url),
            username=known.username,
            fetch=lambda: self.renew(connection_id, known.access_token),
            now=self.now,
        )

    def host(self, url: str) -> str:
        """Give back an address that may be called."""
        return checked(url, demo=self.settings.demo)

    def http(self) -> requests.Session:
        """A session in which no call can hang."""
        return http_session(ca_file=self.settings.ca_file)

    # --- the jobs ---------------------------------------------------------------------

    def process(self, event_ids: Sequence[int]) -> None:
        """Decide about events."""
        process.process(
            event_ids,
            engine=self.engine,
            keyring=self.keyring,
            records=self.records,
            playbook_of=self.playbook_of,
            ring_to_deliver=self.doorbell.ring_to_deliver,
            now=self.now,
        )

    def deliver(self, connection_id: int, kind: str) -> int:
        """
        Do what is due for one org, of one kind.

        Raises:
            KeyError: there is no such kind.
        """
        return {
            "task": self._tasks,
            "email": self._emails,
            "chat": self._chats,
            "set_field": self._fields,
            "add_to_campaign": self._campaigns,
            "word": self._words,
            referrer_stops.KIND: self._stops,
        }[kind](connection_id)

    def _tasks(self, connection_id: int) -> int:
        return tasks.deliver_tasks(
            connection_id,
            engine=self.engine,
            keyring=self.keyring,
            tasks=self.records,
            lease=self.lease,
            now=self.now,
        )

    def _emails(self, connection_id: int) -> int:
        return emails.deliver_emails(
            connection_id, desk=self.mail_desk, post=self.mailer.connection
        )

    @property
    def mail_desk(self) -> mail_batch.Desk:
        """What it takes to send mails to reps."""
        return mail_batch.Desk(
            engine=self.engine,
            keyring=self.keyring,
            settler=self.settler,
            reps=self.records,
            write=self.write,
            write_together=self.write_together,
            an_hour=self.settings.mails_an_hour,
            lease=self.lease,
            now=self.now,
        )

    def _chats(self, connection_id: int) -> int:
        return chats.deliver_chats(
            connection_id,
            engine=self.engine,
            keyring=self.keyring,
            webhooks=self.webhooks,
            write=self.write_post,
            lease=self.lease,
            now=self.now,
        )

    def _fields(self, connection_id: int) -> int:
        return fields.deliver_fields(
            connection_id,
            engine=self.engine,
            keyring=self.keyring,
            fields=self.field_values,
            lease=self.lease,
            now=self.now,
        )

    def _words(self, connection_id: int) -> int:
        return words.deliver_words(
            connection_id,
            engine=self.engine,
            keyring=self.keyring,
            referrers=partial(referrers.read, self.records),
            reps=self.records,
            post=self.mailer.connection,
            write=self.write_word,
            lease=self.lease,
            now=self.now,
        )

    def _stops(self, connection_id: int) -> int:
        return stops.tell_stops(
            connection_id,
            engine=self.engine,
            updates=RecordUpdates(self.sessions),
            lease=self.lease,
            now=self.now,
        )

    def take_bounces(
        self, connection_id: int | None, told: Sequence[Bounce]
    ) -> bounces_job.Counted:
        """Act on mails that came back; of one connection, or of any."""
        try:
            return bounces_job.take(
                told,
                engine=self.engine,
                keyring=self.keyring,
                domain=self.letter_sender.domain,
                now=self.now,
                connection_id=connection_id,
            )
        except SQLAlchemyError as exc:
            raise Retryable(f"the database is away: {_words(exc)}") from exc

    def read_bounces(self) -> int:
        """
        Read what came into the bounce mailbox; how many mails that were.

        Raises:
            WrongSetting: its address cannot be read.
            Retryable, Permanent: it cannot be reached, or lets us not in.
        """

        def take(mail: bytes) -> None:
            try:
                told = bounces.read(mail)
            except Unreadable as exc:
                log().info("bounce.no_report", reason=str(exc))
                return
            self.take_bounces(None, told)

        return bounce_mailbox.read_new(self.bounce_mailbox, take)

    @property
    def bounce_mailbox(self) -> Mailbox:
        """Where mails come back. Raises WrongSetting: it cannot be read."""
        try:
            return bounce_mailbox.mailbox_at(
                self.settings.bounce_mailbox, ca_file=self.settings.ca_file
            )
        except Permanent as exc:
            raise WrongSetting(f"SIDECAR_BOUNCE_MAILBOX: {exc}") from exc

    def _campaigns(self, connection_id: int) -> int:
        return campaigns.deliver_campaigns(
            connection_id,
            engine=self.engine,
            keyring=self.keyring,
            members=CampaignMembers(self.sessions),
            lease=self.lease,
            now=self.now,
        )

    def clocks(self, connection_id: int) -> int:
        """Look at an org's response clocks; how many follow-ups they brought."""
        clock_records_job.meet(
            connection_id, engine=self.engine, records=self.records, now=self.now
        )
        planned = clocks_job.tell(
            connection_id,
            engine=self.engine,
            keyring=self.keyring,
            playbook_of=self.playbook_of,
            ring_to_deliver=self.doorbell.ring_to_deliver,
            now=self.now,
        )
        clock_records_job.write(
            connection_id,
            engine=self.engine,
            records=self.records,
            updates=RecordUpdates(self.sessions),
            lease=self.lease,
            now=self.now,
        )
        return planned

    def deploy(self, deployment_id: int) -> int:
        """Take a deployment's turns, as far as they are due; how many they were."""
        turns = 0
        while self.take_turn(deployment_id):
            turns += 1
        return turns

    def take_turn(self, deployment_id: int) -> bool:
        """Take a deployment's next turn, if it is due and nobody is at it."""
        return deploy_job.take_turn(
            deployment_id,
            engine=self.engine,
            keyring=self.keyring,
            orgs=self,
            bundle=lambda: self.bundle,
            lease=self.lease,
            poll=self.poll,
            now=self.now,
        )

    def reconcile(self, reconciliation_id: int) -> int:
        """Take a reconciliation's turns, as far as they are due; how many."""
        turns = 0
        while self.take_turn_of_reconciliation(reconciliation_id):
            turns += 1
        return turns

    def take_turn_of_reconciliation(self, reconciliation_id: int) -> bool:
        """Take a reconciliation's next turn, if it is due and nobody is at it."""
        return reconcile_job.take_turn(
            reconciliation_id,
            engine=self.engine,
            keyring=self.keyring,
            org=self.changes,
            ring=self.doorbell.ring,
            lease=self.lease,
            now=self.now,
        )

    def report(self, connection_id: int) -> int:
        """Run an org's reports that are due, and send their mails; how many."""
        running.run_due(
            connection_id,
            engine=self.engine,
            keyring=self.keyring,
            reports=self.reports,
            lease=self.lease,
            now=self.now,
        )
        return sending.send_due(
            connection_id,
            engine=self.engine,
            keyring=self.keyring,
            reports=self.reports,
            reps=self.records,
            post=self.mailer.connection,
            lease=self.lease,
            now=self.now,
        )

    @cached_property
    def reports(self) -> Reports:
        """The reports that there are, by name."""
        desk = Desk(self.engine, self.keyring, self.records, lambda: self.letter_sender)
        return {
            "overdue": overdue.report(desk),
            "weekly": digests.weekly(desk),
            "monthly": digests.monthly(desk),
            "quiet-referrals": referrer_reports.quiet_referrals(self.keyring),
            "referrer-digest": referrer_reports.monthly_digest(self.keyring),
        }

    @cached_property
    def bundle(self) -> Bundle:
        """The package that we bring."""
        return bundle.load(package.bundled(), version=__version__)

    def sweep(self) -> int:
        """Ring for everything that is due."""
        return sweep.sweep(
            engine=self.engine,
            ring=self.doorbell.ring,
            ring_to_deliver=self.doorbell.ring_to_deliver,
            ring_to_deploy=self.doorbell.ring_to_deploy,
            ring_to_reconcile=self.doorbell.ring_to_reconcile,
            ring_to_clocks=self.doorbell.ring_to_clocks,
            ring_to_reports=self.doorbell.ring_to_reports,
            reports=self.reports,
            reconcile_every=reconcile_job.EVERY,
            now=self.now(),
        )

    def purge(self, *, who: str) -> dict[str, int]:
        """
        End what has been kept long enough; it is noted if anything was.

        Returns:
            What was looked at, and how many of it were emptied or removed.
        """
        given = self.settings
        terms = Terms(
            events=_days(given.keep_events_days),
            quarantine=_days(given.keep_quarantine_days),
            follow_ups=_days(given.keep_follow_ups_days),
            deliveries=_days(given.keep_deliveries_days),
        )
        done = dict(
            retention.purge(self.engine, terms, now=self.now(), keyring=self.keyring)
        )
        if any(done.values()):
            with self.engine.begin() as db:
                audit.note(
                    db, who=who, what="privacy.purge", details=done, now=self.now()
                )
        return done

    def announce_ends(self) -> None:
        """Say in the log which orgs' certificates end within thirty days."""
        by = self.now() + webhook_secrets.ANNOUNCED
        with self.engine.connect() as db:
            ending = webhook_secrets.ending(db, by=by)
        for row in ending:
            log().warning(
                "secret.ends",
                secret=row["id"],
                connection=row["connection_id"],
                on=row["not_after"],
            )

    def playbook_of(self, connection: OrgConnection) -> Playbook:
        """The connection's own playbook, or the package's."""
        if connection.playbook:
            return playbooks.read(connection.playbook, templates=self.templates)
        return playbooks.standard(self.templates)

    def write(
        self, connection: OrgConnection, attempt: Attempt, email: Email, rep: Rep
    ) -> Letter:
        """Write the letter of a follow-up to the rep who owns the record."""
        self.host(connection.instance_url)
        return rep_letters.letter(
            connection, attempt, email, rep, sender=self.letter_sender, now=self.now()
        )

    def write_post(
        self, connection: OrgConnection, attempt: Attempt, chat: Chat, channel: Channel
    ) -> Post:
        """Write the post of a follow-up to a channel."""
        self.host(connection.instance_url)
        return chat_posts.post(connection, attempt, chat, channel)

    def write_together(
        self,
        connection: OrgConnection,
        attempts: Sequence[Attempt],
        key: str,
        rep: Rep,
    ) -> Letter:
        """Write the one letter of several follow-ups to a rep."""
        self.host(connection.instance_url)
        return rep_digests.letter(
            connection,
            attempts,
            key,
            rep,
            sender=self.letter_sender,
            now=self.now(),
        )

    def write_word(
        self,
        connection: OrgConnection,
        mail: Mail,
        referrer: Referrer,
        owner: Rep | None,
        won: int,
        listed: Sequence[Told],
        /,
    ) -> Letter:
        """Write a mail to a referrer."""
        return referrer_letters.letter(
            connection,
            mail,
            referrer,
            owner,
            won,
            listed,
            sender=self.letter_sender,
            now=self.now(),
        )

    @property
    def letter_sender(self) -> rep_letters.Sender:
        """Who writes, and where the pages behind the buttons are."""
        return rep_letters.Sender(self.sender, self.settings.public_url, self.keyring)

    def _own_connection(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            self.settings.database_url,
            autocommit=True,
            **database.CONNECT_ARGS,  # type: ignore[arg-type]
        )


def _days(number: int) -> timedelta:
    """For ever is a hundred years."""
    return timedelta(days=min(number, 36_500))


def _words(exc: SQLAlchemyError) -> str:
    """The database's own words, without the statement."""
    return str(getattr(exc, "orig", None) or exc).strip()
