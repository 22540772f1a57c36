"""Ids: the 15- and the 18-character form of an id are the same id everywhere."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.salesforce.ids import is_id, same_org, to_18

LETTERS = string.ascii_letters + string.digits
IDS = st.text(LETTERS, min_size=15, max_size=15)

# Salesforce's rule, done by hand: from the right, five letters are five bits, 1 for a
# capital; the number of 0 to 31 is a letter of A-Z0-5.
TABLE = {
    "000000000000000": "AAA",
    "aaaaaaaaaaaaaaa": "AAA",
    "AAAAAAAAAAAAAAA": "555",
    "Aaaaaaaaaaaaaaa": "BAA",
    "aAaaaaaaaaaaaaa": "CAA",
    "aaAaaaaaaaaaaaa": "EAA",
    "aaaAaaaaaaaaaaa": "IAA",
    "aaaaAaaaaaaaaaa": "QAA",
    "aaaaaAaaaaaaaaa": "ABA",
    "aaaaaaaaaAaaaaa": "AQA",
    "aaaaaaaaaaAaaaa": "AAB",
    "aaaaaaaaaaaaaaA": "AAQ",
    "AAAAaaaaaaaaaaa": "PAA",
    "AAaAAaaaaaaaaaa": "1AA",
    "aAAAAaaaaaAaAaA": "4AV",
    "00D000000000001": "EAA",
    "00Q000000000001": "EAA",
    "005000000000001": "AAA",
    "04lAbCdEfGhIjKl": "IVK",
}


@pytest.mark.parametrize(("short", "suffix"), TABLE.items())
def test_the_suffix_is_salesforces(short: str, suffix: str) -> None:
    assert to_18(short) == short + suffix


@given(IDS)
def test_both_forms_are_the_same_id(short: str) -> None:
    long = to_18(short)

    assert len(long) == 18
    assert long[:15] == short
    assert to_18(long) == long
    assert same_org(short, long)
    assert same_org(long, short)


@given(IDS, st.text(LETTERS, min_size=3, max_size=3))
def test_a_suffix_that_was_changed_on_the_way_is_set_right(
    short: str, suffix: str
) -> None:
    assert to_18(short + suffix) == to_18(short)


@given(IDS, IDS)
def test_different_ids_stay_different_even_where_case_is_lost(
    one: str, other: str
) -> None:
    assert (to_18(one).upper() == to_18(other).upper()) == (one == other)
    assert same_org(one, other) == (one == other)


@given(st.text())
def test_what_is_no_id_comes_back_as_it_is(text: str) -> None:
    if not is_id(text):
        assert to_18(text) == text
        assert not same_org(text, text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "x" * 14, "x" * 16, "x" * 17, "x" * 19, "x" * 14 + "-", "x" * 15 + "\n"),
        *("ä" * 15, "٣" * 15, " " + "x" * 14),
    ],
)
def test_what_is_no_id_is_known(text: str) -> None:
    assert not is_id(text)


@pytest.mark.parametrize("given", ["", "x", "00D0000000000012", "00D000000000001EA"])
def test_what_only_begins_like_an_org_is_not_the_org(given: str) -> None:
    assert not same_org(given, "00D000000000001EAA")
    assert not same_org("00D000000000001EAA", given)


def test_an_empty_expected_org_refuses_everything() -> None:
    assert not same_org("", "")
    assert not same_org("00D000000000001", "")
