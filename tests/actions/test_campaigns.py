"""Whoever was referred joins a campaign, once, whatever became of the record."""

import itertools

import pytest
from actions.desk import Desk

from sidecar.salesforce import lead_conversion
from sidecar.salesforce.caller import caller_for
from sidecar.store.tables import follow_up

_numbers = itertools.count(1)


class Campaign:
    """A campaign, and who is in it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        name = f"Summer {next(_numbers)}"
        self.id = desk.create("Campaign", Name=name, IsActive=False)

    def action(self, status: str | None = "Sent") -> str:
        more = f", status: {status}" if status else ""
        return f"add_to_campaign: {{campaign: {self.id}{more}}}"

    def members(self) -> list[tuple[object, ...]]:
        rows = self.desk.read(
            "SELECT LeadId, ContactId, Status FROM CampaignMember "
            f"WHERE CampaignId = '{self.id}' ORDER BY Id"
        )
        return [(row["LeadId"], row["ContactId"], row["Status"]) for row in rows]


@pytest.fixture
def campaign(desk: Desk) -> Campaign:
    return Campaign(desk)


def converted(desk: Desk, lead: str):
    admin = caller_for(
        desk.org.base_url, desk.org.admin_token, ca_file=desk.org.ca_file
    )
    return lead_conversion.convert(
        admin, lead, status="Closed - Converted", opportunity_name="Example"
    )


def test_leads_and_contacts_join_with_a_status_or_the_campaigns_own(
    desk: Desk, campaign: Campaign
) -> None:
    lead, contact = desk.lead(), desk.create("Contact", LastName="Example")
    desk.plan(lead, campaign.action("Responded"))
    desk.plan(contact, campaign.action(None), object_type="Contact")

    assert desk.deliver("add_to_campaign") == 2

    assert campaign.members() == [(lead, None, "Responded"), (None, contact, "Sent")]
    receipts = desk.rows(follow_up.c.receipt, follow_up.c.playbook_version)
    assert [(str(receipt)[:3], version) for receipt, version in receipts] == [
        ("00v", "7")
    ] * 2
    assert desk.deliver("add_to_campaign") == 0


def test_who_is_a_member_stays_as_they_are(desk: Desk, campaign: Campaign) -> None:
    """So an answer that got lost does no harm, either."""
    lead = desk.lead()
    desk.create(
        "CampaignMember", CampaignId=campaign.id, LeadId=lead, Status="Responded"
    )
    desk.plan(lead, campaign.action("Sent"), campaign.action("Sent"))
    desk.deliver("add_to_campaign")

    assert campaign.members() == [(lead, None, "Responded")]
    assert (
        desk.rows(follow_up.c.state, follow_up.c.receipt)
        == [("done", "already a member")] * 2
    )


def test_twice_in_one_call_is_once_in_the_campaign(
    desk: Desk, campaign: Campaign
) -> None:
    lead = desk.lead()
    desk.plan(lead, campaign.action(), campaign.action())
    desk.deliver("add_to_campaign")

    assert campaign.members() == [(lead, None, "Sent")]
    assert desk.states() == ["done", "done"]


def test_a_lead_converted_meanwhile_joins_as_the_contact(
    desk: Desk, campaign: Campaign
) -> None:
    before, after = desk.lead(), desk.lead()
    desk.create("CampaignMember", CampaignId=campaign.id, LeadId=before)
    made = [converted(desk, lead) for lead in (before, after)]
    desk.plan(before, campaign.action())
    desk.plan(after, campaign.action())
    desk.deliver("add_to_campaign")

    assert [contact for _, contact, _ in campaign.members()] == [
        one.contact_id for one in made
    ]
    assert desk.states() == ["done", "done"]


def test_for_an_opportunity_its_primary_contact_joins(
    desk: Desk, campaign: Campaign
) -> None:
    made = converted(desk, desk.lead())
    alone = desk.create(
        "Opportunity", Name="x", StageName="Prospecting", CloseDate="2026-12-31"
    )
    desk.plan(made.opportunity_id, campaign.action(), object_type="Opportunity")
    desk.plan(alone, campaign.action(), object_type="Opportunity")
    desk.deliver("add_to_campaign")

    assert desk.ends() == [
        ("done", None),
        ("dead", f"the Opportunity {alone} has no primary contact"),
    ]
    assert campaign.members() == [(None, made.contact_id, "Sent")]


def test_what_salesforce_refuses_is_told_in_its_words_and_stops_no_other(
    desk: Desk, campaign: Campaign
) -> None:
    lead = desk.lead()
    gone = f"add_to_campaign: {{campaign: {campaign.id[:9]}999999AAA}}"
    desk.plan(lead, campaign.action("Never"), gone, campaign.action())
    desk.deliver("add_to_campaign")

    (status, missing, good) = desk.ends()
    assert status == ("dead", "INVALID_STATUS: invalid status: Never [Status]")
    assert missing[0] == "dead"
    assert "CROSS_REFERENCE" in str(missing[1]) or "MALFORMED_ID" in str(missing[1])
    assert good == ("done", None)
    assert campaign.members() == [(lead, None, "Sent")]
