"""Components in one form, whoever wrote them: WSDL order, defaults written out.

Salesforce writes out what a deployment has left to its defaults; the commonest of
these are written out here too, so that a retrieved file is not what was deployed.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from sidecar.devorg.metadata.element import (
    NAMESPACE,
    Element,
    add,
    canonical,
    make,
    name_of,
    text,
)
from sidecar.devorg.metadata.folders import PARTS_OF
from sidecar.devorg.metadata.shapes import SHAPES

_NS = f"{{{NAMESPACE}}}"
# Type -> what Salesforce says of a component that does not say it.
_DEFAULTS: dict[str, Mapping[str, str]] = {
    "CustomField": {"externalId": "false"},
    "CustomObject": {
        "allowInChatterGroups": "false",
        "compactLayoutAssignment": "SYSTEM",
        "enableActivities": "false",
        "enableBulkApi": "true",
        "enableFeeds": "false",
        "enableHistory": "false",
        "enableLicensing": "false",
        "enableReports": "false",
        "enableSearch": "true",
        "enableSharing": "true",
        "enableStreamingApi": "true",
        "externalSharingModel": "Private",
        "visibility": "Public",
    },
    "Layout": {"showEmailCheckbox": "false", "showHighlightsPanel": "false"},
    "LayoutSection": {
        "customLabel": "true",
        "detailHeading": "true",
        "editHeading": "true",
    },
    "PermissionSet": {"hasActivationRequired": "false"},
    "PermissionSetFieldPermissions": {"readable": "false"},
    "ValueSet": {"restricted": "false"},
    "Report": {
        "showDetails": "true",
        "showGrandTotal": "true",
        "showSubTotals": "true",
    },
}
_OF_STANDARD = {
    "compactLayoutAssignment": "SYSTEM",
    "enableFeeds": "false",
    "enableHistory": "false",
}
_UNIQUE = frozenset(("Text", "Number", "Email"))
# Buttons of an object, which are Salesforce's own until an override says otherwise.
_ACTIONS = (
    "Accept",
    "CancelEdit",
    "Clone",
    "Delete",
    "Edit",
    "List",
    "New",
    "SaveEdit",
    "Tab",
    "View",
)


def settled(source: Element, type_: str) -> Element:
    """
    Return a component's element in the order of the WSDL, with defaults written out.

    The name of the element is its type; ``fullName`` and ``content`` are left out.
    """
    made = make(type_)
    copy_into(source, made, type_)
    for tag in ("fullName", "content"):
        for each in made.findall(f"{_NS}{tag}"):
            made.remove(each)
    return made


def own_object(source: Element) -> Element:
    """Return the element of an object itself, without the parts of its file."""
    made = settled(source, "CustomObject")
    for tag in PARTS_OF["CustomObject"]:
        for each in made.findall(f"{_NS}{tag}"):
            made.remove(each)
    overrides = made.findall(f"{_NS}actionOverrides")
    overridden = {text(each, "actionName") for each in overrides}
    for name in _ACTIONS:
        if name not in overridden and made.find(f"{_NS}nameField") is not None:
            each = add(made, "actionOverrides")
            add(each, "actionName", name)
            add(each, "type", "Default")
    sort(made, "CustomObject")
    return made


def same(one: Element, other: Element, type_: str) -> bool:
    """Tell whether two texts of a component mean the same, defaults and order aside."""
    if text(one, "content") != text(other, "content"):
        return False
    if type_ == "CustomObject":
        return canonical(own_object(one)) == canonical(own_object(other))
    return canonical(settled(one, type_)) == canonical(settled(other, type_))


def copy_into(source: Element, target: Element, shape: str) -> None:
    """Copy children in the order of the WSDL, whatever the deployer's was."""
    for each in source:
        name = name_of(each)
        slot = SHAPES.get(shape, {}).get(name)
        copied = etree.SubElement(target, f"{_NS}{name}")
        for key, value in each.attrib.items():
            copied.set(key, value)
        if len(each) == 0:
            copied.text = each.text
        copy_into(each, copied, slot.kind if slot else "")
    _write_defaults(target, shape)
    sort(target, shape)


def sort(element: Element, shape: str) -> None:
    """Bring the children of an element into the order of the WSDL."""
    order = {name: place for place, name in enumerate(SHAPES.get(shape, {}))}
    element[:] = sorted(element, key=lambda each: order.get(name_of(each), 0))


def _write_defaults(element: Element, shape: str) -> None:
    if shape == "LayoutSection" and not len(element):
        return
    defaults = dict(_DEFAULTS.get(shape, {}))
    if shape == "CustomObject" and element.find(f"{_NS}nameField") is None:
        # A standard object, of which most is not for customers to decide.
        defaults = _OF_STANDARD
    if shape == "CustomField":
        kind = text(element, "type")
        if element.find(f"{_NS}formula") is None and kind not in {
            "MasterDetail",
            "AutoNumber",
            "Summary",
            "Checkbox",
        }:
            defaults["required"] = "false"
        if kind in _UNIQUE and element.find(f"{_NS}formula") is None:
            defaults["unique"] = "false"
    for name, value in defaults.items():
        if element.find(f"{_NS}{name}") is None:
            add(element, name, value)
