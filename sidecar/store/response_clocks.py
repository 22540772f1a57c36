"""Response clocks as rows: what runs, what was told, what the record knows of it.

No row says anything of a person: a clock knows its referral by key. Whoever writes
holds the lane of the connection (``inbox.lock_lane``).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from sidecar.referral.journey import Milestone
from sidecar.referral.response_clock import Clock, Kind, Mark, Note, State, Told
from sidecar.store.tables import connection as connections
from sidecar.store.tables import referral, response_clock, response_clock_note

_RUNNING = ("waiting", "paused")


@dataclass(frozen=True)
class Change:
    """
    A clock as it is from now on.

    Attributes:
        wakes_at: when somebody must look at it again; None: nobody.
        promised_at: by when somebody must have answered; None where nothing is
            promised, or where it rests.
        writes: the record is to be told of ``promised_at``.
    """

    referral_key: str
    clock: Clock
    wakes_at: datetime | None
    promised_at: datetime | None
    writes: bool
    notes: Sequence[Note] = ()
    told: Sequence[Told] = ()


@dataclass(frozen=True)
class Running:
    """A clock that somebody must look at, and the event because of which it runs."""

    referral_key: str
    event_id: int
    clock: Clock


def of_referrals(
    db: Connection, org_id: str, keys: Collection[str]
) -> dict[str, list[Clock]]:
    """Load all clocks that referrals ever had, by referral key, oldest first."""
    rows = db.execute(
        select(response_clock)
        .where(
            response_clock.c.org_id == org_id,
            response_clock.c.referral_key.in_(keys),
        )
        .order_by(response_clock.c.id)
    )
    found: dict[str, list[Clock]] = {}
    for row in rows:
        found.setdefault(row.referral_key, []).append(_clock(row))
    return found


def due(
    db: Connection, connection_id: int, *, now: datetime, limit: int
) -> list[Running]:
    """Find the clocks of a connection whose time it is, oldest first."""
    rows = db.execute(
        select(response_clock)
        .where(
            response_clock.c.connection_id == connection_id,
            response_clock.c.state.in_(_RUNNING),
            response_clock.c.due_at <= now,
        )
        .order_by(response_clock.c.due_at, response_clock.c.id)
        .limit(limit)
    )
    return [Running(row.referral_key, row.event_id, _clock(row)) for row in rows]


def wake(
    db: Connection,
    connection_id: int,
    *,
    now: datetime,
    owner_ids: Collection[str] | None = None,
) -> int:
    """
    Have the running clocks of a connection looked at: what they count by has changed.

    Args:
        owner_ids: whose; None for everybody's.
    """
    mine = [
        response_clock.c.connection_id == connection_id,
        response_clock.c.state.in_(_RUNNING),
    ]
    if owner_ids is not None:
        mine.append(response_clock.c.owner_id.in_(owner_ids))
    return db.execute(update(response_clock).where(*mine).values(due_at=now)).rowcount


def set_aside(
    db: Connection, org_id: str, referral_key: str, *, until: datetime
) -> None:
    """Let nobody look at a referral's clocks for a while."""
    db.execute(
        update(response_clock)
        .where(
            response_clock.c.org_id == org_id,
            response_clock.c.referral_key == referral_key,
            response_clock.c.state.in_(_RUNNING),
        )
        .values(due_at=until)
    )


def keep(
    db: Connection,
    changes: Iterable[Change],
    *,
    connection_id: int,
    org_id: str,
    event_ids: Mapping[str, int],
    playbook_version: str,
    now: datetime,
) -> None:
    """
    Write clocks as they are from now on, and what happened to them.

    Args:
        event_ids: referral key to the event because of which a clock starts.
    """
    changes = list(changes)
    if not changes:
        return
    rows = [
        {
            "connection_id": connection_id,
            "org_id": org_id,
            "event_id": event_ids.get(change.referral_key, 0),
            "playbook_version": playbook_version,
            **_values(change, now),
        }
        for change in changes
    ]
    new = insert(response_clock).values(rows)
    told_already = response_clock.c.written.is_not_distinct_from(
        new.excluded.promised_at
    )
    values = {name: new.excluded[name] for name in _CHANGING} | {
        "write_due_at": case((told_already, None), else_=new.excluded.write_due_at),
        "write_attempts": 0,
    }
    ids = db.execute(
        new.on_conflict_do_update(constraint=_KEY, set_=values).returning(
            response_clock.c.id,
            response_clock.c.referral_key,
            response_clock.c.kind,
            response_clock.c.name,
            response_clock.c.milestone,
        )
    )
    known = {tuple(row[1:]): row.id for row in ids}
    notes = [
        {"clock_id": known[change.referral_key, *change.clock.id], "at": now, **note}
        for change in changes
        for note in _notes(change)
    ]
    if notes:
        db.execute(insert(response_clock_note), notes)


def cancel(db: Connection, org_id: str, keys: Collection[str], *, now: datetime) -> int:
    """Stop all clocks of referrals that are no more, or are nobody's business."""
    gone = db.execute(
        update(response_clock)
        .where(
            response_clock.c.org_id == org_id,
            response_clock.c.referral_key.in_(keys),
            response_clock.c.state.in_((*_RUNNING, "spent")),
        )
        .values(state="cancelled", due_at=None, write_due_at=None, settled_at=now)
        .returning(response_clock.c.id)
    )
    rows = [{"clock_id": row.id, "at": now, "what": "cancelled"} for row in gone]
    if rows:
        db.execute(insert(response_clock_note), rows)
    return len(rows)


def lanes_due(db: Connection, *, now: datetime) -> list[int]:
    """Find the connections of which a clock, or what a record is told, is due."""
    awake = or_(connections.c.paused_until.is_(None), connections.c.paused_until <= now)
    telling = and_(response_clock.c.state.in_(_RUNNING), response_clock.c.due_at <= now)
    writing = and_(response_clock.c.write_due_at <= now, awake)
    rows = db.scalars(
        select(response_clock.c.connection_id)
        .join(connections, connections.c.id == response_clock.c.connection_id)
        .where(or_(telling, writing))
        .distinct()
    )
    return sorted(rows)


# --- what the record is told --------------------------------------------------------


@dataclass(frozen=True)
class Writing:
    """What a record is to say: by when somebody must have answered; UTC."""

    clock_id: int
    object_type: str
    record_id: str
    promised_at: datetime
    attempts: int


def claim_writing(
    db: Connection, connection_id: int, *, now: datetime, until: datetime, limit: int
) -> list[Writing]:
    """Find what records are to be told; until then, it is nobody else's to tell."""
    rows = db.execute(
        select(
            response_clock.c.id,
            response_clock.c.promised_at,
            response_clock.c.write_attempts,
            referral.c.object_type,
            referral.c.record_id,
        )
        .join(
            referral,
            and_(
                referral.c.org_id == response_clock.c.org_id,
                referral.c.key == response_clock.c.referral_key,
            ),
        )
        .where(
            response_clock.c.connection_id == connection_id,
            response_clock.c.write_due_at <= now,
            response_clock.c.promised_at.is_not(None),
        )
        .order_by(response_clock.c.write_due_at, response_clock.c.id)
        .limit(limit)
        .with_for_update(of=response_clock, skip_locked=True)
    ).all()
    claimed = response_clock.c.id.in_([row.id for row in rows])
    db.execute(update(response_clock).where(claimed).values(write_due_at=until))
    return [
        Writing(
            row.id, row.object_type, row.record_id, row.promised_at, row.write_attempts
        )
        for row in rows
    ]


def wrote(
    db: Connection,
    writing: Writing,
    *,
    again_at: datetime | None = None,
    error: str | None = None,
) -> None:
    """
    Record how a record was told; what has changed meanwhile stays to be written.

    Args:
        again_at: when to try again; None: it is told, or will not be.
    """
    db.execute(
        update(response_clock)
        .where(
            response_clock.c.id == writing.clock_id,
            response_clock.c.promised_at == writing.promised_at,
        )
        .values(
            written=response_clock.c.written if error else writing.promised_at,
            write_due_at=again_at,
            write_attempts=response_clock.c.write_attempts + 1,
            write_error=error,
        )
    )


# --- for people ---------------------------------------------------------------------


def listing(
    db: Connection,
    *,
    state: str | None = None,
    referral_key: str | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """List clocks, those that are due first."""
    query = (
        select(response_clock)
        .order_by(response_clock.c.due_at.asc().nulls_last(), response_clock.c.id)
        .limit(limit)
    )
    if state:
        query = query.where(response_clock.c.state == state)
    if referral_key:
        query = query.where(response_clock.c.referral_key == referral_key)
    return [dict(row) for row in db.execute(query).mappings()]


def history(db: Connection, org_id: str, referral_key: str) -> list[dict[str, Any]]:
    """Tell what happened to a referral's clocks, in order."""
    rows = db.execute(
        select(
            response_clock_note.c.at,
            response_clock.c.name,
            response_clock.c.milestone,
            response_clock_note.c.what,
            response_clock_note.c.stage,
            response_clock_note.c.details,
        )
        .join(response_clock, response_clock.c.id == response_clock_note.c.clock_id)
        .where(
            response_clock.c.org_id == org_id,
            response_clock.c.referral_key == referral_key,
        )
        .order_by(response_clock_note.c.id)
    )
    return [dict(row) for row in rows.mappings()]


def count(db: Connection) -> dict[str, int]:
    """Count clocks by state."""
    rows = db.execute(
        select(response_clock.c.state, func.count()).group_by(response_clock.c.state)
    )
    return {row[0]: row[1] for row in rows}


_KEY = "response_clock_org_id_referral_key_kind_name_milestone_key"


_CHANGING = (
    *("owner_id", "team", "marks", "used", "since", "until", "rests_at", "told"),
    *("state", "due_at", "promised_at", "settled_at"),
)


def _values(change: Change, now: datetime) -> dict[str, Any]:
    clock = change.clock
    promised_at = _whole_second(change.promised_at)
    writes = change.writes and clock.state is State.WAITING and promised_at is not None
    return {
        "referral_key": change.referral_key,
        "kind": clock.kind,
        "name": clock.name,
        "milestone": clock.milestone,
        "started_at": clock.started_at,
        "owner_id": clock.owner_id,
        "team": clock.team,
        "marks": [[stage, _marked(mark)] for stage, mark in clock.marks.items()],
        "used": clock.used,
        "since": clock.since,
        "until": clock.until,
        "rests_at": clock.rests_at,
        "told": sorted(clock.told),
        "state": clock.state,
        "due_at": change.wakes_at,
        "promised_at": promised_at,
        "settled_at": None if clock.state in _RUNNING else now,
        "write_due_at": now if writes else None,
    }


def _whole_second(at: datetime | None) -> datetime | None:
    """Records keep no parts of a second."""
    return at.replace(microsecond=0) if at else None


def _marked(mark: Mark) -> float | str:
    return mark.total_seconds() if isinstance(mark, timedelta) else mark.isoformat()


def _mark(kept: float | str) -> Mark:
    if isinstance(kept, str):
        return datetime.fromisoformat(kept)
    return timedelta(seconds=kept)


def _notes(change: Change) -> list[dict[str, Any]]:
    return [
        {"what": note.what, "stage": None, "details": note.details}
        for note in change.notes
    ] + [
        {
            "what": "passed_over" if told.passed_over else "told",
            "stage": told.stage,
            "details": f"due {told.at.isoformat(timespec='seconds')}",
        }
        for told in change.told
    ]


def _clock(row: Row[Any]) -> Clock:
    return Clock(
        name=row.name,
        kind=Kind(row.kind),
        milestone=Milestone(row.milestone),
        owner_id=row.owner_id,
        team=row.team,
        started_at=row.started_at,
        marks={stage: _mark(kept) for stage, kept in row.marks},
        used=row.used,
        since=row.since,
        until=row.until,
        rests_at=row.rests_at,
        told=frozenset(row.told),
        state=State(row.state),
    )
