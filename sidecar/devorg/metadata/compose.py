"""Components put together again into files, as a retrieval gives them.

Salesforce writes out what a deployment has left to its defaults; the commonest of
these are written out here too, so that a retrieved file is not what was deployed.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import datetime

from lxml import etree

from sidecar.devorg.flows.model import Definition
from sidecar.devorg.metadata.component import Component
from sidecar.devorg.metadata.element import (
    NAMESPACE,
    Element,
    add,
    make,
    name_of,
    text,
)
from sidecar.devorg.metadata.folders import CHILD_OF, FOLDERS, PARTS_OF
from sidecar.devorg.metadata.matching import shown_status
from sidecar.devorg.metadata.shapes import SHAPES

_NS = f"{{{NAMESPACE}}}"
_PLACES = {place.type: place for place in FOLDERS.values()}
_OF_FILE = {each: tag for held in PARTS_OF.values() for tag, each in held.items()}
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


def shown(component: Component, now: datetime) -> Component:
    """
    Return a component as it reads now.

    Of a flow that is the active version, else the newest; a matching rule's status is
    how far its activation is.
    """
    element = component.element
    if isinstance(component.value, Definition):
        definition = component.value
        version = definition.latest
        for each in definition.versions:
            if each.number == definition.active:
                version = each
        active = version.number == definition.active
        element = deepcopy(version.element)
        if active or text(element, "status") == "Active":
            _set_text(element, "status", "Active" if active else "Obsolete")
    if component.type == "MatchingRule":
        element = deepcopy(element)
        _set_text(element, "ruleStatus", shown_status(component, now))
    return replace(component, element=element)


def _set_text(element: Element, name: str, value: str) -> None:
    found = element.find(f"{_NS}{name}")
    if found is not None:
        found.text = value


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


def own_object(component: Component) -> Element:
    """Return the element of a custom object itself, without the parts of its file."""
    made = settled(component.element, "CustomObject")
    for tag in PARTS_OF["CustomObject"]:
        for each in made.findall(f"{_NS}{tag}"):
            made.remove(each)
    overridden = {
        text(each, "actionName") for each in made.findall(f"{_NS}actionOverrides")
    }
    for name in _ACTIONS:
        if name not in overridden and component.full_name.endswith("__c"):
            each = add(made, "actionOverrides")
            add(each, "actionName", name)
            add(each, "type", "Default")
    sort(made, "CustomObject")
    return made


def files(components: Iterable[Component]) -> dict[str, bytes]:
    """
    Write components as the files of a package, those of one file together.

    Returns:
        Path within the package -> content.
    """
    whole: dict[str, Element] = {}
    written: dict[str, bytes] = {}
    for each in components:
        parent = CHILD_OF.get(each.type)
        if parent is not None:
            root = whole.setdefault(each.file, make(parent))
            inner = add(root, _OF_FILE[each.type])
            add(inner, "fullName", each.full_name.rpartition(".")[2])
            for child in settled(each.element, each.type):
                inner.append(child)
        elif each.type == "CustomObject":
            root = whole.setdefault(each.file, make("CustomObject"))
            for child in own_object(each):
                root.append(child)
        else:
            written |= _own_file(each)
    for path, root in whole.items():
        sort(root, name_of(root))
        written[path] = document(root)
    return written


def _own_file(component: Component) -> dict[str, bytes]:
    content = document(settled(component.element, component.type))
    place = _PLACES.get(component.type)
    if place is None or not place.meta_file:
        return {component.file: content}
    code = base64.b64decode(text(component.element, "content") or "")
    return {component.file: code, f"{component.file}-meta.xml": content}


def document(root: Element) -> bytes:
    """Write a file as Salesforce does: UTF-8, four spaces."""
    etree.cleanup_namespaces(root, keep_ns_prefixes=["xsi"])
    etree.indent(root, space="    ")
    body = etree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'.encode()
