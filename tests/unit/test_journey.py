"""The journey: what a message means for a referral, in whatever order messages come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sidecar.referral.journey import (
    STANDARD_STATUSES,
    Milestone,
    Referral,
    Seen,
    Verdict,
    advance,
)

LEAD = "00Q000000000001EAA"
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)

SUBMITTED = Seen(
    key=LEAD,
    object_type="Lead",
    record_id=LEAD,
    status="Submitted",
    owner_id="005000000000001AAA",
    changed_at=NOON,
    details={"company": "Example Ltd"},
)


def later(status: str | None, seconds: int = 1, **more: object) -> Seen:
    return replace(
        SUBMITTED,
        status=status,
        changed_at=NOON + timedelta(seconds=seconds),
        **more,  # type: ignore[arg-type]
    )


def known(*states: Seen) -> Referral | None:
    """What is known after these states."""
    referral = None
    for seen in states:
        referral = advance(referral, seen, STANDARD_STATUSES).referral
    return referral


def test_a_first_status_reaches_its_milestone() -> None:
    step = advance(None, SUBMITTED, STANDARD_STATUSES)

    assert step.verdict is Verdict.REACHED
    assert step.referral is not None
    assert step.referral.milestone is Milestone.SUBMITTED
    assert step.referral.changed_at == NOON


@pytest.mark.parametrize("milestone", list(Milestone))
def test_each_status_that_the_package_installs_has_its_milestone(
    milestone: Milestone,
) -> None:
    assert STANDARD_STATUSES[milestone.value.capitalize()] is milestone


def test_an_org_may_use_its_own_words() -> None:
    step = advance(None, later("Erstkontakt"), {"Erstkontakt": Milestone.CONTACTED})

    assert step.referral is not None
    assert step.referral.milestone is Milestone.CONTACTED


def test_an_older_state_changes_nothing() -> None:
    before = known(SUBMITTED, later("Qualified", 10))

    step = advance(before, later("Contacted", 5), STANDARD_STATUSES)

    assert step.verdict is Verdict.OLDER
    assert step.referral is before


def test_the_same_message_again_brings_nothing() -> None:
    before = known(SUBMITTED)

    step = advance(before, SUBMITTED, STANDARD_STATUSES)

    assert step.verdict is Verdict.UNCHANGED
    assert step.referral == before


def test_a_newer_state_at_the_same_milestone_is_remembered_and_brings_nothing() -> None:
    step = advance(
        known(SUBMITTED),
        later("Submitted", owner_id="005000000000002AAA"),
        STANDARD_STATUSES,
    )

    assert step.verdict is Verdict.UNCHANGED
    assert step.referral is not None
    assert step.referral.owner_id == "005000000000002AAA"


def test_two_states_of_the_same_second_are_read_back() -> None:
    before = known(SUBMITTED)

    step = advance(before, later("Contacted", 0), STANDARD_STATUSES)
    assert step.verdict is Verdict.READ_BACK
    assert step.referral is before

    read = later("Contacted", 0, read_back=True)
    assert advance(before, read, STANDARD_STATUSES).verdict is Verdict.REACHED


def test_a_message_without_a_time_is_read_back() -> None:
    step = advance(None, replace(SUBMITTED, changed_at=None), STANDARD_STATUSES)

    assert step.verdict is Verdict.READ_BACK
    assert step.referral is None


def test_a_status_without_a_meaning_keeps_the_milestone() -> None:
    before = known(SUBMITTED)

    step = advance(before, later("Parked"), STANDARD_STATUSES)

    assert step.verdict is Verdict.UNMAPPED
    assert "Parked" in step.reason
    assert step.referral is not None
    assert step.referral.status == "Parked"
    assert step.referral.milestone is Milestone.SUBMITTED
    again = advance(step.referral, later("Submitted", 2), STANDARD_STATUSES)
    assert again.verdict is Verdict.UNCHANGED


def test_a_record_that_was_never_referred_is_not_remembered() -> None:
    step = advance(None, later(None), STANDARD_STATUSES)

    assert step.verdict is Verdict.NOT_REFERRED
    assert step.referral is None


def test_a_cleared_status_is_remembered_and_brings_nothing() -> None:
    step = advance(known(SUBMITTED), later(None), STANDARD_STATUSES)

    assert step.verdict is Verdict.UNCHANGED
    assert step.referral is not None
    assert step.referral.status is None
    assert step.referral.changed_at == NOON + timedelta(seconds=1)


def test_what_a_message_leaves_out_stays_known() -> None:
    after = known(SUBMITTED, later("Contacted", owner_id=None, details={"code": "A1"}))

    assert after is not None
    assert after.owner_id == SUBMITTED.owner_id
    assert after.details == {"company": "Example Ltd", "code": "A1"}


STATES = st.lists(
    st.builds(
        later,
        st.sampled_from([*STANDARD_STATUSES, "Parked", None]),
        st.integers(0, 50),
    ),
    unique_by=lambda seen: seen.changed_at,
    min_size=1,
    max_size=12,
)


@given(states=STATES, order=st.randoms(use_true_random=False))
def test_whatever_the_order_the_newest_state_wins(
    states: list[Seen], order: object
) -> None:
    shuffled = list(states)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    newest = max(states, key=lambda seen: seen.changed_at)  # type: ignore[arg-type,return-value]

    # A record that never had a status is not remembered, so neither is since when.
    assume(newest.status is not None)

    after = known(*shuffled)

    assert after is not None
    assert after.changed_at == newest.changed_at
    assert after.status == newest.status


@given(states=STATES, repeats=st.lists(st.integers(0, 11), max_size=6))
def test_repeats_reach_no_milestone(states: list[Seen], repeats: list[int]) -> None:
    referral = known(*sorted(states, key=lambda seen: seen.changed_at))  # type: ignore[arg-type,return-value]

    for n in repeats:
        step = advance(referral, states[n % len(states)], STANDARD_STATUSES)
        assert step.verdict is not Verdict.REACHED or referral is None
        referral = step.referral


CONTACT = "003000000000001AAA"
OPPORTUNITY = "006000000000001AAA"


LOST = later("Lost", 2, details={"lost_reason": "No budget"})


def reason(*states: Seen) -> str | None:
    referral = known(SUBMITTED, *states)
    assert referral is not None
    return referral.details.get("lost_reason")


def test_the_reason_of_a_loss_is_kept_as_long_as_it_is_lost() -> None:
    assert reason(LOST) == "No budget"
    assert reason(LOST, later("Lost", 3, details={"company": "Other Ltd"})) == (
        "No budget"
    )
    assert reason(LOST, later("Lost", 3, details={"lost_reason": ""})) == ""


def test_the_reason_of_a_loss_is_none_of_the_next_one() -> None:
    """A message leaves out what is empty, so nobody says that it is over."""
    again = later("Contacted", 3), later("Lost", 4)

    assert reason(LOST, again[0]) is None
    assert reason(LOST, *again) is None
    assert reason(replace(LOST, status="Contacted"), again[1]) is None


def as_contact(status: str, seconds: int) -> Seen:
    return later(status, seconds, object_type="Contact", record_id=CONTACT)


def as_opportunity(status: str | None, seconds: int) -> Seen:
    return later(status, seconds, object_type="Opportunity", record_id=OPPORTUNITY)


def test_a_converted_lead_goes_on_as_its_opportunity() -> None:
    before = known(SUBMITTED, later("Qualified", 10))

    step = advance(before, as_opportunity("Opportunity", 20), STANDARD_STATUSES)

    assert step.verdict is Verdict.REACHED
    assert step.referral is not None
    assert step.referral.record_id == OPPORTUNITY
    assert step.referral.details["company"] == "Example Ltd"


def test_what_conversion_leaves_behind_no_longer_speaks_for_the_referral() -> None:
    before = known(later("Qualified", 10), as_opportunity("Opportunity", 20))

    for late in (as_contact("Qualified", 21), later("Lost", 30)):
        step = advance(before, late, STANDARD_STATUSES)

        assert step.verdict is Verdict.MOVED_ON
        assert step.referral is before


def test_conversion_needs_no_reading_back_though_all_happens_in_one_second() -> None:
    states = [
        later("Qualified", 10),
        as_contact("Qualified", 10),
        as_opportunity("Opportunity", 10),
    ]

    step = advance(known(*states[:2]), states[2], STANDARD_STATUSES)

    assert step.verdict is Verdict.REACHED


def test_an_opportunity_without_a_status_takes_nothing_from_the_referral() -> None:
    before = known(later("Qualified", 10))

    step = advance(before, as_opportunity(None, 20), STANDARD_STATUSES)

    assert step.referral is before


@given(st.permutations(range(5)))
def test_the_end_of_a_converted_referral_does_not_depend_on_the_order(
    order: list[int],
) -> None:
    states = [
        SUBMITTED,
        later("Qualified", 10),
        as_contact("Qualified", 20),
        as_opportunity("Opportunity", 20),
        as_opportunity("Won", 30),
    ]

    end = known(*(states[place] for place in order))

    assert end is not None
    assert (end.record_id, end.milestone) == (OPPORTUNITY, Milestone.WON)


# --- what the org's own records show, and no message told -------------------------


def missed(status: str, seconds: int, **more: object) -> Seen:
    return later(status, seconds, recovered=True, **more)


def test_a_milestone_that_was_missed_is_made_up_for_and_changes_nothing_else() -> None:
    before = known(later("Qualified", 20))
    step = advance(before, missed("Contacted", 10), STANDARD_STATUSES)

    assert step.verdict is Verdict.PASSED
    assert step.referral == before
    assert step.at_milestone is not None
    assert step.at_milestone.milestone is Milestone.CONTACTED


def test_what_was_missed_of_a_converted_lead_is_about_what_it_became() -> None:
    before = known(later("Opportunity", 20, object_type="Opportunity", record_id="006"))
    step = advance(before, missed("Qualified", 10), STANDARD_STATUSES)

    assert step.at_milestone is not None
    assert (step.at_milestone.object_type, step.at_milestone.record_id) == (
        "Opportunity",
        "006",
    )


def test_what_was_missed_and_is_the_newest_is_reached_like_any_other() -> None:
    step = advance(
        known(SUBMITTED), missed("Contacted", 5, read_back=True), STANDARD_STATUSES
    )

    assert step.verdict is Verdict.REACHED
    assert step.at_milestone == step.referral


def test_what_was_missed_without_a_meaning_brings_nothing() -> None:
    step = advance(known(later("Won", 9)), missed("Parked", 5), STANDARD_STATUSES)

    assert (step.verdict, step.at_milestone) == (Verdict.OLDER, None)


@given(st.permutations(["Submitted", "Contacted", "Qualified", "Won"]))
def test_in_whatever_order_they_are_made_up_for_each_milestone_is_acted_on_once(
    order: list[str],
) -> None:
    times = {"Submitted": 1, "Contacted": 2, "Qualified": 3, "Won": 4}
    referral, acted = None, []
    for status in order:
        step = advance(
            referral,
            missed(status, times[status], read_back=status == "Won"),
            STANDARD_STATUSES,
        )
        referral = step.referral
        if step.at_milestone is not None:
            acted.append(step.at_milestone.status)

    assert sorted(acted) == sorted(order)
    assert referral is not None
    assert referral.status == "Won"
