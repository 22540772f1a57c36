"""Which flows a save starts, in which order; and what a failed flow says."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sidecar.devorg.flows.interview import FlowFailed, Interview
from sidecar.devorg.flows.model import Definition, Flow
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
        self._before: dict[str, list[Flow]] = {}
        self._after: dict[str, list[Flow]] = {}
        self._depth = _Depth()
        org.records.before_save.append(self.before_save)
        org.records.after_save.append(self.after_save)

    def before_save(self, save: Save) -> None:
        """Run the flows that may still change the record."""
        self._refresh()
        for flow in self._before.get(save.type.name, ()):
            self._run(flow, save)

    def after_save(self, save: Save) -> None:
        """Run the flows that follow the storing of the record."""
        self._refresh()
        for flow in self._after.get(save.type.name, ()):
            self._run(flow, save)

    def _refresh(self) -> None:
        components = self._org.metadata.components
        if components.version == self._version:
            return
        self._version = components.version
        self._before, self._after = {}, {}
        running = [
            flow
            for each in components.of_type("Flow")
            if isinstance(each.value, Definition)
            and (flow := each.value.running) is not None
        ]
        # Trigger order 1 to 1,000 first, then those without, then 1,001 to 2,000.
        running.sort(key=lambda flow: 1000.5 if flow.order is None else flow.order)
        for flow in running:
            by_object = self._before if flow.before_save else self._after
            by_object.setdefault(flow.object_name, []).append(flow)

    def _run(self, flow: Flow, save: Save) -> None:
        if not (flow.on_create if save.is_new else flow.on_update):
            return
        depth = self._depth
        depth.value += 1
        try:
            if depth.value > _DEEPEST:
                raise FlowFailed(
                    "maximum trigger depth exceeded: "
                    f"{save.type.name} flow trigger event"
                )
            interview = Interview(flow, save)
            if meets(flow, interview, save):
                interview.run()
        except (FlowFailed, FormulaError) as exc:
            raise failed(flow, str(exc)) from exc
        finally:
            depth.value -= 1


def meets(flow: Flow, interview: Interview, save: Save) -> bool:
    """Tell whether the save meets a flow's entry conditions."""
    if not _holds(flow, interview):
        return False
    if not flow.only_when_changed_to_meet or save.is_new:
        return True
    unchanged = Save(
        save.org, save.access, save.type, save.before, dict(save.before or {})
    )
    return not _holds(flow, Interview(flow, unchanged))


def _holds(flow: Flow, interview: Interview) -> bool:
    if flow.formula is not None:
        return bool(flow.formula.run(interview))
    return interview.holds(flow.test)


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
