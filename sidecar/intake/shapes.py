"""Whatever an event comes wrapped in, the same event.

CometD, Pub/Sub, EventBridge, the package's signed message, a webhook's ``data``, a
record that a Flow posts: each is opened until a payload is left that says what it is.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sidecar.errors import Unreadable
from sidecar.intake import schemas
from sidecar.intake.org_events import HEADER, STATUS_CHANGE

_LAYERS = 4
"""As deep as wrappings are opened: a webhook around EventBridge has three."""

_RELAY = re.compile(r"aws\.partner/salesforce\.com/(00D[A-Za-z0-9]{12,15})/")
_OF_A_STATUS_CHANGE = frozenset({"Record_Id__c", "Object__c", "New_Status__c"})
_BITMAP = re.compile(r"(?:\d+-)?0x[0-9A-Fa-f]*\Z")


class Told(NamedTuple):
    """
    One event out of its wrapping.

    Attributes:
        name: of the event, as its channel has it; of a record its object.
        event_id: Salesforce's, else that of the service between; empty without one.
        values: the payload; a change event's header is complete.
        org_id: which the wrapping names; empty where it names none.
        wrapping: what was around it.
        record: whether it is a record and no event.
        problem: why nobody can work with it; empty when it is fine.
    """

    name: str
    event_id: str
    values: Mapping[str, Any]
    org_id: str = ""
    wrapping: Mapping[str, Any] = {}
    record: bool = False
    problem: str = ""


def read(document: Any) -> list[Told]:
    """
    Open a document.

    Raises:
        Unreadable: it is no event in any wrapping that we know, or a wrapping lacks
            what makes it one. Of several events, one that makes no sense does not
            raise: it comes back with its ``problem``.
    """
    if isinstance(document, list):
        if not 1 <= len(document) <= schemas.EVENTS_TAKEN:
            raise Unreadable(
                f"a list of {len(document)} events; 1 to {schemas.EVENTS_TAKEN} are "
                "taken"
            )
        return [told for item in document for told in _one_of_many(item, 1)]
    return _open(document, 0)


def _open(document: Any, layer: int) -> list[Told]:
    if not isinstance(document, dict):
        raise Unreadable("an event is a JSON object")
    if layer >= _LAYERS:
        raise Unreadable(f"an event is wrapped more than {_LAYERS} times")
    for fits, unwrap in _SHAPES:
        if fits(document):
            return unwrap(document, layer)
    raise Unreadable("it is no event in any wrapping that is known here")


def _one_of_many(document: Any, layer: int) -> list[Told]:
    try:
        return _open(document, layer)
    except Unreadable as exc:
        values = document if isinstance(document, dict) else {"value": document}
        return [Told("", _uuid(values), values, problem=str(exc))]


def _signed_message(document: dict[str, Any], layer: int) -> list[Told]:
    loaded = schemas.load(schemas.SignedMessage(), document)
    events = loaded.pop("events")
    org_id = loaded["OrganizationId"]
    return [
        told._replace(org_id=org_id, wrapping={**loaded, **told.wrapping})
        for event in events
        for told in _one_of_many(event, layer + 1)
    ]


def _event_bridge(document: dict[str, Any], _layer: int) -> list[Told]:
    loaded = schemas.load(schemas.EventBridge(), document)
    detail = loaded.pop("detail")
    values = detail.pop("payload")
    event_id = _uuid(detail) or _uuid(values) or loaded["id"]
    relay = _RELAY.match(loaded["source"])
    wrapping = {**loaded, "detail": detail}
    name = loaded["detail_type"]
    return [_payload(name, event_id, values, wrapping, relay[1] if relay else "")]


def _comet_d(document: dict[str, Any], _layer: int) -> list[Told]:
    loaded = schemas.load(schemas.CometD(), document)
    data = loaded.pop("data")
    values = data.pop("payload", None)
    name = loaded["channel"].rpartition("/")[2]
    event_id = _uuid(data["event"])
    wrapping = {**loaded, "data": data}
    if isinstance(values, dict):
        return [_payload(name, event_id, values, wrapping)]
    if isinstance(data.get("sobject"), dict):
        why = "a PushTopic does not say of which object its record is"
        return [Told(name, event_id, data.pop("sobject"), "", wrapping, problem=why)]
    why = "a generic streaming event names no record"
    return [Told(name, event_id, {"payload": values}, "", wrapping, problem=why)]


def _pub_sub(document: dict[str, Any], _layer: int) -> list[Told]:
    # As the proto has it, or as its clients flatten it.
    inner = document.get("event")
    flat = {**document, **inner} if isinstance(inner, dict) else dict(document)
    flat.pop("event", None)
    if not isinstance(flat.get("payload"), dict):
        raise Unreadable("PubSub: the payload is not decoded; it is Avro by schema id")
    loaded = schemas.load(schemas.PubSub(), flat)
    values = loaded.pop("payload")
    event_id = loaded.get("id") or _uuid(values)
    return [_payload(str(loaded.get("topic_name") or ""), event_id, values, loaded)]


def _webhook(document: dict[str, Any], layer: int) -> list[Told]:
    data = document["data"]
    wrapping = {name: value for name, value in document.items() if name != "data"}
    inside = (
        [told for item in data for told in _one_of_many(item, layer + 1)]
        if isinstance(data, list)
        else _open(data, layer + 1)
    )
    return [told._replace(wrapping={**wrapping, **told.wrapping}) for told in inside]


def _records(document: dict[str, Any], _layer: int) -> list[Told]:
    given = dict(document)
    if isinstance(given.get("record"), dict):
        given["data"] = [given.pop("record")]
    elif isinstance(given.get("data"), dict):
        given["data"] = [given["data"]]
    loaded = schemas.load(schemas.Records(), given)
    records = loaded.pop("data")
    name = loaded["object"]
    return [Told(name, "", item, "", loaded, record=True) for item in records]


def _trigger_context(document: dict[str, Any], _layer: int) -> list[Told]:
    """Records as Apex writes them: ``{"New": {"attributes": {"type": ...}, ...}}``."""
    new = document["New"]
    wrapping = {name: value for name, value in document.items() if name != "New"}
    wrong = "New holds something else than records"
    return [
        Told(item["attributes"]["type"], "", item, "", wrapping, record=True)
        if isinstance(item, dict) and _is_record(item)
        else Told("", "", {"New": item}, "", wrapping, problem=wrong)
        for item in (new if isinstance(new, list) else [new])
    ]


def _record(document: dict[str, Any], _layer: int) -> list[Told]:
    return [Told(document["attributes"]["type"], "", document, record=True)]


def _bare(document: dict[str, Any], _layer: int) -> list[Told]:
    return [_payload("", _uuid(document), document, {})]


def _payload(
    name: str,
    event_id: str,
    values: Mapping[str, Any],
    wrapping: Mapping[str, Any],
    org_id: str = "",
) -> Told:
    event_id = event_id or _uuid(values)
    if HEADER in values:
        header = schemas.load(schemas.ChangeEventHeader(), values[HEADER])
        complete = {**values, HEADER: _with_names(header, values)}
        name = name or _change_event(header["entityName"])
        event_id = event_id or _in_transaction(header)
        return Told(name, event_id, complete, org_id, wrapping)
    if values.keys() >= _OF_A_STATUS_CHANGE:
        name = STATUS_CHANGE
    return Told(name, event_id, values, org_id, wrapping)


def _with_names(header: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """
    Complete the list of changed fields, where it is missing or a bitmap.

    A bitmap counts by a schema that JSON does not bring along. What stands in the
    payload is then taken as changed: the record is read back anyway.
    """
    listed = header.get("changedFields")
    if listed and not any(_BITMAP.match(name) for name in listed):
        return header
    return {**header, "changedFields": [name for name in values if name != HEADER]}


def _change_event(entity: str) -> str:
    if entity.endswith("__c"):
        return f"{entity.removesuffix('c')}ChangeEvent"
    return f"{entity}ChangeEvent"


def _in_transaction(header: Mapping[str, Any]) -> str:
    """Name a change event that has no id: transaction and place within it."""
    key, place = header.get("transactionKey"), header.get("sequenceNumber")
    return f"{key}:{place}" if key and place is not None else ""


def _uuid(values: Mapping[str, Any]) -> str:
    found = values.get("EventUuid")
    return found if isinstance(found, str) and len(found) <= 255 else ""


def _is_record(document: Mapping[str, Any]) -> bool:
    attributes = document.get("attributes")
    named = isinstance(attributes, dict) and isinstance(attributes.get("type"), str)
    return named and isinstance(document.get("Id"), str)


def _is_bare(document: Mapping[str, Any]) -> bool:
    return HEADER in document or document.keys() >= _OF_A_STATUS_CHANGE


def _is_event_bridge(document: Mapping[str, Any]) -> bool:
    return "detail" in document and "detail-type" in document


def _is_comet_d(document: Mapping[str, Any]) -> bool:
    return "channel" in document and "data" in document


def _is_signed_message(document: Mapping[str, Any]) -> bool:
    return "OrganizationId" in document and "events" in document


def _is_pub_sub(document: Mapping[str, Any]) -> bool:
    event = document.get("event")
    if isinstance(event, dict) and "payload" in event:
        return True
    ids = ("id", "replayId", "replay_id")
    return "payload" in document and not document.keys().isdisjoint(ids)


def _are_records(document: Mapping[str, Any]) -> bool:
    named = isinstance(document.get("object"), str)
    return named and ("data" in document or "record" in document)


def _is_trigger_context(document: Mapping[str, Any]) -> bool:
    return "New" in document


def _is_webhook(document: Mapping[str, Any]) -> bool:
    return isinstance(document.get("type"), str) and "data" in document


_Shape = tuple[
    Callable[[Mapping[str, Any]], bool], Callable[[dict[str, Any], int], list[Told]]
]
# The first that fits; the more particular ones stand first.
_SHAPES: tuple[_Shape, ...] = (
    (_is_bare, _bare),
    (_is_event_bridge, _event_bridge),
    (_is_comet_d, _comet_d),
    (_is_signed_message, _signed_message),
    (_is_pub_sub, _pub_sub),
    (_are_records, _records),
    (_is_trigger_context, _trigger_context),
    (_is_record, _record),
    (_is_webhook, _webhook),
)
