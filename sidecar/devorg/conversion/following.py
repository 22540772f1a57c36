"""What goes along with a converted lead: activities and campaign memberships."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.devorg.schema import ACTIVITY_OBJECTS

if TYPE_CHECKING:
    from sidecar.devorg.conversion.convert import Converted
    from sidecar.devorg.org import Org


def move(org: Org, made: Converted) -> None:
    """
    Hang the lead's activities on the contact, and its memberships on it as well.

    No flow or rule runs for them: they have not been edited.
    """
    for name in ACTIVITY_OBJECTS:
        table = org.records.table(name)
        field = org.schema[name].fields["whoid"]
        for record_id in table.find(field, [made.lead_id]):
            row = dict(table.rows[record_id])
            row["WhoId"] = made.contact_id
            row.setdefault("WhatId", made.opportunity_id or made.account_id)
            row["AccountId"] = made.account_id
            row["SystemModstamp"] = org.clock.second()
            table.put(record_id, row)
    members = org.records.table("CampaignMember")
    for record_id in _memberships(org, made.lead_id):
        row = dict(members.rows[record_id])
        row["ContactId"] = row["LeadOrContactId"] = made.contact_id
        row["SystemModstamp"] = org.clock.second()
        members.put(record_id, row)


def newest_campaign(org: Org, lead_id: str) -> str | None:
    """Return the campaign that the lead joined last; it gets the opportunity."""
    members = org.records.table("CampaignMember").rows
    joined = [members[each] for each in _memberships(org, lead_id)]
    return str(joined[-1]["CampaignId"]) if joined else None


def _memberships(org: Org, lead_id: str) -> list[str]:
    field = org.schema["CampaignMember"].fields["leadid"]
    return org.records.table("CampaignMember").find(field, [lead_id])
