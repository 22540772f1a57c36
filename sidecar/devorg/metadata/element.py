"""Reading metadata XML: is it of its type's shape, and what does it say."""

from collections.abc import Iterator
from typing import cast

from lxml import etree

from sidecar.devorg.metadata.shapes import SHAPES, Slot

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_NS = f"{{{NAMESPACE}}}"
# On an element that is required, and empty all the same.
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
Element = etree._Element

# What a refused part of a supported type is told, and a type that is not run here.
NOT_AVAILABLE = "Not available for deploy for this organization"


class Problem(Exception):
    """One component failure, in Salesforce's words where there are known words."""

    def __init__(self, message: str, *, line: int | None = None) -> None:
        """``line``: where in the file, counted from 1; None when it is not the text."""
        super().__init__(message)
        self.message = message
        self.line = line


def parse(data: bytes) -> Element:
    """
    Parse one file of a deployment.

    Raises:
        Problem: not well-formed, or with a DTD.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as exc:
        raise Problem(f"Error parsing file: {exc.msg}", line=exc.lineno) from exc
    if root.getroottree().docinfo.internalDTD is not None:
        raise Problem("Error parsing file: DOCTYPE is not allowed", line=1)
    return root


def check(element: Element, shape: str) -> None:
    """
    Compare an element with its type's shape, all the way down.

    Raises:
        Problem: the first difference. Words as reported to Salesforce's own CLI
            ("invalid at this location", "is duplicated at this location",
            "Required field is missing").
    """
    slots = SHAPES[shape]
    seen: set[str] = set()
    last = ""
    for child in element:
        name = name_of(child)
        slot = slots.get(name) if child.tag == _NS + name else None
        if slot is None:
            raise Problem(
                f"Element {child.tag} invalid at this location in type {shape}",
                line=line_of(child),
            )
        if name in seen and (not slot.repeatable or name != last):
            raise Problem(
                f"Element {name} is duplicated at this location in type {shape}",
                line=line_of(child),
            )
        seen.add(name)
        last = name
        _check_value(child, slot)
    for slot in slots.values():
        if slot.required and slot.name not in seen:
            raise Problem(
                f"Required field is missing: {slot.name}", line=line_of(element)
            )


def _check_value(child: Element, slot: Slot) -> None:
    if child.get(_NIL) in {"true", "1"}:
        return
    text = (child.text or "").strip()
    if slot.kind == "b" and text not in {"true", "false", "1", "0"}:
        raise Problem(
            f"Error parsing file: '{text}' is not a valid value for the type "
            "xsd:boolean",
            line=line_of(child),
        )
    if not slot.supported and not (slot.kind == "b" and text in {"false", "0"}):
        raise Problem(f"{slot.name}: {NOT_AVAILABLE}", line=line_of(child))
    if slot.kind in {"i", "d"}:
        _check_number(child, text, slot.kind)
    elif slot.choices and text not in slot.choices:
        raise Problem(
            f"'{text}' is not a valid value for the enum '{slot.enum}'",
            line=line_of(child),
        )
    elif slot.kind in SHAPES:
        check(child, slot.kind)


def _check_number(child: Element, text: str, kind: str) -> None:
    try:
        int(text) if kind == "i" else float(text)
    except ValueError as exc:
        word = "int" if kind == "i" else "double"
        raise Problem(
            f"Error parsing file: '{text}' is not a valid value for the type "
            f"xsd:{word}",
            line=line_of(child),
        ) from exc


def make(tag: str) -> Element:
    """Return an empty element of the Metadata API, the root of a document."""
    nsmap = cast("dict[str, str]", {None: NAMESPACE})
    return etree.Element(_NS + tag, nsmap=nsmap)


def add(parent: Element, tag: str, text: str | None = None) -> Element:
    """Append a child, and return it."""
    made = etree.SubElement(parent, _NS + tag)
    made.text = text
    return made


def name_of(element: Element) -> str:
    """Return the name without its namespace."""
    return str(etree.QName(element).localname)


def line_of(element: Element) -> int | None:
    """Return where the element begins, counted from 1."""
    return cast("int | None", element.sourceline)


def text(element: Element, name: str) -> str | None:
    """Return the text of a child, without white space around it; None if absent."""
    found = element.find(_NS + name)
    return None if found is None else (found.text or "").strip()


def flag(element: Element, name: str, *, default: bool = False) -> bool:
    """Return a boolean child."""
    value = text(element, name)
    return default if value is None else value in {"true", "1"}


def number(element: Element, name: str) -> int | None:
    """Return an int child; None if absent."""
    value = text(element, name)
    return None if value is None else int(value)


def child(element: Element, name: str) -> Element | None:
    """Return a child; None if absent."""
    return element.find(_NS + name)


def children(element: Element, name: str) -> list[Element]:
    """Return all children of that name, in order."""
    return element.findall(_NS + name)


def texts(element: Element, name: str) -> list[str]:
    """Return the texts of all children of that name."""
    return [(each.text or "").strip() for each in children(element, name)]


def walk(element: Element) -> Iterator[Element]:
    """Return all elements below, in document order."""
    return element.iterdescendants(etree.Element)


def canonical(element: Element) -> str:
    """Return a text that is equal for elements that say the same."""
    parts = [name_of(element), "(", (element.text or "").strip()]
    parts += [canonical(each) for each in element]
    return "".join((*parts, ")"))


def source(element: Element) -> str:
    """Return an element as XML."""
    return etree.tostring(element, encoding="unicode")
