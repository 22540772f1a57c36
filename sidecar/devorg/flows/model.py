"""A flow as it is run: what the reader has made of the XML, and its versions.

Source: "Flow" and "FlowStart", Metadata API Developer Guide.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sidecar.devorg.flows.steps import Step, Test
from sidecar.devorg.formula import Formula, Type, Value
from sidecar.devorg.metadata.element import Element

BEFORE_SAVE = "RecordBeforeSave"
AFTER_SAVE = "RecordAfterSave"
BEFORE_DELETE = "RecordBeforeDelete"
SCHEDULED = "Scheduled"


@dataclass(frozen=True)
class Variable:
    """
    A variable or constant with its value at the start.

    ``of`` is the type of its values, or the object of its records.
    """

    name: str
    of: Type | str
    collection: bool
    start: Value


@dataclass(frozen=True)
class ScheduledPath:
    """
    A part of a flow that runs later.

    Attributes:
        field: the date or time that counts; None for the time of the save.
        offset: of ``unit``, ``Minutes`` to ``Months``; negative for before it.
        after_commit: it runs at once, in a transaction of its own.
    """

    name: str
    first: str | None
    field: str | None
    offset: int
    unit: str
    after_commit: bool


@dataclass(frozen=True)
class Schedule:
    """When a schedule-triggered flow runs; ``every`` None for once."""

    start: datetime
    every: timedelta | None

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time after ``moment``, or None when there is none."""
        if moment < self.start:
            return self.start
        if self.every is None:
            return None
        return self.start + self.every * ((moment - self.start) // self.every + 1)


@dataclass(frozen=True)
class Flow:
    """
    One version of a flow that starts by itself.

    Attributes:
        trigger: one of the constants above.
        object_name: whose records start it; "" for a schedule without records.
        on_create: it starts when a record is created; ``on_update`` likewise.
        test: the entry conditions; empty when there are none, or ``formula``.
        first: the name of the step that the start is connected to, if any.
    """

    name: str
    label: str
    api_version: float
    active: bool
    trigger: str
    object_name: str
    on_create: bool
    on_update: bool
    test: Test
    formula: Formula | None
    only_when_changed_to_meet: bool
    order: int | None
    first: str | None
    paths: tuple[ScheduledPath, ...] = ()
    schedule: Schedule | None = None
    steps: dict[str, Step] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    formulas: dict[str, Formula] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)

    @property
    def before_save(self) -> bool:
        """Tell whether it runs before the record is stored."""
        return self.trigger == BEFORE_SAVE


@dataclass(frozen=True)
class Version:
    """One saved version; ``id`` is 18 characters, ``301…``; ``element`` its XML."""

    number: int
    id: str
    flow: Flow
    element: Element
    saved_at: datetime


@dataclass(frozen=True)
class Definition:
    """
    A flow with its versions; at most one of them is active.

    ``id`` is 18 characters, ``300…``; ``active_since`` aware UTC.
    """

    id: str
    name: str
    versions: tuple[Version, ...]
    active: int | None
    active_since: datetime | None = None

    @property
    def running(self) -> Flow | None:
        """The active version's flow, or None."""
        for version in self.versions:
            if version.number == self.active:
                return version.flow
        return None

    @property
    def latest(self) -> Version:
        """The newest version; there always is one."""
        return max(self.versions, key=lambda each: each.number)
