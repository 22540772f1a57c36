"""The doors through which Salesforce calls."""

from typing import Any

from sidecar.api import schemas as own
from sidecar.api.answers import JSON, XML, empty, json, soap
from sidecar.intake import bounced, door, schemas, webhook
from sidecar.intake.signatures import org_certificate, standard_webhooks, token

_KEY = {
    "name": "hook_key",
    "in": "path",
    "required": True,
    "description": "The connection's secret key; `sidecar connections add` shows it.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{20,128}$"},
}

SECURITY: dict[str, dict[str, Any]] = {
    "orgCertificate": {
        "type": "apiKey",
        "in": "header",
        "name": org_certificate.SIGNATURE,
        "description": (
            "Base64 of an RSA signature (PKCS #1 v1.5, SHA-256) over "
            f"`<{org_certificate.TIMESTAMP}>.<body>`."
        ),
    },
    "standardWebhooks": {
        "type": "apiKey",
        "in": "header",
        "name": standard_webhooks.SIGNATURE,
        "description": (
            "`v1,` and Base64 of an HMAC-SHA256, or `v1a,` and Base64 of an Ed25519 "
            f"signature, over `<{standard_webhooks.ID}>."
            f"<{standard_webhooks.TIMESTAMP}>.<body>`; several are parted by blanks."
        ),
    },
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": token.KEY_HEADER,
        "description": "Or in the header that the secret was made for.",
    },
    "clientCertificate": {
        "type": "mutualTLS",
        "description": "Salesforce's, where the operator asks for it.",
    },
}


def _header(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": schema,
    }


_SECONDS = {"type": "string", "pattern": "^[0-9]{1,12}$"}
_SIGNED_AT = "Seconds since 1970; five minutes both ways are taken."

# The first that fits is taken. An event by itself, or a list of 1 to 1,000.
_ONE_EVENT: list[Any] = [
    own.StatusChange,
    schemas.EventBridge,
    schemas.CometD,
    schemas.SignedMessage,
    {
        "allOf": [
            schemas.PubSub,
            {"anyOf": [{"required": ["id"]}, {"required": ["replayId"]}]},
        ]
    },
    schemas.Records,
    own.TriggerContext,
    own.SalesforceRecord,
    own.Webhook,
]

OUTBOUND: dict[str, Any] = {
    "post": {
        "operationId": "receiveOutboundMessage",
        "summary": "Take an outbound message",
        "description": (
            "1 to 100 notifications, as the WSDL of Salesforce's outbound messages has "
            "them. An Ack says that every one is committed; whatever else is answered "
            "makes Salesforce repeat the message for 24 hours."
        ),
        "tags": ["Salesforce"],
        "security": [{}, {"clientCertificate": []}],
        "requestBody": {
            "required": True,
            "content": {XML: {"schema": {"type": "string"}}},
        },
        "responses": {
            "200": soap("Every notification is committed: the Ack."),
            "400": soap("No outbound message; kept for inspection."),
            "401": empty("Without the marks of Salesforce's that are asked for."),
            "403": soap("Of another org; kept in quarantine."),
            "404": empty("Nobody has this address."),
            "413": soap("Longer than is taken."),
            "503": soap("Not kept; to be sent again."),
        },
    },
    "parameters": [_KEY],
}

EVENTS: dict[str, Any] = {
    "post": {
        "operationId": "receiveEvents",
        "summary": "Take events",
        "description": (
            "Signed, in any of the wrappings in which Salesforce's events come. Which "
            "schemes a connection accepts follows from the secrets that it has; of "
            "those that a request uses, the strongest decides. Whole numbers of 64 "
            "bits are kept as they are; larger ones are refused."
        ),
        "tags": ["Salesforce"],
        "security": [
            {"orgCertificate": []},
            {"standardWebhooks": []},
            {"bearer": []},
            {"apiKey": []},
        ],
        "parameters": [
            _header(org_certificate.TIMESTAMP, _SIGNED_AT, _SECONDS),
            _header(
                standard_webhooks.ID,
                "The sender's id of the message: the same when it is sent again.",
                {"type": "string", "pattern": "^[!-\\-/-~]{1,255}$"},
            ),
            _header(standard_webhooks.TIMESTAMP, _SIGNED_AT, _SECONDS),
        ],
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": {"anyOf": _ONE_EVENT}}},
        },
        "responses": {
            "200": json(
                "Committed; a message that came before does nothing.", own.Kept
            ),
            "400": json("No event in any wrapping that is known; kept.", own.Refusal),
            "401": empty(
                "Not proved; always the same answer.", WWW_Authenticate="`Bearer`"
            ),
            "403": json("Of another org; kept in quarantine.", own.Refusal),
            "404": empty("Nobody has this address."),
            "413": empty("Longer than 1 MB."),
            "429": empty("Too many.", Retry_After="Seconds to wait."),
            "503": empty("Not kept; to be sent again.", Retry_After="Seconds to wait."),
        },
    },
    "parameters": [_KEY],
}

_MANY_BOUNCES = {
    "type": "array",
    "items": own.Bounce,
    "minItems": 1,
    "maxItems": bounced.MOST,
}

BOUNCES: dict[str, Any] = {
    "post": {
        "operationId": "receiveBounces",
        "summary": "Take bounces of mails",
        "description": (
            "One, or a list. What is not about a mail of ours, sent to that address, "
            "changes nothing. Told again, it does nothing."
        ),
        "tags": ["Mail"],
        "security": EVENTS["post"]["security"],
        "parameters": EVENTS["post"]["parameters"],
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": {"anyOf": [own.Bounce, _MANY_BOUNCES]}}},
        },
        "responses": {
            **{
                code: answer
                for code, answer in EVENTS["post"]["responses"].items()
                if code != "403"
            },
            "200": json("Acted on.", own.CountedBounces),
            "400": json("No bounce that can be read; none is taken.", own.Refusal),
        },
    },
    "parameters": [_KEY],
}

PATHS: dict[str, dict[str, Any]] = {
    f"{door.PREFIX}{{hook_key}}": OUTBOUND,
    f"{webhook.PREFIX}{{hook_key}}": EVENTS,
    f"{bounced.PREFIX}{{hook_key}}": BOUNCES,
}
