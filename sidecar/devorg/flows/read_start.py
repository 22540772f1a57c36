"""What starts a flow: saves of an object's records, a deletion, or a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sidecar.devorg.flows.model import (
    AFTER_SAVE,
    BEFORE_DELETE,
    BEFORE_SAVE,
    SCHEDULED,
    Schedule,
    ScheduledPath,
)
from sidecar.devorg.flows.names import Names, cannot_run
from sidecar.devorg.flows.steps import Test
from sidecar.devorg.flows.wiring import name_of, target
from sidecar.devorg.formula import Formula, FormulaError, Type, compile_formula
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    child,
    children,
    flag,
    number,
    text,
)
from sidecar.devorg.metadata.work import Work

_ON = {
    BEFORE_SAVE: frozenset(("Create", "Update", "CreateAndUpdate")),
    AFTER_SAVE: frozenset(("Create", "Update", "CreateAndUpdate")),
    BEFORE_DELETE: frozenset(("Delete",)),
}
_EVERY = {
    "Once": None,
    "Daily": timedelta(days=1),
    "Weekly": timedelta(weeks=1),
}
# What an entry condition may not look at when something of the flow runs later.
_OF_THE_MOMENT = ("ISNEW", "ISCHANGED", "PRIORVALUE", "$RECORD__PRIOR")


@dataclass(frozen=True)
class Start:
    """When a flow starts, and where."""

    on: str
    test: Test
    formula: Formula | None
    first: str | None
    paths: tuple[ScheduledPath, ...]
    schedule: Schedule | None


def start_of(work: Work, start: Element) -> tuple[str, str]:
    """
    Return a flow's trigger type and the object whose records start it.

    Raises:
        Problem: Salesforce would refuse it, or this org cannot run it.
    """
    trigger = text(start, "triggerType") or "None"
    on, name = text(start, "recordTriggerType"), text(start, "object") or ""
    if trigger not in {*_ON, SCHEDULED}:
        raise cannot_run(f"trigger type {trigger}")
    if trigger in _ON and on not in _ON[trigger]:
        raise cannot_run(f"record trigger type {on}")
    if trigger == SCHEDULED and not name:
        return trigger, ""
    found = work.org.schema.get(name)
    if found is None or found.setup or found.tooling:
        raise Problem(f"The object {name} can't be used in a record-triggered flow.")
    return trigger, found.name


def read_start(names: Names, start: Element) -> Start:
    """
    Read the start element.

    Raises:
        Problem: Salesforce would refuse it, or this org cannot run it.
    """
    test, formula = _entry(names, start)
    paths = tuple(_path(names, each) for each in children(start, "scheduledPaths"))
    if paths:
        _check_later(names, start, test, formula)
    schedule = child(start, "schedule")
    if (schedule is not None) is not (names.trigger == SCHEDULED):
        raise Problem("Start - A schedule goes with the trigger type Scheduled.")
    return Start(
        on=text(start, "recordTriggerType") or "",
        test=test,
        formula=formula,
        first=target(start),
        paths=paths,
        schedule=None if schedule is None else _schedule(schedule),
    )


def _entry(names: Names, start: Element) -> tuple[Test, Formula | None]:
    written = text(start, "filterFormula")
    filters = list(children(start, "filters"))
    if not written:
        parts = [(f"$Record.{text(each, 'field')}", each, "value") for each in filters]
        return names.test("Start", parts, text(start, "filterLogic")), None
    if filters:
        raise Problem("Start - The flow can't have both filters and a filterFormula.")
    if names.trigger == SCHEDULED:
        raise cannot_run("Start - filterFormula of a schedule-triggered flow")
    try:
        return Test(), compile_formula(
            written, names.resources.of_entry, expected=Type.BOOLEAN
        )
    except FormulaError as exc:
        raise Problem(f"The formula expression is invalid: {exc}") from exc


def _check_later(
    names: Names, start: Element, test: Test, formula: Formula | None
) -> None:
    """Entry conditions are looked at again later, when there is no change at hand."""
    if names.trigger != AFTER_SAVE:
        raise Problem(
            "Start - Scheduled paths can't be used in flows with the trigger type "
            f"{names.trigger}."
        )
    momentary = any(each.operator == "IsChanged" for each in test.conditions) or (
        formula is not None
        and any(word in formula.text.upper() for word in _OF_THE_MOMENT)
    )
    at_once = all(
        text(each, "pathType") == "AsyncAfterCommit"
        for each in children(start, "scheduledPaths")
    )
    if momentary and not at_once:
        raise Problem(
            "Start - Flows with scheduled paths can't have entry conditions that look "
            "at the change: ISNEW, ISCHANGED, PRIORVALUE or the operator Is Changed."
        )
    has_conditions = bool(test.conditions) or formula is not None
    if (
        text(start, "recordTriggerType") != "Create"
        and not at_once
        and not (
            has_conditions and flag(start, "doesRequireRecordChangedToMeetCriteria")
        )
    ):
        raise Problem(
            "Start - Flows with scheduled paths that run when a record is updated must "
            "have entry conditions and run only when a record is updated to meet them."
        )


def _path(names: Names, element: Element) -> ScheduledPath:
    kind = text(element, "pathType")
    if kind == "AsyncAfterCommit":
        return ScheduledPath(
            "AsyncAfterCommit", target(element), None, 0, "Minutes", after_commit=True
        )
    if kind is not None:
        raise cannot_run(f"Start - path type {kind}")
    name = name_of(element)
    field = None
    if text(element, "timeSource") == "RecordField":
        where = f"{name} (Scheduled Path)"
        found = names.field(
            where, names.object_name, text(element, "recordField") or ""
        )
        if found.type not in {"date", "datetime"}:
            raise Problem(f"{where} - {found.name} is neither a date nor a time.")
        field = found.name
    return ScheduledPath(
        name=name,
        first=target(element),
        field=field,
        offset=number(element, "offsetNumber") or 0,
        unit=text(element, "offsetUnit") or "Minutes",
        after_commit=False,
    )


def _schedule(element: Element) -> Schedule:
    frequency = text(element, "frequency") or ""
    if frequency not in _EVERY:
        raise cannot_run(f"Start - frequency {frequency}")
    try:
        day = date.fromisoformat(text(element, "startDate") or "")
        clock = time.fromisoformat((text(element, "startTime") or "").removesuffix("Z"))
    except ValueError as exc:
        raise Problem("Start - Set the start date and time of the schedule.") from exc
    start = datetime.combine(day, clock.replace(microsecond=0), tzinfo=UTC)
    return Schedule(start, _EVERY[frequency])
