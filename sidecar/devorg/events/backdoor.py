"""The back door to events.

GET   /devorg/events   {"captured": [...], "latest": "...", "batch", "keep_alive_s"}
POST  /devorg/events   {"captured": ["Lead"], "batch": 10, "keep_alive_s": 1.0}
POST  /devorg/events/publish  {"topic": "LeadChangeEvent", "payload": {...}}:
                              a gap event, say, which no save makes here
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request

from sidecar.devorg.events.server import replay_bytes

if TYPE_CHECKING:
    from sidecar.devorg.org import Org


def add_routes(routes: Blueprint, org: Org) -> None:
    """Add the routes to the back door of one org."""

    @routes.get("/events")
    def events() -> Response:
        """Tell what is captured, and where the stream ends."""
        return jsonify(_state(org))

    @routes.post("/events")
    def set_events() -> Response:
        """Switch Change Data Capture on for objects, or change the stream's pace."""
        asked = request.get_json()
        with org.lock:
            if "captured" in asked:
                org.events.captured = set(asked["captured"])
            org.events.batch = int(asked.get("batch", org.events.batch))
            org.events.keep_alive_s = float(
                asked.get("keep_alive_s", org.events.keep_alive_s)
            )
        return jsonify(_state(org))

    @routes.post("/events/publish")
    def publish() -> Response:
        """Publish a payload as it is."""
        asked = request.get_json()
        kept = org.events.bus.publish(asked["topic"], asked["payload"])
        return jsonify({"uuid": kept.uuid})


def _state(org: Org) -> dict[str, object]:
    return {
        "captured": sorted(org.events.captured),
        "latest": replay_bytes(org.events.bus.latest()).hex(),
        "batch": org.events.batch,
        "keep_alive_s": org.events.keep_alive_s,
    }
