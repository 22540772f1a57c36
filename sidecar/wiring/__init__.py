"""Builds every adapter from the settings; the only place that knows them all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from sidecar import __version__
from sidecar.jobs import clock_records as clock_records_job
from sidecar.jobs import clocks as clocks_job
from sidecar.jobs import (
    process,
    referrer_reports,
    sweep,
)
from sidecar.jobs import reconcile as reconcile_job
from sidecar.jobs.deploy import job as deploy_job
from sidecar.jobs.reports import digests, overdue, running, sending
from sidecar.jobs.reports.desk import Desk
from sidecar.jobs.reports.kinds import Reports
from sidecar.logs import log
from sidecar.package import bundle
from sidecar.package import read as package
from sidecar.package.bundle import Bundle
from sidecar.playbooks import read as playbooks
from sidecar.referral.playbook import Playbook
from sidecar.salesforce.record_updates import RecordUpdates
from sidecar.store import (
    audit,
    retention,
    webhook_secrets,
)
from sidecar.store.connections import OrgConnection
from sidecar.store.retention import Terms
from sidecar.wiring.deliveries import Deliveries
from sidecar.wiring.doors import Doors


@dataclass
class Wiring(Doors, Deliveries):
    """The adapters, each made when it is first asked for; and the jobs around them."""

    poll: timedelta = timedelta(seconds=5)
    """How long to wait, at most, before an org is asked again after a deployment."""

    def playbook_of(self, connection: OrgConnection) -> Playbook:
        """The connection's own playbook, or the package's."""
        if connection.playbook:
            return playbooks.read(connection.playbook, templates=self.templates)
        return playbooks.standard(self.templates)

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


def _days(number: int) -> timedelta:
    """For ever is a hundred years."""
    return timedelta(days=min(number, 36_500))
