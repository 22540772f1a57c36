"""One API version for everything: what differs behaves differently."""

from collections.abc import Iterator

from sidecar.package.lint.findings import Finding
from sidecar.package.lint.index import Index
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.read import PROJECT

_TYPES = ("Flow", "ApexClass", "ApexTrigger", "ApexPage", "ApexComponent")


def check(index: Index) -> Iterator[Finding]:
    """Yield the versions that are not the project's."""
    version = index.project.get("sourceApiVersion")
    if not isinstance(version, str) or not number(version):
        message = "the project does not say its sourceApiVersion"
        yield finding("project/api-version", PROJECT, 1, PROJECT, message)
        return
    for source in index.of(*_TYPES, "EmailTemplate"):
        if node := source.root.one("apiVersion"):
            yield from _differs(source.path, source.name, node, version)
    for source in index.of("Workflow"):
        for node in source.root.all("outboundMessages", "apiVersion"):
            yield from _differs(source.path, source.name, node, version)


def _differs(path: str, name: str, node: Node, version: str) -> Iterator[Finding]:
    if number(node.text) != number(version):
        message = f"{name} has version {node.text}, the project {version}"
        yield finding("version/differs", path, node, name, message)


def number(text: object) -> float:
    """Read a version such as ``62.0``; 0 for what is none."""
    try:
        return float(str(text))
    except ValueError:
        return 0.0
