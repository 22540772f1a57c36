"""A referral walks through an org that runs ``core``: what happens, and what may not.

The org runs the deployed flows and rules; each test makes records of its own.
"""

from datetime import datetime, timedelta

import pytest
from package_files import tree
from working_org import Refused, WorkingOrg

from sidecar.salesforce import lead_conversion

FORWARD = "A referral status does not go back"
CARRIED = {
    "Referral_Code__c": "CODE-1",
    "Referral_Source__c": "Partner",
    "Referral_Type__c": "Partner",
    "Referrer_Name__c": "Mira Sample",
    "Referral_Relationship__c": "Colleague",
    "Referral_Notes__c": "Ask for Ada.",
    "Referral_Origin__c": "Link on the website",
    "Referral_Consent__c": "Given to the referrer",
}


@pytest.fixture(scope="module")
def org(tmp_path_factory):
    """An org whose admin works on referrals, and may not bypass the rules."""
    with WorkingOrg.running(tmp_path_factory.mktemp("org"), tree("core")) as found:
        found.assign("Referral_User")
        yield found


def referral(org, **more):
    """A lead that somebody referred."""
    values = {"LastName": "Sample", "Company": "Example Ltd"}
    values |= {"Referral_Status__c": "Submitted", "Referrer_Name__c": "Mira Sample"}
    return org.create("Lead", **(values | more))


def opportunity(org, **more):
    values = {"Name": "A deal", "StageName": "Prospecting", "CloseDate": "2030-01-01"}
    values |= {"Referral_Status__c": "Submitted", "Referrer_Name__c": "Mira Sample"}
    return org.create("Opportunity", **(values | more))


def status(org, sobject, record_id):
    return org.read(sobject, record_id)["Referral_Status__c"]


# --- rules --------------------------------------------------------------------------


@pytest.mark.parametrize("sobject", ["Lead", "Contact", "Opportunity"])
def test_a_referral_needs_a_referrer_and_any_word_of_one_will_do(org, sobject):
    values = {
        "Lead": {"LastName": "Sample", "Company": "Example Ltd"},
        "Contact": {"LastName": "Sample"},
        "Opportunity": {
            "Name": "A",
            "StageName": "Prospecting",
            "CloseDate": "2030-1-1",
        },
    }[sobject]
    if sobject == "Opportunity":
        values["CloseDate"] = "2030-01-01"

    with pytest.raises(Refused, match="needs a referrer"):
        org.create(sobject, **values, Referral_Status__c="Submitted")

    assert org.create(sobject, **values)  # no referral: no referrer
    for named in ({"Referrer_Name__c": "Mira"}, {"Referral_Code__c": "CODE1"}):
        assert org.create(sobject, **values, **named, Referral_Status__c="Submitted")


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        (["Contacted", "Qualified", "Opportunity", "Won"], None),
        (["Qualified"], None),
        (["Contacted", "Lost", "Contacted", "Qualified"], None),
        (["Won", "Lost"], None),
        (["Contacted"], "Submitted"),
        (["Qualified"], "Contacted"),
        (["Contacted", "Lost"], "Submitted"),
        (["Contacted", "Lost"], "Qualified"),
        (["Contacted", "Lost"], "Won"),
        (["Contacted"], None),
    ],
)
def test_a_status_moves_forward_and_only_lost_is_taken_up_again(org, steps, refused):
    lead = referral(org)
    for step in steps:
        org.update("Lead", lead, Referral_Status__c=step)
        assert status(org, "Lead", lead) == step
    if refused:
        with pytest.raises(Refused, match=FORWARD):
            org.update("Lead", lead, Referral_Status__c=refused)


def test_a_status_is_not_cleared(org):
    lead = referral(org)

    with pytest.raises(Refused, match=FORWARD):
        org.update("Lead", lead, Referral_Status__c=None)


def test_an_origin_may_come_late_but_stays(org):
    lead = referral(org)
    org.update("Lead", lead, Referral_Origin__c="A form")

    for other in ("A link", None):
        with pytest.raises(Refused, match="origin cannot be changed"):
            org.update("Lead", lead, Referral_Origin__c=other)


@pytest.mark.parametrize(
    "phone",
    [
        "+1 555 0100",
        "(030) 123456",
        "0049/30-123.456",
        "+44 20 7946 0000 x12",
        "12 3456",
    ],
)
def test_a_phone_number_that_can_be_dialled_is_taken(org, phone):
    assert referral(org, Phone=phone)


@pytest.mark.parametrize("phone", ["call me", "12", "+", "555-HELP-NOW", "1" * 30])
def test_a_phone_number_that_cannot_is_refused_of_a_referral_alone(org, phone):
    with pytest.raises(Refused, match="cannot be dialled"):
        referral(org, Phone=phone)

    plain = org.create("Lead", LastName="Sample", Company="Example Ltd", Phone=phone)
    # what was there before is nobody's fault, until the lead becomes a referral
    org.update("Lead", plain, Description="Met at the fair")
    with pytest.raises(Refused, match="cannot be dialled"):
        org.update(
            "Lead", plain, Referral_Status__c="Submitted", Referrer_Name__c="Mira"
        )


@pytest.mark.parametrize("email", ["ada@example.org", "a.b+c@mail.example.com"])
def test_an_address_that_can_be_written_to_is_taken(org, email):
    assert referral(org, Email=email)


@pytest.mark.parametrize("email", ["ada@example.c", "ada@-.example.org", "ada@x_y.org"])
def test_an_address_that_salesforce_takes_and_nobody_receives_is_refused(org, email):
    with pytest.raises(Refused, match="cannot be right"):
        referral(org, Email=email)


# --- times --------------------------------------------------------------------------


def test_each_milestone_is_stamped_once_and_a_first_response_is_due_in_a_day(org):
    lead = referral(org)
    first = org.read("Lead", lead)
    submitted = datetime.fromisoformat(first["Referral_Submitted_At__c"])
    due = datetime.fromisoformat(first["Referral_Response_Due__c"])

    assert due - submitted == timedelta(days=1)
    assert first["Referral_Contacted_At__c"] is None
    org.update("Lead", lead, Referral_Status__c="Contacted")
    contacted = org.read("Lead", lead)["Referral_Contacted_At__c"]
    assert contacted
    org.update("Lead", lead, Referral_Status__c="Lost")
    org.update("Lead", lead, Referral_Status__c="Contacted")
    last = org.read("Lead", lead)
    assert last["Referral_Contacted_At__c"] == contacted
    assert last["Referral_Lost_At__c"]
    assert last["Referral_Submitted_At__c"] == first["Referral_Submitted_At__c"]


def test_a_lead_that_is_no_referral_gets_no_time_and_no_key(org):
    lead = org.create("Lead", LastName="Sample", Company="Example Ltd")

    found = org.read("Lead", lead)
    assert found["Referral_Submitted_At__c"] is None
    assert found["Referral_Key__c"] is None
    assert found["Referral_Unowned__c"] is False


# --- opportunities ------------------------------------------------------------------


def test_the_stage_of_an_opportunity_decides_what_became_of_the_referral(org):
    deal = opportunity(org)
    assert status(org, "Opportunity", deal) == "Submitted"
    assert org.read("Opportunity", deal)["Referral_Key__c"] == deal

    for stage, becomes in (
        ("Closed Won", "Won"),
        ("Negotiation/Review", "Opportunity"),
        ("Closed Lost", "Lost"),
        ("Closed Won", "Won"),
    ):
        org.update("Opportunity", deal, StageName=stage)
        assert status(org, "Opportunity", deal) == becomes
    found = org.read("Opportunity", deal)
    assert found["Referral_Won_At__c"]
    assert found["Referral_Days_To_Convert__c"] == 0


def test_an_opportunity_that_nobody_referred_stays_without_a_status(org):
    deal = org.create(
        "Opportunity", Name="A", StageName="Closed Won", CloseDate="2030-01-01"
    )

    assert status(org, "Opportunity", deal) is None


# --- lost ---------------------------------------------------------------------------


@pytest.mark.parametrize("sobject", ["Lead", "Contact"])
def test_a_referral_is_lost_for_a_reason_until_it_is_taken_up_again(org, sobject):
    made = {"LastName": "Sample", "Referrer_Name__c": "Mira Sample"}
    made |= {"Company": "Example Ltd"} if sobject == "Lead" else {}
    record = org.create(sobject, **made, Referral_Status__c="Submitted")

    lost = {"Referral_Status__c": "Lost", "Referral_Lost_Reason__c": "No budget"}
    org.update(sobject, record, **lost)
    assert org.read(sobject, record)["Referral_Lost_Reason__c"] == "No budget"

    org.update(sobject, record, Referral_Status__c="Contacted")
    assert org.read(sobject, record)["Referral_Lost_Reason__c"] is None


@pytest.mark.parametrize("stage", ["Prospecting", "Closed Won"])
def test_a_deal_that_is_opened_again_is_lost_for_no_reason(org, stage):
    deal = opportunity(org)
    lost = {"StageName": "Closed Lost", "Referral_Lost_Reason__c": "No budget"}
    org.update("Opportunity", deal, **lost)
    assert status(org, "Opportunity", deal) == "Lost"
    assert org.read("Opportunity", deal)["Referral_Lost_Reason__c"] == "No budget"

    org.update("Opportunity", deal, StageName=stage)
    assert org.read("Opportunity", deal)["Referral_Lost_Reason__c"] is None


def test_a_reason_is_one_of_the_list(org):
    with pytest.raises(Refused, match="restricted picklist"):
        referral(org, Referral_Lost_Reason__c="They are rude")


# --- conversion ---------------------------------------------------------------------


def test_a_referral_survives_the_conversion_of_its_lead_whole(org):
    lead = referral(org, **CARRIED)
    org.update("Lead", lead, Referral_Status__c="Qualified")
    before = org.read("Lead", lead)

    made = lead_conversion.convert(
        org.caller,
        lead,
        status=lead_conversion.converted_status(org.caller),
        opportunity_name="The deal",
    )

    contact = org.read("Contact", made.contact_id)
    deal = org.read("Opportunity", made.opportunity_id)
    for name, value in CARRIED.items():
        assert (contact[name], deal[name]) == (value, value), name
    for record in (contact, deal):
        assert record["Referral_Key__c"] == lead
        for name in ("Referral_Submitted_At__c", "Referral_Qualified_At__c"):
            assert record[name] == before[name]
    assert contact["Referral_Status__c"] == "Qualified"
    assert deal["Referral_Status__c"] == "Opportunity"
    assert deal["Referral_Opportunity_At__c"]


# --- referrers ----------------------------------------------------------------------


def test_managers_keep_referrers_and_may_save_what_the_rules_refuse(tmp_path):
    with WorkingOrg.running(tmp_path, tree("core")) as org:
        org.assign("Referral_Manager")
        mira = org.create("Referrer__c", Name="Mira Sample", Code__c="MIRA")
        with pytest.raises(Refused, match="duplicate value"):
            org.create("Referrer__c", Name="Another", Code__c="mira")

        lead = referral(org, Referrer__c=mira, Referrer_Name__c=None)
        submitted = org.read("Lead", lead)["Referral_Submitted_At__c"]
        assert org.read("Referrer__c", mira)["Last_Referral_At__c"] == submitted
        # an older referral does not turn the clock back
        referral(
            org, Referrer__c=mira, Referral_Submitted_At__c="2020-01-01T00:00:00.000Z"
        )
        assert org.read("Referrer__c", mira)["Last_Referral_At__c"] == submitted

        org.update("Lead", lead, Referral_Status__c="Qualified")
        org.update("Lead", lead, Referral_Status__c="Submitted")
        assert status(org, "Lead", lead) == "Submitted"
