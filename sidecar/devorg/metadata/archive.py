"""The zip of a deployment: package.xml, the files it names, the parts in them."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    Element,
    Problem,
    check,
    children,
    parse,
    text,
    texts,
)
from sidecar.devorg.metadata.folders import CHILD_OF, FOLDER_OF, KNOWN_TYPES
from sidecar.devorg.metadata.parts import Unreadable, parts_of

MANIFEST = "package.xml"
# destructiveChangesPre, destructiveChangesPost and the plain name.
_DESTRUCTIVE = re.compile(r"destructiveChanges(Pre|Post)?\.xml$")
# What the newest version of this org's API is.
NEWEST_API = 66.0


@dataclass
class Failure:
    """A component failure that reading the zip already shows."""

    type: str
    full_name: str
    file: str
    problem: str
    line: int | None = None


@dataclass
class Package:
    """
    What one deployment asks for.

    Attributes:
        members: type -> names in package.xml, ``*`` among them.
        removals: (type, full name) to delete, in order; ``pre`` before the parts
            are applied, as destructiveChanges.xml has it, else after.
        files: how many files the zip has.
    """

    version: float = NEWEST_API
    members: dict[str, list[str]] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    pre_removals: list[tuple[str, str]] = field(default_factory=list)
    removals: list[tuple[str, str]] = field(default_factory=list)
    files: int = 0


def read(data: bytes, *, single_package: bool) -> Package:
    """
    Read a deployment's zip.

    Args:
        single_package: package.xml lies at the root of the zip; otherwise one
            folder down.

    Raises:
        Problem: it is no zip, or has no package.xml.
    """
    package = Package()
    files = _unzipped(data, single_package=single_package)
    package.files = len(files)
    manifest = files.pop(MANIFEST, None)
    if manifest is None:
        raise Problem("No package.xml found")
    _read_manifest(package, manifest)
    rest = {path: data for path, data in files.items() if not _DESTRUCTIVE.match(path)}
    for path, content in files.items():
        if match := _DESTRUCTIVE.match(path):
            found = _members(parse(content))
            target = package.removals if match[1] == "Post" else package.pre_removals
            target += [(kind, name) for kind, names in found.items() for name in names]
        else:
            _read_file(package, path, rest)
    _compare(package)
    return package


def _unzipped(data: bytes, *, single_package: bool) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = {
                each.filename: archive.read(each)
                for each in archive.infolist()
                if not each.is_dir()
            }
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as exc:
        raise Problem("The zip file is invalid or corrupted") from exc
    if single_package:
        return found
    return {
        name.partition("/")[2]: content
        for name, content in found.items()
        if "/" in name
    }


def _read_manifest(package: Package, content: bytes) -> None:
    try:
        root = parse(content)
        check(root, "Package")
        package.members = _members(root)
        package.version = float(text(root, "version") or 0)
    except (Problem, ValueError) as exc:
        line = exc.line if isinstance(exc, Problem) else None
        package.failures.append(Failure("", MANIFEST, MANIFEST, str(exc), line))
        return
    if not 7 <= package.version <= NEWEST_API:
        problem = f"Invalid version specified: {package.version}"
        package.failures.append(Failure("", MANIFEST, MANIFEST, problem))
    for kind in set(package.members) - KNOWN_TYPES:
        problem = f"Unknown type name '{kind}' specified in package.xml"
        package.failures.append(Failure("", MANIFEST, MANIFEST, problem))


def _members(root: Element) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {}
    for each in children(root, "types"):
        # The CLI marks folders by a slash: "Referral_Tracking/".
        names = [name.rstrip("/") for name in texts(each, "members")]
        members.setdefault(text(each, "name") or "", []).extend(names)
    return members


def _read_file(package: Package, path: str, files: Mapping[str, bytes]) -> None:
    try:
        package.parts += parts_of(path, files)
    except Unreadable as exc:
        problem = exc.problem
        package.failures.append(
            Failure(exc.type, exc.full_name, path, problem.message, problem.line)
        )


def _compare(package: Package) -> None:
    """Hold package.xml against the files."""
    listed = {(kind, name) for kind, names in package.members.items() for name in names}
    found = {(part.type, part.full_name) for part in package.parts}
    found |= {(each.type, each.full_name) for each in package.failures}
    # A file's own component may be named although only its children are in it.
    found |= {
        (CHILD_OF[part.type], part.full_name.partition(".")[0])
        for part in package.parts
        if part.type in CHILD_OF
    }
    found |= {
        (FOLDER_OF[part.type], part.full_name)
        for part in package.parts
        if part.type in FOLDER_OF
    }
    for kind, name in sorted(listed - found):
        if name != "*" and kind in KNOWN_TYPES:
            problem = (
                f"An object '{name}' of type {kind} was named in package.xml, but was "
                "not found in zipped directory"
            )
            package.failures.append(Failure("", name, MANIFEST, problem))
    _refuse_twice(package)
    unlisted = _unlisted(listed)
    for part in [each for each in package.parts if unlisted(each)]:
        package.parts.remove(part)
        package.failures.append(
            Failure(part.type, part.full_name, part.file, "Not in package.xml")
        )


def _refuse_twice(package: Package) -> None:
    seen: set[tuple[str, str]] = set()
    for part in list(package.parts):
        key = part.type, part.full_name.lower()
        if key in seen:
            package.parts.remove(part)
            problem = f"Duplicate name '{part.full_name}' specified"
            package.failures.append(
                Failure(part.type, part.full_name, part.file, problem)
            )
        seen.add(key)


def _unlisted(listed: set[tuple[str, str]]) -> Callable[[Part], bool]:
    def unlisted(part: Part) -> bool:
        if (part.type, part.full_name) in listed:
            return False
        if part.type in FOLDER_OF:
            return (FOLDER_OF[part.type], part.full_name) not in listed
        if (part.type, "*") in listed and part.type not in FOLDER_OF.values():
            return False
        parent = CHILD_OF.get(part.type)
        if parent is None:
            return True
        owner = part.full_name.partition(".")[0]
        if parent == "CustomLabels":
            owner = "CustomLabels"
        custom = parent != "CustomObject" or owner.endswith("__c")
        return (parent, owner) not in listed and not (
            custom and (parent, "*") in listed
        )

    return unlisted
