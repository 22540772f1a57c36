"""Reading what elements of a flow refer to: values, fields, conditions, queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

from sidecar.devorg.flows.conditions import check_logic
from sidecar.devorg.flows.model import (
    Condition,
    Filter,
    Literal,
    Operand,
    Query,
    Reference,
    Test,
)
from sidecar.devorg.flows.resources import Resources
from sidecar.devorg.formula import FormulaError, Type
from sidecar.devorg.metadata.element import (
    NOT_AVAILABLE,
    Element,
    Problem,
    child,
    children,
    name_of,
    text,
)
from sidecar.devorg.metadata.formula_scope import type_of
from sidecar.devorg.metadata.work import Work
from sidecar.devorg.schema import Field, ObjectType

_CONDITIONS = frozenset(
    (
        "EqualTo",
        "NotEqualTo",
        "GreaterThan",
        "LessThan",
        "GreaterThanOrEqualTo",
        "LessThanOrEqualTo",
        "StartsWith",
        "EndsWith",
        "Contains",
        "IsNull",
        "IsChanged",
        "IsBlank",
    )
)


def cannot_run(what: str) -> Problem:
    """Return the refusal of something that Salesforce runs and this org does not."""
    return Problem(f"{what}: {NOT_AVAILABLE}")


class Names:
    """
    Reads references of one flow; every method raises Problem for what is wrong.

    ``where`` is how the flow builder names the element: ``Stamp (Update Records)``.
    """

    def __init__(self, work: Work, object_: ObjectType, *, before_save: bool) -> None:
        """``object_``: whose saving starts the flow."""
        self.work = work
        self.object = object_
        self.before_save = before_save
        self.resources = Resources(work.org, object_.name)

    def operand(self, where: str, element: Element | None) -> Operand:
        """Read a literal or a reference; an absent value is null."""
        if element is None or len(element) == 0:
            return Literal(None, Type.NULL)
        kind, written = name_of(element[0]), element[0].text or ""
        if kind != "stringValue":
            written = written.strip()
        if kind == "elementReference":
            return Reference(written, self.type(where, written))
        try:
            return _LITERALS[kind](written)
        except (ValueError, ArithmeticError) as exc:
            raise Problem(f"{where} - Invalid {kind}: {written}") from exc

    def type(self, where: str, path: str) -> Type:
        """Return the type of what a path leads to."""
        try:
            return self.resources.type_of(path)
        except FormulaError as exc:
            raise Problem(f"{where} - {exc}") from exc

    def test(
        self, where: str, parts: Iterable[tuple[str, Element, str]], logic: str | None
    ) -> Test:
        """Read conditions: each a path, its element, and the name of its value."""
        conditions = []
        for left, element, value in parts:
            operator = text(element, "operator") or ""
            if operator not in _CONDITIONS:
                raise cannot_run(f"{where} - operator {operator}")
            right = self.operand(where, child(element, value))
            found = self.type(where, left)
            _check_compared(where, left, found, operator, right)
            conditions.append(Condition(left, found, operator, right))
        return Test(tuple(conditions), self._logic(where, logic, len(conditions)))

    def _logic(self, where: str, logic: str | None, count: int) -> str:
        logic = logic or "and"
        try:
            check_logic(logic, count)
        except ValueError as exc:
            raise Problem(f"{where} - Invalid condition logic: {logic}") from exc
        return logic

    def object_named(self, where: str, name: str) -> str:
        """Return an object's name as the schema spells it."""
        found = self.work.org.schema.get(name)
        if found is None:
            raise Problem(
                f"{where} - The object is invalid. Provide the API name of an object: "
                f"{name}"
            )
        return found.name

    def field(self, where: str, object_name: str, name: str) -> Field:
        """Return a field of an object."""
        field = self.work.org.schema[object_name].field(name)
        if field is None:
            raise Problem(
                f'{where} - The field "{name}" for the object "{object_name}" '
                "doesn't exist."
            )
        return field

    def query(self, where: str, element: Element) -> Query:
        """Read an object with its filters."""
        object_name = self.object_named(where, text(element, "object") or "")
        filters = []
        for each in children(element, "filters"):
            field = self.field(where, object_name, text(each, "field") or "")
            operator = text(each, "operator") or ""
            if operator not in _CONDITIONS - {"IsChanged", "IsBlank"}:
                raise cannot_run(f"{where} - operator {operator}")
            value = self.operand(where, child(each, "value"))
            found = type_of(field)
            _check_compared(where, field.name, found, operator, value)
            filters.append(Filter(field.name, found, operator, value))
        logic = self._logic(where, text(element, "filterLogic"), len(filters))
        return Query(object_name, tuple(filters), logic)

    def values(
        self, where: str, object_name: str, element: Element
    ) -> tuple[tuple[str, Operand], ...]:
        """Read what is to be written to an object's fields."""
        values = []
        for each in children(element, "inputAssignments"):
            field = self.field(where, object_name, text(each, "field") or "")
            if field.compute or not (field.createable or field.updateable):
                raise Problem(
                    f'{where} - The field "{field.name}" for the object '
                    f'"{object_name}" can\'t be written to.'
                )
            value = self.operand(where, child(each, "value"))
            check_fit(where, field.name, _written_as(field), value.type)
            values.append((field.name, value))
        return tuple(values)


def check_fit(where: str, name: str, wanted: Type, given: Type) -> None:
    """
    Check that a value may be put somewhere.

    Raises:
        Problem: its type is another.
    """
    if given is not Type.NULL and _kind(wanted) is not _kind(given):
        raise Problem(
            f"{where} - The data type of {name} ({wanted.value}) is not compatible "
            f"with the value's ({given.value})."
        )


def _check_compared(
    where: str, left: str, found: Type, operator: str, right: Operand
) -> None:
    if operator in {"IsNull", "IsChanged", "IsBlank"}:
        found = Type.BOOLEAN
    check_fit(where, left, found, right.type)


def _written_as(field: Field) -> Type:
    """A long text may be written by a flow, though no formula may read it."""
    return Type.TEXT if field.type == "textarea" else type_of(field)


def _kind(type_: Type) -> Type:
    """Flows pass picklist values as text."""
    return Type.TEXT if type_ in {Type.PICKLIST, Type.MULTIPICKLIST} else type_


def _moment(written: str) -> Operand:
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return Literal(moment, Type.DATETIME)


_LITERALS: dict[str, Callable[[str], Operand]] = {
    "stringValue": lambda written: Literal(written, Type.TEXT),
    "booleanValue": lambda written: Literal(written in {"true", "1"}, Type.BOOLEAN),
    "numberValue": lambda written: Literal(Decimal(written), Type.NUMBER),
    "dateValue": lambda written: Literal(date.fromisoformat(written), Type.DATE),
    "dateTimeValue": _moment,
}
