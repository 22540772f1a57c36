"""Findings for a person, for a program, and for a code review (SARIF)."""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from urllib.parse import quote

from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.rules import RULES


def as_text(findings: Sequence[Finding]) -> str:
    """
    Give the findings grouped by file, and their count in the last line.

    Args:
        findings: sorted, as ``lint`` gives them.
    """
    lines: list[str] = []
    for file, group in groupby(findings, key=lambda found: found.file):
        lines.append(file)
        for found in group:
            lines.append(f"  {found.line}: {found.level} {found.rule}: {found.message}")
            lines.append(f"      {found.remedy}")
        lines.append("")
    lines.append(counted(findings))
    return "\n".join(_printable(line) for line in lines)


def _printable(line: str) -> str:
    """What stands in a file must not steer the terminal that shows it."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for letter in line
    )


def counted(findings: Sequence[Finding]) -> str:
    """Say how many there are: ``2 findings: 1 error, 1 note``."""
    if not findings:
        return "0 findings"
    by_level = Counter(found.level for found in findings)
    parts = [
        f"{count} {level}{'s' if count > 1 else ''}"
        for level in Level
        if (count := by_level[level])
    ]
    total = len(findings)
    return f"{total} finding{'s' if total > 1 else ''}: {', '.join(parts)}"


def as_json(findings: Sequence[Finding]) -> str:
    """Give ``{"findings": [...], "counts": {...}}``, as text."""
    rows = [
        {
            "file": found.file,
            "line": found.line,
            "rule": found.rule,
            "level": found.level.value,
            "name": found.name,
            "message": found.message,
            "remedy": found.remedy,
        }
        for found in findings
    ]
    counts = {
        level.value: sum(found.level is level for found in findings) for level in Level
    }
    return json.dumps({"findings": rows, "counts": counts}, indent=2)


def as_sarif(findings: Sequence[Finding], *, version: str) -> str:
    """
    Give a SARIF log of one run; paths are relative to ``PROJECTROOT``.

    Args:
        version: of this program.

    Source:
        Static Analysis Results Interchange Format (SARIF) Version 2.1.0, OASIS.
    """
    used = sorted({found.rule for found in findings})
    places = {rule: place for place, rule in enumerate(used)}
    driver = {
        "name": "sidecar package lint",
        "semanticVersion": version,
        "rules": [_sarif_rule(rule) for rule in used],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            "PROJECTROOT": {"description": {"text": "Holds sfdx-project.json."}}
        },
        "results": [_sarif_result(found, places[found.rule]) for found in findings],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=2)


def _sarif_rule(rule: str) -> dict[str, object]:
    row = RULES[rule]
    return {
        "id": row.id,
        "shortDescription": {"text": row.title},
        "help": {"text": row.remedy},
        "defaultConfiguration": {"level": row.level.value},
    }


def _sarif_result(found: Finding, place: int) -> dict[str, object]:
    location = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(found.file), "uriBaseId": "PROJECTROOT"},
            "region": {"startLine": found.line},
        },
        "logicalLocations": [{"fullyQualifiedName": found.name}],
    }
    return {
        "ruleId": found.rule,
        "ruleIndex": place,
        "level": found.level.value,
        "message": {"text": f"{found.message}. {found.remedy}"},
        "locations": [location],
    }
