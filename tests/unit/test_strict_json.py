"""JSON from outside: whole or refused, in bounded time, with nothing rounded."""

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import Unreadable
from sidecar.intake import strict_json

COMMIT_NUMBER = 1745500706683617281  # beyond what a double can hold


def test_64_bits_are_not_rounded():
    """Promise 21."""
    for number in (COMMIT_NUMBER, 2**63 - 1, -(2**63), 2**64 - 1, 0):
        assert strict_json.read(b'{"n":%d}' % number) == {"n": number}


def test_a_fraction_stays_as_it_was_sent():
    assert strict_json.read(b"[1.10, 1e2, 120000.0]") == ["1.10", "1e2", "120000.0"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"{} {}", "not JSON"),
        (b"\xff\xfe{\x00}\x00", "UTF-8"),
        (b'"\xe9"', "UTF-8"),
        (b"NaN", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"18446744073709551616", "64 bits"),
        (b"-9223372036854775809", "64 bits"),
        (b"1" * 5000, "64 bits"),
        (b"0." + b"1" * 5000, "characters"),
        (b'{"a":1,"a":1}', "twice"),
        (rb'"\ud800"', "half a character"),
        (rb'{"\udfff":1}', "half a character"),
        (rb'{"a":[["\ud800"]]}', "half a character"),
        (b'"' + b"a" * (strict_json.TEXT_LIMIT + 1) + b'"', "a text has"),
        (b"[" * 33 + b"]" * 33, "nested"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "nested"),
        (b"[" * 100_000, "nested"),
    ],
)
def test_what_would_not_be_kept_as_it_came_is_refused(body, why):
    with pytest.raises(Unreadable, match=why):
        strict_json.read(body)


def test_brackets_within_texts_nest_nothing():
    text = '[{"' * 40 + "\\"
    assert strict_json.read(json.dumps([text]).encode()) == [text]
    assert strict_json.read(b"[" * 32 + b"]" * 32)


def test_a_byte_order_mark_is_no_fault():
    assert strict_json.read(b"\xef\xbb\xbf{}") == {}


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | _TEXTS,
    lambda inside: st.lists(inside) | st.dictionaries(_TEXTS, inside),
    max_leaves=20,
)


@given(_VALUES, st.booleans())
def test_what_is_taken_is_what_was_sent(value, ascii_only):
    assert (
        strict_json.read(json.dumps(value, ensure_ascii=ascii_only).encode()) == value
    )


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_comes_is_read_or_refused(body):
    with suppress(Unreadable):
        strict_json.read(body)


@given(st.floats())
def test_no_number_becomes_a_float(number):
    try:
        told = strict_json.read(json.dumps([number]).encode())
    except Unreadable:
        assert not math.isfinite(number)
    else:
        assert float(told[0]) == number
        assert not isinstance(told[0], float)
