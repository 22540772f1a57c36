"""Reconciliation as a job: claim a turn, read a page, keep what nobody told.

A turn makes one call and commits what it found together with how far it is: whoever
takes the next goes on there. No turn sleeps. A row says when the next one is due; the
regular one of a connection is due again and again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from sqlalchemy import Connection, Engine

from sidecar.errors import Permanent, Retryable
from sidecar.intake import reconcile
from sidecar.intake.org_events import CHANGE_EVENT
from sidecar.intake.reconcile import OVERLAP, SETTLED
from sidecar.jobs import pace, reading, reconciled_page
from sidecar.jobs.backoff import MAX_ATTEMPTS, retry_at
from sidecar.jobs.reconciled_page import Desk
from sidecar.keyring import Keyring
from sidecar.logs import log
from sidecar.referral.journey import STATIONS
from sidecar.referral.pace import Meaning
from sidecar.salesforce.changes import Page, Shape, Wanted
from sidecar.store import connections, inbox, reached, reconciliations, referrals
from sidecar.store.connections import OrgConnection
from sidecar.store.reconciliations import REGULAR, RESYNC, Changes, Reconciliation

EVERY = timedelta(minutes=15)
"""A regular run begins so often: one call each, where little has changed."""

_NEXT_PAGE = timedelta(minutes=3)
"""A regular run that has more than a page to read spends twenty calls an hour on it."""

_LOOK_AGAIN = timedelta(days=1)
_LOOK_SOON = timedelta(hours=1)
"""Where fields are missing, the package may be about to be installed."""


class Org(Protocol):
    """Where the records are. Each method raises Retryable, Permanent."""

    def look(
        self, connection_id: int, wanted: Mapping[str, Sequence[str]]
    ) -> dict[str, Shape]:
        """Say what can be read of each object; one call an object."""

    def pages(
        self, connection_id: int, wanted: Mapping[str, Wanted]
    ) -> dict[str, Page]:
        """Read the next page of each object; one call in all."""


def wanted_fields() -> dict[str, Sequence[str]]:
    """Name what is read of each object, the ones furthest along first."""
    names = sorted(reading.DETAILS, key=lambda name: -STATIONS[name])
    return {
        name: (*reading.read_back_fields(name), *reconcile.FIELDS) for name in names
    }


def take_turn(
    reconciliation_id: int,
    *,
    engine: Engine,
    keyring: Keyring,
    org: Org,
    ring: Callable[[list[int]], object],
    lease: timedelta,
    now: Callable[[], datetime],
) -> bool:
    """
    Take the next turn of a reconciliation, if it is due and nobody is at it.

    Args:
        ring: tells workers of the events that were made.
        lease: how long a turn may take before somebody else may take it.

    Returns:
        Whether there was a turn to take.
    """
    with engine.begin() as db:
        row = reconciliations.claim(
            db, reconciliation_id, now=now(), lease_ends=now() + lease
        )
        connection = connections.find(db, row.connection_id) if row else None
    if row is None or connection is None:
        return False
    try:
        row = _begun(row, org, now())
        pages = _read(row, org)
    except (Retryable, Permanent) as exc:
        changes = _failed(row, exc, now())
        with engine.begin() as db:
            reconciliations.write(db, row.id, row.attempts, changes)
        log().warning("reconcile.failed", connection=connection.id, why=str(exc))
        return True
    try:
        with engine.begin() as db:
            inbox.lock_lane(db, connection.id)
            desk = Desk(
                db=db,
                connection=connection,
                keyring=keyring,
                covers_from=row.covers_from,
                began=row.began_at or now(),
                now=now(),
            )
            event_ids = _keep(desk, row, pages)
    except _LeaseLost:
        return True
    if event_ids:
        ring(event_ids)
    if row.kind == REGULAR and _another_hour(row, now()):
        with engine.connect() as db:
            _warn_of_silence(db, connection, now())
    return True


class _LeaseLost(Exception):
    """Somebody else goes on, from where this turn began."""


def _keep(desk: Desk, row: Reconciliation, pages: Mapping[str, Page]) -> list[int]:
    """Keep what the pages show, and how far it is: both or neither."""
    event_ids: list[int] = []
    for name, page in pages.items():
        if row.kind == RESYNC:
            reconciled_page.rebuild(desk, name, page)
        else:
            event_ids += reconciled_page.compare(desk, name, page)
    changes = _settled(desk, row, pages, len(event_ids))
    if not reconciliations.write(desk.db, row.id, row.attempts, changes):
        raise _LeaseLost
    log().info(
        "reconcile.turn",
        connection=desk.connection.id,
        kind=row.kind,
        records=changes["records"] - row.records,
        recovered=len(event_ids),
        ended="done_at" in changes,
    )
    return event_ids


def _another_hour(row: Reconciliation, now: datetime) -> bool:
    """Whether a run begins that is the first of its hour."""
    hour = "%Y-%m-%d %H"
    first = row.done_at is None or f"{row.done_at:{hour}}" != f"{now:{hour}}"
    return first and all(not after for after in row.todo.values())


def _warn_of_silence(db: Connection, connection: OrgConnection, now: datetime) -> None:
    for sender in pace.senders(db, now=now, connection_id=connection.id):
        if sender.silence is not None and sender.meaning is not Meaning.QUIET:
            log().warning(
                "pace.silent",
                connection=connection.id,
                action=sender.action_id,
                object=sender.object_type,
                since=sender.last.isoformat(),
                untold=sender.untold,
            )


def _begun(row: Reconciliation, org: Org, now: datetime) -> Reconciliation:
    """Begin a run where none is under way; look at the objects once a day."""
    wanted, calls = wanted_fields(), row.calls
    known_for = _LOOK_AGAIN if row.objects.keys() == wanted.keys() else _LOOK_SOON
    if row.looked_at is None or now - row.looked_at > known_for:
        found = org.look(row.connection_id, wanted)
        calls += len(wanted)
        objects = {name: shape.as_dict() for name, shape in found.items()}
        row = replace(row, objects=objects, looked_at=now, calls=calls)
    if row.began_at is not None:
        return row
    since = row.since
    if row.kind == REGULAR and (row.done_at is None or row.done_at.date() < now.date()):
        # Once a day, all of yesterday again: an index may be later than it should.
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0)
        yesterday = max(midnight - timedelta(days=1), row.covers_from - OVERLAP)
        since = min(since, yesterday)
    return replace(
        row, began_at=now, since=since, todo={name: [] for name in row.objects}
    )


def _read(row: Reconciliation, org: Org) -> dict[str, Page]:
    """Read the next page; of a regular run, of all objects together."""
    names = [
        name for name in wanted_fields() if name in row.todo and name in row.objects
    ]
    if row.kind != REGULAR:
        names = names[:1]
    wanted = {
        name: Wanted(Shape(**row.objects[name]), row.since, row.todo[name])
        for name in names
    }
    return org.pages(row.connection_id, wanted) if wanted else {}


def _failed(row: Reconciliation, exc: Retryable | Permanent, now: datetime) -> Changes:
    failures = row.failures + 1
    changes: Changes = {"failures": failures, "error": str(exc), "state": "waiting"}
    passing = isinstance(exc, Retryable)
    if passing and (row.kind == REGULAR or failures < MAX_ATTEMPTS):
        asked = exc.retry_at if isinstance(exc, Retryable) else None
        changes["due_at"] = retry_at(failures, now, not_before=asked)
    elif row.kind == REGULAR or failures == 1:
        # Fields may have been taken out, or granted: look at the objects anew.
        due_at = now + EVERY if row.kind == REGULAR else now
        changes |= {"due_at": due_at, "looked_at": None}
    else:
        changes["state"] = "dead"
    return changes


def _settled(
    desk: Desk, row: Reconciliation, pages: Mapping[str, Page], new: int
) -> Changes:
    """Say how far it is; at a run's end, count and look back."""
    ended = {name for name, page in pages.items() if page.after is None}
    todo = {
        name: list(page.after or ()) if (page := pages.get(name)) else after
        for name, after in row.todo.items()
        if name in row.objects and name not in ended
    }
    changes: Changes = {
        "since": row.since,
        "began_at": row.began_at,
        "todo": todo,
        "objects": row.objects,
        "looked_at": row.looked_at,
        "state": "waiting",
        "failures": 0,
        "error": None,
        "due_at": desk.now + _NEXT_PAGE if row.kind == REGULAR else desk.now,
        "calls": row.calls + bool(pages),
        "records": row.records + sum(len(page.records) for page in pages.values()),
        "recovered": row.recovered + new,
    }
    return changes if todo else changes | _ended(desk, row)


def _ended(desk: Desk, row: Reconciliation) -> Changes:
    over: Changes = {"state": "done", "done_at": desk.now}
    if row.kind == RESYNC:
        referrals.forget_untouched(desk.db, desk.org_id, since=desk.began)
        return over
    _close_overflows(desk, row)
    _count(desk, max(row.since, row.covers_from))
    if row.kind != REGULAR:
        reconciliations.widen(desk.db, desk.connection.id, row.covers_from)
        return over
    return {
        "since": desk.began - OVERLAP,
        "began_at": None,
        "due_at": max(desk.began + EVERY, desk.now),
        "done_at": desk.now,
    }


def _count(desk: Desk, since: datetime) -> None:
    """Count the days of this run, and earlier ones that were not yet done with."""
    if (day := reached.oldest_open(desk.db, desk.connection.id)) is not None:
        since = min(since, datetime.combine(day, time(), UTC))
    days = reached.count(desk.db, desk.connection.id, since=since, now=desk.now)
    reached.record(desk.db, days)


def _close_overflows(desk: Desk, row: Reconciliation) -> None:
    """Close the events that said: too much has changed, look for yourself."""
    gaps = inbox.without_record(
        desk.db,
        desk.connection.id,
        source=CHANGE_EVENT,
        objects=row.objects,
        keyring=desk.keyring,
    )
    told = f"closed: reconciled from {row.covers_from:%Y-%m-%d %H:%M}Z on"
    settled = desk.began - SETTLED
    covered = [
        event for event in gaps if row.covers_from <= _committed(event) < settled
    ]
    inbox.settle(desk.db, {event.id: told for event in covered})


def _committed(event: inbox.Event) -> datetime:
    """When what a gap event speaks of happened."""
    header = event.fields.get("event") or {}
    at = header.get("commitTimestamp")
    if not isinstance(at, int):
        return event.received_at
    return datetime.fromtimestamp(at / 1000, UTC)
