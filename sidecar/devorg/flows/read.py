"""From a flow's XML to a flow that runs; what cannot run is refused by its name."""

from __future__ import annotations

from sidecar.devorg.flows.model import Flow, Variable
from sidecar.devorg.flows.names import Names, cannot_run
from sidecar.devorg.flows.read_start import Start, read_start, start_of
from sidecar.devorg.flows.read_steps import KINDS, read_step, where_of
from sidecar.devorg.flows.resources import DATA_TYPES
from sidecar.devorg.flows.steps import Literal, Step
from sidecar.devorg.flows.wiring import check_connectors
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
    trigger, object_name = start_of(work, start)
    names = Names(work, object_name, trigger)
    written = [(each, kind) for kind in KINDS for each in children(element, kind)]
    variables = _variables(names, element)
    _announce(names, written)
    templates = _templates(names, element)
    formulas = _formulas(names, element)
    for template, words in templates.items():
        names.check_text(f"{template} (Text Template)", words)
    steps: dict[str, Step] = {}
    for each, kind in written:
        step = read_step(names, each, kind, api_version=api_version)
        steps[step.name] = step
    entry = read_start(names, start)
    _check_connected(entry, start, written, set(steps))
    return Flow(
        name=name,
        label=text(element, "label") or name,
        api_version=api_version,
        active=text(element, "status") == "Active",
        trigger=trigger,
        object_name=names.object_name,
        on_create=entry.on.startswith("Create"),
        on_update=entry.on.endswith("Update"),
        test=entry.test,
        formula=entry.formula,
        only_when_changed_to_meet=flag(start, "doesRequireRecordChangedToMeetCriteria"),
        order=number(element, "triggerOrder"),
        first=entry.first,
        paths=entry.paths,
        schedule=entry.schedule,
        steps=steps,
        variables=variables,
        formulas=formulas,
        templates=templates,
    )


def _check_connected(
    entry: Start,
    start: Element,
    written: list[tuple[Element, str]],
    steps: set[str],
) -> None:
    if entry.first is None and not any(path.first for path in entry.paths):
        raise Problem(
            "field integrity exception: unknown (The flow can't run because nothing "
            "is connected to the Start element.)"
        )
    places = [(each, where_of(each, kind)) for each, kind in written]
    check_connectors([(start, "Start"), *places], steps)


def _announce(names: Names, written: list[tuple[Element, str]]) -> None:
    """Make known what elements leave behind under their own names."""
    seen: set[str] = set()
    for each, kind in written:
        name = text(each, "name") or ""
        if not name or name in seen:
            raise Problem(f"{where_of(each, kind)} - The name is not unique.")
        seen.add(name)
        if flag(each, "storeOutputAutomatically"):
            _announce_output(names, each, kind, name)
    for each, kind in written:
        if kind == "loops" and not text(each, "assignNextValueToReference"):
            where = where_of(each, kind)
            collection = names.whole(where, text(each, "collectionReference") or "")
            names.resources.add(
                text(each, "name") or "", collection.of, collection=False
            )


def _announce_output(names: Names, element: Element, kind: str, name: str) -> None:
    where = where_of(element, kind)
    if kind == "recordLookups":
        found = names.object_named(where, text(element, "object") or "")
        first_only = flag(element, "getFirstRecordOnly")
        names.resources.add(name, found, collection=not first_only)
    elif kind == "recordCreates":
        names.resources.add(name, Type.TEXT, collection=False)
    else:
        raise cannot_run(f"{where} - storeOutputAutomatically")


def _variables(names: Names, element: Element) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for each in [*children(element, "variables"), *children(element, "constants")]:
        name, data_type = text(each, "name") or "", text(each, "dataType") or ""
        where = f"{name} (Variable)"
        of: Type | str
        if data_type == "SObject":
            of = names.object_named(where, text(each, "objectType") or "")
        elif data_type in DATA_TYPES:
            of = DATA_TYPES[data_type]
        else:
            raise cannot_run(f"{where} - dataType {data_type}")
        collection = flag(each, "isCollection")
        given = names.any_operand(where, child(each, "value"))
        if not isinstance(given, Literal):
            raise cannot_run(f"{where} - a default value that is a reference")
        names.resources.add(name, of, collection=collection)
        found[name] = Variable(name, of, collection, given.value)
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
    _refuse_circles(found)
    return found


def _refuse_circles(formulas: dict[str, Formula]) -> None:
    for name in formulas:
        waiting, seen = [name], set[str]()
        while waiting:
            for each in formulas[waiting.pop()].references & formulas.keys():
                if each == name:
                    raise Problem(
                        f"{name} (Formula) - The formula expression is invalid: "
                        "Formula is referencing itself."
                    )
                if each not in seen:
                    seen.add(each)
                    waiting.append(each)


def _templates(names: Names, element: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in children(element, "textTemplates"):
        name = text(each, "name") or ""
        names.resources.simple[name] = Type.TEXT
        found[name] = text(each, "text") or ""
    return found
