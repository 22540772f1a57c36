"""The outbound part of the back door.

GET    /devorg/outbound          switches, counts, the queue (``?limit=100``)
POST   /devorg/outbound          set switches: {"paused": true, "drop": 0.1, ...}
POST   /devorg/outbound/retry    make all that waits due now
DELETE /devorg/outbound          forget the queue, reset the switches
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request

from sidecar.devorg.outbound.queue import Notification

if TYPE_CHECKING:
    from sidecar.devorg.org import Org


def add_routes(routes: Blueprint, org: Org) -> None:
    """Add the routes below a blueprint's prefix."""
    outbound = org.outbound

    @routes.get("/outbound")
    def show() -> Response:
        """Tell what waits, and what delivery suffers."""
        limit = request.args.get("limit", 100, type=int)
        return jsonify(
            {
                **outbound.status(),
                "switches": outbound.switches.as_json(),
                "waiting": [_shown(each) for each in outbound.waiting()[:limit]],
                "dropped_notifications": [
                    _shown(each) for each in list(outbound.dropped)[-limit:]
                ],
            }
        )

    @routes.post("/outbound")
    def set_switches() -> tuple[Response, int] | Response:
        """Set some switches."""
        wishes = request.get_json(silent=True)
        if not isinstance(wishes, dict):
            return jsonify({"error": "a JSON object of switches"}), 400
        try:
            outbound.set_switches(wishes)
        except (ValueError, TypeError) as exc:
            return jsonify({"error": str(exc)}), 400
        return jsonify(outbound.switches.as_json())

    @routes.post("/outbound/retry")
    def retry() -> Response:
        """Make all that waits due."""
        outbound.retry_now()
        return jsonify(outbound.status())

    @routes.delete("/outbound")
    def clear() -> Response:
        """Begin anew."""
        outbound.reset()
        return jsonify(outbound.status())


def _shown(each: Notification) -> dict[str, object]:
    return {
        "id": each.id,
        "action_id": each.action_id,
        "record_id": each.record_id,
        "queued_at": each.queued_at.isoformat(),
        "due_at": each.due_at.isoformat(),
        "attempts": each.attempts,
        "error": each.error,
    }
