"""Salesforce ids: the 15- and the 18-character form are the same id."""

import hmac
import re

_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\Z")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


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
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(
            1 << place
            for place, letter in enumerate(text[start : start + 5])
            if "A" <= letter <= "Z"
        )
        suffix += _ALPHABET[bits]
    return text[:15] + suffix


def same_org(given: str, expected: str) -> bool:
    """Compare two org ids in constant time, 15 or 18 characters each."""
    if not is_id(given) or not is_id(expected):
        return False
    return hmac.compare_digest(given[:15].encode(), expected[:15].encode())
