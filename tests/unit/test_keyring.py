"""The key ring: sealed with the newest key, opened with any, by nobody else."""

import base64
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import Permanent
from sidecar.keyring import Keyring, fingerprint, new_hook_key, new_key

OLD, NEW = new_key(), new_key()
# Whatever a database can hold; lone surrogates are no text.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS)
def test_what_was_sealed_opens_again(text: str) -> None:
    ring = Keyring([NEW])

    sealed = ring.seal(text)

    assert sealed.isascii()
    assert ring.open(sealed) == text
    assert len(text) < 4 or text not in sealed


def test_the_same_text_is_never_sealed_alike() -> None:
    ring = Keyring([NEW])

    assert ring.seal("text") != ring.seal("text")


def test_keys_rotate_without_a_stop() -> None:
    before = Keyring([OLD])
    during = Keyring([NEW, OLD])
    after = Keyring([NEW])

    assert during.open(before.seal("text")) == "text"
    assert after.open(during.seal("text")) == "text"
    with pytest.raises(Permanent, match="not in the key ring"):
        after.open(before.seal("text"))


@given(place=st.integers(0, 88), bit=st.integers(0, 7))
def test_a_changed_text_does_not_open(place: int, bit: int) -> None:
    ring = Keyring([NEW])
    token = bytearray(urlsafe_b64decode(ring.seal("a text of thirty-two characters")))
    assert len(token) == 89
    token[place] ^= 1 << bit

    with pytest.raises(Permanent):
        ring.open(urlsafe_b64encode(token).decode())


@given(st.text())
def test_whatever_is_opened_it_opens_or_is_refused(text: str) -> None:
    with pytest.raises(Permanent):
        Keyring([NEW]).open(text)


@pytest.mark.parametrize(
    "keys", [[], [""], ["short"], [NEW, "x" * 43], ["ä" * 44], [NEW[:-5]]]
)
def test_a_ring_without_keys_or_with_a_malformed_one_is_refused(
    keys: list[str],
) -> None:
    with pytest.raises(Permanent, match="SIDECAR_KEYS") as raised:
        Keyring(keys)

    assert not any(key in str(raised.value) for key in keys if key)


def test_a_hook_key_is_unguessable_and_fits_into_an_address() -> None:
    keys = {new_hook_key() for _ in range(100)}

    assert len(keys) == 100
    assert all(
        len(key) >= 43 and key.replace("-", "").replace("_", "").isalnum()
        for key in keys
    )


def test_of_a_hook_key_only_a_fingerprint_is_kept() -> None:
    key = new_hook_key()

    assert fingerprint(key) == fingerprint(key)
    assert fingerprint(key) != fingerprint(key + "x")
    assert key not in fingerprint(key)


def test_no_two_values_are_sealed_with_the_same_vector_in_any_thread_or_fork():
    """An initialisation vector used twice would tell which values begin alike."""
    ring = Keyring([new_key()])

    def vectors() -> list[bytes]:
        tokens = [ring.seal("the same") for _ in range(600)]
        return [base64.urlsafe_b64decode(token)[9:25] for token in tokens]

    seen = vectors()
    with ThreadPoolExecutor(4) as threads:
        for some in threads.map(lambda _: vectors(), range(4)):
            seen += some
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"".join(vectors()[:100]))
        os._exit(0)
    os.close(writer)
    told = b""
    while more := os.read(reader, 65536):
        told += more
    os.close(reader)
    os.waitpid(child, 0)
    seen += [told[place : place + 16] for place in range(0, len(told), 16)]
    seen += vectors()

    assert len(told) == 1600
    assert len(set(seen)) == len(seen)


def test_what_is_sealed_is_a_fernet_token_that_others_open():
    key = new_key()

    assert (
        Fernet(key).decrypt(Keyring([key]).seal("Zo\u00eb").encode())
        == "Zo\u00eb".encode()
    )


def test_a_mark_is_ours_for_its_purpose_alone_and_outlives_a_new_key():
    old, new = new_key(), new_key()
    mark = Keyring([old]).mac("link", b"data")

    assert Keyring([new, old]).is_mac("link", b"data", mark)
    assert not Keyring([new, old]).is_mac("link", b"other", mark)
    assert not Keyring([new, old]).is_mac("other", b"data", mark)
    assert not Keyring([new, old]).is_mac("lin", b"kdata", mark)
    assert not Keyring([new]).is_mac("link", b"data", mark)
    assert Keyring([new, old]).mac("link", b"data") != mark
