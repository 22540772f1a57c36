"""What a formula computes with, and how each kind of value is written as text."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

Value = str | Decimal | bool | date | datetime | None


class Type(StrEnum):
    """A formula's data type; the value is Salesforce's word for it in errors."""

    TEXT = "Text"
    NUMBER = "Number"
    BOOLEAN = "Boolean"
    DATE = "Date"
    DATETIME = "DateTime"
    PICKLIST = "Picklist"
    MULTIPICKLIST = "Multipicklist"
    NULL = "Null"


# The `type` of a describe's field, as a formula sees it. What is missing here
# (long text, rich text, encrypted text, base64) no formula may use.
_OF_FIELD = {
    "id": Type.TEXT,
    "reference": Type.TEXT,
    "string": Type.TEXT,
    "textarea": Type.TEXT,
    "email": Type.TEXT,
    "phone": Type.TEXT,
    "url": Type.TEXT,
    "combobox": Type.TEXT,
    "boolean": Type.BOOLEAN,
    "int": Type.NUMBER,
    "double": Type.NUMBER,
    "currency": Type.NUMBER,
    "percent": Type.NUMBER,
    "date": Type.DATE,
    "datetime": Type.DATETIME,
    "picklist": Type.PICKLIST,
    "multipicklist": Type.MULTIPICKLIST,
}


def type_of_field(field_type: str) -> Type | None:
    """The formula type of a described field type; None when formulas refuse it."""
    return _OF_FIELD.get(field_type)


def is_blank(value: Value) -> bool:
    """True for what Salesforce calls empty: null and the empty text."""
    return value is None or value == ""


def as_text(value: Value) -> str:
    """
    Write a value as ``TEXT()`` does.

    Numbers without exponent or trailing zeros, dates as ``2026-01-02``, moments
    as ``2026-01-02 03:04:05Z``.
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            plain = f"{value:f}"
            return plain.rstrip("0").rstrip(".") if "." in plain else plain
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}Z"
        case date():
            return value.isoformat()
        case _:
            return value
