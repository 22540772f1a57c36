"""What a SOQL query says, before anyone asks whether it makes sense."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


@dataclass(slots=True)
class FieldRef:
    """A field, perhaps of a parent: ``("Owner", "Name")``; ``at``: offset."""

    path: tuple[str, ...]
    at: int
    alias: str | None = None


@dataclass(slots=True)
class Call:
    """A function of a field; ``argument`` is None in ``COUNT()``."""

    function: str  # upper case
    argument: FieldRef | None
    at: int
    alias: str | None = None


@dataclass(slots=True)
class AllFields:
    """``FIELDS(ALL)``, ``FIELDS(STANDARD)`` or ``FIELDS(CUSTOM)``."""

    kind: str
    at: int


@dataclass(slots=True)
class DateLiteral:
    """``LAST_N_DAYS:7`` is name ``LAST_N_DAYS`` and number 7."""

    name: str
    number: int | None


# Text stays apart from names by its type; null is None.
Constant = str | Decimal | bool | date | datetime | DateLiteral | None


@dataclass(slots=True)
class Literal:
    """A constant and where it stands."""

    value: Constant
    at: int


@dataclass(slots=True)
class Comparison:
    """``operator``: = != < <= > >= LIKE IN NOT IN INCLUDES EXCLUDES."""

    left: FieldRef | Call
    operator: str
    right: Literal | list[Literal] | Query


@dataclass(slots=True)
class And:
    """All of them."""

    parts: list[Condition]


@dataclass(slots=True)
class Or:
    """Any of them."""

    parts: list[Condition]


@dataclass(slots=True)
class Not:
    """The contrary."""

    part: Condition


Condition = Comparison | And | Or | Not


@dataclass(slots=True)
class Order:
    """One sort key."""

    by: FieldRef | Call
    descending: bool
    nulls_first: bool


@dataclass(slots=True)
class Query:
    """One SELECT, perhaps inside another."""

    select: list[FieldRef | Call | AllFields | Query]
    from_: str
    from_at: int
    alias: str | None = None
    where: Condition | None = None
    group_by: list[FieldRef | Call] = field(default_factory=list)
    having: Condition | None = None
    order_by: list[Order] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0
    all_rows: bool = False


Selected = FieldRef | Call | AllFields | Query
