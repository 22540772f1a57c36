"""The certificate that Salesforce shows: issuer and name are checked, never the one.

Salesforce replaces its client certificate often, and a receiver that knows only the
last one is cut off. So what counts is who issued it, and for which name.

It is shown to us where we end TLS ourselves; else a proxy of ours passes it on in a
header, in one of the three ways that are common: as RFC 9440 has it (``:Base64:``), as
PEM with percent signs (nginx, AWS), or as PEM with blanks for line ends (Apache).

Source: "Client Certificate", Salesforce developer wiki: CN ``proxy.salesforce.com``.
"""

import base64
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import (
    ExtensionPolicy,
    PolicyBuilder,
    Store,
)

from sidecar.errors import Forged, Permanent
from sidecar.intake import request
from sidecar.intake.signatures.reasons import Reason
from sidecar.store.webhook_secrets import SeenCertificate

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_LONGEST_HEADER = 32 * 1024
_CHAIN = 5
_PEM = re.compile(
    r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----"
)


def authorities(pem: bytes) -> Store:
    """
    Read whom to trust: roots, or the issuers below them.

    Raises:
        Permanent: there is no certificate, or one is broken.
    """
    try:
        return Store(x509.load_pem_x509_certificates(pem))
    except ValueError as exc:
        raise Permanent(f"no certificates in PEM: {exc}") from exc


def over_tls(environ: "WSGIEnvironment", *, at: datetime) -> x509.Certificate:
    """
    Give the certificate that the caller showed us in the handshake.

    TLS has then checked its chain; its end is checked again, for a connection may be
    kept for long.

    Raises:
        Forged: there is none, it has expired since, or we cannot read what TLS can.
    """
    sock = environ.get("gunicorn.socket")
    if not isinstance(sock, ssl.SSLSocket):
        raise Forged(Reason.CLIENT_CERTIFICATE_MISSING)
    # Of a caller who was not asked for one, nothing would have been checked.
    asked = sock.context.verify_mode != ssl.CERT_NONE
    der = sock.getpeercert(binary_form=True) if asked else None
    if not der:
        raise Forged(Reason.CLIENT_CERTIFICATE_MISSING)
    with _read():
        (found,) = _loaded(der)
    if at > found.not_valid_after_utc:
        raise Forged(Reason.CLIENT_CERTIFICATE_UNTRUSTED)
    return found


def from_header(
    environ: "WSGIEnvironment", name: str, trusted: Store, *, at: datetime
) -> x509.Certificate:
    """
    Give the certificate that a proxy of ours was shown, when its chain holds.

    Whether the caller is that proxy is the business of whoever asks.

    Raises:
        Forged: there is none, nobody can read it, or its chain does not hold.
    """
    value = request.header(environ, name)
    if not value:
        raise Forged(Reason.CLIENT_CERTIFICATE_MISSING)
    if len(value) > _LONGEST_HEADER:
        raise Forged(Reason.CLIENT_CERTIFICATE_MALFORMED)
    with _read():
        leaf, *between = _loaded(*_ders(value.decode("ascii")))
    _require_chain(leaf, between, trusted, at)
    return leaf


def names_of(found: x509.Certificate) -> set[str]:
    """
    Give the names that a certificate speaks for, in lower case.

    Raises:
        Forged: they cannot be read.
    """
    with _read():
        common = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        names = {str(name.value).lower() for name in common}
        for extension in found.extensions:
            if isinstance(extension.value, x509.SubjectAlternativeName):
                listed = extension.value.get_values_for_type(x509.DNSName)
                names |= {name.lower() for name in listed}
    return names


def seen(found: x509.Certificate) -> SeenCertificate:
    """
    Say what is to be remembered of a certificate.

    Raises:
        Forged: it cannot be read.
    """
    with _read():
        return SeenCertificate(
            fingerprint=found.fingerprint(SHA256()).hex(),
            subject=_line(found.subject),
            issuer=_line(found.issuer),
            not_after=found.not_valid_after_utc,
        )


def _line(name: x509.Name) -> str:
    return name.rfc4514_string().replace("\0", "")[:500]


@contextmanager
def _read() -> Iterator[None]:
    """Whatever a parser of certificates says, it is a certificate nobody can read."""
    try:
        yield
    except Exception as exc:  # its errors have no class in common
        raise Forged(Reason.CLIENT_CERTIFICATE_MALFORMED) from exc


def _ders(text: str) -> list[bytes]:
    if text.startswith(":"):
        return [base64.b64decode(text.strip(":"), validate=True)]
    plain = unquote(text, errors="strict") if "%" in text else text
    listed = _PEM.findall(plain)
    if not 1 <= len(listed) <= _CHAIN:
        raise ValueError("no certificates, or too many")
    return [base64.b64decode("".join(each.split()), validate=True) for each in listed]


@lru_cache(maxsize=64)
def _loaded(*ders: bytes) -> list[x509.Certificate]:
    """Read; kept, for the same few certificates come all day long."""
    return [x509.load_der_x509_certificate(der) for der in ders]


def _require_chain(
    leaf: x509.Certificate,
    between: Sequence[x509.Certificate],
    trusted: Store,
    at: datetime,
) -> None:
    """
    Follow the chain; of the leaf's purposes none is asked for.

    Public issuers no longer give out certificates "for clients" (Chrome Root Program
    Policy 1.6), so that one which is good today may be for servers alone tomorrow.
    """
    verifier = (
        PolicyBuilder()
        .store(trusted)
        .time(at)
        .extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca(),
            ee_policy=ExtensionPolicy.permit_all(),
        )
        .build_client_verifier()
    )
    try:
        verifier.verify(leaf, list(between))
    except Exception as exc:  # its errors have no class in common
        raise Forged(Reason.CLIENT_CERTIFICATE_UNTRUSTED) from exc
