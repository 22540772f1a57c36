"""Components put together again into files, as a retrieval gives them."""

from __future__ import annotations

import base64
from collections.abc import Iterable
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
from sidecar.devorg.metadata.normal_form import own_object, settled, sort

_NS = f"{{{NAMESPACE}}}"
_PLACES = {place.type: place for place in FOLDERS.values()}
_OF_FILE = {each: tag for held in PARTS_OF.values() for tag, each in held.items()}


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
            for child in own_object(each.element):
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
