"""The Apex tests that a deployment must pass, which this org counts but cannot run.

The back door says how many tests the customer has, which of them fail, and how much
code they cover; a package's own tests always pass.

Source: "Running Tests in a Deployment", Metadata API Developer Guide; the words as
users have reported them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sidecar.devorg.metadata.apex import Code
from sidecar.devorg.metadata.archive import Package

if TYPE_CHECKING:
    from sidecar.devorg.metadata.deployment import Options
    from sidecar.devorg.org import Org

APEX = frozenset(("ApexClass", "ApexTrigger"))
_NEEDED = 75


@dataclass(frozen=True)
class Test:
    """One test method, and how it went."""

    class_name: str
    method: str
    message: str = ""

    @property
    def passed(self) -> bool:
        """Tell whether it succeeded."""
        return not self.message


@dataclass(frozen=True)
class Uncovered:
    """Too little coverage: of one class or trigger, or with "" of all the code."""

    name: str
    message: str


@dataclass
class TestRun:
    """What running the tests came to."""

    level: str = "NoTestRun"
    tests: list[Test] = field(default_factory=list)
    warnings: list[Uncovered] = field(default_factory=list)

    @property
    def failed(self) -> list[Test]:
        """The tests that failed."""
        return [each for each in self.tests if not each.passed]

    @property
    def passed(self) -> bool:
        """Tell whether the deployment may go on."""
        return not self.failed and not self.warnings


def run(org: Org, options: Options, package: Package) -> TestRun:
    """
    Run what a deployment's test level asks for; its parts have been applied.

    Raises:
        ValueError: a test was named that is not there.
    """
    deploys_apex = any(part.type in APEX for part in package.parts)
    level = options.test_level or (
        "RunLocalTests" if org.metadata.production and deploys_apex else "NoTestRun"
    )
    made = TestRun(level)
    if level == "NoTestRun":
        return made
    own, features = _own(org), org.metadata.features.tests
    names = {part.full_name for part in package.parts if part.type == "ApexClass"}
    match level:
        case "RunSpecifiedTests":
            _specified(org, options, made)
        case "RunRelevantTests":
            made.tests = [test for test in own if test.class_name in names]
        case _:
            made.tests = [*own, *_customers(org)]
    if not deploys_apex:
        return made
    if level in {"RunSpecifiedTests", "RunRelevantTests"}:
        ours = any(test.class_name in names for test in made.tests)
        _each_covered(package, org, features.package_coverage if ours else 0, made)
    elif features.coverage < _NEEDED:
        words = (
            "Average test coverage across all Apex Classes and Triggers is "
            f"{features.coverage}%, at least {_NEEDED}% test coverage is required."
        )
        made.warnings.append(Uncovered("", words))
    return made


def _own(org: Org) -> list[Test]:
    """The tests that have been deployed."""
    return [
        Test(each.full_name, method)
        for each in org.metadata.components.of_type("ApexClass")
        if isinstance(each.value, Code)
        for method in each.value.tests
    ]


def _customers(org: Org) -> list[Test]:
    """The tests that the back door has told of."""
    told = org.metadata.features.tests
    failing = []
    for name in told.failing:
        class_name, _, method = name.partition(".")
        words = "System.AssertException: Assertion Failed"
        failing.append(Test(class_name, method or "test", words))
    passing = max(told.count - len(failing), 0)
    return [
        *(Test("CustomerTest", f"test{n}") for n in range(1, passing + 1)),
        *failing,
    ]


def _specified(org: Org, options: Options, made: TestRun) -> None:
    known = [*_own(org), *_customers(org)]
    for name in options.run_tests:
        class_name = name.partition(".")[0]
        found = [each for each in known if each.class_name == class_name]
        if not found:
            raise ValueError(class_name)
        made.tests += found


def _each_covered(package: Package, org: Org, percent: int, made: TestRun) -> None:
    if percent >= _NEEDED:
        return
    for part in package.parts:
        component = org.metadata.components.get(part.type, part.full_name)
        code = component.value if component else None
        if part.type in APEX and isinstance(code, Code) and not code.tests:
            kind = "Class" if part.type == "ApexClass" else "Trigger"
            words = (
                f"Test coverage of selected Apex {kind} is {percent}%, at least "
                f"{_NEEDED}% test coverage is required"
            )
            made.warnings.append(Uncovered(part.full_name, words))
