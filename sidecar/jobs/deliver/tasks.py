"""Tasks in Salesforce: up to 200 in a call, one call at a time for an org."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Engine

from sidecar.errors import SidecarError
from sidecar.jobs.deliver.attempts import Ending, claim, ended, pause, resting, settle
from sidecar.keyring import Keyring
from sidecar.referral.follow_up import Task
from sidecar.salesforce.records import BATCH
from sidecar.store import connections
from sidecar.store.claims import Attempt


class Tasks(Protocol):
    """Where tasks are kept. Repeating a call is harmless: the key decides."""

    def put_tasks(
        self, connection_id: int, tasks: Sequence[tuple[str, Task]]
    ) -> list[str | SidecarError]:
        """
        Create or find at most 200 tasks; for each its id, or its refusal.

        Raises:
            Retryable, Permanent: about the call as a whole; never Uncertain.
        """


def deliver_tasks(
    connection_id: int,
    *,
    engine: Engine,
    keyring: Keyring,
    tasks: Tasks,
    lease: timedelta,
    now: Callable[[], datetime],
) -> int:
    """
    Put all of an org's due tasks, up to 200 in a call, one call at a time.

    Args:
        lease: how long one call may take before somebody else may make it.

    Returns:
        How many attempts were made. None where somebody else is at it: what they
        find due includes ours, and they look again before they leave.
    """
    made = 0
    while True:
        with engine.begin() as db:
            if resting(db_connection := connections.find(db, connection_id), now()):
                return made
            if not connections.take_lane(
                db, connection_id, now=now(), until=now() + lease
            ):
                return made
        round_made = 0
        try:
            while attempts := claim(
                engine, keyring, connection_id, "task", BATCH, now(), lease
            ):
                ends = _put(connection_id, attempts, tasks, now)
                round_made += len(attempts)
                settle(engine, ends, attempts, now())
                if any(end.pause for end in ends):
                    pause(engine, connection_id, ends)
                    break
        finally:
            with engine.begin() as db:
                connections.leave_lane(db, connection_id)
        made += round_made
        if round_made == 0 or db_connection is None:
            return made


def _put(
    connection_id: int,
    attempts: Sequence[Attempt],
    tasks: Tasks,
    now: Callable[[], datetime],
) -> list[Ending]:
    wanted = [(item.key, item.what) for item in attempts if isinstance(item.what, Task)]
    try:
        results: Sequence[str | SidecarError] = tasks.put_tasks(connection_id, wanted)
    except SidecarError as exc:
        results = [exc] * len(attempts)
    return [
        ended(attempt, result, now())
        for attempt, result in zip(attempts, results, strict=True)
    ]
