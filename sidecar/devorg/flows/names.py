"""Reading what elements of a flow refer to: values, fields, conditions, queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

from sidecar.devorg.flows.conditions import check_logic
from sidecar.devorg.flows.contents import MERGE_FIELD
from sidecar.devorg.flows.resources import Resources
from sidecar.devorg.flows.steps import (
    Condition,
    Filter,
    Literal,
    Operand,
    Query,
    Reference,
    Test,
    Whole,
)
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
from sidecar.devorg.schema import Field

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
_FILTERS = _CONDITIONS - {"IsChanged", "IsBlank"} | {"In", "NotIn"}
_OF_WHOLE = frozenset(("IsNull", "IsEmpty"))
_YES_OR_NO = frozenset(("IsNull", "IsChanged", "IsBlank", "IsEmpty"))


def cannot_run(what: str) -> Problem:
    """Return the refusal of something that Salesforce runs and this org does not."""
    return Problem(f"{what}: {NOT_AVAILABLE}")


class Names:
    """
    Reads references of one flow; every method raises Problem for what is wrong.

    ``where`` is how the flow builder names the element: ``Stamp (Update Records)``.
    """

    def __init__(self, work: Work, object_name: str, trigger: str) -> None:
        """``object_name``: whose records start the flow, "" for none."""
        self.work = work
        self.object_name = object_name
        self.trigger = trigger
        self.resources = Resources(work.org, object_name)

    def operand(self, where: str, element: Element | None) -> Operand:
        """Read a literal or a reference to one value; absent is null."""
        found = self.any_operand(where, element)
        if isinstance(found, Whole):
            raise Problem(
                f"{where} - {found.path} is a "
                f"{'collection' if found.collection else 'record'}; a single value is "
                "expected."
            )
        return found

    def any_operand(self, where: str, element: Element | None) -> Operand | Whole:
        """Read a literal, or a reference to a value, a record or a collection."""
        if element is None or len(element) == 0:
            return Literal(None, Type.NULL)
        kind, written = name_of(element[0]), element[0].text or ""
        if kind != "stringValue":
            written = written.strip()
        if kind == "elementReference":
            whole = self.resources.whole(written)
            return whole or Reference(written, self.type(where, written))
        try:
            return _LITERALS[kind](written)
        except KeyError as exc:
            raise cannot_run(f"{where} - {kind}") from exc
        except (ValueError, ArithmeticError) as exc:
            raise Problem(f"{where} - Invalid {kind}: {written}") from exc

    def whole(self, where: str, path: str) -> Whole:
        """Return the record or collection that a path means."""
        found = self.resources.whole(path)
        if found is None:
            raise Problem(f'{where} - The resource "{path}" doesn\'t exist.')
        return found

    def type(self, where: str, path: str) -> Type:
        """Return the type of what a path leads to; a long text is text here."""
        try:
            field = self.resources.field_of(path)
            if field is not None and field.type == "textarea":
                return Type.TEXT
            return self.resources.type_of(path)
        except FormulaError as exc:
            raise Problem(f"{where} - {exc}") from exc

    def test(
        self, where: str, parts: Iterable[tuple[str, Element, str]], logic: str | None
    ) -> Test:
        """Read conditions: each a path, its element, and the name of its value."""
        conditions = [self._condition(where, *each) for each in parts]
        return Test(tuple(conditions), self._logic(where, logic, len(conditions)))

    def _condition(
        self, where: str, left: str, element: Element, value: str
    ) -> Condition:
        operator = text(element, "operator") or ""
        right = self.operand(where, child(element, value))
        whole = self.resources.whole(left)
        if operator not in (_OF_WHOLE if whole else _CONDITIONS):
            raise cannot_run(f"{where} - operator {operator}")
        if whole:
            check_fit(where, left, Type.BOOLEAN, right.type)
        else:
            found = self.type(where, left)
            _check_compared(where, left, found, operator, right.type)
        return Condition(left, operator, right, whole=whole is not None)

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
        filters = [
            self._filter(where, object_name, each)
            for each in children(element, "filters")
        ]
        logic = self._logic(where, text(element, "filterLogic"), len(filters))
        return Query(object_name, tuple(filters), logic)

    def _filter(self, where: str, object_name: str, element: Element) -> Filter:
        field = self.field(where, object_name, text(element, "field") or "")
        operator = text(element, "operator") or ""
        if operator not in _FILTERS:
            raise cannot_run(f"{where} - operator {operator}")
        if operator in {"In", "NotIn"}:
            listed = self.any_operand(where, child(element, "value"))
            if not (isinstance(listed, Whole) and isinstance(listed.of, Type)):
                raise Problem(f"{where} - {operator} needs a collection of values.")
            check_fit(where, field.name, written_as(field), listed.of)
            return Filter(field.name, operator, listed)
        value = self.operand(where, child(element, "value"))
        _check_compared(where, field.name, type_of(field), operator, value.type)
        return Filter(field.name, operator, value)

    def values(
        self, where: str, object_name: str, element: Element
    ) -> tuple[tuple[str, Operand], ...]:
        """Read what is to be written to an object's fields."""
        values = []
        for each in children(element, "inputAssignments"):
            field = self.field(where, object_name, text(each, "field") or "")
            self.check_writable(where, object_name, field)
            value = self.operand(where, child(each, "value"))
            check_fit(where, field.name, written_as(field), value.type)
            values.append((field.name, value))
        return tuple(values)

    def check_text(self, where: str, written: str) -> None:
        """Check what a text with ``{!merge.Fields}`` refers to."""
        for path in MERGE_FIELD.findall(written):
            self.type(where, path.strip())

    def check_writable(self, where: str, object_name: str, field: Field) -> None:
        """Refuse to write what the org works out itself."""
        if field.compute or not (field.createable or field.updateable):
            raise Problem(
                f'{where} - The field "{field.name}" for the object '
                f'"{object_name}" can\'t be written to.'
            )


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
    where: str, left: str, found: Type, operator: str, right: Type
) -> None:
    if operator in _YES_OR_NO:
        found = Type.BOOLEAN
    check_fit(where, left, found, right)


def written_as(field: Field) -> Type:
    """Return a field's type for writing; a flow may write long texts."""
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
