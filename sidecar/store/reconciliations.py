"""Reconciliations: what is compared with an org's own records, and how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict

from sqlalchemy import Connection, Row, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from sidecar.store.tables import connection, reconciliation

REGULAR, SINCE, RESYNC = "regular", "since", "resync"
OPEN = ("waiting", "sending")

_YOUNG = timedelta(hours=1)


@dataclass(frozen=True)
class Reconciliation:
    """
    One reconciliation.

    Attributes:
        kind: ``regular`` runs again and again, ``since`` once from a moment on,
            ``resync`` once over everything, without follow-ups.
        since: records changed from then on are read by the run.
        covers_from: what the org dates before then is passed over.
        began_at: of the run under way; None between two.
        todo: by object the last row read, its SystemModstamp and id; empty at the
            beginning. An object that is missing has been read to its end.
        objects: by object what is there to be read: ``salesforce.changes.Shape``.
        done_at: when a run last came to its end.
    """

    id: int
    connection_id: int
    kind: str
    since: datetime
    covers_from: datetime
    began_at: datetime | None
    todo: dict[str, list[str]]
    objects: dict[str, dict[str, Any]]
    looked_at: datetime | None
    state: str
    attempts: int
    failures: int
    due_at: datetime
    error: str | None
    calls: int
    records: int
    recovered: int
    created_at: datetime
    done_at: datetime | None

    @property
    def settled(self) -> bool:
        """Whether it is over, for good or for bad."""
        return self.state not in OPEN


class Changes(TypedDict, total=False):
    """Columns that a turn may write."""

    since: datetime
    covers_from: datetime
    began_at: datetime | None
    todo: Mapping[str, Any]
    objects: Mapping[str, Any]
    looked_at: datetime | None
    state: str
    failures: int
    due_at: datetime
    error: str | None
    calls: int
    records: int
    recovered: int
    done_at: datetime


def set_up(db: Connection, *, now: datetime, first_after: timedelta) -> None:
    """
    Let each connection that has no regular reconciliation have one.

    It covers the connection's life where that has just begun; what an older one has
    seen before nobody has written down.
    """
    known = select(reconciliation.c.connection_id).where(
        reconciliation.c.kind == REGULAR
    )
    missing = select(connection.c.id, connection.c.created_at).where(
        connection.c.id.not_in(known)
    )
    rows = [
        {
            "connection_id": row.id,
            "kind": REGULAR,
            "since": _from(row.created_at, now),
            "covers_from": _from(row.created_at, now),
            "due_at": now + first_after,
            "created_at": now,
        }
        for row in db.execute(missing)
    ]
    if rows:
        # Two clocks may find the same one missing.
        db.execute(insert(reconciliation).values(rows).on_conflict_do_nothing())


def _from(created_at: datetime, now: datetime) -> datetime:
    """The times of an org have whole seconds: what follows within one is later."""
    young = timedelta() <= now - created_at < _YOUNG
    return (created_at if young else now).replace(microsecond=0)


def add(
    db: Connection,
    connection_id: int,
    *,
    kind: str,
    since: datetime,
    covers_from: datetime,
    now: datetime,
) -> int | None:
    """Ask for a reconciliation; its id, or None where another one is not over."""
    new = (
        insert(reconciliation)
        .values(
            connection_id=connection_id,
            kind=kind,
            since=since,
            covers_from=covers_from,
            due_at=now,
            created_at=now,
        )
        .returning(reconciliation.c.id)
    )
    try:
        with db.begin_nested():
            return int(db.execute(new).scalar_one())
    except IntegrityError as exc:
        if "reconciliation_one_open_idx" not in str(exc.orig):
            raise
    return None


def claim(
    db: Connection, reconciliation_id: int, *, now: datetime, lease_ends: datetime
) -> Reconciliation | None:
    """
    Take the next turn, if one is due and nobody else has it.

    ``attempts`` of what is given out is the number of this turn.
    """
    row = db.execute(
        update(reconciliation)
        .where(
            reconciliation.c.id == reconciliation_id,
            reconciliation.c.state.in_(OPEN),
            reconciliation.c.due_at <= now,
        )
        .values(
            state="sending",
            attempts=reconciliation.c.attempts + 1,
            due_at=lease_ends,
        )
        .returning(*reconciliation.c)
    ).one_or_none()
    return _value(row) if row else None


def write(db: Connection, reconciliation_id: int, turn: int, changes: Changes) -> bool:
    """
    Record what a turn came to.

    Returns:
        False where the turn is no longer the current one: its lease ended, somebody
        else goes on, and nothing was written.
    """
    done = db.execute(
        update(reconciliation)
        .where(
            reconciliation.c.id == reconciliation_id,
            reconciliation.c.attempts == turn,
            reconciliation.c.state == "sending",
        )
        .values(**changes)
    )
    return done.rowcount == 1


def hasten(db: Connection, reconciliation_id: int, *, now: datetime) -> None:
    """Make one due at once, if nobody is at it."""
    db.execute(
        update(reconciliation)
        .where(
            reconciliation.c.id == reconciliation_id,
            reconciliation.c.state == "waiting",
        )
        .values(due_at=now)
    )


def widen(db: Connection, connection_id: int, covers_from: datetime) -> None:
    """Let the regular one cover what another one has covered before it."""
    db.execute(
        update(reconciliation)
        .where(
            reconciliation.c.connection_id == connection_id,
            reconciliation.c.kind == REGULAR,
            reconciliation.c.covers_from > covers_from,
        )
        .values(covers_from=covers_from)
    )


def due(db: Connection, *, now: datetime) -> list[int]:
    """Find what is due; orgs that are paused rest."""
    awake = or_(connection.c.paused_until.is_(None), connection.c.paused_until <= now)
    rows = db.scalars(
        select(reconciliation.c.id)
        .join(
            connection, and_(connection.c.id == reconciliation.c.connection_id, awake)
        )
        .where(reconciliation.c.state.in_(OPEN), reconciliation.c.due_at <= now)
        .order_by(reconciliation.c.due_at)
    )
    return list(rows)


def find(db: Connection, reconciliation_id: int) -> Reconciliation | None:
    """One reconciliation; None where there is none."""
    row = db.execute(
        select(reconciliation).where(reconciliation.c.id == reconciliation_id)
    ).one_or_none()
    return _value(row) if row else None


def regular(db: Connection, connection_id: int) -> Reconciliation | None:
    """The connection's regular reconciliation; None until the clock has seen it."""
    row = db.execute(
        select(reconciliation).where(
            reconciliation.c.connection_id == connection_id,
            reconciliation.c.kind == REGULAR,
        )
    ).one_or_none()
    return _value(row) if row else None


def under_way(db: Connection, connection_id: int) -> Reconciliation | None:
    """The one beside the regular that is not over; None where all are."""
    row = db.execute(
        select(reconciliation).where(
            reconciliation.c.connection_id == connection_id,
            reconciliation.c.kind != REGULAR,
            reconciliation.c.state.in_(OPEN),
        )
    ).one_or_none()
    return _value(row) if row else None


def _value(row: Row[Any]) -> Reconciliation:
    return Reconciliation(
        **{name: getattr(row, name) for name in Reconciliation.__dataclass_fields__}
    )
