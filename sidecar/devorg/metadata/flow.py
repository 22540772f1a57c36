"""Flow: each deployment that says something new makes a version of it."""

from __future__ import annotations

import re
from dataclasses import replace

from sidecar.devorg.flows.model import Definition, Version
from sidecar.devorg.flows.read import read_flow
from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import Problem
from sidecar.devorg.metadata.work import Work, check_name

_VERSIONED = re.compile(r"(?P<name>.+)-(?P<number>\d+)$")


def apply(work: Work, part: Part, version_id: str) -> Definition:
    """
    Save a version of the flow; an active one takes the place of the active one.

    In a production org an active flow arrives inactive, as it does there unless
    "Deploy processes and flows as active" is on.

    Raises:
        Problem: Salesforce would refuse it, or this org cannot run it.
    """
    check_name(part.full_name)
    flow = read_flow(work, part.full_name, part.element)
    before = work.components.get("Flow", part.full_name)
    known = before.value if before and isinstance(before.value, Definition) else None
    versions = known.versions if known else ()
    number = max((each.number for each in versions), default=0) + 1
    active = known.active if known else None
    if flow.active and not work.org.metadata.production:
        active = number
    made = Version(number, version_id, flow)
    return Definition(part.full_name, (*versions, made), active)


def remove(work: Work, full_name: str) -> None:
    """
    Delete one version, ``Name-2``, that is not active.

    Raises:
        Problem: the version is active, or none was named.
    """
    match = _VERSIONED.match(full_name)
    component = work.components.get("Flow", match["name"] if match else full_name)
    if component is None:
        raise Problem(f"No Flow named: {full_name} found")
    definition = component.value
    if match is None or not isinstance(definition, Definition):
        raise Problem("insufficient access rights on cross-reference id")
    number = int(match["number"])
    if number == definition.active:
        raise Problem("insufficient access rights on cross-reference id")
    rest = tuple(each for each in definition.versions if each.number != number)
    if len(rest) == len(definition.versions):
        raise Problem(f"No Flow named: {full_name} found")
    if rest:
        left = Definition(definition.name, rest, definition.active)
        work.components.put(replace(component, value=left))
    else:
        work.components.remove("Flow", definition.name)
