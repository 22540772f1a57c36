"""Values as clients send them, as the org keeps them, and as it shows them.

Kept are str, bool, int, Decimal, date, datetime (aware UTC, whole seconds) and
time. Shown are JSON values in the forms of the REST API.
Source: "Primitive Data Types", SOAP API Developer Guide; "Valid Date and DateTime
Formats", REST API Developer Guide.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from sidecar.devorg.ids import full_id
from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.schema import NUMBER_TYPES, TEXT_TYPES, Field, ObjectType


class Unparsable(Refusal):
    """A value of the wrong JSON type: the whole request is refused."""

    def __init__(self, field: Field, value: object) -> None:
        """``value`` is as it came out of the JSON parser."""
        token, text = _token(value)
        super().__init__(
            "JSON_PARSER_ERROR",
            f"Cannot deserialize instance of {field.type} from {token} value {text} "
            "or request may be missing a required field",
        )
        self.field_name = field.name


@dataclass(slots=True)
class ExternalReference:
    """A parent named by its external id instead of its id."""

    parent: str
    field_name: str
    value: object


class Typed(dict[str, object]):
    """Values by field name as they are kept; null is None. Made by deserialise."""


def deserialise(
    access: Access, type_: ObjectType, payload: Mapping[str, object]
) -> Typed:
    """
    Turn a record as sent into typed values; what is typed already stays.

    Raises:
        Refusal: INVALID_FIELD for a column that does not exist for this user,
            JSON_PARSER_ERROR for a value of the wrong type. In a collection
            either refuses the whole request, before any record is saved.
    """
    if isinstance(payload, Typed):
        return payload
    readable = access.readable(type_)
    values = Typed()
    for name, value in payload.items():
        if name == "attributes":
            continue
        field = readable.get(name.lower())
        if field is not None:
            values[field.name] = typed(field, value)
            continue
        reference = type_.relationship(name)
        if reference is None or not isinstance(value, Mapping):
            raise Refusal(
                "INVALID_FIELD",
                f"No such column '{name}' on sobject of type {type_.name}",
            )
        values[reference.name] = _external(reference, value)
    return values


def _external(reference: Field, value: Mapping[str, object]) -> ExternalReference:
    keys = {k: v for k, v in value.items() if k != "attributes"}
    attributes = value.get("attributes")
    parent = reference.reference_to[0]
    if isinstance(attributes, Mapping) and "type" in attributes:
        parent = str(attributes["type"])
    if len(keys) != 1:
        raise Refusal(
            "INVALID_FIELD",
            "Only one external ID field allowed for a foreign key reference: "
            f"{reference.relationship_name}",
        )
    ((name, key),) = keys.items()
    return ExternalReference(parent, name, key)


def typed(field: Field, value: object) -> object:
    """
    Return ``value`` as it is kept; None for null and for empty text.

    Raises:
        Unparsable: it cannot be a value of this field.
    """
    if value is None:
        return False if field.type == "boolean" else None
    kind = field.type
    if kind in TEXT_TYPES:
        if not isinstance(value, str):
            raise Unparsable(field, value)
        # Salesforce cuts white space around text and keeps no empty text.
        text = value.strip()
        if kind == "reference" and text:
            return full_id(text) or text
        return text or None
    try:
        return _PARSERS[kind](field, value)
    except (ValueError, InvalidOperation, TypeError, OverflowError) as exc:
        raise Unparsable(field, value) from exc


def _boolean(field: Field, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise ValueError(field.name)


def _int(field: Field, value: object) -> int:
    number = _number(field, value)
    if number != number.to_integral_value():
        raise ValueError(field.name)
    return int(number)


def _number(field: Field, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise TypeError(field.name)
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError(field.name)
    return number


def _decimal(field: Field, value: object) -> Decimal:
    number = _number(field, value)
    if number.adjusted() >= field.precision - field.scale and number != 0:
        raise Refusal(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: value outside of valid range on numeric field: {value}",
            fields=[field.name],
        )
    return number.quantize(Decimal(1).scaleb(-field.scale), rounding=ROUND_HALF_UP)


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}$")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}")


def _date(field: Field, value: object) -> date:
    if type(value) is date:
        return value
    if not isinstance(value, str) or not _DATE.match(value):
        raise ValueError(field.name)
    return date.fromisoformat(value)


def _datetime(field: Field, value: object) -> datetime:
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str) and _DATETIME.match(value):
        moment = datetime.fromisoformat(value)
    else:
        raise ValueError(field.name)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(microsecond=0)


def _time(field: Field, value: object) -> time:
    if isinstance(value, time):
        return value
    if not isinstance(value, str):
        raise TypeError(field.name)
    return time.fromisoformat(value.removesuffix("Z"))


def _refused(field: Field, value: object) -> object:
    raise ValueError(field.name, value)


_PARSERS = {
    "boolean": _boolean,
    "int": _int,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "address": _refused,
    **dict.fromkeys(NUMBER_TYPES, _decimal),
}


def _token(value: object) -> tuple[str, object]:
    # The JSON parser's own names for what it met, and the text of it.
    match value:
        case bool():
            return f"VALUE_{str(value).upper()}", str(value).lower()
        case str():
            return "VALUE_STRING", value
        case int():
            return "VALUE_NUMBER_INT", value
        case float() | Decimal():
            return "VALUE_NUMBER_FLOAT", value
        case Mapping():
            return "START_OBJECT", "{"
        case _:
            return "START_ARRAY", "["


def shown(value: object) -> object:
    """Return a kept value as the REST API shows it."""
    match value:
        case bool() | str() | int() | None:
            return value
        case Decimal():
            return float(value)
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%S}.000+0000"
        case date():
            return value.isoformat()
        case time():
            return value.strftime("%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"
        case dict():
            return {key: shown(each) for key, each in value.items()}
        case _:
            return value


def midnight(day: date) -> datetime:
    """Return when ``day`` begins in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
