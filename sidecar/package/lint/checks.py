"""All the checks, and the order in which their findings become an answer."""

from collections.abc import Callable, Iterator

from sidecar.package.lint import (
    apex,
    content,
    conversion,
    credentials,
    dashboards,
    fields,
    flows,
    matching,
    names,
    objects,
    paths,
    permissions,
    replaced,
    report_types,
    reports,
    schema,
    sections,
    stated,
    translations,
    versions,
    views,
    workflows,
)
from sidecar.package.lint.doubts import settle_doubts
from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.index import Index
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import read
from sidecar.package.read import PROJECT, Tree, modules, project

Check = Callable[[Index], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    apex.check,
    content.check,
    conversion.check,
    credentials.check,
    dashboards.check,
    fields.check,
    flows.check,
    matching.check,
    names.check,
    objects.check,
    permissions.check,
    report_types.check,
    reports.check,
    translations.check,
    versions.check,
    views.check,
    workflows.check,
)
# Before this version, elements were in use that the schema no longer knows; and what
# is newer than the schema may be known by now.
_SAME_SCHEMA = 55.0


def lint(tree: Tree) -> list[Finding]:
    """
    Look for everything that is wrong in a project.

    Args:
        tree: as ``sections.load`` gives it: paths relative to the project -> contents.

    Returns:
        Findings by file, line and rule; none twice.

    Raises:
        Unreadable: the project file is missing or names no package directories.
        Permanent: Salesforce's schema is not installed.
    """
    sources = read(tree)
    index = Index(sources.documents, sources.code, project(tree), sources.unread)
    says = stated.read(index.project)
    found = [*sources.findings, *_schema(index), *paths.check(index, says)]
    for check in CHECKS:
        found.extend(check(index))
    found.extend(replaced.check(tree, index.project))
    found.extend(sections.check(tree, index))
    line, whole = stated.line_of(tree[PROJECT]), _whole(tree)
    settled = settle_doubts(found, index)
    return sorted(set(stated.apply(says, settled, line=line, whole=whole)))


def _whole(tree: Tree) -> bool:
    """Say whether something of each module is there."""
    folders = tuple(f"{module.path}/" for module in modules(tree))
    return all(any(path.startswith(folder) for path in tree) for folder in folders)


def _schema(index: Index) -> Iterator[Finding]:
    official = schema.official()
    version = versions.number(index.project.get("sourceApiVersion"))
    other = version < _SAME_SCHEMA or version > official.version
    for source in index.documents:
        for fault in schema.check(source.root, official):
            unknown = fault.rule in {"schema/unknown-element", "schema/enum"}
            doubt = (unknown and other) or not fault.sure
            yield finding(
                fault.rule,
                source.path,
                fault.node,
                fault.name,
                fault.message,
                level=Level.WARNING if doubt else None,
            )
