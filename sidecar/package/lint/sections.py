"""What is declared for the customer's own layouts: ``patches/<module>.json``."""

from collections.abc import Iterator
from pathlib import Path

from sidecar.errors import Unreadable
from sidecar.package import read
from sidecar.package.lint.findings import Finding
from sidecar.package.lint.index import Index
from sidecar.package.lint.rules import finding
from sidecar.package.patches import Section, read_patches
from sidecar.package.read import Tree

_FOLDER = "patches"


def load(folder: Path) -> dict[str, bytes]:
    """
    Read a project from disk, with the layout sections that it declares.

    Raises:
        Unreadable: it is no SFDX project.
    """
    tree = {_clean(path): content for path, content in read.load(folder).items()}
    for file in sorted((folder / _FOLDER).glob("*.json")):
        tree[f"{_FOLDER}/{file.name}"] = file.read_bytes()
    return tree


def _clean(path: str) -> str:
    """A file's name may be no text at all; what is shown must be."""
    return path.encode(errors="surrogateescape").decode(errors="replace")


def check(tree: Tree, index: Index) -> Iterator[Finding]:
    """Yield what is wrong with the sections that an install inserts."""
    for path, content in sorted(tree.items()):
        if not path.startswith(f"{_FOLDER}/") or not path.endswith(".json"):
            continue
        try:
            patches = read_patches(content)
        except Unreadable as exc:
            yield finding("section/unreadable", path, 1, path, str(exc))
            continue
        text = content.decode("utf-8", "replace")
        for section in patches.sections:
            yield from _section(index, path, text, section)


def _section(index: Index, path: str, text: str, section: Section) -> Iterator[Finding]:
    start = max(0, text.find(f'"{section.object}"'))
    said = f"section {section.label} of {section.object}"
    if missing := index.missing_object(section.object):
        yield missing.at(path, _line(text, start, section.object), said)
    seen: set[str] = set()
    for name in section.fields:
        line = _line(text, start, name)
        if missing := index.missing_field(section.object, name):
            yield missing.at(path, line, said)
        if name.lower() in seen:
            message = f"{said} shows {name} twice"
            yield finding("layout/duplicate", path, line, name, message)
        seen.add(name.lower())
        one = index.field(section.object, name)
        computed = one and (one.is_formula or one.type in {"Summary", "AutoNumber"})
        if computed and name not in section.readonly:
            message = f"{said} lets {name} be edited, which is computed"
            yield finding("layout/computed-field", path, line, name, message)


def _line(text: str, start: int, name: str) -> int:
    place = text.find(f'"{name}"', start)
    return text.count("\n", 0, max(0, place)) + 1
