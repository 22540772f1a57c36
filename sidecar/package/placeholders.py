"""Values that belong to the org: declared in the project, filled at an install.

They are declared as ``replacements`` of the project file, so that Salesforce's own
``sf`` command fills the same places from the environment. In the source stands a text
that keeps the file valid.

Source: "Replace Strings in Code Before Deploying or Packaging", Salesforce DX
Developer Guide.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from sidecar.errors import Permanent, Unreadable
from sidecar.package.read import PROJECT, Tree, project


@dataclass(frozen=True)
class Placeholder:
    """One text in one file."""

    name: str
    """Such as ``REFERRAL_ENDPOINT_URL``."""
    path: str
    text: str
    """What stands in the source instead of the value."""


def declared(tree: Tree) -> list[Placeholder]:
    """
    List the placeholders of those files that the tree holds.

    Raises:
        Unreadable: a declaration that we do not understand, or whose text is not in
            its file: the value would silently not arrive.
    """
    entries = project(tree).get("replacements", [])
    if not isinstance(entries, list):
        raise Unreadable(f"{PROJECT}: replacements is not a list")
    found = [_placeholder(entry) for entry in entries]
    for placeholder in found:
        content = tree.get(placeholder.path)
        if content is not None and placeholder.text.encode() not in content:
            raise Unreadable(f"{placeholder.path} does not hold {placeholder.text!r}")
    return [placeholder for placeholder in found if placeholder.path in tree]


def fill(tree: Tree, values: Mapping[str, str]) -> dict[str, bytes]:
    """
    Put the org's values in place; the result declares no placeholders any more.

    Args:
        values: one for each name that ``declared`` lists, and no other.

    Raises:
        Permanent: a value is missing, left over, empty, or holds a line break or
            another control character.
    """
    wanted = declared(tree)
    names = {placeholder.name for placeholder in wanted}
    if missing := sorted(names - set(values)):
        raise Permanent(f"the package needs a value for {', '.join(missing)}")
    if unknown := sorted(set(values) - names):
        raise Permanent(f"the package has no placeholder {', '.join(unknown)}")
    for name, value in values.items():
        if not value.strip() or not value.isprintable():
            raise Permanent(f"{name}: {value!r} cannot be written into the package")

    filled = dict(tree)
    for placeholder in wanted:
        filled[placeholder.path] = filled[placeholder.path].replace(
            placeholder.text.encode(), escape(values[placeholder.name]).encode()
        )
    settled = {k: v for k, v in project(tree).items() if k != "replacements"}
    filled[PROJECT] = json.dumps(settled, indent=2).encode() + b"\n"
    return filled


def _placeholder(entry: object) -> Placeholder:
    if not isinstance(entry, dict) or set(entry) != {
        "filename",
        "stringToReplace",
        "replaceWithEnv",
    }:
        raise Unreadable(
            f"{PROJECT}: a replacement needs filename, stringToReplace and "
            f"replaceWithEnv, and nothing else: {entry!r}"
        )
    return Placeholder(
        name=str(entry["replaceWithEnv"]),
        path=str(entry["filename"]),
        text=str(entry["stringToReplace"]),
    )
