"""Metadata XML as the Tooling API's JSON: what may repeat is a list."""

from __future__ import annotations

from sidecar.devorg.metadata.element import Element, name_of
from sidecar.devorg.metadata.shapes import SHAPES, Slot


def as_json(element: Element, shape: str) -> dict[str, object]:
    """
    Return what an element says.

    Args:
        shape: its type's name; what types it does not know are texts.
    """
    slots = SHAPES.get(shape, {})
    found: dict[str, object] = {}
    for each in element:
        name = name_of(each)
        if name == "fullName":
            continue
        slot = slots.get(name)
        value = _value(each, slot)
        if slot is not None and slot.repeatable:
            listed = found.setdefault(name, [])
            if isinstance(listed, list):
                listed.append(value)
        else:
            found[name] = value
    return found


def _value(element: Element, slot: Slot | None) -> object:
    kind = slot.kind if slot else ""
    if len(element) or kind in SHAPES:
        return as_json(element, kind)
    written = (element.text or "").strip()
    match kind:
        case "b":
            return written in {"true", "1"}
        case "i":
            return int(written)
        case "d":
            return float(written)
    return written
