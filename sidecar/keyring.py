"""The key ring: what is secret is sealed before it reaches the database."""

import hashlib
import secrets
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from sidecar.errors import Permanent


class Keyring:
    """
    Seals with the newest key, opens with any.

    Source: "Fernet key rotation", cryptography's documentation of MultiFernet.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """
        Args:
            keys: Fernet keys (32 bytes, url-safe base64), newest first.

        Raises:
            Permanent: there is no key, or one is malformed.
        """
        if not keys:
            raise Permanent(
                "no key to seal secrets with: set SIDECAR_KEYS or SIDECAR_KEYS_FILE "
                "(`sidecar keys new` prints a key)"
            )
        try:
            self._ring = MultiFernet([Fernet(key) for key in keys])
        except ValueError as exc:
            raise Permanent(
                "a key of SIDECAR_KEYS or SIDECAR_KEYS_FILE is none: it takes what "
                "`sidecar keys new` prints"
            ) from exc

    def seal(self, text: str | bytes) -> str:
        """Encrypt and sign; the result is ASCII."""
        given = text.encode() if isinstance(text, str) else text
        return self._ring.encrypt(given).decode()

    def open(self, sealed: str) -> str:
        """
        Undo ``seal``.

        Raises:
            Permanent: no key of the ring fits, or the text was changed.
        """
        try:
            return self._ring.decrypt(sealed.encode()).decode()
        except InvalidToken as exc:
            raise Permanent(
                "a sealed value cannot be opened: its key is not in the key ring"
            ) from exc


def new_key() -> str:
    """A fresh key for the ring."""
    return Fernet.generate_key().decode()


def new_hook_key() -> str:
    """A fresh connection key: 256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def fingerprint(hook_key: str) -> str:
    """
    What is stored of a connection key.

    A plain SHA-256 is enough for 256 random bits: there is nothing to guess that a
    slower hash would slow down.
    """
    return hashlib.sha256(hook_key.encode()).hexdigest()
