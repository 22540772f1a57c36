"""Paths and milestones: what people walk through is what the picklist holds."""

from collections.abc import Iterator

from sidecar.package.lint import references
from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.index import Index
from sidecar.package.lint.near import nearest
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source
from sidecar.package.lint.stated import Stated
from sidecar.referral.journey import STANDARD_STATUSES


def check(index: Index, stated: Stated) -> Iterator[Finding]:
    """
    Yield what is wrong with paths, and with the value set of milestones.

    Args:
        stated: names the value set that the service reads milestones from, if any.
    """
    milestones = stated.milestones.lower()
    for source in index.of("PathAssistant"):
        yield from _path(index, source, milestones)
    for source in index.of("GlobalValueSet"):
        if source.name.lower() == milestones:
            yield from _milestones(source)


def _path(index: Index, source: Source, milestones: str) -> Iterator[Finding]:
    root = source.root
    owner = root.get("entityName")
    yield from references.an_object(index, source, root.one("entityName"))
    field = root.one("fieldName")
    yield from references.field(index, source, owner, field)
    kind = root.one("recordTypeName")
    if kind is not None and kind.text != "__MASTER__":
        full = f"{owner}.{kind.text}"
        yield from references.component(
            index, source, "record-type", "RecordType", kind, full
        )
    one = index.field(owner, field.text) if field is not None else None
    values = index.values(one) if one else None
    steps = list(root.all("pathAssistantSteps", "picklistValueName"))
    for node in root.all("pathAssistantSteps", "fieldNames"):
        yield from references.field(index, source, owner, node)
    if one is None or values is None:
        return
    for node in steps:
        if node.text not in values:
            message = f"{source.name}: {one.full_name} has no value {node.text!r}"
            near = nearest(node.text, values)
            yield finding(
                "reference/picklist-value", source.path, node, node.text, message + near
            )
    walked = [node.text for node in steps]
    if walked != list(values) and set(walked) <= set(values):
        shared = one.node.get("valueSet", "valueSetName").lower()
        level = None if shared and shared == milestones else Level.NOTE
        message = (
            f"{source.name} walks through {', '.join(walked)}, "
            f"but {one.full_name} has {', '.join(values)}"
        )
        yield finding("path/steps", source.path, 1, source.name, message, level=level)


def _milestones(source: Source) -> Iterator[Finding]:
    values = source.root.texts("customValue", "fullName")
    if values != list(STANDARD_STATUSES):
        message = (
            f"{source.name} has {', '.join(values)}, "
            f"but the milestones are {', '.join(STANDARD_STATUSES)}"
        )
        yield finding("picklist/milestones", source.path, 1, source.name, message)
