"""What the project defines, by name: the ground on which references are judged.

An org holds more than a project. So a name is only missed where the project should
know it: its own custom objects it knows whole, a standard object it may merely add
to, and what has another namespace, or no custom suffix, is not ours to judge.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.near import Words, nearest
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source
from sidecar.package.lint.standard import (
    CUSTOM_OBJECT_FIELDS,
    CUSTOM_RELATIONSHIPS,
    RELATIONSHIPS,
    STANDARD_FIELDS,
)

_CUSTOM = re.compile(r"__(c|e|mdt|x|b|kav|r|pc|dlm|dll|hd|chn|xo)$", re.IGNORECASE)
_PART = re.compile(
    r"__(Latitude|Longitude|Street|City|PostalCode|StateCode|CountryCode"
    r"|GeocodeAccuracy)__s$",
    re.IGNORECASE,
)
# The fields of these are kept at Activity.
_ACTIVITIES = frozenset({"task", "event"})


@dataclass(frozen=True, slots=True)
class Field:
    """A field that the project defines, or adds to."""

    object: str
    name: str
    type: str
    """``Picklist`` ...; '' for a standard field that is merely adjusted."""
    node: Node
    path: str

    @property
    def full_name(self) -> str:
        """Such as ``Lead.Referral_Key__c``."""
        return f"{self.object}.{self.name}"

    @property
    def is_formula(self) -> bool:
        """Computed from other fields of the record."""
        return bool(self.node.get("formula"))

    @property
    def target(self) -> str:
        """Object that a lookup or master-detail field points to, or ''."""
        return self.node.get("referenceTo")


@dataclass
class Object:
    """An object that the project defines, or adds to."""

    name: str
    source: Source | None = None
    """Its own document; None where the project only adds to it."""
    fields: dict[str, Field] = field(default_factory=dict)
    """By name in lower case."""
    unread: set[str] = field(default_factory=set)
    """Names in lower case of fields whose files are broken."""

    whole: bool = False
    """The project holds all that this custom object has."""

    @cached_property
    def words(self) -> Words:
        """Its fields, to find one that is alike."""
        return Words(one.name for one in self.fields.values())

    @cached_property
    def custom(self) -> list[Field]:
        """Fields that somebody made, not only adjusted."""
        return [one for one in self.fields.values() if _CUSTOM.search(one.name)]


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that the project should know, and does not."""

    rule: str
    name: str
    message: str
    level: Level | None = None
    doubtful: str = ""

    def at(self, path: str, where: Node | int, context: str) -> Finding:
        """Say it of a place: ``context`` begins the sentence."""
        return finding(
            self.rule,
            path,
            where,
            self.name,
            f"{context}: {self.message}",
            level=self.level,
            doubtful=self.doubtful,
        )


@dataclass(frozen=True)
class Index:
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
        inner = (
            ("CustomLabels", "labels", "CustomLabel", "fullName", False),
            ("MatchingRules", "matchingRules", "MatchingRule", "fullName", True),
            ("Workflow", "outboundMessages", "OutboundMessage", "fullName", True),
            ("Workflow", "alerts", "EmailAlert", "fullName", True),
            ("CustomObject", "listViews", "ListView", "fullName", True),
            ("CustomObject", "recordTypes", "RecordType", "fullName", True),
            ("CustomObject", "compactLayouts", "CompactLayout", "fullName", True),
            ("CustomObject", "webLinks", "WebLink", "fullName", True),
        )
        for outer, tag, kind, name_tag, owned in inner:
            for source in self.of(outer):
                for node in source.root.all(tag):
                    full = node.get(name_tag)
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
                _CUSTOM.search(source.name)
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
        parts = (_CUSTOM.sub("", name).partition("__") for name in own)
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

    # --- judging a name ---

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
        head, _, rest = _CUSTOM.sub("", name).partition("__")
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
        if name in _ACTIVITIES and name not in self.objects:
            name = "activity"
        return self.objects.get(name)

    def missing_object(self, name: str) -> Missing | None:
        """Judge the name of an object."""
        name = self.bare(name)
        if not name or self.object(name) or self.foreign(name):
            return None
        if not _CUSTOM.search(name):
            if self.objects.get(f"{name}__c".lower()):
                said = f"there is no object {name}; did you mean {name}__c?"
                return Missing("reference/object", name, said)
            return None
        meant = self.words("CustomObject").nearest(name)
        said = f"there is no object {name}{meant}"
        known = self.names.get("CustomObject")
        level = Level.NOTE if self.depends or not known else None
        doubtful = "" if meant else "CustomObject"
        return Missing("reference/object", name, said, level, doubtful)

    def missing_field(self, owner: str, path: str) -> Missing | None:
        """
        Judge a field, or a path over relationships: ``Referrer__r.Contact__r.Email``.

        Returns:
            None where all of it is known, or where it leaves what can be judged.
        """
        key = owner.lower(), path.lower()
        if key not in self._judged:
            self._judged[key] = self._judge(owner, path)
        return self._judged[key]

    @cached_property
    def _judged(self) -> dict[tuple[str, str], Missing | None]:
        """Large projects name the same fields very often."""
        return {}

    def _judge(self, owner: str, path: str) -> Missing | None:
        *steps, name = path.split(".")
        for step in steps:
            if missing := self._missing_step(owner, step):
                return missing
            owner = self._through(owner, step)
            if not owner:
                return None
        return self._missing_last(owner, name)

    def field(self, owner: str, path: str) -> Field | None:
        """Give the field at the end of a path, where the project defines it."""
        *steps, name = path.split(".")
        for step in steps:
            owner = self._through(owner, step)
        thing = self.object(owner) if owner else None
        if thing is None:
            return None
        name = self.bare(name)
        found = thing.fields.get(name.lower())
        if found is None and thing.name.lower() in _ACTIVITIES:
            activity = self.objects.get("activity")
            found = activity.fields.get(name.lower()) if activity else None
        return found

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

    def missing(self, rule: str, kind: str, name: str) -> Missing | None:
        """Judge the name of a component of this type (of ``names``)."""
        name = self.bare(name)
        known = self.names.get(kind, {})
        foreign = any(self.foreign(part) for part in name.split("."))
        if not name or name.lower() in known or foreign:
            return None
        said = f"there is no {_SPOKEN.get(kind, kind)} {name}"
        level = Level.NOTE if self.depends or not known else None
        meant = self.words(kind).nearest(name)
        return Missing(rule, name, said + meant, level, "" if meant else kind)

    def _missing_step(self, owner: str, step: str) -> Missing | None:
        if not step.lower().endswith("__r"):
            thing = self.object(owner)
            ours = thing is not None and thing.whole
            if ours and step.lower() not in CUSTOM_RELATIONSHIPS:
                said = f"{owner} has no relationship {step}"
                meant = f"{step}__c".lower() in (thing.fields if thing else ())
                said += f"; did you mean {step}__r?" if meant else ""
                return Missing("reference/relationship", f"{owner}.{step}", said)
            return None
        missing = self._missing_last(owner, f"{step[:-1]}c")
        if missing is None or missing.rule == "reference/object":
            return missing
        said = missing.message.replace(f"{step[:-1]}c", step)
        return Missing(
            "reference/relationship",
            missing.name,
            said,
            missing.level,
            missing.doubtful,
        )

    def _through(self, owner: str, step: str) -> str:
        """Give the object on the other side of a relationship, or ''."""
        step = self.bare(step)
        if step.lower().endswith("__r"):
            one = self.field(owner, f"{step[:-1]}c")
            return one.target if one else ""
        if step.lower() == "parent":
            return owner
        return RELATIONSHIPS.get(step.lower(), "")

    def _missing_last(self, owner: str, name: str) -> Missing | None:
        if missing := self.missing_object(owner):
            return missing
        thing = self.object(owner)
        name = _PART.sub("__c", self.bare(name))
        full = f"{self.bare(owner)}.{name}"
        if not name or self.field(owner, name) or self.foreign(name):
            return None
        if thing is not None and name.lower() in thing.unread:
            return None
        if not _CUSTOM.search(name):
            return self._missing_standard(owner, thing, name)
        if name.lower().endswith("__pc"):
            return self._missing_last("Contact", f"{name[:-2]}c")
        if thing is None or not (thing.custom or thing.whole):
            return None
        meant = thing.words.nearest(name)
        said = f"{thing.name} has no field {name}{meant}"
        if thing.whole:
            return Missing("reference/field", full, said)
        doubtful = "" if meant else thing.name
        return Missing("reference/field", full, said, Level.WARNING, doubtful)

    def _missing_standard(
        self, owner: str, thing: Object | None, name: str
    ) -> Missing | None:
        """A standard name is only judged where Salesforce's list is known."""
        suffix = _CUSTOM.search(owner)
        full = f"{owner}.{name}"
        if suffix is None:
            known = STANDARD_FIELDS.get(owner.lower(), ())
            lower = {other.lower() for other in known}
            # Reports and formulas name a lookup without its Id.
            if name.lower() in lower or f"{name}id".lower() in lower:
                return None
            meant = Words(known).near(name)
            if not meant or abs(len(meant) - len(name)) > 1 or meant[0] != name[0]:
                return None
            # Features bring fields of their own, so that only what looks like a slip
            # of the pen is told.
            said = f"{owner} has no standard field {name}; did you mean {meant}?"
            return Missing("reference/field", full, said, Level.WARNING)
        standard = CUSTOM_OBJECT_FIELDS.get(suffix[1].lower())
        if standard is None or thing is None or not thing.whole:
            return None
        if name.lower() in {other.lower() for other in standard}:
            return None
        all_of_it = [*standard, *(one.name for one in thing.fields.values())]
        said = f"{thing.name} has no field {name}{nearest(name, all_of_it)}"
        return Missing("reference/field", full, said)


_SPOKEN = {
    "CustomLabel": "custom label",
    "CustomPermission": "custom permission",
    "OutboundMessage": "outbound message",
    "EmailAlert": "e-mail alert",
    "RecordType": "record type",
    "CompactLayout": "compact layout",
    "GlobalValueSet": "global value set",
    "MatchingRule": "matching rule",
    "QuickAction": "quick action",
    "PermissionSet": "permission set",
    "CustomTab": "tab",
    "CustomApplication": "app",
    "FlexiPage": "Lightning page",
    "ReportType": "report type",
    "ExternalCredential": "external credential",
    "EmailTemplate": "e-mail template",
    "Apex": "Apex class or page",
    "Flow": "flow",
    "Report": "report",
}


def _add(thing: Object, node: Node, name: str, path: str) -> None:
    thing.fields[name.lower()] = Field(thing.name, name, node.get("type"), node, path)


def settle_doubts(findings: Iterable[Finding], index: Index) -> list[Finding]:
    """
    Lower to advice what most likely lives in the org and not in the project.

    A project that names many unknown fields of a standard object, or many unknown
    classes, does not hold those; one that names one or two has misspelt them.
    """
    findings = list(findings)
    unknown: dict[str, set[str]] = defaultdict(set)
    for one in findings:
        if one.doubtful:
            unknown[one.doubtful.lower()].add(one.name.lower())

    def lowered(one: Finding) -> bool:
        if not one.doubtful:
            return False
        thing = index.object(one.doubtful)
        known = index.names.get(one.doubtful, {})
        own = len(thing.custom) if thing else len(known)
        return len(unknown[one.doubtful.lower()]) > max(3, own // 4)

    return [
        Finding(
            one.file, one.line, one.rule, one.name, one.message, Level.NOTE, one.remedy
        )
        if lowered(one)
        else one
        for one in findings
    ]
