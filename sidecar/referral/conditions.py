"""Conditions: what a playbook may ask of a referral before it acts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import NamedTuple, TypeAlias

from sidecar.referral.journey import Referral

Fact: TypeAlias = str | float

TEXTS = frozenset(
    {
        *("status", "milestone", "object", "owner", "type", "source", "code"),
        *("referrer", "first_name", "last_name", "company", "email", "phone"),
        *("opportunity", "stage", "lost_reason"),
    }
)
"""What a condition may name, as text; empty where nothing is known."""

NUMBERS = frozenset({"amount"})
"""What a condition may name, as a number; zero where nothing is known."""


@dataclass(frozen=True)
class Condition:
    """
    A sentence about a referral that is true or not.

    Attributes:
        text: as it is written in the playbook.
        judge: evaluates it for ``facts_of`` a referral. Raises ValueError: it cannot
            be told.
    """

    text: str
    judge: Callable[[Mapping[str, Fact]], bool] = field(compare=False, repr=False)


class Held(NamedTuple):
    """Whether a condition holds, and the sentence that says why."""

    yes: bool
    why: str


def facts_of(referral: Referral) -> dict[str, Fact]:
    """Say what conditions may ask: every name of ``TEXTS`` and ``NUMBERS``."""
    facts: dict[str, Fact] = {
        name: referral.details.get(name, "") for name in sorted(TEXTS)
    }
    facts |= {
        "status": referral.status or "",
        "milestone": str(referral.milestone or ""),
        "object": referral.object_type,
        "owner": referral.owner_id or "",
    }
    return facts | {name: _number(referral.details.get(name)) for name in NUMBERS}


def holds(condition: Condition | None, referral: Referral) -> Held:
    """
    Judge a condition; nothing asked is always true.

    One that cannot be told does not hold: nothing is done on a guess.
    """
    if condition is None:
        return Held(True, "always")
    try:
        yes = condition.judge(facts_of(referral))
    except ValueError as exc:
        return Held(False, f"{condition.text} cannot be told: {exc}")
    return Held(yes, f"{condition.text} is {'true' if yes else 'false'}")


def _number(text: str | None) -> float:
    try:
        number = Decimal(text or "0")
    except InvalidOperation:
        return 0.0
    return float(number) if number.is_finite() else 0.0
