"""The doorbell: RQ tells workers that something waits. It may fail, or ring twice.

Jobs carry ids in JSON and nothing else. Whatever is rung for stands in PostgreSQL, so
a lost ring costs at most the time until the next sweep.
"""

import threading
import time
from collections.abc import Sequence

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue

from sidecar.logs import log

PROCESS = "process"
DELIVER = "deliver"
DEPLOY = "deploy"
RECONCILE = "reconcile"
CLOCKS = "clocks"
REPORTS = "reports"
QUEUES = (PROCESS, DELIVER, CLOCKS, DEPLOY, RECONCILE, REPORTS)

# One ring carries at most this many events; a worker takes earlier ones along.
_MOST_IDS = 500
_JOB_SECONDS = 600
_GATHER_SECONDS = 0.1


def redis_for(redis_url: str) -> redis.Redis:
    """A client that answers or fails within a second, and does not try again."""
    return redis.Redis.from_url(
        redis_url,
        socket_connect_timeout=1,
        socket_timeout=1,
        retry=Retry(NoBackoff(), 0),
    )


class Doorbell:
    """
    Rings from a thread of its own: nobody at the door waits for Redis.

    Rings for events that come close together become one job.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._queues = {
            name: Queue(name, connection=client, serializer="json") for name in QUEUES
        }
        self._ids: set[int] = set()
        self._something = threading.Condition()
        self._ringer: threading.Thread | None = None

    def ring_later(self, event_ids: Sequence[int]) -> None:
        """Ring for events soon; returns at once, never fails."""
        with self._something:
            self._ids.update(event_ids)
            if self._ringer is None:
                self._ringer = threading.Thread(
                    target=self._ring_for_ever, name="doorbell", daemon=True
                )
                self._ringer.start()
            self._something.notify()

    def ring(self, event_ids: Sequence[int]) -> bool:
        """Ring for events now; False where Redis did not hear."""
        return self._enqueue(PROCESS, "sidecar.worker.process", list(event_ids))

    def ring_to_deliver(self, connection_id: int, kind: str) -> bool:
        """Ring for one org's follow-ups of a kind; False where Redis did not hear."""
        return self._enqueue(DELIVER, "sidecar.worker.deliver", connection_id, kind)

    def ring_to_deploy(self, deployment_id: int) -> bool:
        """Ring for a deployment's next turn; False where Redis did not hear."""
        return self._enqueue(DEPLOY, "sidecar.worker.deploy", deployment_id)

    def ring_to_reconcile(self, reconciliation_id: int) -> bool:
        """Ring for a reconciliation's next turn; False where Redis did not hear."""
        return self._enqueue(RECONCILE, "sidecar.worker.reconcile", reconciliation_id)

    def ring_to_clocks(self, connection_id: int) -> bool:
        """Ring for one org's response clocks; False where Redis did not hear."""
        return self._enqueue(CLOCKS, "sidecar.worker.clocks", connection_id)

    def ring_to_reports(self, connection_id: int) -> bool:
        """Ring for one org's reports; False where Redis did not hear."""
        return self._enqueue(REPORTS, "sidecar.worker.reports", connection_id)

    def _enqueue(self, queue: str, function: str, *args: object) -> bool:
        try:
            self._queues[queue].enqueue(
                function,
                args=args,
                job_timeout=_JOB_SECONDS,
                result_ttl=0,
                failure_ttl=86_400,
            )
        except (redis.RedisError, OSError) as exc:
            log().warning("doorbell.unheard", queue=queue, reason=str(exc))
            return False
        return True

    def _ring_for_ever(self) -> None:
        rung_at = 0.0
        while True:
            with self._something:
                while not self._ids:
                    self._something.wait()
            # A ring costs the door more than a message does: the first one is rung
            # for at once, those that follow close behind share the next.
            time.sleep(max(0.0, rung_at + _GATHER_SECONDS - time.monotonic()))
            rung_at = time.monotonic()
            with self._something:
                some = sorted(self._ids)[:_MOST_IDS]
                self._ids.difference_update(some)
            # Unheard ids are dropped: the sweep knows them.
            self.ring(some)
