"""When a message was signed, and whether that was just now."""

import re

from sidecar.errors import Forged
from sidecar.intake.signatures.reasons import Reason

TOLERANCE_SECONDS = 300
"""Both ways: what Standard Webhooks' reference libraries allow."""

_SECONDS = re.compile(rb"[0-9]{1,12}\Z")


def well_formed(timestamp: bytes | None) -> bytes:
    """
    Give the timestamp as it was sent, for it is part of what was signed.

    Raises:
        Forged: it is missing, or no whole number.
    """
    if timestamp is None:
        raise Forged(Reason.TIMESTAMP_MISSING)
    if _SECONDS.match(timestamp) is None:
        raise Forged(Reason.TIMESTAMP_MALFORMED)
    return timestamp


def require(timestamp: bytes, *, now: float) -> None:
    """
    Refuse what was signed long ago, or will be.

    It is asked after the signature: whoever reads the reason then knows that the
    sender is the right one, and that a clock or a queue is in trouble.

    Args:
        timestamp: as ``well_formed`` gives it; seconds since 1970, UTC.
        now: likewise.

    Raises:
        Forged: more than five minutes away.
    """
    age = now - int(timestamp)
    if age > TOLERANCE_SECONDS:
        raise Forged(Reason.TOO_OLD)
    if age < -TOLERANCE_SECONDS:
        raise Forged(Reason.TOO_NEW)
