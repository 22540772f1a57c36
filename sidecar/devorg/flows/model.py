"""A flow as it is run: what the reader has made of the XML, all names resolved.

Source: "Flow", Metadata API Developer Guide; element and operator names are its.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sidecar.devorg.formula import Formula, Type, Value


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
class Condition:
    """One comparison; ``left`` is a path, for a start filter a ``$Record`` path."""

    left: str
    type: Type
    operator: str
    right: Operand


@dataclass(frozen=True)
class Test:
    """Conditions and their logic: ``and``, ``or``, or ``1 AND (2 OR 3)``."""

    conditions: tuple[Condition, ...] = ()
    logic: str = "and"


@dataclass(frozen=True)
class Filter:
    """One filter of a lookup or update; ``field`` is of the object looked up."""

    field: str
    type: Type
    operator: str
    value: Operand


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
    value: Operand


@dataclass(frozen=True)
class Assignment:
    """Sets variables, and before the save fields of the triggering record."""

    name: str
    items: tuple[Assign, ...]
    target: str | None


@dataclass(frozen=True)
class RecordLookup:
    """Gets the first record, into variables or under the element's own name."""

    name: str
    query: Query
    sort_field: str | None
    descending: bool
    stores_itself: bool
    outputs: tuple[tuple[str, str], ...]
    null_if_none: bool
    target: str | None
    fault: str | None


@dataclass(frozen=True)
class RecordUpdate:
    """Updates the triggering record (``query`` None) or those that are found."""

    name: str
    query: Query | None
    values: tuple[tuple[str, Operand], ...]
    target: str | None
    fault: str | None


@dataclass(frozen=True)
class RecordCreate:
    """Creates one record; its id goes to a variable or under the element's name."""

    name: str
    object_name: str
    values: tuple[tuple[str, Operand], ...]
    id_to: str | None
    stores_itself: bool
    target: str | None
    fault: str | None


@dataclass(frozen=True)
class SendOutboundMessage:
    """Queues one notification about the triggering record, at the commit."""

    name: str
    action_name: str
    target: str | None


Step = (
    Decision
    | Assignment
    | RecordLookup
    | RecordUpdate
    | RecordCreate
    | SendOutboundMessage
)


@dataclass(frozen=True)
class Variable:
    """A variable or constant with its value at the start."""

    name: str
    type: Type
    start: Literal


@dataclass(frozen=True)
class Flow:
    """
    One version of a record-triggered flow.

    Attributes:
        before_save: True for RecordBeforeSave, False for RecordAfterSave.
        on_create: it starts when a record is created; ``on_update`` likewise.
        test: the entry conditions; empty when there are none, or ``formula``.
        first: the name of the step that the start is connected to.
    """

    name: str
    label: str
    api_version: float
    active: bool
    object_name: str
    before_save: bool
    on_create: bool
    on_update: bool
    test: Test
    formula: Formula | None
    only_when_changed_to_meet: bool
    order: int | None
    first: str
    steps: dict[str, Step] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    formulas: dict[str, Formula] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """One saved version; ``id`` is 18 characters, ``301…``."""

    number: int
    id: str
    flow: Flow


@dataclass(frozen=True)
class Definition:
    """A flow with its versions; at most one of them is active."""

    name: str
    versions: tuple[Version, ...]
    active: int | None

    @property
    def running(self) -> Flow | None:
        """The active version's flow, or None."""
        for version in self.versions:
            if version.number == self.active:
                return version.flow
        return None
