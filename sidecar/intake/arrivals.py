"""From a message to what the inbox keeps: no session, no secret, no name lost."""

import hashlib
import json
import re
from datetime import datetime
from functools import lru_cache
from typing import Any

from sidecar.intake.outbound_message import Message, Notification
from sidecar.logs import MASK, mask, mask_sessions
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Arrival

SOURCE = "outbound_message"

# Fields that people put passwords and keys into, by their names.
_SECRET_FIELD = re.compile(
    r"passw|secret|api_?key|auth_?token|access_?token|session_?id", re.IGNORECASE
)
_TAG = re.compile(r"<(/?)([\w.:-]+)([^<>]*)>?")
# What may hold something that looks like a tag and is none, or else a tag.
_PIECE = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|" + _TAG.pattern, re.DOTALL
)


def of(message: Message, connection: OrgConnection, at: datetime) -> list[Arrival]:
    """
    List what the inbox is to keep of a message, in the message's order.

    Wherever in the message a session stands, it goes no further.
    """
    action_id = mask_sessions(message.action_id)
    return [
        Arrival(
            connection_id=connection.id,
            # The connection's, not the message's: they are the same org.
            org_id=connection.org_id,
            source=SOURCE,
            notification_id=_own_id(item) or _by_content(item),
            action_id=action_id,
            object_type=item.object_type and mask_sessions(item.object_type),
            record_id=item.record_id,
            content=_content(item),
            received_at=at,
            error=mask_sessions(item.problem),
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
    return mask(_without_secrets(text))


def _without_secrets(text: str) -> str:
    """
    Blacken what secret elements hold, up to their end or the text's.

    One pass, whatever the text: it comes from somebody who may want us to be slow.
    """
    kept: list[str] = []
    place = 0
    for tag in _TAG.finditer(text):
        if tag.start() >= place and _opens(tag) and _secret(_local(tag)):
            kept += (text[place : tag.end()], MASK)
            place = _end_of(tag, text)
    return "".join((*kept, text[place:]))


def _end_of(opening: re.Match[str], text: str) -> int:
    """Where the element's closing tag begins."""
    depth = 1
    for piece in _PIECE.finditer(text, opening.end()):
        if piece[2] is None or _local(piece) != _local(opening):
            continue
        if piece[1]:
            depth -= 1
        elif _opens(piece):
            depth += 1
        if depth == 0:
            return piece.start()
    return len(text)


def _local(tag: re.Match[str]) -> str:
    return tag[2].rpartition(":")[2].lower()


def _opens(tag: re.Match[str]) -> bool:
    # With an odd number of quotes, the slash stands within one.
    return not tag[1] and not (tag[3].endswith("/") and tag[3].count('"') % 2 == 0)


def _content(item: Notification) -> dict[str, object]:
    fields = {name: masked(name, value) for name, value in item.fields.items()}
    if item.absent:
        return {"fields": fields, "absent": list(item.absent)}
    return {"fields": fields}


@lru_cache(maxsize=4096)
def _secret(name: str) -> bool:
    return _SECRET_FIELD.search(name) is not None


def masked(name: str, value: Any) -> Any:
    """Blacken a field's value where it is, or holds, a session or a secret."""
    if value and _secret(name):
        return MASK
    if isinstance(value, str):
        return mask_sessions(value)
    if isinstance(value, dict):
        return {below: masked(below, inside) for below, inside in value.items()}
    if isinstance(value, list):
        return [masked(name, inside) for inside in value]
    return value


def _own_id(item: Notification) -> str:
    """The notification's id, unless somebody put a session into it."""
    return item.id if mask_sessions(item.id) == item.id else ""


def _by_content(item: Notification) -> str:
    """Stand in for a missing id: the same content is the same notification."""
    content = json.dumps([item.id, item.object_type, item.record_id, item.fields])
    return "content:" + hashlib.sha256(content.encode()).hexdigest()
