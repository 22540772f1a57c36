"""Layout: which fields a record's page shows, and where.

Source: "Layout", Metadata API Developer Guide; the words of the refusals as reported
against Salesforce's CLI.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    check,
    child,
    children,
    line_of,
    text,
    texts,
)
from sidecar.devorg.metadata.quick_action import need_action
from sidecar.devorg.metadata.work import Work, check_length, missing, object_of
from sidecar.devorg.schema import ObjectType

# Lists that belong to every object of the named kind, without a lookup of their own.
_STANDARD_LISTS_TEXT = """
RelatedActivityList RelatedHistoryList RelatedContentNoteList RelatedFileList
RelatedNoteList RelatedAttachmentList RelatedProcessHistoryList RelatedEntityHistoryList
RelatedAccountContactRelationList RelatedAccountSalesTeam RelatedContactList
RelatedOpportunityList RelatedCaseList RelatedContactRoleList RelatedStageHistoryList
RelatedCampaignList RelatedCampaignInfluenceList RelatedLineItemList
RelatedOpportunityCompetitorList RelatedOpportunityPartnerList RelatedPartnerList
RelatedEmailMessageList RelatedQuoteList RelatedHighlightsList RelatedLeadList
RelatedEntityContactList RelatedActionPlanList RelatedOpportunitySalesTeam
RelatedCampaignMemberList RelatedCampaignMemberStatusList RelatedChildCampaignList
"""
_STANDARD_LISTS = frozenset(_STANDARD_LISTS_TEXT.split())
# Fields that every page needs although the API does not demand a value.
_NEEDED = {
    "Lead": ("Name", "Company", "Status"),
    "Contact": ("Name",),
    "Account": ("Name",),
    "Opportunity": ("Name", "CloseDate", "StageName"),
    "Campaign": ("Name",),
}


def apply(work: Work, part: Part, _component_id: str) -> tuple[str, ...]:
    """
    Keep a layout; return the fields on it, in order.

    Raises:
        Problem: Salesforce would refuse it.
    """
    check(part.element, "Layout")
    object_name, dash, name = unquote(part.full_name).partition("-")
    if not dash or not name:
        raise Problem(f"Invalid name for Layout: {part.full_name}")
    check_length("Name", name, 80)
    type_ = object_of(work, object_name)
    if not children(part.element, "layoutSections"):
        raise Problem("Layout must have at least 1 section")
    shown: list[str] = []
    for item in _items(part.element):
        _check_item(work, type_, item, shown)
    for needed in _needed(type_):
        if needed.lower() not in {each.lower() for each in shown}:
            raise Problem(
                f"Layout must contain an item for required layout field: {needed}"
            )
    _check_related_lists(work, type_, part.element)
    _check_actions(work, part.element)
    return tuple(shown)


def remove(work: Work, full_name: str) -> None:
    """
    Delete a layout.

    Raises:
        Problem: it is the only one of its object.
    """
    object_name = full_name.partition("-")[0]
    if work.leaving("CustomObject", object_name):
        return
    others = [
        each
        for each in work.components.of_type("Layout")
        if each.full_name.partition("-")[0] == object_name
        and each.full_name != full_name
    ]
    if not others:
        raise Problem("You cannot delete the only page layout of an object.")


def _items(layout: Element) -> Iterator[Element]:
    for section in children(layout, "layoutSections"):
        for column in children(section, "layoutColumns"):
            yield from children(column, "layoutItems")


def _check_item(work: Work, type_: ObjectType, item: Element, shown: list[str]) -> None:
    if (link := text(item, "customLink")) is not None:
        if not work.has("WebLink", f"{type_.name}.{link}"):
            raise missing("customLink", "WebLink", f"{type_.name}.{link}")
        return
    for tag in ("page", "component", "canvas", "scontrol"):
        if (value := text(item, tag)) is not None:
            raise missing(tag, {"page": "ApexPage"}.get(tag, tag), value)
    name = text(item, "field")
    if name is None:
        return
    found = type_.field(name)
    if found is None:
        raise missing("field", "CustomField", f"{type_.name}.{name}")
    if found.name in shown:
        raise Problem(
            f"Field: field, value:{found.name} appears more than once",
            line=line_of(item),
        )
    shown.append(found.name)
    if name in _needed(type_) and text(item, "behavior") != "Required":
        raise Problem(f"Field:{found.name} must be Required", line=line_of(item))
    read_only = not (found.createable or found.updateable) and found.formula is not None
    if read_only and text(item, "behavior") in {"Edit", "Required"}:
        raise Problem(f"Field:{found.name} must be Readonly", line=line_of(item))


def _needed(type_: ObjectType) -> Iterator[str]:
    if type_.name in _NEEDED:
        yield from _NEEDED[type_.name]
    elif (title := type_.name_field) is not None and title.createable:
        yield title.name
    for field in type_.fields.values():
        if field.custom and field.required and field.formula is None:
            yield field.name


def _check_related_lists(work: Work, type_: ObjectType, layout: Element) -> None:
    seen: set[str] = set()
    for each in children(layout, "relatedLists"):
        name = text(each, "relatedList") or ""
        if name in seen:
            raise Problem(
                f"Field: relatedLists, value:{name} appears more than once",
                line=line_of(each),
            )
        seen.add(name)
        _check_related_list(work, type_, each)


def _check_related_list(work: Work, type_: ObjectType, element: Element) -> None:
    name = text(element, "relatedList") or ""
    if name in _STANDARD_LISTS:
        return
    child_name, _, field_name = name.partition(".")
    listed = work.org.schema.get(child_name)
    field = listed.field(field_name) if listed else None
    if listed is None or field is None or type_.name not in field.reference_to:
        raise Problem(f"Cannot find related list:{name}", line=line_of(element))
    for column in texts(element, "fields"):
        if column == column.upper() or "." in column:
            continue
        if column != "NAME" and listed.field(column) is None:
            raise Problem(
                f"Invalid field:{column} in related list:{name}", line=line_of(element)
            )


def _check_actions(work: Work, layout: Element) -> None:
    quick = child(layout, "quickActionList")
    if quick is not None:
        for each in children(quick, "quickActionListItems"):
            need_action(work, text(each, "quickActionName") or "")
    listed = child(layout, "platformActionList")
    if listed is None:
        return
    seen: set[str] = set()
    for each in children(listed, "platformActionListItems"):
        order = text(each, "sortOrder") or ""
        if order in seen:
            raise Problem(f"Duplicate sortOrder: {order}", line=line_of(each))
        seen.add(order)
        if text(each, "actionType") == "QuickAction":
            need_action(work, text(each, "actionName") or "")
