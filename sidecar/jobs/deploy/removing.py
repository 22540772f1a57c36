"""Roll back, or uninstall: steps in order, each of them taken up where it was left.

The steps are computed from what is in the org now. Whoever was interrupted resumes at
the step that was not finished; whoever failed asks anew and gets what is left.
"""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from sidecar.errors import Permanent, Uncertain
from sidecar.jobs.deploy import deploying, lending, looking
from sidecar.jobs.deploy.exporting import Data, counted
from sidecar.jobs.deploy.granting import INTEGRATION_SET
from sidecar.jobs.deploy.turn import Step, Turn, again, go
from sidecar.package import canonical, grants, removal
from sidecar.package.read import Tree, api_version
from sidecar.package.removal import Removal
from sidecar.salesforce import access, metadata, tooling
from sidecar.salesforce.caller import Caller
from sidecar.store import deployments, installed


def plan(turn: Turn) -> Step:
    """Say what will be taken out, and what of the customer's would go with it."""
    now = turn.files("org")
    made = _removal(turn, now)
    wanted = removal.to_export(made, now)
    data = Data({}, {}, ())
    if wanted:
        caller = turn.admin
        lending.lend(turn, caller, _sets(turn))
        data = counted(caller, wanted)
    changes: dict[str, Any] = {
        "plan": {
            "steps": [_shown(step) for step in made.steps],
            "losses": [*made.losses, *data.unseen],
            "notes": list(made.notes),
            "export": data.readable,
            "data": data.records,
        },
        "evidence": turn.evidence(data=data.records),
        "progress": {"words": "planned", "step": [0, len(made.steps)]},
        "fingerprint": _fingerprint(made),
    }
    files: dict[str, Tree] = {
        f"step-{at}": step.archive
        for at, step in enumerate(made.steps)
        if step.kind == "deploy"
    }
    if turn.deployment.kind == "uninstall":
        # What cannot go today is found by these when its time has come.
        files["was_installed"], files["was_before"] = _installed(turn)
    if any(data.records.values()) and not turn.deployment.options.get("delete_data"):
        changes["evidence"]["failure"] = _refusal(data.records)
        return go("report", files=files, **changes)
    return go("agree_removal", files=files, **changes)


def agree(turn: Turn) -> Step:
    """Wait for the export that was asked for, and for a yes where one is needed."""
    row = turn.deployment
    exports = row.plan["export"] and row.options.get("export")
    if exports and "exported" not in row.evidence:
        return Step({"state": "asking", "question": "export"})
    if row.plan["losses"] and row.options.get("yes") not in {"any", row.fingerprint}:
        return Step({"state": "asking", "question": "yes"})
    return go("remove")


def remove(turn: Turn) -> Step:
    """Begin the next step, or do it at once where one call is enough."""
    steps, at = turn.deployment.plan["steps"], _at(turn)
    if at >= len(steps):
        return go("look_left", evidence=turn.evidence())
    step = steps[at]
    match step["kind"]:
        case "deactivate_flows":
            caller = turn.admin
            for flow in tooling.flows(caller, step["names"]).values():
                if flow.active:
                    tooling.activate(caller, flow, 0)
        case "unassign":
            _unassign(turn.admin, step["names"])
        case "delete_flow_versions":
            return _hand_over(turn, _flow_versions(turn, step["names"]))
        case "deploy":
            return _hand_over(turn, turn.files(f"step-{at}"))
        case _:
            pass  # by hand: it stands in the plan and in the report
    return _next(turn)


def removing(turn: Turn) -> Step:
    """Wait for a step; some may fail, and it is said why."""
    caller, id_ = turn.admin, turn.deployment.async_id
    if id_ is None:
        raise Permanent("no deployment was started")
    told = metadata.status(caller.http, deployment_id=id_, **caller.where)
    steps, at = turn.deployment.plan["steps"], _at(turn)
    if not told.done:
        words = {"words": steps[at]["title"], "step": [at, len(steps)]}
        return again(turn, progress={**deploying.progress("", told), **words})
    if told.success:
        return _next(turn)
    if steps[at]["may_fail"]:
        refused = turn.deployment.evidence.get("refused", [])
        problems = [f"{each.name}: {each.problem}" for each in told.failures]
        words = {"step": steps[at]["title"], "problems": problems or [told.error]}
        return _next(turn, refused=[*refused, words])
    stopped = (
        f"stopped at step {at + 1} of {len(steps)} ({steps[at]['title']}); what was "
        "removed before stays removed, and the same command goes on"
    )
    return deploying.failed(turn, told, stopped)


def look_left(turn: Turn) -> Step:
    """Read the org once more: is anything of ours left?"""
    return looking.retrieve(turn, turn.admin, "left", turn.deployment.facts)


def left(turn: Turn) -> Step:
    """Say what is left, and whether the customer's own things are as they were."""
    files = looking.fetched(turn)
    if isinstance(files, Step):
        return files
    made = _removal(turn, files)
    before = _before(turn)
    deploys = [step for step in made.steps if step.kind == "deploy"]
    evidence = turn.evidence(
        left=[name for step in deploys if not step.may_fail for name in step.names],
        later={
            name: step.may_fail
            for step in deploys
            if step.may_fail
            for name in step.names
        },
        untouched={
            "compared": len(before),
            "differing": canonical.differing(
                before, {path: files[path] for path in before if path in files}
            ),
        },
    )
    return go("report", evidence=evidence, then=lambda db: _remember(db, turn))


def _refusal(data: dict[str, int]) -> str:
    told = ", ".join(f"{count} of {name}" for name, count in data.items() if count)
    return (
        f"nothing was changed: data would be lost ({told}); export it (--export DIR) "
        "and say that it may go (--delete-data)"
    )


def _sets(turn: Turn) -> list[str]:
    """Name the permission sets that together show everything of ours to people."""
    names = grants.names(turn.everything().files)
    return [name for name in names if name != INTEGRATION_SET]


def _fingerprint(made: Removal) -> str:
    told = json.dumps([[_shown(step) for step in made.steps], list(made.losses)])
    return hashlib.sha256(told.encode()).hexdigest()


def _removal(turn: Turn, now: Tree) -> Removal:
    if turn.deployment.kind == "rollback":
        undone = turn.deployment.undoes
        return removal.rollback(
            before=turn.files("before", of=undone),
            sent=turn.files("archive", of=undone),
            now=now,
        )
    files, before = _installed(turn)
    return removal.uninstall(installed=files, before=before, now=now)


def _installed(turn: Turn) -> tuple[Tree, Tree]:
    """Give what is, or was, installed, and what had been there before it."""
    known = turn.installed()
    if known is not None:
        return known.files, known.before
    earlier = turn.deployment.undoes
    if earlier is None:
        raise Permanent("nothing of ours is installed in this org, as far as we know")
    return turn.files("was_installed", of=earlier), turn.files("was_before", of=earlier)


def _before(turn: Turn) -> Tree:
    if turn.deployment.kind == "rollback":
        return turn.files("before", of=turn.deployment.undoes)
    return _installed(turn)[1]


def _remember(db: Connection, turn: Turn) -> None:
    """After a rollback what was installed before is installed again."""
    row = turn.deployment
    rolled_back = row.kind == "rollback" and row.undoes
    undone = deployments.find(db, row.undoes) if rolled_back and row.undoes else None
    previous = undone.evidence.get("previous") if undone else None
    if undone is None or not previous:
        installed.forget(db, row.connection_id)
        return
    known = turn.installed()
    known = turn.installed()
    installed.keep(
        db,
        row.connection_id,
        modules=previous["modules"],
        version=previous["version"],
        deployment_id=previous["deployment_id"],
        files=turn.files("previous", of=undone.id),
        before=known.before if known else {},
        now=turn.now(),
        keyring=turn.keyring,
    )


def _shown(step: removal.Step) -> dict[str, Any]:
    shown = asdict(step)
    del shown["archive"]
    return {**shown, "names": list(step.names)}


def _at(turn: Turn) -> int:
    return int(turn.deployment.evidence.get("at_step", 0))


def _next(turn: Turn, **more: Any) -> Step:
    steps, at = turn.deployment.plan["steps"], _at(turn) + 1
    return go(
        "remove",
        evidence=turn.evidence(at_step=at, **more),
        progress={"words": steps[at - 1]["title"], "step": [at, len(steps)]},
    )


def _hand_over(turn: Turn, content: Tree) -> Step:
    """Start a step's deployment; to start it twice removes nothing more."""
    if not content:
        return _next(turn)
    try:
        id_ = deploying.start(turn, content, check_only=False)
    except Uncertain as exc:
        return again(turn, progress={"words": f"handing over once more: {exc}"})
    turn.write({"async_id": id_, "stage": "removing"})
    return again(turn, stage="removing", async_id=id_)


def _flow_versions(turn: Turn, names: list[str]) -> Tree:
    there = tooling.flows(turn.admin, names)
    versions = {name: flow.versions for name, flow in there.items() if flow.versions}
    if not versions:
        return {}
    return removal.flow_versions(versions, api_version=api_version(turn.bundle.tree))


def _unassign(caller: Caller, names: list[str]) -> None:
    for id_, _, _, _ in access.assignments(caller, names):
        access.take_back(caller, id_)
