"""Metadata components: as a deployment brings them, and as the org keeps them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sidecar.devorg.journal import Journal
from sidecar.devorg.metadata.element import Element


@dataclass(frozen=True)
class Part:
    """
    One component in the zip of a deployment.

    Attributes:
        type: as in package.xml: ``CustomField``.
        full_name: ``Lead.Referral_Status__c``.
        file: path within the package: ``objects/Lead.object``.
    """

    type: str
    full_name: str
    file: str
    element: Element


@dataclass(frozen=True)
class Component:
    """
    One component of the org.

    Attributes:
        element: as it was last deployed.
        value: what its kind made of it, for whoever runs it.
    """

    id: str
    type: str
    full_name: str
    file: str
    element: Element
    value: object
    created_by: str
    created_at: datetime
    modified_by: str
    modified_at: datetime


class Components:
    """All deployed components of an org, by type and name without regard to case."""

    def __init__(self, *, journal: Journal) -> None:
        """``journal`` takes a change back when its deployment is rolled back."""
        self._journal = journal
        self._kept: dict[tuple[str, str], Component] = {}
        # Rises with each change, and with each change taken back.
        self.version = 0

    def __iter__(self) -> Iterator[Component]:
        return iter(self._kept.values())

    def get(self, type_: str, full_name: str) -> Component | None:
        """Return the component of that name, in any case, or None."""
        return self._kept.get((type_, full_name.lower()))

    def of_type(self, type_: str) -> list[Component]:
        """Return the components of one type, in order of creation."""
        return [each for each in self if each.type == type_]

    def put(self, new: Component) -> None:
        """Add a component, or put it in the place of its namesake."""
        self._set((new.type, new.full_name.lower()), new)

    def remove(self, type_: str, full_name: str) -> None:
        """Remove a component, if it is there."""
        self._set((type_, full_name.lower()), None)

    def _set(self, key: tuple[str, str], new: Component | None) -> None:
        before = self._kept.get(key)
        self._journal.undo(lambda: self._replace(key, before))
        self._replace(key, new)

    def _replace(self, key: tuple[str, str], new: Component | None) -> None:
        self.version += 1
        if new is None:
            self._kept.pop(key, None)
        else:
            self._kept[key] = new
