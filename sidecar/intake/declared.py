"""Values in the types that a WSDL declares for them; until then they are text.

Which types there are, and how Salesforce writes their values: "Primitive Data Types",
SOAP API Developer Guide; the words for them are XML Schema's, part 2.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TypeAlias

from sidecar.salesforce.ids import is_id, to_18

Declared: TypeAlias = "str | bool | int | Decimal | date | datetime | time"


def typed(text: str, xsd_type: str) -> Declared:
    """
    Read a value.

    Args:
        text: as the message has it.
        xsd_type: without prefix, as ``listener_wsdl.read`` gives it; a type that is
            not known leaves the text as it is.

    Returns:
        For ``double`` a Decimal with the digits that were sent, as money needs; for
        ``dateTime`` aware UTC; for ``ID`` the 18-character form.

    Raises:
        ValueError: the text is no value of this type; it names both.
    """
    reader = _READERS.get(xsd_type)
    if reader is None:
        return text
    try:
        return reader(text.strip())
    except (ValueError, ArithmeticError, KeyError) as exc:
        raise ValueError(f"{text[:80]!r} is no {xsd_type}") from exc


def _matching(pattern: str, text: str) -> str:
    """Python's readers take more than XML Schema does: 1_000, ٣, inf, 20260102."""
    if re.fullmatch(pattern, text, re.ASCII) is None:
        raise ValueError(text)
    return text


def _int(text: str) -> int:
    return int(_matching(r"[+-]?\d{1,40}", text))


def _double(text: str) -> Decimal:
    number = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?"
    return Decimal(_matching(number, text))


def _date(text: str) -> date:
    return date.fromisoformat(_matching(r"\d{4}-\d\d-\d\d", text))


def _time(text: str) -> time:
    return time.fromisoformat(_matching(r"\d\d:\d\d:\d\d(\.\d+)?Z?", text))


def _date_time(text: str) -> datetime:
    zone = r"(Z|[+-]\d\d:?\d\d)"
    moment = rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?{zone}"
    return datetime.fromisoformat(_matching(moment, text)).astimezone(UTC)


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError(text)
    return to_18(text)


_READERS: Mapping[str, Callable[[str], Declared]] = {
    "boolean": {"true": True, "1": True, "false": False, "0": False}.__getitem__,
    "date": _date,
    "dateTime": _date_time,
    "double": _double,
    "ID": _id,
    "int": _int,
    "long": _int,
    "time": _time,
}
