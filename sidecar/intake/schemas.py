"""The wrappings in which events come, and what a wrapping must hold to be one.

What a schema does not name is kept: Salesforce and the services between add fields.

Sources: "Platform Event Message", "Change Event Header Fields" (developer guides of
platform events and of change data capture); ``ConsumerEvent`` in the Pub/Sub API's
proto; "Event structure", Amazon EventBridge User Guide. All of them as of API 62.
"""

# ruff: noqa: N815 the names are Salesforce's

from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate

from sidecar.errors import Unreadable
from sidecar.intake.strict_json import INTEGERS

EVENTS_TAKEN = 1000
"""Of one message: the package sends 100 at most."""

_ID = validate.Length(max=255)
_ORG = validate.Regexp(r"00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?\Z")
_OBJECT = validate.Regexp(r"[A-Za-z][A-Za-z0-9_]{0,79}\Z")


class _Whole(fields.Integer):
    """A whole number that the inbox can hold; as text, too, as some senders have it."""

    def __init__(self) -> None:
        taken = validate.Range(INTEGERS[0], INTEGERS[-1])
        super().__init__(allow_none=True, validate=taken)


class _Open(Schema):
    class Meta:
        """Unknown fields are kept."""

        unknown = INCLUDE


class ChangeEventHeader(_Open):
    """Which records changed, how, when and by whom."""

    entityName = fields.String(required=True, validate=_OBJECT)
    recordIds = fields.List(
        fields.String(), required=True, validate=validate.Length(max=EVENTS_TAKEN)
    )
    changeType = fields.String(required=True, validate=validate.Length(1, 40))
    changeOrigin = fields.String(allow_none=True)
    transactionKey = fields.String(allow_none=True)
    sequenceNumber = _Whole()
    commitTimestamp = _Whole()
    # 64 bits: 1745500706683617281 is one.
    commitNumber = _Whole()
    commitUser = fields.String(allow_none=True)
    nulledFields = fields.List(fields.String(), allow_none=True)
    diffFields = fields.List(fields.String(), allow_none=True)
    changedFields = fields.List(fields.String(), allow_none=True)


class _CometDEvent(_Open):
    EventUuid = fields.String(allow_none=True, validate=_ID)
    replayId = fields.Raw(allow_none=True)


class _CometDData(_Open):
    payload = fields.Raw(allow_none=True)
    sobject = fields.Dict(allow_none=True)
    event = fields.Nested(_CometDEvent, load_default=dict)


class CometD(_Open):
    """A message of the Streaming API."""

    channel = fields.String(required=True, validate=validate.Length(1, 255))
    data = fields.Nested(_CometDData, required=True)


class PubSub(_Open):
    """An event of the Pub/Sub API, decoded, as its clients give it out."""

    id = fields.String(allow_none=True, validate=_ID)
    payload = fields.Dict(required=True)
    replayId = fields.Raw(allow_none=True)


class _EventBridgeDetail(_Open):
    payload = fields.Dict(required=True)


class EventBridge(_Open):
    """The envelope in which an event relay's events reach an API destination."""

    id = fields.String(required=True, validate=_ID)
    detail_type = fields.String(required=True, data_key="detail-type", validate=_ID)
    source = fields.String(required=True)
    detail = fields.Nested(_EventBridgeDetail, required=True)


class SignedMessage(_Open):
    """What the package's Apex sends."""

    OrganizationId = fields.String(required=True, validate=_ORG)
    events = fields.List(
        fields.Dict(), required=True, validate=validate.Length(1, EVENTS_TAKEN)
    )


class Records(_Open):
    """Records of one object, as a Flow or Apex posts them."""

    object = fields.String(required=True, validate=_OBJECT)
    data = fields.List(
        fields.Dict(), required=True, validate=validate.Length(1, EVENTS_TAKEN)
    )


def load(schema: Schema, document: Any) -> dict[str, Any]:
    """
    Check a document against its schema.

    Raises:
        Unreadable: it names the fields that are wrong, and none of their values.
    """
    try:
        loaded: dict[str, Any] = schema.load(document)
    except ValidationError as exc:
        wrong = "; ".join(_named(exc.messages))
        raise Unreadable(f"{type(schema).__name__}: {wrong}"[:500]) from exc
    return loaded


def _named(messages: Any, where: str = "") -> list[str]:
    if isinstance(messages, dict):
        return [
            told
            for name, below in messages.items()
            for told in _named(below, f"{where}.{name}".lstrip("."))
        ]
    return [f"{where}: {' '.join(map(str, messages))}"]
