"""GlobalValueSet: picklist values that fields on several objects share."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import replace

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    check,
    children,
    flag,
    text,
)
from sidecar.devorg.metadata.work import Work, check_name, too_long
from sidecar.devorg.schema import PicklistValue


def apply(work: Work, part: Part, _component_id: str) -> list[PicklistValue]:
    """
    Store the values, and give them to every field that uses the set.

    A value that an earlier deployment brought and this one leaves out becomes
    inactive: the Metadata API never deletes one.

    Raises:
        Problem: Salesforce would refuse it.
    """
    check(part.element, "GlobalValueSet")
    check_name(part.full_name)
    if len(text(part.element, "masterLabel") or "") > 80:
        raise too_long("MasterLabel", 80)
    values = picklist_values(children(part.element, "customValue"))
    before = work.components.get("GlobalValueSet", part.full_name)
    if before is not None and isinstance(before.value, list):
        kept = {each.value for each in values}
        for old in before.value:
            if old.value not in kept:
                gone = copy(old)
                gone.active = gone.default = False
                values.append(gone)
    for type_ in work.org.schema:
        for key, field in list(type_.fields.items()):
            if field.global_value_set == part.full_name:
                fresh = [copy(each) for each in values]
                type_.fields[key] = replace(field, values=fresh)
    work.org.schema.version += 1
    return values


def remove(work: Work, full_name: str) -> None:
    """
    Delete a value set.

    Raises:
        Problem: a field uses it, or one that was deleted and can be restored.
    """
    for held in work.org.metadata.bin.using(full_name):
        raise Problem(
            "This global value set is referenced elsewhere in salesforce.com."
            f" : Deleted Custom Field - {held}"
        )
    for type_ in work.org.schema:
        for field in type_.fields.values():
            if field.global_value_set == full_name:
                raise Problem(
                    f"This global value set is referenced elsewhere in salesforce.com."
                    f" : Custom Field - {type_.name}.{field.name}"
                )


def picklist_values(elements: Iterable[Element]) -> list[PicklistValue]:
    """
    Read the values of a set, in their order.

    Raises:
        Problem: a value without a name, twice the same name or label.
    """
    found: list[PicklistValue] = []
    names: set[str] = set()
    labels: set[str] = set()
    for element in elements:
        name = text(element, "fullName")
        if not name:
            raise Problem("Required field is missing: fullName")
        label = text(element, "label") or name
        if name.lower() in names:
            raise Problem(f"Duplicate value: {name}")
        if label.lower() in labels:
            raise Problem(f"Duplicate label: {label}")
        names.add(name.lower())
        labels.add(label.lower())
        found.append(
            PicklistValue(
                name,
                label,
                active=flag(element, "isActive", default=True),
                default=flag(element, "default"),
            )
        )
    return found
