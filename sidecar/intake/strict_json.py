"""JSON from outside: no value is rounded, no name lost, nothing nests without end."""

import json
import re
from typing import Any, NoReturn

from sidecar.errors import Unreadable

DEPTH_LIMIT = 32
"""Values inside values. An EventBridge envelope around a change event has six."""

DIGIT_LIMIT = 40
"""Of one number, its point and exponent included. 64 bits have 20."""

INTEGERS = range(-(2**63), 2**64)
"""What the inbox can hold without rounding, as can PostgreSQL and Java."""

TEXT_LIMIT = 256 * 1024
"""Characters of one text. A long text area holds 131,072."""

# A text that never ends goes up to the end: one pass, whatever the body.
_BRACKETS = re.compile(rb'"(?:[^"\\]+|\\.)*"?|[\[{]|[\]}]', re.DOTALL)
_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")


def read(body: bytes) -> Any:
    """
    Read a document.

    Args:
        body: as received; the limit on its bytes is the door's.

    Returns:
        Whole numbers as int; numbers with a fraction or an exponent as the text that
        was sent, as an outbound message has them: money is no float.

    Raises:
        Unreadable: it is no JSON in UTF-8, or holds what would not be kept as it came:
            a name twice in an object, half a character, a number beyond 64 bits.
    """
    _require_flat(body)
    try:
        text = body.decode("utf-8-sig")
        value = json.loads(
            text,
            parse_int=_whole,
            parse_float=_fraction,
            parse_constant=_no_number,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as exc:
        raise Unreadable(f"the body is no UTF-8: {exc.reason}") from exc
    except json.JSONDecodeError as exc:
        where = f"line {exc.lineno}, column {exc.colno}"
        raise Unreadable(f"not JSON: {exc.msg} at {where}") from exc
    _require_texts(value)
    return value


def _require_flat(body: bytes) -> None:
    """Count brackets before anything is built of them; those in texts are none."""
    depth = 0
    for found in _BRACKETS.finditer(body):
        match found[0]:
            case b"[" | b"{":
                depth += 1
                if depth > DEPTH_LIMIT:
                    raise Unreadable(f"nested deeper than {DEPTH_LIMIT} values")
            case b"]" | b"}":
                depth -= 1


def _whole(text: str) -> int:
    if len(text) > DIGIT_LIMIT or (number := int(text)) not in INTEGERS:
        raise Unreadable("a number does not fit into 64 bits")
    return number


def _fraction(text: str) -> str:
    if len(text) > DIGIT_LIMIT:
        raise Unreadable(f"a number has more than {DIGIT_LIMIT} characters")
    return text


def _no_number(text: str) -> NoReturn:
    raise Unreadable(f"{text} is no JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise Unreadable("a name stands twice in an object")
    for name, value in pairs:
        _require_whole(name)
        _require_texts(value)
    return made


def _require_texts(value: Any) -> None:
    if isinstance(value, str):
        _require_whole(value)
    elif isinstance(value, list):
        for item in value:
            _require_texts(item)


def _require_whole(text: str) -> None:
    if len(text) > TEXT_LIMIT:
        raise Unreadable(f"a text has more than {TEXT_LIMIT} characters")
    if not text.isascii() and _HALF_A_CHARACTER.search(text):
        raise Unreadable("a text holds half a character")
