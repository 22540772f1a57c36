"""From events, whatever they came in, to what the inbox keeps."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sidecar.intake import org_events, own_writes
from sidecar.intake.arrivals import masked
from sidecar.intake.shapes import Told
from sidecar.salesforce.ids import is_id, to_18
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Arrival

CALLOUT = "callout"
"""The source of a record that a Flow or Apex posts: no event was published."""

_UNTOLD = "ignored: nothing of a referral changed"
_NOT_OURS = "ignored: no event about a referral"
# With one of these, two events of the same content are one.
_TIMES = frozenset(
    {"Changed_At__c", "CreatedDate", "LastModifiedDate", "SystemModstamp"}
)


def of(
    told: Told, connection: OrgConnection, at: datetime, *, message_id: str = ""
) -> list[Arrival]:
    """
    List what the inbox is to keep of one event: a row for each record, one at least.

    Args:
        message_id: the sender's own, and the event's place in the message; it stands
            in where the event has no id.
    """
    values = masked("", dict(told.values))
    told = told._replace(
        name=org_events.named(told.name) or "",
        event_id=_id(told, message_id),
        values=values,
    )
    wrapping = masked("", dict(told.wrapping))
    ours = own_writes.ours(values, connection.integration_user_id)
    found = [
        arrival._replace(
            content={**arrival.content, "payload": values, "wrapping": wrapping},
            object_type=org_events.named(arrival.object_type),
        )
        for arrival in _rows(told, connection, at)
    ]
    return [own_writes.put_aside(each) for each in found] if ours else found


def _rows(told: Told, connection: OrgConnection, at: datetime) -> list[Arrival]:
    if told.problem:
        unread = org_events.unreadable(told.name, told.event_id, connection, at)
        return [unread._replace(error=told.problem)]
    if told.record:
        return [_record(told, connection, at)]
    found = org_events.arrivals(told.name, told.event_id, told.values, connection, at)
    if told.name != org_events.STATUS_CHANGE and org_events.HEADER not in told.values:
        return [arrival._replace(outcome=_NOT_OURS) for arrival in found]
    return found or list(_untold(told, connection, at))


def _record(told: Told, connection: OrgConnection, at: datetime) -> Arrival:
    """Only what names it: it is read back, as an event's record is."""
    record_id = str(told.values.get("Id") or "").strip()
    known = is_id(record_id)
    return Arrival(
        connection_id=connection.id,
        org_id=connection.org_id,
        source=CALLOUT,
        notification_id=told.event_id,
        action_id=told.name,
        object_type=told.name,
        record_id=to_18(record_id) if known else None,
        content={"fields": {"Id": to_18(record_id)}},
        received_at=at,
        error="" if known else "the record has no Id, or one that is none",
    )


def _untold(told: Told, connection: OrgConnection, at: datetime) -> Iterator[Arrival]:
    """Rows of a change event that says nothing of a referral: it came, no more."""
    header: Mapping[str, Any] = told.values.get(org_events.HEADER) or {}
    blank = org_events.unreadable(told.name, told.event_id, connection, at)
    entity = str(header.get("entityName") or "") or None
    for place, record_id in enumerate(header.get("recordIds") or [""]):
        yield blank._replace(
            source=org_events.CHANGE_EVENT,
            notification_id=told.event_id if not place else f"{told.event_id}:{place}",
            object_type=entity,
            record_id=to_18(record_id) if is_id(record_id) else None,
            outcome=_UNTOLD,
        )


def _id(told: Told, message_id: str) -> str:
    """
    Name the event: Salesforce's id, the sender's, else its content.

    Without any time in it, the same content may well be news: it gets a name of its
    own, and what it leads to happens once all the same.
    """
    if own := org_events.named(told.event_id):
        return own
    if message_id:
        return message_id
    if _TIMES.isdisjoint(told.values):
        return f"request:{uuid4()}"
    content = json.dumps([told.name, told.values], sort_keys=True)
    return "content:" + hashlib.sha256(content.encode()).hexdigest()
