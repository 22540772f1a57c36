"""What an org's events say, whatever carried them here: rows for the inbox.

A platform event or a change event tells that a record changed; the record itself is
read back before anything is decided. That is one call for 200 records, and it cannot
be wrong: events carry neither a record's name nor, in a gap, any value at all.

Source: "Change Event Header Fields" and "Gap Events", Change Data Capture Developer
Guide; the fields of ``Referral_Status_Change__e`` are those of module
``signed_events``.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sidecar.salesforce.ids import is_id, to_18
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Arrival

PLATFORM_EVENT, CHANGE_EVENT = "platform_event", "change_event"
STATUS_CHANGE = "Referral_Status_Change__e"
HEADER = "ChangeEventHeader"

STATUS, KEY = "Referral_Status__c", "Referral_Key__c"
_TELLING = frozenset({STATUS, KEY, "OwnerId"})
"""A change of any other field means nothing to a referral's journey."""

# What the database takes in an id and people can read in a list.
_NAME = re.compile(r"[ -~]{1,200}\Z")


def named(text: str | None) -> str | None:
    """Give a name or an id that may be kept as one; None for anything else."""
    return text if text and _NAME.match(text) else None


def arrivals(
    name: str,
    event_id: str,
    values: Mapping[str, Any],
    connection: OrgConnection,
    at: datetime,
) -> list[Arrival]:
    """
    List what the inbox is to keep of one event; nothing where it tells nothing.

    Args:
        name: of the event, as ``Referral_Status_Change__e`` or ``LeadChangeEvent``.
        event_id: its EventUuid, the same however often it comes.
        values: by field; a change event's lists of fields are names.
    """
    header = values.get(HEADER)
    told = (
        _changed(header, values)
        if isinstance(header, Mapping)
        else _announced(name, values)
    )
    source = CHANGE_EVENT if isinstance(header, Mapping) else PLATFORM_EVENT
    found = list(told)
    return [
        Arrival(
            connection_id=connection.id,
            org_id=connection.org_id,
            source=source,
            # One event may be about several records.
            notification_id=event_id if place == 0 else f"{event_id}:{place}",
            action_id=name,
            object_type=named(object_type),
            record_id=to_18(record_id) if is_id(record_id) else None,
            content={"fields": fields},
            received_at=at,
            error=error,
        )
        for place, (object_type, record_id, fields, error) in enumerate(found)
    ]


def unreadable(
    name: str, event_id: str, connection: OrgConnection, at: datetime
) -> Arrival:
    """Give the row of an event that nobody could read, for whoever asks for it."""
    return Arrival(
        connection_id=connection.id,
        org_id=connection.org_id,
        source=CHANGE_EVENT if name.endswith("ChangeEvent") else PLATFORM_EVENT,
        notification_id=event_id,
        action_id=name,
        object_type=None,
        record_id=None,
        content={"fields": {}},
        received_at=at,
    )


_Told = tuple[str, str, dict[str, object], str]  # object, record, fields, error


def _announced(name: str, values: Mapping[str, Any]) -> Iterator[_Told]:
    if name != STATUS_CHANGE:
        yield name, "", dict(values), ""
        return
    object_type, record_id = _text(values, "Object__c"), _text(values, "Record_Id__c")
    # No time: the record is read back.
    fields: dict[str, object] = {
        "Id": record_id,
        STATUS: values.get("New_Status__c"),
        KEY: values.get("Referral_Key__c"),
        "OwnerId": values.get("Owner_Id__c"),
        "event": dict(values),
    }
    wrong = "" if object_type and is_id(record_id) else f"{name} names no record"
    yield object_type or name, record_id, fields, wrong


def _changed(header: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[_Told]:
    entity, kind = _text(header, "entityName"), _text(header, "changeType")
    if kind == "GAP_OVERFLOW":
        much = f"too many changes of {named(entity)} at once"
        remedy = f"{much}: `sidecar reconcile` finds them"
        yield entity, "", {"event": dict(header)}, remedy
        return
    if not _tells(kind, header, values):
        return
    for record_id in header.get("recordIds") or ():
        yield entity, str(record_id), {"Id": str(record_id), "event": dict(header)}, ""


def _tells(kind: str, header: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether a change may concern a referral's journey."""
    if kind.startswith("GAP_") or kind == "UNDELETE":
        return True
    if kind == "CREATE":
        return bool(values.get(STATUS))
    return kind == "UPDATE" and not _TELLING.isdisjoint(header["changedFields"] or ())


def _text(values: Mapping[str, Any], name: str) -> str:
    return str(values.get(name) or "").strip()
