"""Why a request is refused: one sentence for each cause, for our log alone.

Outside all of them are the same plain 401. No sentence repeats what the sender wrote.
"""

from enum import StrEnum


class Reason(StrEnum):
    """A cause; its text is what is logged."""

    NOTHING_SENT = "neither a signature nor a token nor a key was sent"
    NOT_ACCEPTED = "the connection has no secret of the kind that was sent"

    ID_MISSING = "webhook-id is missing"
    ID_MALFORMED = "webhook-id is malformed"
    TIMESTAMP_MISSING = "the timestamp is missing"
    TIMESTAMP_MALFORMED = "the timestamp is no whole number of seconds"
    TOO_OLD = "rightly signed, but more than five minutes ago"
    TOO_NEW = "rightly signed, but more than five minutes ahead"
    SIGNATURE_MISSING = "the signature is missing"
    SIGNATURE_MALFORMED = "the signature is malformed"
    SIGNATURES_TOO_MANY = "too many signatures were sent"
    VERSION_UNKNOWN = "no signature is of a version that the connection's secrets have"
    SIGNATURE_WRONG = "no signature fits any of the connection's secrets"

    CERTIFICATE_SIGNATURE_WRONG = "the signature fits none of the org's certificates"
    CERTIFICATE_EXPIRED = "rightly signed, but the org's certificate has expired"
    CERTIFICATE_NOT_YET = "rightly signed, but the org's certificate is not valid yet"

    TOKEN_MALFORMED = "the Authorization header holds no bearer token"  # noqa: S105
    TOKEN_WRONG = "the bearer token is none of the connection's"  # noqa: S105
    KEY_MALFORMED = "the key is malformed"
    KEY_WRONG = "the key is none of the connection's"

    CLIENT_CERTIFICATE_MISSING = "no client certificate was shown"
    CLIENT_CERTIFICATE_MALFORMED = "the proxy's header holds no certificate"
    CLIENT_CERTIFICATE_NOT_FROM_PROXY = (
        "a certificate came in a header from an address that is no proxy of ours"
    )
    CLIENT_CERTIFICATE_UNTRUSTED = (
        "the client certificate's chain leads to none of the trusted issuers, or has "
        "expired"
    )
    CLIENT_CERTIFICATE_NAME = "the client certificate is of another name"
    ADDRESS_UNKNOWN = "the caller's address is none of Salesforce's"

    CANVAS_MALFORMED = "the signed request is not two parts of Base64"
    CANVAS_WRONG = "the signed request's signature is wrong"
    CANVAS_ALGORITHM = "the signed request names another algorithm than HMAC-SHA256"
    CANVAS_UNREADABLE = "the signed request's content is no JSON object"
    CANVAS_NOBODY = "no connection has this canvas address"
    CANVAS_NO_SECRET = "the connection has no secret of the kind canvas"  # noqa: S105
    CANVAS_MISSING = "the form has no field signed_request"
    CANVAS_OTHER_ORG = "rightly signed, but of another org than the connection's"
