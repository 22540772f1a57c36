"""LeadConvertSettings: which custom field a converted lead hands on to which.

Source: "LeadConvertSettings", Metadata API Developer Guide: custom fields only, at
most three objects. Whether a deployment replaces or adds is not written there; this
org takes the careful reading, that a file states the whole mapping of its objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    check,
    children,
    flag,
    line_of,
    text,
)
from sidecar.devorg.metadata.work import Work, missing
from sidecar.devorg.schema import Field

NAME = "LeadConvertSettings"
_OUTPUTS = ("Account", "Contact", "Opportunity")
_TEXTS = frozenset(("string", "textarea", "picklist"))


@dataclass(frozen=True)
class LeadConversion:
    """
    What conversion does with the customer's own fields.

    Attributes:
        mappings: object -> (field of Lead, field of that object), in order.
        opportunity: VisibleOptional, VisibleRequired or NotVisible.
    """

    mappings: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    allow_owner_change: bool = True
    opportunity: str = "VisibleOptional"


def apply(work: Work, part: Part, _component_id: str) -> LeadConversion:
    """
    Keep how leads are converted.

    Raises:
        Problem: Salesforce would refuse it.
    """
    check(part.element, NAME)
    if part.full_name != NAME:
        raise Problem(f"Invalid name for {NAME}: {part.full_name}")
    mappings: dict[str, tuple[tuple[str, str], ...]] = {}
    for mapping in children(part.element, "objectMapping"):
        source, target = text(mapping, "inputObject"), text(mapping, "outputObject")
        if source != "Lead" or target not in _OUTPUTS:
            raise Problem(
                f"Invalid object mapping from {source} to {target}",
                line=line_of(mapping),
            )
        if target in mappings:
            raise Problem(f"Duplicate object mapping to {target}")
        mappings[target] = tuple(_pairs(work, mapping, target))
    return LeadConversion(
        mappings,
        flag(part.element, "allowOwnerChange", default=True),
        text(part.element, "opportunityCreationOptions") or "VisibleOptional",
    )


def _pairs(work: Work, mapping: Element, target: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for each in children(mapping, "mappingFields"):
        given = _custom(work, "inputField", "Lead", text(each, "inputField") or "")
        made = _custom(work, "outputField", target, text(each, "outputField") or "")
        if any(made.name == other for _, other in pairs):
            raise Problem(
                f"The field {target}.{made.name} is mapped more than once",
                line=line_of(each),
            )
        if any(given.name == other for other, _ in pairs):
            raise Problem(
                f"The field Lead.{given.name} is mapped more than once to {target}",
                line=line_of(each),
            )
        _check_fit(given, made, target)
        pairs.append((given.name, made.name))
    return pairs


def _custom(work: Work, element: str, object_name: str, name: str) -> Field:
    found = work.org.schema[object_name].field(name)
    if found is None:
        raise missing(element, "CustomField", f"{object_name}.{name}")
    if not found.custom:
        raise Problem(f"Only custom fields can be mapped: {object_name}.{name}")
    return found


def _check_fit(given: Field, made: Field, target: str) -> None:
    """Types must agree; text and picklists may go into each other and into text."""
    between_texts = given.type in _TEXTS and made.type in _TEXTS - {"picklist"}
    if given.type != made.type and not between_texts:
        raise Problem(
            f"The data type of Lead.{given.name} doesn't match the data type of "
            f"{target}.{made.name}"
        )
    if made.length and given.length > made.length:
        raise Problem(
            f"{target}.{made.name} is shorter than Lead.{given.name}: the value "
            "would be cut off"
        )
    if given.reference_to != made.reference_to:
        raise Problem(
            f"Lead.{given.name} and {target}.{made.name} refer to different objects"
        )
    if not made.createable or made.formula:
        raise Problem(f"{target}.{made.name} is read-only and can't be mapped")
