"""What every kind of component needs to be deployed, and the words they share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sidecar.devorg.metadata.element import Problem

if TYPE_CHECKING:
    from sidecar.devorg.metadata.component import Components
    from sidecar.devorg.org import Org
    from sidecar.devorg.schema import ObjectType

_NAME = re.compile(r"[A-Za-z](?!.*__)\w*(?<!_)$", re.ASCII)


@dataclass(frozen=True)
class Work:
    """
    One deployment being applied, within one transaction of the org.

    ``api_version`` is that of its package.xml.
    """

    org: Org
    components: Components
    user_id: str
    api_version: float


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
