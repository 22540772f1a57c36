"""Values that the org works out itself: names, closed, won, defaults by context.

Source: the field descriptions of Task, Event, Opportunity, CampaignMember and User
in the Object Reference.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sidecar.devorg.licences import check_assignment
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.schema import Row
from sidecar.devorg.values import midnight

if TYPE_CHECKING:
    from sidecar.devorg.records import Save

# Stage -> probability in percent, forecast category, its label.
STAGES: dict[str, tuple[int, str, str]] = {
    "Prospecting": (10, "Pipeline", "Pipeline"),
    "Qualification": (10, "Pipeline", "Pipeline"),
    "Needs Analysis": (20, "Pipeline", "Pipeline"),
    "Value Proposition": (50, "Pipeline", "Pipeline"),
    "Id. Decision Makers": (60, "Pipeline", "Pipeline"),
    "Perception Analysis": (70, "Pipeline", "Pipeline"),
    "Proposal/Price Quote": (75, "Pipeline", "Pipeline"),
    "Negotiation/Review": (90, "Pipeline", "Pipeline"),
    "Closed Won": (100, "Closed", "Closed"),
    "Closed Lost": (0, "Omitted", "Omitted"),
}


def prepare(save: Save) -> None:
    """
    Bring up to date what flows see of the record before it is stored.

    A record that a before-save flow gets already is closed and won as its new
    stage says, and has its full name.
    """
    work = _PREPARE.get(save.type.name)
    if work is not None:
        work(save)


def complete(save: Save) -> None:
    """Fill in what follows from the values about to be saved."""
    work = _COMPLETE.get(save.type.name)
    if work is not None:
        work(save)


def follow_up(save: Save) -> None:
    """Do what the org does after storing a record, before any flow runs."""
    if save.type.name == "Campaign" and save.is_new:
        _default_member_statuses(save)
    elif save.type.name == "CampaignMember":
        _count_members(save)
    elif save.type.name == "OpportunityContactRole" and save.after.get("IsPrimary"):
        _primary_contact(save)


def _put(row: Row, name: str, value: object) -> None:
    if value is None:
        row.pop(name, None)
    else:
        row[name] = value


def _person(save: Save) -> None:
    row = save.after
    name = " ".join(str(row[k]) for k in ("FirstName", "LastName") if row.get(k))
    _put(row, "Name", name or None)
    if save.type.name == "User":
        row.setdefault("UserType", "Standard")


def _task(save: Save) -> None:
    row = save.after
    closed = row.get("Status") == "Completed"
    if closed and not row.get("IsClosed"):
        row["CompletedDateTime"] = save.org.clock.second()
    elif not closed:
        row.pop("CompletedDateTime", None)
    row["IsClosed"] = closed
    row["IsHighPriority"] = row.get("Priority") == "High"
    _activity(save)


def _event(save: Save) -> None:
    row = save.after
    given = row if save.is_new else {k: v for k, v in row.items() if save.changed(k)}
    start = given.get("StartDateTime") or given.get("ActivityDateTime")
    start = start or row.get("StartDateTime")
    if isinstance(start, datetime):
        minutes = row.get("DurationInMinutes")
        end = given.get("EndDateTime")
        if isinstance(end, datetime):
            minutes = int((end - start).total_seconds() // 60)
        elif isinstance(minutes, int):
            end = start + timedelta(minutes=minutes)
        if not isinstance(minutes, int):
            raise _missing("DurationInMinutes")
        row["DurationInMinutes"], row["EndDateTime"] = minutes, end
        row["StartDateTime"] = row["ActivityDateTime"] = start
        row["ActivityDate"] = start.date()
    elif isinstance(day := row.get("ActivityDate"), date) and row["IsAllDayEvent"]:
        row["StartDateTime"] = row["ActivityDateTime"] = midnight(day)
        row["EndDateTime"] = midnight(day)
        row.setdefault("DurationInMinutes", 1440)
    else:
        raise _missing("ActivityDateTime", "DurationInMinutes")
    _activity(save)


def _activity(save: Save) -> None:
    # The account is the related record's, else the contact's.
    row = save.after
    what, who = str(row.get("WhatId", "")), str(row.get("WhoId", ""))
    account: object = None
    if what.startswith("001"):
        account = what
    elif what.startswith("006") or who.startswith("003"):
        parent = what if what.startswith("006") else who
        account = (save.org.records.get(parent) or {}).get("AccountId")
    _put(row, "AccountId", account)


def _opportunity(save: Save) -> None:
    row = save.after
    stage = _stage(save)
    if save.changed("StageName"):
        if save.is_new and "Probability" in row:
            pass
        elif not save.changed("Probability"):
            row["Probability"] = stage.get("DefaultProbability", Decimal(0))
        if save.is_new or not save.changed("ForecastCategoryName"):
            row["ForecastCategoryName"] = stage.get("ForecastCategoryName", "Pipeline")
        row["ForecastCategory"] = stage.get("ForecastCategory", "Pipeline")
    _closing(save)
    amount, chance = row.get("Amount"), row.get("Probability")
    if isinstance(amount, Decimal) and isinstance(chance, Decimal):
        row["ExpectedRevenue"] = (amount * chance / 100).quantize(Decimal("0.01"))
    else:
        row.pop("ExpectedRevenue", None)
    if isinstance(day := row.get("CloseDate"), date):
        row["FiscalYear"], row["FiscalQuarter"] = day.year, (day.month + 2) // 3


def _closing(save: Save) -> None:
    stage = _stage(save)
    save.after["IsClosed"] = bool(stage.get("IsClosed"))
    save.after["IsWon"] = bool(stage.get("IsWon"))


def _stage(save: Save) -> Row:
    """Return what the org knows of the opportunity's stage; nothing, if unknown."""
    stages = save.org.records.table("OpportunityStage")
    name = save.org.schema["OpportunityStage"].fields["apiname"]
    found = stages.find(name, [save.after.get("StageName")])
    return stages.rows[found[0]] if found else {}


def _campaign(save: Save) -> None:
    for name in ("NumberOfLeads", "NumberOfContacts", "NumberOfResponses"):
        save.after.setdefault(name, 0)


def _campaign_member(save: Save) -> None:
    row = save.after
    person = row.get("ContactId") or row.get("LeadId")
    if person is None:
        raise _missing("LeadId", "ContactId")
    person_row = save.org.records.get(str(person)) or {}
    row["LeadOrContactId"] = person
    _put(row, "Name", person_row.get("Name"))
    _put(row, "Email", person_row.get("Email"))
    _member_is_new(save)
    statuses = [
        status
        for status in save.org.records.table("CampaignMemberStatus").rows.values()
        if status["CampaignId"] == row.get("CampaignId")
    ]
    default = next((s["Label"] for s in statuses if s.get("IsDefault")), "Sent")
    row.setdefault("Status", default)
    known = next((s for s in statuses if s["Label"] == row["Status"]), None)
    if known is None and not statuses:
        return  # There is no such campaign, which is told when its id is looked at.
    if known is None:
        raise Refusal(
            "INVALID_STATUS",
            f"invalid status: {row['Status']}",
            fields=["Status"],
        )
    row["HasResponded"] = bool(known.get("HasResponded"))
    if row["HasResponded"]:
        row.setdefault("FirstRespondedDate", save.org.clock.now().date())


def _member_is_new(save: Save) -> None:
    if not save.is_new:
        return
    row, members = save.after, save.org.records.table("CampaignMember")
    field = save.type.fields["leadorcontactid"]
    for other in members.find(field, [row["LeadOrContactId"]]):
        if members.rows[other]["CampaignId"] == row.get("CampaignId"):
            raise Refusal(
                "DUPLICATE_VALUE",
                "Already a campaign member.",
                fields=[],
            )


def _permission_set(save: Save) -> None:
    save.after["IsCustom"] = not save.after.get("IsOwnedByProfile")


def _assignment(save: Save) -> None:
    row = save.after
    table = save.org.records.table("PermissionSetAssignment")
    field = save.type.fields["assigneeid"]
    for other in table.find(field, [row.get("AssigneeId")]):
        same = table.rows[other]["PermissionSetId"] == row.get("PermissionSetId")
        if same and other != save.id:
            raise Refusal(
                "DUPLICATE_VALUE",
                f"Duplicate PermissionSetAssignment. Assignee: {row['AssigneeId']}; "
                f"Permission Set: {row['PermissionSetId']}",
                fields=["PermissionSetId", "AssigneeId"],
            )
    if save.is_new:
        check_assignment(save)
    row["IsActive"] = True


def _field_permission(save: Save) -> None:
    row, org = save.after, save.org
    object_name, _, name = str(row.get("Field")).partition(".")
    type_ = org.schema.get(object_name)
    field = type_.field(name) if type_ else None
    if field is None or not field.permissionable:
        raise Refusal(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"Field Name: bad value for restricted picklist field: {row.get('Field')}",
            fields=["Field"],
        )
    table = org.records.table("FieldPermissions")
    for other in table.find(save.type.fields["parentid"], [row.get("ParentId")]):
        if other != save.id and table.rows[other]["Field"] == row["Field"]:
            raise Refusal(
                "DUPLICATE_VALUE",
                "duplicate value found: <unknown> duplicates value on record with id: "
                "<unknown>",
                fields=[],
            )


def _user(save: Save) -> None:
    _person(save)
    holder = save.org.user_named(str(save.after.get("Username")))
    if holder not in {None, save.id}:
        raise Refusal(
            "DUPLICATE_USERNAME",
            "Duplicate Username.<br>The username already exists in this or another "
            "Salesforce organization. Usernames must be unique across all Salesforce "
            "organizations. To resolve, use a different username (it doesn't need to "
            "match the user's email address).",
            fields=["Username"],
        )


def _default_member_statuses(save: Save) -> None:
    for order, (label, responded) in enumerate(
        (("Sent", False), ("Responded", True)), start=1
    ):
        save.org.records.create(
            save.org.system(save.access.user_id),
            "CampaignMemberStatus",
            {
                "CampaignId": save.id,
                "Label": label,
                "SortOrder": order,
                "IsDefault": not responded,
                "HasResponded": responded,
            },
        )


def _count_members(save: Save) -> None:
    org = save.org
    members, campaigns = (
        org.records.table("CampaignMember"),
        org.records.table("Campaign"),
    )
    campaign_id = str(save.after["CampaignId"])
    rows = [
        members.rows[member]
        for member in members.find(save.type.fields["campaignid"], [campaign_id])
    ]
    counted = {
        "NumberOfLeads": sum("LeadId" in row for row in rows),
        "NumberOfContacts": sum("ContactId" in row for row in rows),
        "NumberOfResponses": sum(bool(row.get("HasResponded")) for row in rows),
    }
    campaigns.put(campaign_id, {**campaigns.rows[campaign_id], **counted})


def _primary_contact(save: Save) -> None:
    """The opportunity says who plays the primary role (Opportunity.ContactId)."""
    deals, deal_id = (
        save.org.records.table("Opportunity"),
        str(save.after["OpportunityId"]),
    )
    contact = {"ContactId": save.after["ContactId"]}
    deals.put(deal_id, {**deals.rows[deal_id], **contact})


def _missing(*names: str) -> Refusal:
    return Refusal(
        "REQUIRED_FIELD_MISSING",
        f"Required fields are missing: [{', '.join(names)}]",
        fields=list(names),
    )


_PREPARE: dict[str, Callable[[Save], None]] = {
    "Lead": _person,
    "Contact": _person,
    "Opportunity": _closing,
}
_COMPLETE: dict[str, Callable[[Save], None]] = {
    "Lead": _person,
    "Contact": _person,
    "User": _user,
    "FieldPermissions": _field_permission,
    "Task": _task,
    "Event": _event,
    "Opportunity": _opportunity,
    "Campaign": _campaign,
    "CampaignMember": _campaign_member,
    "PermissionSet": _permission_set,
    "PermissionSetAssignment": _assignment,
}
