"""The self-test: one referral goes its whole way through the org, and leaves no trace.

It is walked as the admin, who is lent a rep's permission set for it: the integration
user may not convert leads, and must not be able to only for a test. Every record is
found again by the test's own referral key or by what is noted in the row before the
next one is made; whatever happens, ``clean`` comes last.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sidecar.errors import Permanent, Retryable
from sidecar.jobs.deploy.turn import Step, Turn, again, go
from sidecar.referral.journey import Milestone
from sidecar.salesforce import (
    access,
    lead_conversion,
    one_record,
    org_facts,
    reports,
)
from sidecar.salesforce.caller import Caller, query, quoted
from sidecar.salesforce.refusals import LoggedOut
from sidecar.store import follow_ups, inbox, traces

KEY = "Referral_Key__c"
LENT = "Referral_User"
_CARRIED = ("Referral_Key__c", "Referral_Code__c", "Referral_Status__c")
_CODE = "SELF-TEST"
_PATIENCE = timedelta(minutes=5)
_MOST_REPORTS = 20


def create(turn: Turn) -> Step:
    """Make the referral, and lend the admin what it takes to do so."""
    caller = _admin(turn)
    me = org_facts.me(caller, ())
    found = access.permission_sets(caller, [LENT])
    if LENT not in found:
        raise Permanent(f"the org has no permission set {LENT}")
    noted = _noted(turn)
    if "lent_to" not in noted:
        # Noted first: who is killed in between still takes back only what was lent.
        having = {user for _, user, _, _ in access.assignments(caller, [LENT])}
        noted["lent_to"] = None if me.user_id in having else me.user_id
        turn.write({"evidence": turn.evidence(self_test=noted)})
    access.assign(caller, user_id=me.user_id, permission_set_id=found[LENT])
    values = {
        "LastName": "Self-test of the referral package",
        "Company": f"Referral self-test {turn.deployment.id}",
        "Email": "self-test@example.com",
        "Referral_Status__c": _status(turn, Milestone.SUBMITTED),
        "Referral_Code__c": _CODE,
        "Referrer_Name__c": "Self-test",
        **_samples(turn, caller, "Lead"),
    }
    noted["key"] = _key(turn)
    lead_id = one_record.upsert(caller, "Lead", KEY, noted["key"], values)
    noted["records"] = {"Lead": lead_id}
    read = one_record.read(caller, "Lead", lead_id, _CARRIED) or {}
    _told(turn, noted, "a lead becomes a referral", read.get(KEY) == noted["key"], read)
    return go("test_walk", evidence=turn.evidence(self_test=noted))


def walk(turn: Turn) -> Step:
    """Move it through the stages, as a rep does."""
    caller, noted = _admin(turn), _noted(turn)
    lead_id = noted["records"]["Lead"]
    for milestone in (Milestone.CONTACTED, Milestone.QUALIFIED):
        status = _status(turn, milestone)
        now_at = one_record.read(caller, "Lead", lead_id, ("Referral_Status__c",)) or {}
        if now_at.get("Referral_Status__c") != status:
            one_record.change(caller, "Lead", lead_id, {"Referral_Status__c": status})
    stamps = ("Referral_Contacted_At__c", "Referral_Qualified_At__c")
    read = one_record.read(caller, "Lead", lead_id, stamps) or {}
    stamped = all(read.get(name) for name in stamps)
    _told(turn, noted, "the stages are walked, and their times stamped", stamped, read)
    return go("test_convert", evidence=turn.evidence(self_test=noted))


def convert(turn: Turn) -> Step:
    """Convert the lead; its key and its code must arrive on both records."""
    caller, noted = _admin(turn), _noted(turn)
    lead_id = noted["records"]["Lead"]
    status = lead_conversion.converted_status(caller)
    made = lead_conversion.convert(
        caller, lead_id, status=status, opportunity_name="Referral self-test"
    )
    noted["records"] |= {
        "Account": made.account_id,
        "Contact": made.contact_id,
        "Opportunity": made.opportunity_id,
    }
    turn.write({"evidence": turn.evidence(self_test=noted)})
    for name, id_ in (
        ("Contact", made.contact_id),
        ("Opportunity", made.opportunity_id),
    ):
        read = one_record.read(caller, name, id_, _CARRIED) or {}
        arrived = (read.get(KEY), read.get("Referral_Code__c")) == (noted["key"], _CODE)
        _told(turn, noted, f"key and code arrive on the {name}", arrived, read)
    noted["wait_until"] = (turn.now() + _PATIENCE).isoformat()
    return go("test_arrive", evidence=turn.evidence(self_test=noted))


def arrive(turn: Turn) -> Step:
    """Wait until the outbound message is in our inbox, and its task in the org."""
    noted = _noted(turn)
    with turn.engine.connect() as db:
        events = inbox.listing(
            db, keyring=turn.keyring, record_id=noted["records"]["Lead"], limit=10
        )
        done = [
            row
            for row in follow_ups.listing(db, referral_key=noted["key"])
            if row["kind"] == "task" and row["state"] == "done"
        ]
    if (events and done) or turn.now() > datetime.fromisoformat(noted["wait_until"]):
        states = {"messages": len(events), "states": sorted({e.state for e in events})}
        _told(turn, noted, "the outbound message reaches us", bool(events), states)
        task = done[0]["receipt"] if done else None
        _told(turn, noted, "the follow-up task is in the org", *_task(turn, task))
        if task:
            noted["records"]["Task"] = task
        return go("test_report", evidence=turn.evidence(self_test=noted))
    words = "waiting for the follow-up task" if events else "waiting for the message"
    return again(turn, progress={"words": words})


def report(turn: Turn) -> Step:
    """Let a report find it, where reports are installed."""
    noted = _noted(turn)
    names = sorted(
        path.rpartition("/")[2].removesuffix(".report")
        for path in turn.wanted().files
        if path.startswith("reports/") and path.endswith(".report")
    )
    if not names:
        return go("test_clean")
    caller = _admin(turn)
    ours = {noted["key"], *noted["records"].values()}
    asked: dict[str, Any] = {}
    for name in names[:_MOST_REPORTS]:
        ran = reports.run(caller, name)
        asked[name] = ran.rows
        if ours & ran.values:
            _told(turn, noted, "a report returns it", True, {"report": name})
            break
    else:
        _told(turn, noted, "a report returns it", False, {"rows": asked})
    return go("test_clean", evidence=turn.evidence(self_test=noted))


def clean(turn: Turn) -> Step:
    """Remove every record, take back what was lent, and say how it went."""
    caller, noted = _admin(turn), _noted(turn)
    left: list[str] = []
    records = _records(turn, caller, noted)
    for name in ("Task", "Opportunity", "Contact", "Account", "Lead"):
        if id_ := records.get(name):
            _try(left, f"{name} {id_}", lambda: one_record.remove(caller, name, id_))  # noqa: B023 called at once
    if user_id := noted.get("lent_to"):
        _try(left, f"{LENT} of {user_id}", lambda: _take_back(caller, user_id))
    with turn.engine.begin() as db:
        traces.forget(
            db,
            turn.deployment.org_id,
            referral_key=noted.get("key") or _key(turn),
            record_ids=[id_ for id_ in records.values() if id_],
        )
    _told(turn, noted, "nothing is left of the self-test", not left, {"left": left})
    noted["passed"] = all(step["ok"] for step in noted["steps"])
    evidence = turn.evidence(self_test=noted)
    if not noted["passed"] and "failure" not in evidence:
        wrong = next(step for step in noted["steps"] if not step["ok"])
        evidence["failure"] = (
            f"the package is installed, but not proven: {wrong['step']}: "
            f"{wrong['words']}"
        )
    return go("report", evidence=evidence)


def broken(turn: Turn, exc: Exception) -> Step:
    """Note what an org refused, and clean up."""
    noted = _noted(turn)
    stage = turn.deployment.stage.removeprefix("test_")
    _told(turn, noted, stage, False, str(exc))
    after = "report" if stage == "clean" else "test_clean"
    noted["passed"] = False
    evidence = turn.evidence(self_test=noted)
    evidence.setdefault(
        "failure", f"the package is installed, but not proven: {stage}: {exc}"
    )
    return go(after, evidence=evidence)


def _admin(turn: Turn) -> Caller:
    caller = turn.admin
    # A customer's duplicate rule may warn of a second self-test; it is to be saved.
    caller.http.headers["Sforce-Duplicate-Rule-Header"] = "allowSave=true"
    return caller


def _noted(turn: Turn) -> dict[str, Any]:
    noted: dict[str, Any] = turn.deployment.evidence.get("self_test", {})
    return {"steps": [], "records": {}, **noted}


def _key(turn: Turn) -> str:
    """At most 36 characters, known before the record is made, never used again."""
    asked = turn.deployment.created_at.timestamp()
    return f"self-test-{turn.deployment.id}-{asked:.0f}"


def _told(turn: Turn, noted: dict[str, Any], step: str, ok: bool, seen: object) -> None:
    words = seen if isinstance(seen, str) else _words(seen)
    kept = [each for each in noted["steps"] if each["step"] != step]
    told = {"step": step, "ok": ok, "words": words, "at": turn.now().isoformat()}
    noted["steps"] = [*kept, told]


def _words(seen: object) -> str:
    if isinstance(seen, Mapping):
        shown = {k: v for k, v in seen.items() if k != "attributes"}
        return ", ".join(f"{name}: {value}" for name, value in shown.items()) or "gone"
    return str(seen)


def _status(turn: Turn, milestone: Milestone) -> str:
    """Give the org's own word for a milestone."""
    known = turn.connection.statuses
    for status, meaning in known.items():
        if meaning == milestone:
            return status
    raise Permanent(f"no status of this connection means {milestone}")


def _samples(turn: Turn, caller: Caller, object_type: str) -> dict[str, object]:
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
    for name in wanted & described.keys():
        seen = described[name]
        today = turn.now().date().isoformat()
        samples: Mapping[str, object] = {
            "date": today,
            "datetime": turn.now().isoformat(),
            "email": "self-test@example.com",
            "url": "https://example.com",
            "phone": "+49 30 1234567",
            "picklist": next(iter(seen.values), None),
            "multipicklist": next(iter(seen.values), None),
            **dict.fromkeys(("int", "double", "currency", "percent"), 1),
        }
        found[name] = samples.get(seen.type, "Self-test")
    return found


def _task(turn: Turn, task_id: str | None) -> tuple[bool, object]:
    if task_id is None:
        return False, (
            "no task was made in five minutes: is a worker running, and can Salesforce "
            "reach SIDECAR_PUBLIC_URL?"
        )

    def ask(caller: Caller) -> dict[str, Any] | None:
        return one_record.read(caller, "Task", task_id, ("Id", "Subject"))

    read = turn.as_integration(ask)
    return read is not None, read or "gone"


def _records(turn: Turn, caller: Caller, noted: dict[str, Any]) -> dict[str, str]:
    """Find what there is, noted or not: a process may have died in between."""
    records: dict[str, str] = dict(noted["records"])
    soql = f"SELECT Id FROM Lead WHERE {KEY} = {quoted([_key(turn)])}"  # noqa: S608
    try:
        for row in query(caller, soql):
            records["Lead"] = row["Id"]
            if made := lead_conversion.already(caller, row["Id"]):
                records |= {
                    "Account": made.account_id,
                    "Contact": made.contact_id,
                    "Opportunity": made.opportunity_id,
                }
    except (LoggedOut, Retryable):
        raise
    except Permanent:
        pass  # the field is not there, or not seen: then no lead has it either
    return records


def _take_back(caller: Caller, user_id: str) -> None:
    for id_, assignee, _, _ in access.assignments(caller, [LENT]):
        if assignee == user_id:
            access.take_back(caller, id_)


def _try(left: list[str], what: str, how: Callable[[], None]) -> None:
    try:
        how()
    except Permanent as exc:
        left.append(f"{what}: {exc}")
