"""Which flows a save starts, in which order; and what a failed flow says."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sidecar.devorg.flows.interview import Interview
from sidecar.devorg.flows.model import Definition, Flow
from sidecar.devorg.flows.scope import FlowFailed, FlowScope
from sidecar.devorg.flows.timetable import Timetable
from sidecar.devorg.formula import FormulaError
from sidecar.devorg.records import Save
from sidecar.devorg.refusal import Refusal

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

# A save within a save within …: Salesforce stops at this depth.
_DEEPEST = 16


@dataclass
class _Depth:
    value: int = 0


class FlowTriggers:
    """The active flows of an org by object, and the hooks that start them."""

    def __init__(self, org: Org) -> None:
        """Installs itself as hooks of the org's records."""
        self._org = org
        self._version = -1
        # (trigger type, object name) -> flows in their order.
        self._flows: dict[tuple[str, str], list[Flow]] = {}
        self._depth = _Depth()
        self.timetable = Timetable(org)
        org.records.before_save.append(self.before_save)
        org.records.after_save.append(self.after_save)
        org.records.before_delete.append(self.before_delete)

    def before_save(self, save: Save) -> None:
        """Run the flows that may still change the record."""
        for flow in self._of("RecordBeforeSave", save):
            if flow.on_create if save.is_new else flow.on_update:
                self._run(flow, save)

    def after_save(self, save: Save) -> None:
        """Run the flows that follow the storing of the record."""
        for flow in self._of("RecordAfterSave", save):
            if flow.on_create if save.is_new else flow.on_update:
                self._run(flow, save)
            if flow.paths:
                self.timetable.look_again(flow, save)

    def before_delete(self, save: Save) -> None:
        """Run the flows that precede a deletion."""
        for flow in self._of("RecordBeforeDelete", save):
            self._run(flow, save)

    def _of(self, trigger: str, save: Save) -> list[Flow]:
        components = self._org.metadata.components
        if components.version != self._version:
            self._version = components.version
            self._flows = {}
            for flow in _running(self._org):
                key = (flow.trigger, flow.object_name)
                self._flows.setdefault(key, []).append(flow)
        return self._flows.get((trigger, save.type.name), [])

    def _run(self, flow: Flow, save: Save) -> None:
        depth = self._depth
        depth.value += 1
        try:
            if depth.value > _DEEPEST:
                raise FlowFailed(
                    "maximum trigger depth exceeded: "
                    f"{save.type.name} flow trigger event"
                )
            scope = FlowScope(flow, save.org, save.access.user_id, save)
            if meets(scope, save):
                Interview(scope).run(flow.first)
                for path in flow.paths:
                    self.timetable.plan(flow, path, save)
        except (FlowFailed, FormulaError) as exc:
            raise failed(flow, str(exc)) from exc
        finally:
            depth.value -= 1


def _running(org: Org) -> list[Flow]:
    """Trigger order 1 to 1,000 first, then those without, then 1,001 to 2,000."""
    running = [
        flow
        for each in org.metadata.components.of_type("Flow")
        if isinstance(each.value, Definition)
        and (flow := each.value.running) is not None
    ]
    running.sort(key=lambda flow: 1000.5 if flow.order is None else flow.order)
    return running


def meets(scope: FlowScope, save: Save) -> bool:
    """Tell whether the save meets a flow's entry conditions."""
    if not scope.meets_entry():
        return False
    if not scope.flow.only_when_changed_to_meet or save.is_new:
        return True
    return not scope.as_before().meets_entry()


def failed(flow: Flow, details: str) -> Refusal:
    """Return the refusal of a save whose flow failed."""
    number = random.randrange(10**9)  # noqa: S311 - an error's number
    return Refusal(
        "CANNOT_EXECUTE_FLOW_TRIGGER",
        f"We can't save this record because the “{flow.label}” process failed. Give "
        f"your Salesforce admin these details. {details} You can look up "
        "ExceptionCode values in the SOAP API Developer Guide. Error ID: "
        f"{number}-{number % 99_999} (-{number % 2**31})",
        fields=[],
    )
