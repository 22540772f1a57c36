"""A deployment as a job: claim a turn, take it, record what it came to.

No turn sleeps, none makes more than a few calls, and whatever the org was told to do
stands in the row before anybody waits for it. So it does not matter who takes the next
turn, or when: a worker, the command line, or another process after this one was killed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from sidecar.errors import Permanent, Retryable, Uncertain
from sidecar.jobs.backoff import MAX_ATTEMPTS, retry_at
from sidecar.jobs.deploy import (
    cancelling,
    deploying,
    granting,
    lending,
    looking,
    planning,
    removing,
    reporting,
    self_test,
)
from sidecar.jobs.deploy.turn import LeaseLost, NeedsToken, Orgs, Step, Turn, go
from sidecar.keyring import Keyring
from sidecar.logs import log
from sidecar.package.bundle import Bundle
from sidecar.salesforce.refusals import LoggedOut
from sidecar.store import connections, deployment_files, deployments
from sidecar.store.deployments import Changes, Deployment

FIRST = "look"

_STAGES: Mapping[str, Callable[[Turn], Step]] = {
    "look": looking.look,
    "fetch": looking.fetch,
    "plan": planning.plan,
    "agree": planning.agree,
    "validate": deploying.validate,
    "validating": deploying.validating,
    "look_again": looking.look_again,
    "compare": deploying.compare,
    "deploy": deploying.deploy,
    "deploying": deploying.deploying,
    "grant": granting.grant,
    "read_back": granting.read_back,
    "activate": granting.activate,
    "test": self_test.create,
    "test_walk": self_test.walk,
    "test_convert": self_test.convert,
    "test_arrive": self_test.arrive,
    "test_report": self_test.report,
    "test_clean": self_test.clean,
    "plan_removal": removing.plan,
    "agree_removal": removing.agree,
    "remove": removing.remove,
    "removing": removing.removing,
    "look_left": removing.look_left,
    "left": removing.left,
    "give_back": lending.give_back,
    "report": reporting.report,
}


def take_turn(
    deployment_id: int,
    *,
    engine: Engine,
    keyring: Keyring,
    orgs: Orgs,
    bundle: Callable[[], Bundle],
    lease: timedelta,
    poll: timedelta,
    now: Callable[[], datetime],
) -> bool:
    """
    Take the next turn of a deployment, if it is due and nobody is at it.

    Args:
        bundle: reads the package; asked only when there is something to do.
        lease: how long a turn may take before somebody else may take it.
        poll: how long to wait, at most, before asking the org again.

    Returns:
        Whether there was a turn to take.
    """
    with engine.begin() as db:
        row = deployments.claim(db, deployment_id, now=now(), lease_ends=now() + lease)
        if row is None:
            return False
        connection = connections.find(db, row.connection_id)
    if connection is None:
        raise LookupError(f"connection {row.connection_id}")
    turn = Turn(
        deployment=row,
        connection=connection,
        orgs=orgs,
        bundle=bundle(),
        engine=engine,
        keyring=keyring,
        now=now,
        poll=poll,
    )
    began = now()
    try:
        step = _take(turn)
        _record(turn, step, began)
    except LeaseLost:
        log().warning("deployment.lease_lost", deployment=row.id, stage=row.stage)
    return True


def _take(turn: Turn) -> Step:
    row = turn.deployment
    try:
        if row.cancel_asked_at and (step := cancelling.cancel(turn)):
            return step
        return _STAGES[row.stage](turn)
    except (LoggedOut, NeedsToken) as exc:
        return _ask_for_token(turn, exc)
    except (Retryable, Uncertain) as exc:
        return _later(turn, exc)
    except Permanent as exc:
        return _over(turn, exc)


def _ask_for_token(turn: Turn, exc: Retryable) -> Step:
    why = str(exc)
    if not isinstance(exc, NeedsToken):
        why = f"the admin's access token is no longer accepted ({exc})"
    words = (
        f"{why}. Nothing is lost: give one, `sidecar package install "
        f"--resume {turn.deployment.id} --admin-token-file FILE`, and it goes on "
        "where it is"
    )
    return Step({"state": "asking", "question": "token", "error": words})


def _later(turn: Turn, exc: Retryable | Uncertain) -> Step:
    failures = turn.deployment.failures + 1
    if failures >= MAX_ATTEMPTS:
        return _over(turn, Permanent(f"given up after {failures} attempts: {exc}"))
    asked = exc.retry_at if isinstance(exc, Retryable) else None
    due_at = retry_at(failures, turn.now(), not_before=asked)
    return Step({"failures": failures, "error": str(exc), "due_at": due_at})


def _over(turn: Turn, exc: Permanent) -> Step:
    """End, by way of the clean-up where there is something to clean up."""
    stage = turn.deployment.stage
    log().warning("deployment.refused", stage=stage, reason=str(exc))
    if stage.startswith("test"):
        return self_test.broken(turn, exc)
    evidence = turn.evidence()
    if stage == "report":
        raise exc
    if stage == "give_back":
        evidence["lent"] = None
    evidence.setdefault("failure", str(exc))
    return go("report", evidence=evidence)


def _record(turn: Turn, step: Step, began: datetime) -> None:
    """Write what the turn came to; nothing where it is no longer the current one."""
    row, now = turn.deployment, turn.now()
    changes: Changes = {"state": "waiting", "due_at": now, **step.changes}
    if "failures" not in changes and "error" not in step.changes:
        changes["failures"], changes["error"] = 0, None
    evidence = changes.get("evidence", row.evidence)
    timings: dict[str, Any] = dict(evidence.get("timings", {}))
    first = timings.get(row.stage, [began.isoformat()])[0]
    timings[row.stage] = [first, now.isoformat()]
    changes["evidence"] = {**evidence, "timings": timings}
    if changes.get("stage") == "report" and evidence.get("lent"):
        changes["stage"] = "give_back"
    with turn.engine.begin() as db:
        if not deployments.write(db, row.id, row.attempts, changes):
            raise LeaseLost(f"deployment {row.id}")
        for name, files in step.files.items():
            deployment_files.keep(db, row.id, name, files, keyring=turn.keyring)
        if step.then is not None:
            step.then(db)
    _tell(row, changes)


def _tell(row: Deployment, changes: Changes) -> None:
    log().info(
        "deployment.turn",
        deployment=row.id,
        stage=row.stage,
        turn=row.attempts,
        next=changes.get("stage", row.stage),
        state=changes["state"],
        error=changes.get("error"),
    )
