"""What a save must satisfy: required fields, lengths, choices, references, keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sidecar.devorg.ids import full_id
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.schema import Field, ObjectType, Row

if TYPE_CHECKING:
    from sidecar.devorg.records import Records

_EMAIL = re.compile(r"[^@\s<>,;\"()\[\]\\]+@[^@\s<>,;\"()\[\]\\.]+(\.[^@\s.,;<>]+)+$")


def check(
    records: Records, type_: ObjectType, before: Row | None, after: Row, record_id: str
) -> None:
    """
    Look at what this save changes.

    Raises:
        Refusal: the first thing wrong, in Salesforce's words.
    """
    _required(type_, after)
    for field in type_.fields.values():
        value = after.get(field.name)
        if value is None or (before is not None and before.get(field.name) == value):
            continue
        if isinstance(value, str):
            _text(field, value)
        if field.type == "reference":
            _reference(records, type_, field, str(value))
        if field.unique:
            _unique(records, type_, field, value, record_id)


def _required(type_: ObjectType, after: Row) -> None:
    missing = [
        field.name
        for field in type_.fields.values()
        if not field.nillable
        and field.createable
        and field.type != "boolean"
        and after.get(field.name) is None
    ]
    if missing:
        raise Refusal(
            "REQUIRED_FIELD_MISSING",
            f"Required fields are missing: [{', '.join(missing)}]",
            fields=missing,
        )


def _text(field: Field, value: str) -> None:
    if field.length and len(value) > field.length and field.type != "reference":
        raise Refusal(
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {value} (max length={field.length})",
            fields=[field.name],
        )
    if field.restricted:
        parts = value.split(";") if field.type == "multipicklist" else [value]
        for part in parts:
            if not field.allows(part):
                raise Refusal(
                    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                    f"{field.label}: bad value for restricted picklist field: {part}",
                    fields=[field.name],
                )
    if field.type == "email" and not _EMAIL.match(value):
        raise Refusal(
            "INVALID_EMAIL_ADDRESS",
            f"{field.label}: invalid email address: {value}",
            fields=[field.name],
        )


def _reference(records: Records, type_: ObjectType, field: Field, value: str) -> None:
    target = records.schema.of_id(value) if full_id(value) else None
    if target is None or target.name not in field.reference_to:
        raise Refusal(
            "MALFORMED_ID",
            f"{field.label}: id value of incorrect type: {value}",
            fields=[field.name],
        )
    table = records.table(target.name)
    row = table.rows.get(value)
    if row is None and value in table.bin:
        raise Refusal("ENTITY_IS_DELETED", "entity is deleted", fields=[])
    if row is None:
        raise Refusal(
            "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[]
        )
    if row.get("IsConverted"):
        raise converted_lead()
    if field.name == "OwnerId" and target.name == "User" and not row.get("IsActive"):
        raise Refusal(
            "INACTIVE_OWNER_OR_USER",
            f"operation performed with inactive user [{value[:15]}] as owner of "
            f"{type_.label.lower()}",
            fields=["OwnerId"],
        )


def converted_lead() -> Refusal:
    """Return the refusal of what would change a converted lead, or hang on it."""
    return Refusal(
        "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", fields=[]
    )


def _unique(
    records: Records, type_: ObjectType, field: Field, value: object, record_id: str
) -> None:
    holders = records.table(type_.name).find(field, [value])
    other = next((holder for holder in holders if holder != record_id), None)
    if other is not None:
        raise Refusal(
            "DUPLICATE_VALUE",
            f"duplicate value found: {field.name} duplicates value on record with "
            f"id: {other[:15]}",
            fields=[],
        )
