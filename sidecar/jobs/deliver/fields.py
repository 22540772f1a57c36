"""Fields of records in Salesforce: up to 200 at once."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from sidecar.errors import SidecarError
from sidecar.jobs.deliver.attempts import in_batches
from sidecar.keyring import Keyring
from sidecar.referral.follow_up import SetField
from sidecar.salesforce.field_values import FieldValue
from sidecar.store import claims
from sidecar.store.claims import Attempt, End
from sidecar.store.connections import OrgConnection

_OVERTAKEN = End("cancelled", error="a later action sets the same field")


class Fields(Protocol):
    """What sets fields. Repeating a call is harmless."""

    def set_fields(
        self, connection_id: int, values: Sequence[FieldValue]
    ) -> Sequence[str | SidecarError]:
        """
        Set at most 200 fields; for each the record's id, or its refusal.

        Raises:
            Retryable, Permanent: about the call as a whole; never Uncertain.
        """


def deliver_fields(
    connection_id: int,
    *,
    engine: Engine,
    keyring: Keyring,
    fields: Fields,
    lease: timedelta,
    now: Callable[[], datetime],
) -> int:
    """
    Set all of an org's due fields.

    What waited while a later milestone set the same field is cancelled: an older value
    never comes after a newer one.

    Returns:
        How many attempts were made.
    """

    def put(
        connection: OrgConnection, attempts: Sequence[Attempt]
    ) -> list[str | SidecarError | End]:
        with engine.connect() as db:
            late = claims.overtaken(db, attempts)
        wanted = {
            attempt.id: _value(attempt, attempt.what, connection)
            for attempt in attempts
            if attempt.id not in late and isinstance(attempt.what, SetField)
        }
        told = fields.set_fields(connection.id, list(wanted.values()))
        answers = dict(zip(wanted, told, strict=True))
        return [answers.get(attempt.id, _OVERTAKEN) for attempt in attempts]

    return in_batches(
        connection_id,
        "set_field",
        put,
        engine=engine,
        keyring=keyring,
        lease=lease,
        now=now,
    )


def _value(attempt: Attempt, what: SetField, connection: OrgConnection) -> FieldValue:
    # When it was planned: to repeat it sets the same day.
    at = attempt.created_at.astimezone(ZoneInfo(connection.time_zone))
    return FieldValue(what.object_type, what.record_id, what.field, what.value, at)
