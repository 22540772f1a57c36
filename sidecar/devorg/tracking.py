"""Field history: what tracked fields were before, and since when they are otherwise.

Source: "Tracking Field History", Salesforce Help, and the History objects of the
Object Reference: a change leaves a row, a new record one that says ``created``; the
first value is in none. Custom fields go by their API names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.devorg.metadata.element import flag
from sidecar.devorg.notation import fields_from
from sidecar.devorg.schema import ObjectType
from sidecar.devorg.values import shown

if TYPE_CHECKING:
    from sidecar.devorg.org import Org
    from sidecar.devorg.records import Save

_HISTORIES = {
    "Lead": "LeadHistory",
    "Contact": "ContactHistory",
    "Opportunity": "OpportunityFieldHistory",
}
_PREFIX = "017"
_FIELDS = """
Id id system
IsDeleted boolean system
{parent}Id reference({parent}) system rel={parent} child=Histories cascade
CreatedDate datetime system
CreatedById reference(User) system rel=CreatedBy
Field string(255) readonly
DataType string(40) readonly
OldValue string(255) readonly
NewValue string(255) readonly
"""


def install(org: Org) -> None:
    """Let the org keep the history of what its metadata tracks."""
    for parent, name in _HISTORIES.items():
        made = ObjectType(name, name, name, None)
        made.fields = fields_from(_FIELDS.format(parent=parent), permissionable=False)
        # Everyone who may read the record may read it; nobody writes it.
        made.setup = True
        made.createable = made.updateable = made.deletable = False
        org.schema.add_type(made)
    tracker = _Tracker(org)
    org.records.after_save.append(tracker.note)
    org.on_reset.append(tracker.forget)


class _Tracker:
    """Knows which fields are tracked, until the metadata changes."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._version = -1
        self._tracked: dict[str, list[str]] = {}

    def note(self, save: Save) -> None:
        """Write down what has changed."""
        history = _HISTORIES.get(save.type.name)
        if history is None:
            return
        fields = self._fields().get(save.type.name)
        if not fields:
            return
        if save.is_new:
            self._add(save, history, "created", None, None)
            return
        before = save.before or {}
        for name in fields:
            if save.changed(name):
                self._add(save, history, name, before.get(name), save.after.get(name))

    def forget(self) -> None:
        """Drop all of it: the org is emptied."""
        for name in _HISTORIES.values():
            self._org.records.table(name).clear()

    def _add(
        self, save: Save, history: str, field: str, old: object, new: object
    ) -> None:
        row_id = self._org.ids.new(_PREFIX)
        row: dict[str, object] = {
            "Id": row_id,
            "IsDeleted": False,
            f"{save.type.name}Id": save.id,
            "CreatedDate": self._org.clock.second(),
            "CreatedById": save.access.user_id,
            "Field": field,
        }
        for name, value in (("OldValue", old), ("NewValue", new)):
            if value is not None:
                row[name] = str(shown(value))
        self._org.records.table(history).put(row_id, row)

    def _fields(self) -> dict[str, list[str]]:
        components = self._org.metadata.components
        if self._version != components.version:
            self._version = components.version
            self._tracked = {}
            for each in components.of_type("CustomField"):
                object_name, _, name = each.full_name.partition(".")
                if object_name in _HISTORIES and flag(each.element, "trackHistory"):
                    self._tracked.setdefault(object_name, []).append(name)
        return self._tracked
