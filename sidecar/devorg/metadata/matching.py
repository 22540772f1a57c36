"""MatchingRule and DuplicateRule: what makes two records the same, and what then.

Source: "MatchingRule" and "DuplicateRule", Metadata API Developer Guide; Salesforce
Help 005263977 for the order of duplicate rules. A matching rule is activated in the
background after the deployment: until then no duplicate rule can use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sidecar.devorg.metadata.component import Component, Part
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    check,
    child,
    children,
    line_of,
    number,
    text,
    texts,
)
from sidecar.devorg.metadata.normal_form import same
from sidecar.devorg.metadata.work import (
    Work,
    check_length,
    check_name,
    field_named,
    missing,
    object_of,
)

# How long the activation of a matching rule takes, by the org's clock.
ACTIVATION = timedelta(seconds=5)
_MOST_ITEMS, _MOST_ACTIVE = 10, 5
# Standard rules that every org has, by object.
STANDARD_RULES = {
    "Account": "Standard_Account_Match_Rule_v1_0",
    "Contact": "Standard_Contact_Match_Rule_v1_1",
    "Lead": "Standard_Lead_Match_Rule_v1_0",
}
_EXACT_ONLY = frozenset(
    ("boolean", "picklist", "reference", "currency", "double", "percent", "date")
)


@dataclass(frozen=True)
class Matching:
    """A matching rule: wanted active or not, and since when."""

    object_name: str
    active: bool
    deployed_at: datetime

    def status(self, now: datetime) -> str:
        """Return Inactive, Activating or Active."""
        if not self.active:
            return "Inactive"
        return "Active" if now - self.deployed_at >= ACTIVATION else "Activating"


def matching_rule(work: Work, part: Part, _component_id: str) -> Matching:
    """
    Keep a matching rule, and begin to activate it.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "MatchingRule")
    object_name, _, name = part.full_name.partition(".")
    object_of(work, object_name)
    check_name(name)
    check_length("MasterLabel", text(element, "label"), 80)
    check_length("Description", text(element, "description"), 255)
    items = children(element, "matchingRuleItems")
    if not 1 <= len(items) <= _MOST_ITEMS:
        raise Problem("A matching rule needs 1 to 10 matching criteria")
    for each in items:
        _check_item(work, object_name, each)
    _check_logic(text(element, "booleanFilter"), len(items))
    status = text(element, "ruleStatus")
    if status not in {"Active", "Inactive"}:
        raise Problem(f"ruleStatus: {status} can't be deployed")
    before = work.components.get("MatchingRule", part.full_name)
    known = before.value if before else None
    if isinstance(known, Matching) and known.active:
        changed = before is not None and not same(
            before.element, part.element, "MatchingRule"
        )
        if changed and status == "Active":
            raise Problem("Before you change a matching rule, you must deactivate it.")
        if not changed:
            return known
    _check_number_active(work, part.full_name, object_name, status == "Active")
    return Matching(object_name, status == "Active", work.org.clock.now())


def _check_number_active(
    work: Work, full_name: str, object_name: str, active: bool
) -> None:
    others = [
        each
        for each in work.components.of_type("MatchingRule")
        if isinstance(each.value, Matching)
        and (each.value.object_name, each.value.active) == (object_name, True)
        and each.full_name != full_name
    ]
    if active and len(others) >= _MOST_ACTIVE:
        raise Problem(f"{object_name} can't have more than 5 active matching rules")


def _check_item(work: Work, object_name: str, item: Element) -> None:
    name = text(item, "fieldName") or ""
    field = field_named(work, "fieldName", object_name, name)
    method = text(item, "matchingMethod")
    if field.type == "textarea" or field.formula:
        raise Problem(f"{name} can't be used in a matching rule", line=line_of(item))
    if method != "Exact" and field.type in _EXACT_ONLY:
        raise Problem(
            f"The matching method {method} can't be used with {name}",
            line=line_of(item),
        )


def _check_logic(logic: str | None, count: int) -> None:
    if logic is None:
        return
    named = {int(word) for word in _numbers(logic)}
    if named != set(range(1, count + 1)):
        raise Problem(f"The filter logic {logic} doesn't name each criterion")


def _numbers(logic: str) -> list[str]:
    return "".join(c if c.isdigit() else " " for c in logic).split()


def remove_matching(work: Work, full_name: str) -> None:
    """
    Delete a matching rule.

    Raises:
        Problem: it is active, or a duplicate rule uses it.
    """
    found = work.components.get("MatchingRule", full_name)
    object_name, _, name = full_name.partition(".")
    for each in work.components.of_type("DuplicateRule"):
        used = {
            text(one, "matchingRule")
            for one in children(each.element, "duplicateRuleMatchRules")
        }
        if each.full_name.partition(".")[0] == object_name and name in used:
            raise Problem(
                "This matching rule is referenced elsewhere in salesforce.com."
                f" : Duplicate Rule - {each.full_name}"
            )
    value = found.value if found else None
    if isinstance(value, Matching) and value.active:
        raise Problem("Before you delete a matching rule, you must deactivate it.")


def duplicate_rule(work: Work, part: Part, _component_id: str) -> int:
    """
    Keep a duplicate rule; return its place in the order of its object's rules.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "DuplicateRule")
    object_name, _, name = part.full_name.partition(".")
    object_of(work, object_name)
    check_name(name)
    check_length("MasterLabel", text(element, "masterLabel"), 80)
    active = text(element, "isActive") in {"true", "1"}
    for each in children(element, "duplicateRuleMatchRules"):
        _check_match(work, object_name, each, active=active)
    for on, operations in (
        ("actionOnInsert", "operationsOnInsert"),
        ("actionOnUpdate", "operationsOnUpdate"),
    ):
        if text(element, on) == "Block" and texts(element, operations):
            raise Problem(f"{operations} can't be specified when {on} is Block")
        if set(texts(element, operations)) - {"Alert", "Report"}:
            raise Problem(f"{operations}: only Alert and Report are allowed")
    _check_filter(work, element)
    order = number(element, "sortOrder") or 0
    _check_order(work, part, object_name, order)
    return order


def _check_match(
    work: Work, object_name: str, element: Element, *, active: bool
) -> None:
    on = text(element, "matchRuleSObjectType") or ""
    name = text(element, "matchingRule") or ""
    if STANDARD_RULES.get(on) == name:
        return
    rule = work.components.get("MatchingRule", f"{on}.{name}")
    if rule is None:
        raise missing("matchingRule", "MatchingRule", f"{on}.{name}")
    mapping = child(element, "objectMapping")
    nil = mapping is not None and len(mapping) == 0
    if on != object_name and (mapping is None or nil):
        raise Problem("Required field is missing: objectMapping")
    value = rule.value
    now = work.org.clock.now()
    if active and isinstance(value, Matching) and value.status(now) != "Active":
        raise Problem(
            "Before you can use this duplicate rule, all associated matching rules "
            "must be active and have their fields mapped"
        )


def _check_filter(work: Work, element: Element) -> None:
    found = child(element, "duplicateRuleFilter")
    items = [] if found is None else children(found, "duplicateRuleFilterItems")
    for each in items:
        table = text(each, "table") or ""
        field_named(work, "field", table, text(each, "field") or "")


def _check_order(work: Work, part: Part, object_name: str, order: int) -> None:
    """All rules of an object, those of the deployment too, count from 1 without gap."""
    orders = {
        each.full_name.lower(): each.value
        for each in work.components.of_type("DuplicateRule")
        if each.full_name.partition(".")[0] == object_name
    }
    orders[part.full_name.lower()] = order
    coming = [
        name
        for type_, name in work.coming
        if type_ == "DuplicateRule" and name.startswith(object_name.lower() + ".")
    ]
    if any(name not in orders for name in coming):
        return
    if sorted(map(str, orders.values()), key=int) != [
        str(n) for n in range(1, len(orders) + 1)
    ]:
        raise Problem("SortOrder must be in sequential order from 1")


def shown_status(component: Component, now: datetime) -> str:
    """Return what a matching rule's ``ruleStatus`` reads as at this moment."""
    value = component.value
    return value.status(now) if isinstance(value, Matching) else "Inactive"
