"""Record ids: 15 characters that know upper from lower case, or 18 that need not.

Source: the last three characters of an 18-character id tell which of the first
fifteen are capitals, five at a time ("ID Field Type", SOAP API Developer Guide).
"""

import random

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ALPHABET = frozenset(_DIGITS)


def checksum(id15: str) -> str:
    """Return the three characters that make 15 into 18."""
    return "".join(
        _CHECK[sum(1 << bit for bit, char in enumerate(chunk) if "A" <= char <= "Z")]
        for chunk in (id15[0:5], id15[5:10], id15[10:15])
    )


def full_id(text: str) -> str | None:
    """
    Return the 18-character form, or None when ``text`` is no id.

    The case of an 18-character id is restored from its checksum, as Salesforce
    does for clients that lost it.
    """
    if not _ALPHABET.issuperset(text):
        return None
    if len(text) == 15:
        return text + checksum(text)
    if len(text) != 18:
        return None
    if checksum(text[:15]) == text[15:]:
        return text
    return _restore_case(text)


def _restore_case(text: str) -> str | None:
    check = text[15:].upper()
    chars: list[str] = []
    for start, mark in zip((0, 5, 10), check, strict=True):
        bits = _CHECK.find(mark)
        if bits < 0:
            return None
        for bit, char in enumerate(text[start : start + 5]):
            capital = bool(bits >> bit & 1)
            if capital and not char.isalpha():
                return None
            chars.append(char.upper() if capital else char.lower())
    return "".join(chars) + check


def same_id(one: str, other: str) -> bool:
    """Tell whether two ids, of 15 or 18 characters, name the same record."""
    full = full_id(one)
    return full is not None and full == full_id(other)


def base62(number: int, width: int) -> str:
    """Write ``number`` in Salesforce's digits, zero-padded to ``width``."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _DIGITS[rest] + digits
    return digits.rjust(width, "0")


class Ids:
    """Gives out ids of one org: prefix, instance, serial number, checksum."""

    def __init__(self, *, seed: int) -> None:
        """``seed`` decides the instance part, so that two orgs share no id."""
        rng = random.Random(seed)  # noqa: S311 - a name, not a secret
        self.instance = "".join(rng.choice(_DIGITS[10:]) for _ in range(2)) + "0"
        self._next: dict[str, int] = {}
        self._first = rng.randrange(1, 62**2)

    def new(self, prefix: str) -> str:
        """Return the next 18-character id that begins with ``prefix``."""
        serial = self._next.get(prefix, self._first)
        self._next[prefix] = serial + 1
        id15 = prefix + self.instance + base62(serial, 9)
        return id15 + checksum(id15)
