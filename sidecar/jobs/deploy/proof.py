"""What a self-test notes in the row: its records, its steps, what was lent for it."""

from collections.abc import Callable, Mapping
from typing import Any

from sidecar.errors import Permanent
from sidecar.jobs.deploy.turn import Turn
from sidecar.referral.journey import Milestone
from sidecar.salesforce import access, lead_conversion
from sidecar.salesforce.caller import Caller, query, quoted

LENT = "Referral_User"
"""The permission set that the admin is lent: what a rep has."""

Notes = dict[str, Any]


def noted(turn: Turn) -> Notes:
    """Give the notes of the turns before."""
    notes: Notes = turn.deployment.evidence.get("self_test", {})
    return {"steps": [], "records": {}, **notes}


def tell(turn: Turn, notes: Notes, step: str, ok: bool, seen: object) -> None:
    """Note how a step went; the same step again replaces what was noted of it."""
    kept = [each for each in notes["steps"] if each["step"] != step]
    at = turn.now().isoformat()
    notes["steps"] = [*kept, {"step": step, "ok": ok, "words": words(seen), "at": at}]


def words(seen: object) -> str:
    """Say for people what was seen; a record without its attributes."""
    if not isinstance(seen, Mapping):
        return str(seen)
    told = [f"{name}: {value}" for name, value in seen.items() if name != "attributes"]
    return ", ".join(told) or "nothing"


def mark(turn: Turn) -> str:
    """Name the test's company: known before it is made, and never used again."""
    asked = turn.deployment.created_at.timestamp()
    return f"Referral self-test {turn.deployment.id}-{asked:.0f}"


def status(turn: Turn, milestone: Milestone) -> str:
    """
    Give the org's own word for a milestone.

    Raises:
        Permanent: the connection knows none.
    """
    for name, meaning in turn.connection.statuses.items():
        if meaning == milestone:
            return name
    raise Permanent(f"no status of this connection means {milestone}")


def samples(turn: Turn, caller: Caller, object_type: str) -> dict[str, object]:
    """Fill what the customer requires, so that their rules do not stop the test."""
    prefix = f"{object_type}."
    wanted = {
        name.removeprefix(prefix)
        for name in turn.deployment.facts.get("required_fields", [])
        if name.startswith(prefix)
    }
    if not wanted:
        return {}
    described = access.described(caller, object_type)
    found = {}
    for name in sorted(wanted & described.keys()):
        seen = described[name]
        first = next(iter(seen.values), None)
        by_type: Mapping[str, object] = {
            "date": turn.now().date().isoformat(),
            "datetime": turn.now().isoformat(),
            "email": "self-test@example.com",
            "url": "https://example.com",
            "phone": "+49 30 1234567",
            "picklist": first,
            "multipicklist": first,
            **dict.fromkeys(("int", "double", "currency", "percent"), 1),
        }
        found[name] = by_type.get(seen.type, "Self-test")
    return found


def lead_of(turn: Turn, caller: Caller) -> str | None:
    """Find the test's lead, noted or not: a process may have died in between."""
    soql = f"SELECT Id FROM Lead WHERE Company = {quoted([mark(turn)])}"  # noqa: S608
    return next((str(row["Id"]) for row in query(caller, soql)), None)


def records(turn: Turn, caller: Caller, notes: Notes) -> dict[str, str]:
    """Find every record of the test."""
    found: dict[str, str] = dict(notes["records"])
    if lead_id := found.get("Lead") or lead_of(turn, caller):
        found["Lead"] = lead_id
        if made := lead_conversion.already(caller, lead_id):
            found |= {
                "Account": made.account_id,
                "Contact": made.contact_id,
                "Opportunity": made.opportunity_id,
            }
    return {name: id_ for name, id_ in found.items() if id_}


def lend(turn: Turn, caller: Caller, user_id: str, notes: Notes) -> None:
    """
    Give the admin what a rep has, and note it before.

    Who is killed in between still takes back what was lent, and nothing else.

    Raises:
        Permanent: the org has no such permission set.
    """
    sets = access.permission_sets(caller, [LENT])
    if LENT not in sets:
        raise Permanent(f"the org has no permission set {LENT}")
    if "lent_to" not in notes:
        having = {user for _, user, _, _ in access.assignments(caller, [LENT])}
        notes["lent_to"] = None if user_id in having else user_id
        turn.write({"evidence": turn.evidence(self_test=notes)})
    access.assign(caller, user_id=user_id, permission_set_id=sets[LENT])


def take_back(caller: Caller, user_id: str) -> None:
    """Take back what was lent."""
    for id_, assignee, _, _ in access.assignments(caller, [LENT]):
        if assignee == user_id:
            access.take_back(caller, id_)


def attempt(left: list[str], what: str, how: Callable[[], None]) -> None:
    """Do something; where the org refuses, note what is left behind and go on."""
    try:
        how()
    except Permanent as exc:
        left.append(f"{what}: {exc}")
