"""Placeholders: each that the project declares stands in its file."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from sidecar.package.lint.findings import Finding
from sidecar.package.lint.rules import finding
from sidecar.package.read import PROJECT, Tree


def check(tree: Tree, project: Mapping[str, object]) -> Iterator[Finding]:
    """Yield the declared replacements that would silently not happen."""
    entries = project.get("replacements", [])
    folders = {path.partition("/")[0] for path in tree}
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        path, text = entry.get("filename"), entry.get("stringToReplace")
        if not isinstance(path, str) or not isinstance(text, str):
            continue  # a glob or a pattern: other ways of Salesforce's own tool
        path = PurePosixPath(path).as_posix()
        content = tree.get(path)
        if content is None and path.partition("/")[0] not in folders:
            continue  # of a module that was not chosen
        if content is None:
            message = f"{path} is not there, where {text} should be replaced"
            yield finding("project/placeholder", PROJECT, 1, path, message)
        elif text.encode(errors="replace") not in content:
            message = f"{path} does not hold {text}"
            yield finding("project/placeholder", path, 1, path, message)
