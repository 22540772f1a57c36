"""The scribe: a message's notifications are kept in one statement, and committed.

One statement is one round trip and one transaction. Each thread has a connection of
its own and makes a single blocking call into libpq, in which other threads run; the
threads' commits are flushed together by PostgreSQL itself. Gathering messages in
Python before one commit was tried and is slower: waking the threads that wait costs
more than the commits that are saved. docs/performance.md has the ratios.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
import psycopg
from psycopg import pq

from sidecar.errors import Retryable
from sidecar.keyring import Keyring
from sidecar.store.inbox import Arrival, state_of
from sidecar.store.prepared import Prepared

_KEEP = b"keep"
_KEEP_ONCE = b"keep_once"
# A single JSON parameter is some twenty times cheaper to hand over than arrays.
_INSERT = b"""
    INSERT INTO event (connection_id, org_id, source, notification_id, action_id,
                       object_type, record_id, sealed, received_at, state, error,
                       outcome, due_at)
    SELECT connection_id, org_id, source, notification_id, action_id,
           object_type, record_id, sealed, received_at, state, error,
           outcome, coalesce(due_at, clock_timestamp())
    FROM json_to_recordset($1::json) AS row (
        connection_id bigint, org_id text, source text, notification_id text,
        action_id text, object_type text, record_id text, sealed text,
        received_at timestamptz, state text, error text, outcome text,
        due_at timestamptz)
"""
_NEW_ONES = b"""
    ON CONFLICT (org_id, source, notification_id) DO NOTHING
    RETURNING id
"""
# Who sends a message twice at once waits here for himself, and then finds it taken.
_FIRST_TIME = b"""
    WITH first_time AS (
        INSERT INTO webhook_delivery (connection_id, message_id, received_at)
        VALUES ($2::bigint, $3::text, $4::timestamptz)
        ON CONFLICT DO NOTHING
        RETURNING message_id)
"""
_STATEMENTS = {
    _KEEP: _INSERT + _NEW_ONES,
    _KEEP_ONCE: _FIRST_TIME + _INSERT + b"WHERE EXISTS (TABLE first_time)" + _NEW_ONES,
}


class Delivery(NamedTuple):
    """A message with an id of its own, which its sender keeps when he repeats it."""

    connection_id: int
    message_id: str
    received_at: datetime


class Scribe:
    """Keeps arrivals; shared by the threads of a process."""

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[tuple[object, ...]]],
        keyring: Keyring,
    ) -> None:
        """
        Args:
            connect: opens a connection in autocommit mode; called once for each
                thread, and again after a failure.
            keyring: seals what a notification says of people.
        """
        self._keyring = keyring
        self._prepared = Prepared(connect, _STATEMENTS)

    def keep(
        self, arrivals: Sequence[Arrival], delivery: Delivery | None = None
    ) -> list[int]:
        """
        Insert what is new, pass over what is already there, and commit.

        Args:
            arrivals: of one message.
            delivery: where given, nothing is inserted of a message that came before,
                whatever it holds now.

        Returns:
            The ids of the new rows; a repeated notification yields none.

        Raises:
            Retryable: the database is away; whether anything was kept is unknown, and
                keeping it again does no harm.
        """
        if not arrivals:
            return []
        name, values = _KEEP, [orjson.dumps([self._row(item) for item in arrivals])]
        if delivery is not None:
            name = _KEEP_ONCE
            values.append(b"%d" % delivery.connection_id)
            values.append(delivery.message_id.encode())
            values.append(delivery.received_at.isoformat().encode())
        try:
            result = self._prepared.pgconn().exec_prepared(name, values)
            if result.status != pq.ExecStatus.TUPLES_OK:
                raise psycopg.errors.error_from_result(result)
        except (psycopg.DataError, psycopg.IntegrityError):
            raise  # not the database's fault, but a bug of ours
        except psycopg.Error as exc:
            self._prepared.hang_up()
            told = str(exc).strip() or type(exc).__name__
            raise Retryable(f"the database is away: {told}") from exc
        return [int(result.get_value(row, 0) or 0) for row in range(result.ntuples)]

    def _row(self, arrival: Arrival) -> dict[str, object]:
        return {
            "connection_id": arrival.connection_id,
            "org_id": arrival.org_id,
            "source": arrival.source,
            "notification_id": arrival.notification_id,
            "action_id": arrival.action_id,
            "object_type": arrival.object_type,
            "record_id": arrival.record_id,
            "sealed": self._keyring.seal(orjson.dumps(arrival.content)),
            "received_at": arrival.received_at,
            "state": state_of(arrival),
            "error": arrival.error or None,
            "outcome": arrival.outcome or None,
            "due_at": arrival.due_at,
        }
