"""Find the modules and the components in an SFDX project.

A file tree is a mapping of paths, relative to the project and with ``/``, to bytes.
Everything in this room is a function of such a tree; only ``load`` touches the disk.

Source of the formats: "Salesforce DX Project Structure and Source Format" and
"Salesforce DX Project Configuration", Salesforce DX Developer Guide.
"""

import json
import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sidecar.errors import Unreadable
from sidecar.package.kinds import META, Kind, kind_of

Tree = Mapping[str, bytes]

PROJECT = "sfdx-project.json"
_HERE = Path(__file__).resolve().parent
# Files of other tools that Salesforce's own tool passes over as well.
_PASSED_OVER = frozenset({"README.md", "jsconfig.json", "package.xml"})


@dataclass(frozen=True)
class Module:
    """One package directory: the unit that an admin can choose."""

    name: str
    path: str


@dataclass(frozen=True)
class Component:
    """One metadata component as the source holds it, its children included."""

    kind: Kind
    name: str
    """Full name, as package.xml has it: ``Lead``, ``Referral_Status``."""
    module: str
    files: tuple[str, ...]
    """Sorted paths; an object has its own file, if any, and one for each child."""


def bundled() -> Path:
    """
    Give the folder of the bundled package.

    Returns:
        ``sidecar/_metadata`` of an installed wheel, or ``salesforce_metadata`` of a
        checkout.
    """
    installed = _HERE.parent / "_metadata"
    return installed if installed.is_dir() else _HERE.parents[1] / "salesforce_metadata"


def load(folder: Path) -> dict[str, bytes]:
    """
    Read an SFDX project from disk: its project file and its package directories.

    Names that begin with a dot are passed over, as Salesforce's tool does.

    Raises:
        Unreadable: no project file, or a package directory that is not there.
    """
    try:
        tree = {PROJECT: (folder / PROJECT).read_bytes()}
    except FileNotFoundError as exc:
        raise Unreadable(f"{folder} holds no {PROJECT}") from exc
    for module in modules(tree):
        root = folder / module.path
        if not root.is_dir():
            raise Unreadable(f"{PROJECT}: package directory {module.path} is missing")
        # Twice as fast as pathlib's rglob; a large package has thousands of files.
        for here, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if name[0] != ".")
            place = module.path + here[len(str(root)) :].replace(os.sep, "/")
            for name in sorted(names):
                if name[0] != ".":
                    with open(f"{here}{os.sep}{name}", "rb") as file:  # noqa: PTH123
                        tree[f"{place}/{name}"] = file.read()
    return tree


def modules(tree: Tree) -> list[Module]:
    """
    List the package directories, in the order in which the project names them.

    Raises:
        Unreadable: the project file is missing or not what Salesforce describes.
    """
    entries = project(tree).get("packageDirectories")
    if not isinstance(entries, list) or not entries:
        raise Unreadable(f"{PROJECT} names no packageDirectories")
    found = []
    for entry in entries:
        path = entry.get("path") if isinstance(entry, dict) else None
        if not isinstance(path, str) or not path.strip("/."):
            raise Unreadable(f"{PROJECT}: a package directory without a path")
        path = PurePosixPath(path)
        if path.is_absolute() or ".." in path.parts:
            raise Unreadable(f"{PROJECT}: {path} leads out of the project")
        found.append(Module(name=path.name, path=path.as_posix()))
    return found


def project(tree: Tree) -> dict[str, object]:
    """
    Parse the project file.

    Raises:
        Unreadable: it is missing, or not a JSON object.
    """
    try:
        content = json.loads(tree[PROJECT])
    except KeyError as exc:
        raise Unreadable(f"no {PROJECT} in this tree") from exc
    except ValueError as exc:
        raise Unreadable(f"{PROJECT} is not JSON: {exc}") from exc
    if not isinstance(content, dict):
        raise Unreadable(f"{PROJECT} is not a JSON object")
    return content


def api_version(tree: Tree) -> str:
    """
    Give the API version in which the project is written, such as ``62.0``.

    Raises:
        Unreadable: the project file does not say it.
    """
    version = project(tree).get("sourceApiVersion")
    if not isinstance(version, str):
        raise Unreadable(f"{PROJECT} has no sourceApiVersion")
    return version


def select(tree: Tree, names: Collection[str]) -> dict[str, bytes]:
    """
    Leave out the files of every module that is not named.

    Raises:
        Unreadable: the project has no module of that name.
    """
    known = {module.name: module for module in modules(tree)}
    if unknown := sorted(set(names) - set(known)):
        raise Unreadable(
            f"no module {', '.join(unknown)}; there are {', '.join(known)}"
        )
    chosen = [known[name] for name in known if name in names]
    return {
        path: content
        for path, content in tree.items()
        if path == PROJECT or any(_within(path, module) for module in chosen)
    }


def components(tree: Tree) -> list[Component]:
    """
    List the components, sorted by type and name.

    Raises:
        Unreadable: a file that no metadata type claims, since Salesforce's tool would
            silently leave it out of the deployment.
    """
    kinds: dict[str, Kind] = {}
    files: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for path, module in _placed(tree):
        kind, name = kind_of(path)
        kinds[kind.type] = kind
        files[kind.type, name, module.name].append(path)
    found = [
        Component(kinds[type_], name, module, files=tuple(sorted(paths)))
        for (type_, name, module), paths in files.items()
    ]
    for component in found:
        _whole(component)
    return sorted(found, key=lambda c: (c.kind.type, c.name, c.module))


def _placed(tree: Tree) -> Iterator[tuple[str, Module]]:
    placed = modules(tree)
    for path in sorted(tree):
        if path.rpartition("/")[2] in _PASSED_OVER:
            continue
        for module in placed:
            if _within(path, module):
                yield path, module
                break


def _within(path: str, module: Module) -> bool:
    return path.startswith(f"{module.path}/")


def _whole(component: Component) -> None:
    """Refuse a content file without its description, or the other way round."""
    if not component.kind.has_content:
        return
    described = [path for path in component.files if path.endswith(META)]
    if len(described) != 1 or len(component.files) != 2:
        raise Unreadable(
            f"{component.files[0]}: {component.kind.type} {component.name} needs one "
            f"content file and one {META} file beside it"
        )
