"""What formulas can see: a record, the records it points to, and the user who saves.

Used by formula fields, default values and validation rules, which name fields
bare; flows put ``$Record.`` before them and add their own resources.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sidecar.devorg.formula import (
    Formula,
    FormulaError,
    Type,
    Value,
    compile_formula,
)
from sidecar.devorg.formula.values import type_of_field
from sidecar.devorg.schema import Field, ObjectType, Row, Schema

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

# textarea of more than this is a long text area, which formulas may not read.
_SHORT_TEXT = 255


def not_there(path: str) -> FormulaError:
    """Return the refusal of a merge field that leads nowhere."""
    return FormulaError(f"Field {path} does not exist. Check spelling.")


def field_of(schema: Schema, type_: ObjectType, path: str) -> Field:
    """
    Follow a path as ``Status__c`` or ``Referrer__r.Name`` to its field.

    A reference that may point at several objects says which it means:
    ``Owner:User.IsActive``, ``Owner:Queue.Id``; what points at another is null.

    Raises:
        FormulaError: it does not exist, or does not say which (as ``Owner.Name``).
    """
    *parents, name = path.split(".")
    for parent in parents:
        found = _parent(type_, parent)
        if found is None:
            raise not_there(path)
        type_ = schema[found[1]]
    field = type_.field(name)
    if field is None:
        raise not_there(path)
    return field


def _parent(type_: ObjectType, step: str) -> tuple[Field, str] | None:
    """Return the reference that a step of a path means, and the object it leads to."""
    name, _, chosen = step.partition(":")
    reference = type_.relationship(name)
    if reference is None:
        return None
    if not chosen:
        targets = reference.reference_to
        return (reference, targets[0]) if len(targets) == 1 else None
    wanted = "Group" if chosen.lower() == "queue" else chosen
    for target in reference.reference_to:
        if target.lower() == wanted.lower():
            return reference, target
    return None


def type_of(field: Field) -> Type:
    """
    Return a field's type in formulas.

    Raises:
        FormulaError: no formula may read such a field.
    """
    found = type_of_field(field.type)
    if found is None or (field.type == "textarea" and field.length > _SHORT_TEXT):
        raise FormulaError(
            f"You referenced an unsupported field type called {field.type} using "
            f"the following field: {field.name}"
        )
    return found


def value_at(org: Org, type_: ObjectType, row: Row | None, path: str) -> Value:
    """Return the value at a path that ``field_of`` has found; None if any is null."""
    *parents, name = path.split(".")
    for parent in parents:
        found = _parent(type_, parent)
        if row is None or found is None:
            return None
        reference, target = found
        type_ = org.schema[target]
        row = org.records.table(type_.name).rows.get(str(row.get(reference.name)))
    field = type_.field(name)
    if row is None or field is None:
        return None
    return as_value(field.compute(row) if field.compute else row.get(field.name))


def as_value(kept: object) -> Value:
    """Return a value as formulas compute with it; int becomes Decimal."""
    match kept:
        case bool() | str() | Decimal() | datetime() | date() | None:
            return kept
        case int():
            return Decimal(kept)
        case _:
            return str(kept)


class RecordScope:
    """A record in the hands of the user who saves or reads it."""

    def __init__(
        self,
        org: Org,
        type_: ObjectType,
        row: Row,
        before: Row | None,
        *,
        user_id: str = "",
        zeros: frozenset[str] = frozenset(),
    ) -> None:
        """
        ``before`` is None while the record is being created.

        The fields named in ``zeros`` are 0 when they are empty.
        """
        self._org = org
        self._type = type_
        self._row = row
        self._before = before
        self._user_id = user_id
        self._zeros = zeros

    @property
    def now(self) -> datetime:
        """Aware UTC, the org's own time."""
        return self._org.clock.second()

    @property
    def is_new(self) -> bool:
        """True while the record is being created."""
        return self._before is None

    def value(self, path: str) -> Value:
        """The value behind a merge field."""
        if path.startswith("$"):
            return global_value(self._org, self._user_id, path)
        found = value_at(self._org, self._type, self._row, path)
        return Decimal(0) if found is None and path in self._zeros else found

    def prior(self, path: str) -> Value:
        """The same before the save that is under way."""
        return value_at(self._org, self._type, self._before, path)


def global_type(org: Org, path: str) -> Type:
    """
    Return the type of a global merge field, as ``$User.Email``.

    Raises:
        FormulaError: it does not exist, or is none that this org knows.
    """
    root, _, name = path.partition(".")
    match root.lower():
        case "$user" | "$profile" | "$organization":
            return type_of(field_of(org.schema, org.schema[root[1:]], name))
        case "$permission":
            if org.metadata.components.get("CustomPermission", name):
                return Type.BOOLEAN
        case "$label":
            if org.metadata.components.get("CustomLabel", name):
                return Type.TEXT
    raise not_there(path)


def global_value(org: Org, user_id: str, path: str) -> Value:
    """Return the value of a global merge field that ``global_type`` has found."""
    root, _, name = path.partition(".")
    users = org.records.table("User").rows
    match root.lower():
        case "$user":
            return value_at(org, org.schema["User"], users.get(user_id), name)
        case "$profile":
            profile_id = str(users.get(user_id, {}).get("ProfileId"))
            row = org.records.table("Profile").rows.get(profile_id)
            return value_at(org, org.schema["Profile"], row, name)
        case "$organization":
            row = org.records.table("Organization").rows.get(org.id)
            return value_at(org, org.schema["Organization"], row, name)
        case "$permission":
            return user_id != "" and org.access(user_id).has_custom(name)
        case _:
            label = org.metadata.components.get("CustomLabel", name)
            return as_value(label.value if label else None)


def numbers(schema: Schema, type_: ObjectType, formula: Formula) -> frozenset[str]:
    """Return the paths to numbers among what a formula of ``type_`` reads."""
    return frozenset(
        path
        for path in formula.references
        if not path.startswith("$")
        and type_of_field(field_of(schema, type_, path).type) is Type.NUMBER
    )


def of_record(
    org: Org,
    type_: ObjectType,
    text: str,
    *,
    expected: Type | None,
    long_texts: bool = False,
) -> Formula:
    """
    Compile a formula that names the fields of ``type_`` bare.

    Args:
        long_texts: it may read long text areas, as validation rules may.

    Raises:
        FormulaError: in Salesforce's words.
    """

    def types(path: str) -> Type:
        if path.startswith("$"):
            return global_type(org, path)
        field = field_of(org.schema, type_, path)
        if long_texts and field.type == "textarea":
            return Type.TEXT
        return type_of(field)

    return compile_formula(text, types, expected=expected)


def constant(org: Org, type_: ObjectType, text: str) -> Callable[[], Value]:
    """
    Compile a default value, which sees no record.

    Raises:
        FormulaError: in Salesforce's words.
    """
    compiled = compile_formula(text, lambda path: global_type(org, path))
    return lambda: compiled.run(RecordScope(org, type_, {}, None))
