"""Components saved or deleted one at a time, without a package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from lxml import etree

from sidecar.devorg.metadata import deploy
from sidecar.devorg.metadata.archive import Package
from sidecar.devorg.metadata.deploy import Outcome
from sidecar.devorg.metadata.element import NAMESPACE, Element, text
from sidecar.devorg.metadata.folders import CHILD_OF, FOLDERS
from sidecar.devorg.metadata.parts import parts_within

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_DIRECTORIES: Mapping[str, tuple[str, str]] = {
    place.type: (directory, place.suffix) for directory, place in FOLDERS.items()
}


class How(Enum):
    """What a call does with components that are, or are not, there."""

    CREATE = "create"
    UPDATE = "update"
    UPSERT = "upsert"


@dataclass(frozen=True)
class Saved:
    """What became of one component; ``problem`` is None when it was saved."""

    full_name: str
    created: bool = False
    problem: str | None = None
    status_code: str = "UNKNOWN_EXCEPTION"


class _Refused(Exception):
    pass


def save(org: Org, element: Element, how: How, *, user_id: str) -> Saved:
    """
    Create or change one component.

    Args:
        element: ``metadata`` with its ``xsi:type`` and its ``fullName``.
    """
    type_ = (element.get(_XSI_TYPE) or "").rpartition(":")[2]
    root = etree.fromstring(etree.tostring(element))
    root.tag = f"{{{NAMESPACE}}}{type_}"
    if _XSI_TYPE in root.attrib:
        del root.attrib[_XSI_TYPE]
    full_name = text(root, "fullName") or ""
    if not full_name:
        return Saved(
            "", False, "Required field is missing: fullName", "REQUIRED_FIELD_MISSING"
        )
    there = org.metadata.components.get(type_, full_name) is not None
    if how is How.CREATE and there:
        words = f"There is already a {type_} named {full_name}."
        return Saved(full_name, False, words, "DUPLICATE_DEVELOPER_NAME")
    if how is How.UPDATE and not there:
        words = f"In field: fullName - no {type_} named {full_name} found"
        return Saved(full_name, False, words, "INVALID_CROSS_REFERENCE_KEY")
    package = Package(
        parts=list(parts_within(type_, full_name, _file(type_, full_name), root))
    )
    problem = _apply(org, package, user_id)
    code = "FIELD_INTEGRITY_EXCEPTION"
    return Saved(full_name, problem is None and not there, problem, code)


def delete(org: Org, type_: str, full_name: str, *, user_id: str) -> Saved:
    """Delete one component."""
    if org.metadata.components.get(type_, full_name) is None:
        words = f"No {type_} named: {full_name} found"
        return Saved(full_name, False, words, "INVALID_CROSS_REFERENCE_KEY")
    package = Package(removals=[(type_, full_name)])
    problem = _apply(org, package, user_id)
    return Saved(full_name, False, problem, "DEPENDENCY_EXISTS")


def _apply(org: Org, package: Package, user_id: str) -> str | None:
    """Carry it out, or leave nothing of it; return what is wrong, or None."""
    outcome = Outcome()
    try:
        with org.journal.savepoint():
            outcome = deploy.apply(org, package, user_id=user_id)
            if outcome.failures:
                raise _Refused
    except _Refused:
        return outcome.failures[0].problem
    return None


def _file(type_: str, full_name: str) -> str:
    parent = CHILD_OF.get(type_, type_)
    directory, suffix = _DIRECTORIES.get(parent, (type_, "xml"))
    name = full_name if parent == type_ else full_name.partition(".")[0]
    name = "CustomLabels" if parent == "CustomLabels" else name
    return f"{directory}/{name}.{suffix}"
