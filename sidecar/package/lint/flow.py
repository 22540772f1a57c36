"""One flow, with what its names mean."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sidecar.package.lint.expressions import Scope
from sidecar.package.lint.findings import Finding
from sidecar.package.lint.index import Index
from sidecar.package.lint.near import Words
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source
from sidecar.package.lint.things import Missing

_ELEMENTS = frozenset(
    {
        *("actionCalls", "apexPluginCalls", "assignments", "collectionProcessors"),
        *("customErrors", "decisions", "loops", "orchestratedStages", "recordCreates"),
        *("recordDeletes", "recordLookups", "recordRollbacks", "recordUpdates"),
        *("screens", "steps", "subflows", "transforms", "waits", "experiments"),
    }
)


@dataclass(frozen=True)
class Flow:
    """One flow with what its names mean."""

    index: Index
    source: Source

    @property
    def root(self) -> Node:
        """The whole document."""
        return self.source.root

    @property
    def start(self) -> Node:
        """The start element; an empty one where there is none."""
        return self.root.one("start") or Node("start")

    @cached_property
    def elements(self) -> dict[str, Node]:
        """What a connector can lead to, by name in lower case."""
        return {
            node.get("name").lower(): node
            for node in self.root.kids
            if node.name in _ELEMENTS and node.get("name")
        }

    @cached_property
    def names(self) -> dict[str, str]:
        """Everything that has a name and so can be referred to."""
        return {
            node.text.lower(): node.text
            for node in self.root.walk()
            if node.name == "name" and node.text
        }

    @cached_property
    def words(self) -> Words:
        """The names, to find one that is alike."""
        return Words(self.names.values())

    @cached_property
    def record_objects(self) -> dict[str, str]:
        """Name of a variable or element in lower case -> object of its records."""
        found = {
            node.get("name").lower(): node.get("objectType")
            for node in self.root.all("variables")
            if node.get("objectType")
        }
        for node in self.root.all("recordLookups"):
            found.setdefault(node.get("name").lower(), node.get("object"))
        if self.start.get("object"):
            for name in ("$record", "$record__prior"):
                found[name] = self.start.get("object")
        for node in self.root.all("loops"):
            inner = found.get(node.get("collectionReference").lower())
            if inner:
                found.setdefault(node.get("name").lower(), inner)
        return found

    def owner(self, reference: str) -> str:
        """Give the object of the record that a reference names, or ''."""
        return self.record_objects.get(reference.lower(), "")

    def scope(self, node: Node) -> Scope:
        """Stand at this place."""
        return Scope(self.index, self.source.path, node, self.source.name, "")

    def say(self, rule: str, node: Node, name: str, message: str) -> Finding:
        """Make a finding of this flow."""
        return finding(rule, self.source.path, node, name, message)

    def at(self, missing: Missing | None, node: Node) -> Iterator[Finding]:
        """Make a finding of what is missing, if anything is."""
        if missing:
            yield missing.at(self.source.path, node, self.source.name)
