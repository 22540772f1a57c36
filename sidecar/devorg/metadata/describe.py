"""What the Metadata API tells of types and components: describe, list, read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lxml import etree

from sidecar.devorg.metadata import compose
from sidecar.devorg.metadata.component import Component
from sidecar.devorg.metadata.element import NAMESPACE, Element, add, make
from sidecar.devorg.metadata.folders import CHILD_OF, FOLDERS, PARTS_OF
from sidecar.devorg.metadata.kinds import BY_TYPE
from sidecar.devorg.metadata.normal_form import own_object, settled, sort
from sidecar.devorg.metadata.settings import settings
from sidecar.devorg.schema import ObjectType

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_NS = f"{{{NAMESPACE}}}"
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
# Types of whose components Salesforce gives no list.
_UNLISTED = frozenset(("StandardValueSet",))


def metadata_objects() -> Iterator[dict[str, object]]:
    """Describe the types that this org can deploy, in WSDL order."""
    for folder, place in sorted(FOLDERS.items(), key=lambda each: each[1].type):
        yield {
            "childXmlNames": sorted(
                child
                for child, parent in CHILD_OF.items()
                if parent == place.type and child in BY_TYPE
            ),
            "directoryName": folder,
            "inFolder": bool(place.folder_type),
            "metaFile": place.meta_file,
            "suffix": place.suffix,
            "xmlName": place.type,
        }


def file_properties(
    org: Org, queries: Sequence[tuple[str, str]]
) -> Iterator[dict[str, object]]:
    """
    List the components of some types, in WSDL order.

    Args:
        queries: type and folder; the folder is "" for types without.
    """
    components = org.metadata.components
    for wanted, folder in queries:
        if wanted in _UNLISTED:
            continue
        if wanted == "Settings":
            yield from (properties(org, each) for each in settings(org, "*"))
        held = any(
            place.type == wanted and place.folder_type for place in FOLDERS.values()
        )
        listed: set[str] = set()
        for each in components.of_type(wanted):
            listed.add(each.full_name)
            if not held or each.full_name.rpartition("/")[0] == folder:
                yield properties(org, each)
        if wanted == "CustomObject":
            for type_ in org.schema:
                if not (type_.custom or type_.tooling or type_.name in listed):
                    yield properties(org, standard(org, type_))
        elif wanted in PARTS_OF:
            yield from _holders(org, wanted)


def _holders(org: Org, type_: str) -> Iterator[dict[str, object]]:
    """List the files that are there only for what lies in them."""
    seen: set[str] = set()
    for each in org.metadata.components:
        if CHILD_OF.get(each.type) == type_ and each.file not in seen:
            seen.add(each.file)
            name = each.file.rpartition("/")[2].rpartition(".")[0]
            yield properties(org, replace(each, type=type_, full_name=name, id=""))


def standard(org: Org, type_: ObjectType) -> Component:
    """Return a standard object of which nothing has been deployed."""
    company = org.records.table("Organization").rows[org.id]
    by, at = str(company["CreatedById"]), org.clock.second()
    element = make("CustomObject")
    add(element, "sharingModel", type_.sharing_model)
    file = f"objects/{type_.name}.object"
    return Component(
        "", "CustomObject", type_.name, file, element, None, by, at, by, at
    )


def properties(org: Org, component: Component) -> dict[str, object]:
    """Return a component's FileProperties in WSDL order."""
    users = org.records.table("User").rows
    return {
        "createdById": component.created_by,
        "createdByName": str(users.get(component.created_by, {}).get("Name", "")),
        "createdDate": component.created_at,
        "fileName": component.file,
        "fullName": component.full_name,
        "id": component.id,
        "lastModifiedById": component.modified_by,
        "lastModifiedByName": str(users.get(component.modified_by, {}).get("Name", "")),
        "lastModifiedDate": component.modified_at,
        "manageableState": "unmanaged",
        "type": component.type,
    }


def read(org: Org, type_: str, names: Sequence[str]) -> list[Element]:
    """Return components as ``records`` elements in WSDL order; unknown ones not."""
    now = org.clock.now()
    found = []
    for full_name in names:
        component = _find(org, type_, full_name)
        if component is None:
            continue
        component = compose.shown(component, now)
        if type_ == "CustomObject":
            content = own_object(component.element)
            _add_children(org, content, component.full_name)
        else:
            content = settled(component.element, type_)
        record = etree.Element(f"{_NS}records")
        record.set(_XSI_TYPE, type_)
        add(record, "fullName", component.full_name)
        record.extend(list(content))
        found.append(record)
    return found


def _find(org: Org, type_: str, full_name: str) -> Component | None:
    if type_.endswith("Settings") and type_ not in BY_TYPE:
        return next(settings(org, full_name), None)
    found = org.metadata.components.get(type_, full_name)
    known = org.schema.get(full_name)
    if found is None and type_ == "CustomObject" and known and not known.tooling:
        return standard(org, known)
    return found


def _add_children(org: Org, record: Element, object_name: str) -> None:
    prefix = object_name.lower() + "."
    tags = {type_: tag for tag, type_ in PARTS_OF["CustomObject"].items()}
    for each in org.metadata.components:
        tag = tags.get(each.type)
        if tag and each.full_name.lower().startswith(prefix):
            child = add(record, tag)
            add(child, "fullName", each.full_name.partition(".")[2])
            child.extend(list(settled(each.element, each.type)))
    sort(record, "CustomObject")
