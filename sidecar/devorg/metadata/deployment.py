"""One deployment as clients see it, and what may be asked of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sidecar.devorg.metadata.deploy import Outcome
from sidecar.devorg.metadata.test_run import TestRun
from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal

TEST_LEVELS = frozenset(
    (
        "NoTestRun",
        "RunSpecifiedTests",
        "RunLocalTests",
        "RunAllTestsInOrg",
        "RunRelevantTests",
    )
)


@dataclass(frozen=True)
class Options:
    """What DeployOptions says; names and defaults are Salesforce's."""

    check_only: bool = False
    rollback_on_error: bool = True
    single_package: bool = True
    ignore_warnings: bool = False
    purge_on_delete: bool = False
    test_level: str | None = None
    run_tests: tuple[str, ...] = ()


@dataclass
class Deployment:
    """
    One deployment.

    Attributes:
        status: Pending, InProgress, Succeeded, SucceededPartial, Failed, Canceling,
            Canceled.
        total: how many components it has; known from its beginning on.
        handled: how many of them have been dealt with, while it is in progress.
        test_run: what running Apex tests came to; None before.
        error: why it failed as a whole; None when its components tell.
        data: the zip; kept for a quick deployment of a validation.
    """

    id: str
    user_id: str
    options: Options
    data: bytes
    created_at: datetime
    status: str = "Pending"
    started_at: datetime | None = None
    completed_at: datetime | None = None
    outcome: Outcome = field(default_factory=Outcome)
    total: int = 0
    handled: int = 0
    test_run: TestRun | None = None
    files: int = 0
    error: str | None = None
    cancelled_by: str | None = None

    @property
    def done(self) -> bool:
        """Tell whether its status is final."""
        return self.status not in {"Pending", "InProgress", "Canceling"}

    @property
    def success(self) -> bool:
        """Tell whether everything was deployed."""
        return self.status == "Succeeded"


def check_rights(access: Access) -> None:
    """
    Check that a user may use the Metadata API.

    Raises:
        Refusal: INSUFFICIENT_ACCESS.
    """
    if not (access.has("ModifyAllData") or access.has("ModifyMetadata")):
        raise Refusal(
            "INSUFFICIENT_ACCESS",
            "use of the Metadata API requires a user with the ModifyAllData or "
            "ModifyMetadata permissions",
            status=403,
        )


def check_options(options: Options, *, production: bool) -> None:
    """
    Check that the options go together, and with the kind of org.

    Raises:
        Refusal: INVALID_OPERATION or INVALID_TYPE.
    """
    if options.test_level not in TEST_LEVELS | {None}:
        raise Refusal(
            "INVALID_TYPE",
            f"'{options.test_level}' is not a valid value for the enum 'TestLevel'",
        )
    if options.run_tests and options.test_level != "RunSpecifiedTests":
        raise Refusal(
            "INVALID_OPERATION",
            "runTests can be used only with a testLevel of RunSpecifiedTests",
        )
    if options.test_level == "RunSpecifiedTests" and not options.run_tests:
        raise Refusal(
            "INVALID_OPERATION",
            "runTests must name at least one test class with a testLevel of "
            "RunSpecifiedTests",
        )
    if production and options.purge_on_delete:
        raise Refusal(
            "INVALID_OPERATION",
            "purgeOnDelete option can only be used on a non-active org",
        )
    if production and not options.rollback_on_error:
        raise Refusal(
            "INVALID_OPERATION",
            "rollbackOnError must be true for a deployment to production",
        )
