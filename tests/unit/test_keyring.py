"""The key ring: sealed with the newest key, opened with any, by nobody else."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
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
