"""The back door's part about metadata: what the org has switched on, and deployments.

```
GET  /devorg/features      every switch, with the edition and whether it is production
POST /devorg/features      {"path": false, "languages": [], "edition": "Enterprise
                           Edition", "sandbox": true, "tests": {"count": 12},
                           "certificates": ["A_Name"], ...}: certificates are created
POST /devorg/certificates/<name>  signs the body with the org's certificate, as Apex
GET  /devorg/deployments   id, status and counts of all
POST /devorg/deployments   {"held": true, "pace": 5}: keep new ones (and retrievals)
                           waiting; components a second
```
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from sidecar.devorg.metadata import certificate
from sidecar.devorg.metadata.features import ApexTests, Features
from sidecar.devorg.metadata.optional_fields import apply

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_OF_COMPANY = {"edition": "OrganizationType", "sandbox": "IsSandbox"}


def add_routes(routes: Blueprint, org: Org) -> None:
    """Add the routes to the back door of one org."""

    @routes.get("/features")
    def show_features() -> Response:
        """Show the switches."""
        with org.lock:
            return jsonify(_features(org))

    @routes.post("/features")
    def set_features() -> tuple[Response, int] | Response:
        """Set some of them."""
        wishes = request.get_json(silent=True)
        if not isinstance(wishes, dict):
            return jsonify({"error": "a JSON object of switches"}), 400
        try:
            with org.work():
                set_all(org, wishes)
        except (ValueError, TypeError) as exc:
            return jsonify({"error": str(exc)}), 400
        return jsonify(_features(org))

    @routes.post("/certificates/<name>")
    def sign(name: str) -> Response:
        """Sign as Apex does, which this org cannot run."""
        with org.lock:
            signature = certificate.sign(org, name, request.get_data())
        if signature is None:
            return Response(f"no certificate {name}", status=404)
        return Response(signature, content_type="application/octet-stream")

    @routes.get("/deployments")
    def list_deployments() -> Response:
        """List the deployments."""
        with org.lock:
            shown = [
                {
                    "id": each.id,
                    "status": each.status,
                    "check_only": each.options.check_only,
                    "handled": each.handled,
                    "total": each.total,
                }
                for each in org.metadata.deployments
            ]
        return jsonify(shown)

    @routes.post("/deployments")
    def slow_down() -> Response:
        """Hold deployments up, or let them go."""
        wishes = request.get_json(silent=True) or {}
        deployments = org.metadata.deployments
        if "pace" in wishes:
            deployments.pace = float(wishes["pace"])
        if "held" in wishes:
            deployments.hold(held=bool(wishes["held"]))
        return jsonify({"held": deployments.held, "pace": deployments.pace})


def set_all(org: Org, wishes: dict[str, Any]) -> None:
    """
    Set switches, within ``Org.work``.

    Raises:
        ValueError: an unknown switch, edition or user.
        TypeError: a value of the wrong type.
    """
    known = {field.name for field in fields(Features)} | {*_OF_COMPANY, "certificates"}
    if unknown := sorted(set(wishes) - known):
        raise ValueError(f"unknown: {', '.join(unknown)}")
    features = org.metadata.features
    for name, value in wishes.items():
        if name in _OF_COMPANY:
            _set_company(org, name, value)
        elif name == "certificates":
            if not isinstance(value, list):
                raise TypeError(f"{name}: list expected")
            certificate.create_in_setup(org, [str(each) for each in value])
        elif name == "tests":
            features.tests = ApexTests(**{**asdict(features.tests), **value})
        else:
            _set(org, features, name, value)
    apply(org)


def _set(org: Org, features: Features, name: str, value: object) -> None:
    before = getattr(features, name)
    if name == "default_workflow_user":
        if value is not None and org.user_named(str(value)) is None:
            raise ValueError(f"no user {value}")
    elif name == "dynamic_dashboards":
        if value is not None and not isinstance(value, int):
            raise TypeError(f"{name}: a number or null")
    elif not isinstance(value, type(before)):
        raise TypeError(f"{name}: {type(before).__name__} expected")
    setattr(features, name, value)


def _set_company(org: Org, name: str, value: object) -> None:
    field = org.schema["Organization"].fields[_OF_COMPANY[name].lower()]
    if field.values and not field.allows(str(value)):
        raise ValueError(f"no edition {value}")
    table = org.records.table("Organization")
    kept = bool(value) if field.type == "boolean" else value
    table.put(org.id, {**table.rows[org.id], field.name: kept})


def _features(org: Org) -> dict[str, object]:
    company = org.records.table("Organization").rows[org.id]
    return {
        **asdict(org.metadata.features),
        "certificates": [
            each.full_name for each in org.metadata.components.of_type(certificate.TYPE)
        ],
        "edition": company["OrganizationType"],
        "sandbox": company["IsSandbox"],
        "production": org.metadata.production,
    }
