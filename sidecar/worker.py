"""Entry for workers: the functions that RQ calls by name, and the loop around them."""

from functools import cache

from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from sidecar import doorbell, logs, settings
from sidecar.wiring import Wiring


@cache
def _wiring() -> Wiring:
    """One for the process: jobs share connections, tokens and compiled templates."""
    return Wiring(settings.from_environ())


def process(event_ids: list[int]) -> None:
    """Decide about events of the inbox."""
    _wiring().process(event_ids)


def deliver(connection_id: int, kind: str) -> None:
    """Do an org's follow-ups of one kind."""
    _wiring().deliver(connection_id, kind)


def clocks(connection_id: int) -> None:
    """Look at an org's response clocks."""
    _wiring().clocks(connection_id)


def deploy(deployment_id: int) -> None:
    """Take a deployment's turns, as far as they are due."""
    _wiring().deploy(deployment_id)


def reconcile(reconciliation_id: int) -> None:
    """Take a reconciliation's turns, as far as they are due."""
    _wiring().reconcile(reconciliation_id)


def reports(connection_id: int) -> None:
    """Run an org's reports that are due, and send their mails."""
    _wiring().report(connection_id)


class _Worker(SimpleWorker):
    """
    Works in its own process: a fork for each job would log in anew each time.

    The lease on a row gives what a fork would: a job that dies with its worker is
    somebody else's after two minutes.
    """

    # Redis may be away for a while; nothing is lost meanwhile, so look again soon.
    max_connection_wait_time = 5


def work(*, burst: bool = False) -> None:
    """Wait for rings and answer them, until told to stop."""
    wiring = _wiring()
    logs.configure(wiring.settings.log_format)
    client = doorbell.redis_for(wiring.settings.redis_url)
    queues = [
        Queue(name, connection=client, serializer=JSONSerializer)
        for name in doorbell.QUEUES
    ]
    worker = _Worker(queues, connection=client, serializer=JSONSerializer)
    worker.work(burst=burst, logging_level="WARNING")
