"""Apex and e-mail texts as far as names go: is this a slip of the pen?

Salesforce's compiler judges Apex; here only what looks like a misspelt name of the
project's own is told, since an org's other names are not known.
"""

import re
from collections import Counter
from collections.abc import Iterator

from sidecar.package.lint.findings import Finding
from sidecar.package.lint.index import Index
from sidecar.package.lint.near import Words
from sidecar.package.lint.rules import finding

_NAME = re.compile(r"\b[A-Za-z][A-Za-z0-9_]*__(?:c|e|mdt|r)\b")
_TRIGGER = re.compile(r"\btrigger\s+(\w+)\s+on\s+(\w+)\s*\(", re.IGNORECASE)
_SUFFIXES = (".cls", ".trigger", ".email")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def check(index: Index) -> Iterator[Finding]:
    """Yield names in code that the project does not have, but almost."""
    known = _known(index)
    unknown, words = _unknown(index, known), Words(known.values())
    for path, text in index.code.items():
        if not path.endswith(_SUFFIXES):
            continue
        plain = _COMMENT.sub(_blank, text)
        seen: set[str] = set()
        found = _TRIGGER.search(plain)
        if found and (missing := index.missing_object(found[2])):
            seen.add(found[2])
            line = plain.count("\n", 0, found.start()) + 1
            yield missing.at(path, line, found[1])
        for match in _NAME.finditer(plain):
            name = match[0]
            if name.lower() not in unknown or name in seen:
                continue
            seen.add(name)
            if meant := words.near(name, likeness=0.9):
                line = plain.count("\n", 0, match.start()) + 1
                message = f"{name} is no name of this project; did you mean {meant}?"
                yield finding("reference/code-name", path, line, name, message)


def _unknown(index: Index, known: dict[str, str]) -> set[str]:
    """
    Names in lower case that are told nowhere but in one file of code.

    What several files name is in the org; and what very many names are unknown of is
    a project that does not hold its fields.
    """
    files: Counter[str] = Counter()
    for path, text in index.code.items():
        if path.endswith(_SUFFIXES):
            files.update({name.lower() for name in _NAME.findall(text)})
    found = {
        name
        for name, count in files.items()
        if count == 1 and name not in known and not index.foreign(name)
    }
    return found if len(found) <= max(20, len(known) // 4) else set()


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _known(index: Index) -> dict[str, str]:
    """Names of objects, fields and relationships, by lower case."""
    names = [thing.name for thing in index.objects.values()]
    for one in index.fields:
        names.append(one.name)
        names.append(f"{one.name[:-1]}r")
        if relation := one.node.get("relationshipName"):
            names.append(f"{relation}__r")
    return {name.lower(): name for name in names}
