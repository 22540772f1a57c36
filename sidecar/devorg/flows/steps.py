"""The elements of a flow as they are run: names resolved, values typed.

Source: "Flow", Metadata API Developer Guide; element and operator names are its.
"""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.devorg.formula import Type, Value


@dataclass(frozen=True)
class Literal:
    """A value written in the flow."""

    value: Value
    type: Type


@dataclass(frozen=True)
class Reference:
    """A value found when the flow runs: ``$Record.Id``, ``myVariable``."""

    path: str
    type: Type


Operand = Literal | Reference


@dataclass(frozen=True)
class Whole:
    """
    A whole record or a collection: ``Get_Touches``, ``$Record``.

    ``of`` is the object of its records, or the type of its values.
    """

    path: str
    of: str | Type
    collection: bool


@dataclass(frozen=True)
class Condition:
    """One comparison; ``left`` is a path, for a start filter a ``$Record`` path."""

    left: str
    operator: str
    right: Operand
    # The path leads to a record or collection, which can only be there or not.
    whole: bool = False


@dataclass(frozen=True)
class Test:
    """Conditions and their logic: ``and``, ``or``, or ``1 AND (2 OR 3)``."""

    conditions: tuple[Condition, ...] = ()
    logic: str = "and"


@dataclass(frozen=True)
class Filter:
    """One filter of a query; ``field`` is of the object looked up."""

    field: str
    operator: str
    value: Operand | Whole


@dataclass(frozen=True)
class Query:
    """Which records of an object are meant."""

    object_name: str
    filters: tuple[Filter, ...]
    logic: str


@dataclass(frozen=True)
class Outcome:
    """One rule of a decision."""

    name: str
    test: Test
    only_when_changed_to_meet: bool
    target: str | None


@dataclass(frozen=True)
class Decision:
    """The first outcome whose test holds decides where to go."""

    name: str
    outcomes: tuple[Outcome, ...]
    default: str | None


@dataclass(frozen=True)
class Assign:
    """One line of an assignment; ``to`` is a variable or ``$Record.Field``."""

    to: str
    operator: str
    value: Operand | Whole


@dataclass(frozen=True)
class Assignment:
    """Sets variables, and fields of records at hand."""

    name: str
    items: tuple[Assign, ...]
    target: str | None


@dataclass(frozen=True)
class Loop:
    """Goes through a collection; the item at hand is under ``variable``."""

    name: str
    collection: str
    variable: str
    backwards: bool
    each: str | None
    after: str | None


@dataclass(frozen=True)
class RecordLookup:
    """
    Gets the first record, or all.

    They go into variables field by field, into the variable ``whole_to``, or
    under the element's own name. ``queried`` are the fields got; empty for all.
    """

    name: str
    query: Query
    first_only: bool
    limit: Operand | None
    queried: tuple[str, ...]
    sort_field: str | None
    descending: bool
    stores_itself: bool
    whole_to: str | None
    outputs: tuple[tuple[str, str], ...]
    null_if_none: bool
    target: str | None
    fault: str | None


@dataclass(frozen=True)
class RecordUpdate:
    """
    Updates the records found by ``query``, or those that the flow holds.

    With ``held`` None and no query it is the triggering record, which is given
    ``values`` and what was assigned to it.
    """

    name: str
    query: Query | None
    held: Whole | None
    values: tuple[tuple[str, Operand], ...]
    target: str | None
    fault: str | None


@dataclass(frozen=True)
class RecordCreate:
    """Creates one record of values, or those that the flow holds."""

    name: str
    object_name: str
    held: Whole | None
    values: tuple[tuple[str, Operand], ...]
    id_to: str | None
    stores_itself: bool
    target: str | None
    fault: str | None


@dataclass(frozen=True)
class RecordDelete:
    """Deletes the records found by ``query``, or those that the flow holds."""

    name: str
    query: Query | None
    held: Whole | None
    target: str | None
    fault: str | None


@dataclass(frozen=True)
class CustomError:
    """Refuses the save with a message of its own; ``field`` None for the page."""

    name: str
    message: str
    field: str | None


@dataclass(frozen=True)
class SendOutboundMessage:
    """Queues one notification about the triggering record, at the commit."""

    name: str
    action_name: str
    target: str | None


DataStep = RecordLookup | RecordUpdate | RecordCreate | RecordDelete
Step = Decision | Assignment | Loop | DataStep | CustomError | SendOutboundMessage
