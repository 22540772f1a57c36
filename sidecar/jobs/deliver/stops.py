"""Referrers who want no more mails: Salesforce is told, as the integration user."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Engine

from sidecar.errors import Retryable, SidecarError
from sidecar.jobs.backoff import retry_at
from sidecar.logs import log
from sidecar.salesforce.referrers import OBJECT, WANTED
from sidecar.store import referrer_stops
from sidecar.store.referrer_stops import Stop

STOPS_AT_ONCE = 100
_REFUSED_FOR = timedelta(days=1)
"""After a refusal, Salesforce is asked again so much later."""


class Updates(Protocol):
    """Where fields of records are changed. Repeating a call is harmless."""

    def update(
        self,
        connection_id: int,
        object_type: str,
        changes: Sequence[tuple[str, Mapping[str, Any]]],
    ) -> list[SidecarError | None]:
        """Change at most 200 records; why each was refused, or None."""


def tell_stops(
    connection_id: int,
    *,
    engine: Engine,
    updates: Updates,
    lease: timedelta,
    now: Callable[[], datetime],
) -> int:
    """
    Take the check mark off at referrers who want no more; how many attempts it took.

    Until Salesforce has it, or where it refuses, the wish holds here.
    """
    made = 0
    while True:
        with engine.begin() as db:
            stops = referrer_stops.claim(
                db,
                connection_id,
                now=now(),
                lease_ends=now() + lease,
                limit=STOPS_AT_ONCE,
            )
        if not stops:
            return made
        made += len(stops)
        changes = [(stop.referrer_id, {WANTED: False}) for stop in stops]
        results: Sequence[SidecarError | None]
        try:
            results = updates.update(connection_id, OBJECT, changes)
        except SidecarError as exc:
            results = [exc] * len(stops)
        with engine.begin() as db:
            for stop, result in zip(stops, results, strict=True):
                state, due_at, error = _end(stop, result, now())
                referrer_stops.settle(db, stop, state, due_at=due_at, error=error)
                log().info(
                    "referrer_stop.settled", stop=stop.id, state=state, error=error
                )


def _end(
    stop: Stop, result: SidecarError | None, now: datetime
) -> tuple[str, datetime, str | None]:
    """It is never given up: a right that is missing today is granted tomorrow."""
    match result:
        case None:
            return "done", now, None
        case Retryable() as exc:
            due_at = retry_at(stop.number, now, not_before=exc.retry_at)
            return "waiting", due_at, str(exc)
        case exc:
            return "waiting", now + _REFUSED_FOR, str(exc)
