"""From the inbox to the journey: decide what each event means, and plan for it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, Engine

from sidecar.errors import Permanent, Retryable
from sidecar.intake import reconcile
from sidecar.jobs import clocks, hearing, reading
from sidecar.jobs.backoff import MAX_ATTEMPTS, retry_at
from sidecar.keyring import Keyring
from sidecar.logs import log
from sidecar.referral.follow_up import FollowUp, plan
from sidecar.referral.journey import Referral, Seen, Verdict, advance
from sidecar.referral.playbook import Playbook
from sidecar.store import (
    connections,
    follow_ups,
    inbox,
    reached,
    recognition,
    referrals,
)
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Event
from sidecar.store.persons import Gone
from sidecar.store.reached import Heard


class Records(Protocol):
    """Where the truth about a record is."""

    def read(
        self,
        connection_id: int,
        object_type: str,
        ids: Sequence[str],
        fields: Sequence[str],
    ) -> dict[str, Mapping[str, Any]]:
        """
        Read records by id; one that is not there is missing from the answer.

        Raises:
            Retryable, Permanent.
        """


@dataclass
class Deeds:
    """What deciding came to, within one transaction."""

    outcomes: dict[int, str] = field(default_factory=dict)
    to_read: list[Event] = field(default_factory=list)
    planned: Counter[str] = field(default_factory=Counter)


def process(
    event_ids: Sequence[int],
    *,
    engine: Engine,
    keyring: Keyring,
    records: Records,
    playbook_of: Callable[[OrgConnection], Playbook],
    ring_to_deliver: Callable[[int, str], object],
    now: Callable[[], datetime],
) -> None:
    """
    Decide about these events, and about all that wait before them.

    Events of one org are decided in the order in which they came, by one worker at a
    time. One transaction holds the journey, the follow-ups and the events' end: it
    happens whole or not at all. What a message cannot tell is read from the org
    between two transactions, never within one.
    """
    with engine.connect() as db:
        newest = inbox.connections_of(db, event_ids)
    for connection_id, up_to in newest.items():
        read: dict[int, Seen | None] = {}
        while True:
            deeds = _one_batch(
                connection_id,
                up_to,
                read,
                engine=engine,
                keyring=keyring,
                playbook_of=playbook_of,
                now=now,
            )
            for kind in deeds.planned:
                ring_to_deliver(connection_id, kind)
            if deeds.to_read:
                read = _read_back(
                    connection_id, deeds.to_read, records, engine=engine, now=now
                )
            elif not deeds.outcomes:
                break


def _one_batch(
    connection_id: int,
    up_to: int,
    read: Mapping[int, Seen | None],
    *,
    engine: Engine,
    keyring: Keyring,
    playbook_of: Callable[[OrgConnection], Playbook],
    now: Callable[[], datetime],
) -> Deeds:
    """Decide about up to 500 events; where one of them breaks us, about each alone."""

    def decide(db: Connection, connection: OrgConnection, events: list[Event]) -> Deeds:
        return _decide(
            db,
            connection,
            events,
            read,
            keyring=keyring,
            playbook=playbook_of(connection),
            now=now(),
        )

    with engine.begin() as db:
        inbox.lock_lane(db, connection_id)
        connection = connections.find(db, connection_id)
        events = inbox.waiting(
            db, connection_id, up_to=up_to, now=now(), keyring=keyring
        )
        if connection is None:
            # It came in the seconds for which a door still knew the address.
            inbox.remove(db, [event.id for event in events])
            return Deeds()
        if not events:
            return Deeds()
        try:
            with db.begin_nested():
                return decide(db, connection, events)
        except Exception:  # noqa: BLE001
            # A bug, or a row that no longer opens. Alone, each event shows whether it
            # is the one; it waits, and its neighbours go on.
            log().exception("process.batch_failed", events=[e.id for e in events])
        deeds = Deeds()
        for event in events:
            try:
                with db.begin_nested():
                    alone = decide(db, connection, [event])
            except Exception as exc:  # noqa: BLE001
                log().exception("process.event_failed", event_id=event.id)
                _put_off(db, event, f"{type(exc).__name__}: {exc}", now())
                deeds.outcomes[event.id] = "failed"
            else:
                deeds.outcomes |= alone.outcomes
                deeds.to_read += alone.to_read
                deeds.planned += alone.planned
        return deeds


def _decide(
    db: Connection,
    connection: OrgConnection,
    events: Sequence[Event],
    read: Mapping[int, Seen | None],
    *,
    keyring: Keyring,
    playbook: Playbook,
    now: datetime,
) -> Deeds:
    deeds = Deeds()
    told: list[tuple[Event, Seen]] = []
    for event in events:
        match _seen(event, read):
            case str() as outcome:
                deeds.outcomes[event.id] = outcome
            case seen:
                told.append((event, seen))
    # Of who is erased nothing is kept but numbers, whatever still comes.
    gone = recognition.gone(
        db, connection.org_id, [seen for _, seen in told], keyring=keyring
    )
    told = [(event, _permitted(seen, gone.get(seen.key))) for event, seen in told]
    # Stable: what carries no time keeps its place at the end, to be read back.
    told.sort(key=lambda item: item[1].changed_at or now + timedelta(days=1))
    known = referrals.load(
        db, connection.org_id, {seen.key for _, seen in told}, keyring=keyring
    )
    changed: dict[str, Referral] = {}
    planned: list[tuple[int, str, FollowUp]] = []
    heard: list[Heard] = []
    causes: dict[str, int] = {}
    told_before = {
        place
        for place, status in reached.known(db, connection.org_id, known).items()
        if status.heard
    }
    owners = [item.owner_id for item in known.values()]
    staff = clocks.staff(db, connection, owners + [seen.owner_id for _, seen in told])
    for event, seen in told:
        step = advance(known.get(seen.key), seen, connection.statuses)
        if step.verdict is Verdict.READ_BACK and event.id not in read:
            deeds.to_read.append(event)
            continue
        step = hearing.first_told(step, seen, told_before)
        deeds.outcomes[event.id] = f"{step.verdict}: {step.reason}"
        heard += (new := hearing.heard(event, seen, step))
        told_before |= {(item.referral_key, item.status) for item in new}
        if step.referral is None:
            continue
        known[seen.key] = changed[seen.key] = step.referral
        causes[seen.key] = event.id
        if seen.key in gone and gone[seen.key].person:
            deeds.outcomes[event.id] += ", by somebody erased"
        elif step.at_milestone is not None:
            planned += [
                (event.id, seen.key, follow_up)
                for follow_up in plan(
                    playbook,
                    connection.org_id,
                    step.at_milestone,
                    now=now,
                    week=staff.team(step.at_milestone.owner_id).week,
                    to=staff.recipients(step.at_milestone.owner_id),
                )
            ]
    referrals.remember(
        db, connection.org_id, changed.values(), now=now, keyring=keyring
    )
    clocks.turn(
        db,
        connection,
        {k: v for k, v in changed.items() if k not in gone or not gone[k].person},
        causes=causes,
        people=staff,
        playbook=playbook,
        now=now,
    )
    reached.hear(db, connection.org_id, connection.id, heard, now=now)
    deeds.planned = follow_ups.add(
        db,
        planned,
        connection_id=connection.id,
        org_id=connection.org_id,
        playbook_version=playbook.version,
        record_ids={key: item.record_id for key, item in known.items()},
        now=now,
        keyring=keyring,
    )
    inbox.settle(db, deeds.outcomes)
    erased = [event.id for event, seen in told if seen.key in gone]
    done = deeds.outcomes.keys() & erased
    inbox.empty(db, done, now=now, keyring=keyring)
    return deeds


def _permitted(seen: Seen, gone: Gone | None) -> Seen:
    return replace(seen, details=gone.permitted(seen.details)) if gone else seen


def _seen(event: Event, read: Mapping[int, Seen | None]) -> Seen | str:
    """What the event tells, or why it tells nothing."""
    if event.id in read:
        return read[event.id] or "ignored: the record is no longer there"
    if event.record_id is None or event.object_type is None:
        return "ignored: the record was deleted before the message was sent"
    if event.object_type not in reading.DETAILS:
        return f"ignored: no referrals are kept on {event.object_type}"
    # What the action sends, and the message left out, is empty in the org.
    fields = {**dict.fromkeys(event.absent), **event.fields}
    if event.source == reconcile.SOURCE:
        return replace(
            reading.seen(event.object_type, event.record_id, fields),
            read_back=reconcile.present(fields),
            recovered=True,
        )
    try:
        return reading.seen(event.object_type, event.record_id, fields)
    except ValueError:
        # A time that nobody can read is as good as none.
        without = {
            name: value
            for name, value in fields.items()
            if name not in {"SystemModstamp", "LastModifiedDate"}
        }
        return reading.seen(event.object_type, event.record_id, without)


def _read_back(
    connection_id: int,
    events: Sequence[Event],
    records: Records,
    *,
    engine: Engine,
    now: Callable[[], datetime],
) -> dict[int, Seen | None]:
    """Ask the org what its messages did not tell; None for a record that is gone."""
    by_object: dict[str, list[Event]] = {}
    for event in events:
        by_object.setdefault(event.object_type or "", []).append(event)
    read: dict[int, Seen | None] = {}
    for object_type, some in by_object.items():
        ids = sorted({event.record_id or "" for event in some})
        try:
            wanted = reading.read_back_fields(object_type)
            found = records.read(connection_id, object_type, ids, wanted)
        except (Retryable, Permanent) as exc:
            with engine.begin() as db:
                for event in some:
                    _put_off(db, event, f"reading the record: {exc}", now(), exc)
            continue
        for event in some:
            fields = found.get(event.record_id or "")
            read[event.id] = (
                reading.seen(object_type, event.record_id or "", fields, read_back=True)
                if fields
                else None
            )
    return read


def _put_off(
    db: Connection,
    event: Event,
    why: str,
    now: datetime,
    exc: Retryable | Permanent | None = None,
) -> None:
    if isinstance(exc, Permanent) or event.attempts + 1 >= MAX_ATTEMPTS:
        inbox.bury(db, [event.id], why=why)
        return
    asked = exc.retry_at if isinstance(exc, Retryable) else None
    due_at = retry_at(event.attempts + 1, now, not_before=asked)
    inbox.put_off(db, [event.id], due_at=due_at, why=why)
