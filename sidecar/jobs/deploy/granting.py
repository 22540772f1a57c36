"""Grant and activate: without both, a green deployment does nothing for anybody."""

from typing import Any

from sidecar.errors import Permanent
from sidecar.jobs.deploy import planning
from sidecar.jobs.deploy.turn import Step, Turn, again, go
from sidecar.package import grants
from sidecar.package.grants import Lack
from sidecar.salesforce import access, tooling
from sidecar.salesforce.caller import Caller

INTEGRATION_SET = "Referral_Integration"


def grant(turn: Turn) -> Step:
    """Give permission sets to people; a second time changes nothing."""
    if turn.deployment.kind == "verify":
        return go("read_back")
    caller = turn.admin
    wanted = _wanted(turn)
    sets = access.permission_sets(caller, {name for _, name in wanted})
    people = access.users(caller, {user for user, _ in wanted})
    given: list[dict[str, Any]] = []
    for user, name in wanted:
        if user not in people or name not in sets:
            missing = user if user not in people else f"permission set {name}"
            raise Permanent(f"{name} was not given to {user}: the org has no {missing}")
        try:
            new = access.assign(
                caller, user_id=people[user].id, permission_set_id=sets[name]
            )
        except Permanent as exc:
            raise Permanent(
                f"{name} was not given to {user}: {exc}. The package is installed; "
                "grant it in Setup or repeat the install"
            ) from exc
        given.append({"user": user, "permission_set": name, "new": new})
    return go("read_back", evidence=turn.evidence(granted=given))


def read_back(turn: Turn) -> Step:
    """See as the integration user what the integration user is meant to see."""
    promised = grants.promised(turn.wanted().files, INTEGRATION_SET)

    def seen_by(caller: Caller) -> dict[str, dict[str, bool] | None]:
        return {name: _seen(caller, name) for name in promised}

    lacks = grants.lacking(promised, turn.as_integration(seen_by))
    evidence = turn.evidence(
        read_back={
            "objects": len(promised),
            "fields": sum(map(len, promised.values())),
            "lacking": [str(each) for each in lacks],
        }
    )
    if lacks:
        return go("report", evidence=evidence | {"failure": _told(turn, lacks)})
    return go("activate", evidence=evidence)


def activate(turn: Turn) -> Step:
    """Let the newest version of each of our flows run, and look whether it does."""
    caller = turn.admin
    names = grants.active_flows(turn.wanted().files)
    there = tooling.flows(caller, names)
    if missing := sorted(set(names) - set(there)):
        raise Permanent(f"the org has no flow {', '.join(missing)}")
    tried = turn.deployment.evidence.get("activated", [])
    wrong = [flow for flow in there.values() if not _runs(turn, flow)]
    if turn.deployment.kind == "verify" or (wrong and tried):
        if wrong:
            words = ", ".join(
                f"{flow.name} (version {flow.active or 'none'} of {flow.latest} runs)"
                for flow in wrong
            )
            raise Permanent(f"flows do not run as they should: {words}")
    elif wrong:
        for flow in wrong:
            tooling.activate(caller, flow, flow.latest)
        return again(
            turn,
            evidence=turn.evidence(activated=[flow.name for flow in wrong]),
            progress={"words": "activating the flows"},
        )
    running = {flow.name: flow.active for flow in there.values()}
    skips = not turn.deployment.options.get("self_test", True)
    return go("report" if skips else "test", evidence=turn.evidence(flows=running))


def _wanted(turn: Turn) -> list[tuple[str, str]]:
    """The integration user comes first; it is never asked for."""
    user = turn.deployment.facts["integration_user"]
    asked = [(str(who), str(name)) for who, name in turn.deployment.options["grants"]]
    return [(user, INTEGRATION_SET), *asked]


def _runs(turn: Turn, flow: tooling.FlowState) -> bool:
    """An older version may run on purpose where this install did not bring a newer."""
    brought = f"flows/{flow.name}.flow" in planning.made_plan(turn).archive
    return flow.active == flow.latest if brought else flow.active > 0


def _seen(caller: Caller, name: str) -> dict[str, bool] | None:
    try:
        found = access.described(caller, name)
    except Permanent:
        return None
    return {field: seen.updateable for field, seen in found.items()}


def _told(turn: Turn, lacks: list[Lack]) -> str:
    user = turn.deployment.facts["integration_user"]
    words = "; ".join(map(str, lacks[:10]))
    more = f" and {len(lacks) - 10} more" if len(lacks) > 10 else ""
    return (
        f"{user} {words}{more}. The package is installed: see that the permission set "
        f"{INTEGRATION_SET} is assigned and not muted, then `sidecar package verify`"
    )
