"""The back door, for tests: what no API of Salesforce offers. Loopback only.

GET    /devorg                 time, speed, calls, limit
POST   /devorg/clock           {"advance_s": 3600, "speed": 100}
POST   /devorg/faults          a ``faults.Fault`` as JSON; GET lists, DELETE clears
GET    /devorg/calls           number of API calls by kind; DELETE starts again
PUT    /devorg/limit           {"daily": 100}
POST   /devorg/apps            {"name", "certificate", "run_as", "authorised", ...}
POST   /devorg/sessions        {"username", "endless", "consumer_key"} -> {"token"};
                               with an app's key a "refresh_token" too
DELETE /devorg/sessions        end all sessions, or {"token"} alone
       /devorg/outbound        what outbound messages suffer: ``outbound.backdoor``
       /devorg/features        what the org has switched on: ``metadata.backdoor``
       /devorg/deployments     how fast it deploys: ``metadata.backdoor``
       /devorg/events          the event bus: ``events.backdoor``
POST   /devorg/visibility      {"lag_s": 120}: what has changed is found late
GET    /devorg/access          {username: {"objects": {"Lead": {"read": ["Email", ..],
                               "create": [..] or null, "edit": [..] or null,
                               "delete": false}}, "permissions": ["ApiEnabled", ..]}}:
                               what each user's calls have touched; DELETE begins again
POST   /devorg/rows            what only Setup makes: ``setup_rows``
POST   /devorg/reset           forget all records, faults and counts
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from sidecar.devorg import setup_rows
from sidecar.devorg.events import backdoor as events
from sidecar.devorg.faults import Fault
from sidecar.devorg.metadata import backdoor as metadata
from sidecar.devorg.outbound import backdoor as outbound
from sidecar.devorg.sessions import App
from sidecar.devorg.visibility import add_routes as add_visibility

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

PREFIX = "/devorg"


def blueprint(org: Org) -> Blueprint:
    """Build the back door of one org."""
    routes = Blueprint("backdoor", __name__, url_prefix=PREFIX)
    outbound.add_routes(routes, org)
    metadata.add_routes(routes, org)
    events.add_routes(routes, org)
    add_visibility(routes, org)
    setup_rows.add_routes(routes, org)

    @routes.get("")
    def state() -> Response:
        """Tell how the org is."""
        return jsonify(_state(org))

    @routes.post("/clock")
    def set_clock() -> Response:
        """Move the org's time on, or change how fast it runs."""
        asked = _json()
        if "speed" in asked:
            org.clock.set_speed(float(asked["speed"]))
        if "advance_s" in asked:
            org.clock.advance(timedelta(seconds=float(asked["advance_s"])))
        return jsonify(_state(org))

    @routes.post("/faults")
    def add_fault() -> tuple[Response, int] | Response:
        """Order a misfortune."""
        asked = _json()
        unknown = set(asked) - {field.name for field in fields(Fault)}
        if unknown:
            return jsonify({"unknown": sorted(unknown)}), 400
        org.faults.add(Fault(**asked))
        return jsonify([asdict(fault) for fault in org.faults.waiting()])

    @routes.get("/faults")
    def list_faults() -> Response:
        """List the misfortunes to come."""
        return jsonify([asdict(fault) for fault in org.faults.waiting()])

    @routes.delete("/faults")
    def clear_faults() -> Response:
        """Call them off."""
        org.faults.clear()
        return Response(status=204)

    @routes.get("/calls")
    def calls() -> Response:
        """Count the API calls by kind."""
        with org.lock:
            return jsonify(dict(org.limits.calls))

    @routes.delete("/calls")
    def forget_calls() -> Response:
        """Begin counting again."""
        with org.lock:
            org.limits.reset()
        return Response(status=204)

    @routes.put("/limit")
    def set_limit() -> Response:
        """Set the calls allowed in 24 hours."""
        org.limits.daily = int(_json()["daily"])
        return jsonify(_state(org))

    @routes.post("/apps")
    def add_app() -> Response:
        """Set up an external client app."""
        with org.lock:
            return jsonify(_add_app(org, _json()))

    @routes.post("/sessions")
    def open_session() -> tuple[Response, int] | Response:
        """Log a user in without a password."""
        asked = _json()
        with org.lock:
            user_id = org.user_named(str(asked.get("username", "")))
            if user_id is None:
                return jsonify({"unknown": asked.get("username")}), 400
            endless = bool(asked.get("endless"))
            key = str(asked.get("consumer_key", ""))
            token = org.sessions.open(user_id, app=key, endless=endless)
            answer = {"token": token, "user_id": user_id}
            if key:
                answer["refresh_token"] = org.sessions.grant(user_id, app=key)
        return jsonify(answer)

    @routes.delete("/sessions")
    def end_sessions() -> Response:
        """End one session, or all."""
        with org.lock:
            ended = org.sessions.expire(_json().get("token"))
        return jsonify({"ended": ended})

    @routes.get("/access")
    def access() -> Response:
        """Tell which rights each user has used."""
        with org.lock:
            users = org.records.table("User").rows
            return jsonify(
                {
                    str(users[user_id]["Username"]): org.usage.told(user_id)
                    for user_id in sorted(org.usage.users())
                    if user_id in users
                }
            )

    @routes.delete("/access")
    def forget_access() -> Response:
        """Begin again to note which rights are used."""
        with org.lock:
            org.usage.forget()
        return Response(status=204)

    @routes.post("/reset")
    def reset() -> Response:
        """Forget all data."""
        org.empty()
        return jsonify(_state(org))

    return routes


def _json() -> dict[str, Any]:
    value = request.get_json(silent=True)
    return value if isinstance(value, dict) else {}


def _state(org: Org) -> dict[str, object]:
    return {
        "org_id": org.id,
        "now": org.clock.now().isoformat(),
        "speed": org.clock.speed,
        "calls": org.limits.used,
        "daily_limit": org.limits.daily,
    }


def _add_app(org: Org, asked: dict[str, Any]) -> dict[str, object]:
    authorised = asked.get("authorised")
    users = {name: org.user_named(name) for name in authorised or ()}
    run_as = asked.get("run_as")
    app = App(
        name=str(asked.get("name", "App")),
        consumer_key=asked.get("consumer_key") or f"3MVG9{secrets.token_urlsafe(48)}",
        consumer_secret=asked.get("consumer_secret") or secrets.token_hex(32).upper(),
        certificate=asked.get("certificate"),
        run_as=org.user_named(run_as) if run_as else None,
        authorised=None if authorised is None else {u for u in users.values() if u},
        rotates_refresh_tokens=bool(asked.get("rotates_refresh_tokens")),
        callback_urls=list(asked.get("callback_urls", [])),
    )
    org.apps[app.consumer_key] = app
    return {
        "consumer_key": app.consumer_key,
        "consumer_secret": app.consumer_secret,
        "unknown_users": [name for name, user_id in users.items() if not user_id],
    }
