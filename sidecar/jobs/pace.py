"""The pace of those who tell us of changes, beside what the org's own records show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from sidecar.intake.reconcile import SETTLED
from sidecar.referral.pace import Meaning, Silence, meaning, silence
from sidecar.store import inbox, reached, reconciliations

_LOOK_BACK = timedelta(days=30)


@dataclass(frozen=True)
class Sender:
    """
    What sends of one object's changes to one connection.

    Attributes:
        last: when its last message came.
        silence: None where it is at its usual pace, or too young to have one.
        meaning: of the silence.
        untold: changes since it began that no message told of.
    """

    connection_id: int
    action_id: str
    object_type: str
    last: datetime
    silence: Silence | None = None
    meaning: Meaning | None = None
    untold: int = 0


def senders(
    db: Connection, *, now: datetime, connection_id: int | None = None
) -> list[Sender]:
    """List who has sent in the last thirty days, and who of them has fallen silent."""
    arrivals = inbox.arrivals_by_action(
        db, since=now - _LOOK_BACK, connection_id=connection_id
    )
    return [
        _sender(db, place, moments, now) for place, moments in sorted(arrivals.items())
    ]


def _sender(
    db: Connection,
    place: tuple[int, str, str],
    moments: Sequence[datetime],
    now: datetime,
) -> Sender:
    quiet = silence(moments, now)
    if quiet is None:
        return Sender(*place, last=max(moments))
    connection_id, _, object_type = place
    regular = reconciliations.regular(db, connection_id)
    done_at = regular.done_at if regular else None
    untold = reached.untold_since(db, connection_id, object_type, quiet.since)
    compared = done_at - SETTLED if done_at else None
    return Sender(
        *place,
        last=quiet.since,
        silence=quiet,
        meaning=meaning(quiet.since, now, compared_until=compared, untold=untold),
        untold=untold,
    )
