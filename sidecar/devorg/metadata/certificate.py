"""Certificate: a pair of keys that the org makes, and whose private half it keeps.

Deployed with an empty file, or created in Setup. A self-signed one lasts a year with
2048 bits and two with 4096; one that an authority is to sign is retrieved as a signing
request until the signed chain has been deployed over it.

Source: "Certificate", Metadata API Developer Guide; deployments of setup scripts that
create one with an empty ``.crt`` and retrieve the PEM.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sidecar.devorg.metadata.component import Component, Part
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    add,
    check,
    child,
    flag,
    make,
    number,
    text,
)
from sidecar.devorg.metadata.work import Work, check_length, check_name

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

TYPE, PREFIX = "Certificate", "0P1"
_YEARS = {2048: 1, 4096: 2}


def apply(work: Work, part: Part, _component_id: str) -> RSAPrivateKey:
    """
    Create a certificate, or take a signed chain for one; return its private key.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, TYPE)
    check_name(part.full_name)
    check_length("MasterLabel", text(element, "masterLabel"), 64)
    before = work.components.get(TYPE, part.full_name)
    given = base64.b64decode(text(element, "content") or "")
    if before is None:
        return _create(element, part.full_name, work.org.clock.now())
    key = _key(before)
    kept = base64.b64decode(text(before.element, "content") or "")
    _write(element, _chain(given, key) if given.strip() not in {b"", kept} else kept)
    return key


def create_in_setup(org: Org, names: Iterable[str]) -> None:
    """Create self-signed certificates as an admin does, where there are none yet."""
    company = org.records.table("Organization").rows[org.id]
    by, at = str(company["CreatedById"]), org.clock.second()
    for name in names:
        if org.metadata.components.get(TYPE, name) is not None:
            continue
        element = make(TYPE)
        add(element, "caSigned", "false")
        add(element, "masterLabel", name)
        key = _create(element, name, org.clock.now())
        id_, file = org.ids.new(PREFIX), f"certs/{name}.crt"
        org.metadata.components.put(
            Component(id_, TYPE, name, file, element, key, by, at, by, at)
        )


def sign(org: Org, name: str, content: bytes) -> bytes | None:
    """Sign as ``Crypto.signWithCertificate('RSA-SHA256', ...)``; None: no such name."""
    found = org.metadata.components.get(TYPE, name)
    return None if found is None else _key(found).sign(content, PKCS1v15(), SHA256())


def _key(component: Component) -> RSAPrivateKey:
    if not isinstance(component.value, RSAPrivateKey):
        raise TypeError(f"{component.full_name} has no key")
    return component.value


def _create(element: Element, name: str, now: datetime) -> RSAPrivateKey:
    bits = number(element, "keySize") or 2048
    if bits not in _YEARS:
        raise Problem(f"Invalid key size: {bits}")
    key = generate_private_key(public_exponent=65537, key_size=bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    ends = now + timedelta(days=365 * _YEARS[bits])
    if flag(element, "caSigned"):
        request = x509.CertificateSigningRequestBuilder().subject_name(subject)
        content = request.sign(key, SHA256()).public_bytes(Encoding.PEM)
    else:
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(ends)
        )
        content = made.sign(key, SHA256()).public_bytes(Encoding.PEM)
    _say(element, "keySize", str(bits))
    _say(element, "expirationDate", f"{ends:%Y-%m-%dT%H:%M:%S.000Z}")
    _write(element, content)
    return key


def _chain(given: bytes, key: RSAPrivateKey) -> bytes:
    """Take the chain that an authority has signed for this key."""
    try:
        keys = [each.public_key() for each in x509.load_pem_x509_certificates(given)]
    except ValueError as exc:
        raise Problem("The certificate is not a valid PEM certificate chain") from exc
    if key.public_key() not in keys:
        raise Problem("The certificate does not belong to this certificate's key")
    return given


def _write(element: Element, content: bytes) -> None:
    _say(element, "content", base64.b64encode(content).decode())


def _say(element: Element, tag: str, value: str) -> None:
    found = child(element, tag)
    if found is None:
        add(element, tag, value)
    else:
        found.text = value
