"""Reading events: the org's fields in the mind's words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.jobs.reading import (
    DETAILS,
    KEY,
    STATUS,
    moment,
    read_back_fields,
    seen,
)
from sidecar.referral.journey import Seen

LEAD = "00Q000000000001EAA"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FIELDS = {
    "Id": LEAD,
    "OwnerId": "005000000000001AAA",
    "SystemModstamp": "2026-01-02T03:04:05.000Z",
    "Referral_Status__c": "Submitted",
    "Referral_Key__c": "00Q000000000009EAA",
    "FirstName": "Ada",
    "LastName": " Example ",
    "Company": "Example Ltd",
    "Email": "ada@example.com",
    "Phone": None,
    "Referrer_Name__c": "Bert Sample",
    "Unknown__c": "whatever",
}


def test_a_message_is_told_in_the_minds_words() -> None:
    assert seen("Lead", LEAD, FIELDS) == Seen(
        key="00Q000000000009EAA",
        object_type="Lead",
        record_id=LEAD,
        status="Submitted",
        owner_id="005000000000001AAA",
        changed_at=AT,
        details={
            "first_name": "Ada",
            "last_name": "Example",
            "company": "Example Ltd",
            "email": "ada@example.com",
            "phone": "",  # known to be empty; code and source are not known at all
            "referrer": "Bert Sample",
        },
    )


def test_what_is_read_back_says_so() -> None:
    told = seen("Lead", LEAD, FIELDS, read_back=True)

    assert told.read_back


@pytest.mark.parametrize("object_type", sorted(DETAILS))
def test_whatever_is_understood_is_also_read_back(object_type: str) -> None:
    asked = {*read_back_fields(object_type)}

    assert {"Id", "OwnerId", "SystemModstamp", STATUS, KEY} < asked
    assert {*DETAILS[object_type]} < asked


def test_an_opportunity_tells_what_is_its_own() -> None:
    told = seen("Opportunity", "006000000000001AAA", {"Name": "Big", "Amount": "5.00"})

    assert told.details == {"opportunity": "Big", "amount": "5.00"}


@pytest.mark.parametrize("key", [None, "", " "])
def test_until_the_org_has_stamped_a_key_a_record_is_its_own(key: str | None) -> None:
    assert seen("Lead", LEAD, {**FIELDS, KEY: key}).key == LEAD
    assert seen("Lead", LEAD, {"Id": LEAD}).key == LEAD


@pytest.mark.parametrize("status", [None, "", " "])
def test_no_status_is_none(status: str | None) -> None:
    assert seen("Lead", LEAD, {**FIELDS, STATUS: status}).status is None


def test_an_owner_is_the_same_in_15_and_18_characters() -> None:
    short = seen("Lead", LEAD, {**FIELDS, "OwnerId": "005000000000001"})

    assert short.owner_id == "005000000000001AAA"


def test_without_the_system_modstamp_the_last_modified_date_counts() -> None:
    fields = {"SystemModstamp": None, "LastModifiedDate": "2026-01-02T03:04:05.000Z"}

    assert seen("Lead", LEAD, fields).changed_at == AT
    assert seen("Lead", LEAD, {}).changed_at is None


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T03:04:05.000Z",  # messages
        "2026-01-02T03:04:05.000+0000",  # REST answers
        "2026-01-02T03:04:05Z",
        "2026-01-02T05:04:05+02:00",
        " 2026-01-02T03:04:05.000Z\n",
    ],
)
def test_a_moment_is_read_as_salesforce_writes_it(text: str) -> None:
    assert moment("SystemModstamp", text) == AT


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "",
        "9/6/2016 9:35:00 AM CDT",  # a formula that shows a date as text
        "2026-01-02T03:04:05",  # in nobody knows which zone
        "2026-01-02",
        "2026-02-30T03:04:05Z",
        "0001-01-01T00:00:00+14:00",  # the year 0 in UTC
        "9999-12-31T23:59:59-12:00",
    ],
)
def test_what_is_no_moment_is_told_with_its_field(text: str) -> None:
    with pytest.raises(ValueError, match="SystemModstamp is "):
        moment("SystemModstamp", text)


@given(
    st.datetimes(datetime(1700, 1, 1), datetime(4000, 1, 1)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_a_moment_is_the_same_in_every_zone(at: datetime, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    there = at.replace(tzinfo=UTC, microsecond=0).astimezone(zone)

    read = moment("x", there.isoformat(timespec="milliseconds"))

    assert read == there
    assert read.tzinfo is UTC


FIELD = st.sampled_from([*FIELDS, "LastModifiedDate"])
VALUE = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)


@given(st.dictionaries(FIELD, VALUE))
def test_whatever_the_fields_only_a_time_can_be_wrong(
    fields: dict[str, object],
) -> None:
    try:
        told = seen("Lead", LEAD, fields)
    except ValueError as exc:
        wrong = str(exc)
    else:
        assert told.key
        assert told.status != ""
        return
    assert wrong.startswith(("SystemModstamp is ", "LastModifiedDate is "))
