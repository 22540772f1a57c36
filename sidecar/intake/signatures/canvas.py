"""The signed request with which Salesforce opens a page of ours inside itself.

Two parts with a full stop between: the Base64 of an HMAC-SHA256, and the Base64 of a
JSON document. The key is the app's consumer secret; what is signed is the second part
as it stands there, undecoded.

Source: "Verifying and Decoding a Signed Request", Canvas Developer Guide.
"""

import base64
import binascii
import hmac
from typing import Any

from sidecar.errors import Forged, Unreadable
from sidecar.intake import strict_json
from sidecar.intake.signatures.reasons import Reason

LONGEST = 128 * 1024
"""Characters. With all of a page's parameters it has some thousand."""

_ALGORITHM = "HMACSHA256"
_MAC_BYTES = 32


def verify(signed_request: str, consumer_secret: str) -> dict[str, Any]:
    """
    Check a signed request and give what it holds.

    Its document has no time that could be relied upon: whoever opens a session with it
    must let the same request open none twice.

    Args:
        signed_request: the form field of that name, decoded from the form alone.
        consumer_secret: the app's; never empty.

    Returns:
        The document: ``userId``, ``client``, ``context`` with user, organization and
        environment.

    Raises:
        Forged: with a ``Reason``.
        ValueError: there is no secret, so that nothing could be forged.
    """
    if not consumer_secret:
        raise ValueError("a signed request cannot be verified without a secret")
    if len(signed_request) > LONGEST:
        raise Forged(Reason.CANVAS_MALFORMED)
    try:
        encoded, stop, content = signed_request.encode("ascii").partition(b".")
        mac = base64.b64decode(encoded, validate=True)
        document = base64.b64decode(content, validate=True)
    except (UnicodeEncodeError, binascii.Error) as exc:
        raise Forged(Reason.CANVAS_MALFORMED) from exc
    if not stop or len(mac) != _MAC_BYTES:
        raise Forged(Reason.CANVAS_MALFORMED)
    expected = hmac.digest(consumer_secret.encode(), content, "sha256")
    if not hmac.compare_digest(expected, mac):
        raise Forged(Reason.CANVAS_WRONG)
    try:
        told = strict_json.read(document)
    except Unreadable as exc:
        raise Forged(Reason.CANVAS_UNREADABLE) from exc
    if not isinstance(told, dict):
        raise Forged(Reason.CANVAS_UNREADABLE)
    if str(told.get("algorithm") or "").upper() != _ALGORITHM:
        raise Forged(Reason.CANVAS_ALGORITHM)
    return told
