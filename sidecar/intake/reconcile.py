"""The org's own records as a source: what they show, and what of it nobody told.

A record shows more than its present status. Where the org tracks the field, its history
lists each change. Where it does not, the package's flows have stamped when each
milestone was first reached. Both come with the record and cost no call of their own.

Source: flows ``Referral_*_Milestones`` of module ``core``; "Tracking Field History",
Salesforce Help: the first value is not in it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sidecar.intake.org_events import KEY, STATUS
from sidecar.referral.journey import STATIONS, Referral
from sidecar.salesforce.ids import to_18
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Arrival
from sidecar.store.reached import RECONCILE, Known

SOURCE = RECONCILE

SETTLED = timedelta(minutes=5)
"""What is younger may still be on its way to us: the next run looks at it."""

LAG = timedelta(minutes=5)
"""So long a change may be in finding by its time: an index is brought up to date late,
and two clocks are never quite the same."""

OVERLAP = SETTLED + LAG
"""So much of the time that one run has read is read by the next once more."""

# Status -> what stamps it, in the order of a referral's life.
_STAMPS = {
    "Submitted": "Referral_Submitted_At__c",
    "Contacted": "Referral_Contacted_At__c",
    "Qualified": "Referral_Qualified_At__c",
    "Opportunity": "Referral_Opportunity_At__c",
    "Won": "Referral_Won_At__c",
    "Lost": "Referral_Lost_At__c",
}
_FIRST = _STAMPS["Submitted"]
FIELDS = ("IsDeleted", "CreatedDate", *_STAMPS.values())
"""What is read beside the fields that tell of a referral's people."""
_NOT_TOLD = {*FIELDS, "attributes", "Histories"}


@dataclass(frozen=True)
class State:
    """
    A status that a record shows: when it was first reached, and by what.

    ``shown_by`` is ``history``, ``stamp`` or ``record``.
    """

    status: str
    at: datetime
    shown_by: str


@dataclass(frozen=True)
class Compared:
    """
    What a record shows beside what is known.

    Attributes:
        expected: what it has reached in the time that is looked at.
        missing: those of them that nobody has told, in their order.
        differs: its present status is known, and yet not what the referral is at.
        newer: the rest of it may be brought up to date, without any consequence.
    """

    expected: tuple[State, ...] = ()
    missing: tuple[State, ...] = ()
    differs: bool = False
    newer: bool = False


def key_of(record: Mapping[str, Any]) -> str:
    """Give the referral key of a record; until it is stamped, the record's own id."""
    return str(record.get(KEY) or to_18(str(record["Id"])))


def states(record: Mapping[str, Any], statuses: Collection[str]) -> list[State]:
    """
    List the statuses that a record has been at, in the order of their first time.

    Args:
        record: as REST gives it, with its ``Histories`` where there are any.
        statuses: those that mean something to the org's connection.
    """
    found: dict[str, State] = {}
    for state in (*_tracked(record), *_stamped(record)):
        found.setdefault(state.status, state)
    return sorted(
        (state for state in found.values() if state.status in statuses),
        key=lambda state: state.at,
    )


def compare(
    record: Mapping[str, Any],
    object_type: str,
    *,
    statuses: Collection[str],
    referral: Referral | None,
    known: Mapping[str, Known],
    covers_from: datetime,
    until: datetime,
) -> Compared:
    """
    Compare a record with what is known of its referral.

    Args:
        referral: as last known; None where it is not.
        known: what is known of its statuses.
        covers_from: what was reached before then was never ours to tell.
        until: what is younger is left to the next run.
    """
    stamp = moment(record, "SystemModstamp") or until
    status = str(record.get(STATUS) or "")
    shown = states(record, statuses)
    if status and status not in {state.status for state in shown}:
        at = _reached_by(record, status, referral, covers_from, stamp)
        shown += [State(status, at, "record")] if at else []
    if _left_behind(object_type, referral):
        created = moment(record, "CreatedDate") or covers_from
        shown = [each for each in shown if each.at <= created]
    expected = tuple(each for each in shown if covers_from <= each.at < until)
    missing = tuple(
        each
        for each in expected
        if not (told := known.get(each.status)) or not (told.heard or told.sought)
    )
    ahead = _ahead(record, object_type, referral, stamp)
    told = known.get(status)
    on_its_way = status in {each.status for each in missing} or (
        told is not None and told.sought
    )
    young = any(each.status == status and each.at >= until for each in shown)
    differs = referral is not None and (referral.status or "") != status
    return Compared(
        expected=expected,
        missing=missing,
        differs=ahead and differs and not on_its_way and not young and stamp < until,
        newer=ahead and not differs and not on_its_way and not young,
    )


def arrival(
    record: Mapping[str, Any],
    object_type: str,
    state: State | None,
    connection: OrgConnection,
    at: datetime,
) -> Arrival:
    """
    Make the event that nobody sent.

    Args:
        state: what the record was at; None for what it is at, where that is known
            and yet differs.
    """
    record_id = to_18(str(record["Id"]))
    status = record.get(STATUS)
    stamp = str(record.get("SystemModstamp") or "")
    present = state is None or state.status == status
    fields = {
        name: None if value is None else str(value)
        for name, value in record.items()
        if name not in _NOT_TOLD
    }
    if state is not None and not present:
        fields |= {STATUS: state.status, "SystemModstamp": state.at.isoformat()}
    mark = f"{record_id}:{state.status}" if state else f"{record_id}:{status}@{stamp}"
    return Arrival(
        connection_id=connection.id,
        org_id=connection.org_id,
        source=SOURCE,
        notification_id=mark,
        action_id="",
        object_type=object_type,
        record_id=record_id,
        content={
            "fields": {
                **fields,
                "recovered": {
                    "present": present,
                    "shown_by": state.shown_by if state else "record",
                    "reached_at": state.at.isoformat() if state else stamp,
                },
            }
        },
        received_at=at,
    )


def present(fields: Mapping[str, Any]) -> bool:
    """Tell of a recovered event whether it carries the record as the org has it."""
    recovered = fields.get("recovered")
    return isinstance(recovered, Mapping) and bool(recovered.get("present"))


def moment(record: Mapping[str, Any], name: str) -> datetime | None:
    """Read a time of a record; None where there is none, or nobody can read it."""
    try:
        return datetime.fromisoformat(str(record.get(name) or "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _tracked(record: Mapping[str, Any]) -> list[State]:
    """The changes that the org has tracked, and the first value before them."""
    rows = [
        (at, each)
        for each in (record.get("Histories") or {}).get("records") or ()
        if (at := moment(each, "CreatedDate"))
    ]
    rows.sort(key=lambda row: row[0])
    first = rows[0][1].get("OldValue") if rows else None
    stamp = _STAMPS.get(str(first), _FIRST)
    began = moment(record, stamp) or moment(record, "CreatedDate")
    values = [(first, began), *((each.get("NewValue"), at) for at, each in rows)]
    return [State(str(value), at, "history") for value, at in values if value and at]


def _stamped(record: Mapping[str, Any]) -> list[State]:
    """
    What the package's flows have stamped.

    The first status, whichever it is, is stamped as submitted, too: of two stamps of
    one moment, the later in a referral's life is the one that was reached.
    """
    times = [
        State(status, at, "stamp")
        for status, name in _STAMPS.items()
        if (at := moment(record, name)) is not None
    ]
    return [
        state
        for place, state in enumerate(times)
        if state.at not in {later.at for later in times[place + 1 :]}
    ]


def _left_behind(object_type: str, referral: Referral | None) -> bool:
    """
    Whether a referral goes on elsewhere, while its record may change for itself.

    Conversion dates what it copies before the contact that it makes: that much is the
    referral's. A converted lead changes no more.
    """
    return (
        referral is not None
        and object_type != "Lead"
        and STATIONS[object_type] < STATIONS.get(referral.object_type, 0)
    )


def _reached_by(
    record: Mapping[str, Any],
    status: str,
    referral: Referral | None,
    covers_from: datetime,
    stamp: datetime,
) -> datetime | None:
    """
    Say by when a record reached a status that nothing dates; None: long ago, or known.
    """
    if referral is not None:
        return None if (referral.status or "") == status else stamp
    began = moment(record, _FIRST) or moment(record, "CreatedDate")
    return stamp if began is not None and began >= covers_from else None


def _ahead(
    record: Mapping[str, Any],
    object_type: str,
    referral: Referral | None,
    stamp: datetime,
) -> bool:
    """Whether the record may speak for its referral, and is not older than it."""
    if referral is None:
        return bool(record.get(STATUS))
    here, there = STATIONS[object_type], STATIONS.get(referral.object_type, 0)
    return here > there or (here == there and stamp >= referral.changed_at)
