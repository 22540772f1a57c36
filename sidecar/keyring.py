"""The key ring: what is secret is sealed before it reaches the database."""

import base64
import hashlib
import hmac
import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sidecar.errors import Permanent

_UNWRAPPED_SECONDS = 180
_MOST_UNWRAPPED = 4096


class Keyring:
    """
    Seals with the newest key, opens with any.

    Source: "Fernet key rotation", cryptography's documentation of MultiFernet.
    """

    def __init__(
        self, keys: Sequence[str], *, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Args:
            keys: Fernet keys (32 bytes, url-safe base64), newest first.
            ticks: seconds, for what is remembered for a while.

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
        self._keys = tuple(keys)
        self._ticks = ticks
        self._unwrapped: dict[str, tuple[float, Keyring]] = {}
        self._unwrapping = threading.Lock()

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

    def renewed(self, sealed: str) -> str | None:
        """
        Seal with the newest key what an older one has sealed; None where it has.

        Raises:
            Permanent: as ``open``.
        """
        try:
            self._newest.decrypt(sealed.encode())
        except InvalidToken:
            return self.seal(self.open(sealed))
        return None

    def unwrap(self, sealed: str) -> "Keyring":
        """
        Open a key that this ring has sealed: a ring of that one key.

        It is remembered for some minutes, so whoever asks looks up first whether the
        sealed key is still there.

        Raises:
            Permanent: as ``open``.
        """
        with self._unwrapping:
            kept = self._unwrapped.get(sealed)
        if kept is not None and kept[0] > self._ticks():
            return kept[1]
        inner = Keyring([self.open(sealed)])
        with self._unwrapping:
            self._forget_old_keys()
            self._unwrapped[sealed] = (self._ticks() + _UNWRAPPED_SECONDS, inner)
        return inner

    def _forget_old_keys(self) -> None:
        """The oldest stand in front."""
        now = self._ticks()
        for sealed, (until, _) in list(self._unwrapped.items()):
            if until > now and len(self._unwrapped) < _MOST_UNWRAPPED:
                return
            del self._unwrapped[sealed]

    @cached_property
    def _mac_keys(self) -> list[bytes]:
        return [_derived(key, b"sidecar links, HMAC-SHA256, 1") for key in self._keys]

    def mac(self, purpose: str, data: bytes) -> bytes:
        """
        Mark data as ours, with the newest key: 32 bytes.

        Args:
            purpose: what the mark says; one for another purpose does not fit.
        """
        return _mac(self._mac_keys[0], purpose, data)

    def is_mac(self, purpose: str, data: bytes, mac: bytes) -> bool:
        """Tell whether a key of this ring has marked these data for this purpose."""
        fits = [
            hmac.compare_digest(_mac(key, purpose, data), mac) for key in self._mac_keys
        ]
        return any(fits)

    @cached_property
    def _signers(self) -> list[Ed25519PrivateKey]:
        return [_signer(key) for key in self._keys]

    def sign(self, document: bytes) -> tuple[str, str]:
        """
        Sign with the newest key.

        Returns:
            The public key and the signature (Ed25519), each in base64.
        """
        signer = self._signers[0]
        return _public(signer), base64.b64encode(signer.sign(document)).decode()

    def is_ours(self, public_key: str) -> bool:
        """Tell whether a public key belongs to a key of this ring."""
        return any(_public(signer) == public_key for signer in self._signers)


def signed_by(public_key: str, signature: str, document: bytes) -> bool:
    """Tell whether the holder of a public key signed these bytes."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
        key.verify(base64.b64decode(signature), document)
    except (InvalidSignature, ValueError):
        return False
    return True


def _signer(key: str) -> Ed25519PrivateKey:
    """
    A signing key of its own for each key of the ring: nothing more to keep or rotate.

    HKDF goes one way only: a signing key that leaks opens nothing that is sealed.
    """
    return Ed25519PrivateKey.from_private_bytes(
        _derived(key, b"sidecar reports, Ed25519, 1")
    )


def _derived(key: str, info: bytes) -> bytes:
    """32 bytes of their own for one use of a key."""
    made = HKDF(SHA256(), 32, salt=None, info=info)
    return made.derive(base64.urlsafe_b64decode(key))


def _mac(key: bytes, purpose: str, data: bytes) -> bytes:
    named = purpose.encode()
    return hmac.digest(key, len(named).to_bytes(2) + named + data, "sha256")


def _public(signer: Ed25519PrivateKey) -> str:
    return base64.b64encode(signer.public_key().public_bytes_raw()).decode()


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
