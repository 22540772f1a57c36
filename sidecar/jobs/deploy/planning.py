"""Plan: what the install would change, and what speaks against it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import Connection

from sidecar.jobs.deploy import looking
from sidecar.jobs.deploy.turn import Step, Turn, go
from sidecar.logs import mask
from sidecar.package import plan as plans
from sidecar.package import preflight
from sidecar.package.org_answers import Facts, Finding
from sidecar.package.parts import join, split
from sidecar.package.plan import Plan
from sidecar.package.read import Tree, api_version
from sidecar.store import installed


def plan(turn: Turn) -> Step:
    """Make the plan of what was retrieved, and ask where it needs a yes."""
    return planned(turn, turn.files("org"))


def planned(turn: Turn, org: Tree, *, stale: Sequence[str] = ()) -> Step:
    """
    Make a plan, judge the org, and decide how to go on.

    Args:
        org: the files, just retrieved.
        stale: which of them were edited since the plan that this one replaces.
    """
    wanted = turn.wanted()
    known = turn.installed()
    made = plans.plan(
        wanted.files,
        org,
        known.files if known else None,
        patches=wanted.patches,
    )
    findings = [each.to_dict() for each in _findings(turn, made, wanted.files, stale)]
    fingerprint = _fingerprint(made, findings)
    evidence = turn.evidence()
    files = {"archive": made.archive, "installed": made.installed}
    if known:
        evidence["previous"] = {
            "modules": known.modules,
            "version": known.version,
            "deployment_id": known.deployment_id,
        }
        files["previous"] = known.files
    if stale:
        replans = [*evidence.get("replanned", []), list(stale)]
        evidence["replanned"] = replans
    changes: dict[str, Any] = {
        "plan": _without_files(made),
        "findings": findings,
        "fingerprint": fingerprint,
        "evidence": evidence,
        "progress": {"words": "planned", "counts": made.counts},
    }
    stage = _next(turn, made, findings, fingerprint, changes)
    return go(stage, files=files, **changes)


def agree(turn: Turn) -> Step:
    """Go on after a yes; what the preflight found must still count."""
    if looking.expired(turn):
        return go("look")
    made = made_plan(turn)
    if not made.empty:
        return go("validate")
    before = turn.kept("before") or turn.files("org")
    return go("grant", then=lambda db: remember(db, turn, made, before))


def made_plan(turn: Turn) -> Plan:
    """Give the plan that an earlier turn made."""
    shown = Plan.from_dict({**turn.deployment.plan, "archive": {}, "installed": {}})
    return replace(
        shown, archive=turn.files("archive"), installed=turn.files("installed")
    )


def remember(db: Connection, turn: Turn, made: Plan, before: Tree) -> None:
    """Keep what is installed now, and what was there before."""
    installed.keep(
        db,
        turn.connection.id,
        modules=turn.deployment.modules,
        version=turn.bundle.version,
        deployment_id=turn.deployment.id,
        files=made.installed,
        before=_beginning(turn, before),
        now=turn.now(),
        keyring=turn.keyring,
    )


def _beginning(turn: Turn, before: Tree) -> Tree:
    """
    Give what an uninstall goes back to: the org before the first of our installs.

    Of what an earlier install brought, this one has found our own; only of what is
    new to us has it found the customer's.
    """
    known = turn.installed()
    if known is None:
        return before
    ours = split(known.files)
    found = {key: part for key, part in split(before).items() if key not in ours}
    parts = {**found, **split(known.before)}
    return join(parts.values(), api_version=api_version(turn.bundle.tree))


def _without_files(made: Plan) -> dict[str, Any]:
    """
    Give what may be shown: the files, and the address in a diff, hold our hook key.
    """
    shown = made.to_dict()
    del shown["archive"], shown["installed"]
    shown["entries"] = [
        {**entry, "diff": mask(entry["diff"])}
        for entry in cast(list[dict[str, Any]], shown["entries"])
    ]
    return shown


def _next(
    turn: Turn,
    made: Plan,
    findings: list[dict[str, str]],
    fingerprint: str,
    changes: dict[str, Any],
) -> str:
    kind = turn.deployment.kind
    if kind == "plan":
        return "report"
    if kind == "verify":
        changes["evidence"]["drift"] = plans.summary(made) if not made.empty else []
        return "grant"
    if blocks := preflight.blocked(findings):
        changes["evidence"]["failure"] = f"nothing was changed: {'; '.join(blocks)}"
        return "report"
    yes = turn.deployment.options.get("yes")
    if preflight.warned(findings) and yes not in {"any", fingerprint}:
        changes["state"] = "asking"
        changes["question"] = "yes"
    return "agree"


def _findings(
    turn: Turn, made: Plan, ours: Tree, stale: Sequence[str]
) -> list[Finding]:
    known = dict(turn.deployment.facts)
    known.pop("at", None)
    grants = [name for name, _ in turn.deployment.options.get("grants", [])]
    found = preflight.judge(
        Facts(**known),
        ours=ours,
        api_version=api_version(turn.bundle.tree),
        grants=[*grants, turn.connection.username],
    )
    found += [
        Finding("blocks", "component", f"{each.full_name}: {each.reason}")
        for each in made.entries
        if each.action == "blocked"
    ]
    conflicts = [each.full_name for each in made.entries if each.action == "conflict"]
    if conflicts:
        found.append(
            Finding(
                "warns",
                "conflict",
                "changed in the org and in the package; the org's stay as they are: "
                f"{', '.join(conflicts)}",
                "the diff shows both",
            )
        )
    if stale:
        found.append(
            Finding(
                "informs" if made.empty else "warns",
                "stale",
                f"edited in the org since the plan was made: {', '.join(stale)}",
                "this is a new plan, with what was edited kept",
            )
        )
    return found


def _fingerprint(made: Plan, findings: list[dict[str, str]]) -> str:
    """Of everything that a yes would agree to."""
    digest = hashlib.sha256(made.fingerprint.encode())
    for path in sorted(made.archive):
        digest.update(path.encode() + b"\0" + made.archive[path] + b"\0")
    warnings = sorted(preflight.warned(findings))
    digest.update(json.dumps(warnings).encode())
    return digest.hexdigest()
