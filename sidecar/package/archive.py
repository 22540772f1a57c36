"""From source format to the zip that the Metadata API deploys.

What Salesforce's own tool sends for the same tree is the measure: the same files, the
same package.xml. The bytes depend on the tree alone, so that two builds can be
compared.

Source: "Deploying and Retrieving Metadata with the Zip File", Metadata API Developer
Guide: package.xml at the root, a folder for each type, one file for each object.
"""

import io
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

from lxml import etree

from sidecar.errors import Unreadable
from sidecar.package.kinds import META, Child, Kind
from sidecar.package.placeholders import fill
from sidecar.package.read import Component, Tree, api_version, components

MANIFEST = "package.xml"
NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
# The first moment that a zip entry can carry: time of build must not show.
_NO_TIME = (1980, 1, 1, 0, 0, 0)

_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
)

_Row = tuple[str, str]  # type and full name: one row of package.xml


def build(tree: Tree, *, values: Mapping[str, str] | None) -> bytes:
    """
    Build the zip of everything in the tree; ``read.select`` takes a part of it.

    Args:
        values: for the placeholders of the tree. None leaves in place what stands in
            the source, for comparison with another tool; an org refuses such a zip.

    Returns:
        The bytes of the zip, equal for equal arguments.

    Raises:
        Unreadable: a file that is not what its name says, or that nothing claims.
        Permanent: the values are not those that the tree needs.
    """
    return pack(files(tree if values is None else fill(tree, values)))


def pack(content: Tree) -> bytes:
    """Zip files that are in Metadata API format; equal bytes for equal files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(content):
            entry = zipfile.ZipInfo(path, _NO_TIME)
            entry.create_system = 3  # else it tells on which system it was built
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content[path])
    return packed.getvalue()


def files(tree: Tree) -> dict[str, bytes]:
    """
    Convert to Metadata API format: path in the zip -> content, package.xml included.

    Raises:
        Unreadable: as ``build``.
    """
    converted: dict[str, bytes] = {}
    members: dict[str, set[str]] = defaultdict(set)
    for component in _merged(components(tree)):
        content, rows = _convert(component, tree)
        converted |= content
        for kind, name in rows:
            members[kind].add(name)
    converted[MANIFEST] = _manifest(members, api_version(tree))
    return converted


def _merged(found: list[Component]) -> list[Component]:
    """Join what several modules add to one object; anything else is in one alone."""
    merged: dict[tuple[str, str], Component] = {}
    for component in found:
        key = component.kind.type, component.name
        other = merged.get(key)
        if other is None:
            merged[key] = component
            continue
        both = tuple(sorted((*other.files, *component.files)))
        if not component.kind.decomposed or len(_own_files(component.kind, both)) > 1:
            raise Unreadable(
                f"{component.kind.type} {component.name} is in two modules, "
                f"{other.module} and {component.module}"
            )
        merged[key] = Component(component.kind, component.name, other.module, both)
    return list(merged.values())


def _convert(component: Component, tree: Tree) -> tuple[dict[str, bytes], list[_Row]]:
    """Give the component's files in the zip, and its rows in package.xml."""
    kind, name = component.kind, component.name
    place = f"{kind.directory}/{name}"
    if kind.folder_of:
        # The slash marks a folder among reports; e-mail folders go without.
        slash = "" if kind.type == "EmailFolder" else "/"
        row = kind.folder_of, f"{name}{slash}"
        return {f"{place}{META}": tree[component.files[0]]}, [row]
    if kind.decomposed:
        whole, rows = _recompose(component, tree)
        return {f"{place}.{kind.suffix}": whole}, rows
    if kind.has_content:
        both = {
            f"{place}.{kind.suffix}{META if path.endswith(META) else ''}": tree[path]
            for path in component.files
        }
        return both, [(kind.type, name)]
    if len(component.files) > 1:
        raise Unreadable(
            f"{kind.type} {name} is in two files: {' and '.join(component.files)}"
        )
    content = {f"{place}.{kind.suffix}": tree[component.files[0]]}
    return content, [(kind.type, name), *_inner_rows(component, tree)]


def _recompose(component: Component, tree: Tree) -> tuple[bytes, list[_Row]]:
    """
    Make one document of an object's own file and those of its children.

    Elements are sorted by tag and then by name: the API refuses a repeated element
    whose repeats do not stand together ("duplicated at this location").
    """
    kind = component.kind
    rows: list[_Row] = []
    parts: list[tuple[str, str, etree._Element]] = []
    for path, child in _child_files(component):
        element = _parse(path, tree[path], child.type)
        element.tag = f"{{{NAMESPACE}}}{child.tag}"
        name = _name(path, element, child)
        parts.append((child.tag, name, element))
        if child.listed:
            rows.append((child.type, f"{component.name}.{name}"))
    own = [
        element
        for path in _own_files(kind, component.files)
        for element in _parse(path, tree[path], kind.type)
    ]
    parts += [(etree.QName(element).localname, "", element) for element in own]
    # An object that brings only children is not deployed itself.
    if own or not rows:
        rows.append((kind.type, component.name))

    whole = etree.fromstring(f'<{kind.type} xmlns="{NAMESPACE}"/>')
    whole.extend(element for _, _, element in sorted(parts, key=lambda p: p[:2]))
    etree.indent(whole, space="    ")
    etree.cleanup_namespaces(whole)
    return _DECLARATION + etree.tostring(whole, encoding="UTF-8") + b"\n", rows


def _inner_rows(component: Component, tree: Tree) -> Iterator[_Row]:
    """Yield the rows of components that live inside the file of another."""
    kind, path = component.kind, component.files[0]
    if not kind.children:
        return
    children = {f"{{{NAMESPACE}}}{child.tag}": child for child in kind.children}
    for element in _parse(path, tree[path], kind.type):
        if child := children.get(element.tag):
            name = _name(path, element, child)
            yield child.type, name if child.bare else f"{component.name}.{name}"


def _manifest(members: Mapping[str, set[str]], version: str) -> bytes:
    lines = [f'<Package xmlns="{NAMESPACE}">']
    for kind in sorted(members):
        lines.append("    <types>")
        lines += [
            f"        <members>{escape(name)}</members>"
            for name in sorted(members[kind])
        ]
        lines += [f"        <name>{kind}</name>", "    </types>"]
    lines += [f"    <version>{escape(version)}</version>", "</Package>", ""]
    return _DECLARATION + "\n".join(lines).encode()


def _own_files(kind: Kind, paths: tuple[str, ...]) -> list[str]:
    return [path for path in paths if path.endswith(f".{kind.suffix}{META}")]


def _child_files(component: Component) -> Iterator[tuple[str, Child]]:
    children = {child.suffix: child for child in component.kind.children}
    for path in component.files:
        suffix = path.removesuffix(META).rpartition(".")[2]
        if suffix in children:
            yield path, children[suffix]


def _parse(path: str, content: bytes, root: str) -> etree._Element:
    try:
        element = etree.fromstring(content, _PARSER)
    except etree.XMLSyntaxError as exc:
        raise Unreadable(f"{path}: {exc}") from exc
    if element.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(f"{path}: a document type has no place in metadata")
    if element.tag != f"{{{NAMESPACE}}}{root}":
        raise Unreadable(f"{path}: the root is {element.tag}, expected {root}")
    return element


def _name(path: str, element: etree._Element, child: Child) -> str:
    name = element.findtext(f"{{{NAMESPACE}}}{child.name_tag}")
    if not name:
        raise Unreadable(f"{path}: a {child.type} without {child.name_tag}")
    return name
