"""Catching up on purpose: what it will cost is said before it begins."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from sidecar.errors import Permanent
from sidecar.intake.reconcile import OVERLAP
from sidecar.jobs.reconcile import wanted_fields
from sidecar.salesforce.changes import Estimate, ReferralChanges
from sidecar.store import reconciliations
from sidecar.store.reconciliations import RESYNC, SINCE, Reconciliation

SHARE = 0.25
"""More than this of the calls that are left today is taken only if somebody says so."""

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Bill:
    """
    What a reconciliation costs in API calls.

    ``spent`` have been made to find out; ``calls`` are those to come, but for one for
    each 200 tasks that it leads to.
    """

    estimate: Estimate
    spent: int
    calls: int

    @property
    def records(self) -> int:
        """How many records there are to be read."""
        return sum(self.estimate.records.values())

    @property
    def too_much(self) -> bool:
        """Whether it is more than may be taken without asking."""
        return self.calls > self.estimate.left * SHARE

    def words(self) -> str:
        """Say it to a person."""
        listed = ", ".join(
            f"{number:,} {name}" for name, number in self.estimate.records.items()
        )
        return (
            f"{listed or 'nothing'} to read: {self.calls} API calls and one for each "
            f"200 tasks; {self.estimate.left:,} of {self.estimate.allowed:,} are left "
            "today"
        )


def bill(
    connection_id: int, *, kind: str, since: datetime, org: ReferralChanges
) -> Bill:
    """
    Find out what it would cost to read an org's referrals.

    Args:
        since: those changed from then on; for ``resync`` all of them are counted.

    Raises:
        Retryable, Permanent: also where the org has no fields of a referral.
    """
    wanted = wanted_fields()
    shapes = org.look(connection_id, wanted)
    if not shapes:
        raise Permanent("no object of this org has the fields of a referral")
    changed_since = None if kind == RESYNC else since - OVERLAP
    estimate = org.estimate(connection_id, list(shapes), changed_since)
    # The run looks at the objects itself: it may begin much later.
    return Bill(estimate, len(wanted) + 1, len(wanted) + estimate.calls)


def begin(
    connection_id: int, *, kind: str, since: datetime, engine: Engine, now: datetime
) -> Reconciliation:
    """
    Ask for a reconciliation, or find the same one that is not over yet.

    Raises:
        Permanent: another one is under way.
    """
    # The times of an org have whole seconds: what follows within one is later.
    since = since.replace(microsecond=0)
    with engine.begin() as db:
        id_ = reconciliations.add(
            db,
            connection_id,
            kind=kind,
            since=since - OVERLAP if kind == SINCE else BEGINNING,
            covers_from=since,
            now=now,
        )
        row = (
            reconciliations.find(db, id_)
            if id_ is not None
            else reconciliations.under_way(db, connection_id)
        )
    if row is None or row.kind != kind or (kind == SINCE and row.covers_from != since):
        told = (
            f"a {row.kind} from {row.covers_from:%Y-%m-%dT%H:%M:%SZ} on" if row else ""
        )
        raise Permanent(f"{told} is under way; this one can begin when it is over")
    return row
