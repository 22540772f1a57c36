"""Metadata XML in a form in which equal content is equal bytes.

Salesforce gives back what was deployed with other white space, in another order of
elements, with defaults written out. None of that has a meaning; the canonical form
leaves it out, so that "the customer's own things are untouched" can be proven.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from sidecar.errors import Unreadable
from sidecar.package.archive import NAMESPACE
from sidecar.package.identity import Node, defaults, key, ordered, type_of
from sidecar.package.kinds import KINDS, META
from sidecar.package.read import Tree

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XSD = "http://www.w3.org/2001/XMLSchema"
_CONTENT = tuple(f".{kind.suffix}" for kind in KINDS if kind.has_content)


def is_document(path: str) -> bool:
    """Say whether a file of the zip is XML, and not code or the text of an e-mail."""
    return path.endswith(META) or not path.endswith((*_CONTENT, ".json"))


def canonical(content: bytes, path: str) -> bytes:
    """
    Give the canonical form of one file.

    Code and e-mail texts only lose the difference in line ends.

    Raises:
        Unreadable: a metadata file that is not well-formed.
    """
    if not is_document(path):
        return content.replace(b"\r\n", b"\n").rstrip()
    return write(without_defaults(parse(content, path)))


def differing(one: Tree, other: Tree) -> list[str]:
    """List the paths that are in one tree alone, or differ in canonical form."""
    return sorted(
        path
        for path in one.keys() | other.keys()
        if path not in one
        or path not in other
        or (
            one[path] != other[path]
            and canonical(one[path], path) != canonical(other[path], path)
        )
    )


def parse(content: bytes, path: str) -> Node:
    """
    Read a metadata file; elements whose order has no meaning come sorted.

    A ``fullName`` of the root is left out: the path says it.

    Raises:
        Unreadable: not well-formed, a document type, or another namespace.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as exc:
        raise Unreadable(f"{path}: {exc}") from exc
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(f"{path}: a document type has no place in metadata")
    if not root.tag.startswith(f"{{{NAMESPACE}}}"):
        raise Unreadable(f"{path}: the root is {root.tag}, which is not metadata")
    node = _node(root)
    own = tuple(child for child in node.children if child.tag != "fullName")
    return settled(replace(node, children=own), node.tag)


def settled(node: Node, kind: str) -> Node:
    """
    Sort the children by tag, and those without an order by what names them.

    ``fullName`` comes first, as Salesforce writes it.
    """
    if not node.children:
        return node
    children: list[Node] = []
    by_tag = sorted(node.children, key=lambda c: (c.tag != "fullName", c.tag))
    for tag, group in groupby(by_tag, key=lambda child: child.tag):
        inner = type_of(kind, tag)
        alike = [settled(child, inner) for child in group]
        if len(alike) > 1 and not ordered(kind, tag):
            alike.sort(key=lambda child: key(child, inner))
        children += alike
    return Node(node.tag, node.text, tuple(children), node.attributes, node.raw)


def without_defaults(node: Node, kind: str = "") -> Node:
    """Leave out what says no more than its absence, and white space around texts."""
    if not node.children:
        return Node(node.tag, node.text, attributes=node.attributes)
    kind = kind or node.tag
    absent = defaults(kind)
    left = [
        without_defaults(child, type_of(kind, child.tag) or child.tag)
        for child in node.children
        if child.children or absent.get(child.tag) != child.text
    ]
    return Node(node.tag, node.text, tuple(left), node.attributes)


def write(root: Node) -> bytes:
    """Write a document in the way in which Salesforce does: four spaces, UTF-8."""
    inner = "".join(f"{line}\n" for child in root.children for line in lines(child, 1))
    typed = f' xmlns:xsi="{_XSI}" xmlns:xsd="{_XSD}"' if "xsi:" in inner else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{root.tag} xmlns="{NAMESPACE}"{typed}>\n{inner}</{root.tag}>\n'
    ).encode()


def lines(node: Node, depth: int = 0) -> Iterator[str]:
    """Yield an element as indented lines."""
    indent = "    " * depth
    attributes = "".join(f" {name}={quoteattr(text)}" for name, text in node.attributes)
    if not node.children:
        # A raw carriage return would come back as a line feed.
        text = escape(node.raw if node.raw.strip() else node.text, {"\r": "&#13;"})
        end = f">{text}</{node.tag}>" if text else "/>"
        yield f"{indent}<{node.tag}{attributes}{end}"
        return
    yield f"{indent}<{node.tag}{attributes}>"
    for child in node.children:
        yield from lines(child, depth + 1)
    yield f"{indent}</{node.tag}>"


def _node(element: etree._Element) -> Node:
    children = tuple([_node(child) for child in element])
    raw = "" if children else element.text or ""
    attributes = [
        (str(name).replace(f"{{{_XSI}}}", "xsi:"), str(text))
        for name, text in element.attrib.items()
    ]
    tag = element.tag.rpartition("}")[2]
    return Node(tag, raw.strip(), children, tuple(sorted(attributes)), raw)
