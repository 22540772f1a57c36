"""Signed with an org's certificate: RSA and SHA-256 over ``<timestamp>.<body>``.

The sender is the package's Apex (``ReferralEventSender``); the private key never
leaves Salesforce. ``Crypto.signWithCertificate('RSA-SHA256', ...)``, Apex Reference
Guide, is RSASSA-PKCS1-v1_5.
"""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import (
    Certificate,
    load_der_x509_certificate,
    load_pem_x509_certificates,
)

from sidecar.errors import Forged, Permanent
from sidecar.intake.signatures import freshness
from sidecar.intake.signatures.credentials import Credential, Head, Verified
from sidecar.intake.signatures.reasons import Reason

TIMESTAMP = "x-referral-timestamp"
SIGNATURE = "x-referral-signature"

_KEY_BITS = range(2048, 8193)
_LONGEST_SIGNATURE = _KEY_BITS[-1] // 6 + 4


def certificate(given: bytes) -> Certificate:
    """
    Read a certificate as Salesforce gives it out: PEM, or DER.

    Of a chain it is the one that has issued none of the others.

    Raises:
        Permanent: it is none, or its key is not RSA of 2048 to 8192 bits.
    """
    if b"-----BEGIN CERTIFICATE REQUEST" in given:
        raise Permanent(
            "this is a signing request and no certificate yet: have it signed, and "
            "upload the signed chain in Setup, Certificate and Key Management"
        )
    try:
        if b"-----BEGIN" in given:
            found = _last(load_pem_x509_certificates(given))
        else:
            found = load_der_x509_certificate(given)
        key = found.public_key()
    except Exception as exc:
        raise Permanent(f"this is no certificate in PEM or DER: {exc}") from exc
    if not isinstance(key, RSAPublicKey) or key.key_size not in _KEY_BITS:
        raise Permanent(
            "the certificate's key is not RSA of 2048 bits or more; create it in "
            "Setup, Certificate and Key Management, with a key size of 2048 or 4096"
        )
    return found


def _last(chain: Sequence[Certificate]) -> Certificate:
    issuers = {each.issuer for each in chain if each.issuer != each.subject}
    return next((each for each in chain if each.subject not in issuers), chain[0])


def used(head: Head, _accepted: Sequence[Credential]) -> bool:
    """Tell whether a request claims to be signed in this way."""
    return head(SIGNATURE) is not None


def verify(
    head: Head, body: bytes, accepted: Sequence[Credential], *, now: float
) -> Verified:
    """
    Check a request over the bytes that were received.

    Raises:
        Forged: with a ``Reason``.
    """
    timestamp = freshness.well_formed(head(TIMESTAMP))
    signature = _signature(head(SIGNATURE))
    signed = b"%b.%b" % (timestamp, body)
    for credential in accepted:
        known = credential.material
        if isinstance(known, Certificate) and _fits(known, signature, signed):
            _require_valid(known, datetime.fromtimestamp(now, UTC))
            freshness.require(timestamp, now=now)
            return Verified(credential.secret_id)
    raise Forged(Reason.CERTIFICATE_SIGNATURE_WRONG)


def _signature(header: bytes | None) -> bytes:
    if not header:
        raise Forged(Reason.SIGNATURE_MISSING)
    if len(header) > _LONGEST_SIGNATURE:
        raise Forged(Reason.SIGNATURE_MALFORMED)
    try:
        return base64.b64decode(header, validate=True)
    except binascii.Error as exc:
        raise Forged(Reason.SIGNATURE_MALFORMED) from exc


def _fits(known: Certificate, signature: bytes, signed: bytes) -> bool:
    key = known.public_key()
    if not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _require_valid(known: Certificate, at: datetime) -> None:
    if at > known.not_valid_after_utc:
        raise Forged(Reason.CERTIFICATE_EXPIRED)
    if at < known.not_valid_before_utc:
        raise Forged(Reason.CERTIFICATE_NOT_YET)
