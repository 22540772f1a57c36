"""How to take the package out again: after a failed deploy, or for good.

Both give steps, computed from what is in the org *now*: whoever was interrupted asks
again and gets what is left. A step is either a package to deploy or an instruction
for the hands. ``purgeOnDelete`` is in no step: production refuses it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from sidecar.package.archive import MANIFEST
from sidecar.package.canonical import parse
from sidecar.package.conversion import unmapped
from sidecar.package.decisions import decide
from sidecar.package.identity import Node
from sidecar.package.layouts import layout_part
from sidecar.package.merge import merge_nodes
from sidecar.package.parts import PATCHES, Name, Part, read_manifest, split
from sidecar.package.patches import (
    LAYOUTS,
    layout_object,
    layouts_of,
    read_patches,
    section_labels,
    take_out,
    without_fields,
)
from sidecar.package.read import Tree
from sidecar.package.steps import (
    DESTRUCTIVE,
    TRANSLATIONS,
    UNDELETABLE,
    Step,
    StepKind,
    deletion,
    in_order,
)

__all__ = [
    "Removal",
    "Step",
    "StepKind",
    "flow_versions",
    "members_to_remove",
    "rollback",
    "to_export",
    "uninstall",
]


@dataclass(frozen=True)
class Removal:
    """Steps in order, and what has to be known before they are begun."""

    steps: tuple[Step, ...]
    losses: tuple[str, ...] = ()
    """The customer's own things that would go too, and edits of ours: needs a yes."""
    notes: tuple[str, ...] = ()
    """What stays behind, and why."""


@dataclass(frozen=True)
class _Pages:
    """The customer's layouts on their way back."""

    now: Tree
    after: Tree
    """Without our sections, as far as they are known."""
    before: Tree
    labels: Set[str]
    """Of sections that are ours, and go when they are empty."""


def rollback(*, before: Tree, sent: Tree, now: Tree) -> Removal:
    """
    Undo one deployment.

    What was not there before is deleted, what was there is put back as it was; what
    the customer changed since the deployment stays (three-way merge).

    Args:
        before: the org's files when the plan was made, as retrieved then.
        sent: ``Plan.archive`` of the deployment.
        now: the same members, retrieved again.
    """
    _, api_version = read_manifest(sent[MANIFEST])
    ours, was = split(sent), split(before, sent)
    there = split(now, sent)
    labels: set[str] = set()
    for key, part in ours.items():
        if part.type == "Layout" and key in was:
            labels |= section_labels(part.node) - section_labels(was[key].node)
    return _removal(
        ours, ours, was, there, _Pages(now, {}, before, labels), api_version
    )


def uninstall(*, installed: Tree, before: Tree, now: Tree) -> Removal:
    """
    Take out everything that was ever installed.

    Args:
        installed: ``Plan.installed`` of the last install, patches included.
        before: the org's files before the *first* install; what was there then is
            put back instead of deleted.
        now: retrieved for ``members_to_remove``.
    """
    _, api_version = read_manifest(installed[MANIFEST])
    ours, was = split(installed), split(before, installed)
    there = split(now, installed)
    # What we made of a component that the customer had: the base of the way back.
    made = {
        key: (decide(part, was[key], None).send or was[key]) if key in was else part
        for key, part in ours.items()
    }
    patches = read_patches(installed.get(PATCHES, b"{}"))
    pages = {
        path: take_out(content, patches, path=path, before=before.get(path))
        for path, content in now.items()
        if path.startswith(LAYOUTS)
        and path not in installed
        and layout_object(path) in patches.objects
    }
    labels = {section.label for section in patches.sections}
    return _removal(
        ours, made, was, there, _Pages(now, pages, before, labels), api_version
    )


def members_to_remove(
    installed: Tree, *, layouts: Collection[str] = ()
) -> dict[str, set[str]]:
    """Say what has to be retrieved before ``uninstall``; as ``members_to_retrieve``."""
    members: dict[str, set[str]] = defaultdict(set)
    for kind, name in read_manifest(installed[MANIFEST])[0]:
        members[kind].add(name.rstrip("/"))
    patches = read_patches(installed.get(PATCHES, b"{}"))
    if found := layouts_of(patches, layouts):
        members["Layout"] |= set(found)
    return dict(members)


def flow_versions(versions: Mapping[str, Sequence[int]], *, api_version: str) -> Tree:
    """
    Give the package that deletes versions of inactive flows.

    Args:
        versions: flow -> version numbers, from Tooling ``Flow``; the name without a
            version is refused (INSUFFICIENT_ACCESS on cross-reference id).
    """
    rows = (
        ("Flow", f"{name}-{number}")
        for name, numbers in versions.items()
        for number in numbers
    )
    return deletion(rows, api_version=api_version)


def to_export(removal: Removal, now: Tree) -> dict[str, list[str]]:
    """
    Say which data would be lost: object -> fields, for a CSV each.

    Deleted fields of an object that stays come with ``Id``; an object that goes
    comes with ``Id``, ``Name`` and all of its custom fields. Fields of Activity are
    those of Task and Event.
    """
    going: set[Name] = set()
    for step in removal.steps:
        if DESTRUCTIVE in step.archive:
            going |= read_manifest(step.archive[DESTRUCTIVE])[0]
    wanted: dict[str, list[str]] = {
        # Events and settings hold no rows to keep.
        name: ["Id", "Name"]
        for kind, name in sorted(going)
        if kind == "CustomObject" and name.endswith("__c")
    }
    for kind, name in sorted(split(now)):
        if kind != "CustomField":
            continue
        owner, _, field = name.partition(".")
        if owner in wanted and ("CustomObject", owner) in going:
            if field.endswith("__c"):
                wanted[owner].append(field)
        elif (kind, name) in going:
            for rows in ("Task", "Event") if owner == "Activity" else (owner,):
                wanted.setdefault(rows, ["Id"]).append(field)
    return wanted


def _removal(
    ours: Mapping[Name, Part],
    made: Mapping[Name, Part],
    was: Mapping[Name, Part],
    there: Mapping[Name, Part],
    pages: "_Pages",
    api_version: str,
) -> Removal:
    delete: list[Part] = []
    restore: list[Part] = []
    losses: list[str] = []
    notes: list[str] = []
    for key, part in ours.items():
        now, old = there.get(key), was.get(key)
        if now is None or (old is None and part.type in TRANSLATIONS):
            continue
        if old is None and part.type not in UNDELETABLE:
            delete.append(now)
            losses += _edits(part, now)
            continue
        if old is None:
            notes.append(f"{part.type} {part.name} {UNDELETABLE[part.type]}")
            old = replace(part, node=Node(part.node.tag), source=None)
        decision = decide(old, now, made[key])
        if decision.send is not None:
            restore.append(decision.send)
        if decision.action == "conflict":
            notes.append(f"{part.type} {part.name} stays as the customer changed it")
    fields = {part.name for part in delete if part.type == "CustomField"}
    restore, more = unmapped(restore, there, fields)
    losses += more
    own = {part.file for part in delete if part.type == "Layout"}
    others = [part for part in restore if part.type != "Layout"]
    cleared = [p for p in _cleared(restore, pages, fields) if p.file not in own]
    restore = [*others, *cleared]
    losses += _inside(delete, ours, there)
    sent = {part.key for part in (*delete, *restore)}
    beside = [
        part
        for key, part in there.items()
        if part.file.startswith("workflows/") and key not in sent
    ]
    return Removal(
        steps=in_order(delete, restore, beside=beside, api_version=api_version),
        losses=tuple(losses),
        notes=tuple(notes),
    )


def _cleared(
    restore: list[Part], pages: "_Pages", fields: Collection[str]
) -> Iterator[Part]:
    """Yield each layout that changes, without our section and any deleted field."""
    back = {part.file: part.node for part in restore if part.type == "Layout"}
    back |= {
        path: parse(content, path)
        for path, content in pages.after.items()
        if content != pages.now[path]
    }
    for path, content in pages.now.items():
        if not path.startswith(LAYOUTS):
            continue
        prefix = f"{layout_object(path)}."
        gone = {name.removeprefix(prefix) for name in fields if name.startswith(prefix)}
        was = pages.before.get(path)
        stay = section_labels(parse(was, path)) if was is not None else set()
        node = back.get(path) or parse(content, path)
        left = without_fields(node, gone, drop=pages.labels - stay)
        if path in back or left is not node:
            yield replace(layout_part(path, content), node=left, source=None)


def _edits(installed: Part, now: Part) -> Iterator[str]:
    """Name what the customer put into a component that is deleted."""
    outcome = merge_nodes(installed.node, now.node, installed.node, installed.kind)
    for item in outcome.kept:
        yield f"{now.type} {now.name}: {item.path} {item.what} by the customer"


def _inside(
    delete: Iterable[Part], ours: Mapping[Name, Part], there: Mapping[Name, Part]
) -> Iterator[str]:
    """Name what the customer added to an object that is deleted."""
    objects = {part.name for part in delete if part.type == "CustomObject"}
    for key, part in there.items():
        owner, _, name = part.name.partition(".")
        if owner not in objects or key in ours or not name:
            continue
        if part.type == "CustomField" and not name.endswith("__c"):
            continue
        yield f"{part.type} {part.name} is the customer's, and goes with {owner}"
