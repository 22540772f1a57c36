"""Values stay text until the declared type says otherwise."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.intake.declared import typed

TYPES = ["string", "double", "int", "long", "boolean", "date", "dateTime", "time", "ID"]


@pytest.mark.parametrize(
    ("text", "xsd_type", "value"),
    [
        ("00016492", "string", "00016492"),
        (" padded ", "string", " padded "),
        ("3/19/2018", "string", "3/19/2018"),
        ("120000.0", "double", Decimal("120000.0")),
        ("0.1", "double", Decimal("0.1")),
        ("-94.1307667", "double", Decimal("-94.1307667")),
        ("1.2345678912E10", "double", Decimal("12345678912")),
        ("9007199254740993", "double", Decimal("9007199254740993")),  # 2^53 + 1
        ("5000", "int", 5000),
        ("-1", "int", -1),
        ("1745500706683617281", "long", 1745500706683617281),
        ("true", "boolean", True),
        ("1", "boolean", True),
        ("false", "boolean", False),
        ("0", "boolean", False),
        ("1978-01-01", "date", date(1978, 1, 1)),
        (
            "2026-09-09T19:10:58.000Z",
            "dateTime",
            datetime(2026, 9, 9, 19, 10, 58, tzinfo=UTC),
        ),
        (
            "2026-09-09T21:10:58.000+0200",
            "dateTime",
            datetime(2026, 9, 9, 19, 10, 58, tzinfo=UTC),
        ),
        ("13:30:00.000Z", "time", time(13, 30, tzinfo=UTC)),
        ("00Q000000000001", "ID", "00Q000000000001EAA"),
        ("00Q000000000001EAA", "ID", "00Q000000000001EAA"),
        ("whatever", "anyType", "whatever"),
    ],
)
def test_a_value_is_read_as_its_declared_type(
    text: str, xsd_type: str, value: object
) -> None:
    read = typed(text, xsd_type)

    assert read == value
    assert type(read) is type(value)
    assert str(read) == str(value)  # 120000.0 keeps its digit


@pytest.mark.parametrize(
    ("text", "xsd_type"),
    [
        ("1,5", "double"),
        ("NaN", "double"),
        ("INF", "double"),
        ("1_000", "double"),
        ("٣", "double"),
        ("", "double"),
        ("1.0", "int"),
        ("1_000", "int"),
        ("9" * 5000, "int"),
        ("True", "boolean"),
        ("yes", "boolean"),
        ("", "boolean"),
        ("9/6/2016", "date"),
        ("20260102", "date"),
        ("2026-W01-1", "date"),
        ("2026-02-30", "date"),
        ("2026-01-02", "dateTime"),
        ("2026-01-02T03:04:05", "dateTime"),
        ("0001-01-01T00:00:00+14:00", "dateTime"),
        ("25:00:00", "time"),
        ("00Q", "ID"),
        ("", "ID"),
    ],
)
def test_a_text_that_is_no_such_value_is_told(text: str, xsd_type: str) -> None:
    with pytest.raises(ValueError, match=f"is no {xsd_type}") as raised:
        typed(text, xsd_type)

    assert repr(text[:80]) in str(raised.value)


@given(text=st.text(), xsd_type=st.sampled_from(TYPES))
def test_whatever_the_text_it_is_a_value_or_told(text: str, xsd_type: str) -> None:
    try:
        value = typed(text, xsd_type)
    except ValueError as exc:
        told = str(exc)
    else:
        assert xsd_type != "string" or value == text
        return
    assert told.endswith(f"is no {xsd_type}")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2))
def test_no_digit_of_an_amount_is_rounded(amount: Decimal) -> None:
    assert typed(f"{amount:f}", "double") == amount
    assert str(typed(f"{amount:f}", "double")) == f"{amount:f}"
