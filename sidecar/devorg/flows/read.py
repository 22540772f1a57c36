"""From a flow's XML to a flow that runs; what cannot run is refused by its name."""

from __future__ import annotations

from sidecar.devorg.flows.interview import MERGE_FIELD
from sidecar.devorg.flows.model import (
    Flow,
    Literal,
    Operand,
    Step,
    Test,
    Variable,
)
from sidecar.devorg.flows.names import Names, cannot_run
from sidecar.devorg.flows.read_steps import KINDS, read_step, target, where_of
from sidecar.devorg.flows.resources import DATA_TYPES
from sidecar.devorg.formula import Formula, FormulaError, Type, compile_formula
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    check,
    child,
    children,
    flag,
    number,
    text,
)
from sidecar.devorg.metadata.work import Work
from sidecar.devorg.schema import ObjectType


def read_flow(work: Work, name: str, element: Element) -> Flow:
    """
    Read and check one flow.

    Raises:
        Problem: Salesforce would refuse it, or this org cannot run it.
    """
    check(element, "Flow")
    process = text(element, "processType")
    if process != "AutoLaunchedFlow":
        raise cannot_run(f"process type {process}")
    start = child(element, "start")
    if start is None:
        raise Problem("Required field is missing: start")
    version = text(element, "apiVersion")
    api_version = min(float(version or work.api_version), work.api_version)
    names = Names(
        work,
        _triggering_object(work, start),
        before_save=text(start, "triggerType") == "RecordBeforeSave",
    )
    written = [(each, kind) for kind in KINDS for each in children(element, kind)]
    _announce(names, written)
    variables = _variables(names, element)
    templates = _templates(names, element)
    formulas = _formulas(names, element)
    _check_templates(names, templates)
    steps: dict[str, Step] = {}
    for each, kind in written:
        step = read_step(names, each, kind, api_version=api_version)
        steps[step.name] = step
    test, formula = _entry(names, start)
    trigger = text(start, "recordTriggerType") or ""
    return Flow(
        name=name,
        label=text(element, "label") or name,
        api_version=api_version,
        active=text(element, "status") == "Active",
        object_name=names.object.name,
        before_save=names.before_save,
        on_create=trigger.startswith("Create"),
        on_update=trigger.endswith("Update"),
        test=test,
        formula=formula,
        only_when_changed_to_meet=flag(start, "doesRequireRecordChangedToMeetCriteria"),
        order=number(element, "triggerOrder"),
        first=_connected(start, written, steps),
        steps=steps,
        variables=variables,
        formulas=formulas,
        templates=templates,
    )


def _triggering_object(work: Work, start: Element) -> ObjectType:
    trigger = text(start, "triggerType") or "None"
    if trigger not in {"RecordBeforeSave", "RecordAfterSave"}:
        raise cannot_run(f"trigger type {trigger}")
    on = text(start, "recordTriggerType")
    if on not in {"Create", "Update", "CreateAndUpdate"}:
        raise cannot_run(f"record trigger type {on}")
    name = text(start, "object") or ""
    found = work.org.schema.get(name)
    if found is None or found.setup or found.tooling:
        raise Problem(f"The object {name} can't be used in a record-triggered flow.")
    return found


def _entry(names: Names, start: Element) -> tuple[Test, Formula | None]:
    written = text(start, "filterFormula")
    filters = children(start, "filters")
    if not written:
        parts = [(f"$Record.{text(each, 'field')}", each, "value") for each in filters]
        return names.test("Start", parts, text(start, "filterLogic")), None
    if filters:
        raise Problem("Start - The flow can't have both filters and a filterFormula.")
    try:
        return Test(), compile_formula(
            written, names.resources.of_entry, expected=Type.BOOLEAN
        )
    except FormulaError as exc:
        raise Problem(f"The formula expression is invalid: {exc}") from exc


def _connected(
    start: Element, written: list[tuple[Element, str]], steps: dict[str, Step]
) -> str:
    """Check all connectors; the name of the first step."""
    first = target(start)
    if first is None:
        raise Problem(
            "field integrity exception: unknown (The flow can't run because nothing "
            "is connected to the Start element.)"
        )
    places = [(each, where_of(each, kind)) for each, kind in written]
    for element, where in [(start, "Start"), *places]:
        for reference in element.iter("{*}targetReference"):
            name = (reference.text or "").strip()
            if name not in steps:
                raise Problem(
                    f"{where} - The connector's target element {name} doesn't exist."
                )
    return first


def _announce(names: Names, written: list[tuple[Element, str]]) -> None:
    """Make known what elements leave behind under their own names."""
    seen: set[str] = set()
    for each, kind in written:
        name = text(each, "name") or ""
        if not name or name in seen:
            raise Problem(f"{where_of(each, kind)} - The name is not unique.")
        seen.add(name)
        if flag(each, "storeOutputAutomatically"):
            if kind == "recordLookups":
                object_name = text(each, "object") or ""
                names.resources.records[name] = names.object_named(
                    where_of(each, kind), object_name
                )
            elif kind == "recordCreates":
                names.resources.simple[name] = Type.TEXT
            else:
                raise cannot_run(f"{where_of(each, kind)} - storeOutputAutomatically")


def _variables(names: Names, element: Element) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for each in [*children(element, "variables"), *children(element, "constants")]:
        name, data_type = text(each, "name") or "", text(each, "dataType") or ""
        where = f"{name} (Variable)"
        if flag(each, "isCollection"):
            raise cannot_run(f"{where} - collection")
        if data_type not in DATA_TYPES:
            raise cannot_run(f"{where} - dataType {data_type}")
        kind = names.resources.simple[name] = DATA_TYPES[data_type]
        start: Operand = names.operand(where, child(each, "value"))
        if not isinstance(start, Literal):
            raise cannot_run(f"{where} - a default value that is a reference")
        found[name] = Variable(name, kind, start)
    return found


def _formulas(names: Names, element: Element) -> dict[str, Formula]:
    waiting = {text(each, "name") or "": each for each in children(element, "formulas")}
    for name, each in waiting.items():
        data_type = text(each, "dataType") or "String"
        if data_type not in DATA_TYPES:
            raise cannot_run(f"{name} (Formula) - dataType {data_type}")
        names.resources.simple[name] = DATA_TYPES[data_type]
    found: dict[str, Formula] = {}
    for name, each in waiting.items():
        try:
            found[name] = compile_formula(
                text(each, "expression") or "",
                names.resources.type_of,
                expected=names.resources.simple[name],
            )
        except FormulaError as exc:
            raise Problem(
                f"{name} (Formula) - The formula expression is invalid: {exc}"
            ) from exc
    return found


def _templates(names: Names, element: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in children(element, "textTemplates"):
        name = text(each, "name") or ""
        names.resources.simple[name] = Type.TEXT
        found[name] = text(each, "text") or ""
    return found


def _check_templates(names: Names, templates: dict[str, str]) -> None:
    for name, written in templates.items():
        for path in MERGE_FIELD.findall(written):
            names.type(f"{name} (Text Template)", path.strip())
