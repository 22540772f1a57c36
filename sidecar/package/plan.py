"""What an install would change in an org: the plan that an admin reads and accepts.

Everything is compared in Metadata API format, component by component. Salesforce
returns elements that nobody deployed (defaults, ``processMetadataValues``), and there
is no complete list of them; so a component counts as installed when *every element of
ours is there with our value*. What else is there is left alone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from sidecar.package.patches import NONE, Patches
from sidecar.package.read import Tree

Action = Literal["add", "patch", "leave", "keep", "conflict", "blocked"]
Importance = Literal["required", "recommended", "optional"]


@dataclass(frozen=True)
class Entry:
    """What becomes of one component."""

    type: str
    full_name: str
    file: str
    """In the zip: ``objects/Lead.object``."""
    action: Action
    """
    add: not in the org. patch: there, and we change it. leave: as we want it.
    keep: the customer changed or removed ours, and we have nothing new for it.
    conflict: the customer's differs and stays, although ours is new.
    blocked: cannot be deployed; the reason says what to do.
    """
    importance: Importance
    reason: str
    diff: str = ""
    """Unified, of the canonical form: org against plan (conflict: org against ours)."""
    notes: tuple[str, ...] = ()
    """Single places that the customer changed and that stay so."""


@dataclass(frozen=True)
class Plan:
    """A plan for one org; JSON-serialisable by ``to_dict`` and ``from_dict``."""

    entries: tuple[Entry, ...]
    archive: Mapping[str, bytes]
    """What to deploy: only what changes, with package.xml. Empty: nothing to do."""
    origin: Mapping[str, str]
    """File of the org -> SHA-256 of its canonical form, when the plan was made."""
    installed: Mapping[str, bytes]
    """To be stored after success, and given as ``last`` to the next plan."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over ``origin``: equal to ``fingerprint(org)`` while not stale."""
        raise NotImplementedError

    @property
    def counts(self) -> dict[str, int]:
        """Action -> number of entries; every action is there."""
        raise NotImplementedError

    @property
    def empty(self) -> bool:
        """Nothing to deploy."""
        raise NotImplementedError

    @property
    def blocked(self) -> bool:
        """An entry is blocked: the archive must not be deployed."""
        raise NotImplementedError

    @property
    def diffs(self) -> dict[str, str]:
        """File -> the diffs of its entries, joined."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, object]:
        """Give JSON-ready values; files that are not UTF-8 text go as base64."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "Plan":
        """Read back what ``to_dict`` gave; unknown keys are passed over."""
        raise NotImplementedError


def plan(
    ours: Tree, org: Tree, last: Tree | None = None, *, patches: Patches = NONE
) -> Plan:
    """
    Compare what we want with what is there.

    Args:
        ours: ``archive.files`` of the filled tree, package.xml included.
        org: what was retrieved for ``members_to_retrieve``, unzipped.
        last: ``Plan.installed`` of the last successful install; None at the first.
        patches: sections for the customer's layouts.

    Raises:
        Unreadable: a file that is not the metadata that its name says.
    """
    raise NotImplementedError


def members_to_retrieve(
    ours: Tree, patches: Patches = NONE, *, layouts: Collection[str] = ()
) -> dict[str, set[str]]:
    """
    Say what has to be retrieved before ``plan`` can be made.

    Args:
        layouts: full names of all layouts, as listMetadata gives them; those of other
            objects are passed over.

    Returns:
        Type -> full names, for the manifest of the retrieve call; ``*`` for types of
        which another component may stand in our way.
    """
    raise NotImplementedError


def fingerprint(org: Tree) -> str:
    """Give one SHA-256 over the canonical form of every file but package.xml."""
    raise NotImplementedError


def changed_since(made: Plan, org: Tree) -> list[str]:
    """List the files that were edited since: not empty means that the plan is stale."""
    raise NotImplementedError


def summary(made: Plan) -> list[str]:
    """Give lines of text: counts, then each entry that is not simply left alone."""
    raise NotImplementedError
