"""What every delivery has in common: claim, act, settle.

A claim and its settlement are two short transactions; between them nobody holds a
database connection while Salesforce or another server takes its time.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Engine

from sidecar.errors import Retryable, SidecarError, Uncertain
from sidecar.jobs.backoff import MAX_ATTEMPTS, retry_at
from sidecar.jobs.unquoted import unquoted
from sidecar.keyring import Keyring
from sidecar.logs import log
from sidecar.store import claims, connections
from sidecar.store.claims import Attempt, End
from sidecar.store.connections import OrgConnection


class Tried(Protocol):
    """What is known of an attempt, whatever it was at."""

    @property
    def number(self) -> int:
        """Which attempt it was, from 1."""

    @property
    def resend(self) -> bool:
        """Whether to try again where nobody knows if it has happened."""


class Ending:
    """An end, and the pause that came with it."""

    def __init__(self, end: End, pause: Retryable | None = None) -> None:
        self.end = end
        self.pause = pause


def claim(
    engine: Engine,
    keyring: Keyring,
    connection_id: int,
    kind: str,
    limit: int,
    now: datetime,
    lease: timedelta,
) -> list[Attempt]:
    """Take what is due of one kind; it is ours until its lease ends."""
    with engine.begin() as db:
        return claims.claim(
            db,
            connection_id,
            kind,
            now=now,
            lease_ends=now + lease,
            limit=limit,
            keyring=keyring,
        )


def settle(
    engine: Engine,
    endings: Sequence[Ending],
    attempts: Sequence[Attempt],
    now: datetime,
) -> None:
    """Record how attempts ended, in one transaction."""
    ends = ends_of(endings, attempts)
    with engine.begin() as db:
        claims.settle(db, ends, now=now)
    tell(ends)


def ends_of(
    endings: Sequence[Ending], attempts: Sequence[Attempt]
) -> dict[int, tuple[int, End]]:
    """Give attempts' numbers and ends by id, without what was said of people."""
    return {
        attempt.id: (attempt.number, unquoted(ending.end, attempt.what))
        for attempt, ending in zip(attempts, endings, strict=True)
    }


def tell(ends: Mapping[int, tuple[int, End]]) -> None:
    """Put ends into the log."""
    for id_, (number, end) in ends.items():
        log().info(
            "follow_up.settled",
            follow_up=id_,
            attempt=number,
            state=end.state,
            error=end.error,
        )


def in_batches(
    connection_id: int,
    kind: str,
    put: Callable[
        [OrgConnection, Sequence[Attempt]], Sequence[str | SidecarError | End]
    ],
    *,
    engine: Engine,
    keyring: Keyring,
    lease: timedelta,
    now: Callable[[], datetime],
    limit: int = 200,
) -> int:
    """
    Do all that is due of a kind of which many are done at once.

    Args:
        put: does them; for each its receipt, its refusal or its end. Repeating it is
            harmless. Raises Retryable, Permanent: about all of them.
        lease: how long a batch may take before somebody else may do it.

    Returns:
        How many attempts were made.
    """
    made = 0
    while True:
        with engine.connect() as db:
            connection = connections.find(db, connection_id)
        if connection is None or resting(connection, now()):
            return made
        attempts = claim(engine, keyring, connection_id, kind, limit, now(), lease)
        if not attempts:
            return made
        try:
            results = put(connection, attempts)
        except SidecarError as exc:
            results = [exc] * len(attempts)
        ends = [
            Ending(result) if isinstance(result, End) else ended(attempt, result, now())
            for attempt, result in zip(attempts, results, strict=True)
        ]
        made += len(attempts)
        settle(engine, ends, attempts, now())
        if any(end.pause for end in ends):
            pause(engine, connection_id, ends)


def ended(attempt: Tried, result: str | SidecarError, now: datetime) -> Ending:
    """Decide by class, never by the other side's codes."""
    match result:
        case str():
            return Ending(End("done", receipt=result))
        case Retryable() as exc:
            if exc.pauses_org:
                # Not this follow-up's fault: it costs no attempt's worth of patience.
                due_at = exc.retry_at or now
                end = End("waiting", error=str(exc), due_at=due_at, costs=False)
                return Ending(end, exc)
            if attempt.number >= MAX_ATTEMPTS:
                return Ending(End("dead", error=f"given up: {exc}"))
            due_at = retry_at(attempt.number, now, not_before=exc.retry_at)
            return Ending(End("waiting", error=str(exc), due_at=due_at))
        case Uncertain() as exc if attempt.resend and attempt.number < MAX_ATTEMPTS:
            # To a rep, a second copy with the same Message-ID is a smaller evil than
            # none.
            due_at = retry_at(attempt.number, now, not_before=None)
            return Ending(End("waiting", error=str(exc), due_at=due_at))
        case Uncertain() as exc:
            return Ending(End("uncertain", error=str(exc)))
        case exc:
            return Ending(End("dead", error=str(exc)))


def resting(connection: OrgConnection | None, now: datetime) -> bool:
    """Tell whether an org is left in peace for now."""
    if connection is None or connection.paused_until is None:
        return False
    return connection.paused_until > now


def pause(engine: Engine, connection_id: int, endings: Sequence[Ending]) -> None:
    """Leave an org in peace for as long as it asked."""
    asked = next(item.pause for item in endings if item.pause)
    if asked.retry_at is None:
        return
    with engine.begin() as db:
        connections.pause(db, connection_id, until=asked.retry_at, why=str(asked))
    log().warning("connection.paused", connection=connection_id, reason=str(asked))
