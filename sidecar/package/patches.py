"""Our section in the layouts that the customer made.

A layout of ours would replace the customer's own, so the package only says what it
wants to see there: ``salesforce_metadata/patches/<module>.json``. Each retrieved
layout of the object gets the section, after its first one; taking it out again takes
our fields and leaves whatever the customer put beside them.

The file::

    {"layoutSections": [
        {"object": "Lead", "label": "Referral", "style": "TwoColumnsTopToBottom",
         "columns": [["Referral_Status__c"], ["Referral_Key__c"]],
         "readonly": ["Referral_Key__c"]}]}

Source of the elements: "Layout", Metadata API Developer Guide.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from itertools import chain

from sidecar.errors import Unreadable
from sidecar.package.canonical import parse, settled, write
from sidecar.package.identity import Node, leaf

LAYOUTS = "layouts/"
_KEYS = frozenset({"layoutSections", "offered"})


@dataclass(frozen=True)
class Section:
    """One section that we want on every layout of an object."""

    object: str
    label: str
    style: str
    columns: tuple[tuple[str, ...], ...]
    """Field names, column by column."""
    readonly: frozenset[str] = frozenset()

    @property
    def fields(self) -> list[str]:
        """All field names, column after column."""
        return list(chain.from_iterable(self.columns))


@dataclass(frozen=True)
class Patches:
    """What the package adds to files that are the customer's."""

    sections: tuple[Section, ...] = ()
    offered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of what was installed: layout -> the fields that it was given."""

    @property
    def objects(self) -> frozenset[str]:
        """Objects whose layouts are patched: ``{"Lead", "Contact"}``."""
        return frozenset(section.object for section in self.sections)

    def of(self, object_name: str) -> list[Section]:
        """Give the sections of one object."""
        return [item for item in self.sections if item.object == object_name]


NONE = Patches()


def read_patches(*contents: bytes) -> Patches:
    """
    Read the declarations of one or several modules.

    Args:
        contents: of ``patches/core.json`` and the like.

    Raises:
        Unreadable: not the JSON that is described in this room.
    """
    sections: list[Section] = []
    offered: dict[str, tuple[str, ...]] = {}
    for content in contents:
        try:
            declared = json.loads(content)
            if not isinstance(declared, dict) or set(declared) - _KEYS:
                raise TypeError("expected an object with layoutSections alone")
            sections += [_section(item) for item in declared.get("layoutSections", [])]
            for layout, fields in declared.get("offered", {}).items():
                offered[layout] = tuple(str(name) for name in fields)
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            raise Unreadable(f"layout sections cannot be read: {exc!r}") from exc
    return Patches(tuple(sections), offered)


def write_patches(patches: Patches) -> bytes:
    """Write what ``read_patches`` reads, equal bytes for equal patches."""
    sections = [
        {
            "object": section.object,
            "label": section.label,
            "style": section.style,
            "columns": [list(column) for column in section.columns],
            "readonly": sorted(section.readonly),
        }
        for section in patches.sections
    ]
    values: dict[str, object] = {"layoutSections": sections}
    if patches.offered:
        values["offered"] = dict(sorted(patches.offered.items()))
    return json.dumps(values, indent=2).encode() + b"\n"


def layout_object(layout: str) -> str:
    """Give the object of a layout's full name or path: ``Lead`` of ``Lead-Sales``."""
    return layout.removeprefix(LAYOUTS).partition("-")[0]


def layouts_of(patches: Patches, layouts: Collection[str]) -> list[str]:
    """Choose from listed layout names those of the patched objects, sorted."""
    objects = patches.objects
    return sorted(name for name in layouts if layout_object(name) in objects)


def insert(
    layout: bytes, patches: Patches, *, path: str, known: Collection[str] = ()
) -> bytes:
    """
    Put the sections of the layout's object into it; idempotent.

    A field that stands anywhere on the layout already is not put there again. A
    section of that label, whose ever it is, is used rather than doubled.

    Args:
        layout: as retrieved.
        path: ``layouts/Lead-Lead Layout.layout``; the object is read from it.
        known: fields that this layout was given earlier: where one is missing now,
            the customer took it off, and it stays off. Where all are missing, no new
            one is put there either.

    Returns:
        The given bytes where nothing is missing.
    """
    root = parse(layout, path)
    changed = root
    for section in patches.of(layout_object(path)):
        there = set(_fields(changed))
        if there.isdisjoint(section.fields) and not there.issuperset(
            set(known) & set(section.fields)
        ):
            continue  # all of it was taken off
        placed = there | set(known)
        columns = [
            [_item(name, section) for name in column if name not in placed]
            for column in section.columns
        ]
        if any(columns):
            changed = _with(changed, section, columns)
    return layout if changed is root else write(settled(changed, "Layout"))


def take_out(
    layout: bytes, patches: Patches, *, path: str, before: bytes | None = None
) -> bytes:
    """
    Take our fields out of our sections, and a section that is empty then.

    Args:
        before: the layout before we came, if known: a section that stood there
            already stays even when it is empty, and so do its fields.

    Returns:
        The given bytes where nothing of ours is left.
    """
    root = parse(layout, path)
    was = parse(before, path) if before is not None else Node("Layout")
    had, stay = set(_fields(was)), section_labels(was)
    left = root
    for item in patches.of(layout_object(path)):
        left = without_fields(
            left, set(item.fields) - had, drop={item.label} - stay, inside=item.label
        )
    return layout if left is root else write(left)


def without_fields(
    root: Node, fields: Set[str], *, drop: Set[str], inside: str | None = None
) -> Node:
    """
    Give a layout without these fields.

    Args:
        drop: labels of the sections that go when they are empty by this.
        inside: look into sections of this label alone.

    Returns:
        The same node where nothing changes.
    """
    children: list[Node] = []
    for child in root.children:
        label = child.value("label")
        if child.tag == "layoutSections" and inside in {None, label}:
            left = _without(child, fields)
            if left is child or label not in drop or _holds(left):
                children.append(left)
        else:
            children.append(child)
    if all(a is b for a, b in zip(children, root.children, strict=False)) and len(
        children
    ) == len(root.children):
        return root
    return replace(root, children=tuple(children))


def section_labels(root: Node) -> set[str]:
    """Name the sections of a layout."""
    return {section.value("label") for section in _sections(root)}


def fields_on(layout: bytes, *, path: str) -> set[str]:
    """Name every field that stands on a layout."""
    return set(_fields(parse(layout, path)))


def _section(item: Mapping[str, object]) -> Section:
    columns, readonly = item["columns"], item.get("readonly", [])
    if not isinstance(columns, list) or not isinstance(readonly, list):
        raise TypeError("columns and readonly are lists")
    section = Section(
        object=str(item["object"]),
        label=str(item["label"]),
        style=str(item["style"]),
        columns=tuple(tuple(str(name) for name in column) for column in columns),
        readonly=frozenset(str(name) for name in readonly),
    )
    if stray := sorted(section.readonly - set(section.fields)):
        raise ValueError(f"readonly, but in no column: {', '.join(stray)}")
    return section


def _item(name: str, section: Section) -> Node:
    behavior = "Readonly" if name in section.readonly else "Edit"
    return Node(
        "layoutItems", children=(leaf("behavior", behavior), leaf("field", name))
    )


def _with(root: Node, section: Section, columns: list[list[Node]]) -> Node:
    """Give the layout with these items in its section of that label."""
    children = list(root.children)
    for index, child in enumerate(children):
        if child.tag == "layoutSections" and child.value("label") == section.label:
            children[index] = _filled(child, columns)
            return replace(root, children=tuple(children))
    new = Node(
        "layoutSections",
        children=(
            leaf("customLabel", "true"),
            leaf("detailHeading", "true"),
            leaf("editHeading", "true"),
            leaf("label", section.label),
            *(Node("layoutColumns", children=tuple(items)) for items in columns),
            leaf("style", section.style),
        ),
    )
    places = [i for i, child in enumerate(children) if child.tag == "layoutSections"]
    children.insert(places[0] + 1 if places else len(children), new)
    return replace(root, children=tuple(children))


def _filled(section: Node, columns: list[list[Node]]) -> Node:
    """Append items to the columns that a section has; the last takes what is over."""
    there = [i for i, c in enumerate(section.children) if c.tag == "layoutColumns"]
    children = list(section.children)
    if not there:
        new = (Node("layoutColumns", children=tuple(items)) for items in columns)
        return replace(section, children=(*children, *new))
    for number, items in enumerate(columns):
        index = there[min(number, len(there) - 1)]
        column = children[index]
        children[index] = replace(column, children=(*column.children, *items))
    return replace(section, children=tuple(children))


def _without(section: Node, fields: Collection[str]) -> Node:
    children = []
    for child in section.children:
        if child.tag == "layoutColumns":
            items = tuple(i for i in child.children if i.value("field") not in fields)
            child = replace(child, children=items) if items != child.children else child
        children.append(child)
    if tuple(children) == section.children:
        return section
    return replace(section, children=tuple(children))


def _holds(section: Node) -> bool:
    """Say whether anything stands in a section; a blank space is nothing."""
    return any(
        item.value("emptySpace") != "true"
        for column in section.children
        if column.tag == "layoutColumns"
        for item in column.children
        if item.tag == "layoutItems"
    )


def _sections(root: Node) -> Iterator[Node]:
    return (child for child in root.children if child.tag == "layoutSections")


def _fields(root: Node) -> Iterator[str]:
    for section in _sections(root):
        for column in section.children:
            for item in column.children:
                if name := item.value("field"):
                    yield name
