"""CustomField: from XML to a field of the schema.

Sources: "CustomField", Metadata API Developer Guide (which elements each type needs
and takes); the words of the refusals as reported against Salesforce's CLI.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from sidecar.devorg.formula import Formula, FormulaError, Type, Value
from sidecar.devorg.metadata import (
    field_types,
    formula_scope,
    platform_event,
    standard_field,
)
from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    NOT_AVAILABLE,
    Element,
    Problem,
    check,
    child,
    flag,
    number,
    text,
)
from sidecar.devorg.metadata.work import (
    Work,
    check_name,
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
    "Summary": "double",
    "Text": "string",
    "TextArea": "textarea",
    "Time": "time",
    "Url": "url",
}
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
    standard_field.check_tracked(work, part)
    if not name.endswith("__c"):
        return standard_field.change(type_, name, part.element)
    check_name(name.removesuffix("__c"), most=40)
    if object_name.endswith("__e"):
        platform_event.check_field(part.element)
    made = field_from(work, type_, name, part.element)
    made.id = component_id
    if object_name.endswith("__e"):
        made.permissionable = made.updateable = False
    _check_change(work, type_, made)
    work.org.schema.add_field(object_name, made)
    work.org.records.forget_indexes()
    return made


def remove(work: Work, full_name: str) -> None:
    """
    Delete a custom field with its values, everywhere.

    Raises:
        Problem: it is a standard field.
    """
    if not full_name.endswith("__c"):
        raise Problem("Cannot delete a standard field")
    object_name, _, name = full_name.partition(".")
    for type_ in work.org.schema.targets(object_name):
        if (field := type_.field(name)) is not None:
            if field.global_value_set and not work.purge:
                work.org.metadata.bin.put(full_name, field.global_value_set)
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
        _formula(work, type_, made, kind, formula, element)
    else:
        _refuse_misplaced(element, kind)
        field_types.read(kind)(work, type_, made, element)
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


def _formula(
    work: Work,
    type_: ObjectType,
    made: Field,
    kind: str,
    formula: str,
    element: Element,
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
    if expected is Type.NUMBER:
        made.precision = number(element, "precision") or 18
        made.scale = number(element, "scale") or 0
    # Left out, Salesforce takes blanks as zero; times are never zero.
    as_zero = text(element, "formulaTreatBlanksAs") != "BlankAsBlank"
    zeros = formula_scope.numbers(work.org.schema, type_, compiled) if as_zero else None
    made.compute = _computed(work, type_, made, compiled, zeros or frozenset())


def _computed(
    work: Work,
    type_: ObjectType,
    made: Field,
    compiled: Formula,
    zeros: frozenset[str],
) -> Callable[[Row], object]:
    org, type_name = work.org, type_.name

    def compute(row: Row) -> object:
        # By name: a deployment that is rolled back puts other types in their place.
        scope = formula_scope.RecordScope(
            org, org.schema[type_name], row, row, zeros=zeros
        )
        try:
            return _stored(made, compiled.run(scope))
        except FormulaError:
            return None  # shown as #Error! on a page, and as null by the API

    return compute


def _stored(made: Field, value: Value) -> object:
    """A formula's value as the org keeps values of this field."""
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-made.scale), ROUND_HALF_UP)
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
            raise Problem(
                "Cannot update a field to a Lookup, MasterDetail, or Hierarchy from "
                "something else"
            )
        if _holds_values(work, type_, before):
            raise Problem("Cannot change type due to existing data")
    if before.global_value_set != made.global_value_set:
        raise Problem("Cannot change which global value set this picklist uses")
    if made.reference_to != before.reference_to:
        raise Problem("Cannot change the object that a lookup field refers to")


def _holds_values(work: Work, type_: ObjectType, field: Field) -> bool:
    rows: Mapping[str, Row] = work.org.records.table(type_.name).rows
    return any(field.name in row for row in rows.values())
