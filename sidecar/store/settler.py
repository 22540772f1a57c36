"""The settler: how a mail ended is committed while the next one is written.

One statement settles what was sent and looks whether what follows is still wanted. It
is handed to PostgreSQL without waiting for the answer: the commit is flushed while this
thread goes on, and no other thread is needed. docs/performance.md has the ratios.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import orjson
import psycopg
from psycopg import pq

from sidecar.store.claims import Attempt, End
from sidecar.store.prepared import Prepared

_SETTLE = b"settle"
# As ``claims.settle`` and ``claims.current`` in one.
_STATEMENT = b"""
    WITH settled AS (
        UPDATE follow_up SET
            state = ends.state, receipt = ends.receipt, error = ends.error,
            due_at = coalesce(ends.due_at, $2::timestamptz),
            settled_at = $2::timestamptz,
            attempts = attempts - ends.give_back,
            held = coalesce(ends.held, follow_up.held),
            digest_key = coalesce(ends.digest_key, follow_up.digest_key),
            sent_to = coalesce(decode(ends.sent_to, 'hex'), follow_up.sent_to)
        FROM json_to_recordset($1::json) AS ends (
            id bigint, attempt smallint, state text, receipt text, error text,
            due_at timestamptz, give_back smallint, held text, digest_key text,
            sent_to text)
        WHERE follow_up.id = ends.id AND follow_up.attempts = ends.attempt
          AND (follow_up.state = 'sending'
               OR follow_up.state = 'cancelled' AND ends.state = 'done'))
    SELECT follow_up.id
    FROM follow_up
    JOIN json_to_recordset($3::json) AS following (id bigint, attempt smallint)
      ON follow_up.id = following.id AND follow_up.attempts = following.attempt
    WHERE follow_up.state = 'sending'
"""


class Settler:
    """Settles mails, one statement at a time; each thread has its own connection."""

    def __init__(
        self, connect: Callable[[], psycopg.Connection[tuple[object, ...]]]
    ) -> None:
        """``connect`` opens a connection in autocommit mode, once for each thread."""
        self._prepared = Prepared(connect, {_SETTLE: _STATEMENT})
        self._begun = threading.local()

    def begin(
        self,
        ends: Mapping[int, tuple[int, End]],
        following: Sequence[Attempt],
        *,
        now: datetime,
    ) -> None:
        """
        Begin to settle; it is not done before ``finish``.

        Args:
            ends: as ``claims.settle`` takes them.
            following: what is to be sent next.

        Raises:
            psycopg.OperationalError: the database is away.
        """
        rows = [_row(id_, number, end) for id_, (number, end) in ends.items()]
        next_ = [{"id": one.id, "attempt": one.number} for one in following]
        values = [orjson.dumps(rows), now.isoformat().encode(), orjson.dumps(next_)]
        pgconn = self._prepared.pgconn()
        pgconn.send_query_prepared(_SETTLE, values)
        pgconn.flush()
        # Its answer comes here and nowhere else, even if the connection breaks.
        self._begun.pgconn = pgconn

    def finish(self) -> frozenset[int]:
        """
        Wait until it is committed.

        Returns:
            The ids of what follows that is still to be sent.

        Raises:
            psycopg.Error: it is not settled, or nobody knows.
        """
        pgconn: pq.abc.PGconn = self._begun.pgconn
        heard = False
        found: frozenset[int] = frozenset()
        failed: psycopg.Error | None = None
        try:
            while (result := pgconn.get_result()) is not None:
                heard = True
                if result.status != pq.ExecStatus.TUPLES_OK:
                    failed = psycopg.errors.error_from_result(result)
                    continue
                ids = (result.get_value(row, 0) for row in range(result.ntuples))
                found = frozenset(int(id_ or 0) for id_ in ids)
        except psycopg.Error:
            self._prepared.hang_up()
            raise
        if failed is None and not heard:
            failed = psycopg.OperationalError("the database gave no answer")
        if failed is not None:
            self._prepared.hang_up()
            raise failed
        return found


def _row(id_: int, number: int, end: End) -> dict[str, object]:
    return {
        "id": id_,
        "attempt": number,
        "state": end.state,
        "receipt": end.receipt,
        "error": end.error,
        "due_at": end.due_at,
        "give_back": 0 if end.costs else 1,
        "held": end.held,
        "digest_key": end.digest_key,
        "sent_to": end.sent_to.hex() if end.sent_to else None,
    }
