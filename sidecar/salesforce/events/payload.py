"""What an event carries: Avro, and the bitmaps of a change event's header.

Source: "Event Deserialization Considerations" and "Change Event Message Structure",
Pub/Sub API and Change Data Capture Developer Guides: a list of fields is a hexadecimal
bitmap whose i-th bit from the right stands for the schema's i-th field; ``n-0x..`` is
about the parts of the n-th one.
"""

import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import fastavro

from sidecar.errors import Unreadable

HEADER = "ChangeEventHeader"
_FIELD_LISTS = ("nulledFields", "diffFields", "changedFields")
_DEEPEST = 32
_PLACE = re.compile("[0-9]{1,4}")


@dataclass(frozen=True)
class Schema:
    """One version of an event's definition."""

    id: str
    parsed: Any
    fields: tuple[Mapping[str, Any], ...]


def schema(schema_id: str, text: str) -> Schema:
    """
    Read the JSON of an Avro schema.

    Raises:
        Unreadable: it is none, or no record's.
    """
    try:
        declared = json.loads(text)
        parsed = fastavro.parse_schema(declared)
        fields = tuple(declared["fields"])
    except Exception as exc:  # the library raises whatever it stumbles over
        raise Unreadable(f"schema {schema_id}: {exc}") from exc
    if _holds_itself(parsed, frozenset()):
        # The library would follow it without end, beyond what Python can stop.
        raise Unreadable(f"schema {schema_id} holds itself")
    return Schema(schema_id, parsed, fields)


def _holds_itself(kind: Any, within: frozenset[str]) -> bool:
    """Tell whether a record is named within its own definition; names are whole."""
    match kind:
        case str():
            return kind in within
        case list():
            return any(_holds_itself(one, within) for one in kind)
        case dict():
            inside = within | {str(kind.get("name", ""))}
            parts = [field["type"] for field in kind.get("fields") or ()]
            parts += [kind[word] for word in ("items", "values") if word in kind]
            parts.append(kind.get("type"))
            return any(_holds_itself(part, inside) for part in parts)
        case _:
            return False


def decode(data: bytes, of: Schema) -> dict[str, Any]:
    """
    Read a payload.

    Returns:
        Values by field, as JSON can carry them; the header's lists of fields are
        names, not bitmaps, a part of a compound field as ``Name.FirstName``.

    Raises:
        Unreadable: the bytes are not of this schema.
    """
    try:
        read = fastavro.schemaless_reader(io.BytesIO(data), of.parsed, None)
    except Exception as exc:
        raise Unreadable(f"an event is not of its schema {of.id}: {exc}") from exc
    if not isinstance(read, dict):
        raise Unreadable(f"an event of schema {of.id} is no record")
    values: dict[str, Any] = _plain(read)
    header = values.get(HEADER)
    if isinstance(header, dict):
        for name in _FIELD_LISTS:
            listed = header.get(name) or ()
            if not all(isinstance(item, str) for item in listed):
                raise Unreadable(f"an event of schema {of.id}: {name} are no texts")
            header[name] = list(named(listed, of.fields))
    return values


def _plain(value: Any, depth: int = 0) -> Any:
    """Write what Avro has and JSON has not as text: bytes in hex, moments, money."""
    if depth > _DEEPEST:
        raise Unreadable(f"an event is nested deeper than {_DEEPEST} values")
    match value:
        case dict():
            return {str(name): _plain(value[name], depth + 1) for name in value}
        case list():
            return [_plain(inside, depth + 1) for inside in value]
        case bytes():
            return value.hex()
        case datetime() | date() | time():
            return value.isoformat()
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def named(bitmaps: Sequence[str], fields: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """
    Name the fields that bitmaps stand for; a plain name stays itself.

    Raises:
        Unreadable: a bitmap is none, or longer than the list of fields.
    """
    for bitmap in bitmaps:
        place, dash, bits = bitmap.partition("-")
        if dash and bits.startswith("0x"):
            outer = _at(fields, place)
            for part in _set(bits, _parts(outer)):
                yield f"{outer['name']}.{part}"
        elif bitmap.startswith("0x"):
            yield from _set(bitmap, fields)
        else:
            yield bitmap


def _set(bitmap: str, fields: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    try:
        bits = int(bitmap, 16)
    except ValueError as exc:
        raise Unreadable(f"{bitmap!r} is no bitmap") from exc
    if bits >> len(fields):
        raise Unreadable(f"bitmap {bitmap} names more than {len(fields)} fields")
    for place, field in enumerate(fields):
        if bits >> place & 1:
            yield str(field["name"])


def _at(fields: Sequence[Mapping[str, Any]], place: str) -> Mapping[str, Any]:
    # Not isdigit: "²" is a digit, and no number.
    if not _PLACE.fullmatch(place) or int(place) >= len(fields):
        raise Unreadable(f"the schema has no field {place!r}")
    return fields[int(place)]


def _parts(field: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    kind = field["type"]
    options = kind if isinstance(kind, list) else [kind]
    for option in options:
        if isinstance(option, dict) and isinstance(option.get("fields"), list):
            return list(option["fields"])
    return ()
