"""Consent: on what ground a referred person may be written to, if on any."""

from enum import StrEnum


class Ground(StrEnum):
    """The values of *Referral Consent*, as the package brings them."""

    GIVEN = "Given by the referred person"
    GIVEN_TO_REFERRER = "Given to the referrer"
    CUSTOMER = "Existing customer"
    NOT_GIVEN = "Not given"


_ENOUGH = frozenset({Ground.GIVEN, Ground.GIVEN_TO_REFERRER, Ground.CUSTOMER})


def ground(consent: str | None) -> Ground | None:
    """
    Give the ground on which a referred person may be written to; None: on none.

    Args:
        consent: as the record has it. What an org has added to the values is no
            ground until we know what it means.
    """
    try:
        found = Ground((consent or "").strip())
    except ValueError:
        return None
    return found if found in _ENOUGH else None


def why_not(consent: str | None) -> str:
    """Say why a referred person may not be written to; empty where they may."""
    if ground(consent) is not None:
        return ""
    told = (consent or "").strip()
    if not told:
        return "nobody has said on what ground the referred person may be written to"
    if told == Ground.NOT_GIVEN:
        return "the referred person has not agreed to be written to"
    return f"{told!r} is no ground that we know for writing to the referred person"
