"""The part of the Pub/Sub API's protocol that a subscriber speaks.

Source: ``eventbus.v1``, the public definition in forcedotcom/pub-sub-api. Names and
numbers are the protocol's; no generated code is needed for so few messages.
"""

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

PACKAGE = "eventbus.v1"
SUBSCRIBE = f"/{PACKAGE}.PubSub/Subscribe"
GET_SCHEMA = f"/{PACKAGE}.PubSub/GetSchema"

LATEST, EARLIEST, CUSTOM = range(3)
"""Where a subscription begins: ``ReplayPreset``."""

_TEXT, _BYTES, _INT = Field.TYPE_STRING, Field.TYPE_BYTES, Field.TYPE_INT32
_FIELDS: dict[str, dict[int, tuple[str, Any]]] = {
    "SchemaRequest": {1: ("schema_id", _TEXT)},
    "SchemaInfo": {1: ("schema_json", _TEXT), 2: ("schema_id", _TEXT)},
    "ProducerEvent": {
        1: ("id", _TEXT),
        2: ("schema_id", _TEXT),
        3: ("payload", _BYTES),
    },
    "ConsumerEvent": {1: ("event", "ProducerEvent"), 2: ("replay_id", _BYTES)},
    "FetchRequest": {
        1: ("topic_name", _TEXT),
        2: ("replay_preset", _INT),
        3: ("replay_id", _BYTES),
        4: ("num_requested", _INT),
    },
    "FetchResponse": {
        1: ("events", "ConsumerEvent"),
        2: ("latest_replay_id", _BYTES),
        3: ("rpc_id", _TEXT),
        4: ("pending_num_requested", _INT),
    },
}


def _definition() -> FileDescriptorProto:
    file = FileDescriptorProto(name="pubsub.proto", package=PACKAGE, syntax="proto3")
    for message, fields in _FIELDS.items():
        described = file.message_type.add(name=message)
        for number, (name, kind) in fields.items():
            repeated = name == "events"
            field = described.field.add(name=name, number=number)
            field.label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
            if isinstance(kind, str):
                field.type, field.type_name = Field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
            else:
                field.type = kind
    return file


_POOL = DescriptorPool()
_POOL.Add(_definition())


def _class(name: str) -> Any:
    return GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.{name}"))


SchemaRequest, SchemaInfo = _class("SchemaRequest"), _class("SchemaInfo")
FetchRequest, FetchResponse = _class("FetchRequest"), _class("FetchResponse")
