"""Ids: two lengths, one record."""

from hypothesis import given
from hypothesis import strategies as st

from sidecar.devorg.ids import Ids, base62, checksum, full_id, same_id

_ID15 = st.text(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    min_size=15,
    max_size=15,
)


def test_the_checksum_is_the_one_that_salesforce_computes():
    # Known pairs: an all-lower-case id, one of digits, and mixed ones.
    assert checksum("000000000000000") == "AAA"
    assert checksum("012000000000000") == "AAA"
    assert checksum("ABCDEABCDEABCDE") == "555"
    assert checksum("001A0000006Vm9r") == "IAC"


@given(_ID15)
def test_an_id_that_lost_its_case_is_found_by_its_checksum(id15):
    full = id15 + checksum(id15)

    assert full_id(id15) == full
    assert full_id(full.lower()) == full
    assert full_id(full.upper()) == full
    assert same_id(id15, full)


def test_what_is_no_id_is_no_id():
    for text in ("", "001", "001A0000006Vm9", "001A0000006Vm9!", "001A0000006Vm9rIA"):
        assert full_id(text) is None
    # A digit cannot be a capital.
    assert full_id("000000000000000ZZZ") is None


def test_two_orgs_share_no_id():
    one, other = Ids(seed=1), Ids(seed=2)

    ids = {one.new("00Q") for _ in range(100)}

    assert len(ids) == 100
    assert not ids & {other.new("00Q") for _ in range(100)}


@given(st.integers(0, 62**9 - 1))
def test_serials_in_order_are_ids_in_order(number):
    assert base62(number, 9) < base62(number + 1, 10)[-9:] or number == 62**9 - 1
