"""Metadata XML as small trees that know their lines.

Names come without their namespace: all metadata lives in one. Comments are left out,
and so is the white space between elements.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from sidecar.errors import Unreadable

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


class Broken(Unreadable):
    """The document cannot be read; ``line`` says where."""

    def __init__(self, rule: str, line: int, message: str) -> None:
        """
        Args:
            rule: ``xml/broken``, ``xml/doctype`` or ``schema/namespace``.
            line: from 1.
        """
        super().__init__(message)
        self.rule = rule
        self.line = line


@dataclass(slots=True)
class Node:
    """One element."""

    name: str
    text: str = ""
    """Without white space at its ends; of an element with children, what stands
    between them and does not belong there."""
    line: int = 1
    kids: list["Node"] = field(default_factory=list)
    nil: bool = False
    xsi_type: str = ""
    """Without its prefix."""

    def all(self, *path: str) -> Iterator["Node"]:
        """Yield the elements at the end of this path of names."""
        name, *rest = path
        for kid in self.kids:
            if kid.name == name:
                if rest:
                    yield from kid.all(*rest)
                else:
                    yield kid

    def one(self, *path: str) -> "Node | None":
        """Give the first element at the end of this path, if there is one."""
        return next(self.all(*path), None)

    def get(self, *path: str) -> str:
        """Give the text of the first element at the end of this path, or ''."""
        found = self.one(*path)
        return found.text if found else ""

    def texts(self, *path: str) -> list[str]:
        """List the texts at the end of this path, empty ones left out."""
        return [node.text for node in self.all(*path) if node.text]

    def walk(self) -> Iterator["Node"]:
        """Yield this element and everything below it, in the document's order."""
        yield self
        for kid in self.kids:
            yield from kid.walk()


def parse(content: bytes) -> Node:
    """
    Read one metadata document.

    Raises:
        Broken: not XML, a document type, or not in the metadata namespace.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as exc:
        line = exc.lineno or 1
        raise Broken("xml/broken", line, f"not well-formed XML: {exc.msg}") from exc
    except ValueError as exc:
        raise Broken("xml/broken", 1, f"not well-formed XML: {exc}") from exc
    if root.getroottree().docinfo.internalDTD is not None:
        raise Broken("xml/doctype", 1, "a document type has no place in metadata")
    if not root.tag.startswith(f"{{{NAMESPACE}}}"):
        raise Broken(
            "schema/namespace",
            _line(root),
            f"{root.tag} is not in the namespace {NAMESPACE}",
        )
    return _node(root)


def _node(element: etree._Element) -> Node:
    """The depth is bounded by the parser, at 256."""
    tag = element.tag
    kids = [_node(kid) for kid in element if isinstance(kid.tag, str)]
    text = (element.text or "").strip()
    if kids and not text:
        text = " ".join(
            tail.strip() for kid in element if (tail := kid.tail) and tail.strip()
        )
    # Of another namespace it is kept whole: the schema knows no such element.
    name = tag.removeprefix(f"{{{NAMESPACE}}}")
    node = Node(name, text, _line(element), kids)
    if element.attrib:
        node.nil = element.get(_NIL, "") in {"true", "1"}
        node.xsi_type = element.get(_TYPE, "").rpartition(":")[2]
    return node


def _line(element: etree._Element) -> int:
    line: Any = element.sourceline
    return line or 1
