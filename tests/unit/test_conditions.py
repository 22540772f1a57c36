"""Conditions: true, false or cannot be told; never more than that."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.playbooks.expressions import WrongCondition, condition
from sidecar.referral.conditions import NUMBERS, TEXTS, facts_of, holds
from sidecar.referral.journey import Milestone, Referral


def referral(**details: str) -> Referral:
    return Referral(
        key="00Q000000000001EAA",
        object_type="Lead",
        record_id="00Q000000000001EAA",
        status="Submitted",
        milestone=Milestone.SUBMITTED,
        owner_id="005000000000001AAA",
        changed_at=datetime(2026, 1, 14, tzinfo=UTC),
        details=details,
    )


@pytest.mark.parametrize(
    ("text", "details", "yes"),
    [
        ('referral.type == "Partner"', {"type": "Partner"}, True),
        ('referral.type == "Partner"', {}, False),
        ("referral.amount > 1000", {"amount": "1000.5"}, True),
        ("referral.amount > 1000", {}, False),
        ("referral.amount > 1000", {"amount": "a lot"}, False),
        ("referral.amount < 1000", {"amount": "NaN"}, True),
        ('referral.milestone == "submitted"', {}, True),
        ('referral.object == "Lead" && referral.owner.startsWith("005")', {}, True),
        ('referral.source in ["Web", "Event"]', {"source": "Event"}, True),
        ('!referral.email.endsWith("@example.com")', {"email": "a@example.org"}, True),
        ('referral.company.matches("^(a+)+$")', {"company": "a" * 80 + "b"}, False),
        ('referral.lost_reason != "No budget"', {"lost_reason": "No budget"}, False),
        ("true", {}, True),
    ],
)
def test_a_condition_asks_what_is_known(
    text: str, details: dict[str, str], yes: bool
) -> None:
    held = holds(condition(text), referral(**details))

    assert held.yes is yes
    assert held.why == f"{text} is {'true' if yes else 'false'}"


def test_every_name_has_a_fact() -> None:
    assert facts_of(referral()).keys() == TEXTS | NUMBERS


def test_what_cannot_be_told_does_not_hold() -> None:
    """The pattern is the prospect's own company: it may be none."""
    asked = condition("referral.type.matches(referral.company)")

    held = holds(asked, referral(company="("))
    assert not held.yes
    assert "cannot be told" in held.why


def test_without_a_condition_it_always_holds() -> None:
    assert holds(None, referral()).yes


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no expression at line 1"),
        ("referral.type ==", "no expression at line 1"),
        ("referral.type ==\n& 1", "no expression at line 2"),
        ('type == "a"', "write referral.type"),
        ('__import__("os") == 1', r"__import__\(\) is unknown"),
        ("referral.__class__ == 1", "referral.__class__ is unknown"),
        ('referral["type"] == ""', r"\[ \] cannot be used"),
        ("[1].all(x, x > 0)", r"all\(\) is unknown"),
        ("[1].map(x, x * 2).size() > 0", r"map\(\) is unknown"),
        ("referral.type", "neither true nor false"),
        ("true && referral.amount", "neither true nor false"),
        ('"a" || true', "neither true nor false"),
        ("referral.type == 5", "a text with a whole number"),
        # Nobody gets as far as the second half when it is tried on what is not there.
        ('referral.type == "x" && referral.amount > "a"', "cannot be compared"),
        ('referral.type == "x" ? true : referral.amount > "a"', "cannot be compared"),
        ("1 / 0 > 1", "divides by zero"),
        ("!" * 400 + "true", "nested too deeply"),
        ("(" * 200 + "true" + ")" * 200, "nested too deeply"),
        ("true" + " " * 500, "at most 500 characters"),
        ('timestamp("2026-01-01T00:00:00Z") == 1', r"timestamp\(\) is unknown"),
        ('referral.type.matches("(")', "match error"),
    ],
)
def test_a_wrong_condition_is_told_why(text: str, told: str) -> None:
    with pytest.raises(WrongCondition, match=told):
        condition(text)


PIECES = st.sampled_from(
    [
        *("referral", ".type", ".amount", ".nope", "true", "1", "1.5", '"a"', "null"),
        *("==", "&&", "||", "!", "?", ":", ">", "in", "+", "*", "-", "%", "(", ")"),
        *("[", "]", "{", "}", ",", ".size()", '.matches("', '")', "has(", "x", "b'a'"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map(" ".join)),
    st.text(max_size=20),
)
def test_whatever_the_text_it_is_a_condition_or_a_wrong_one(
    text: str, company: str
) -> None:
    try:
        asked = condition(text)
    except WrongCondition:
        return
    assert holds(asked, referral(company=company)).yes in {True, False}
