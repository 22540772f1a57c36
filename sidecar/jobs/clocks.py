"""Response clocks at work: set with each change of a referral, told when it is time.

Nothing here calls the org: what a stage brings are follow-ups, and what the record is
told stands in ``clock_records``. Setting and telling happen under the connection's
lane, each within one transaction: whole or not at all.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from sidecar.keyring import Keyring
from sidecar.logs import log
from sidecar.playbooks.calendars import calendar
from sidecar.referral import response_clock
from sidecar.referral.business_calendar import Staff, person
from sidecar.referral.follow_up import FollowUp, called_for, follow_up
from sidecar.referral.journey import Referral
from sidecar.referral.playbook import Action, ClockRule, Playbook
from sidecar.referral.playbook import Stage as PromiseStage
from sidecar.referral.response_clock import Clock, Kind, Note, State, Turn
from sidecar.store import (
    colleagues,
    connections,
    follow_ups,
    inbox,
    persons,
    referrals,
    response_clocks,
)
from sidecar.store.connections import OrgConnection
from sidecar.store.response_clocks import Change

AT_ONCE = 200
"""Clocks of one transaction."""

_SET_ASIDE = timedelta(hours=1)
"""How long a clock that breaks us stays out of its neighbours' way."""


def staff(
    db: Connection, connection: OrgConnection, owner_ids: Iterable[str | None]
) -> Staff:
    """
    Say who works when, as far as these owners are concerned.

    Raises:
        WrongCalendar: the connection's calendar cannot be read.
    """
    ids = {id_ for id_ in owner_ids if id_}
    return Staff(
        calendar(connection.calendar, connection.time_zone),
        colleagues.load(db, connection.id, ids) if ids else {},
        connection.fallback_owner_id,
    )


def turn(
    db: Connection,
    connection: OrgConnection,
    changed: Mapping[str, Referral],
    *,
    causes: Mapping[str, int],
    people: Staff,
    playbook: Playbook,
    now: datetime,
) -> None:
    """
    Set the clocks of referrals that have just changed.

    Args:
        changed: by key.
        causes: referral key to the event that told of the change.
    """
    if not changed:
        return
    known = response_clocks.of_referrals(db, connection.org_id, changed)
    changes = [
        _met(_change(key, item, playbook, people, now), people, now)
        for key, referral in changed.items()
        for item in response_clock.turn(
            known.get(key, ()), referral, playbook, people, now=now
        )
    ]
    response_clocks.keep(
        db,
        changes,
        connection_id=connection.id,
        org_id=connection.org_id,
        event_ids=causes,
        playbook_version=playbook.version,
        now=now,
    )


def tell(
    connection_id: int,
    *,
    engine: Engine,
    keyring: Keyring,
    playbook_of: Callable[[OrgConnection], Playbook],
    ring_to_deliver: Callable[[int, str], object],
    now: Callable[[], datetime],
) -> int:
    """
    Let the stages come whose time it is, and plan what they bring.

    Returns:
        How many follow-ups are new.
    """
    planned: Counter[str] = Counter()
    while True:
        with engine.begin() as db:
            looked, new = _one_batch(
                db, connection_id, keyring=keyring, playbook_of=playbook_of, now=now()
            )
        planned += new
        if looked < AT_ONCE:
            break
    for kind in planned:
        ring_to_deliver(connection_id, kind)
    return planned.total()


def rest(
    db: Connection,
    connection: OrgConnection,
    referral_key: str,
    *,
    playbook: Playbook,
    until: datetime | None,
    why: str,
    now: datetime,
) -> int:
    """
    Let a referral's running clocks rest.

    Args:
        until: when they go on by themselves; None: when somebody says so.

    Returns:
        How many rest from now on, or rest until another moment.
    """

    def paused(clock: Clock, people: Staff) -> Turn | None:
        if not _runs(clock):
            return None
        week = people.calendar.named(clock.team).week
        resting = response_clock.pause(clock, week, now=now, until=until)
        return Turn(resting, (Note("paused", why),))

    return _set_by_hand(db, connection, referral_key, paused, playbook, now)


def go_on(
    db: Connection,
    connection: OrgConnection,
    referral_key: str,
    *,
    playbook: Playbook,
    why: str,
    now: datetime,
) -> int:
    """Let a referral's resting clocks go on where they stood; how many."""

    def resumed(clock: Clock, _people: Staff) -> Turn | None:
        if clock.state is not State.PAUSED:
            return None
        return Turn(response_clock.resume(clock, now=now), (Note("resumed", why),))

    return _set_by_hand(db, connection, referral_key, resumed, playbook, now)


def _set_by_hand(
    db: Connection,
    connection: OrgConnection,
    referral_key: str,
    wanted: Callable[[Clock, Staff], Turn | None],
    playbook: Playbook,
    now: datetime,
) -> int:
    inbox.lock_lane(db, connection.id)
    known = response_clocks.of_referrals(db, connection.org_id, [referral_key])
    clocks = known.get(referral_key, [])
    people = staff(db, connection, [clock.owner_id for clock in clocks])
    changes = [
        _change(referral_key, item, playbook, people, now)
        for clock in clocks
        if (item := wanted(clock, people)) is not None
    ]
    response_clocks.keep(
        db,
        changes,
        connection_id=connection.id,
        org_id=connection.org_id,
        event_ids={},
        playbook_version=playbook.version,
        now=now,
    )
    return len(changes)


def _one_batch(
    db: Connection,
    connection_id: int,
    *,
    keyring: Keyring,
    playbook_of: Callable[[OrgConnection], Playbook],
    now: datetime,
) -> tuple[int, Counter[str]]:
    """Look at the clocks that are due; how many, and what new follow-ups they bring."""
    inbox.lock_lane(db, connection_id)
    connection = connections.find(db, connection_id)
    due = response_clocks.due(db, connection_id, now=now, limit=AT_ONCE)
    if connection is None or not due:
        return 0, Counter()
    keys = {item.referral_key for item in due}
    known = referrals.load(db, connection.org_id, keys, keyring=keyring)
    gone = _gone(db, connection.org_id, keys, known, keyring)
    response_clocks.cancel(db, connection.org_id, gone, now=now)
    causes = {item.referral_key: item.event_id for item in due}
    planned: Counter[str] = Counter()
    for key in sorted(keys - gone):
        try:
            with db.begin_nested():
                planned += _one_referral(
                    db,
                    connection,
                    known[key],
                    event_id=causes[key],
                    playbook=playbook_of(connection),
                    now=now,
                    keyring=keyring,
                )
        except Exception:  # noqa: BLE001
            # A bug, or a calendar that no longer can be read: its neighbours go on.
            log().exception("clocks.referral_failed", connection=connection_id)
            response_clocks.set_aside(
                db, connection.org_id, key, until=now + _SET_ASIDE
            )
    return len(due), planned


def _gone(
    db: Connection,
    org_id: str,
    keys: Collection[str],
    known: Mapping[str, Referral],
    keyring: Keyring,
) -> set[str]:
    """Referrals that are no more, or are about somebody erased."""
    people = persons.of_referrals(db, org_id, keys, keyring=keyring)
    return {
        key
        for key in keys
        if key not in known or (key in people and people[key].gone.person)
    }


def _one_referral(
    db: Connection,
    connection: OrgConnection,
    referral: Referral,
    *,
    event_id: int,
    playbook: Playbook,
    now: datetime,
    keyring: Keyring,
) -> Counter[str]:
    people = staff(db, connection, [referral.owner_id])
    clocks = response_clocks.of_referrals(db, connection.org_id, [referral.key])
    before = {clock.id: clock for clock in clocks.get(referral.key, ())}
    # Since it was set, the calendar may be another, or the owner's role known.
    turned = {
        item.clock.id: item
        for item in response_clock.turn(
            before.values(), referral, playbook, people, now=now
        )
    }
    planned: list[FollowUp] = []
    changes = []
    for id_ in before.keys() | turned.keys():
        item = turned.get(id_) or Turn(before[id_])
        item = _come(item, people, now)
        new, notes = _brought(item, connection.org_id, referral, playbook, people, now)
        planned += new
        item = replace(item, notes=(*item.notes, *notes))
        if item != Turn(before.get(id_, item.clock)) or _runs(item.clock):
            changes.append(_change(referral.key, item, playbook, people, now))
    response_clocks.keep(
        db,
        changes,
        connection_id=connection.id,
        org_id=connection.org_id,
        event_ids={referral.key: event_id},
        playbook_version=playbook.version,
        now=now,
    )
    return follow_ups.add(
        db,
        [(event_id, referral.key, item) for item in planned],
        connection_id=connection.id,
        org_id=connection.org_id,
        playbook_version=playbook.version,
        record_ids={referral.key: referral.record_id},
        now=now,
        keyring=keyring,
    )


def _runs(clock: Clock) -> bool:
    return clock.state in {State.WAITING, State.PAUSED}


def _come(item: Turn, people: Staff, now: datetime) -> Turn:
    """Let a pause end whose time is over, and the stages come whose time it is."""
    clock, notes = item.clock, item.notes
    if clock.state is State.PAUSED and clock.until is not None and clock.until <= now:
        clock = response_clock.resume(clock, now=now)
        notes = (*notes, Note("resumed", "the pause is over"))
    week = people.calendar.named(clock.team).week
    told = response_clock.tell(clock, week, now=now)
    return Turn(told.clock, notes, told.told)


def _brought(
    item: Turn,
    org_id: str,
    referral: Referral,
    playbook: Playbook,
    people: Staff,
    now: datetime,
) -> tuple[list[FollowUp], list[Note]]:
    """Make the follow-ups of the stages that came; say what was left out, and why."""
    planned: list[FollowUp] = []
    notes: list[Note] = []
    to = people.recipients(referral.owner_id)
    week = people.team(referral.owner_id).week
    for told in item.told:
        if told.passed_over:
            continue
        within, actions = actions_of(item.clock, told.stage, referral, playbook)
        for action in actions:
            held = called_for(action, referral)
            if not held.yes:
                notes.append(Note("left_out", f"{action.name}: {held.why}"))
                continue
            planned.append(
                follow_up(
                    action,
                    org_id,
                    referral,
                    now=now,
                    week=week,
                    to=to,
                    within=within,
                    since=item.clock.started_at,
                )
            )
    return planned, notes


def actions_of(
    clock: Clock, stage: str, referral: Referral, playbook: Playbook
) -> tuple[str, Sequence[Action]]:
    """What the playbook, as it is now, says of a stage, and under which name."""
    if clock.kind is Kind.ACTION:
        later = [
            action
            for action in playbook.actions_for(referral)
            if action.name == clock.name and action.later is not None
        ]
        return "", later
    rule = rule_of(clock, playbook)
    wanted = rule.stages.get(PromiseStage(stage)) if rule else None
    return f"{clock.name}.{stage}", wanted.actions if wanted else ()


def rule_of(clock: Clock, playbook: Playbook) -> ClockRule | None:
    """Find the rule of a response clock; None where the playbook has it no longer."""
    if clock.kind is not Kind.PROMISE:
        return None
    return next((rule for rule in playbook.clocks if rule.name == clock.name), None)


def _met(change: Change, people: Staff, now: datetime) -> Change:
    """Have a clock looked at soon whose owner the org is still to be asked about."""
    owner_id = person(change.clock.owner_id)
    if owner_id is None or owner_id in people.colleagues or not _runs(change.clock):
        return change
    return replace(change, wakes_at=now)


def _change(
    key: str, item: Turn, playbook: Playbook, people: Staff, now: datetime
) -> Change:
    clock = item.clock
    week = people.calendar.named(clock.team).week
    rule = rule_of(clock, playbook)
    promised = None
    if rule is not None and clock.state in {State.WAITING, State.SPENT}:
        promised = response_clock.moment_of(clock, PromiseStage.DUE, week)
    return Change(
        referral_key=key,
        clock=clock,
        wakes_at=response_clock.wakes_at(clock, week, now=now),
        promised_at=promised,
        writes=rule is not None and rule.writes_due,
        notes=item.notes,
        told=item.told,
    )
