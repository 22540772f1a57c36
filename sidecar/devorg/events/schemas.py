"""Avro schemas of events, made from the fields of their objects.

Source: "Get the Event Schema", Pub/Sub API Developer Guide, and "Change Event Message
Structure", Change Data Capture Developer Guide: every field of the record may be null;
dates and times are milliseconds since 1970; the header's field lists are bitmaps.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import fastavro

from sidecar.devorg.schema import NUMBER_TYPES, Field, ObjectType

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

CHANGE = "ChangeEvent"
_HEADER_TEXT = ("entityName", "changeType", "changeOrigin", "transactionKey")
_HEADER_LISTS = ("nulledFields", "diffFields", "changedFields")
_OF_A_NAME = ("Salutation", "FirstName", "LastName")


@dataclass(frozen=True, slots=True)
class EventSchema:
    """A topic's schema now; the id is a fingerprint of the text."""

    id: str
    text: str
    parsed: Any

    def encode(self, payload: Mapping[str, object]) -> bytes:
        """Give the payload in Avro's binary form, without a container."""
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self.parsed, payload)
        return out.getvalue()

    def decode(self, data: bytes) -> dict[str, object]:
        """
        Read what a client publishes.

        Raises:
            ValueError: it is not of this schema.
        """
        try:
            read = fastavro.schemaless_reader(io.BytesIO(data), self.parsed, None)
        except Exception as exc:
            raise ValueError(f"the payload is not of schema {self.id}: {exc}") from exc
        if not isinstance(read, dict):
            raise ValueError("the payload is no record")
        return read


def of_platform_event(type_: ObjectType) -> EventSchema:
    """Give the schema of a platform event's fields as they are now."""
    fields: list[dict[str, object]] = [
        {"name": "CreatedDate", "type": "long", "doc": "CreatedDate:DateTime"},
        {"name": "CreatedById", "type": "string", "doc": "CreatedBy:EntityId"},
    ]
    fields += [_nullable(each) for each in _own(type_)]
    return _schema(type_.name, fields)


def of_change_event(org: Org, topic: str) -> EventSchema | None:
    """Give the schema of ``LeadChangeEvent``; None for an object that is not there."""
    type_ = changed_type(org, topic)
    return None if type_ is None else _schema(topic, change_fields(type_))


def changed_type(org: Org, topic: str) -> ObjectType | None:
    """Find the object of a change event: ``LeadChangeEvent``, ``X__ChangeEvent``."""
    stem = topic.removesuffix(CHANGE)
    return org.schema.get(f"{stem}c" if stem.endswith("__") else stem)


def change_fields(type_: ObjectType) -> list[dict[str, object]]:
    """List a change event's fields: bit i of a bitmap is the i-th of them."""
    fields: list[dict[str, object]] = [
        {"name": "ChangeEventHeader", "type": _header(type_.name)}
    ]
    parts = {name.lower() for name in _OF_A_NAME}
    person = "lastname" in type_.fields
    if person:
        fields.append({"name": "Name", "type": ["null", _person_name()]})
    hidden = {"id", "isdeleted", "systemmodstamp", *(parts if person else ())}
    hidden |= {"name"} if person else set()
    fields += [
        _nullable(each)
        for each in type_.fields.values()
        if each.key not in hidden and each.compute is None
    ]
    return fields


def value(field: Field, given: object) -> object:
    """Turn a kept value into what Avro carries."""
    match given:
        case None:
            return None
        case datetime():
            return int(given.timestamp() * 1000)
        case date():
            midnight = datetime(given.year, given.month, given.day, tzinfo=UTC)
            return int(midnight.timestamp() * 1000)
        case Decimal():
            return int(given) if field.type == "int" else float(given)
        case _:
            return given


def _own(type_: ObjectType) -> list[Field]:
    return [each for each in type_.fields.values() if each.custom]


def _nullable(field: Field) -> dict[str, object]:
    if field.type == "boolean":
        kind = "boolean"
    elif field.type == "int":
        kind = "int"
    elif field.type in NUMBER_TYPES:
        kind = "double"
    else:
        kind = "long" if field.type in {"date", "datetime"} else "string"
    return {"name": field.name, "type": ["null", kind], "default": None}


def _person_name() -> dict[str, object]:
    fields = [
        {"name": each, "type": ["null", "string"], "default": None}
        for each in _OF_A_NAME
    ]
    return {"type": "record", "name": "Switchable_PersonName", "fields": fields}


def _header(entity: str) -> dict[str, object]:
    kinds = [
        *("CREATE", "UPDATE", "DELETE", "UNDELETE", "SNAPSHOT"),
        *("GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW"),
    ]
    fields: list[dict[str, object]] = [
        {"name": "entityName", "type": "string"},
        {"name": "recordIds", "type": {"type": "array", "items": "string"}},
        {
            "name": "changeType",
            "type": {"type": "enum", "name": "ChangeType", "symbols": kinds},
        },
        {"name": "changeOrigin", "type": "string"},
        {"name": "transactionKey", "type": "string"},
        {"name": "sequenceNumber", "type": "int"},
        {"name": "commitTimestamp", "type": "long"},
        {"name": "commitNumber", "type": "long"},
        {"name": "commitUser", "type": "string"},
    ]
    fields += [
        {"name": each, "type": {"type": "array", "items": "string"}}
        for each in _HEADER_LISTS
    ]
    return {
        "type": "record",
        "name": "ChangeEventHeader",
        "doc": entity,
        "fields": fields,
    }


def _schema(name: str, fields: list[dict[str, object]]) -> EventSchema:
    declared = {
        "type": "record",
        "name": name,
        "namespace": "com.sforce.eventbus",
        "fields": fields,
    }
    text = json.dumps(declared)
    digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    fingerprint = digest.hex()[:22]
    return EventSchema(fingerprint, text, fastavro.parse_schema(declared))
