"""From a message to what the inbox keeps: no session, no secret, no name lost."""

import hashlib
import json
import re
from datetime import datetime
from functools import lru_cache

from sidecar.intake.outbound_message import Message, Notification, Value
from sidecar.logs import MASK, mask
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Arrival

SOURCE = "outbound_message"

# Fields that people put passwords and keys into, by their names.
_SECRET_FIELD = re.compile(
    r"passw|secret|api_?key|auth_?token|access_?token|session_?id", re.IGNORECASE
)
_SESSION_ELEMENT = re.compile(
    r"(<(?:[\w.-]+:)?SessionId\b[^>]*>)[^<]*", re.IGNORECASE | re.DOTALL
)
_SECRET_ELEMENT = re.compile(
    r"(<(?:[\w.-]+:)?[\w.-]*(?:passw|secret|api_?key|auth_?token|access_?token)"
    r"[\w.-]*\b[^>]*>)[^<]*",
    re.IGNORECASE | re.DOTALL,
)


def of(message: Message, connection: OrgConnection, at: datetime) -> list[Arrival]:
    """List what the inbox is to keep of a message, in the message's order."""
    return [
        Arrival(
            connection_id=connection.id,
            # The connection's, not the message's: they are the same org.
            org_id=connection.org_id,
            source=SOURCE,
            notification_id=item.id or _by_content(item),
            action_id=message.action_id,
            object_type=item.object_type,
            record_id=item.record_id,
            content=_content(item),
            received_at=at,
            error=item.problem,
        )
        for item in message.notifications
    ]


def inspectable(body: bytes) -> str:
    """
    Make a text of a body that nobody could read, to be looked at later.

    Sessions and secrets go, whatever the encoding and however broken the markup.
    """
    encoding = "utf-16" if body.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    text = body.decode(encoding, "replace").replace("\x00", "")
    text = _SESSION_ELEMENT.sub(rf"\g<1>{MASK}", text)
    return mask(_SECRET_ELEMENT.sub(rf"\g<1>{MASK}", text))


def _content(item: Notification) -> dict[str, object]:
    fields = {name: _masked(name, value) for name, value in item.fields.items()}
    if item.absent:
        return {"fields": fields, "absent": list(item.absent)}
    return {"fields": fields}


@lru_cache(maxsize=4096)
def _secret(name: str) -> bool:
    return _SECRET_FIELD.search(name) is not None


def _masked(name: str, value: Value) -> Value:
    if value and _secret(name):
        return MASK
    if isinstance(value, str) and "!" in value:
        return mask(value)
    return value


def _by_content(item: Notification) -> str:
    """Stand in for a missing id: the same content is the same notification."""
    content = json.dumps([item.object_type, item.record_id, dict(item.fields)])
    return "content:" + hashlib.sha256(content.encode()).hexdigest()
