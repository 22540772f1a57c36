"""The messages of the Pub/Sub API, version 1, as the org speaks them.

Source: the public definition of ``eventbus.v1`` in forcedotcom/pub-sub-api; names and
numbers of the fields are the protocol's.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "eventbus.v1.PubSub"

LATEST, EARLIEST, CUSTOM = 0, 1, 2

# name: fields in the order of their numbers, from 1; "*" marks a repeated one.
_MESSAGES = {
    "TopicRequest": "string topic_name",
    "TopicInfo": "string topic_name; string tenant_guid; bool can_publish; "
    "bool can_subscribe; string schema_id; string rpc_id",
    "SchemaRequest": "string schema_id",
    "SchemaInfo": "string schema_json; string schema_id; string rpc_id",
    "EventHeader": "string key; bytes value",
    "ProducerEvent": "string id; string schema_id; bytes payload; EventHeader* headers",
    "ConsumerEvent": "ProducerEvent event; bytes replay_id",
    "FetchRequest": "string topic_name; int32 replay_preset; bytes replay_id; "
    "int32 num_requested; string auth_refresh",
    "FetchResponse": "ConsumerEvent* events; bytes latest_replay_id; string rpc_id; "
    "int32 pending_num_requested",
    "Error": "int32 code; string msg",
    "PublishRequest": "string topic_name; ProducerEvent* events; string auth_refresh",
    "PublishResult": "bytes replay_id; Error error; string correlation_key",
    "PublishResponse": "PublishResult* results; string schema_id; string rpc_id",
}
_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "string": _FIELD.TYPE_STRING,
    "bytes": _FIELD.TYPE_BYTES,
    "bool": _FIELD.TYPE_BOOL,
    # An enumeration has the same form on the wire.
    "int32": _FIELD.TYPE_INT32,
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="devorg_pubsub.proto", package="eventbus.v1", syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, declared in enumerate(fields.split("; "), start=1):
            kind, field_name = declared.split()
            field = message.field.add(name=field_name, number=number)
            many = kind.endswith("*")
            field.label = _FIELD.LABEL_REPEATED if many else _FIELD.LABEL_OPTIONAL
            kind = kind.rstrip("*")
            if kind in _SCALARS:
                field.type = _SCALARS[kind]
            else:
                field.type = _FIELD.TYPE_MESSAGE
                field.type_name = f".eventbus.v1.{kind}"
    return file


# A pool of its own: another copy of the definition may live in the same process.
_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_file())


def message(name: str) -> Any:
    """Give the class of a message: ``message("FetchRequest")``."""
    return message_factory.GetMessageClass(
        _POOL.FindMessageTypeByName(f"eventbus.v1.{name}")
    )
