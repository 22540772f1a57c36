"""An event's payload: whatever an org's schema says, JSON comes out, or a refusal."""

import io
import json
from decimal import Decimal

import fastavro
import pytest

from sidecar.errors import Unreadable
from sidecar.salesforce.events import payload

FIELDS = [{"name": name, "type": "string"} for name in ("Id", "Status", "Owner")]


def decoded(record, *fields):
    declared = {"type": "record", "name": "X", "fields": list(fields)}
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(declared), record)
    return payload.decode(out.getvalue(), payload.schema("s", json.dumps(declared)))


def test_what_json_does_not_have_is_text():
    money = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}

    assert decoded(
        {"at": 0, "photo": b"\x00\xff", "amount": Decimal("10.50")},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "photo", "type": "bytes"},
        {"name": "amount", "type": money},
    ) == {"at": "1970-01-01T00:00:00+00:00", "photo": "00ff", "amount": "10.50"}


@pytest.mark.parametrize(
    "bitmap", ["²-0x1", "9-0x1", "-0x1", f"{'9' * 5000}-0x1", "0xg", "0x8", "0x"]
)
def test_a_bitmap_that_is_none_is_refused(bitmap):
    with pytest.raises(Unreadable):
        list(payload.named([bitmap], FIELDS))


def test_lists_of_fields_are_texts():
    numbers = {"type": "array", "items": "int"}
    header = {
        "type": "record",
        "name": "H",
        "fields": [{"name": "changedFields", "type": numbers}],
    }
    with pytest.raises(Unreadable, match="changedFields"):
        decoded(
            {"ChangeEventHeader": {"changedFields": [1]}},
            {"name": "ChangeEventHeader", "type": header},
        )


def nested(depth):
    if not depth:
        return "string"
    fields = [{"name": "inside", "type": nested(depth - 1)}]
    return {"type": "record", "name": f"X{depth}", "fields": fields}


def test_what_nests_too_deeply_is_refused():
    shallow = payload.schema("s", json.dumps(nested(20)))
    deep = payload.schema("s", json.dumps(nested(40)))

    assert payload.decode(b"\0", shallow)
    with pytest.raises(Unreadable, match="nested"):
        payload.decode(b"\0", deep)


@pytest.mark.parametrize(
    "kind",
    [
        "X",
        ["null", "X"],
        {"type": "array", "items": "a.X"},
        {"type": "map", "values": ["null", "X"]},
        {"type": "record", "name": "Y", "fields": [{"name": "b", "type": "X"}]},
    ],
)
def test_a_schema_that_holds_itself_is_refused(kind):
    """Reading by it would end the process, or never."""
    declared = {"type": "record", "name": "X", "namespace": "a"}
    declared["fields"] = [{"name": "inside", "type": kind}]

    with pytest.raises(Unreadable, match="holds itself"):
        payload.schema("s", json.dumps(declared))
