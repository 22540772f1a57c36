"""The values that a running flow works with; also the scope of its formulas."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from sidecar.devorg.flows.conditions import combine, compare
from sidecar.devorg.flows.contents import (
    MERGE_FIELD,
    Content,
    Held,
    as_items,
    copied,
)
from sidecar.devorg.flows.model import Flow
from sidecar.devorg.flows.steps import Condition, Literal, Operand, Test, Whole
from sidecar.devorg.formula import Value
from sidecar.devorg.formula.values import as_text
from sidecar.devorg.metadata.formula_scope import global_value, value_at
from sidecar.devorg.records import Save
from sidecar.devorg.refusal import Refusal

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_RECORD, _PRIOR = "$Record", "$Record__Prior"


class FlowFailed(Exception):
    """
    An element failed and has no fault path; carries the org's words.

    ``cause`` is what the org refused, if that was it.
    """

    def __init__(self, message: str, *, cause: Refusal | None = None) -> None:
        super().__init__(message)
        self.cause = cause


class FlowScope:
    """
    What the names of one running flow mean at this moment.

    Attributes:
        record: the triggering record; None for a schedule without records. Before
            the save it is the record about to be stored, afterwards a copy of it.
        fault: what the last failed element said.
    """

    def __init__(
        self,
        flow: Flow,
        org: Org,
        user_id: str,
        save: Save | None,
        *,
        contents: Mapping[str, Content] | None = None,
    ) -> None:
        """``contents``: of variables that have changed since the start."""
        self.flow = flow
        self.org = org
        self.user_id = user_id
        self.fault = ""
        self.guid = str(uuid.uuid4())
        self._save = save
        self.record: Held | None = None
        if save is not None:
            row = save.after if flow.before_save else dict(save.after)
            self.record = Held(save.type.name, row)
        self.contents: dict[str, Content] = {}
        for each in flow.variables.values():
            if each.collection:
                self.contents[each.name] = []
            elif isinstance(each.of, str) and each.start is None:
                self.contents[each.name] = Held(each.of, {})
            else:
                self.contents[each.name] = each.start
        self.contents.update(contents or {})

    def as_before(self) -> FlowScope:
        """Return the same scope as if the record had stayed as it was."""
        assert self._save is not None  # noqa: S101 - asked of saves alone
        save = self._save
        unchanged = Save(
            save.org, save.access, save.type, save.before, dict(save.before or {})
        )
        return FlowScope(
            self.flow, self.org, self.user_id, unchanged, contents=self.contents
        )

    # ---- the scope of formulas

    @property
    def now(self) -> datetime:
        """Aware UTC, whole seconds."""
        return self.org.clock.second()

    @property
    def is_new(self) -> bool:
        """True while the triggering record is being created."""
        return self._save is not None and self._save.is_new

    def prior(self, path: str) -> Value:
        """The value of a ``$Record`` path before the save."""
        if self._save is None:
            return None
        rest = path.partition(".")[2]
        return value_at(self.org, self._save.type, self._save.before, rest)

    def value(self, path: str) -> Value:
        """The value that a path leads to at this moment; null behind a null record."""
        root, _, rest = path.partition(".")
        if root == _RECORD:
            return self._of(self.record, rest)
        if root == _PRIOR:
            return self.prior(path)
        if rest and root in self.contents:
            held = self.contents[root]
            return self._of(held if isinstance(held, Held) else None, rest)
        if path in self.contents:
            content = self.contents[path]
            return None if isinstance(content, (list, Held)) else content
        if (formula := self.flow.formulas.get(path)) is not None:
            return formula.run(self)
        if (template := self.flow.templates.get(path)) is not None:
            return self.filled(template)
        return self._global(path)

    def _of(self, held: Held | None, rest: str) -> Value:
        if held is None:
            return None
        return value_at(self.org, self.org.schema[held.object_name], held.row, rest)

    def _global(self, path: str) -> Value:
        match path.lower():
            case "$flow.currentdate":
                return self.now.date()
            case "$flow.currentdatetime" | "$flow.interviewstarttime":
                return self.now
            case "$flow.interviewguid":
                return self.guid
            case "$flow.faultmessage":
                return self.fault
            case "$flow.currentrecord":
                return None if self._save is None else self._save.id
            case "$globalconstant.true":
                return True
            case "$globalconstant.false":
                return False
            case "$globalconstant.emptystring":
                return ""
        if path.startswith("$"):
            return global_value(self.org, self.user_id, path)
        return None

    def filled(self, template: str) -> str:
        """Put values in the place of a text's ``{!merge.Fields}``."""
        return MERGE_FIELD.sub(lambda m: as_text(self.value(m[1].strip())), template)

    # ---- elements

    def operand(self, operand: Operand) -> Value:
        """
        The value of a literal or a reference.

        Raises:
            FlowFailed: it is a field of a record that is null.
        """
        if isinstance(operand, Literal):
            return operand.value
        return self.element_value(operand.path)

    def element_value(self, path: str) -> Value:
        """
        The value of a path, as elements read it.

        Raises:
            FlowFailed: it is a field of a record that is null.
        """
        root, _, rest = path.partition(".")
        if rest and root in self.contents and self.contents[root] is None:
            raise FlowFailed(
                f"The flow failed to access the value for {path} because it hasn't "
                "been set or assigned."
            )
        return self.value(path)

    def content(self, operand: Operand | Whole) -> Content:
        """Return a value, or a record or collection, as one's own copy."""
        if not isinstance(operand, Whole):
            return self.operand(operand)
        return copied(self.whole(operand.path))

    def whole(self, path: str) -> Content:
        """Return a record or a collection as it is at this moment."""
        if path == _RECORD:
            return self.record
        if path == _PRIOR:
            before = None if self._save is None else self._save.before
            if before is None or self._save is None:
                return None
            return Held(self._save.type.name, dict(before))
        return self.contents.get(path)

    def set(self, path: str, content: Content) -> None:
        """Set a variable, or a field of a record at hand."""
        root, _, name = path.partition(".")
        if not name:
            self.contents[path] = content
            return
        held = self.record if root == _RECORD else self.contents.get(root)
        if not isinstance(held, Held):
            raise FlowFailed(
                f"The flow failed to access the value for {root} because it hasn't "
                "been set or assigned."
            )
        field = self.org.schema[held.object_name].field(name)
        if field is not None and not isinstance(content, (list, Held)):
            held.set(field, content)

    def meets_entry(self) -> bool:
        """Whether the record meets the flow's entry conditions."""
        formula = self.flow.formula
        return bool(formula.run(self)) if formula else self.holds(self.flow.test)

    def holds(self, test: Test) -> bool:
        """Whether conditions hold at this moment."""
        results = [self._compare(each) for each in test.conditions]
        return combine(test.logic, results)

    def _compare(self, condition: Condition) -> bool:
        right = self.operand(condition.right)
        if condition.whole:
            there = bool(as_items(self.whole(condition.left)))
            return there is (right is False)
        if condition.operator == "IsChanged":
            changed = not self.is_new and (
                self.prior(condition.left) != self.value(condition.left)
            )
            return changed is (right is not False)
        left = self.element_value(condition.left)
        return compare(condition.operator, left, right)
