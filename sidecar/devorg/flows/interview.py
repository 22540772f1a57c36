"""One run of a flow for one record that is being saved."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from sidecar.devorg.flows.conditions import added, combine, compare
from sidecar.devorg.flows.matching import in_order, kept, matching, stored
from sidecar.devorg.flows.model import (
    Assignment,
    Condition,
    Decision,
    Flow,
    Literal,
    Operand,
    RecordCreate,
    RecordLookup,
    RecordUpdate,
    SendOutboundMessage,
    Test,
)
from sidecar.devorg.formula import Value
from sidecar.devorg.formula.values import as_text
from sidecar.devorg.metadata.formula_scope import (
    as_value,
    global_value,
    value_at,
)
from sidecar.devorg.records import Save
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.schema import Row

_MOST_STEPS = 2000
MERGE_FIELD = re.compile(r"\{!([^}]+)\}")


class FlowFailed(Exception):
    """An element failed and has no fault path; carries the org's words."""


class Interview:
    """The values that a flow works with; also the scope of its formulas."""

    def __init__(self, flow: Flow, save: Save) -> None:
        self._flow = flow
        self._save = save
        self._org = save.org
        self._fault = ""
        self._variables = {
            each.name: each.start.value for each in flow.variables.values()
        }
        self._records: dict[str, Row | None] = {}

    # ---- the scope of formulas

    @property
    def now(self) -> datetime:
        """Aware UTC, whole seconds."""
        return self._org.clock.second()

    @property
    def is_new(self) -> bool:
        """True while the triggering record is being created."""
        return self._save.is_new

    def prior(self, path: str) -> Value:
        """The value of a ``$Record`` path before the save."""
        rest = path.partition(".")[2]
        return value_at(self._org, self._save.type, self._save.before, rest)

    def value(self, path: str) -> Value:
        """The value that a path leads to at this moment."""
        root, _, rest = path.partition(".")
        match root:
            case "$Record":
                row = self._save.after
                if "." not in rest and (kept := row.get(rest)) is not None:
                    return as_value(kept)
                return value_at(self._org, self._save.type, row, rest)
            case "$Record__Prior":
                return self.prior(path)
        if root in self._records:
            return self._of_record(root, rest)
        if path in self._variables:
            return self._variables[path]
        if (formula := self._flow.formulas.get(path)) is not None:
            return formula.run(self)
        if (template := self._flow.templates.get(path)) is not None:
            return MERGE_FIELD.sub(
                lambda m: as_text(self.value(m[1].strip())), template
            )
        return self._global(path)

    def _of_record(self, name: str, rest: str) -> Value:
        row = self._records[name]
        if row is None:
            return None
        type_ = self._org.schema.of_id(str(row["Id"]))
        return None if type_ is None else value_at(self._org, type_, row, rest)

    def _global(self, path: str) -> Value:
        match path.lower():
            case "$flow.currentdate":
                return self.now.date()
            case "$flow.currentdatetime" | "$flow.interviewstarttime":
                return self.now
            case "$flow.faultmessage":
                return self._fault
            case "$flow.currentrecord":
                return self._save.id
            case "$globalconstant.true":
                return True
            case "$globalconstant.false":
                return False
            case "$globalconstant.emptystring":
                return ""
        if path.startswith("$"):
            return global_value(self._org, self._save.access.user_id, path)
        return None

    def operand(self, operand: Operand) -> Value:
        """The value of a literal or a reference."""
        if isinstance(operand, Literal):
            return operand.value
        return self.value(operand.path)

    # ---- tests

    def holds(self, test: Test) -> bool:
        """Whether conditions hold for the record as it is being saved."""
        results = [self._compare(each) for each in test.conditions]
        return combine(test.logic, results)

    def _compare(self, condition: Condition) -> bool:
        if condition.operator == "IsChanged":
            changed = not self.is_new and (
                self.prior(condition.left) != self.value(condition.left)
            )
            return changed is (self.operand(condition.right) is not False)
        left, right = self.value(condition.left), self.operand(condition.right)
        return compare(condition.operator, left, right)

    # ---- running

    def run(self) -> None:
        """
        Go from step to step until there is none.

        Raises:
            FlowFailed: a step failed and has no fault path.
        """
        at: str | None = self._flow.first
        for _ in range(_MOST_STEPS):
            if at is None:
                return
            at = self._take(at)
        raise FlowFailed("The number of element execution exceeded the limit")

    def _take(self, name: str) -> str | None:
        step = self._flow.steps[name]
        match step:
            case Decision():
                return self._decide(step)
            case Assignment():
                return self._assign(step)
            case SendOutboundMessage():
                self._send(step)
                return step.target
            case RecordLookup():
                return self._guarded(
                    step, "look up records", lambda: self._look_up(step)
                )
            case RecordUpdate():
                return self._guarded(step, "update records", lambda: self._update(step))
            case RecordCreate():
                return self._guarded(step, "create records", lambda: self._create(step))

    def _guarded(
        self,
        step: RecordLookup | RecordUpdate | RecordCreate,
        doing: str,
        act: Callable[[], None],
    ) -> str | None:
        try:
            with self._org.journal.savepoint():
                act()
        except Refusal as exc:
            self._fault = (
                f"This error occurred when the flow tried to {doing}: "
                f"{exc.error_code}: {exc.message}."
            )
            if step.fault is None:
                raise FlowFailed(self._fault) from exc
            return step.fault
        return step.target

    def _decide(self, step: Decision) -> str | None:
        for outcome in step.outcomes:
            if self.holds(outcome.test) and not (
                outcome.only_when_changed_to_meet
                and not self.is_new
                and Interview(self._flow, _before(self._save)).holds(outcome.test)
            ):
                return outcome.target
        return step.default

    def _assign(self, step: Assignment) -> str | None:
        for item in step.items:
            value = self.operand(item.value)
            if item.operator != "Assign":
                value = added(self.value(item.to), value, item.operator)
            self._set(item.to, value)
        return step.target

    def _set(self, path: str, value: Value) -> None:
        root, _, name = path.partition(".")
        if root != "$Record":
            self._variables[path] = value
            return
        field = self._save.type.field(name)
        if field is None:
            return
        if value is None or value == "":
            self._save.after.pop(field.name, None)
        else:
            self._save.after[field.name] = kept(field.type, value)

    def _send(self, step: SendOutboundMessage) -> None:
        org, record_id = self._org, self._save.id
        component = org.metadata.components.get(
            "WorkflowOutboundMessage", step.action_name
        )
        users = org.records.table("User").rows
        username = users.get(self._save.access.user_id, {}).get("Username")
        if component is None or username in org.outbound.switches.silent_users:
            return
        action = org.outbound.actions[component.id]
        org.journal.on_commit(lambda: org.outbound.queue(action, [record_id]))

    # ---- records

    def _look_up(self, step: RecordLookup) -> None:
        found = matching(self._org, step.query, self.operand)
        table = self._org.records.table(step.query.object_name)
        rows = in_order([table.rows[each] for each in found], step)
        first = rows[0] if rows else None
        if step.stores_itself:
            self._records[step.name] = first
        if first is None and not step.null_if_none:
            return
        type_ = self._org.schema[step.query.object_name]
        for field, to in step.outputs:
            self._set(to, value_at(self._org, type_, first, field))

    def _update(self, step: RecordUpdate) -> None:
        values = {name: self.operand(operand) for name, operand in step.values}
        if step.query is None and self._flow.before_save:
            for name, value in values.items():
                self._set(f"$Record.{name}", value)
            return
        query = step.query
        object_name = query.object_name if query else self._save.type.name
        found = matching(self._org, query, self.operand) if query else [self._save.id]
        self._write(object_name, found, values)

    def _write(
        self, object_name: str, ids: list[str], values: Mapping[str, Value]
    ) -> None:
        access = self._org.system(self._save.access.user_id)
        typed = stored(self._org, object_name, values)
        for record_id in ids:
            self._org.records.update(access, object_name, record_id, typed)

    def _create(self, step: RecordCreate) -> None:
        access = self._org.system(self._save.access.user_id)
        values = {name: self.operand(operand) for name, operand in step.values}
        typed = stored(self._org, step.object_name, values)
        given = {name: value for name, value in typed.items() if value is not None}
        new_id = self._org.records.create(access, step.object_name, given)
        if step.stores_itself:
            self._variables[step.name] = new_id
        if step.id_to:
            self._set(step.id_to, new_id)


def _before(save: Save) -> Save:
    """The same save as if its record had stayed as it was."""
    return Save(save.org, save.access, save.type, save.before, dict(save.before or {}))
