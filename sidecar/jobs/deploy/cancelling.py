"""Cancelling: at once where nothing has begun, by the org where it is at work."""

from sidecar.errors import Permanent
from sidecar.jobs.deploy.turn import NeedsToken, Step, Turn, go
from sidecar.salesforce import metadata
from sidecar.salesforce.refusals import LoggedOut

_NOTHING_YET = frozenset(
    ("look", "fetch", "plan", "agree", "validate", "look_again", "compare")
)
_AT_WORK = frozenset(("validating", "deploying"))


def cancel(turn: Turn) -> Step | None:
    """
    Do what may be done about a wish to stop; None where the turn is to go on.

    A deployment that the org is committing is not stopped: it ends, whole, and can be
    rolled back. A self-test is cleaned up after.
    """
    row = turn.deployment
    stage = row.stage
    if stage in _NOTHING_YET or (stage == "deploy" and "sent_at" not in row.evidence):
        return _end(turn, "cancelled; nothing was changed")
    if stage in {"plan_removal", "agree_removal", "remove"} and not row.evidence.get(
        "at_step"
    ):
        return _end(turn, "cancelled; nothing was removed")
    if stage == "remove":
        return _end(turn, "cancelled; what was removed before stays removed")
    if stage in _AT_WORK and row.async_id:
        caller = turn.admin
        try:
            metadata.cancel(caller.http, deployment_id=row.async_id, **caller.where)
        except (LoggedOut, NeedsToken):
            raise
        except Permanent:
            pass  # over, or being committed: its status tells
        return None
    if stage.startswith("test") and stage != "test_clean":
        evidence = turn.evidence()
        evidence.setdefault("failure", "cancelled; the package stays installed")
        return go("test_clean", evidence=evidence)
    if stage in {"grant", "read_back", "activate"}:
        return _end(turn, "cancelled; the package is deployed: roll back to remove it")
    return None


def _end(turn: Turn, words: str) -> Step:
    return go("report", evidence=turn.evidence(failure=words))
