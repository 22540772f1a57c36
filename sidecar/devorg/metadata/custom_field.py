"""CustomField: from XML to a field of the schema.

Sources: "CustomField", Metadata API Developer Guide (which elements each type needs
and takes); the words of the refusals as reported against Salesforce's CLI.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

from sidecar.devorg.formula import Formula, FormulaError, Type, Value
from sidecar.devorg.metadata import formula_scope
from sidecar.devorg.metadata.auto_number import AutoNumber
from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    NOT_AVAILABLE,
    Element,
    Problem,
    check,
    child,
    children,
    flag,
    number,
    text,
)
from sidecar.devorg.metadata.global_value_set import picklist_values
from sidecar.devorg.metadata.work import (
    Work,
    check_name,
    missing,
    object_of,
    too_long,
)
from sidecar.devorg.schema import Field, ObjectType, Row

# Metadata type -> describe type. What is not here is refused by name.
_DESCRIBED = {
    "AutoNumber": "string",
    "Checkbox": "boolean",
    "Currency": "currency",
    "Date": "date",
    "DateTime": "datetime",
    "Email": "email",
    "Html": "textarea",
    "LongTextArea": "textarea",
    "Lookup": "reference",
    "MasterDetail": "reference",
    "MultiselectPicklist": "multipicklist",
    "Number": "double",
    "Percent": "percent",
    "Phone": "phone",
    "Picklist": "picklist",
    "Text": "string",
    "TextArea": "textarea",
    "Time": "time",
    "Url": "url",
}
_FIXED_LENGTH = {"Email": 80, "Phone": 40, "Url": 255, "TextArea": 255}
_FORMULA_TYPES = {
    "Checkbox": Type.BOOLEAN,
    "Currency": Type.NUMBER,
    "Date": Type.DATE,
    "DateTime": Type.DATETIME,
    "Number": Type.NUMBER,
    "Percent": Type.NUMBER,
    "Text": Type.TEXT,
}
_EXTERNAL = frozenset(("Text", "Number", "Email", "AutoNumber"))
# A default that differs from record to record.
_VARYING = re.compile(
    r"\$User|\$Profile|\$Permission|NOW\s*\(|TODAY\s*\(", re.IGNORECASE
)
_UNIQUE = frozenset(("Text", "Number", "Email"))


def apply(work: Work, part: Part, component_id: str) -> Field:
    """
    Add a custom field to its object, or change it.

    Raises:
        Problem: Salesforce would refuse it.
    """
    check(part.element, "CustomField")
    object_name, _, name = part.full_name.partition(".")
    type_ = object_of(work, object_name)
    if not name.endswith("__c"):
        if type_.field(name) is None:
            raise missing("fullName", "CustomField", part.full_name)
        raise Problem(f"{part.full_name}: {NOT_AVAILABLE}")
    check_name(name.removesuffix("__c"), most=40)
    made = field_from(work, type_, name, part.element)
    made.id = component_id
    _check_change(work, type_, made)
    work.org.schema.add_field(object_name, made)
    work.org.records.forget_indexes()
    return made


def remove(work: Work, full_name: str) -> None:
    """Delete a custom field with its values, everywhere."""
    object_name, _, name = full_name.partition(".")
    for type_ in work.org.schema.targets(object_name):
        if (field := type_.field(name)) is not None:
            work.org.records.table(type_.name).forget_field(field)
    work.org.schema.remove_field(object_name, name)
    work.org.records.forget_indexes()


def field_from(work: Work, type_: ObjectType, name: str, element: Element) -> Field:
    """
    Read one field.

    Raises:
        Problem: Salesforce would refuse it.
    """
    kind = text(element, "type")
    if kind is None:
        raise Problem("Must specify a field type for the CustomField")
    if kind not in _DESCRIBED:
        raise Problem(f"{kind}: {NOT_AVAILABLE}")
    label = text(element, "label")
    if not label:
        raise Problem("Must specify a non-empty label for the CustomField")
    if len(label) > 40:
        raise too_long("MasterLabel", 40)
    _check_words(element)
    made = Field(name, label, _DESCRIBED[kind], custom=True)
    made.help_text = text(element, "inlineHelpText")
    made.description = text(element, "description")
    if formula := text(element, "formula"):
        _formula(work, type_, made, kind, formula)
    else:
        _refuse_misplaced(element, kind)
        _READERS.get(kind, _plain)(work, type_, made, element)
        _keys(made, element)
        _default(work, type_, made, text(element, "defaultValue"))
    return made


def _check_words(element: Element) -> None:
    for name, most in (("inlineHelpText", 510), ("description", 1000)):
        if len(text(element, name) or "") > most:
            raise too_long(name, most)


def _refuse_misplaced(element: Element, kind: str) -> None:
    for name, kinds in (
        ("externalId", _EXTERNAL),
        ("unique", _UNIQUE),
        ("caseSensitive", frozenset(("Text",))),
    ):
        if flag(element, name) and kind not in kinds:
            raise _misplaced(name, kind)
    if child(element, "valueSet") is not None and not kind.endswith("icklist"):
        raise _misplaced("valueSet", kind)
    if child(element, "referenceTo") is not None and kind not in {
        "Lookup",
        "MasterDetail",
    }:
        raise _misplaced("referenceTo", kind)


def _misplaced(name: str, kind: str) -> Problem:
    return Problem(f"Can not specify '{name}' for a CustomField of type {kind}")


def _keys(made: Field, element: Element) -> None:
    made.external_id = flag(element, "externalId")
    made.unique = flag(element, "unique")
    made.case_sensitive = made.unique and flag(element, "caseSensitive")
    if flag(element, "required"):
        made.nillable, made.permissionable = False, False


def _default(work: Work, type_: ObjectType, made: Field, formula: str | None) -> None:
    """Set a default value; what it comes to now holds for every new record."""
    if not formula or made.type in {"boolean", "picklist", "multipicklist"}:
        return
    if _VARYING.search(formula):
        raise Problem(f"defaultValue {formula}: {NOT_AVAILABLE}")
    try:
        made.default = _stored(made, formula_scope.constant(work.org, type_, formula)())
    except FormulaError as exc:
        raise Problem(str(exc)) from exc
    made.defaulted = made.default is not None


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
            raise Problem(
                "There is already a Child Relationship named "
                f"{text_of(made.child_relationship_name)} on {made.reference_to[0]}."
            )


def text_of(relationship: str | None) -> str:
    """Return a child relationship's name as it is deployed, without ``__r``."""
    return (relationship or "").removesuffix("__r")


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


_READERS: dict[str, Callable[[Work, ObjectType, Field, Element], None]] = {
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
}


def _formula(
    work: Work, type_: ObjectType, made: Field, kind: str, formula: str
) -> None:
    expected = _FORMULA_TYPES.get(kind)
    if expected is None:
        raise _misplaced("formula", kind)
    try:
        compiled = formula_scope.of_record(work.org, type_, formula, expected=expected)
    except FormulaError as exc:
        raise Problem(str(exc)) from exc
    made.formula = formula
    made.createable = made.updateable = False
    made.length = 1300 if expected is Type.TEXT else 0
    made.precision, made.scale = (18, 2) if expected is Type.NUMBER else (0, 0)
    made.compute = _computed(work, type_, made, compiled)


def _computed(
    work: Work, type_: ObjectType, made: Field, compiled: Formula
) -> Callable[[Row], object]:
    org, type_name = work.org, type_.name

    def compute(row: Row) -> object:
        # By name: a deployment that is rolled back puts other types in their place.
        scope = formula_scope.RecordScope(org, org.schema[type_name], row, row)
        try:
            return _stored(made, compiled.run(scope))
        except FormulaError:
            return None  # shown as #Error! on a page, and as null by the API

    return compute


def _stored(made: Field, value: Value) -> object:
    """A formula's value as the org keeps values of this field."""
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-made.scale))
    if isinstance(value, (str, bool, date, datetime)):
        return value if value != "" else None
    return None


def _check_change(work: Work, type_: ObjectType, made: Field) -> None:
    """
    Refuse what cannot become of the field that is there.

    Raises:
        Problem: in Salesforce's words.
    """
    before = type_.field(made.name)
    if before is None:
        return
    if (before.formula is None) != (made.formula is None):
        raise Problem(
            "Cannot update a field to a Formula from something else"
            if made.formula
            else "Cannot update a field from a Formula to something else"
        )
    if before.type != made.type:
        if made.type == "reference":
            raise Problem("Cannot update a field to a Lookup from something else")
        if _holds_values(work, type_, before):
            raise Problem("Cannot change type due to existing data")
    if before.global_value_set != made.global_value_set:
        raise Problem("Cannot change which global value set this picklist uses")
    if made.reference_to != before.reference_to:
        raise Problem("Cannot change the object that a lookup field refers to")


def _holds_values(work: Work, type_: ObjectType, field: Field) -> bool:
    rows: Mapping[str, Row] = work.org.records.table(type_.name).rows
    return any(field.name in row for row in rows.values())
