"""What a scheme is given, and what it gives back."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509 import Certificate

from sidecar.store.webhook_secrets import Kind

Head: TypeAlias = Callable[[str], bytes | None]
"""A request's headers: the value of a name in lower case, or None."""

Material: TypeAlias = "bytes | str | Ed25519PublicKey | Certificate"
"""What verifies: a key, a token's SHA-256 in hex, a public key, a certificate."""


class Credential(NamedTuple):
    """One secret of a connection, made ready to verify with."""

    secret_id: int
    kind: Kind
    material: Material
    header: str = ""
    """In lower case; only for kinds that leave open where the sender puts it."""


class Verified(NamedTuple):
    """Which secret fitted, and the sender's own id of the message where it has one."""

    secret_id: int
    message_id: str | None = None
