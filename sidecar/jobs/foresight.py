"""What a playbook would do, and why: told, never done.

Everything is read in a transaction in which PostgreSQL itself refuses to write, and
nothing here knows the org or a mail server.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from sidecar.errors import Permanent
from sidecar.jobs import clocks
from sidecar.keyring import Keyring
from sidecar.referral import response_clock
from sidecar.referral.business_calendar import Staff
from sidecar.referral.follow_up import aimed_at, called_for
from sidecar.referral.journey import Referral
from sidecar.referral.playbook import Action, Playbook, kind_of
from sidecar.referral.response_clock import Clock, Turn
from sidecar.store import (
    connections,
    follow_ups,
    journeys,
    next_steps,
    response_clocks,
)
from sidecar.store.connections import OrgConnection
from sidecar.store.journeys import Station


@dataclass(frozen=True)
class Foreseen:
    """
    One thing that a playbook would do, or leave out, and why.

    ``to`` is whom or what it would reach, as ``follow_up.aimed_at`` says; None where
    nobody is named.
    """

    at: datetime
    referral_key: str
    milestone: str
    action: str
    kind: str
    to: str | None
    done: bool
    why: str


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that cannot write."""
    with engine.connect() as db:
        yield db.execution_options(postgresql_readonly=True)


def simulate(
    db: Connection,
    connection: OrgConnection,
    playbook: Playbook,
    *,
    since: datetime,
    now: datetime,
    keyring: Keyring,
) -> list[Foreseen]:
    """
    Say what a playbook would have done with what was reached since a moment.

    The statuses and their times are those that were heard of; owners and details are
    as they are known today.

    Returns:
        In order of time; conditions that did not hold among them.
    """
    stations = journeys.reached_since(db, connection.id, since)
    known = journeys.look(db, connection.org_id, stations, keyring=keyring)
    people = clocks.staff(db, connection, [item.owner_id for item in known.values()])
    foreseen = [
        item
        for key, referral in known.items()
        for item in _life(referral, stations[key], connection, playbook, people, now)
    ]
    return sorted(foreseen, key=lambda item: (item.at, item.referral_key, item.action))


def _life(
    referral: Referral,
    stations: Sequence[Station],
    connection: OrgConnection,
    playbook: Playbook,
    people: Staff,
    now: datetime,
) -> Iterator[Foreseen]:
    """Go through what one referral reached, with all that its clocks would tell."""
    ticking: dict[object, Clock] = {}
    milestone = None
    ends = [station.reached_at for station in stations[1:]] + [now]
    for station, end in zip(stations, ends, strict=True):
        at = station.reached_at
        reached = connection.statuses.get(station.status)
        there = replace(
            referral,
            status=station.status,
            milestone=reached or milestone,
            object_type=station.object_type,
            record_id=station.record_id,
            changed_at=at,
        )
        if reached is not None and reached != milestone:
            at_once = [
                action for action in playbook.actions_for(there) if action.later is None
            ]
            reason = f"{reached} reached"
            yield from _acts(at_once, there, people, at, "", reason)
        milestone = there.milestone
        for item in response_clock.turn(
            ticking.values(), there, playbook, people, now=at
        ):
            ticking[item.clock.id] = item.clock
        for id_, clock in ticking.items():
            ticking[id_] = yield from _ticks(clock, there, playbook, people, at, end)


def _ticks(
    clock: Clock,
    referral: Referral,
    playbook: Playbook,
    people: Staff,
    at: datetime,
    end: datetime,
) -> Generator[Foreseen, None, Clock]:
    """Let a clock tell its stages until the referral moves on; the clock as it is."""
    week = people.calendar.named(clock.team).week
    while (wakes := response_clock.wakes_at(clock, week, now=at)) and wakes < end:
        at = wakes
        item: Turn = response_clock.tell(clock, week, now=at)
        if item.clock == clock:
            break
        clock = item.clock
        for told in item.told:
            within, actions = clocks.actions_of(clock, told.stage, referral, playbook)
            reason = f"{clock.name} {told.stage}" if within else f"{clock.name} set"
            yield from _acts(actions, referral, people, at, within, reason)
    return clock


def _acts(
    actions: Iterable[Action],
    referral: Referral,
    people: Staff,
    at: datetime,
    within: str,
    reason: str,
) -> Iterator[Foreseen]:
    to = people.recipients(referral.owner_id)
    for action in actions:
        held = called_for(action, referral)
        yield Foreseen(
            at=at,
            referral_key=referral.key,
            milestone=str(referral.milestone),
            action=f"{within}.{action.name}" if within else action.name,
            kind=kind_of(action),
            to=aimed_at(action.rule, to),
            done=held.yes,
            why=f"{reason}; {held.why}" if action.when or not held.yes else reason,
        )


def explain(
    db: Connection,
    connection: OrgConnection,
    key: str,
    playbook: Playbook,
    *,
    now: datetime,
    keyring: Keyring,
) -> dict[str, Any]:
    """
    Say where a referral stands, what was planned for it, and what will come.

    Raises:
        Permanent: there is no such referral, or it is about somebody erased.
    """
    known = journeys.look(db, connection.org_id, [key], keyring=keyring)
    if (referral := known.get(key)) is None:
        raise Permanent(f"nothing is known of referral {key}")
    people = clocks.staff(db, connection, [referral.owner_id])
    to = people.recipients(referral.owner_id)
    planned = {
        (row["milestone"], row["action"]): row
        for row in follow_ups.listing(db, referral_key=key, limit=10_000)
        if row["org_id"] == connection.org_id
    }
    known_clocks = response_clocks.of_referrals(db, connection.org_id, [key])
    step = next_steps.next_steps(db, connection.org_id, [key]).get(key)
    return {
        "referral": key,
        "record": f"{referral.object_type} {referral.record_id}",
        "status": referral.status,
        "milestone": referral.milestone,
        "open": response_clock.is_open(referral),
        "owner": referral.owner_id,
        "team": people.team(referral.owner_id).name or "everybody",
        "recipients": {"owner": to.owner, "backup": to.backup, "manager": to.manager},
        "playbook": playbook.version,
        "actions": [
            _explained(action, referral, planned)
            for action in playbook.actions_for(referral)
        ],
        "clocks": [_clock(clock, people, now) for clock in known_clocks.get(key, ())],
        "history": response_clocks.history(db, connection.org_id, key),
        "next_step": f"{step.kind} {step.name}" if step else None,
        "next_step_at": step.at if step else None,
    }


def _explained(
    action: Action, referral: Referral, planned: Mapping[tuple[str, str], Any]
) -> dict[str, Any]:
    held = called_for(action, referral)
    row = planned.get((str(referral.milestone), action.name))
    return {
        "action": action.name,
        "kind": kind_of(action),
        "holds": held.yes,
        "why": held.why,
        "later": action.later is not None,
        "state": row["state"] if row else "not planned",
        "because_of": row["playbook_version"] if row else None,
    }


def _clock(clock: Clock, people: Staff, now: datetime) -> dict[str, Any]:
    week = people.calendar.named(clock.team).week
    return {
        "clock": clock.name,
        "milestone": clock.milestone,
        "state": clock.state,
        "owner": clock.owner_id,
        "team": clock.team or "everybody",
        "started_at": clock.started_at,
        "wakes_at": response_clock.wakes_at(clock, week, now=now),
        "stages": {
            stage: "told"
            if stage in clock.told
            else response_clock.moment_of(clock, stage, week)
            for stage in clock.marks
        },
    }


def connection_of(db: Connection, connection_id: int) -> OrgConnection:
    """
    Find a connection.

    Raises:
        Permanent: there is none of this number.
    """
    found = connections.find(db, connection_id)
    if found is None:
        raise Permanent(f"there is no connection {connection_id}")
    return found
