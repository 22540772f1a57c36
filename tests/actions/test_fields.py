"""A playbook's field is in the org's record, once, and never older than it was."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
import requests
from actions.desk import Desk
from hypothesis import given
from hypothesis import strategies as st

from sidecar.demo.stage import client
from sidecar.salesforce import lead_conversion
from sidecar.salesforce.caller import caller_for
from sidecar.salesforce.field_values import as_json
from sidecar.store.tables import follow_up

FIELD = "set_field: {{field: {}, value: '{}'}}"


def test_fields_are_set_by_their_declared_types(desk: Desk) -> None:
    lead = desk.lead(DoNotCall=False)
    desk.plan(
        lead,
        FIELD.format("Description", "By {referrer}: {{prospect}}"),
        FIELD.format("numberofemployees", "250"),
        FIELD.format("AnnualRevenue", "1250.4"),
        FIELD.format("DoNotCall", "TRUE"),
        FIELD.format("Rating", ""),
        FIELD.format("Referral_Response_Due__c", "now"),
    )

    assert desk.deliver("set_field") == 6

    assert desk.ends() == [("done", None)] * 6
    (row,) = desk.read(
        "SELECT Description, NumberOfEmployees, AnnualRevenue, DoNotCall, Rating, "
        f"Referral_Response_Due__c, LastModifiedById FROM Lead WHERE Id = '{lead}'"
    )
    due = datetime.fromisoformat(row.pop("Referral_Response_Due__c"))
    assert abs(due - desk.wiring.now()) < timedelta(minutes=5)
    assert row == {
        "Description": "By Mira Sample: {prospect}",
        "NumberOfEmployees": 250,
        "AnnualRevenue": 1250,
        "DoNotCall": True,
        "Rating": None,
        "LastModifiedById": desk.org.user_ids[desk.org.integration_user],
    }
    assert desk.rows(follow_up.c.receipt, follow_up.c.playbook_version)[0] == (
        lead,
        "7",
    )
    assert desk.deliver("set_field") == 0


def test_a_field_that_is_not_there_is_named_and_stops_no_other(desk: Desk) -> None:
    lead = desk.lead()
    desk.plan(
        lead,
        FIELD.format("Nope__c", "x"),
        FIELD.format("AnnualRevenue", "a lot"),
        FIELD.format("NumberOfEmployees", "7"),
        FIELD.format("Referral_Key__c", "x").replace("Key", "Code"),
    )
    desk.deliver("set_field")

    (gone, wrong, good, hidden) = desk.ends()
    assert gone == (
        "dead",
        "INVALID_FIELD: No such column 'Nope__c' on sobject of type Lead",
    )
    assert wrong == (
        "dead",
        "Lead.AnnualRevenue: '***' is no number; write 1250.50",
    )
    assert good == ("done", None)
    assert hidden[0] == "dead"
    assert "Referral_Code__c" in str(hidden[1])


def test_what_was_meant_for_a_converted_lead_is_set_on_its_opportunity(
    desk: Desk,
) -> None:
    lead = desk.lead()
    admin = caller_for(
        desk.org.base_url, desk.org.admin_token, ca_file=desk.org.ca_file
    )
    made = lead_conversion.convert(
        admin, lead, status="Closed - Converted", opportunity_name="Example"
    )
    desk.plan(lead, FIELD.format("Description", "By {referrer}"))
    desk.deliver("set_field")

    assert desk.ends() == [("done", None)]
    assert desk.rows(follow_up.c.receipt) == [(made.opportunity_id,)]
    assert desk.read(
        f"SELECT Description FROM Opportunity WHERE Id = '{made.opportunity_id}'"
    ) == [{"Description": "By Mira Sample"}]


def test_an_older_value_never_comes_after_a_newer_one(desk: Desk) -> None:
    lead = desk.lead()
    desk.plan(lead, FIELD.format("Description", "first"))
    desk.plan(lead, FIELD.format("description", "second"), milestone="contacted")
    desk.deliver("set_field")

    assert desk.ends() == [
        ("cancelled", "a later action sets the same field"),
        ("done", None),
    ]
    assert desk.read(f"SELECT Description FROM Lead WHERE Id = '{lead}'") == [
        {"Description": "second"}
    ]


def test_many_records_are_one_call(desk: Desk) -> None:
    leads = [desk.lead() for _ in range(5)]
    for lead in leads:
        desk.plan(lead, FIELD.format("Description", "x"))
    before = calls(desk)
    desk.deliver("set_field")

    # A login, a describe and the call itself, at most.
    assert calls(desk) - before <= 3
    assert desk.states() == ["done"] * 5


def calls(desk: Desk) -> int:
    """How many calls the org has counted today."""
    limits = client(desk.org).restful("limits")["DailyApiRequests"]
    return int(limits["Max"]) - int(limits["Remaining"])


def test_an_org_out_of_calls_is_left_in_peace(desk: Desk) -> None:
    desk.plan(desk.lead(), FIELD.format("Description", "x"))
    door = f"{desk.org.base_url}/devorg/limit"
    requests.put(door, json={"daily": 1}, verify=desk.org.ca_file, timeout=10)
    try:
        desk.deliver("set_field")
    finally:
        requests.put(
            door, json={"daily": 1_000_000}, verify=desk.org.ca_file, timeout=10
        )

    ((state, error),) = desk.ends()
    assert state == "waiting"
    assert "REQUEST_LIMIT_EXCEEDED" in str(error)
    assert desk.deliver("set_field") == 0


AT = datetime(2026, 1, 2, 0, 30, tzinfo=timezone(timedelta(hours=9)))


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ("today", "date", "2026-01-02"),
        ("2026-12-24", "date", "2026-12-24"),
        ("now", "datetime", "2026-01-01T15:30:00+00:00"),
        ("2026-12-24T09:00:00+01:00", "datetime", "2026-12-24T08:00:00+00:00"),
        ("today", "string", "today"),
        ("", "date", None),
        ("12", "int", 12),
        ("1e3", "double", 1000),
        ("false", "boolean", False),
    ],
)
def test_a_text_is_written_as_its_field_takes_it(
    text: str, type_: str, value: object
) -> None:
    assert as_json(text, type_, at=AT) == value


@given(
    st.text(max_size=20),
    st.sampled_from(["int", "double", "date", "datetime", "boolean", "string"]),
)
def test_whatever_the_text_it_is_a_value_or_told_to_be_none(
    text: str, type_: str
) -> None:
    with suppress(ValueError):
        value = as_json(text, type_, at=datetime(2026, 1, 1, tzinfo=UTC))
        assert value is None or isinstance(value, str | int | float)
