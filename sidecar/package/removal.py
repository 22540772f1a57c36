"""How to take the package out again: after a failed deploy, or for good.

Both give steps, computed from what is in the org *now*: whoever was interrupted asks
again and gets what is left. A step is either a package to deploy or an instruction
for the hands. ``purgeOnDelete`` is in no step: production refuses it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sidecar.package.read import Tree

StepKind = Literal[
    "deactivate_flows", "delete_flow_versions", "unassign", "deploy", "by_hand"
]


@dataclass(frozen=True)
class Step:
    """One thing to do; the next waits for it."""

    kind: StepKind
    title: str
    """For people: ``Delete the fields of Lead``."""
    names: tuple[str, ...] = ()
    """Flows to deactivate or delete, permission sets to unassign, or what a
    ``deploy`` deletes or restores."""
    archive: Mapping[str, bytes] = field(default_factory=dict)
    """Of a ``deploy``: package.xml, files, perhaps destructiveChanges.xml."""
    may_fail: str = ""
    """Not empty: why Salesforce may refuse this step although all is well; the next
    steps are then still to be done."""


@dataclass(frozen=True)
class Removal:
    """Steps in order, and what has to be known before they are begun."""

    steps: tuple[Step, ...]
    losses: tuple[str, ...] = ()
    """The customer's own things that would go too, and edits of ours: needs a yes."""
    notes: tuple[str, ...] = ()
    """What stays behind, and why."""


def rollback(*, before: Tree, sent: Tree, now: Tree) -> Removal:
    """
    Undo one deployment.

    What was not there before is deleted, what was there is put back as it was; what
    the customer changed since the deployment stays (three-way merge).

    Args:
        before: the org's files when the plan was made, as retrieved then.
        sent: ``Plan.archive`` of the deployment.
        now: the same members, retrieved again.
    """
    raise NotImplementedError


def uninstall(*, installed: Tree, before: Tree, now: Tree) -> Removal:
    """
    Take out everything that was ever installed.

    Args:
        installed: ``Plan.installed`` of the last install, patches included.
        before: the org's files before the *first* install; what was there then is
            put back instead of deleted.
        now: retrieved for ``members_to_remove``.
    """
    raise NotImplementedError


def members_to_remove(
    installed: Tree, *, layouts: Collection[str] = ()
) -> dict[str, set[str]]:
    """Say what has to be retrieved before ``uninstall``; as ``members_to_retrieve``."""
    raise NotImplementedError


def flow_versions(versions: Mapping[str, Sequence[int]], *, api_version: str) -> Tree:
    """
    Give the package that deletes versions of inactive flows.

    Args:
        versions: flow -> version numbers, from Tooling ``Flow``; the name without a
            version is refused (INSUFFICIENT_ACCESS on cross-reference id).
    """
    raise NotImplementedError


def to_export(removal: Removal, now: Tree) -> dict[str, list[str]]:
    """
    Say which data would be lost: object -> fields, for a CSV each.

    Deleted fields of an object that stays come with ``Id``; an object that goes
    comes with ``Id``, ``Name`` and all of its custom fields.
    """
    raise NotImplementedError
