"""What becomes of the layouts that the customer made: one decision for each."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sidecar.package.canonical import parse
from sidecar.package.decisions import Decision
from sidecar.package.parts import Part
from sidecar.package.patches import (
    Patches,
    Section,
    fields_on,
    insert,
    layout_object,
    take_out,
)
from sidecar.package.read import Tree

_ROOM, _SUFFIX = "layouts/", ".layout"


def decide_layouts(
    org: Tree, patches: Patches, given: Patches, *, passing: Tree
) -> Iterator[tuple[Part, Decision]]:
    """
    Decide on each layout of the patched objects.

    Args:
        given: what was installed last, and which layouts got it.
        passing: layouts that are the package's own; they are no customer's.
    """
    objects = patches.objects
    given_up = _given_up(patches, given)
    for path in sorted(org):
        if not path.startswith(_ROOM) or path in passing:
            continue
        if layout_object(path) not in objects:
            continue
        part = layout_part(path, org[path])
        known = given.offered.get(part.name, ())
        content = take_out(org[path], given_up, path=path)
        content = insert(content, patches, path=path, known=known)
        if content != org[path]:
            send = replace(part, node=parse(content, path), source=content)
            reason = "gets our section" if not known else "gets our changed section"
            yield part, Decision("patch", reason, send)
            continue
        missing = sorted(set(known) - fields_on(org[path], path=path))
        if missing:
            notes = tuple(f"{name}: removed" for name in missing)
            reason = "the customer took fields off it; they stay off"
            yield part, Decision("keep", reason, notes=notes)
        else:
            yield part, Decision("leave", "has our section")


def layout_part(path: str, content: bytes) -> Part:
    """Make the component of a layout's file."""
    name = path.removeprefix(_ROOM).removesuffix(_SUFFIX)
    return Part("Layout", name, path, parse(content, path), source=content)


def remembered(patches: Patches, given: Patches, layouts: Iterable[Part]) -> Patches:
    """
    Give what to remember after an install: the sections, and who was offered them.

    Sections that this package does not know are another module's, and still there.
    """
    offered = dict(given.offered)
    for part in layouts:
        if sections := patches.of(layout_object(part.name)):
            fields = {name for section in sections for name in section.fields}
            fields.update(offered.get(part.name, ()))
            offered[part.name] = tuple(sorted(fields))
    known = {(item.object, item.label) for item in patches.sections}
    others = (item for item in given.sections if (item.object, item.label) not in known)
    return Patches((*patches.sections, *others), offered)


def _given_up(patches: Patches, given: Patches) -> Patches:
    """Give the sections of both installs, with only what we no longer want in them."""
    wanted = {(item.object, name) for item in patches.sections for name in item.fields}
    known = {(item.object, item.label) for item in patches.sections}
    left: list[Section] = []
    for item in given.sections:
        if (item.object, item.label) in known:
            fields = tuple(n for n in item.fields if (item.object, n) not in wanted)
            left.append(replace(item, columns=(fields,), readonly=frozenset()))
    return Patches(tuple(left))
