"""Deleted custom fields, which people can restore for 15 days.

Source: "Manage Deleted Custom Fields", Salesforce Help. Until they are erased they hold
on to their global value sets. Their values are gone here at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sidecar.devorg.clock import OrgClock
from sidecar.devorg.journal import Journal

_KEPT = timedelta(days=15)


@dataclass(frozen=True)
class _Deleted:
    full_name: str
    value_set: str
    at: datetime


class RecycleBin:
    """The deleted fields of one org that have a global value set."""

    def __init__(self, *, journal: Journal, clock: OrgClock) -> None:
        """``journal`` takes a deletion back when its deployment is rolled back."""
        self._journal = journal
        self._clock = clock
        self._fields: list[_Deleted] = []

    def put(self, full_name: str, value_set: str) -> None:
        """Keep a field that was deleted just now."""
        deleted = _Deleted(full_name, value_set, self._clock.now())
        self._fields.append(deleted)
        self._journal.undo(lambda: self._fields.remove(deleted))

    def using(self, value_set: str) -> Iterator[str]:
        """Yield the fields that hold on to a value set."""
        for each in self._fields:
            if each.value_set == value_set and self._clock.now() - each.at < _KEPT:
                yield each.full_name
