"""New secrets: what is kept of one, and what its sender is told once."""

import base64
import re
import secrets
from datetime import datetime
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509 import Certificate

from sidecar.errors import Permanent
from sidecar.intake.signatures import org_certificate, standard_webhooks
from sidecar.keyring import fingerprint
from sidecar.store.webhook_secrets import Kind

_SECRET_BYTES = 32


class Issued(NamedTuple):
    """
    A secret.

    Attributes:
        value: what the connection keeps, as ``Kind`` says.
        shown: what the sender needs; None where he has it already.
        not_after: a certificate's end, aware.
    """

    value: str
    shown: str | None = None
    not_after: datetime | None = None


def issue(kind: Kind, given: bytes | None = None) -> Issued:
    """
    Make a secret, or take the one that the sender gave.

    Args:
        given: the sender's ``whsec_`` or ``whpk_``, the org's certificate, or the
            app's consumer secret; tokens and keys are always ours, for they are as
            strong as we make them.

    Raises:
        Permanent: what was given is not of this kind, or is missing, or needless.
    """
    if given is not None:
        return _taken(kind, given)
    match kind:
        case Kind.ORG_CERTIFICATE:
            raise Permanent(
                "the org's certificate is needed: --from-org Referral_Signing reads "
                "it; or download it in Setup, Certificate and Key Management, and give "
                "it with --from-file"
            )
        case Kind.CANVAS:
            raise Permanent(
                "the app's consumer secret is needed: Salesforce shows it in Setup, "
                "External Client App Manager, the app, Settings, OAuth Settings; give "
                "it with --from-file"
            )
        case Kind.BEARER | Kind.API_KEY:
            token = secrets.token_urlsafe(_SECRET_BYTES)
            return Issued(fingerprint(token), token)
        case Kind.STANDARD_WEBHOOKS:
            text = base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
            secret = standard_webhooks.SECRET_PREFIX + text
            return Issued(secret, secret)
        case Kind.STANDARD_WEBHOOKS_ED25519:
            return _pair(Ed25519PrivateKey.generate())


def _taken(kind: Kind, given: bytes) -> Issued:
    text = given.decode("ascii", "replace").strip()
    match kind:
        case Kind.ORG_CERTIFICATE:
            return _certificate(org_certificate.certificate(given))
        case Kind.BEARER | Kind.API_KEY:
            raise Permanent("tokens and keys are made here, and given to the sender")
        case Kind.STANDARD_WEBHOOKS:
            standard_webhooks.symmetric(text)
        case Kind.STANDARD_WEBHOOKS_ED25519:
            standard_webhooks.asymmetric(text)
        case Kind.CANVAS:
            if not re.fullmatch(r"[!-~]{8,512}", text):
                raise Permanent(
                    "that is no consumer secret: it is one line of 8 to 512 characters "
                    "without blanks, as the app's settings show it"
                )
    return Issued(text)


def _certificate(found: Certificate) -> Issued:
    pem = found.public_bytes(Encoding.PEM).decode()
    return Issued(pem, not_after=found.not_valid_after_utc)


def _pair(private: Ed25519PrivateKey) -> Issued:
    """Of a pair the private half goes to the sender and is kept nowhere here."""
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    seed = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return Issued(
        standard_webhooks.PUBLIC_PREFIX + base64.b64encode(public).decode(),
        standard_webhooks.PRIVATE_PREFIX + base64.b64encode(seed).decode(),
    )
