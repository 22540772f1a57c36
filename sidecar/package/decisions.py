"""What becomes of one component: ours, the org's and the last installed compared."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sidecar.package.identity import Node
from sidecar.package.merge import Difference, Outcome, merge_nodes, told
from sidecar.package.parts import Part

Action = Literal["add", "patch", "leave", "keep", "conflict", "blocked"]
Importance = Literal["required", "recommended", "optional"]

# Without these no referral arrives, is counted or survives lead conversion.
_REQUIRED = frozenset(
    {
        "ApexClass",
        "ApexTrigger",
        "CustomField",
        "CustomObject",
        "CustomPermission",
        "ExternalCredential",
        "Flow",
        "GlobalValueSet",
        "LeadConvertSettings",
        "NamedCredential",
        "PermissionSet",
        "WorkflowOutboundMessage",
    }
)
_OPTIONAL = frozenset(
    {
        "CustomObjectTranslation",
        "Dashboard",
        "EmailTemplate",
        "GlobalValueSetTranslation",
        "Prompt",
        "Report",
        "ReportType",
        "Translations",
    }
)
# Their elements make sense together only: half of ours and half of the customer's
# would be valid and wrong.
_WHOLE = frozenset(
    {
        "ApexClass",
        "ApexTrigger",
        "Dashboard",
        "EmailTemplate",
        "FlexiPage",
        "Flow",
        "Prompt",
        "Report",
    }
)
# Every org has them; one that was not retrieved would be replaced as a whole.
_ALWAYS_THERE = frozenset({"Settings", "StandardValueSet"})
# Longer texts are cut into hunks before they are compared line by line.
_MOST_LINES = 3_000


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a component, and what to send if anything."""

    action: Action
    reason: str
    send: Part | None = None
    notes: tuple[str, ...] = ()


def importance(kind: str) -> Importance:
    """Say how much the product depends on components of a type."""
    if kind in _REQUIRED:
        return "required"
    return "optional" if kind in _OPTIONAL else "recommended"


def decide(ours: Part, org: Part | None, last: Part | None) -> Decision:
    """
    Decide on one component.

    Args:
        org: what the org holds under that name now.
        last: what we installed there last; None where we never did.
    """
    if org is None:
        return _missing(ours, last)
    if reason := _clash(ours, org, last):
        return Decision("blocked", reason)
    outcome = merge_nodes(last.node if last else None, org.node, ours.node, ours.kind)
    content = _content(ours, org, last, outcome)
    notes = tuple(told([*outcome.conflicts, *_own_edits(outcome)]))
    if outcome.changes:
        if ours.type in _WHOLE and (last is None or outcome.edited):
            return Decision("conflict", _conflict(last), notes=notes)
        send = replace(org, node=outcome.node, content=content, source=None)
        reason = "ours is newer" if last else "is there already; ours is added to it"
        return Decision("patch", reason, send, notes)
    if outcome.conflicts:
        return Decision("conflict", _conflict(last), notes=notes)
    if notes:
        return Decision("keep", "the customer changed it; it stays so", notes=notes)
    return Decision("leave", "is there as we want it")


def diff(old: Sequence[str], new: Sequence[str], name: str) -> str:
    """
    Give a unified diff of lines; empty where they are equal.

    What is equal at both ends is cut off first, and a very long rest is shown as
    removed and added, so that the time stays in proportion.
    """
    if old == new:
        return ""
    start, end = _common(old, new)
    first = max(start - 3, 0)
    a = old[first : min(len(old) - end + 3, len(old))]
    b = new[first : min(len(new) - end + 3, len(new))]
    if not old or not new or max(len(a), len(b)) > _MOST_LINES:
        body: Iterator[str] = iter(
            [
                f"@@ -{first + bool(a)},{len(a)} +{first + bool(b)},{len(b)} @@",
                *(f"-{line}" for line in a),
                *(f"+{line}" for line in b),
            ]
        )
    else:
        shown = difflib.unified_diff(a, b, lineterm="")
        body = (_shifted(line, first) for line in list(shown)[2:])
    return "\n".join([f"--- org {name}", f"+++ plan {name}", *body]) + "\n"


def _missing(ours: Part, last: Part | None) -> Decision:
    if ours.type in _ALWAYS_THERE:
        return Decision("blocked", "every org has it, but it was not retrieved")
    if last is None:
        return Decision("add", "is not in the org", ours)
    if importance(ours.type) == "required":
        return Decision("add", "was removed from the org, but is needed", ours)
    return Decision("keep", "was removed from the org; it stays away")


def _clash(ours: Part, org: Part, last: Part | None) -> str:
    """Say what makes the field of our name unusable; empty if nothing does."""
    if ours.type != "CustomField":
        return ""
    for tag in ("type", "referenceTo", "summaryOperation"):
        there, wanted = org.node.value(tag), ours.node.value(tag)
        if there != wanted:
            return (
                f"the org's field of this name has {tag} {there or 'none'}, ours "
                f"{wanted or 'none'}: rename or delete the org's field first"
            )
    if bool(org.node.value("formula")) != bool(ours.node.value("formula")):
        return "one of the two is a formula: rename or delete the org's field first"
    there, wanted = (_value_set(part.node) for part in (org, ours))
    if there != wanted:
        return (
            f"the org's picklist takes its values from {there}, ours from {wanted}: "
            "rename or delete the org's field first"
        )
    there, wanted = (part.node.value("length") for part in (org, ours))
    # One that we installed is lengthened by the deployment.
    both = last is None and there.isdigit() and wanted.isdigit()
    if both and int(there) < int(wanted):
        return f"the org's field holds {there} characters, not {wanted}: lengthen it"
    return ""


def _value_set(field: Node) -> str:
    inner = next((node for node in field.children if node.tag == "valueSet"), None)
    if inner is None:
        return "nothing"
    return inner.value("valueSetName") or "a list of its own"


def _content(
    ours: Part, org: Part, last: Part | None, outcome: Outcome
) -> bytes | None:
    """Merge code, or the text of an e-mail: as a whole, whoever changed it alone."""
    if ours.content is None or org.content is None:
        return org.content
    wanted, there = _lines(ours), _lines(org)
    was = _lines(last) if last else None
    if wanted == there:
        return org.content
    difference = Difference("content", "changed", "theirs", "ours")
    if was == there:
        outcome.changes.append(difference)
        return ours.content
    (outcome.kept if was == wanted else outcome.conflicts).append(difference)
    return org.content


def _lines(part: Part) -> list[bytes]:
    return (part.content or b"").rstrip().splitlines()


def _own_edits(outcome: Outcome) -> list[Difference]:
    """What the customer did to ours; what was put beside it is no news."""
    return [item for item in outcome.kept if item.what != "added"]


def _conflict(last: Part | None) -> str:
    if last is None:
        return "the org has its own of this name, which stays; ours is left out"
    return "ours is newer, but the customer changed it, too; the customer's stays"


def _common(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """Count the equal lines at the beginning and at the end."""
    most = min(len(old), len(new))
    start = next((i for i in range(most) if old[i] != new[i]), most)
    most -= start
    end = next((i for i in range(most) if old[-1 - i] != new[-1 - i]), most)
    return start, end


def _shifted(line: str, by: int) -> str:
    if not line.startswith("@@"):
        return line
    return re.sub(r"([-+])(\d+)", lambda m: f"{m[1]}{int(m[2]) + by}", line)
