"""Links in mails: only ours count, each for what it was made."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.keyring import Keyring, new_key
from sidecar.mail import links
from sidecar.mail.links import Act, Link

RING = Keyring([new_key()])
LINK = Link(
    act=Act.CONTACTED,
    connection_id=7,
    user_id="005000000000001AAA",
    locale="de_DE",
    expires_at=datetime(2026, 3, 17, 12, tzinfo=UTC),
    follow_up_id=4711,
    referral_key="00Q000000000001EAA",
)


def test_a_link_says_what_it_was_made_for() -> None:
    assert links.read(links.token(LINK, RING), RING) == LINK
    assert links.address("https://sidecar.example.com", LINK, RING).startswith(
        "https://sidecar.example.com/m/"
    )


@pytest.mark.parametrize("act", list(Act))
def test_each_purpose_has_a_token_of_its_own(act: Act) -> None:
    other = replace(LINK, act=act)

    assert (links.token(other, RING) == links.token(LINK, RING)) == (act is LINK.act)


@given(st.text(max_size=300))
@example("")
@example("é" * 50)
@example("A" * 5000)
@example("A" * 43)
@example("AAAA====")
def test_what_is_none_of_ours_is_none(text: str) -> None:
    assert links.read(text, RING) is None


@given(place=st.integers(0), bit=st.integers(0, 5))
def test_no_character_of_a_token_may_be_another(place: int, bit: int) -> None:
    """Not even one whose last bits say nothing."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = links.token(LINK, RING)
    place %= len(token)
    other = letters[letters.index(token[place]) ^ (1 << bit)]

    assert links.read(token[:place] + other + token[place + 1 :], RING) is None


def test_somebody_elses_key_makes_no_link() -> None:
    token = links.token(LINK, Keyring([new_key()]))

    assert links.read(token, RING) is None


def test_a_link_outlives_a_new_key_of_the_ring() -> None:
    old, new = new_key(), new_key()
    token = links.token(LINK, Keyring([old]))

    assert links.read(token, Keyring([new, old])) == LINK
    assert links.read(token, Keyring([new])) is None


def test_an_address_fits_into_a_line_of_mail() -> None:
    """RFC 5322, section 2.1.1: a line has at most 998 characters."""
    long = replace(LINK, connection_id=2**31, follow_up_id=2**60)
    address = links.address(
        "https://a-rather-long-name.example.com/sidecar", long, RING
    )

    assert len(f"List-Unsubscribe: <{address}>") < 300
