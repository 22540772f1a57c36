"""What a project defines, by type and name."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sidecar.package.lint.near import Words
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.sources import Source
from sidecar.package.lint.things import ACTIVITIES, CUSTOM, Field, Object

# Document, element inside of it, type of the component that the element holds, and
# whether its name begins with the document's.
_INNER = (
    ("CustomLabels", "labels", "CustomLabel", False),
    ("MatchingRules", "matchingRules", "MatchingRule", True),
    ("Workflow", "outboundMessages", "OutboundMessage", True),
    ("Workflow", "alerts", "EmailAlert", True),
    ("CustomObject", "listViews", "ListView", True),
    ("CustomObject", "recordTypes", "RecordType", True),
    ("CustomObject", "compactLayouts", "CompactLayout", True),
    ("CustomObject", "webLinks", "WebLink", True),
)


@dataclass(frozen=True)
class Defined:
    """A project's components by type and name."""

    documents: list[Source]
    code: Mapping[str, str]
    project: Mapping[str, object]
    unread: list[tuple[str, str]] = field(default_factory=list)
    """Type and full name of what is there, but broken: it is not missed."""

    @cached_property
    def namespace(self) -> str:
        """The project's own, or ''."""
        return str(self.project.get("namespace") or "")

    @cached_property
    def depends(self) -> bool:
        """The project builds upon other packages, which may bring what it lacks."""
        entries = self.project.get("packageDirectories")
        return isinstance(entries, list) and any(
            isinstance(entry, dict) and entry.get("dependencies") for entry in entries
        )

    @cached_property
    def by_type(self) -> Mapping[str, list[Source]]:
        """Documents of each type, in the order of their paths."""
        found: dict[str, list[Source]] = defaultdict(list)
        for source in self.documents:
            found[source.type].append(source)
        return found

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], Source]:
        return {(one.type, one.name.lower()): one for one in self.documents}

    def document(self, kind: str, name: str) -> Source | None:
        """Give the document of this type and full name, if the project holds it."""
        return self._by_name.get((kind, name.lower()))

    @cached_property
    def by_owner(self) -> Mapping[tuple[str, str], list[Source]]:
        """Type and object in lower case -> what belongs to the object."""
        found: dict[tuple[str, str], list[Source]] = defaultdict(list)
        for source in self.documents:
            found[source.type, source.owner.lower()].append(source)
        return found

    def of(self, *types: str) -> Iterator[Source]:
        """Yield the documents of these types."""
        for kind in types:
            yield from self.by_type.get(kind, ())

    @cached_property
    def names(self) -> Mapping[str, dict[str, str]]:
        """Type -> name in lower case -> name; those inside of files included."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for kind, name in self.unread:
            found[kind][name.lower()] = name
        for source in self.documents:
            found[source.type][source.name.lower()] = source.name
        for outer, tag, kind, owned in _INNER:
            for source in self.of(outer):
                for full in source.root.texts(tag, "fullName"):
                    full = f"{source.name}.{full}" if owned else full
                    found[kind][full.lower()] = full
        for path in self.code:
            stem, _, suffix = path.rpartition("/")[2].rpartition(".")
            found["Apex"][stem.lower()] = stem
            found[f"Apex.{suffix}"][stem.lower()] = stem
        return found

    @cached_property
    def objects(self) -> Mapping[str, Object]:
        """Objects by name in lower case."""
        found: dict[str, Object] = {}

        def of(name: str) -> Object:
            return found.setdefault(name.lower(), Object(name))

        for source in self.of("CustomObject"):
            thing = of(source.name)
            thing.source = source
            # What another package defines is only adjusted, without a label.
            thing.whole = bool(
                CUSTOM.search(source.name)
                and source.root.get("label")
                and not self.foreign(source.name)
            )
            for node in source.root.all("fields"):
                _add(of(source.name), node, node.get("fullName"), source.path)
        for source in self.of("CustomField"):
            _add(of(source.owner), source.root, source.own_name, source.path)
        for kind, name in self.unread:
            if kind == "CustomObject":
                of(name)
            elif kind == "CustomField":
                owner, _, own = name.partition(".")
                of(owner).unread.add(own.lower())
        return found

    @cached_property
    def _incoming(self) -> Mapping[str, dict[str, Field]]:
        found: dict[str, dict[str, Field]] = defaultdict(dict)
        for one in self.fields:
            relation = one.node.get("relationshipName").lower()
            if relation and one.target:
                found[one.target.lower()].setdefault(relation, one)
        return found

    def incoming(self, owner: str) -> Mapping[str, Field]:
        """Give the lookups to an object, by relationship name in lower case."""
        return self._incoming.get(self.bare(owner).lower(), {})

    @cached_property
    def fields(self) -> list[Field]:
        """Every field of the project."""
        return [one for thing in self.objects.values() for one in thing.fields.values()]

    @cached_property
    def prefixes(self) -> Counter[str]:
        """How many names begin with what may be a namespace, by lower case."""
        own = {source.own_name.rpartition("/")[2].lower() for source in self.documents}
        parts = (CUSTOM.sub("", name).partition("__") for name in own)
        return Counter(head for head, found, _ in parts if found)

    @cached_property
    def report_ends(self) -> frozenset[str]:
        """Folder and name of each report, in lower case, outer folders left out."""
        return frozenset(
            "/".join(name.split("/")[-2:]) for name in self.names.get("Report", {})
        )

    @cached_property
    def value_sets(self) -> Mapping[str, tuple[str, ...]]:
        """Global value sets by name in lower case: their API names, in order."""
        return {
            source.name.lower(): tuple(source.root.texts("customValue", "fullName"))
            for source in self.of("GlobalValueSet")
        }

    def values(self, one: Field) -> tuple[str, ...] | None:
        """
        List the API names of a picklist's values.

        Returns:
            None for what is no picklist, or whose values the project does not hold.
        """
        shared = one.node.get("valueSet", "valueSetName")
        if shared:
            return self.value_sets.get(shared.lower())
        if one.node.one("valueSet", "valueSetDefinition"):
            own = one.node.texts("valueSet", "valueSetDefinition", "value", "fullName")
            return tuple(own)
        return None

    def labels(self, one: Field) -> list[str]:
        """List the labels of a picklist's values; API names where it has none."""
        rows = one.node.all("valueSet", "valueSetDefinition", "value")
        shared = one.node.get("valueSet", "valueSetName")
        document = self.document("GlobalValueSet", shared) if shared else None
        if document is not None:
            rows = document.root.all("customValue")
        return [row.get("label") or row.get("fullName") for row in rows]

    def has_default(self, one: Field) -> bool:
        """Say whether one of a picklist's values is chosen beforehand."""
        rows = list(one.node.all("valueSet", "valueSetDefinition", "value"))
        shared = self.document(
            "GlobalValueSet", one.node.get("valueSet", "valueSetName")
        )
        if shared is not None:
            rows += shared.root.all("customValue")
        return any(row.get("default") == "true" for row in rows)

    def words(self, kind: str) -> Words:
        """Give the names of a type, to find one that is alike."""
        if kind not in self._words:
            self._words[kind] = Words(self.names.get(kind, {}).values())
        return self._words[kind]

    @cached_property
    def _words(self) -> dict[str, Words]:
        return {}

    def foreign(self, name: str) -> bool:
        """Say whether a custom name has the namespace of another package."""
        head, _, rest = CUSTOM.sub("", name).partition("__")
        return bool(rest) and head.lower() != self.namespace.lower()

    def bare(self, name: str) -> str:
        """Take the project's own namespace off a name."""
        own = f"{self.namespace}__"
        if self.namespace and name.lower().startswith(own.lower()):
            return name[len(own) :]
        return name

    def object(self, name: str) -> Object | None:
        """Give an object that the project defines or adds to; activities together."""
        name = self.bare(name).lower()
        if name in ACTIVITIES and name not in self.objects:
            name = "activity"
        return self.objects.get(name)


def _add(thing: Object, node: Node, name: str, path: str) -> None:
    thing.fields[name.lower()] = Field(thing.name, name, node.get("type"), node, path)
