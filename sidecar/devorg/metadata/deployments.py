"""The deployments of an org: one at a time, in the order in which they were asked for.

Source: "deploy()", "cancelDeploy()" and "deployRecentValidation()", Metadata API
Developer Guide.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from sidecar.devorg.ids import full_id
from sidecar.devorg.metadata import archive, deploy, test_run
from sidecar.devorg.metadata.archive import Package
from sidecar.devorg.metadata.deployment import (
    Deployment,
    Options,
    check_options,
    check_rights,
)
from sidecar.devorg.metadata.element import Problem
from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_log = logging.getLogger(__name__)
# How long a validation can be deployed without another check.
_VALID_FOR = timedelta(days=10)


class _TakenBack(Exception):
    """The transaction of a deployment that must leave nothing behind."""


class Deployments:
    """
    The deployments of one org; a thread carries them out, one after the other.

    The thread starts with the first deployment.

    Attributes:
        held: keeps new ones pending, for tests of what a client does meanwhile.
        pace: components dealt with in a second of the org's clock; 0 for at once.
    """

    def __init__(self, org: Org) -> None:
        """``org`` is where they are applied."""
        self.held = False
        self.pace = 0.0
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
        check_options(options, production=self._org.metadata.production)
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
        Cancel a deployment: at once one that has not begun, soon one that has.

        Raises:
            Refusal: unknown, or already done.
        """
        found = self.get(deployment_id)
        with self._changed:
            if found.status not in {"Pending", "InProgress"}:
                raise Refusal(
                    "INVALID_OPERATION",
                    f"Deployment is already {found.status}, it can't be canceled.",
                )
            found.cancelled_by = user_id
            if found.status == "Pending":
                found.status = "Canceled"
                found.completed_at = self._org.clock.second()
            else:
                found.status = "Canceling"
        self._org.clock.nudge()
        return found

    def quick(self, access: Access, validation_id: str) -> Deployment:
        """
        Deploy what a validation has checked.

        Raises:
            Refusal: it was no successful validation.
        """
        found = self.get(validation_id)
        age = self._org.clock.now() - found.created_at
        expired = age > _VALID_FOR
        if expired or not found.options.check_only or not found.success:
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
            except Exception as exc:  # noqa: BLE001 - a fault of this org, not the next's
                _log.exception("deployment %s", next_.id)
                next_.error = f"UNKNOWN_EXCEPTION: {exc!r}"
            finally:
                next_.completed_at = self._org.clock.second()
                next_.status = status

    def _carry_out(self, deployment: Deployment) -> str:
        try:
            package = archive.read(
                deployment.data, single_package=deployment.options.single_package
            )
        except Problem as exc:
            deployment.error = exc.message
            return "Failed"
        deployment.files = package.files
        deployment.total = len(package.parts) + len(package.failures)
        if self._untested(deployment, package):
            deployment.error = (
                "testLevel of NoTestRun cannot be used in production organizations"
            )
            return "Failed"
        self._take_time(deployment)
        with self._changed:
            if deployment.status == "Canceling":
                return "Canceled"
        # From here on it can only succeed or fail, and cancelling comes too late.
        return self._apply(deployment, package)

    def _untested(self, deployment: Deployment, package: Package) -> bool:
        brought = {each.type for each in package.parts}
        brought |= {each.type for each in package.failures}
        apex = bool(brought & test_run.APEX)
        asked = deployment.options.test_level == "NoTestRun"
        return self._org.metadata.production and asked and apex

    def _take_time(self, deployment: Deployment) -> None:
        """Deal with one component after the other, as slowly as ``pace`` says."""
        clock = self._org.clock
        begun = clock.now()
        while (
            deployment.status == "InProgress"
            and deployment.handled < deployment.total
            and (pace := self.pace) > 0
        ):
            next_at = timedelta(seconds=(deployment.handled + 1) / pace)
            clock.wait_until(begun + next_at)
            passed = (clock.now() - begun).total_seconds()
            deployment.handled = min(int(passed * pace), deployment.total)

    def _apply(self, deployment: Deployment, package: Package) -> str:
        options = deployment.options
        try:
            with self._org.work():
                outcome = deploy.apply(
                    self._org,
                    package,
                    user_id=deployment.user_id,
                    purge=options.purge_on_delete,
                )
                deployment.outcome = outcome
                counted = [each for each in outcome.successes if each.type]
                deployment.total = len(counted) + len(outcome.failures)
                failed = bool(outcome.failures)
                if not failed:
                    failed = not self._tested(deployment, package)
                if options.check_only or (failed and options.rollback_on_error):
                    raise _TakenBack
        except _TakenBack:
            pass
        if not failed:
            return "Succeeded"
        partial = not options.rollback_on_error and counted
        return "SucceededPartial" if partial else "Failed"

    def _tested(self, deployment: Deployment, package: Package) -> bool:
        try:
            made = test_run.run(self._org, deployment.options, package)
        except ValueError as exc:
            deployment.error = f"No Apex test class named: {exc} found"
            return False
        deployment.test_run = made
        return made.passed
