"""Metadata that every org has from its first day: layouts, value sets, conversion.

Sample content of an ordinary Sales org; what the customer changes is deployed over it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sidecar.devorg.derived import STAGES
from sidecar.devorg.metadata import layout, lead_convert, value_set
from sidecar.devorg.metadata.component import Component, Part
from sidecar.devorg.metadata.element import Element, add, make
from sidecar.devorg.metadata.work import Work
from sidecar.devorg.schema import Field, ObjectType

if TYPE_CHECKING:
    from sidecar.devorg.metadata.component import Components
    from sidecar.devorg.org import Org

# Object -> sections of its layout: (label, left column, right column).
_SECTIONS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Account": (
        (
            "Account Information",
            "OwnerId Name! ParentId AccountNumber Site Type Industry AnnualRevenue",
            "Rating Phone Fax Website TickerSymbol Ownership NumberOfEmployees Sic",
        ),
        ("Address Information", "BillingAddress", "ShippingAddress"),
        ("System Information", "CreatedById-", "LastModifiedById-"),
        ("Description Information", "Description", ""),
    ),
    "Contact": (
        (
            "Contact Information",
            "OwnerId Name! AccountId Title Department Birthdate ReportsToId LeadSource",
            "Phone HomePhone MobilePhone OtherPhone Fax Email AssistantName "
            "AssistantPhone",
        ),
        ("Address Information", "MailingAddress", "OtherAddress"),
        ("System Information", "CreatedById-", "LastModifiedById-"),
        ("Description Information", "Description", ""),
    ),
    "Lead": (
        (
            "Lead Information",
            "OwnerId Name! Company! Title LeadSource Industry AnnualRevenue",
            "Phone MobilePhone Fax Email Website Status! Rating NumberOfEmployees",
        ),
        ("Address Information", "Address", ""),
        ("System Information", "CreatedById-", "LastModifiedById-"),
        ("Description Information", "Description", ""),
    ),
    "Opportunity": (
        (
            "Opportunity Information",
            "OwnerId Name! AccountId Type LeadSource",
            "Amount CloseDate! NextStep StageName! Probability CampaignId",
        ),
        ("System Information", "CreatedById-", "LastModifiedById-"),
        ("Description Information", "Description", ""),
    ),
    "Campaign": (
        (
            "Campaign Information",
            "OwnerId Name! IsActive Type Status StartDate EndDate",
            "ExpectedRevenue BudgetedCost ActualCost ExpectedResponse NumberSent "
            "ParentId",
        ),
        ("System Information", "CreatedById-", "LastModifiedById-"),
        ("Description Information", "Description", ""),
    ),
}
_LISTS = {
    "Account": ("RelatedContactList", "RelatedOpportunityList", "RelatedActivityList"),
    "Contact": ("RelatedOpportunityList", "RelatedActivityList", "RelatedHistoryList"),
    "Lead": ("RelatedActivityList", "RelatedHistoryList", "RelatedCampaignList"),
    "Opportunity": ("RelatedContactRoleList", "RelatedActivityList"),
    "Campaign": ("RelatedChildCampaignList", "RelatedActivityList"),
}


def found(org: Org, components: Components, user_id: str) -> None:
    """Give a new org its standing metadata, in the name of a user."""
    work = Work(org, components, user_id, api_version=0)
    for object_name in _SECTIONS:
        name = f"{object_name}-{object_name} Layout"
        element = _layout(object_name)
        _keep(work, "Layout", name, f"layouts/{name}.layout", element, "00h")
    name = lead_convert.NAME
    file = f"{name}/{name}.LeadConvertSetting"
    element = _element(name, ("allowOwnerChange", "true"))
    add(element, "opportunityCreationOptions", "VisibleOptional")
    _keep(work, name, name, file, element, "0Lc")
    for name in value_set.FIELDS:
        fields = value_set.fields_of(work, name)
        if fields:
            _keep(
                work,
                "StandardValueSet",
                name,
                f"standardValueSets/{name}.standardValueSet",
                _value_set(name, fields[0][1]),
                "0Sv",
            )


_APPLY = {
    "Layout": layout.apply,
    "StandardValueSet": value_set.apply,
    lead_convert.NAME: lead_convert.apply,
}


def _keep(
    work: Work, type_: str, name: str, file: str, element: Element, prefix: str
) -> None:
    component_id = work.org.ids.new(prefix)
    now = work.org.clock.second()
    value = _APPLY[type_](work, Part(type_, name, file, element), component_id)
    work.components.put(
        Component(
            component_id,
            type_,
            name,
            file,
            element,
            value,
            work.user_id,
            now,
            work.user_id,
            now,
        )
    )


def layout_of(work: Work, type_: ObjectType) -> None:
    """Give a new custom object the layout that Salesforce makes for it."""
    element = _element("Layout")
    title = type_.name_field
    name = "Name!" if title is None or title.createable else "Name-"
    owner = ["OwnerId"] if type_.field("OwnerId") else []
    _section(element, "Information", [name], owner)
    _section(element, "System Information", ["CreatedById-"], ["LastModifiedById-"])
    name = f"{type_.name}-{type_.label} Layout"
    _keep(work, "Layout", name, f"layouts/{name}.layout", element, "00h")


def _layout(object_name: str) -> Element:
    element = _element("Layout")
    for label, left, right in _SECTIONS[object_name]:
        _section(element, label, left.split(), right.split())
    for name in _LISTS[object_name]:
        add(add(element, "relatedLists"), "relatedList", name)
    add(element, "showEmailCheckbox", "false")
    add(element, "showRunAssignmentRulesCheckbox", "false")
    return element


def _section(
    layout: Element, label: str, left: Iterable[str], right: Iterable[str]
) -> None:
    section = add(layout, "layoutSections")
    for tag, text in (
        ("customLabel", "false"),
        ("detailHeading", "false"),
        ("editHeading", "true"),
        ("label", label),
    ):
        add(section, tag, text)
    for names in (left, right):
        column = add(section, "layoutColumns")
        for name in names:
            item = add(column, "layoutItems")
            behavior = {"!": "Required", "-": "Readonly"}.get(name[-1], "Edit")
            add(item, "behavior", behavior)
            add(item, "field", name.rstrip("!-"))
    add(section, "style", "TwoColumnsTopToBottom")


def _value_set(name: str, field: Field) -> Element:
    element = _element("StandardValueSet", ("sorted", "false"))
    for each in field.values:
        value = add(element, "standardValue")
        add(value, "fullName", each.value)
        add(value, "default", "true" if each.default else "false")
        add(value, "label", each.label)
        closed = each.value.startswith(("Closed", "Completed"))
        if name == "OpportunityStage":
            percent, category, _ = STAGES[each.value]
            add(value, "closed", "true" if closed else "false")
            add(value, "forecastCategory", category)
            add(value, "probability", str(percent))
            add(value, "won", "true" if each.value == "Closed Won" else "false")
        if name == "LeadStatus":
            converted = each.value == "Closed - Converted"
            add(value, "converted", "true" if converted else "false")
        if name == "TaskStatus":
            add(value, "closed", "true" if closed else "false")
    return element


def _element(tag: str, *content: tuple[str, str]) -> Element:
    made = make(tag)
    for name, text in content:
        add(made, name, text)
    return made
