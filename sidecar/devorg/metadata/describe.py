"""What the Metadata API tells of types and components: describe, list, read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lxml import etree

from sidecar.devorg.metadata.component import Component
from sidecar.devorg.metadata.element import NAMESPACE, Element, name_of, text
from sidecar.devorg.metadata.folders import CHILD_OF, FOLDERS
from sidecar.devorg.metadata.kinds import BY_TYPE
from sidecar.devorg.metadata.shapes import SHAPES
from sidecar.devorg.schema import ObjectType

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_NS = f"{{{NAMESPACE}}}"
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
# Elements of an object's file that hold components of their own.
_CHILD_ELEMENTS = {
    "CustomField": "fields",
    "ValidationRule": "validationRules",
    "ListView": "listViews",
    "CompactLayout": "compactLayouts",
}


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
    org: Org, types: Sequence[str], *, user_id: str
) -> Iterator[dict[str, object]]:
    """List the components of some types, in WSDL order."""
    for wanted in types:
        listed: set[str] = set()
        for each in org.metadata.components.of_type(wanted):
            listed.add(each.full_name)
            yield _properties(org, each)
        if wanted == "CustomObject":
            for type_ in org.schema:
                if not (type_.custom or type_.tooling or type_.name in listed):
                    yield _properties(org, _standard(org, type_, user_id))


def _standard(org: Org, type_: ObjectType, user_id: str) -> Component:
    now = org.clock.second()
    file = f"objects/{type_.name}.object"
    empty = etree.Element(f"{_NS}CustomObject")
    return Component(
        "", "CustomObject", type_.name, file, empty, None, user_id, now, user_id, now
    )


def _properties(org: Org, component: Component) -> dict[str, object]:
    users = org.records.table("User").rows
    return {
        "createdById": component.created_by,
        "createdByName": str(users.get(component.created_by, {}).get("Name", "")),
        "createdDate": component.created_at,
        "fileName": f"unpackaged/{component.file}",
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
    found = []
    for full_name in names:
        component = org.metadata.components.get(type_, full_name)
        if component is not None:
            record = _record(type_, component.full_name)
            _copy(component.element, record, type_)
        elif type_ == "CustomObject" and (known := org.schema.get(full_name)):
            record = _record(type_, known.name)
            _describe_object(record, known)
        else:
            continue
        if type_ == "CustomObject":
            _add_children(org, record, full_name)
        found.append(record)
    return found


def _record(type_: str, full_name: str) -> Element:
    record = etree.Element(f"{_NS}records")
    record.set(_XSI_TYPE, type_)
    etree.SubElement(record, f"{_NS}fullName").text = full_name
    return record


def _describe_object(record: Element, type_: ObjectType) -> None:
    for tag, value in (
        ("label", type_.label),
        ("pluralLabel", type_.plural),
        ("sharingModel", type_.sharing_model),
    ):
        etree.SubElement(record, f"{_NS}{tag}").text = value


def _add_children(org: Org, record: Element, object_name: str) -> None:
    prefix = object_name.lower() + "."
    for each in org.metadata.components:
        tag = _CHILD_ELEMENTS.get(each.type)
        if tag and each.full_name.lower().startswith(prefix):
            child = etree.SubElement(record, f"{_NS}{tag}")
            _copy(each.element, child, each.type)
    _sort(record, "CustomObject")


def _copy(source: Element, target: Element, shape: str) -> None:
    """Copy children in the order of the WSDL, whatever the deployer's was."""
    for each in source:
        name = name_of(each)
        if name == "fullName" and text(target, "fullName") is not None:
            continue
        slot = SHAPES.get(shape, {}).get(name)
        copied = etree.SubElement(target, f"{_NS}{name}")
        copied.text = each.text if len(each) == 0 else None
        _copy(each, copied, slot.kind if slot else "")
    _sort(target, shape)


def _sort(element: Element, shape: str) -> None:
    order = {name: place for place, name in enumerate(SHAPES.get(shape, {}))}
    element[:] = sorted(element, key=lambda each: order.get(name_of(each), 0))
