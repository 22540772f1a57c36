"""Look at the org: answer the preflight's questions, retrieve what is there."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sidecar.errors import Permanent
from sidecar.jobs.deploy.facts import gather
from sidecar.jobs.deploy.turn import Step, Turn, again, go
from sidecar.package import preflight, removal
from sidecar.package.plan import members_to_retrieve
from sidecar.salesforce import org_facts, retrieval
from sidecar.salesforce.caller import Caller
from sidecar.salesforce.ids import same_org

_TRIES = 3
# Which stage asks for what another one waits for.
_ASKS = {"fetch": "look", "compare": "look_again", "left": "look_left"}


def look(turn: Turn) -> Step:
    """Gather the facts, and ask for the files that the package touches."""
    caller = turn.admin
    org_id = org_facts.organisation(caller).id
    if not same_org(org_id, turn.deployment.org_id):
        raise Permanent(
            f"the admin's token leads to org {org_id}, but the connection is to "
            f"{turn.deployment.org_id}: nothing was changed"
        )
    if turn.deployment.kind in {"rollback", "uninstall"}:
        return retrieve(turn, caller, "fetch", {})
    facts = gather(turn, caller)
    known = {**asdict(facts), "at": turn.now().isoformat()}
    return retrieve(turn, caller, "fetch", known)


def look_again(turn: Turn) -> Step:
    """Ask for the files once more, shortly before they are changed."""
    return retrieve(turn, turn.admin, "compare", turn.deployment.facts)


def fetch(turn: Turn) -> Step:
    """Wait for the files."""
    removing = turn.deployment.kind in {"rollback", "uninstall"}
    files = fetched(turn)
    if isinstance(files, Step):
        return files
    return go("plan_removal" if removing else "plan", files={"org": files})


def fetched(turn: Turn) -> dict[str, bytes] | Step:
    """
    Give the files asked for, or how to go on without them.

    The org gives a result out once: who was killed before keeping it asks anew.
    """
    id_ = turn.deployment.async_id
    if id_ is None:
        raise Permanent("no retrieval was started")
    try:
        found = retrieval.check(turn.admin, id_)
    except Permanent:
        tried = turn.deployment.evidence.get("retrieved_again", 0) + 1
        if tried > _TRIES:
            raise
        return go(
            _ASKS[turn.deployment.stage], evidence=turn.evidence(retrieved_again=tried)
        )
    if not found.done:
        return again(turn, progress={"words": "reading what the org has"})
    return dict(found.files)


def expired(turn: Turn) -> bool:
    """Whether what the preflight found is too old to count."""
    at = turn.deployment.facts.get("at")
    if at is None:
        return True
    return turn.now() - datetime.fromisoformat(at) > preflight.VALID_FOR


def retrieve(turn: Turn, caller: Caller, stage: str, facts: dict[str, Any]) -> Step:
    """Ask for the files, and go on with the stage that waits for them."""
    layouts = [
        each.full_name
        for each in retrieval.list_metadata(caller, [("Layout", None)])
        if not each.namespace
    ]
    id_ = retrieval.start(caller, _members(turn, layouts))
    step = again(turn, stage=stage, async_id=id_, facts=facts)
    step.changes["progress"] = {"words": "reading what the org has"}
    return step


def _members(turn: Turn, layouts: Collection[str]) -> dict[str, set[str]]:
    """
    Everything that any module could touch.

    Not only the modules chosen now: a module added later must find what was there
    before the first one came.
    """
    everything = turn.everything()
    members = members_to_retrieve(everything.files, everything.patches, layouts=layouts)
    known = turn.installed()
    if known is not None:
        # What an older version of the package left behind.
        for kind, names in removal.members_to_remove(
            known.files, layouts=layouts
        ).items():
            members[kind] = members.get(kind, set()) | names
    return members
