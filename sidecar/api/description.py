"""The service's doors in OpenAPI 3.1, generated from the schemas that they read with.

Source: OpenAPI Specification 3.1.0.
"""

from copy import deepcopy
from functools import cache
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint, Response, jsonify

from sidecar import __version__
from sidecar.api import hooks, pages
from sidecar.intake import schemas

_ABOUT = """\
What the referral sidecar takes and answers.

Errors of HTTP itself (400, 405, 411, 414, 417, 431 and the like) are not repeated at
each door. A 5xx says that the database is away; nothing a caller sends causes one.
"""

_TAGS = {
    "Salesforce": "Doors that an org calls.",
    "Reps": "Pages behind the buttons of a mail.",
    "Admins": "Pages that connect an org.",
    "Operators": "For whoever runs the service.",
}


@cache
def document() -> dict[str, Any]:
    """Give the description."""
    plugin = MarshmallowPlugin()
    spec = APISpec(
        title="Referral sidecar",
        version=__version__,
        openapi_version="3.1.0",
        plugins=[plugin],
        info={"description": _ABOUT},
        tags=[{"name": name, "description": told} for name, told in _TAGS.items()],
    )
    spec.components.schema("ChangeEventHeader", schema=schemas.ChangeEventHeader)
    for name, scheme in hooks.SECURITY.items():
        spec.components.security_scheme(name, scheme)
    for path, described in (hooks.PATHS | pages.PATHS).items():
        operations = deepcopy(described)
        spec.path(
            path, parameters=operations.pop("parameters", []), operations=operations
        )
    return dict(_as_json_schema(spec.to_dict()))


def blueprint() -> Blueprint:
    """Build the one route that gives it out; nothing in it is a secret."""
    routes = Blueprint("api", __name__)

    @routes.get("/openapi.json")
    def describe() -> Response:
        """Give the description."""
        return jsonify(document())

    return routes


def _as_json_schema(value: Any) -> Any:
    """
    Write Python's patterns as JSON Schema reads them.

    Python's ``match`` begins at the start and ends at ``\\Z``; JSON Schema looks
    anywhere, and ends at ``$``.
    """
    if isinstance(value, list):
        return [_as_json_schema(item) for item in value]
    if not isinstance(value, dict):
        return value
    pattern = value.get("pattern")
    if isinstance(pattern, str) and pattern.endswith(r"\Z"):
        return {**value, "pattern": "^" + pattern.removesuffix(r"\Z") + "$"}
    return {name: _as_json_schema(inside) for name, inside in value.items()}
