"""Response clocks and the org: whose role is which, and what the record is told."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Engine

from sidecar.errors import Permanent, Retryable, SidecarError
from sidecar.jobs.backoff import MAX_ATTEMPTS, retry_at
from sidecar.jobs.reading import moment
from sidecar.logs import log
from sidecar.referral.business_calendar import Colleague
from sidecar.store import colleagues, connections, inbox, response_clocks
from sidecar.store.response_clocks import Writing

FIELD = "Referral_Response_Due__c"
"""The package's field on Lead and Contact; an opportunity has none."""

OBJECTS = frozenset({"Lead", "Contact"})

BATCH = 200

KNOWN_FOR = timedelta(days=1)
"""How long we believe what an org said of a user's role and manager."""

USER = ("Id", "IsActive", "ManagerId", "UserRole.Name")


class Records(Protocol):
    """Where the truth about a record is."""

    def read(
        self,
        connection_id: int,
        object_type: str,
        ids: Sequence[str],
        fields: Sequence[str],
    ) -> Mapping[str, Mapping[str, Any]]:
        """Read records by id. Raises Retryable, Permanent."""


class Updates(Protocol):
    """What changes records. Repeating a call is harmless."""

    def update(
        self,
        connection_id: int,
        object_type: str,
        changes: Sequence[tuple[str, Mapping[str, Any]]],
    ) -> Sequence[SidecarError | None]:
        """
        Change at most 200 records; for each its refusal, or None.

        Raises:
            Retryable, Permanent: about the call as a whole.
        """


def meet(
    connection_id: int,
    *,
    engine: Engine,
    records: Records,
    now: Callable[[], datetime],
) -> int:
    """
    Ask the org who the owners are, and have their clocks looked at again.

    An org that does not answer keeps nobody waiting: the clocks count by the hours of
    everybody, until it does.

    Returns:
        How many users were read.
    """
    with engine.connect() as db:
        connection = connections.find(db, connection_id)
        since = now() - KNOWN_FOR
        ids = colleagues.strangers(db, connection_id, since=since, limit=BATCH)
    if connection is None or not ids or _rests(connection.paused_until, now()):
        return 0
    try:
        found = records.read(connection_id, "User", ids, USER)
    except SidecarError as exc:
        log().warning("clocks.users_unread", connection=connection_id, error=str(exc))
        _pause(engine, connection_id, exc)
        if not isinstance(exc, Permanent):
            return 0
        found = {}  # It would refuse again: it is asked anew tomorrow.
    read = {id_: _colleague(found.get(id_)) for id_ in ids}
    with engine.begin() as db:
        inbox.lock_lane(db, connection_id)
        known = colleagues.load(db, connection_id, ids)
        colleagues.remember(db, connection_id, read, now=now())
        changed = [id_ for id_, one in read.items() if known.get(id_) != one]
        response_clocks.wake(db, connection_id, now=now(), owner_ids=changed)
    return len(read)


def write(
    connection_id: int,
    *,
    engine: Engine,
    records: Records,
    updates: Updates,
    lease: timedelta,
    now: Callable[[], datetime],
) -> int:
    """
    Tell records by when somebody must have answered, where they say something else.

    Returns:
        How many records were changed.
    """
    changed = 0
    while True:
        with engine.begin() as db:
            connection = connections.find(db, connection_id)
            if connection is None or _rests(connection.paused_until, now()):
                return changed
            claimed = response_clocks.claim_writing(
                db, connection_id, now=now(), until=now() + lease, limit=BATCH
            )
        if not claimed:
            return changed
        for object_type in {item.object_type for item in claimed}:
            some = [item for item in claimed if item.object_type == object_type]
            results = _written(connection_id, object_type, some, records, updates)
            changed += sum(result is True for result in results)
            with engine.begin() as db:
                for item, result in zip(some, results, strict=True):
                    again_at, error = _ended(item, result, now())
                    response_clocks.wrote(db, item, again_at=again_at, error=error)
            for result in results:
                if isinstance(result, Retryable) and _pause(
                    engine, connection_id, result
                ):
                    return changed


def _written(
    connection_id: int,
    object_type: str,
    some: Sequence[Writing],
    records: Records,
    updates: Updates,
) -> list[bool | SidecarError]:
    """For each whether it was changed, or why not."""
    if object_type not in OBJECTS:
        return [False] * len(some)
    try:
        ids = sorted({item.record_id for item in some})
        there = records.read(connection_id, object_type, ids, ("Id", FIELD))
        differing = [
            item for item in some if not _says(there.get(item.record_id), item)
        ]
        answers = (
            updates.update(
                connection_id,
                object_type,
                [(item.record_id, {FIELD: _text(item)}) for item in differing],
            )
            if differing
            else []
        )
    except SidecarError as exc:
        return [exc] * len(some)
    ends = {
        item.clock_id: answer or True
        for item, answer in zip(differing, answers, strict=True)
    }
    return [ends.get(item.clock_id, False) for item in some]


def _says(record: Mapping[str, Any] | None, item: Writing) -> bool:
    """Whether the record says it already; one that is gone needs not be told."""
    if record is None:
        return True
    if not (text := record.get(FIELD)):
        return False
    try:
        return moment(FIELD, str(text)) == item.promised_at
    except ValueError:
        return False


def _text(item: Writing) -> str:
    return f"{item.promised_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000+0000"


def _ended(
    item: Writing, result: bool | SidecarError, now: datetime
) -> tuple[datetime | None, str | None]:
    """When to try again, if at all, and what went wrong."""
    match result:
        case Retryable() as exc if exc.pauses_org or item.attempts + 1 < MAX_ATTEMPTS:
            again = retry_at(item.attempts + 1, now, not_before=exc.retry_at)
            return again, str(exc)
        case SidecarError() as exc:
            return None, str(exc)
    return None, None


def _colleague(row: Mapping[str, Any] | None) -> Colleague:
    if row is None:
        return Colleague()
    role = row.get("UserRole") or {}
    return Colleague(
        role.get("Name") or "", row.get("ManagerId"), bool(row.get("IsActive"))
    )


def _rests(paused_until: datetime | None, now: datetime) -> bool:
    return paused_until is not None and paused_until > now


def _pause(engine: Engine, connection_id: int, exc: SidecarError) -> bool:
    """Let the org rest where it asked to; whether it did."""
    if not isinstance(exc, Retryable) or not exc.pauses_org or exc.retry_at is None:
        return False
    with engine.begin() as db:
        connections.pause(db, connection_id, until=exc.retry_at, why=str(exc))
    return True
