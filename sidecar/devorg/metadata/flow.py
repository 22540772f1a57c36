"""Flow: each deployment that says something new makes a version of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from sidecar.devorg.flows.model import Definition, Version
from sidecar.devorg.flows.read import read_flow
from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import Problem
from sidecar.devorg.metadata.work import Work, check_name

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

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
    if known is None:
        known = Definition(work.org.ids.new("300"), part.full_name, (), None)
    number = max((each.number for each in known.versions), default=0) + 1
    version = Version(number, version_id, flow, part.element, work.org.clock.second())
    made = replace(known, versions=(*known.versions, version))
    if flow.active and (
        work.features.flows_deploy_active or not work.org.metadata.production
    ):
        made = with_active(work.org, made, number)
    return made


def with_active(org: Org, definition: Definition, number: int | None) -> Definition:
    """Return the definition with another active version, or with none."""
    # Whoever waits for the next run of a schedule is to look again.
    org.journal.on_commit(org.clock.nudge)
    since = None if number is None else org.clock.now()
    return replace(definition, active=number, active_since=since)


def activate(org: Org, name: str, number: int) -> None:
    """
    Make a version of a flow the active one; 0 deactivates the flow.

    Raises:
        Problem: there is no such flow or version.
    """
    component = org.metadata.components.get("Flow", name)
    definition = component.value if component else None
    if component is None or not isinstance(definition, Definition):
        raise Problem(f"No Flow named: {name} found")
    if number and all(each.number != number for each in definition.versions):
        raise Problem(
            f"The version {number} of the flow {name} doesn't exist, so it can't be "
            "activated."
        )
    made = with_active(org, definition, number or None)
    org.metadata.components.put(replace(component, value=made))


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
        left = replace(definition, versions=rest)
        work.components.put(replace(component, value=left, element=left.latest.element))
    else:
        work.components.remove("Flow", definition.name)
