"""How an answer reads in OpenAPI: its status, its body, its headers."""

from typing import Any

from marshmallow import Schema

HTML, JSON, XML = "text/html", "application/json", "text/xml"


def empty(description: str, **headers: str) -> dict[str, Any]:
    """Describe an answer without a body."""
    return {"description": description, **_headers(headers)}


def page(description: str, **headers: str) -> dict[str, Any]:
    """Describe a page."""
    content = {HTML: {"schema": {"type": "string"}}}
    return {"description": description, "content": content, **_headers(headers)}


def soap(description: str) -> dict[str, Any]:
    """Describe an envelope: the Ack, or a fault."""
    return {
        "description": description,
        "content": {XML: {"schema": {"type": "string"}}},
    }


def json(description: str, schema: type[Schema], **headers: str) -> dict[str, Any]:
    """Describe a JSON answer."""
    content = {JSON: {"schema": schema}}
    return {"description": description, "content": content, **_headers(headers)}


def _headers(told: dict[str, str]) -> dict[str, Any]:
    """A header is required where it is told of; ``Retry_After`` is ``Retry-After``."""
    if not told:
        return {}
    return {
        "headers": {
            name.replace("_", "-"): {
                "description": description,
                "required": True,
                "schema": _SCHEMAS.get(name, {"type": "string"}),
            }
            for name, description in told.items()
        }
    }


_SCHEMAS: dict[str, dict[str, Any]] = {"Retry_After": {"type": "integer", "minimum": 1}}
