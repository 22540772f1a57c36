"""From the files of a package to the components in them."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

from lxml import etree

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    NAMESPACE,
    NOT_AVAILABLE,
    Element,
    Problem,
    children,
    name_of,
    parse,
    text,
)
from sidecar.devorg.metadata.folders import (
    FOLDERS,
    OTHER_FOLDERS,
    PARTS_OF,
    Place,
)

META = "-meta.xml"


class Unreadable(Exception):
    """A file that is no component; with what can be said of it all the same."""

    def __init__(self, type_: str, full_name: str, problem: Problem) -> None:
        super().__init__(problem.message)
        self.type = type_
        self.full_name = full_name
        self.problem = problem


def parts_of(path: str, files: Mapping[str, bytes]) -> Iterable[Part]:
    """
    Read one file of a package.

    A file that only describes another (``X.cls-meta.xml``) has no parts of its own.

    Args:
        path: within the package.
        files: all files of the package, by path.

    Raises:
        Unreadable: it is of no type, not XML, or not of its type.
    """
    directory, _, rest = path.partition("/")
    if other := OTHER_FOLDERS.get(directory):
        if rest.endswith(META):
            return []
        name = rest.rsplit(".", 1)[0]
        raise Unreadable(other, name, Problem(NOT_AVAILABLE))
    place = FOLDERS.get(directory)
    if place is not None and rest.endswith(META):
        described = path.removesuffix(META)
        if place.meta_file and described in files:
            return []
        if place.folder_type and not rest.endswith(f".{place.suffix}{META}"):
            return [_folder(place, path, rest.removesuffix(META), files[path])]
    if place is None or not rest.endswith("." + place.suffix):
        raise Unreadable("", rest, Problem(f"The file {path} is not a supported type"))
    # Names are percent-encoded in paths: "Lead-Lead %28Sales%29 Layout".
    full_name = rest.removesuffix("." + place.suffix)
    try:
        return list(_parts(place, full_name, path, files))
    except Problem as exc:
        raise Unreadable(place.type, full_name, exc) from exc


def _folder(place: Place, path: str, name: str, content: bytes) -> Part:
    try:
        root = _root(parse(content), place.folder_type)
    except Problem as exc:
        raise Unreadable(place.folder_type, name, exc) from exc
    return Part(place.folder_type, name, path, root)


def _parts(
    place: Place, full_name: str, path: str, files: Mapping[str, bytes]
) -> Iterator[Part]:
    if place.meta_file:
        yield Part(place.type, full_name, path, _with_content(place, path, files))
        return
    root = _root(parse(files[path]), place.type)
    yield from parts_within(place.type, full_name, path, root)


def parts_within(
    type_: str, full_name: str, path: str, root: Element
) -> Iterator[Part]:
    """
    Yield a file's component, and the components within it.

    Raises:
        Problem: a component in it has no name.
    """
    held = PARTS_OF.get(type_)
    if held is None:
        yield Part(type_, unquote(full_name), path, root)
        return
    prefix = "" if type_ == "CustomLabels" else full_name + "."
    yield from _split(root, prefix, path, held)
    own = len(root) - len(children(root, "fullName"))
    if type_ == "CustomObject" and own > sum(len(children(root, n)) for n in held):
        yield Part(type_, full_name, path, root)


def _root(root: Element, type_: str) -> Element:
    if name_of(root) != type_:
        raise Problem(
            f"Element {root.tag} invalid at this location in type {type_}", line=1
        )
    return root


def _with_content(place: Place, path: str, files: Mapping[str, bytes]) -> Element:
    """Return what describes the file, with the file in ``content`` as base64."""
    described = files.get(path + META)
    if described is None:
        raise Problem(f"No {path.rpartition('/')[2]}{META} file found")
    root = _root(parse(described), place.type)
    content = etree.SubElement(root, f"{{{NAMESPACE}}}content")
    content.text = base64.b64encode(files[path]).decode()
    return root


def _split(
    root: Element, prefix: str, path: str, kinds: Mapping[str, str]
) -> Iterator[Part]:
    for each in root:
        kind = kinds.get(name_of(each))
        if kind is not None:
            name = text(each, "fullName")
            if not name:
                raise Problem("Required field is missing: fullName")
            yield Part(kind, prefix + name, path, each)
