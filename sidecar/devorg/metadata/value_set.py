"""StandardValueSet: the values of the picklists that Salesforce brings.

Source: "StandardValueSet" and its "Names" page, Metadata API Developer Guide: a file
states the whole list; values cannot be deleted, those left out become inactive.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from decimal import Decimal

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    check,
    children,
    flag,
    number,
    text,
)
from sidecar.devorg.metadata.global_value_set import picklist_values
from sidecar.devorg.metadata.rows import forget_rows, keep_row
from sidecar.devorg.metadata.work import Work
from sidecar.devorg.schema import Field, ObjectType, PicklistValue

# Name of the set -> the fields that show it. Others exist, not in this org.
FIELDS: dict[str, tuple[str, ...]] = {
    "AccountOwnership": ("Account.Ownership",),
    "AccountRating": ("Account.Rating", "Lead.Rating"),
    "AccountType": ("Account.Type",),
    "CampaignMemberStatus": ("CampaignMember.Status",),
    "CampaignStatus": ("Campaign.Status",),
    "CampaignType": ("Campaign.Type",),
    "ContactRole": ("OpportunityContactRole.Role",),
    "EventSubject": ("Event.Subject",),
    "EventType": ("Event.Type",),
    "Industry": ("Account.Industry", "Lead.Industry"),
    "LeadSource": (
        "Account.AccountSource",
        "Contact.LeadSource",
        "Lead.LeadSource",
        "Opportunity.LeadSource",
    ),
    "LeadStatus": ("Lead.Status",),
    "OpportunityStage": ("Opportunity.StageName",),
    "OpportunityType": ("Opportunity.Type",),
    "Salutation": ("Contact.Salutation", "Lead.Salutation"),
    "TaskPriority": ("Task.Priority",),
    "TaskStatus": ("Task.Status",),
    "TaskSubject": ("Task.Subject",),
    "TaskType": ("Task.Type",),
}
_CATEGORIES = {
    "Omitted": "Omitted",
    "Pipeline": "Pipeline",
    "BestCase": "Best Case",
    "MostLikely": "Most Likely",
    "Forecast": "Commit",
    "Closed": "Closed",
}
_NEEDS_DEFAULT = frozenset(("LeadStatus", "TaskStatus", "TaskPriority"))


def fields_of(work: Work, name: str) -> list[tuple[ObjectType, Field]]:
    """Return the fields that show a set, with their objects."""
    found: list[tuple[ObjectType, Field]] = []
    for each in FIELDS.get(name, ()):
        object_name, _, field_name = each.partition(".")
        type_ = work.org.schema[object_name]
        field = type_.field(field_name)
        if field is not None:
            found.append((type_, field))
    return found


def apply(work: Work, part: Part, _component_id: str) -> list[PicklistValue]:
    """
    Give the fields of a set these values.

    Raises:
        Problem: Salesforce would refuse it.
    """
    check(part.element, "StandardValueSet")
    fields = fields_of(work, part.full_name)
    if not fields:
        raise Problem(
            f"Entity of type 'StandardValueSet' named '{part.full_name}' cannot be "
            "found"
        )
    values = picklist_values(children(part.element, "standardValue"))
    if not values:
        raise Problem("A standard value set must have at least one value")
    if part.full_name in _NEEDS_DEFAULT and not any(v.default for v in values):
        raise Problem("A default value must be specified")
    kept = {each.value for each in values}
    for old in fields[0][1].values:
        if old.value not in kept:
            gone = copy(old)
            gone.active = gone.default = False
            values.append(gone)
    for type_, field in fields:
        fresh = [copy(each) for each in values]
        type_.fields[field.key] = replace(field, values=fresh)
    listed = children(part.element, "standardValue")
    if part.full_name == "OpportunityStage":
        _keep_stages(work, listed, values)
    elif part.full_name == "LeadStatus":
        _keep_statuses(work, listed)
    work.org.schema.version += 1
    return values


def _keep_stages(
    work: Work, listed: list[Element], values: list[PicklistValue]
) -> None:
    """Keep what each stage means, for whoever saves an opportunity."""
    known = _rows(work, "OpportunityStage")
    active = {each.value for each in values if each.active}
    for order, element in enumerate(listed, start=1):
        name = text(element, "fullName") or ""
        category = text(element, "forecastCategory") or "Pipeline"
        keep_row(
            work,
            "OpportunityStage",
            known.pop(name, None),
            {
                "ApiName": name,
                "MasterLabel": text(element, "label") or name,
                "SortOrder": order,
                "IsActive": name in active,
                "IsClosed": flag(element, "closed"),
                "IsWon": flag(element, "won"),
                "DefaultProbability": Decimal(number(element, "probability") or 0),
                "ForecastCategory": category,
                "ForecastCategoryName": _CATEGORIES[category],
            },
        )
    for record_id in known.values():
        row = work.org.records.table("OpportunityStage").rows[record_id]
        keep_row(work, "OpportunityStage", record_id, {**row, "IsActive": False})


def _keep_statuses(work: Work, listed: list[Element]) -> None:
    known = _rows(work, "LeadStatus")
    if not any(flag(each, "converted") for each in listed):
        raise Problem("At least one lead status must be a converted status")
    for order, element in enumerate(listed, start=1):
        name = text(element, "fullName") or ""
        keep_row(
            work,
            "LeadStatus",
            known.pop(name, None),
            {
                "ApiName": name,
                "MasterLabel": text(element, "label") or name,
                "SortOrder": order,
                "IsDefault": flag(element, "default"),
                "IsConverted": flag(element, "converted"),
            },
        )
    for record_id in known.values():
        forget_rows(work, "LeadStatus", "Id", record_id)


def _rows(work: Work, type_name: str) -> dict[str, str]:
    rows = work.org.records.table(type_name).rows
    return {str(row["ApiName"]): record_id for record_id, row in rows.items()}


def remove(_work: Work, full_name: str) -> None:
    """
    Refuse to delete a set that Salesforce brings.

    Raises:
        Problem: always.
    """
    raise Problem(f"Cannot delete StandardValueSet: {full_name}")
