"""A secret that the sender shows as it is: a bearer token, or a key in a header.

A Flow's HTTP callout can compute no signature; its named credential can send a token.
An EventBridge API destination sends a key in a header that its connection names
("Connections for HTTP endpoint targets", Amazon EventBridge User Guide).
"""

import hmac
import re
from collections.abc import Sequence

from sidecar.errors import Forged
from sidecar.intake.signatures.credentials import Credential, Head, Verified
from sidecar.intake.signatures.reasons import Reason
from sidecar.keyring import fingerprint

AUTHORIZATION = "authorization"
KEY_HEADER = "x-api-key"
"""Where a key stands unless the connection says otherwise."""

# RFC 6750, section 2.1.
_BEARER = re.compile(rb"bearer +([A-Za-z0-9._~+/-]{1,4096}=*)\Z", re.IGNORECASE)
_KEY = re.compile(rb"[!-~]{1,4096}\Z")


def bearer_used(head: Head, _accepted: Sequence[Credential]) -> bool:
    """Tell whether a request shows any credentials in the standard place."""
    return head(AUTHORIZATION) is not None


def verify_bearer(
    head: Head,
    _body: bytes,
    accepted: Sequence[Credential],
    *,
    now: float,  # noqa: ARG001 a token has no time; the other schemes ask for it
) -> Verified:
    """
    Check a bearer token.

    Raises:
        Forged: with a ``Reason``.
    """
    found = _BEARER.match(head(AUTHORIZATION) or b"")
    if found is None:
        raise Forged(Reason.TOKEN_MALFORMED)
    return _known(found[1], accepted, Reason.TOKEN_WRONG)


def key_used(head: Head, accepted: Sequence[Credential]) -> bool:
    """Tell whether a request has a header in which we expect a key."""
    headers = {credential.header for credential in accepted} or {KEY_HEADER}
    return any(head(name) is not None for name in headers)


def verify_key(
    head: Head,
    _body: bytes,
    accepted: Sequence[Credential],
    *,
    now: float,  # noqa: ARG001
) -> Verified:
    """
    Check a key in a header.

    Raises:
        Forged: with a ``Reason``.
    """
    shown = {credential.header: head(credential.header) for credential in accepted}
    if any(key is not None and _KEY.match(key) is None for key in shown.values()):
        raise Forged(Reason.KEY_MALFORMED)
    for name, key in shown.items():
        if key is not None:
            mine = [credential for credential in accepted if credential.header == name]
            try:
                return _known(key, mine, Reason.KEY_WRONG)
            except Forged:
                continue
    raise Forged(Reason.KEY_WRONG)


def _known(shown: bytes, accepted: Sequence[Credential], otherwise: Reason) -> Verified:
    """Compare hashes: how long it takes says nothing about what is right."""
    given = fingerprint(shown.decode("ascii"))
    fitting = [
        credential.secret_id
        for credential in accepted
        if hmac.compare_digest(given, str(credential.material))
    ]
    if not fitting:
        raise Forged(otherwise)
    return Verified(fitting[0])
