"""What an install would change in an org: the plan that an admin reads and accepts.

Everything is compared in Metadata API format, component by component. Salesforce
returns elements that nobody deployed (defaults, ``processMetadataValues``), and there
is no complete list of them; so a component counts as installed when *every element of
ours is there with our value*. What else is there is left alone.
"""

import base64
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_args

from sidecar.package.archive import MANIFEST
from sidecar.package.decisions import (
    Action,
    Decision,
    Importance,
    decide,
    diff,
    importance,
)
from sidecar.package.fingerprints import digest, origin_of
from sidecar.package.layouts import decide_layouts, remembered
from sidecar.package.parts import PATCHES, Name, Part, join, read_manifest, split
from sidecar.package.patches import (
    NONE,
    Patches,
    layouts_of,
    read_patches,
    write_patches,
)
from sidecar.package.read import Tree

# Of these another component, under another name, may stand in the way of ours.
_RIVALS = "pathAssistants/"
# One file for each object, never to be sent without what the customer has in it.
_WITH_THE_CUSTOMERS = "workflows/"

_Place = tuple[str, str]  # object and record type of a path


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
        return digest(self.origin)

    @property
    def counts(self) -> dict[str, int]:
        """Action -> number of entries; every action is there."""
        found = Counter(entry.action for entry in self.entries)
        return {action: found[action] for action in get_args(Action)}

    @property
    def empty(self) -> bool:
        """Nothing to deploy."""
        return not self.archive

    @property
    def blocked(self) -> bool:
        """An entry is blocked: the archive must not be deployed."""
        return any(entry.action == "blocked" for entry in self.entries)

    @property
    def diffs(self) -> dict[str, str]:
        """File -> the diffs of its entries, joined."""
        found: dict[str, list[str]] = defaultdict(list)
        for entry in self.entries:
            if entry.diff:
                found[entry.file].append(entry.diff)
        return {file: "".join(texts) for file, texts in found.items()}

    def to_dict(self) -> dict[str, object]:
        """Give JSON-ready values; files that are not UTF-8 text go as base64."""
        return {
            "entries": [
                {**asdict(entry), "notes": list(entry.notes)} for entry in self.entries
            ],
            "counts": self.counts,
            "fingerprint": self.fingerprint,
            "archive": _texts(self.archive),
            "origin": dict(self.origin),
            "installed": _texts(self.installed),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Plan":
        """Read back what ``to_dict`` gave; unknown keys are passed over."""
        return cls(
            entries=tuple(
                Entry(**{**entry, "notes": tuple(entry["notes"])})
                for entry in values["entries"]
            ),
            archive=_bytes(values["archive"]),
            origin=dict(values["origin"]),
            installed=_bytes(values["installed"]),
        )


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
    _, api_version = read_manifest(ours[MANIFEST])
    wanted, base = split(ours), split(last or {})
    there = split(org, [path for path in org if path in ours or _RIVALS in path])
    given = read_patches((last or {}).get(PATCHES, b"{}"))
    rivals = _rivals(there)
    decided = [
        (part, there.get(key), _standing_in_the_way(part, rivals))
        for key, part in wanted.items()
    ]
    outcomes = [
        (part, old, rival or decide(part, old, base.get(part.key)))
        for part, old, rival in decided
    ]
    outcomes += [
        (part, part, decision)
        for part, decision in decide_layouts(org, patches, given, passing=ours)
    ]
    entries = [_entry(*outcome) for outcome in outcomes]
    entries += [_old(part) for key, part in base.items() if key not in wanted]
    send = [decision.send for _, _, decision in outcomes if decision.send]
    kept = remembered(patches, given, [p for p, _, _ in outcomes if p.type == "Layout"])
    return Plan(
        entries=tuple(sorted(entries, key=lambda e: (e.file, e.type, e.full_name))),
        archive=join(send, beside=_beside(send, there), api_version=api_version),
        origin=origin_of(org),
        installed=join({**base, **wanted}.values(), api_version=api_version)
        | {PATCHES: write_patches(kept)},
    )


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
    members: dict[str, set[str]] = defaultdict(set)
    for kind, name in read_manifest(ours[MANIFEST])[0]:
        members[kind].add(name.rstrip("/"))  # the mark of a folder in our manifest
    if "PathAssistant" in members:
        members["PathAssistant"] = {"*"}
    if found := layouts_of(patches, layouts):
        members["Layout"] |= set(found)
    return dict(members)


def fingerprint(org: Tree) -> str:
    """Give one SHA-256 over the canonical form of every file but package.xml."""
    return digest(origin_of(org))


def changed_since(made: Plan, org: Tree) -> list[str]:
    """List the files that were edited since: not empty means that the plan is stale."""
    now = origin_of(org)
    return sorted(
        path
        for path in made.origin.keys() | now.keys()
        if made.origin.get(path) != now.get(path)
    )


def summary(made: Plan) -> list[str]:
    """Give lines of text: counts, then each entry that is not simply left alone."""
    counts = made.counts
    lines = [", ".join(f"{counts[action]} {action}" for action in counts)]
    for entry in made.entries:
        if entry.action == "leave":
            continue
        lines.append(
            f"{entry.action:<8} {entry.type} {entry.full_name} "
            f"({entry.importance}): {entry.reason}"
        )
        lines += [f"{'':<8} {note}" for note in entry.notes]
    return lines


def _rivals(there: Mapping[Name, Part]) -> dict[_Place, str]:
    """Index the active paths of the org by the place of which there is one."""
    return {
        (part.node.value("entityName"), part.node.value("recordTypeName")): part.name
        for part in there.values()
        if part.type == "PathAssistant" and part.node.value("active") == "true"
    }


def _standing_in_the_way(part: Part, rivals: Mapping[_Place, str]) -> Decision | None:
    if part.type != "PathAssistant":
        return None
    place = part.node.value("entityName"), part.node.value("recordTypeName")
    rival = rivals.get(place, part.name)
    if rival == part.name:
        return None
    return Decision(
        "conflict",
        f"the org has its own path {rival} for {place[0]}, and one alone can be "
        "active; ours is left out",
    )


def _entry(part: Part, org: Part | None, decision: Decision) -> Entry:
    shown = ""
    if decision.action in {"add", "patch", "conflict", "blocked"}:
        old = org.text() if org else []
        shown = diff(old, (decision.send or part).text(), f"{part.type} {part.name}")
    return Entry(
        type=part.type,
        full_name=part.name,
        file=part.file,
        action=decision.action,
        importance=importance(part.type),
        reason=decision.reason,
        diff=shown,
        notes=decision.notes,
    )


def _old(part: Part) -> Entry:
    reason = "installed earlier, and not part of this package"
    return Entry(
        part.type, part.name, part.file, "leave", importance(part.type), reason
    )


def _beside(send: list[Part], there: Mapping[Name, Part]) -> list[Part]:
    """Give what the customer has in those files that must not be sent in part."""
    files = {part.file for part in send if part.file.startswith(_WITH_THE_CUSTOMERS)}
    sent = {part.key for part in send}
    return [part for k, part in there.items() if part.file in files and k not in sent]


def _texts(tree: Tree) -> dict[str, object]:
    found: dict[str, object] = {}
    for path, content in tree.items():
        try:
            found[path] = content.decode()
        except UnicodeDecodeError:
            found[path] = {"base64": base64.b64encode(content).decode()}
    return found


def _bytes(values: Mapping[str, Any]) -> dict[str, bytes]:
    return {
        path: base64.b64decode(value["base64"])
        if isinstance(value, dict)
        else value.encode()
        for path, value in values.items()
    }
