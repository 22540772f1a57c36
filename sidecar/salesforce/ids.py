"""Salesforce ids: the 15- and the 18-character form are the same id."""

import hmac
import re
import string

_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\Z")
_ALPHABET = string.ascii_uppercase + "012345"
_CASE = str.maketrans(
    {
        **dict.fromkeys(string.ascii_lowercase + string.digits, "0"),
        **dict.fromkeys(string.ascii_uppercase, "1"),
    }
)


def is_id(text: str) -> bool:
    """Tell whether a text has the shape of an id."""
    return _ID.match(text) is not None


def to_18(text: str) -> str:
    """
    Give an id's 18-character form; what is no id comes back as it is.

    The suffix is always computed anew: systems on the way may have changed its case,
    and it holds nothing but the case of the first fifteen.

    Source: "ID Field Type", Object Reference for the Salesforce Platform.
    """
    if not is_id(text):
        return text
    case = text[:15].translate(_CASE)
    # Each suffix letter tells the case of five, the first of them in the lowest bit.
    return (
        text[:15]
        + _ALPHABET[int(case[4::-1], 2)]
        + _ALPHABET[int(case[9:4:-1], 2)]
        + _ALPHABET[int(case[14:9:-1], 2)]
    )


def same_org(given: str, expected: str) -> bool:
    """Compare two org ids in constant time, 15 or 18 characters each."""
    if not is_id(given) or not is_id(expected):
        return False
    return hmac.compare_digest(given[:15].encode(), expected[:15].encode())
