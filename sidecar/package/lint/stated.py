"""What a project states about itself: levels of its own, and exemptions with a reason.

Stated in the project file, where tools keep their settings:

    "plugins": {"sidecar-lint": {
        "milestones": "Referral_Status",
        "levels": {"field/help": "warning", "flow/inactive": "off"},
        "exempt": [{"rule": "lead-convert/unmapped",
                    "name": "Lead.Referral_Response_Due__c",
                    "reason": "A contact has no response clock."}]}}

``*`` in a name stands for any text. An exemption that meets nothing is itself a
finding.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.near import nearest
from sidecar.package.lint.rules import RULES, finding
from sidecar.package.read import PROJECT

KEY = "sidecar-lint"
_OFF = "off"
_KEYS: Mapping[str, type] = {"milestones": str, "levels": dict, "exempt": list}
_SPOKEN: Mapping[type, str] = {str: "a text", dict: "an object", list: "a list"}


@dataclass(frozen=True, slots=True)
class Exemption:
    """A finding that is meant to be."""

    rule: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stated:
    """What the project file says to the linter."""

    milestones: str = ""
    """Name of the global value set that holds the milestones, or ''."""
    levels: Mapping[str, str] = field(default_factory=dict)
    exemptions: tuple[Exemption, ...] = ()
    problems: tuple[str, ...] = ()
    """What is not understood of it."""


def read(project: Mapping[str, object]) -> Stated:
    """Read what the project file says; nothing that stands in it makes this fail."""
    plugins = project.get("plugins")
    said = plugins.get(KEY) if isinstance(plugins, dict) else None
    if said is None:
        return Stated()
    if not isinstance(said, dict):
        return Stated(problems=(f"plugins.{KEY} is not an object",))
    problems = [f"plugins.{KEY} knows no {key}" for key in set(said) - set(_KEYS)]
    problems += [
        f"plugins.{KEY}.{key} is not {_SPOKEN[kind]}"
        for key, kind in _KEYS.items()
        if key in said and not isinstance(said[key], kind)
    ]

    levels = _levels(said.get("levels"), problems)
    exemptions = _exemptions(said.get("exempt"), problems)
    names = said.get("milestones", "")
    return Stated(
        milestones=names if isinstance(names, str) else "",
        levels=levels,
        exemptions=tuple(exemptions),
        problems=tuple(problems),
    )


def _levels(given: object, problems: list[str]) -> dict[str, str]:
    levels: dict[str, str] = {}
    for rule, level in given.items() if isinstance(given, dict) else ():
        if rule not in RULES:
            problems.append(f"there is no rule {rule}{nearest(rule, RULES)}")
        elif not isinstance(level, str) or level not in {*Level, _OFF}:
            problems.append(f"{rule}: {level!r} is not error, warning, note or off")
        else:
            levels[rule] = level
    return levels


def _exemptions(rows: object, problems: list[str]) -> list[Exemption]:
    exemptions: list[Exemption] = []
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or not all(
            isinstance(row.get(key), str) and row[key].strip()
            for key in ("rule", "name", "reason")
        ):
            problems.append(f"an exemption needs rule, name and reason: {row!r}")
        elif row["rule"] not in RULES:
            problems.append(f"there is no rule {row['rule']}")
        else:
            exemptions.append(Exemption(row["rule"], row["name"], row["reason"]))
    return exemptions


def line_of(project_file: bytes) -> int:
    """Give the line of the project file on which the statements begin; 1 if none."""
    before, found, _ = project_file.partition(f'"{KEY}"'.encode())
    return before.count(b"\n") + 1 if found else 1


def apply(
    stated: Stated, findings: Iterable[Finding], *, line: int, whole: bool
) -> Iterator[Finding]:
    """
    Yield the findings that remain, at the level that the project wants.

    Args:
        line: of the project file, for what is wrong with its statements.
        whole: every module is there; else an exemption may be for another one.
    """
    met: set[Exemption] = set()
    for one in findings:
        exempt = [row for row in stated.exemptions if _meets(row, one)]
        met.update(exempt)
        level = stated.levels.get(one.rule)
        if exempt or level == _OFF:
            continue
        # A project may raise what is advice; what was lowered for doubt stays low.
        usual = RULES[one.rule].level
        raised = level is not None and one.level is usual
        yield replace(one, level=Level(level)) if raised and level else one
    for row in stated.exemptions:
        if whole and row not in met:
            message = f"nothing is exempt from {row.rule} as {row.name} any more"
            yield finding("project/unused-exemption", PROJECT, line, row.name, message)
    for problem in stated.problems:
        yield finding("project/statement", PROJECT, line, KEY, problem)


def _meets(row: Exemption, one: Finding) -> bool:
    return row.rule == one.rule and fnmatchcase(one.name.lower(), row.name.lower())
