"""The scribe: many threads keep their notifications in one commit.

A commit costs a flush to the disk and two context switches, whatever it holds. So the
first thread that comes writes for itself and for all who came meanwhile; the others
wait for it, which they would have done for the disk anyway. Nobody waits for company:
a lone message is written at once. docs/performance.md has the measured ratios.
"""

import threading
from collections.abc import Callable, Sequence

import orjson
import psycopg

from sidecar.errors import Retryable
from sidecar.keyring import Keyring
from sidecar.store.inbox import Arrival

# One statement, one round trip, one transaction (the connection is in autocommit).
# A single JSON parameter is some twenty times cheaper to hand over than arrays.
_KEEP = """
    INSERT INTO event (connection_id, org_id, source, notification_id, action_id,
                       object_type, record_id, sealed, received_at, state, error)
    SELECT connection_id, org_id, source, notification_id, action_id,
           object_type, record_id, sealed, received_at, state, error
    FROM json_to_recordset(%s::json) AS row (
        connection_id bigint, org_id text, source text, notification_id text,
        action_id text, object_type text, record_id text, sealed text,
        received_at timestamptz, state text, error text)
    ON CONFLICT (org_id, source, notification_id) DO NOTHING
    RETURNING id, org_id, source, notification_id
"""


class _Entry:
    """One caller's rows, and what became of them."""

    def __init__(self, rows: list[dict[str, object]]) -> None:
        self.rows = rows
        self.turn = threading.Lock()
        self.turn.acquire()
        self.leads = False
        self.new_ids: list[int] = []
        # Until the commit, the answer is no: nobody may be acknowledged by a mistake.
        self.failure: Exception | None = Retryable("nothing was written")


class Scribe:
    """Keeps arrivals; safe to share between threads, one for each process."""

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[tuple[object, ...]]],
        keyring: Keyring,
    ) -> None:
        """
        Args:
            connect: opens a connection in autocommit mode; called again after a
                failure.
            keyring: seals what a notification says of people.
        """
        self._connect = connect
        self._keyring = keyring
        self._database: psycopg.Connection[tuple[object, ...]] | None = None
        self._queue: list[_Entry] = []
        self._guard = threading.Lock()
        self._writing = False

    def keep(self, arrivals: Sequence[Arrival]) -> list[int]:
        """
        Insert what is new, pass over what is already there.

        Args:
            arrivals: of one message.

        Returns:
            The ids of the new rows, once they are committed; a repeated
            notification yields none.

        Raises:
            Retryable: the database is away; nothing is known to be kept.
        """
        if not arrivals:
            return []
        entry = _Entry([self._row(arrival) for arrival in arrivals])
        with self._guard:
            self._queue.append(entry)
            entry.leads = not self._writing
            self._writing = True
        if not entry.leads:
            entry.turn.acquire()
        if entry.leads:
            self._write_for_all()
        if entry.failure is not None:
            raise entry.failure
        return entry.new_ids

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
            "state": "dead" if arrival.error else "waiting",
            "error": arrival.error or None,
        }

    def _write_for_all(self) -> None:
        """Write for everybody who waits, then hand the pen to whoever came since."""
        with self._guard:
            batch, self._queue = self._queue, []
        try:
            self._write(batch)
        finally:
            with self._guard:
                if self._queue:
                    self._queue[0].leads = True
                    self._queue[0].turn.release()
                else:
                    self._writing = False
            for entry in batch:
                if not entry.leads:
                    entry.turn.release()

    def _write(self, batch: list[_Entry]) -> None:
        try:
            self._insert(batch)
        except psycopg.OperationalError as exc:
            self._hang_up()
            for entry in batch:
                entry.failure = _away(exc)
        except psycopg.Error as exc:
            # One caller's rows are not to the database's taste: not the others' fault.
            self._hang_up()
            if len(batch) == 1:
                batch[0].failure = exc
                return
            for entry in batch:
                self._write([entry])

    def _insert(self, batch: list[_Entry]) -> None:
        rows = [row for entry in batch for row in entry.rows]
        database = self._database = self._database or self._connect()
        written = database.execute(
            _KEEP, (orjson.dumps(rows).decode(),), prepare=True
        ).fetchall()
        new = {(row[1], row[2], row[3]): row[0] for row in written}
        for entry in batch:
            for row in entry.rows:
                key = (row["org_id"], row["source"], row["notification_id"])
                # Popped, so that of two callers with the same news one has it.
                if (id_ := new.pop(key, None)) is not None:
                    entry.new_ids.append(int(str(id_)))
            entry.failure = None

    def _hang_up(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None


def _away(exc: psycopg.Error) -> Retryable:
    return Retryable(f"the database is away: {str(exc).strip() or type(exc).__name__}")
