"""Three-way merge of one metadata file or component.

base is what we installed last, theirs is what the org holds now, ours is what we want
to install. What the customer added stays; what the customer changed of ours stays and
is told; what we gave up is removed only where the customer left it as we installed it.

Elements that repeat are told apart by ``identity.key``. Each is looked at once, so
the time grows with the size of the three.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sidecar.errors import Unreadable
from sidecar.package.canonical import lines, parse, settled, without_defaults, write
from sidecar.package.identity import (
    Key,
    Node,
    defaults,
    keyed,
    leaf,
    ordered,
    repeats,
    type_of,
)
from sidecar.package.repeats import held_in_place, in_order, is_new, leaves_gap

# Of which elements one Lead field each may stand behind: a second one is refused.
# Source: "LeadConvertSettings", Metadata API Developer Guide.
_TAKEN_ONCE = {"ObjectMappingField": "outputField"}
# Salesforce's own notes, in flows above all: theirs stay, whatever ours say.
_NOISE = frozenset({"customProperties", "environments", "processMetadataValues"})
# A list to which Salesforce adds by itself.
_FILLED = frozenset({"actionOverrides"})


@dataclass(frozen=True)
class Difference:
    """One place where two versions differ."""

    path: str
    """Elements and keys: ``customValue[Won]/label``."""
    what: str
    """``added``, ``changed``, ``removed`` or ``moved``."""
    old: str = ""
    new: str = ""


@dataclass(frozen=True)
class Merged:
    """The outcome; ``content`` is theirs, unaltered, where ``changes`` is empty."""

    content: bytes
    changes: tuple[Difference, ...]
    """What we do to theirs."""
    kept: tuple[Difference, ...]
    """What the customer did to what we had installed; it stays."""
    conflicts: tuple[Difference, ...]
    """Where both changed the same thing; theirs stays. old is theirs, new is ours."""


@dataclass
class Outcome:
    """The merged element, and what happened on the way; filled by ``merge_nodes``."""

    node: Node
    changes: list[Difference] = field(default_factory=list)
    kept: list[Difference] = field(default_factory=list)
    conflicts: list[Difference] = field(default_factory=list)

    @property
    def edited(self) -> bool:
        """The customer changed, removed or added something; defaults do not count."""
        return bool(self.kept or self.conflicts)


def merge(base: bytes | None, theirs: bytes, ours: bytes, *, path: str) -> Merged:
    """
    Merge one file of Metadata API format.

    Args:
        base: None where we never installed this file.
        path: in the zip; for messages.

    Raises:
        Unreadable: one of the three is not XML, or their roots differ.
    """
    node = parse(theirs, path)
    wanted = parse(ours, path)
    was = parse(base, path) if base is not None else None
    if {wanted.tag, was.tag if was else wanted.tag} != {node.tag}:
        raise Unreadable(f"{path}: {wanted.tag} cannot be merged into {node.tag}")
    outcome = merge_nodes(was, node, wanted, node.tag)
    return Merged(
        content=write(outcome.node) if outcome.changes else theirs,
        changes=tuple(outcome.changes),
        kept=tuple(outcome.kept),
        conflicts=tuple(outcome.conflicts),
    )


def merge_nodes(base: Node | None, theirs: Node, ours: Node, kind: str) -> Outcome:
    """
    Merge one component, given as elements of the schema's type ``kind``.

    Returns:
        An outcome whose ``node`` is ``theirs`` itself where nothing changes.
    """
    outcome = Outcome(theirs)
    merged = _both(base, theirs, ours, kind, "", outcome)
    if outcome.changes:
        outcome.node = settled(merged, kind)
    return outcome


def untouched(base: Node, theirs: Node, kind: str) -> bool:
    """Say whether the customer left it as installed; defaults written out are not
    an edit, an element of a list that was added is."""
    return theirs == base or not merge_nodes(base, theirs, base, kind).kept


def _both(
    base: Node | None, theirs: Node, ours: Node, kind: str, path: str, out: Outcome
) -> Node:
    """Merge where both have the element."""
    if theirs == ours:
        return theirs
    if not (theirs.children or ours.children) or theirs.attributes != ours.attributes:
        return _value(base, theirs, ours, path, out)
    groups = [_groups(node) for node in (base, theirs, ours)]
    was, there, wanted = groups
    children: list[Node] = []
    for tag in sorted(was.keys() | there.keys() | wanted.keys()):
        place = f"{path}/{tag}" if path else tag
        alike = [group.get(tag, []) for group in groups]
        if tag in _NOISE:
            children += alike[1]
        elif repeats(kind, tag) or max(map(len, alike)) > 1:
            children += _list(alike, kind, tag, place, out)
        else:
            found = _single(alike, kind, tag, place, out)
            children += [found] if found is not None else []
    return replace(theirs, children=tuple(children))


def _value(
    base: Node | None, theirs: Node, ours: Node, path: str, out: Outcome
) -> Node:
    if base is not None and base == ours:
        out.kept.append(Difference(path, "changed", short(base), short(theirs)))
        return theirs
    difference = Difference(path, "changed", short(theirs), short(ours))
    if base is not None and base == theirs:
        out.changes.append(difference)
        return ours
    out.conflicts.append(difference)
    return theirs


def _single(
    alike: list[list[Node]], kind: str, tag: str, path: str, out: Outcome
) -> Node | None:
    """Merge an element that stands once, or not at all and then means its default."""
    absent = defaults(kind).get(tag)
    default = leaf(tag, absent) if absent is not None else None
    base, theirs, ours = (nodes[0] if nodes else default for nodes in alike)
    found = _one(base, theirs, ours, type_of(kind, tag), path, out)
    return None if found == default and not alike[1] else found


def _one(
    base: Node | None,
    theirs: Node | None,
    ours: Node | None,
    kind: str,
    path: str,
    out: Outcome,
) -> Node | None:
    """Merge an element that may be missing in each of the three."""
    if theirs is not None and ours is not None:
        return _both(base, theirs, ours, kind, path, out)
    if theirs is not None:
        if base is None:
            # What stands once may be a default; what was put in a list is somebody's.
            if path.endswith("]") and theirs.tag not in _FILLED:
                out.kept.append(Difference(path, "added", new=short(theirs)))
            return theirs
        if untouched(base, theirs, kind):
            out.changes.append(Difference(path, "removed", short(theirs)))
            return None
        out.conflicts.append(Difference(path, "removed", short(theirs)))
        return theirs
    if ours is None:
        return None
    if base is None:
        out.changes.append(Difference(path, "added", new=short(ours)))
        return ours
    removed = Difference(path, "removed", short(base))
    (out.kept if base == ours else out.conflicts).append(removed)
    return None


def _list(
    alike: list[list[Node]], kind: str, tag: str, path: str, out: Outcome
) -> list[Node]:
    """Merge elements that repeat: one by one, then their order."""
    inner = type_of(kind, tag)
    base, theirs, ours = (keyed(nodes, inner) for nodes in alike)
    held = held_in_place(
        base, theirs, ours, lambda key: untouched(base[key], theirs[key], inner)
    )
    once = _TAKEN_ONCE.get(inner, "")
    taken: set[str] = set()
    found: dict[Key, Node] = {}
    for key in {**theirs, **base, **ours}:  # what we add comes last
        place = f"{path}[{'|'.join(filter(None, key[:-1]))[:80]}]"
        wanted = ours.get(key)
        node: Node | None
        if wanted is None and key in held:
            node = theirs[key]
            out.conflicts.append(Difference(place, "removed", short(node)))
        elif (
            wanted
            and is_new(key, base, theirs)
            and (leaves_gap(key, found) or wanted.value(once) in taken)
        ):
            node = None
            out.conflicts.append(Difference(place, "added", new=short(wanted)))
        else:
            node = _one(base.get(key), theirs.get(key), wanted, inner, place, out)
        if node is not None:
            found[key] = node
            if once:
                taken.add(node.value(once))
    keys = in_order(base, theirs, ours, found)
    left = [key for key in keys if key in theirs]
    if ordered(kind, tag) and left != [key for key in theirs if key in found]:
        out.changes.append(Difference(path, "moved"))
    return [found[key] for key in keys]


def _groups(node: Node | None) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = defaultdict(list)
    for child in node.children if node else ():
        found[child.tag].append(child)
    return found


def short(node: Node, most: int = 200) -> str:
    """Give an element as one line: the text of a leaf, else all of it, cut."""
    if not node.children:
        return node.text[:most]
    text = " ".join(line.strip() for line in lines(without_defaults(node)))
    return text if len(text) <= most else f"{text[: most - 1]}…"


def told(differences: Iterable[Difference]) -> list[str]:
    """Give each difference as a line for people."""
    return [
        f"{item.path}: {item.what}"
        + (f" {item.old!r} -> {item.new!r}" if item.what == "changed" else "")
        for item in differences
    ]
