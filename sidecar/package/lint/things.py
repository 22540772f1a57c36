"""Fields and objects of a project, and names that it should know and does not."""

import re
from dataclasses import dataclass, field
from functools import cached_property

from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.near import Words
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source

CUSTOM = re.compile(r"__(c|e|mdt|x|b|kav|r|pc|dlm|dll|hd|chn|xo)$", re.IGNORECASE)

# The fields of these are kept at Activity.
ACTIVITIES = frozenset({"task", "event"})


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
        return [one for one in self.fields.values() if CUSTOM.search(one.name)]


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
