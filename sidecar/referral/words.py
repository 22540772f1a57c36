"""Words to referrers: what they may say, and when there is one too many.

A referrer hears of a referral what they gave us, and how far it is: the name, the
milestone, its day, and why it was lost. Notes, amounts, addresses and all else that a
rep knows is not among it, so that no template can let it slip.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sidecar.referral.journey import Milestone, Referral

ONE_A_DAY = timedelta(days=1)
"""After a mail with news, the next one waits so long, and takes along what came."""

ASKED_FOR = timedelta(days=365)
"""Nobody is asked for a testimonial more often."""

NO_NEWS_AFTER = timedelta(days=14)
"""So long may an open referral be silent for who has heard of it before."""

MARKS = (1, 5, 10, 25, 50, 100)
"""At so many won referrals a referrer is thanked once more."""

REASONS = frozenset(
    {
        "No need right now",
        "No budget",
        "Not a good fit",
        "Chose another provider",
        "Could not be reached",
        "Already a customer",
    }
)
"""Those of the package's reasons for a loss for which there is a kind sentence."""


def facts(referral: Referral, reasons: Collection[str] = ()) -> dict[str, str]:
    """
    Give all that a word may say of a referral; what nobody knows is left out.

    Args:
        reasons: the org's own reasons for a loss that may be told as they are.

    Returns:
        ``name``, ``milestone``, ``at`` (ISO 8601) and ``reason``.
    """
    known = referral.details
    told = {
        "name": name_of(known),
        "milestone": str(referral.milestone or ""),
        "at": referral.changed_at.isoformat(),
        "reason": _reason(referral, reasons),
    }
    return {word: text for word, text in told.items() if text}


def name_of(known: Mapping[str, str]) -> str:
    """Give the referred person's name from a referral's details; perhaps empty."""
    parts = (known.get("first_name"), known.get("last_name"))
    return " ".join(part for part in parts if part)


def _reason(referral: Referral, reasons: Collection[str]) -> str:
    if referral.milestone is not Milestone.LOST:
        return ""
    reason = referral.details.get("lost_reason", "")
    return reason if reason in REASONS or reason in reasons else ""


def waits_until(last_news: datetime | None, *, now: datetime) -> datetime | None:
    """
    Say until when a word waits so that nobody gets two mails with news a day.

    Args:
        last_news: when the referrer last got one; None for never.

    Returns:
        None where it need not wait.
    """
    if last_news is None or last_news + ONE_A_DAY <= now:
        return None
    return last_news + ONE_A_DAY


def marks(won: int) -> tuple[int, ...]:
    """List the marks that so many won referrals have reached, the highest last."""
    return tuple(mark for mark in MARKS if mark <= won)
