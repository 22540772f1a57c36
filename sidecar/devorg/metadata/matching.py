"""MatchingRule: what makes two records the same.

Source: "MatchingRule", Metadata API Developer Guide. A rule is activated in the
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
    children,
    line_of,
    text,
)
from sidecar.devorg.metadata.normal_form import same
from sidecar.devorg.metadata.work import (
    Work,
    check_length,
    check_name,
    field_named,
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


def shown_status(component: Component, now: datetime) -> str:
    """Return what a matching rule's ``ruleStatus`` reads as at this moment."""
    value = component.value
    return value.status(now) if isinstance(value, Matching) else "Inactive"
