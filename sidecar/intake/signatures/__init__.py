"""Whether a request is from whom it says: one module for each scheme.

All of them work on the bytes that were received, compare in constant time, and refuse
with a ``Reason`` and nothing else, whatever a header holds.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sidecar.errors import Forged
from sidecar.intake.signatures import org_certificate, standard_webhooks, token
from sidecar.intake.signatures.credentials import (
    Credential,
    Head,
    Material,
    Verified,
)
from sidecar.intake.signatures.reasons import Reason
from sidecar.store.webhook_secrets import Kind, Secret


class _Scheme(NamedTuple):
    kinds: frozenset[Kind]
    used: Callable[[Head, Sequence[Credential]], bool]
    verify: Callable[..., Verified]


# Strongest first.
_SCHEMES = (
    _Scheme(
        frozenset({Kind.ORG_CERTIFICATE}),
        org_certificate.used,
        org_certificate.verify,
    ),
    _Scheme(
        frozenset({Kind.STANDARD_WEBHOOKS, Kind.STANDARD_WEBHOOKS_ED25519}),
        standard_webhooks.used,
        standard_webhooks.verify,
    ),
    _Scheme(frozenset({Kind.BEARER}), token.bearer_used, token.verify_bearer),
    _Scheme(frozenset({Kind.API_KEY}), token.key_used, token.verify_key),
)


def credential(secret: Secret) -> Credential:
    """
    Make a secret ready to verify with.

    Raises:
        Permanent: it is not what its kind says.
    """
    header = (secret.header or token.KEY_HEADER).lower()
    return Credential(
        secret.id,
        secret.kind,
        material(secret.kind, secret.value),
        header if secret.kind is Kind.API_KEY else "",
    )


def material(kind: Kind, value: str) -> Material:
    """
    Read what is kept of a secret.

    Raises:
        Permanent: it is not what its kind says.
    """
    match kind:
        case Kind.STANDARD_WEBHOOKS:
            return standard_webhooks.symmetric(value)
        case Kind.STANDARD_WEBHOOKS_ED25519:
            return standard_webhooks.asymmetric(value)
        case Kind.ORG_CERTIFICATE:
            return org_certificate.certificate(value.encode())
        case Kind.BEARER | Kind.API_KEY | Kind.CANVAS:
            return value


def verify(
    head: Head, body: bytes, accepted: Sequence[Credential], *, now: float
) -> Verified:
    """
    Check a request against what its connection accepts.

    Of the schemes that the connection has secrets for, the strongest that the request
    uses decides: a wrong signature is not mended by a right token.

    Args:
        head: the request's headers.
        body: the bytes as they were received.
        now: seconds since 1970, UTC.

    Raises:
        Forged: with a ``Reason``.
    """
    for scheme in _SCHEMES:
        mine = [known for known in accepted if known.kind in scheme.kinds]
        if mine and scheme.used(head, mine):
            return scheme.verify(head, body, mine, now=now)
    sent = any(scheme.used(head, ()) for scheme in _SCHEMES)
    raise Forged(Reason.NOT_ACCEPTED if sent else Reason.NOTHING_SENT)
