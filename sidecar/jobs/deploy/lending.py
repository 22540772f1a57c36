"""Permission sets lent to the admin for a while: nobody sees our fields unasked.

Not even an administrator does. What is lent is noted in the row before it is given, so
that whoever goes on after a crash takes back exactly that.

Source: "FieldPermissions", Object Reference.
"""

from collections.abc import Collection

from sidecar.errors import Permanent
from sidecar.jobs.deploy.turn import Step, Turn, go
from sidecar.salesforce import access, org_facts
from sidecar.salesforce.caller import Caller


def lend(turn: Turn, caller: Caller, names: Collection[str]) -> None:
    """
    Give the calling admin those of the permission sets that they have not.

    Raises:
        LoggedOut, Retryable, Permanent: the last where the org does not allow it.
    """
    user_id = org_facts.me(caller, ()).user_id
    lent = turn.deployment.evidence.get("lent")
    if lent is None:
        having = {
            name
            for _, who, _, name in access.assignments(caller, names)
            if who == user_id
        }
        lent = {"to": user_id, "sets": sorted(set(names) - having)}
        turn.write({"evidence": turn.evidence(lent=lent)})
        turn.deployment.evidence["lent"] = lent
    for set_id in access.permission_sets(caller, lent["sets"]).values():
        access.assign(caller, user_id=user_id, permission_set_id=set_id)


def give_back(turn: Turn) -> Step:
    """Take back what was lent, however the deployment ended; then report."""
    lent = turn.deployment.evidence["lent"]
    caller = turn.admin
    left = []
    for id_, who, _, name in access.assignments(caller, lent["sets"]):
        if who != lent["to"]:
            continue
        try:
            access.take_back(caller, id_)
        except Permanent as exc:
            left.append(f"{name}: {exc}")
    return go("report", evidence=turn.evidence(lent=None, lent_and_left=left))
