"""FlexiPage: a Lightning page made of components.

Source: "FlexiPage", Metadata API Developer Guide. Standard components are known by
their namespaces; others would be the customer's own code, which this org has none of.
"""

from __future__ import annotations

import re

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    check,
    child,
    children,
    line_of,
    text,
)
from sidecar.devorg.metadata.quick_action import need_action
from sidecar.devorg.metadata.work import Work, check_length, check_name, missing
from sidecar.devorg.schema import ObjectType

_STANDARD = re.compile(
    r"(flexipage|force|runtime_\w+|forceChatter|home|sfa|lightning|analytics|flowruntime"
    r"|record_flexipage|lst|wave|forceKnowledge|einstein\w*|sfdc\w*|console)[:_]\w+"
)


def apply(work: Work, part: Part, _component_id: str) -> None:
    """
    Keep a Lightning page.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "FlexiPage")
    check_name(part.full_name)
    check_length("MasterLabel", text(element, "masterLabel"), 80)
    kind, object_name = text(element, "type"), text(element, "sobjectType")
    type_ = work.org.schema.get(object_name) if object_name else None
    if object_name and type_ is None:
        raise missing("sobjectType", "CustomObject", object_name)
    if kind == "RecordPage" and type_ is None:
        raise Problem("Required field is missing: sobjectType")
    regions = children(element, "flexiPageRegions")
    names: set[str] = set()
    for region in regions:
        name = text(region, "name") or ""
        if name in names:
            raise Problem(f"Duplicate region: {name}", line=line_of(region))
        names.add(name)
    identifiers: set[str] = set()
    for region in regions:
        for item in children(region, "itemInstances"):
            _item(work, type_, item, names, identifiers)
    actions = child(element, "platformActionlist")
    listed = [] if actions is None else children(actions, "platformActionListItems")
    for each in listed:
        if text(each, "actionType") == "QuickAction":
            need_action(work, text(each, "actionName") or "")


def _item(
    work: Work,
    type_: ObjectType | None,
    item: Element,
    regions: set[str],
    identifiers: set[str],
) -> None:
    component, field = child(item, "componentInstance"), child(item, "fieldInstance")
    for each in (component, field):
        name = None if each is None else text(each, "identifier")
        if name and name in identifiers:
            raise Problem(f"Duplicate identifier: {name}", line=line_of(item))
        if name:
            identifiers.add(name)
    if field is not None:
        _, _, path = (text(field, "fieldItem") or "").partition(".")
        if type_ is None or type_.field(path) is None:
            owner = type_.name if type_ else ""
            raise missing("fieldItem", "CustomField", f"{owner}.{path}")
    if component is None:
        return
    name = text(component, "componentName") or ""
    if not _STANDARD.match(name):
        raise missing("componentName", "LightningComponentBundle", name)
    for each in children(component, "componentInstanceProperties"):
        _check_property(work, each, regions)


def _check_property(work: Work, element: Element, regions: set[str]) -> None:
    name, value = text(element, "name"), text(element, "value") or ""
    if value.startswith("Facet-") and value not in regions:
        raise Problem(f"Facet {value} not found", line=line_of(element))
    if name == "reportName" and value:
        work.need("reportName", "Report", value)


def remove(work: Work, full_name: str) -> None:
    """
    Delete a page.

    Raises:
        Problem: an object, an app or a tab shows it.
    """
    for each in work.components:
        if each.type not in {"CustomObject", "CustomApplication", "CustomTab"}:
            continue
        if work.leaving(each.type, each.full_name):
            continue
        words = {(e.text or "").strip() for e in each.element.iter()}
        if full_name in words:
            raise Problem(
                "This Lightning page is referenced elsewhere in salesforce.com."
                f" : {each.type} - {each.full_name}"
            )
