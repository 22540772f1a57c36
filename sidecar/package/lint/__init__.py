"""The linter: what is wrong with an SFDX project, before an org says so.

Every check is a function of the project's files and yields findings; nothing that
stands in a file makes it raise. What each rule means is in ``rules``.
"""

from collections.abc import Callable, Iterator

from sidecar.package.lint import flows, permissions, schema
from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.index import Index, settle_doubts
from sidecar.package.lint.rules import RULES, finding
from sidecar.package.lint.sources import read
from sidecar.package.read import Tree, project

__all__ = ["RULES", "Finding", "Level", "lint"]

Check = Callable[[Index], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (flows.check, permissions.check)


def lint(tree: Tree) -> list[Finding]:
    """
    Look for everything that is wrong in a project.

    Args:
        tree: as ``sidecar.package.read.load`` gives it.

    Returns:
        Findings by file, line and rule; none twice.

    Raises:
        Unreadable: the project file is missing or names no package directories.
        Permanent: Salesforce's schema is not installed.
    """
    sources = read(tree)
    index = Index(sources.documents, sources.code, project(tree))
    found = [*sources.findings, *_schema(index)]
    for check in CHECKS:
        found.extend(check(index))
    return sorted(set(settle_doubts(found, index)))


def _schema(index: Index) -> Iterator[Finding]:
    official = schema.official()
    for source in index.documents:
        for fault in schema.check(source.root, official):
            yield finding(
                fault.rule, source.path, fault.node, fault.name, fault.message
            )
