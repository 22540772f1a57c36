"""What the names in a query mean: fields, parents and children, for one user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sidecar.devorg.notation import fields_from
from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.schema import Field, ObjectType, Row
from sidecar.devorg.soql.ast import FieldRef
from sidecar.devorg.soql.tokens import located

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

Getter = Callable[[Row], object]

# What can be asked of a parent that may be of several types.
# Source: Name, Object Reference.
NAME = ObjectType(
    "Name",
    "Name",
    "Names",
    None,
    fields=fields_from(
        """
        Id id system
        Name string(255) system name
        FirstName string(40) readonly open
        LastName string(80) readonly open
        Type picklist readonly open
        Email email readonly open
        Phone phone readonly open
        Title string(128) readonly open
        Username string(80) readonly open
        Alias string(8) readonly open
        IsActive boolean readonly open
        ProfileId reference(Profile) readonly open rel=Profile
        UserRoleId reference(UserRole) readonly open rel=UserRole
        """
    ),
)

_HINT = (
    " If you are attempting to use a custom {what}, be sure to append the '{suffix}' "
    "after the {after} name. Please reference your WSDL or the describe call for the "
    "appropriate names."
)


@dataclass(slots=True)
class Resolved:
    """A field at the end of a path: how to read it from a row of the start."""

    field: Field
    type: ObjectType
    get: Getter
    # The reference fields gone through; empty for a field of the object itself.
    parents: tuple[Field, ...]


@dataclass(slots=True)
class Scope:
    """The object a query is about, as one user sees it."""

    org: Org
    access: Access
    type: ObjectType
    text: str
    alias: str | None = None
    tooling: bool = False

    def refuse(self, code: str, at: int, message: str) -> Refusal:
        """Return a refusal that points at the place in the query."""
        return located(code, self.text, at, message)

    def resolve(self, ref: FieldRef) -> Resolved:
        """
        Find a field.

        Raises:
            Refusal: INVALID_FIELD, no such field or relationship for this user.
        """
        path = list(ref.path)
        known = {self.type.name.lower(), (self.alias or "").lower()}
        if len(path) > 1 and path[0].lower() in known:
            path = path[1:]
        type_, parents = self.type, list[Field]()
        get: Callable[[Row], Row | None] = _same
        for step in path[:-1]:
            reference = type_.relationship(step)
            if reference is None or reference.key not in self._fields(type_):
                raise self._no_relationship(step, ref.at)
            get = _through(self.org, get, reference)
            self._note(type_, reference)
            parents.append(reference)
            type_ = self._parent_type(reference)
        field = self._fields(type_).get(path[-1].lower())
        if field is None:
            raise self._no_field(path[-1], type_, ref.at)
        self._note(type_, field)
        return Resolved(
            field, type_, _reading(self.org, get, field, type_), tuple(parents)
        )

    def _note(self, type_: ObjectType, field: Field) -> None:
        if type_ is not NAME:
            self.org.usage.read(self.access, type_, [field.name])

    def child(self, name: str, at: int) -> tuple[Scope, Field]:
        """Find the child relationship of a subquery: its scope, its reference."""
        wanted = name.lower()
        for child, field in self.org.schema.children(self.type.name):
            relationship = field.child_relationship_name or ""
            if relationship.lower() == wanted and self.access.may("Read", child):
                return replace(self, type=child, alias=None), field
        raise self._no_relationship(name, at)

    def within(self, type_: ObjectType) -> Scope:
        """Return the scope of another object, for a subquery in WHERE."""
        return replace(self, type=type_, alias=None)

    def _fields(self, type_: ObjectType) -> dict[str, Field]:
        return type_.fields if type_ is NAME else self.access.readable(type_)

    def _parent_type(self, reference: Field) -> ObjectType:
        if len(reference.reference_to) > 1:
            return NAME
        return self.org.schema[reference.reference_to[0]]

    def _no_field(self, name: str, type_: ObjectType, at: int) -> Refusal:
        return self.refuse(
            "INVALID_FIELD",
            at,
            f"No such column '{name}' on entity '{type_.name}'."
            + _HINT.format(what="field", suffix="__c", after="custom field"),
        )

    def _no_relationship(self, name: str, at: int) -> Refusal:
        return self.refuse(
            "INVALID_FIELD",
            at,
            f"Didn't understand relationship '{name}' in field path."
            + _HINT.format(
                what="relationship", suffix="__r", after="custom relationship"
            ),
        )


def scope_for(
    org: Org,
    access: Access,
    name: str,
    at: int,
    text: str,
    *,
    alias: str | None,
    tooling: bool,
) -> Scope:
    """
    Find the object that a query names.

    Raises:
        Refusal: INVALID_TYPE, no such object for this user.
    """
    type_ = org.schema.get(name)
    if (
        type_ is None
        or not type_.queryable
        or (type_.tooling and not tooling)
        or not access.may("Read", type_)
    ):
        raise located(
            "INVALID_TYPE",
            text,
            at,
            f"sObject type '{name}' is not supported."
            + _HINT.format(what="object", suffix="__c", after="entity"),
        )
    org.usage.read(access, type_, ())
    return Scope(org, access, type_, text, alias, tooling)


def parent_row(org: Org, reference: Field, row: Row) -> Row | None:
    """Return the row that a reference of ``row`` points at; None when null."""
    parent_id = row.get(reference.name)
    if not isinstance(parent_id, str):
        return None
    if len(reference.reference_to) == 1:
        return org.records.table(reference.reference_to[0]).rows.get(parent_id)
    type_ = org.schema.of_id(parent_id)
    return org.records.table(type_.name).rows.get(parent_id) if type_ else None


def parent_type_name(org: Org, row: Row) -> str:
    """Return the name of the object that a row belongs to."""
    type_ = org.schema.of_id(str(row["Id"]))
    return type_.name if type_ else "Name"


def value_of(field: Field, row: Row) -> object:
    """Return a field's value, computed or kept."""
    return row.get(field.name) if field.compute is None else field.compute(row)


def _same(row: Row) -> Row | None:
    return row


def _through(
    org: Org, get: Callable[[Row], Row | None], reference: Field
) -> Callable[[Row], Row | None]:
    def parent(row: Row) -> Row | None:
        here = get(row)
        return None if here is None else parent_row(org, reference, here)

    return parent


def _reading(
    org: Org, get: Callable[[Row], Row | None], field: Field, type_: ObjectType
) -> Getter:
    if type_ is NAME and field.name == "Type":
        return lambda row: parent_type_name(org, here) if (here := get(row)) else None
    if get is _same and field.compute is None:
        name = field.name
        return lambda row: row.get(name)

    def read(row: Row) -> object:
        here = get(row)
        return None if here is None else value_of(field, here)

    return read
