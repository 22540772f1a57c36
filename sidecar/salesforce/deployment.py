"""What an org says about one deployment.

Source: "DeployResult" and "DeployMessage", Metadata API Developer Guide; the answer
of the REST resource is the same structure in JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sidecar.errors import Unreadable


@dataclass(frozen=True)
class Failure:
    """One component that the org refuses, in Salesforce's words."""

    component_type: str
    """Empty when the failure is that of a file, as package.xml."""
    name: str
    file: str
    """Path in the zip."""
    line: int | None
    column: int | None
    problem: str
    warning: bool
    """Only a warning; it fails the deployment unless warnings are ignored."""


@dataclass(frozen=True)
class FailedTest:
    """One Apex test method that failed."""

    name: str
    method: str
    problem: str


@dataclass(frozen=True)
class Deployment:
    """What the org says about one deployment."""

    id: str
    state: str
    """Pending, InProgress, Succeeded, SucceededPartial, Failed, FinalizingDeploy,
    Canceling, Canceled."""
    done: bool
    success: bool
    check_only: bool
    components_total: int
    components_deployed: int
    components_failed: int
    tests_total: int
    tests_completed: int
    tests_failed: int
    detail: str
    """What the org is doing now; may be empty."""
    error: str
    """Why the deployment failed as a whole, as ``CODE: words``; may be empty."""
    failures: tuple[Failure, ...] = field(default=())
    failed_tests: tuple[FailedTest, ...] = field(default=())


def read(body: Mapping[str, object]) -> Deployment:
    """
    Read the answer to a question after a deployment.

    Args:
        body: the whole JSON object, with ``id`` and ``deployResult``.

    Raises:
        Unreadable: it is not what Salesforce describes.
    """
    result = body.get("deployResult")
    if not isinstance(result, dict):
        raise Unreadable("Salesforce's answer holds no deployResult")
    details = result.get("details")
    details = details if isinstance(details, dict) else {}
    tests = details.get("runTestResult")
    tests = tests if isinstance(tests, dict) else {}
    code, words = result.get("errorStatusCode"), result.get("errorMessage")
    return Deployment(
        id=identity(result if "id" in result else body),
        state=_text(result, "status"),
        done=_flag(result, "done"),
        success=_flag(result, "success"),
        check_only=_flag(result, "checkOnly"),
        components_total=_count(result, "numberComponentsTotal"),
        components_deployed=_count(result, "numberComponentsDeployed"),
        components_failed=_count(result, "numberComponentErrors"),
        tests_total=_count(result, "numberTestsTotal"),
        tests_completed=_count(result, "numberTestsCompleted"),
        tests_failed=_count(result, "numberTestErrors"),
        detail=str(result.get("stateDetail") or ""),
        error=": ".join(str(part) for part in (code, words) if part),
        failures=tuple(_failure(row) for row in _rows(details, "componentFailures")),
        failed_tests=tuple(_failed_test(row) for row in _rows(tests, "failures")),
    )


def identity(body: Mapping[str, object]) -> str:
    """
    Give the deployment's id, ``0Af...``.

    Raises:
        Unreadable: there is none.
    """
    return _text(body, "id")


def _failure(row: Mapping[str, object]) -> Failure:
    return Failure(
        component_type=str(row.get("componentType") or ""),
        name=str(row.get("fullName") or ""),
        file=str(row.get("fileName") or ""),
        line=_count(row, "lineNumber") or None,
        column=_count(row, "columnNumber") or None,
        problem=str(row.get("problem") or ""),
        warning=row.get("problemType") == "Warning",
    )


def _failed_test(row: Mapping[str, object]) -> FailedTest:
    return FailedTest(
        name=str(row.get("name") or ""),
        method=str(row.get("methodName") or ""),
        problem=str(row.get("message") or ""),
    )


def _rows(holder: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    """Give a list that may be absent, or a single object instead of a list."""
    value = holder.get(key) or []
    rows = value if isinstance(value, list) else [value]
    return [row for row in rows if isinstance(row, dict)]


def _text(holder: Mapping[str, object], key: str) -> str:
    value = holder.get(key)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"Salesforce's answer holds no {key}")
    return value


def _flag(holder: Mapping[str, object], key: str) -> bool:
    """The guide's samples quote truth values and numbers; the service does not."""
    value = holder.get(key)
    return value is True or value == "true"


def _count(holder: Mapping[str, object], key: str) -> int:
    try:
        return int(str(holder.get(key) or 0))
    except ValueError as exc:
        raise Unreadable(f"Salesforce's {key} is {holder.get(key)!r}") from exc
