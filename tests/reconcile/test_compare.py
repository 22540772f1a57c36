"""What a record shows, and what of it nobody told; without any database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.intake.reconcile import SETTLED, Compared, compare, states
from sidecar.referral.journey import STANDARD_STATUSES, Milestone, Referral
from sidecar.store.reached import Known

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOON = NINE + timedelta(hours=3)
ID = "00Q000000000001EAA"
HEARD = Known(heard=True, sought=False, confirmed=True)
SOUGHT = Known(heard=False, sought=True, confirmed=True)
STAMPS = {
    "Submitted": "Referral_Submitted_At__c",
    "Contacted": "Referral_Contacted_At__c",
    "Qualified": "Referral_Qualified_At__c",
    "Lost": "Referral_Lost_At__c",
}


def written(at: datetime) -> str:
    """A time as REST answers have it."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.000+0000"


def lead(status: str | None, *, hour: int = 0, **reached: int) -> dict[str, Any]:
    """A lead: its status, the hour of its last change, the hours of its stamps."""
    last = max([hour, *reached.values()])
    return {
        "attributes": {"type": "Lead"},
        "Id": ID,
        "OwnerId": "005000000000001AAA",
        "Referral_Status__c": status,
        "Referral_Key__c": ID,
        "IsDeleted": False,
        "CreatedDate": written(NINE),
        "SystemModstamp": written(NINE + timedelta(hours=last)),
        **{
            STAMPS[name]: written(NINE + timedelta(hours=at))
            for name, at in reached.items()
        },
    }


def known(status: str | None, *, hour: int = 0, object_type: str = "Lead") -> Referral:
    """A referral as last known."""
    milestone = Milestone(status.lower()) if status else None
    at = NINE + timedelta(hours=hour)
    return Referral(ID, object_type, ID, status, milestone, "005", at)


def compared(
    record: dict[str, Any],
    referral: Referral | None = None,
    *,
    object_type: str = "Lead",
    told: dict[str, Known] | None = None,
    covers_from: datetime = NINE,
    until: datetime = NINE + timedelta(days=2),
    statuses: Any = STANDARD_STATUSES,
) -> Compared:
    return compare(
        record,
        object_type,
        statuses=statuses,
        referral=referral,
        known=told or {},
        covers_from=covers_from,
        until=until,
    )


def named(found: Compared) -> list[str]:
    return [state.status for state in found.missing]


def test_each_stamp_shows_a_status_and_when_it_was_reached():
    shown = states(lead("Qualified", Submitted=0, Contacted=1, Qualified=2), STAMPS)

    assert [(each.status, each.at) for each in shown] == [
        ("Submitted", NINE),
        ("Contacted", NINE + timedelta(hours=1)),
        ("Qualified", NINE + timedelta(hours=2)),
    ]


def test_a_first_status_that_was_not_submitted_is_not_taken_for_it():
    """The flow stamps the first status as submitted, whichever it is."""
    shown = states(lead("Qualified", Submitted=1, Qualified=1), STAMPS)

    assert [each.status for each in shown] == ["Qualified"]


def test_history_shows_what_no_flow_stamps_and_the_value_before_the_first_change():
    record = lead("Zu", hour=3, Submitted=0)
    record["Histories"] = {
        "records": [
            {"OldValue": "Neu", "NewValue": "Auf", "CreatedDate": written(NINE)},
            {"OldValue": "Auf", "NewValue": "Zu", "CreatedDate": written(NOON)},
        ]
    }
    shown = states(record, {"Neu", "Auf", "Zu"})

    assert [(each.status, each.shown_by) for each in shown] == [
        ("Neu", "history"),
        ("Auf", "history"),
        ("Zu", "history"),
    ]
    assert shown[2].at == NOON


def test_what_nobody_told_is_missing_and_what_was_told_is_not():
    record = lead("Qualified", Submitted=0, Contacted=1, Qualified=2)
    found = compared(record, known("Submitted"), told={"Submitted": HEARD})

    assert named(found) == ["Contacted", "Qualified"]
    assert len(found.expected) == 3


def test_what_is_being_made_up_for_is_not_missing_again():
    record = lead("Contacted", Submitted=0, Contacted=1)
    told = {"Submitted": HEARD, "Contacted": SOUGHT}
    found = compared(record, known("Submitted"), told=told)

    assert (named(found), found.differs, found.newer) == ([], False, False)


def test_what_is_young_is_left_to_the_message_that_may_be_on_its_way():
    record = lead("Contacted", Submitted=0, Contacted=1)
    until = NINE + timedelta(hours=1, seconds=30) - SETTLED
    found = compared(record, known("Submitted"), told={"Submitted": HEARD}, until=until)

    assert (named(found), found.differs, found.newer) == ([], False, False)


def test_what_was_reached_before_we_were_connected_is_no_news():
    record = lead("Contacted", hour=5, Submitted=0, Contacted=1)
    found = compared(record, covers_from=NINE + timedelta(hours=4))

    assert (found.expected, found.differs) == ((), False)
    assert found.newer, "known from now on, without any consequence"


def test_a_status_that_nothing_dates_is_missing_where_it_is_not_the_known_one():
    record = lead("Auf", hour=2, Submitted=0)
    statuses = {"Neu": Milestone.SUBMITTED, "Auf": Milestone.CONTACTED}
    told = {"Neu": HEARD}
    before = known(None)
    found = compared(record, before, told=told, statuses=statuses)

    assert named(found) == ["Auf"]
    assert found.missing[0].at == NINE + timedelta(hours=2)


def test_a_lost_referral_taken_up_again_differs():
    """Its stamp is of the first time; only the present status shows the second."""
    record = lead("Contacted", hour=5, Submitted=0, Contacted=1, Lost=2)
    told = dict.fromkeys(("Submitted", "Contacted", "Lost"), HEARD)
    found = compared(record, known("Lost", hour=2), told=told)

    assert (named(found), found.differs) == ([], True)


def test_a_status_that_was_cleared_differs():
    record = lead(None, hour=5, Submitted=0)
    found = compared(record, known("Submitted"), told={"Submitted": HEARD})

    assert (named(found), found.differs) == ([], True)


def test_a_record_older_than_what_is_known_says_nothing():
    record = lead("Submitted", Submitted=0)
    told = dict.fromkeys(("Submitted", "Contacted"), HEARD)
    found = compared(record, known("Contacted", hour=1), told=told)

    assert (named(found), found.differs, found.newer) == ([], False, False)


@pytest.mark.parametrize(("hour", "missing"), [(0, ["Qualified"]), (1, [])])
def test_a_contact_beside_its_opportunity_speaks_only_of_what_came_with_it(
    hour, missing
):
    contact = lead("Qualified", Submitted=-2, Qualified=hour)
    found = compared(
        contact,
        known("Opportunity", hour=2, object_type="Opportunity"),
        object_type="Contact",
        told={"Submitted": HEARD},
        covers_from=NINE - timedelta(days=1),
    )

    assert named(found) == missing


hours = st.integers(0, 40)


@given(
    st.dictionaries(st.sampled_from(sorted(STAMPS)), hours, min_size=1),
    st.sampled_from(sorted(STAMPS)),
    st.sets(st.sampled_from(sorted(STAMPS))),
    st.none() | st.sampled_from(sorted(STAMPS)),
    st.integers(0, 50),
)
def test_once_all_is_told_nothing_is_missing_and_before_that_all_of_it_is(
    stamps, status, heard, last, until
):
    record = lead(status, **stamps)
    told = dict.fromkeys(heard, HEARD)
    at = NINE + timedelta(hours=until)
    found = compared(record, known(last) if last else None, told=told, until=at)

    assert {each.status for each in found.missing} == {
        each.status for each in found.expected
    } - heard
    assert all(NINE <= each.at < at for each in found.expected)
    assert list(found.missing) == sorted(found.missing, key=lambda each: each.at)
    everything = dict.fromkeys(
        (*heard, *(each.status for each in found.expected)), HEARD
    )
    again = compared(record, known(last) if last else None, told=everything, until=at)
    assert again.missing == ()
