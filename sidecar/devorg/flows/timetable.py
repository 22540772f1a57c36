"""What flows do later, by the org's clock: scheduled paths and schedules.

Scheduled paths run in the name of the user whose save planned them, with every
right; the active version of the flow decides. A pending one is dropped when a later
save of its record no longer meets the entry conditions, and moves with the field
that it counts from. A time that has passed already is at once.
Source: "Scheduled Paths" and "Scheduled Path Considerations", Salesforce Help,
platform.flow_concepts_trigger_scheduled_path.
"""

from __future__ import annotations

import calendar
import threading
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sidecar.devorg.flows.interview import Interview
from sidecar.devorg.flows.model import Definition, Flow, ScheduledPath
from sidecar.devorg.flows.scope import FlowFailed, FlowScope
from sidecar.devorg.formula import FormulaError
from sidecar.devorg.founding import automated_process
from sidecar.devorg.records import Save
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.schema import Row
from sidecar.devorg.values import midnight

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_UNITS = {
    "Minutes": timedelta(minutes=1),
    "Hours": timedelta(hours=1),
    "Days": timedelta(days=1),
    "Weeks": timedelta(weeks=1),
}
# Flow, path, record.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Waiting:
    """A scheduled path that waits for its time."""

    due: datetime
    user_id: str


class Timetable:
    """
    The runs to come of an org.

    Attributes:
        waiting: scheduled paths by flow, path and record.
        failures: what failed runs said; Salesforce mails it to an admin.
        default_workflow_user: the id of the org's Default Workflow User, if it is
            set.
    """

    def __init__(self, org: Org) -> None:
        self._org = org
        self.waiting: dict[Key, Waiting] = {}
        self.failures: list[str] = []
        self.default_workflow_user: str | None = None
        # Flow -> the time up to which its schedule has been kept.
        self._kept: dict[str, datetime] = {}
        org.background.append(self._work)
        org.on_reset.append(self.waiting.clear)

    # ---- planning, within the transaction of a save

    def plan(self, flow: Flow, path: ScheduledPath, save: Save) -> None:
        """Plan a path of a flow whose conditions a save has met."""
        due = _due(path, save.after, self._org.clock.now())
        if due is not None and path.first is not None:
            key = (flow.name, path.name, save.id)
            self._put(key, Waiting(due, save.access.user_id))

    def look_again(self, flow: Flow, save: Save) -> None:
        """Drop or move what waits, now that its record has changed."""
        for path in flow.paths:
            key = (flow.name, path.name, save.id)
            waits = self.waiting.get(key)
            if waits is None or path.after_commit:
                continue
            if not self._still_meets(flow, save.type.name, save.after, waits.user_id):
                self._put(key, None)
            elif path.field is not None and save.changed(path.field):
                due = _due(path, save.after, self._org.clock.now())
                self._put(key, None if due is None else Waiting(due, waits.user_id))

    def _put(self, key: Key, new: Waiting | None) -> None:
        before = self.waiting.get(key)
        self._org.journal.undo(lambda: self._set(key, before))
        self._set(key, new)
        self._org.journal.on_commit(self._org.clock.nudge)

    def _set(self, key: Key, new: Waiting | None) -> None:
        if new is None:
            self.waiting.pop(key, None)
        else:
            self.waiting[key] = new

    # ---- running

    def next_due(self) -> datetime | None:
        """Return when something is to run next; None when nothing waits."""
        times = [each.due for each in self.waiting.values()]
        times += [due for _, due in self._schedules()]
        return min(times, default=None)

    def run_due(self) -> int:
        """Run everything whose time has come, and return how much it was."""
        now, count = self._org.clock.now(), 0
        with self._org.lock:
            paths = sorted(
                ((key, each) for key, each in self.waiting.items() if each.due <= now),
                key=lambda found: found[1].due,
            )
            schedules = [flow for flow, due in self._schedules() if due <= now]
            for key, each in paths:
                self.waiting.pop(key, None)
                self._run_path(key, each)
                count += 1
            for flow in schedules:
                self._kept[flow.name] = now
                count += self._run_schedule(flow)
        return count

    def _work(self, stop: threading.Event) -> None:
        while not stop.is_set():
            with self._org.lock:
                due = self.next_due()
            self._org.clock.wait_until(due, at_most=60.0)
            if not stop.is_set():
                self.run_due()

    def _flow(self, name: str) -> Flow | None:
        found = self._org.metadata.components.get("Flow", name)
        definition = found.value if found else None
        return definition.running if isinstance(definition, Definition) else None

    def _schedules(self) -> list[tuple[Flow, datetime]]:
        """Return the active schedule-triggered flows, and when each runs next."""
        found = []
        for each in self._org.metadata.components.of_type("Flow"):
            definition = each.value
            if not isinstance(definition, Definition):
                continue
            flow, since = definition.running, definition.active_since
            if flow is None or flow.schedule is None or since is None:
                continue
            kept = max(since, self._kept.get(flow.name, since))
            if (due := flow.schedule.after(kept)) is not None:
                found.append((flow, due))
        return found

    def _run_path(self, key: Key, waits: Waiting) -> None:
        name, path_name, record_id = key
        flow, row = self._flow(name), self._org.records.get(record_id)
        path = (
            next((p for p in flow.paths if p.name == path_name), None) if flow else None
        )
        if flow is None or path is None or row is None:
            return  # deactivated, replaced by a version without it, or deleted
        user = self._org.records.table("User").rows.get(waits.user_id, {})
        user_id = waits.user_id if user.get("IsActive") else self.default_workflow_user
        if user_id is None:
            self.failures.append(
                f"{flow.label}: the user is inactive and there is no default workflow "
                "user"
            )
            return
        self._run(flow, path.first, flow.object_name, row, user_id)

    def _run_schedule(self, flow: Flow) -> int:
        user_id = automated_process(self._org)
        if not flow.object_name:
            self._run(flow, flow.first, "", None, user_id)
            return 1
        count = 0
        for row in list(self._org.records.table(flow.object_name).rows.values()):
            if self._still_meets(flow, flow.object_name, row, user_id):
                self._run(flow, flow.first, flow.object_name, row, user_id)
                count += 1
        return count

    def _still_meets(
        self, flow: Flow, object_name: str, row: Row, user_id: str
    ) -> bool:
        return self._scope(flow, object_name, row, user_id).meets_entry()

    def _scope(
        self, flow: Flow, object_name: str, row: Row | None, user_id: str
    ) -> FlowScope:
        org = self._org
        save = None
        if row is not None:
            access = org.system(user_id)
            save = Save(org, access, org.schema[object_name], row, dict(row))
        return FlowScope(flow, org, user_id, save)

    def _run(
        self,
        flow: Flow,
        first: str | None,
        object_name: str,
        row: Row | None,
        user_id: str,
    ) -> None:
        try:
            with self._org.work():
                Interview(self._scope(flow, object_name, row, user_id)).run(first)
        except (FlowFailed, FormulaError, Refusal) as exc:
            self.failures.append(f"{flow.label}: {exc}")


def _due(path: ScheduledPath, row: Row, now: datetime) -> datetime | None:
    """Return when a path runs; None when the field that it counts from is empty."""
    base: object = now if path.field is None else row.get(path.field)
    if isinstance(base, date) and not isinstance(base, datetime):
        base = midnight(base)
    if not isinstance(base, datetime):
        return None
    if path.unit == "Months":
        return _months_later(base, path.offset)
    return base + _UNITS[path.unit] * path.offset


def _months_later(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
