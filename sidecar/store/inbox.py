"""The inbox: everything received, one row a notification."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Select, case, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from sidecar.keyring import Keyring
from sidecar.store.tables import event


class Arrival(NamedTuple):
    """One notification as the door hands it over, not yet a row."""

    connection_id: int
    org_id: str
    source: str
    notification_id: str
    action_id: str
    object_type: str | None
    record_id: str | None
    content: Mapping[str, Any]
    """``{"fields": {...}, "absent": [...]}``, as JSON can hold it."""
    received_at: datetime
    error: str = ""
    """Why nobody can work with it; such an event is dead from the start."""
    outcome: str = ""
    """What it comes to, where nothing is to be done; such an event is done."""
    due_at: datetime | None = None
    """Aware: not to be worked on before, and with ``error`` why. None: at once."""


# What an event broke on may quote it.
WITHOUT_CONTENT = case(
    (event.c.state == "dead", "given up on; what it carried is no longer kept")
)


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the inbox."""

    id: int
    connection_id: int
    org_id: str
    source: str
    notification_id: str
    action_id: str | None
    object_type: str | None
    record_id: str | None
    fields: Mapping[str, Any]
    absent: Sequence[str]
    received_at: datetime
    state: str
    attempts: int
    outcome: str | None
    error: str | None


def keep(
    db: Connection, arrivals: Sequence[Arrival], *, keyring: Keyring
) -> dict[str, int]:
    """
    Keep events in a transaction of the caller's, beside what belongs to them.

    Returns:
        The ids of the new rows, by notification id; an event that came before has
        none.
    """
    rows = [
        {
            **arrival._asdict(),
            "sealed": keyring.seal(orjson.dumps(arrival.content)),
            "state": state_of(arrival),
            "error": arrival.error or None,
            "outcome": arrival.outcome or None,
            "due_at": arrival.due_at or arrival.received_at,
        }
        for arrival in arrivals
    ]
    for row in rows:
        del row["content"]
    if not rows:
        return {}
    # In portions: a page of an org's records may bring thousands.
    kept = insert(event).on_conflict_do_nothing()
    found = db.execute(kept.returning(event.c.notification_id, event.c.id), rows)
    return {row[0]: row[1] for row in found}


def state_of(arrival: Arrival) -> str:
    """Say in which state an arrival begins."""
    if arrival.outcome:
        return "done"
    return "dead" if arrival.error and arrival.due_at is None else "waiting"


def lock_lane(db: Connection, connection_id: int) -> None:
    """
    Be the only one who decides about this connection, until the transaction ends.

    Events of one org are decided one after the other: two workers that took two
    states of the same record would otherwise race for which of them is news.
    """
    db.execute(
        text("SELECT pg_advisory_xact_lock(:space, :id)"),
        {"space": 1_001, "id": connection_id},
    )


def waiting(
    db: Connection,
    connection_id: int,
    *,
    up_to: int,
    now: datetime,
    keyring: Keyring,
    limit: int = 500,
) -> list[Event]:
    """
    Lock and load what waits, oldest first.

    Args:
        up_to: the newest id asked for; whatever waits before it comes along, so that
            nobody overtakes.
        now: aware.
    """
    query = (
        select(event)
        .where(
            event.c.connection_id == connection_id,
            event.c.state == "waiting",
            event.c.id <= up_to,
            event.c.due_at <= now,
        )
        .order_by(event.c.id)
        .limit(limit)
        .with_for_update()
    )
    return _events(db, query, keyring)


def connections_of(db: Connection, ids: Iterable[int]) -> dict[int, int]:
    """Give the newest of these event ids for each connection that has any."""
    query = (
        select(event.c.connection_id, func.max(event.c.id))
        .where(event.c.id.in_(list(ids)))
        .group_by(event.c.connection_id)
    )
    return {row[0]: row[1] for row in db.execute(query)}


def settle(db: Connection, outcomes: Mapping[int, str]) -> None:
    """Mark events as done; each with what it came to."""
    for outcome in set(outcomes.values()):
        ids = [id_ for id_, said in outcomes.items() if said == outcome]
        db.execute(
            update(event)
            .where(event.c.id.in_(ids))
            .values(
                state="done", outcome=outcome, error=None, attempts=event.c.attempts + 1
            )
        )


def put_off(db: Connection, ids: Iterable[int], *, due_at: datetime, why: str) -> None:
    """Let events wait for another attempt."""
    db.execute(
        update(event)
        .where(event.c.id.in_(list(ids)), event.c.state == "waiting")
        .values(due_at=due_at, error=why, attempts=event.c.attempts + 1)
    )


def bury(db: Connection, ids: Iterable[int], *, why: str) -> None:
    """Give events up; a person may replay them."""
    db.execute(
        update(event)
        .where(event.c.id.in_(list(ids)), event.c.state == "waiting")
        .values(state="dead", error=why, attempts=event.c.attempts + 1)
    )


def remove(db: Connection, ids: Sequence[int]) -> None:
    """Remove events of a connection that is no more."""
    if ids:
        db.execute(delete(event).where(event.c.id.in_(ids)))


def empty(
    db: Connection, ids: Iterable[int], *, now: datetime, keyring: Keyring
) -> int:
    """Take out of events what they said of people; how many had something."""
    ids = list(ids)
    if not ids:
        return 0
    emptied = (
        update(event)
        .where(event.c.id.in_(ids), event.c.emptied_at.is_(None))
        .values(sealed=nothing(keyring), emptied_at=now, error=WITHOUT_CONTENT)
    )
    return db.execute(emptied).rowcount


def nothing(keyring: Keyring) -> str:
    """Seal what an emptied event carries."""
    return keyring.seal(json.dumps({"fields": {}}))


def replay(db: Connection, ids: Iterable[int], *, now: datetime) -> list[int]:
    """Make events due again, whatever became of them; give those that exist."""
    rows = db.execute(
        update(event)
        .where(event.c.id.in_(list(ids)))
        .values(state="waiting", due_at=now, attempts=0, error=None, outcome=None)
        .returning(event.c.id)
    )
    return sorted(rows.scalars())


def due(db: Connection, *, now: datetime, limit: int = 500) -> dict[int, list[int]]:
    """Find what waits and is due: connection id to event ids, oldest first."""
    rows = db.execute(
        select(event.c.connection_id, event.c.id)
        .where(event.c.state == "waiting", event.c.due_at <= now)
        .order_by(event.c.due_at)
        .limit(limit)
    )
    found: dict[int, list[int]] = {}
    for connection_id, id_ in rows:
        found.setdefault(connection_id, []).append(id_)
    return found


def listing(
    db: Connection,
    *,
    keyring: Keyring,
    state: str | None = None,
    record_id: str | None = None,
    limit: int = 50,
) -> list[Event]:
    """List events, newest first."""
    query = select(event).order_by(event.c.id.desc()).limit(limit)
    if state:
        query = query.where(event.c.state == state)
    if record_id:
        query = query.where(event.c.record_id == record_id)
    return _events(db, query, keyring)


def find(db: Connection, event_id: int, *, keyring: Keyring) -> Event | None:
    """Load one event; None where there is none."""
    found = _events(db, select(event).where(event.c.id == event_id), keyring)
    return found[0] if found else None


def arrivals_by_action(
    db: Connection, *, since: datetime, connection_id: int | None = None
) -> dict[tuple[int, str, str], list[datetime]]:
    """
    When messages came: connection id, action id and object type to the moments.

    Args:
        since: aware; what came before is passed over. What no door brought did not
            come.
        connection_id: None means all of them.
    """
    query = (
        select(
            event.c.connection_id,
            event.c.action_id,
            event.c.object_type,
            event.c.received_at,
        )
        .where(
            event.c.received_at >= since,
            event.c.object_type.is_not(None),
            event.c.source != "reconcile",
        )
        .distinct()
    )
    if connection_id is not None:
        query = query.where(event.c.connection_id == connection_id)
    found: dict[tuple[int, str, str], list[datetime]] = {}
    for id_, action_id, object_type, received_at in db.execute(query):
        place = (id_, action_id or "", object_type)
        found.setdefault(place, []).append(received_at)
    return found


def without_record(
    db: Connection,
    connection_id: int,
    *,
    source: str,
    objects: Iterable[str],
    keyring: Keyring,
) -> list[Event]:
    """List the dead events of a source that are about whole objects, not a record."""
    query = select(event).where(
        event.c.connection_id == connection_id,
        event.c.state == "dead",
        event.c.source == source,
        event.c.record_id.is_(None),
        event.c.object_type.in_(list(objects)),
    )
    return _events(db, query, keyring)


def count(db: Connection) -> dict[str, int]:
    """Count events by state."""
    rows = db.execute(select(event.c.state, func.count()).group_by(event.c.state))
    return {row[0]: row[1] for row in rows}


def _events(
    db: Connection, query: Select[tuple[Any, ...]], keyring: Keyring
) -> list[Event]:
    events = []
    for row in db.execute(query).mappings():
        content = json.loads(keyring.open(row["sealed"]))
        events.append(
            Event(
                **{name: row[name] for name in _COLUMNS},
                fields=content["fields"],
                absent=content.get("absent", ()),
            )
        )
    return events


_COLUMNS = (
    "id",
    "connection_id",
    "org_id",
    "source",
    "notification_id",
    "action_id",
    "object_type",
    "record_id",
    "received_at",
    "state",
    "attempts",
    "outcome",
    "error",
)
