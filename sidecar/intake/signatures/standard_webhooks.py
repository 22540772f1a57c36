"""Standard Webhooks: HMAC-SHA256 (``v1``) and Ed25519 (``v1a``).

Source: Standard Webhooks 1.0.0, "Signature scheme" and "Webhook headers".
"""

import base64
import binascii
import hmac
import re
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sidecar.errors import Forged, Permanent
from sidecar.intake.signatures import freshness
from sidecar.intake.signatures.credentials import Credential, Head, Verified
from sidecar.intake.signatures.reasons import Reason

ID = "webhook-id"
TIMESTAMP = "webhook-timestamp"
SIGNATURE = "webhook-signature"

SECRET_PREFIX = "whsec_"  # noqa: S105
PUBLIC_PREFIX = "whpk_"
PRIVATE_PREFIX = "whsk_"

SIGNATURES_TAKEN = 16
"""A rotation needs two. Each of version v1a costs a tenth of a millisecond."""

_SECRET_BYTES = range(24, 65)
# The full stop parts what is signed: within the id it would let one message be read
# as another.
_ID = re.compile(rb"[!-\-/-~]{1,255}\Z")
_MAC_BYTES = 32
_ED25519_BYTES = 64


def symmetric(secret: str) -> bytes:
    """
    Read ``whsec_`` and Base64; the prefix may be missing.

    Raises:
        Permanent: it is no such secret; it is not repeated.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise Permanent(f"a secret is {SECRET_PREFIX} and Base64") from exc
    if len(key) not in _SECRET_BYTES:
        raise Permanent(f"a secret has 24 to 64 bytes; this one has {len(key)}")
    return key


def asymmetric(public_key: str) -> Ed25519PublicKey:
    """
    Read ``whpk_`` and Base64; the prefix may be missing.

    Raises:
        Permanent: it is no such key, or a private one.
    """
    if public_key.startswith(PRIVATE_PREFIX):
        raise Permanent("this is a private key (whsk_); the sender keeps it to himself")
    try:
        text = public_key.removeprefix(PUBLIC_PREFIX)
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as exc:
        raise Permanent(
            f"a public key is {PUBLIC_PREFIX} and 32 bytes in Base64"
        ) from exc


def used(head: Head, _accepted: Sequence[Credential]) -> bool:
    """Tell whether a request claims to be signed in this way."""
    return head(SIGNATURE) is not None or head(ID) is not None


def verify(
    head: Head, body: bytes, accepted: Sequence[Credential], *, now: float
) -> Verified:
    """
    Check a request over the bytes that were received.

    Raises:
        Forged: with a ``Reason``.
    """
    message_id = head(ID)
    if message_id is None:
        raise Forged(Reason.ID_MISSING)
    if _ID.match(message_id) is None:
        raise Forged(Reason.ID_MALFORMED)
    timestamp = freshness.well_formed(head(TIMESTAMP))
    macs, signatures = _signatures(head(SIGNATURE))
    signed = b"%b.%b.%b" % (message_id, timestamp, body)
    for credential in accepted:
        match credential.material:
            case bytes() as key:
                right = bool(macs) and _any_mac(key, signed, macs)
            case Ed25519PublicKey() as key:
                right = _any_signature(key, signed, signatures)
            case _:
                right = False
        if right:
            freshness.require(timestamp, now=now)
            return Verified(credential.secret_id, message_id.decode("ascii"))
    raise Forged(
        Reason.SIGNATURE_WRONG if macs or signatures else Reason.VERSION_UNKNOWN
    )


def _signatures(header: bytes | None) -> tuple[list[bytes], list[bytes]]:
    """Part the list by version; versions that we do not know are passed over."""
    if header is None:
        raise Forged(Reason.SIGNATURE_MISSING)
    listed = header.split()
    if not listed:
        raise Forged(Reason.SIGNATURE_MISSING)
    if len(listed) > SIGNATURES_TAKEN:
        raise Forged(Reason.SIGNATURES_TOO_MANY)
    found: dict[bytes, list[bytes]] = {b"v1": [], b"v1a": []}
    for item in listed:
        version, comma, text = item.partition(b",")
        if not comma:
            raise Forged(Reason.SIGNATURE_MALFORMED)
        if version in found:
            found[version].append(_decoded(text))
    macs = [mac for mac in found[b"v1"] if len(mac) == _MAC_BYTES]
    signatures = [item for item in found[b"v1a"] if len(item) == _ED25519_BYTES]
    if len(macs) + len(signatures) < len(found[b"v1"]) + len(found[b"v1a"]):
        raise Forged(Reason.SIGNATURE_MALFORMED)
    return macs, signatures


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as exc:
        raise Forged(Reason.SIGNATURE_MALFORMED) from exc


def _any_mac(key: bytes, signed: bytes, macs: Sequence[bytes]) -> bool:
    expected = hmac.digest(key, signed, "sha256")
    return any(hmac.compare_digest(expected, mac) for mac in macs)


def _any_signature(
    key: Ed25519PublicKey, signed: bytes, signatures: Sequence[bytes]
) -> bool:
    for signature in signatures:
        try:
            key.verify(signature, signed)
        except InvalidSignature:
            continue
        return True
    return False
