"""DuplicateRule: what happens to a record that a matching rule has seen before.

Source: "DuplicateRule", Metadata API Developer Guide; Salesforce Help 005263977 for the
order of the rules.
"""

from __future__ import annotations

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    check,
    child,
    children,
    number,
    text,
    texts,
)
from sidecar.devorg.metadata.matching import STANDARD_RULES, Matching
from sidecar.devorg.metadata.work import (
    Work,
    check_length,
    check_name,
    field_named,
    missing,
    object_of,
)


def apply(work: Work, part: Part, _component_id: str) -> int:
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
