"""One run of a flow, from step to step."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from sidecar.devorg.flows import data
from sidecar.devorg.flows.conditions import added
from sidecar.devorg.flows.contents import Content, Held, Item, as_items
from sidecar.devorg.flows.scope import FlowFailed, FlowScope
from sidecar.devorg.flows.steps import (
    Assign,
    Assignment,
    CustomError,
    DataStep,
    Decision,
    Loop,
    SendOutboundMessage,
)
from sidecar.devorg.formula import Value
from sidecar.devorg.refusal import Refusal

_MOST_STEPS = 2000


class Interview:
    """A flow that is running; ``scope`` is what it works with."""

    def __init__(self, scope: FlowScope) -> None:
        self.scope = scope
        self._loops: dict[str, Iterator[Item]] = {}

    def run(self, first: str | None) -> None:
        """
        Go from step to step until there is none.

        Raises:
            FlowFailed: a step failed and has no fault path.
            Refusal: a custom error.
        """
        at = first
        for _ in range(_MOST_STEPS):
            if at is None:
                return
            at = self._take(at)
        raise FlowFailed("The number of element execution exceeded the limit")

    def _take(self, name: str) -> str | None:
        step = self.scope.flow.steps[name]
        match step:
            case Decision():
                return self._decide(step)
            case Assignment():
                return self._assign(step)
            case Loop():
                return self._next(step)
            case CustomError():
                raise Refusal(
                    "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                    self.scope.filled(step.message),
                    fields=[step.field] if step.field else [],
                )
            case SendOutboundMessage():
                self._send(step)
                return step.target
            case _:
                return self._work(step)

    def _work(self, step: DataStep) -> str | None:
        scope = self.scope
        try:
            with scope.org.journal.savepoint():
                data.act(scope, step)
        except Refusal as exc:
            scope.fault = (
                f"This error occurred when the flow tried to {data.DOING[type(step)]}: "
                f"{exc.error_code}: {exc.message}."
            )
            if step.fault is None:
                raise FlowFailed(scope.fault, cause=exc) from exc
            return step.fault
        return step.target

    def _decide(self, step: Decision) -> str | None:
        for outcome in step.outcomes:
            if self.scope.holds(outcome.test) and not (
                outcome.only_when_changed_to_meet
                and not self.scope.is_new
                and self.scope.as_before().holds(outcome.test)
            ):
                return outcome.target
        return step.default

    def _assign(self, step: Assignment) -> str | None:
        for item in step.items:
            self.scope.set(item.to, self._assigned(item))
        return step.target

    def _assigned(self, item: Assign) -> Content:
        scope = self.scope
        given = scope.content(item.value)
        if item.operator == "AssignCount":
            return Decimal(len(as_items(given)))
        if item.operator == "Assign":
            return given
        if scope.flow.variables.get(item.to) is not None and isinstance(
            there := scope.whole(item.to), list
        ):
            return [*there, *as_items(given)]
        return added(scope.element_value(item.to), _simple(given), item.operator)

    def _next(self, step: Loop) -> str | None:
        scope = self.scope
        rest = self._loops.get(step.name)
        if rest is None:
            items = as_items(scope.whole(step.collection))
            if step.backwards:
                items = items[::-1]
            rest = self._loops[step.name] = iter(list(items))
        item = next(rest, _END)
        if isinstance(item, _End):
            del self._loops[step.name]
            scope.contents[step.variable] = None
            return step.after
        scope.contents[step.variable] = item.copy() if isinstance(item, Held) else item
        return step.each

    def _send(self, step: SendOutboundMessage) -> None:
        org, record = self.scope.org, self.scope.record
        component = org.metadata.components.get(
            "WorkflowOutboundMessage", step.action_name
        )
        users = org.records.table("User").rows
        username = users.get(self.scope.user_id, {}).get("Username")
        if (
            component is None
            or record is None
            or username in org.outbound.switches.silent_users
        ):
            return
        action, record_id = org.outbound.actions[component.id], str(record.row["Id"])
        org.journal.on_commit(lambda: org.outbound.queue(action, [record_id]))


class _End:
    """What comes after the last item."""


_END = _End()


def _simple(content: Content) -> Value:
    return None if isinstance(content, (list, Held)) else content
