"""What is missing here may be in the org: how sure is that?"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.index import Index


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

    return [replace(one, level=Level.NOTE) if lowered(one) else one for one in findings]
