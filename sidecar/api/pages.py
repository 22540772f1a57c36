"""The pages that people open, and what operators ask."""

from typing import Any

from sidecar.api import schemas
from sidecar.api.answers import JSON, json, page
from sidecar.mail import links

_LATER = page("The database is away, or Salesforce; nothing has changed.")


def _in(place: str, name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": description,
        "schema": {"type": "string"},
    }


MAIL_LINK: dict[str, Any] = {
    "get": {
        "operationId": "showMailLink",
        "summary": "Show what a link in a mail is for",
        "description": "Opening it does nothing: scanners of mail open links.",
        "tags": ["Reps"],
        "security": [],
        "responses": {
            "200": page("The form, or that it has been done already."),
            "404": page("None of our links."),
            "410": page("Expired, or about what is no longer kept."),
            "503": _LATER,
        },
    },
    "post": {
        "operationId": "actOnMailLink",
        "summary": "Do what the form says",
        "description": (
            "For a form of the page itself. A link to stop mails takes a mail "
            "program's one click as well: `List-Unsubscribe=One-Click` (RFC 8058)."
        ),
        "tags": ["Reps"],
        "security": [],
        "requestBody": {
            "content": {
                "application/x-www-form-urlencoded": {"schema": schemas.RepForm}
            }
        },
        "responses": {
            "200": page("Done, or done already."),
            "403": page("The form comes from another site."),
            "404": page("None of our links."),
            "409": page("Salesforce refuses, or the status has changed meanwhile."),
            "410": page("Expired, or about what is no longer kept."),
            "413": page("Longer than a form can be."),
            "422": page("A field is wrong; the form says which."),
            "503": _LATER,
        },
    },
    "parameters": [_in("path", "token", "Signed, for one purpose, and not for ever.")],
}

CANVAS: dict[str, Any] = {
    "post": {
        "operationId": "showCanvas",
        "summary": "Show inside Salesforce what is known of a record",
        "description": (
            "One page, without a cookie or a session. `signed_request` is what "
            "Salesforce posts: Base64 of an HMAC-SHA256 with the app's consumer "
            "secret, a full stop, Base64 of a JSON document."
        ),
        "tags": ["Reps"],
        "security": [],
        "requestBody": {
            "content": {
                "application/x-www-form-urlencoded": {"schema": schemas.CanvasForm}
            }
        },
        "responses": {
            "200": page("The referral, or that there is none."),
            "401": page("Not proved; always the same page."),
            "413": page("Longer than a form can be."),
            "503": _LATER,
        },
    },
    "parameters": [_in("path", "connection_id", "The connection's number.")],
}

START: dict[str, Any] = {
    "get": {
        "operationId": "startAuthorization",
        "summary": "Leave for the org to allow the sidecar in",
        "description": "`sidecar connections authorize` prints the address.",
        "tags": ["Admins"],
        "security": [],
        "responses": {
            "302": page("To the org.", Location="Of the org's login page."),
            "400": page("Expired, or never given out."),
            "503": _LATER,
        },
    },
    "parameters": [_in("path", "ticket", "For a quarter of an hour.")],
}

CALLBACK: dict[str, Any] = {
    "get": {
        "operationId": "finishAuthorization",
        "summary": "Come back from the org",
        "tags": ["Admins"],
        "security": [],
        "parameters": [
            _in("query", "state", "As the cookie has it that the start left."),
            _in("query", "code", "What the org gives for tokens."),
            _in("query", "error", "Why the org gives none."),
            _in("query", "error_description", "The same in words."),
        ],
        "responses": {
            "200": page("Connected."),
            "400": page("Refused; the page says why. Nothing was changed."),
            "503": _LATER,
        },
    }
}

ALIVE: dict[str, Any] = {
    "get": {
        "operationId": "alive",
        "summary": "Say that the process answers",
        "tags": ["Operators"],
        "security": [],
        "responses": {"200": json("It does.", schemas.Condition)},
    }
}

READY: dict[str, Any] = {
    "get": {
        "operationId": "ready",
        "summary": "Say whether a message could be kept now",
        "tags": ["Operators"],
        "security": [],
        "responses": {
            "200": json("It could.", schemas.Condition),
            "503": json("The database is away, or not up to date.", schemas.Condition),
        },
    }
}

DESCRIPTION: dict[str, Any] = {
    "get": {
        "operationId": "describe",
        "summary": "This description",
        "tags": ["Operators"],
        "security": [],
        "responses": {
            "200": {
                "description": "OpenAPI 3.1.",
                "content": {JSON: {"schema": {"type": "object"}}},
            }
        },
    }
}

PATHS: dict[str, dict[str, Any]] = {
    f"{links.PREFIX}{{token}}": MAIL_LINK,
    "/canvas/{connection_id}": CANVAS,
    "/oauth/start/{ticket}": START,
    "/oauth/callback": CALLBACK,
    "/healthz": ALIVE,
    "/readyz": READY,
    "/openapi.json": DESCRIPTION,
}
