"""Matching and duplicate rules."""

from collections.abc import Iterator

from sidecar.package.lint import references
from sidecar.package.lint.findings import Finding
from sidecar.package.lint.index import Index
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source


def check(index: Index) -> Iterator[Finding]:
    """Yield what is wrong with the rules that find duplicates."""
    for source in index.of("MatchingRules"):
        for rule in source.root.all("matchingRules"):
            for node in rule.all("matchingRuleItems", "fieldName"):
                yield from references.field(index, source, source.name, node)
    for source in index.of("DuplicateRule"):
        yield from _duplicate_rule(index, source)


def _duplicate_rule(index: Index, source: Source) -> Iterator[Finding]:
    root, owner = source.root, source.owner
    for row in root.all("duplicateRuleMatchRules"):
        other, rule = row.get("matchRuleSObjectType"), row.one("matchingRule")
        if rule is None or rule.text.startswith("Standard_"):
            continue
        full = f"{other}.{rule.text}"
        yield from references.component(
            index, source, "matching-rule", "MatchingRule", rule, full
        )
        yield from _status(index, source, rule, full)
        for pair in row.all("objectMapping", "mappingFields"):
            yield from references.field(index, source, owner, pair.one("inputField"))
            yield from references.field(index, source, other, pair.one("outputField"))
    for item in root.all("duplicateRuleFilter", "duplicateRuleFilterItems"):
        table = item.get("table") or owner
        yield from references.field(index, source, table, item.one("field"))
    for tag, action in (
        ("operationsOnInsert", "actionOnInsert"),
        ("operationsOnUpdate", "actionOnUpdate"),
    ):
        node = root.one(tag)
        if node is not None and root.get(action) == "Block":
            message = f"{source.name} blocks, so that {tag} has no place"
            yield finding("duplicate/operations", source.path, node, tag, message)


def _status(index: Index, source: Source, node: Node, full: str) -> Iterator[Finding]:
    """A rule in use must be active, and is activated before the other."""
    owner, _, name = full.partition(".")
    document = index.document("MatchingRules", owner)
    if document is None or source.root.get("isActive") != "true":
        return
    for rule in document.root.all("matchingRules"):
        status = rule.get("ruleStatus")
        if rule.get("fullName").lower() == name.lower() and status != "Active":
            message = f"{source.name} is active, but {full} is {status}"
            yield finding(
                "duplicate/matching-inactive", source.path, node, source.name, message
            )
