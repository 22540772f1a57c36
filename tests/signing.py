"""Senders of events, as the ones outside sign: for tests and the bench alone."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

Headers = dict[str, str]


def standard(
    secret: str, body: bytes, *, message_id: str, at: float, **more: str
) -> Headers:
    """Sign as Standard Webhooks does, version ``v1``."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{int(at)}.".encode() + body
    mac = hmac.new(key, signed, hashlib.sha256).digest()
    return _standard(message_id, at, "v1," + base64.b64encode(mac).decode()) | more


def standard_ed25519(
    key: ed25519.Ed25519PrivateKey, body: bytes, *, message_id: str, at: float
) -> Headers:
    """Sign as Standard Webhooks does, version ``v1a``."""
    signature = key.sign(f"{message_id}.{int(at)}.".encode() + body)
    return _standard(message_id, at, "v1a," + base64.b64encode(signature).decode())


def _standard(message_id: str, at: float, signature: str) -> Headers:
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": signature,
    }


def by_org(key: rsa.RSAPrivateKey, body: bytes, *, at: float) -> Headers:
    """Sign as the package's Apex does with the org's certificate."""
    signed = f"{int(at)}.".encode() + body
    signature = key.sign(signed, padding.PKCS1v15(), SHA256())
    return {
        "x-referral-timestamp": str(int(at)),
        "x-referral-key-id": "Referral_Signing",
        "x-referral-signature": base64.b64encode(signature).decode(),
    }


def certificate(
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey,
    *,
    name: str = "Referral_Signing",
    begins: datetime | None = None,
    days: int = 365,
    issuer: "tuple[x509.Certificate, rsa.RSAPrivateKey] | None" = None,
    authority: bool = False,
    dns: tuple[str, ...] = (),
    purposes: tuple[x509.ObjectIdentifier, ...] = (),
) -> x509.Certificate:
    """Make a certificate, of one's own unless an issuer is given."""
    begins = begins or datetime.now(UTC) - timedelta(days=1)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = issuer[1] if issuer else key
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            critical=False,
        )
    )
    if authority:
        usage = dict.fromkeys(_USAGES, False) | {"key_cert_sign": True}
        made = made.add_extension(x509.KeyUsage(**usage), critical=True)
    if dns:
        names = x509.SubjectAlternativeName([x509.DNSName(name) for name in dns])
        made = made.add_extension(names, critical=False)
    if purposes:
        made = made.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    hashed = None if isinstance(signer, ed25519.Ed25519PrivateKey) else SHA256()
    return made.sign(signer, hashed)


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def pem(certificate: x509.Certificate) -> str:
    """As Salesforce lets it be downloaded."""
    return certificate.public_bytes(Encoding.PEM).decode()


def canvas(secret: str, document: bytes) -> str:
    """Sign as Salesforce Canvas does."""
    content = base64.b64encode(document)
    mac = hmac.new(secret.encode(), content, hashlib.sha256).digest()
    return base64.b64encode(mac).decode() + "." + content.decode()
