"""What every kind of component needs to be deployed, and the words they share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sidecar.devorg.metadata.element import Problem

if TYPE_CHECKING:
    from sidecar.devorg.metadata.component import Component, Components
    from sidecar.devorg.metadata.features import Features
    from sidecar.devorg.org import Org
    from sidecar.devorg.schema import Field, ObjectType

_NAME = re.compile(r"[A-Za-z](?!.*__)\w*(?<!_)$", re.ASCII)


@dataclass(frozen=True)
class Work:
    """
    One deployment being applied, within one transaction of the org.

    Attributes:
        api_version: that of its package.xml.
        coming: type and name in lower case of all that the deployment brings,
            for parts that name each other.
        going: the same of all that it deletes.
        purge: what it deletes does not go into the recycle bin.
    """

    org: Org
    components: Components
    user_id: str
    api_version: float
    coming: frozenset[tuple[str, str]] = frozenset()
    going: frozenset[tuple[str, str]] = frozenset()
    purge: bool = False

    @property
    def features(self) -> Features:
        """What the org has switched on."""
        return self.org.metadata.features

    def has(self, type_: str, full_name: str) -> bool:
        """Tell whether the org has a component, or will have it in the end."""
        return (
            self.components.get(type_, full_name) is not None
            or (type_, full_name.lower()) in self.coming
        )

    def leaving(self, type_: str, full_name: str) -> bool:
        """Tell whether the same deployment deletes a component too."""
        return (type_, full_name.lower()) in self.going

    def need(self, element: str, type_: str, full_name: str) -> Component:
        """
        Return a component that another names.

        Raises:
            Problem: "In field: … - no … named … found".
        """
        found = self.components.get(type_, full_name)
        if found is None:
            raise missing(element, type_, full_name)
        return found


def missing(field: str, kind: str, name: str) -> Problem:
    """Return the refusal of a reference that leads nowhere."""
    return Problem(f"In field: {field} - no {kind} named {name} found")


def too_long(field: str, most: int) -> Problem:
    """Return the refusal of a text that the column cannot hold."""
    return Problem(f"Value too long for field: {field} maximum length is:{most}")


def check_name(name: str, *, most: int = 80) -> None:
    """
    Check a developer name without its ``__c``.

    Raises:
        Problem: not letters, digits and single underscores, or too long.
    """
    if not _NAME.match(name):
        raise Problem(
            "The name can only contain alphanumeric characters, must begin with a "
            "letter, cannot end with an underscore or contain two consecutive "
            "underscore characters, and must be unique."
        )
    if len(name) > most:
        raise too_long("DeveloperName", most)


def object_of(work: Work, object_name: str) -> ObjectType:
    """
    Return the type that an object's component belongs to.

    ``Activity`` gives the type of tasks, which has all that activities share.

    Raises:
        Problem: the org has no such object, or none that can be customised.
    """
    targets = work.org.schema.targets(object_name)
    if (
        not targets
        or targets[0].setup
        or targets[0].tooling
        or object_name in {"Task", "Event"}
    ):
        raise Problem(
            "Entity Enumeration Or ID: bad value for restricted picklist field: "
            f"{object_name}"
        )
    return targets[0]


def field_named(work: Work, element: str, object_name: str, name: str) -> Field:
    """
    Return a field that a component names without its object.

    Raises:
        Problem: the object has no such field; ``element`` is what named it.
    """
    found = object_of(work, object_name).field(name)
    if found is None:
        raise missing(element, "CustomField", f"{object_name}.{name}")
    return found


def check_length(field: str, value: str | None, most: int) -> None:
    """
    Check that a text fits its column.

    Raises:
        Problem: it is longer than ``most`` characters.
    """
    if len(value or "") > most:
        raise too_long(field, most)
