"""The key ring: what is secret is sealed before it reaches the database."""

import hashlib
import os
import secrets
import threading
import time
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
            fernets = [Fernet(key) for key in keys]
        except ValueError as exc:
            raise Permanent(
                "a key of SIDECAR_KEYS or SIDECAR_KEYS_FILE is none: it takes what "
                "`sidecar keys new` prints"
            ) from exc
        self._newest = fernets[0]
        self._ring = MultiFernet(fernets)

    def seal(self, text: str | bytes) -> str:
        """Encrypt and sign; the result is ASCII."""
        given = text.encode() if isinstance(text, str) else text
        # What ``encrypt`` does, but for where the initialisation vector comes from.
        sealed = self._newest._encrypt_from_parts(given, int(time.time()), _fresh_iv())
        return sealed.decode()

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


_IV_BYTES = 16
_random = threading.local()


def _fresh_iv() -> bytes:
    """
    Sixteen bytes of the system's randomness, each of them given out once.

    Asking the system for every value lets go of the interpreter each time: with a
    hundred notifications in a message the doors are a fifth slower
    (docs/performance.md). So a thread asks for 256 at once.
    """
    pool: bytes = getattr(_random, "pool", b"")
    if len(pool) < _IV_BYTES:
        pool = os.urandom(256 * _IV_BYTES)
    _random.pool = pool[_IV_BYTES:]
    return pool[:_IV_BYTES]


def _forget_random() -> None:
    _random.pool = b""


# A forked process must not give out what its parent gives out as well.
os.register_at_fork(after_in_child=_forget_random)


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
