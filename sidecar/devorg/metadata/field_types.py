"""What is particular to each type of custom field.

Source: "CustomField", Metadata API Developer Guide: which elements a type needs.
"""

from __future__ import annotations

from collections.abc import Callable

from sidecar.devorg.metadata import summary
from sidecar.devorg.metadata.auto_number import AutoNumber
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    child,
    children,
    flag,
    number,
    text,
)
from sidecar.devorg.metadata.global_value_set import picklist_values
from sidecar.devorg.metadata.work import Work, missing
from sidecar.devorg.schema import Field, ObjectType

Reader = Callable[[Work, ObjectType, Field, Element], None]

_FIXED_LENGTH = {"Email": 80, "Phone": 40, "Url": 255, "TextArea": 255}


def read(kind: str) -> Reader:
    """
    Return what reads the rest of a field of a metadata type.

    It fills in the field, or raises Problem for what Salesforce would refuse.
    """
    return _READERS.get(kind, _plain)


def _plain(_work: Work, _type: ObjectType, made: Field, element: Element) -> None:
    kind = text(element, "type") or ""
    made.length = _FIXED_LENGTH.get(kind, 0)


def _sized(_work: Work, _type: ObjectType, made: Field, element: Element) -> None:
    kind = text(element, "type") or ""
    length = number(element, "length")
    if length is None:
        raise Problem(f"Must specify 'length' for a CustomField of type {kind}")
    least, most = (1, 255) if kind == "Text" else (256, 131_072)
    if not least <= length <= most:
        raise Problem(f"length must be between {least} and {most}")
    made.length = length
    made.html = kind == "Html"


def _numeric(_work: Work, _type: ObjectType, made: Field, element: Element) -> None:
    kind = text(element, "type")
    precision, scale = number(element, "precision"), number(element, "scale")
    for name, value in (("precision", precision), ("scale", scale)):
        if value is None:
            raise Problem(f"Must specify '{name}' for a CustomField of type {kind}")
    made.precision, made.scale = precision or 0, scale or 0
    if not 1 <= made.precision <= 18 or not 0 <= made.scale <= made.precision:
        raise Problem("The precision must be 1 to 18, and the scale no larger")


def _checkbox(_work: Work, _type: ObjectType, made: Field, element: Element) -> None:
    default = text(element, "defaultValue")
    if default not in {"true", "false"}:
        raise Problem("Must specify 'defaultValue' for a CustomField of type Checkbox")
    made.nillable, made.defaulted, made.default = False, True, default == "true"


def _picklist(work: Work, _type: ObjectType, made: Field, element: Element) -> None:
    value_set = child(element, "valueSet")
    if value_set is None:
        raise Problem(
            f"Must specify 'valueSet' for a CustomField of type {text(element, 'type')}"
        )
    made.length = 255 if made.type == "picklist" else 4099
    made.restricted = flag(value_set, "restricted")
    named, own = text(value_set, "valueSetName"), child(value_set, "valueSetDefinition")
    if named:
        found = work.components.get("GlobalValueSet", named)
        if found is None:
            raise missing("valueSet", "GlobalValueSet", named)
        made.values = picklist_values(children(found.element, "customValue"))
        made.global_value_set = found.full_name
        # Source: "Make Your Custom Picklist Field Values Global", Salesforce Help.
        made.restricted = True
    elif own is not None:
        made.values = picklist_values(children(own, "value"))
    else:
        raise Problem("Must specify 'valueSetName' or 'valueSetDefinition'")
    made.default = next((each.value for each in made.values if each.default), None)
    made.defaulted = made.default is not None


def _lookup(work: Work, type_: ObjectType, made: Field, element: Element) -> None:
    master = text(element, "type") == "MasterDetail"
    target = text(element, "referenceTo")
    if not target:
        raise Problem(
            f"Must specify 'referenceTo' for a CustomField of type "
            f"{text(element, 'type')}"
        )
    referenced = work.org.schema.get(target)
    if referenced is None or referenced.tooling:
        raise missing("referenceTo", "CustomObject", target)
    made.length = 18
    made.reference_to = (referenced.name,)
    made.relationship_name = made.name.removesuffix("__c") + "__r"
    constraint = text(element, "deleteConstraint")
    if master:
        made.nillable, made.permissionable = False, False
        made.updateable = flag(element, "reparentableMasterDetail")
    elif flag(element, "required") and constraint in {None, "SetNull"}:
        raise Problem(
            "A required lookup field can't have a deleteConstraint of SetNull"
        )
    made.delete_constraint = "Cascade" if master else constraint or "SetNull"
    if relationship := text(element, "relationshipName"):
        made.child_relationship_name = relationship + "__r"
        _check_relationship(work, type_, made)


def _check_relationship(work: Work, type_: ObjectType, made: Field) -> None:
    for child_type, field in work.org.schema.children(made.reference_to[0]):
        if field.child_relationship_name == made.child_relationship_name and (
            child_type.name,
            field.key,
        ) != (type_.name, made.key):
            name = (made.child_relationship_name or "").removesuffix("__r")
            raise Problem(
                f"There is already a Child Relationship named {name} on "
                f"{made.reference_to[0]}."
            )


def _auto_number(work: Work, type_: ObjectType, made: Field, element: Element) -> None:
    made.length = 30
    made.createable = made.updateable = False
    made.defaulted = True
    counters = work.org.metadata.auto_numbers.setdefault(type_.name, {})
    shown = text(element, "displayFormat") or "{0}"
    if made.name not in counters:
        first = number(element, "startingNumber")
        counters[made.name] = AutoNumber(shown, 1 if first is None else first)
    counters[made.name].display_format = shown


_READERS: dict[str, Reader] = {
    "Text": _sized,
    "LongTextArea": _sized,
    "Html": _sized,
    "Number": _numeric,
    "Currency": _numeric,
    "Percent": _numeric,
    "Checkbox": _checkbox,
    "Picklist": _picklist,
    "MultiselectPicklist": _picklist,
    "Lookup": _lookup,
    "MasterDetail": _lookup,
    "AutoNumber": _auto_number,
    "Summary": summary.read,
}
