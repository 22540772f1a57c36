"""A tree of Metadata API format, taken apart into components and put together again.

One file may hold many components: ``objects/Lead.object`` has fields, list views and
rules, ``workflows/Lead.workflow`` messages and alerts. What is left of such a file
when they are taken out is a component, too, if it holds anything.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from xml.sax.saxutils import escape

from sidecar.errors import Unreadable
from sidecar.package.archive import MANIFEST, NAMESPACE
from sidecar.package.canonical import lines, parse, settled, without_defaults, write
from sidecar.package.identity import Node
from sidecar.package.kinds import KINDS, META, Kind
from sidecar.package.read import Tree

PATCHES = "patches.json"
"""Path of what we asked of the customer's layouts, beside the metadata of a tree."""

Name = tuple[str, str]
"""Type and full name, as package.xml has them."""

_BY_PLACE: Mapping[tuple[str, str], Kind] = MappingProxyType(
    {(kind.directory, kind.suffix): kind for kind in KINDS if not kind.folder_of}
)
_FOLDERS: Mapping[str, Kind] = MappingProxyType(
    {kind.directory: kind for kind in KINDS if kind.folder_of}
)
_CHILD_TYPES = frozenset(
    child.type for kind in KINDS for child in kind.children if child.listed
)


@dataclass(frozen=True, slots=True)
class Part:
    """One component."""

    type: str
    name: str
    file: str
    """In the zip; of two files the one with the content."""
    node: Node
    content: bytes | None = None
    """Code, or the text of an e-mail."""
    source: bytes | None = None
    """The whole file, where it holds this component alone."""

    @property
    def key(self) -> Name:
        return self.type, self.name

    @property
    def kind(self) -> str:
        """The type in the schema: of a folder ``ReportFolder``, else the type."""
        return self.type if self.type in _CHILD_TYPES else self.node.tag

    def text(self) -> list[str]:
        """Give the canonical form as lines, for a diff."""
        found = list(lines(without_defaults(self.node, self.kind)))
        if self.content is not None:
            found += _body(self).decode("utf-8", "replace").splitlines()
        return found

    def same(self, other: "Part") -> bool:
        """Say whether two versions are equal in canonical form."""
        return (self.node == other.node and _body(self) == _body(other)) or (
            self.text() == other.text()
        )


def place_of(path: str) -> tuple[Kind, str]:
    """
    Say whose file this is: the type, and the full name of its component.

    Raises:
        Unreadable: no type that we know has such files.
    """
    directory, _, rest = path.partition("/")
    bare = rest.removesuffix(META)
    stem, _, suffix = bare.rpartition(".")
    kind = _BY_PLACE.get((directory, suffix))
    if kind is not None and stem and (bare == rest or kind.has_content):
        return kind, stem
    folder = _FOLDERS.get(directory)
    if folder is not None and bare != rest:
        return folder, bare if folder.type == "EmailFolder" else f"{bare}/"
    raise Unreadable(f"{path}: no metadata type claims this file")


def split(tree: Tree, only: Collection[str] | None = None) -> dict[Name, Part]:
    """
    Take a tree apart, sorted by path.

    Args:
        only: the paths to read; without it all but package.xml and ``PATCHES``.

    Raises:
        Unreadable: a file that is not what its path says.
    """
    found: dict[Name, Part] = {}
    for path in sorted(tree if only is None else tree.keys() & set(only)):
        if path in {MANIFEST, PATCHES} or path.startswith("destructiveChanges"):
            continue
        found |= {part.key: part for part in _parts(path, tree)}
    return found


def join(
    parts: Iterable[Part], *, api_version: str, beside: Iterable[Part] = ()
) -> dict[str, bytes]:
    """
    Put components together to a tree with package.xml.

    Args:
        parts: a file holds exactly those given; without any the tree is empty.
        beside: also put into the files, but not named in package.xml.
    """
    by_file: dict[str, list[Part]] = defaultdict(list)
    rows: set[Name] = set()
    for part in parts:
        by_file[part.file].append(part)
        rows.update(rows_of(part))
    if not by_file:
        return {}
    for part in beside:
        by_file[part.file].append(part)
    tree: dict[str, bytes] = {}
    for path, inside in sorted(by_file.items()):
        first = inside[0]
        if first.content is not None:
            tree[path] = first.content
            tree[f"{path}{META}"] = first.source or write(first.node)
        elif first.source is not None:
            tree[path] = first.source
        else:
            tree[path] = write(_whole(inside))
    tree[MANIFEST] = manifest(rows, api_version=api_version)
    return tree


def rows_of(part: Part) -> Iterator[Name]:
    """Yield the rows of package.xml without which the component is not deployed."""
    yield part.key
    kind, name = place_of(part.file)
    if part.type in _CHILD_TYPES and not kind.decomposed:
        yield kind.type, name


def manifest(rows: Iterable[Name], *, api_version: str) -> bytes:
    """Write package.xml, or destructiveChanges.xml, for these components."""
    members: dict[str, set[str]] = defaultdict(set)
    for kind, name in rows:
        members[kind].add(name)
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<Package xmlns="{NAMESPACE}">',
    ]
    for kind in sorted(members):
        out.append("    <types>")
        out += [
            f"        <members>{escape(n)}</members>" for n in sorted(members[kind])
        ]
        out += [f"        <name>{kind}</name>", "    </types>"]
    out += [f"    <version>{escape(api_version)}</version>", "</Package>", ""]
    return "\n".join(out).encode()


def read_manifest(content: bytes) -> tuple[set[Name], str]:
    """
    Read package.xml.

    Returns:
        Its rows, and the API version, such as ``62.0``.
    """
    root = parse(content, MANIFEST)
    rows: set[Name] = set()
    for types in root.children:
        if types.tag == "types":
            kind = types.value("name")
            rows |= {(kind, c.text) for c in types.children if c.tag == "members"}
    return rows, root.value("version")


def _parts(path: str, tree: Tree) -> Iterator[Part]:
    kind, name = place_of(path)
    if kind.has_content:
        if path.endswith(META):
            return
        if f"{path}{META}" not in tree:
            raise Unreadable(f"{path} comes without {path}{META}")
        described = tree[f"{path}{META}"]
        node = parse(described, f"{path}{META}")
        yield Part(kind.type, name, path, node, tree[path], described)
        return
    root = parse(tree[path], path)
    if root.tag != kind.type:
        raise Unreadable(f"{path}: the root is {root.tag}, expected {kind.type}")
    inner = {child.tag: child for child in kind.children if child.listed}
    if not inner:
        yield Part(kind.folder_of or kind.type, name, path, root, source=tree[path])
        return
    own = tuple(child for child in root.children if child.tag not in inner)
    if own:
        yield Part(kind.type, name, path, replace(root, children=own))
    for node in root.children:
        if (child := inner.get(node.tag)) is not None:
            called = node.value(child.name_tag)
            if not called:
                raise Unreadable(f"{path}: a {child.type} without {child.name_tag}")
            full = called if child.bare else f"{name}.{called}"
            yield Part(child.type, full, path, node)


def _whole(inside: list[Part]) -> Node:
    """Make one document of the components of a file."""
    kind, _ = place_of(inside[0].file)
    root = Node(kind.type)
    children: list[Node] = []
    for part in inside:
        if part.type in _CHILD_TYPES:
            children.append(part.node)
        else:
            root = replace(part.node, children=())
            children += part.node.children
    return settled(replace(root, children=tuple(children)), kind.type)


def _body(part: Part) -> bytes:
    return (part.content or b"").replace(b"\r\n", b"\n").rstrip()
