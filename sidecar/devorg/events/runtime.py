"""The events of one org: its bus, its schemas, which objects are captured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.devorg.events import schemas
from sidecar.devorg.events.bus import Bus
from sidecar.devorg.events.changes import EVENT, announce, announce_deleted
from sidecar.devorg.events.schemas import EventSchema
from sidecar.devorg.events.server import KEEP_ALIVE_S, MOST_REQUESTED
from sidecar.devorg.metadata.element import text

if TYPE_CHECKING:
    from sidecar.devorg.org import Org


class Events:
    """What the Pub/Sub API serves of an org."""

    def __init__(self, org: Org) -> None:
        """Hooks itself into the org's saves."""
        self._org = org
        self.bus = Bus(org.clock)
        self.schemas: dict[str, EventSchema] = {}
        # Objects that Change Data Capture is switched on for.
        self.captured: set[str] = set()
        # Real seconds until an empty answer, and events in one answer.
        self.keep_alive_s = KEEP_ALIVE_S
        self.batch = MOST_REQUESTED
        self._known: dict[str, tuple[int, EventSchema]] = {}
        org.records.after_save.append(announce)
        org.records.after_delete.append(
            lambda type_, row, user_id: announce_deleted(org, type_, row, user_id)
        )

    def schema_of(self, topic: str) -> EventSchema | None:
        """Give the schema that a topic has now; an earlier one stays readable."""
        version = self._org.schema.version
        known = self._known.get(topic)
        if known is not None and known[0] == version:
            return known[1]
        made = self._made(topic)
        if made is not None:
            self._known[topic] = (version, made)
            self.schemas[made.id] = made
        return made

    def immediate(self, topic: str) -> bool:
        """Tell whether a platform event is published before its transaction ends."""
        component = self._org.metadata.components.get("CustomObject", topic)
        if component is None:
            return True
        return text(component.element, "publishBehavior") != "PublishAfterCommit"

    def _made(self, topic: str) -> EventSchema | None:
        if topic.endswith(EVENT):
            type_ = self._org.schema.get(topic)
            return None if type_ is None else schemas.of_platform_event(type_)
        if topic.endswith(schemas.CHANGE):
            return schemas.of_change_event(self._org, topic)
        return None
