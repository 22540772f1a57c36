"""From saves to events: platform events announced, changes captured.

Source: "Publish Behavior", Platform Events Developer Guide; "Change Event Header
Fields", Change Data Capture Developer Guide: a list of fields is a bitmap in
hexadecimal, bit i (from the right) for the i-th field of the schema, and ``n-0x..`` for
the parts of the n-th field.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from flask import has_request_context, request

from sidecar.devorg.events import schemas
from sidecar.devorg.records import Save
from sidecar.devorg.schema import ObjectType, Row

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

EVENT = "__e"
_OPTIONS = "Sforce-Call-Options"
# Real ones do not fit into a double: whoever reads JSON numbers as such rounds them.
_COMMIT = itertools.count(1_745_500_706_683_617_281)


def announce(save: Save) -> None:
    """After a save: a platform event is published, a captured object's change too."""
    type_, org = save.type, save.org
    if type_.name.endswith(EVENT):
        _platform_event(org, type_, save)
    elif type_.name in org.events.captured:
        payload = change(org, type_, save.before, save.after, save.access.user_id)
        topic = topic_of(type_)
        org.journal.on_commit(lambda: _publish(org, topic, payload))


def announce_deleted(org: Org, type_: ObjectType, row: Row, user_id: str) -> None:
    """After a delete: a captured object's change event, without values."""
    if type_.name in org.events.captured:
        payload = change(org, type_, row, None, user_id)
        org.journal.on_commit(lambda: _publish(org, topic_of(type_), payload))


def topic_of(type_: ObjectType) -> str:
    """Name the change event of an object: ``LeadChangeEvent``, ``X__ChangeEvent``."""
    stem = type_.name.removesuffix("c") if type_.custom else type_.name
    return f"{stem}{schemas.CHANGE}"


def change(
    org: Org, type_: ObjectType, before: Row | None, after: Row | None, user_id: str
) -> dict[str, object]:
    """Give the payload of a record's change event, as Avro takes it."""
    old, new = before or {}, after or {}
    fields = schemas.change_fields(type_)[1:]
    values: dict[str, object] = {}
    changed: list[str] = []
    nulled: list[str] = []
    for place, field in enumerate(fields, start=1):
        name = str(field["name"])
        if name == "Name" and isinstance(_kind(field), dict):
            part = _name_parts(type_, _kind(field), old, new, before is None)
            values[name], bits = part
            changed += [f"{place}-{bits}"] if bits else []
            continue
        differs = old.get(name) != new.get(name)
        told = after is not None and (before is None or differs)
        values[name] = _value(type_, name, new) if told else None
        if before is not None and after is not None and differs:
            changed.append(name)
            nulled += [name] if new.get(name) is None else []
    record_id = str((after or before or {})["Id"])
    kind = "CREATE" if before is None else "DELETE" if after is None else "UPDATE"
    names = ["ChangeEventHeader", *(str(field["name"]) for field in fields)]
    values["ChangeEventHeader"] = {
        "entityName": type_.name,
        "recordIds": [record_id],
        "changeType": kind,
        "changeOrigin": _origin(),
        "transactionKey": f"{next(_COMMIT):016x}",
        "sequenceNumber": 1,
        "commitTimestamp": int(org.clock.now().timestamp() * 1000),
        "commitNumber": next(_COMMIT),
        "commitUser": user_id,
        "nulledFields": _bitmap(names, nulled),
        "diffFields": [],
        "changedFields": _bitmap(names, changed),
    }
    return values


def _origin() -> str:
    """Name the API that made a change, and the client where its call names one."""
    options = request.headers.get(_OPTIONS, "") if has_request_context() else ""
    given = [part.strip().partition("=") for part in options.split(",")]
    client = next((value for name, _, value in given if name == "client"), "")
    return "com/salesforce/api/rest/62.0" + (f";client={client}" if client else "")


def _platform_event(org: Org, type_: ObjectType, save: Save) -> None:
    payload: dict[str, object] = {
        "CreatedDate": int(org.clock.now().timestamp() * 1000),
        "CreatedById": save.access.user_id,
    }
    for field in type_.fields.values():
        if field.custom:
            payload[field.name] = schemas.value(field, save.after.get(field.name))
    # Events are announced, never kept.
    org.records.table(type_.name).delete(save.id)
    if org.events.immediate(type_.name):
        _publish(org, type_.name, payload)
    else:
        org.journal.on_commit(lambda: _publish(org, type_.name, payload))


def _publish(org: Org, topic: str, payload: Mapping[str, object]) -> None:
    org.events.bus.publish(topic, payload)


def _value(type_: ObjectType, name: str, row: Row) -> object:
    field = type_.field(name)
    return None if field is None else schemas.value(field, row.get(name))


def _kind(field: Mapping[str, object]) -> Any:
    kind = field["type"]
    return kind[1] if isinstance(kind, list) else kind


def _name_parts(
    type_: ObjectType, record: Mapping[str, Any], old: Row, new: Row, created: bool
) -> tuple[dict[str, object] | None, str]:
    """Give the compound name's value, and the bitmap of its changed parts."""
    names = [str(each["name"]) for each in record["fields"]]
    differing = [name for name in names if old.get(name) != new.get(name)]
    if not new or not differing:
        return None, ""
    told = names if created else differing
    value = {name: _value(type_, name, new) if name in told else None for name in names}
    return value, "" if created else _bits(names, differing)


def _bitmap(names: list[str], listed: Iterable[str]) -> list[str]:
    nested = [each for each in listed if "-0x" in each]
    whole = [each for each in listed if "-0x" not in each]
    return ([_bits(names, whole)] if whole else []) + nested


def _bits(names: list[str], listed: Iterable[str]) -> str:
    return f"0x{sum(1 << names.index(name) for name in listed):X}"
