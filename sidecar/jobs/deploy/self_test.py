"""The self-test: one referral goes its whole way through the org, and leaves no trace.

It is walked as the admin, who is lent a rep's permission set for it: the integration
user may not convert leads, and must not be able to only for a test. Every record is
noted, or found again by the company's name; whatever happens, ``clean`` comes last.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from sidecar.jobs.deploy import proof
from sidecar.jobs.deploy.proof import tell
from sidecar.jobs.deploy.turn import Step, Turn, again, go
from sidecar.referral.journey import Milestone
from sidecar.salesforce import lead_conversion, one_record, org_facts, reports
from sidecar.salesforce.caller import Caller
from sidecar.store import follow_ups, inbox, traces

KEY = "Referral_Key__c"
_CODE = "SELF-TEST"
_CARRIED = (KEY, "Referral_Code__c", "Referral_Status__c")
_STAMPS = ("Referral_Contacted_At__c", "Referral_Qualified_At__c")
_PATIENCE, _LONG = timedelta(minutes=5), timedelta(seconds=30)
_MOST_REPORTS = 20


def create(turn: Turn) -> Step:
    """Make the referral, and lend the admin what it takes to do so."""
    caller, notes = _admin(turn), proof.noted(turn)
    proof.lend(turn, caller, org_facts.me(caller, ()).user_id, notes)
    values = {
        "LastName": "Self-test",
        "Company": proof.mark(turn),
        "Email": "self-test@example.com",
        "Referral_Status__c": proof.status(turn, Milestone.SUBMITTED),
        "Referral_Code__c": _CODE,
        "Referrer_Name__c": "Self-test",
        **proof.samples(turn, caller, "Lead"),
    }
    lead_id = proof.lead_of(turn, caller) or one_record.create(caller, "Lead", values)
    notes["records"] = {"Lead": lead_id}
    read = one_record.read(caller, "Lead", lead_id, _CARRIED) or {}
    notes["key"] = read.get(KEY) or ""
    tell(turn, notes, "a lead becomes a referral with a key", bool(notes["key"]), read)
    notes["wait_until"] = (turn.now() + _PATIENCE).isoformat()
    return go("test_arrive", evidence=turn.evidence(self_test=notes))


def arrive(turn: Turn) -> Step:
    """Wait until the outbound message is in our inbox, and its task in the org."""
    notes = proof.noted(turn)
    with turn.engine.connect() as db:
        events = inbox.listing(
            db, keyring=turn.keyring, record_id=notes["records"]["Lead"], limit=10
        )
    tasks = _tasks(turn, notes)
    left = datetime.fromisoformat(notes["wait_until"]) - turn.now()
    if not (events and tasks) and left > timedelta():
        given = turn.orgs.placeholders(turn.connection.id)["REFERRAL_ENDPOINT_URL"]
        words = waiting(bool(events), _PATIENCE - left, given)
        return again(turn, progress={"words": words})
    counted = {"messages": len(events)} if events else _UNHEARD
    tell(turn, notes, "the outbound message reaches us", bool(events), counted)
    read = turn.as_integration(partial(_task, task_id=tasks[0])) if tasks else None
    told = read or _UNDONE
    tell(turn, notes, "the follow-up task is in the org", read is not None, told)
    return go("test_walk", evidence=turn.evidence(self_test=notes))


def waiting(heard: bool, so_far: timedelta, address: str) -> str:
    """
    Say what is waited for, and where it takes long, what to look at.

    Args:
        heard: the message has come; its task has not.
        address: what the org was given; its path is a secret and is not repeated.
    """
    if heard:
        words, look = "self-test: waiting for the follow-up task", "does a worker run?"
    else:
        words = "self-test: waiting for the outbound message"
        parts = urlsplit(address)
        look = (
            f"the org was given {parts.scheme}://{parts.netloc} (SIDECAR_PUBLIC_URL): "
            "can Salesforce reach it from the internet, by https, with a complete "
            "certificate chain? Setup, Outbound Messages, tells what the org heard"
        )
    return f"{words}; {look}" if so_far >= _LONG else words


def walk(turn: Turn) -> Step:
    """Move it through the stages, as a rep does."""
    caller, notes = _admin(turn), proof.noted(turn)
    lead_id = notes["records"]["Lead"]
    for milestone, stamp in zip(
        (Milestone.CONTACTED, Milestone.QUALIFIED), _STAMPS, strict=True
    ):
        read = one_record.read(caller, "Lead", lead_id, (stamp,)) or {}
        if not read.get(stamp):
            status = {"Referral_Status__c": proof.status(turn, milestone)}
            one_record.change(caller, "Lead", lead_id, status)
    read = one_record.read(caller, "Lead", lead_id, _STAMPS) or {}
    stamped = all(read.get(name) for name in _STAMPS)
    tell(turn, notes, "the stages are walked, their times stamped", stamped, read)
    return go("test_convert", evidence=turn.evidence(self_test=notes))


def convert(turn: Turn) -> Step:
    """Convert the lead; its key and its code must arrive on both records."""
    caller, notes = _admin(turn), proof.noted(turn)
    made = lead_conversion.convert(
        caller,
        notes["records"]["Lead"],
        status=lead_conversion.converted_status(caller),
        opportunity_name=proof.mark(turn),
    )
    notes["records"] |= {
        "Account": made.account_id,
        "Contact": made.contact_id,
        "Opportunity": made.opportunity_id,
    }
    turn.write({"evidence": turn.evidence(self_test=notes)})
    for name in ("Contact", "Opportunity"):
        read = one_record.read(caller, name, notes["records"][name], _CARRIED) or {}
        arrived = (read.get(KEY), read.get("Referral_Code__c")) == (notes["key"], _CODE)
        tell(turn, notes, f"key and code arrive on the {name}", arrived, read)
    return go("test_report", evidence=turn.evidence(self_test=notes))


def report(turn: Turn) -> Step:
    """Let a report find it, where reports are installed."""
    notes = proof.noted(turn)
    names = sorted(
        path.rpartition("/")[2].removesuffix(".report")
        for path in turn.wanted().files
        if path.startswith("reports/") and path.endswith(".report")
    )
    if not names:
        return go("test_clean")
    caller = _admin(turn)
    ours = {notes["key"], proof.mark(turn), *notes["records"].values()}
    asked: dict[str, Any] = {}
    for name in names[:_MOST_REPORTS]:
        ran = reports.run(caller, name)
        asked[name] = ran.rows
        if ours & ran.values:
            tell(turn, notes, "a report returns it", True, {"report": name})
            break
    else:
        tell(turn, notes, "a report returns it", False, asked)
    return go("test_clean", evidence=turn.evidence(self_test=notes))


def clean(turn: Turn) -> Step:
    """Remove every record, take back what was lent, and say how it went."""
    caller, notes = _admin(turn), proof.noted(turn)
    records = proof.records(turn, caller, notes)
    left: list[str] = []
    tasks = [("Task", id_) for id_ in _tasks(turn, notes)]
    for name, id_ in [*tasks, *((each, records.get(each)) for each in _IN_ORDER)]:
        if id_:
            remove = partial(one_record.remove, caller, name, id_)
            proof.attempt(left, f"{name} {id_}", remove)
    if user_id := notes.get("lent_to"):
        back = partial(proof.take_back, caller, user_id)
        proof.attempt(left, f"{proof.LENT} of {user_id}", back)
    with turn.engine.begin() as db:
        traces.forget(
            db,
            turn.deployment.org_id,
            referral_key=notes.get("key", ""),
            record_ids=list(records.values()),
        )
    tell(turn, notes, "nothing is left of the self-test", not left, "; ".join(left))
    wrong = [step for step in notes["steps"] if not step["ok"]]
    notes["passed"] = not wrong
    evidence = turn.evidence(self_test=notes)
    if wrong:
        _not_proven(evidence, f"{wrong[0]['step']}: {wrong[0]['words']}")
    return go("report", evidence=evidence)


def broken(turn: Turn, exc: Exception) -> Step:
    """Note what an org refused, and clean up."""
    notes = proof.noted(turn)
    stage = turn.deployment.stage
    what = _DOING.get(stage, stage)
    tell(turn, notes, what, False, str(exc))
    notes["passed"] = False
    evidence = turn.evidence(self_test=notes)
    _not_proven(evidence, f"{what}: {exc}")
    return go("report" if stage == "test_clean" else "test_clean", evidence=evidence)


_IN_ORDER = ("Opportunity", "Contact", "Account", "Lead")
_DOING = {
    "test": "making a referral",
    "test_walk": "walking the stages",
    "test_convert": "converting the lead",
    "test_arrive": "waiting for the message",
    "test_report": "running a report",
    "test_clean": "cleaning up",
}
_UNHEARD = (
    "no message came within five minutes: can Salesforce reach SIDECAR_PUBLIC_URL? "
    "Setup, Outbound Messages, tells what it heard"
)
_UNDONE = "no task was made within five minutes: is a worker running?"


def _not_proven(evidence: dict[str, Any], why: str) -> None:
    evidence.setdefault("failure", f"the package is installed, but not proven: {why}")


def _admin(turn: Turn) -> Caller:
    caller = turn.admin
    # A customer's duplicate rule may warn of a second self-test; it is to be saved.
    caller.http.headers["Sforce-Duplicate-Rule-Header"] = "allowSave=true"
    return caller


def _tasks(turn: Turn, notes: dict[str, Any]) -> list[str]:
    """The ids of the follow-up tasks that were put into the org."""
    with turn.engine.connect() as db:
        rows = follow_ups.listing(db, referral_key=notes.get("key") or "-")
    return [
        str(row["receipt"])
        for row in rows
        if row["kind"] == "task" and row["state"] == "done"
    ]


def _task(caller: Caller, *, task_id: str) -> dict[str, Any] | None:
    return one_record.read(caller, "Task", task_id, ("Id", "Subject"))
