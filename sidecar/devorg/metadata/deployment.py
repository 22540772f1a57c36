"""Deployments as clients see them: requested, polled, cancelled, quickly repeated."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sidecar.devorg.ids import full_id
from sidecar.devorg.metadata import archive, deploy
from sidecar.devorg.metadata.deploy import Outcome
from sidecar.devorg.metadata.element import Problem
from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

TEST_LEVELS = frozenset(
    (
        "NoTestRun",
        "RunSpecifiedTests",
        "RunLocalTests",
        "RunAllTestsInOrg",
        "RunRelevantTests",
    )
)
_APEX = frozenset(("ApexClass", "ApexTrigger"))


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
        status: Pending, InProgress, Succeeded, SucceededPartial, Failed, Canceled.
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


class _TakenBack(Exception):
    """The transaction of a deployment that must leave nothing behind."""


class Deployments:
    """
    The deployments of one org; a thread carries them out, one after the other.

    The thread starts with the first deployment. ``held`` keeps new ones pending,
    for tests of what a client does meanwhile.
    """

    def __init__(self, org: Org) -> None:
        """``org`` is where they are applied."""
        self.held = False
        self._org = org
        self._known: dict[str, Deployment] = {}
        self._pending: deque[Deployment] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def __iter__(self) -> Iterator[Deployment]:
        """All deployments, the oldest first."""
        return iter(list(self._known.values()))

    @property
    def version(self) -> int:
        """Another number whenever one was begun, or has come further."""
        return hash(tuple(each.status for each in self._known.values()))

    def start(self, access: Access, data: bytes, options: Options) -> Deployment:
        """
        Accept a zip for deployment.

        Raises:
            Refusal: the user may not deploy, or the options contradict.
        """
        check_rights(access)
        _check_options(options, production=self._org.metadata.production)
        new = Deployment(
            id=self._org.ids.new("0Af"),
            user_id=access.user_id,
            options=options,
            data=data,
            created_at=self._org.clock.second(),
        )
        with self._changed:
            self._known[new.id] = new
            self._pending.append(new)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="deployments", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()
        return new

    def get(self, deployment_id: str) -> Deployment:
        """
        Return a deployment.

        Raises:
            Refusal: INVALID_CROSS_REFERENCE_KEY, there is none of this id.
        """
        found = self._known.get(full_id(deployment_id) or "")
        if found is None:
            raise Refusal(
                "INVALID_CROSS_REFERENCE_KEY",
                f"invalid cross reference id: {deployment_id}",
                status=404,
            )
        return found

    def cancel(self, deployment_id: str, *, user_id: str) -> Deployment:
        """
        Cancel a deployment that has not begun.

        Raises:
            Refusal: unknown, or already done.
        """
        found = self.get(deployment_id)
        with self._changed:
            if found.status != "Pending":
                raise Refusal(
                    "INVALID_OPERATION",
                    f"Deployment is already {found.status}, it can't be canceled.",
                )
            found.status, found.cancelled_by = "Canceled", user_id
            found.completed_at = self._org.clock.second()
        return found

    def quick(self, access: Access, validation_id: str) -> Deployment:
        """
        Deploy what a validation has checked.

        Raises:
            Refusal: it was no successful validation.
        """
        found = self.get(validation_id)
        if not found.options.check_only or not found.success:
            raise Refusal(
                "INVALID_ID_FIELD",
                f"Validation {validation_id} is not available for a quick deploy.",
            )
        options = Options(single_package=found.options.single_package)
        return self.start(access, found.data, options)

    def hold(self, *, held: bool) -> None:
        """Keep new deployments pending, or let them go."""
        with self._changed:
            self.held = held
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending and not self.held)
                next_ = self._pending.popleft()
                if next_.status != "Pending":
                    continue
                next_.status = "InProgress"
                next_.started_at = self._org.clock.second()
            status = "Failed"
            try:
                status = self._carry_out(next_)
            except Exception as exc:
                next_.error = f"UNKNOWN_EXCEPTION: {exc!r}"
                raise
            finally:
                next_.completed_at = self._org.clock.second()
                next_.status = status

    def _carry_out(self, deployment: Deployment) -> str:
        options = deployment.options
        try:
            package = archive.read(
                deployment.data, single_package=options.single_package
            )
        except Problem as exc:
            deployment.error = exc.message
            return "Failed"
        deployment.files = package.files
        found = {each.type for each in package.failures}
        if (
            self._org.metadata.production
            and options.test_level == "NoTestRun"
            and found & _APEX
        ):
            deployment.error = (
                "testLevel of NoTestRun cannot be used in production organizations"
            )
            return "Failed"
        try:
            with self._org.work():
                outcome = deploy.apply(self._org, package, user_id=deployment.user_id)
                deployment.outcome = outcome
                counted = [each for each in outcome.successes if each.type]
                deployment.total = len(counted) + len(outcome.failures)
                if options.check_only or (
                    outcome.failures and options.rollback_on_error
                ):
                    raise _TakenBack
        except _TakenBack:
            pass
        if not outcome.failures:
            return "Succeeded"
        partial = not options.rollback_on_error and counted
        return "SucceededPartial" if partial else "Failed"


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


def _check_options(options: Options, *, production: bool) -> None:
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
    if production and not options.rollback_on_error:
        raise Refusal(
            "INVALID_OPERATION",
            "rollbackOnError must be true for a deployment to production",
        )
