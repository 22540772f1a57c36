"""Why referrals are lost, as the package's reasons are said in each language."""

from collections.abc import Callable

from sidecar.mail.languages import marked

LOST_REASONS = (
    marked("No need right now"),
    marked("No budget"),
    marked("Not a good fit"),
    marked("Chose another provider"),
    marked("Could not be reached"),
    marked("Already a customer"),
    marked("Other"),
)
"""The values of the package's ``Referral_Lost_Reason``, in its order."""


def in_words(reason: str, translate: Callable[[str], str]) -> str:
    """Say a reason; what an org has added is said as it is written there."""
    return translate(reason) if reason in LOST_REASONS else reason
