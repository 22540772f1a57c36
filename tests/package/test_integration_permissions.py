"""The integration user may do what the service does, and nothing else.

The service works on a real dev org, which writes down what it touches; the shipped
permission set has to grant exactly that. To take over what the service has come to
need: ``UPDATE_PERMISSION_SET=1 pytest tests/package/test_integration_permissions.py``.
"""

import os
import time
from dataclasses import replace
from datetime import date

import pytest
from messages import message, notification

from sidecar.demo.stage import client
from sidecar.intake import arrivals, outbound_message
from sidecar.jobs import clock_records
from sidecar.package import least_access, read
from sidecar.package.least_access import Rights
from sidecar.salesforce import referrers, rep_actions
from sidecar.salesforce.record_updates import RecordUpdates
from sidecar.salesforce.rep_actions import Deed
from sidecar.store import follow_ups, referrer_stops

FILE = (
    read.bundled()
    / "core/main/default/permissionsets/Referral_Integration.permissionset-meta.xml"
)
LABEL = "Referral Integration"
DESCRIPTION = (
    "For the user as whom the referral sidecar works, and for nobody else: exactly what "
    "its calls and its outbound messages use, as recorded while it worked. No deletes."
)
# Granted although no call used it; each has to say why Salesforce or the product
# cannot do without. Empty as long as everything is used.
EXTRAS: dict[str, str] = {}


def records(salesforce, rep):
    """One referral as lead, contact and opportunity, made by the admin."""

    def create(name, **values):
        made = salesforce.restful(f"sobjects/{name}", method="POST", json=values)
        return made["id"]

    referred = {"Referral_Status__c": "Submitted", "Referrer_Name__c": "Ada"}
    account = create("Account", Name="Example Ltd")
    return {
        "Lead": create(
            "Lead", LastName="Example", Company="Example Ltd", OwnerId=rep, **referred
        ),
        "Contact": create(
            "Contact", LastName="Example", AccountId=account, OwnerId=rep, **referred
        ),
        "Opportunity": create(
            "Opportunity",
            Name="Example",
            StageName="Prospecting",
            CloseDate="2026-12-31",
            AccountId=account,
            OwnerId=rep,
            **referred,
        ),
    }


def converted(salesforce, lead_id):
    """Convert a lead, as a rep does."""
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns="urn:partner.soap.sforce.com"><e:Header><SessionHeader><sessionId>'
        f"{salesforce.session_id}</sessionId></SessionHeader></e:Header><e:Body>"
        "<convertLead><leadConverts><convertedStatus>Closed - Converted"
        "</convertedStatus><doNotCreateOpportunity>false</doNotCreateOpportunity>"
        f"<leadId>{lead_id}</leadId></leadConverts></convertLead></e:Body></e:Envelope>"
    )
    answer = salesforce.session.post(
        f"https://{salesforce.sf_instance}/services/Soap/u/62.0",
        data=body,
        headers={"Content-Type": "text/xml", "SOAPAction": '""'},
    )
    assert "<success>true</success>" in answer.text, answer.text


def hear(wiring, linked, number, object_type, record_id, rep):
    """A message that does not tell the time, so that the record is read back."""
    told = {
        "Id": record_id,
        "OwnerId": rep,
        "Referral_Key__c": record_id,
        "Referral_Status__c": "Submitted",
    }
    parts = [notification(number, told, object_type=object_type)]
    heard = outbound_message.read(
        message(parts, org_id=linked.org_id), field_lists=linked.field_lists
    )
    return wiring.scribe.keep(arrivals.of(heard, linked, wiring.now()))


def task_keys(wiring, record_id):
    with wiring.engine.connect() as db:
        listed = follow_ups.listing(db, referral_key=record_id)
    return tuple(row["key"] for row in listed if row["kind"] == "task")


@pytest.fixture
def recorded(wiring, org, linked):
    """What the integration user's calls used while the service worked."""
    salesforce = client(org)
    rep = org.user_ids[org.reps[0]]
    backdoor = f"{org.base_url}/devorg/access"
    salesforce.session.delete(backdoor)

    # The door: a message leaves for each of the three objects.
    made = records(salesforce, rep)
    # The jobs: events are processed, records read back, tasks put.
    for number, (object_type, record_id) in enumerate(made.items(), start=1):
        wiring.process(hear(wiring, linked, number, object_type, record_id, rep))
    wiring.deliver(linked.id, "task")
    wiring.records.reps(linked.id, [rep])
    # A lead is converted while its task is on the way.
    late = salesforce.restful(
        "sobjects/Lead",
        method="POST",
        json={
            "LastName": "Late",
            "Company": "Example Ltd",
            "OwnerId": rep,
            "Referral_Status__c": "Submitted",
            "Referrer_Name__c": "Ada",
        },
    )["id"]
    wiring.process(hear(wiring, linked, 9, "Lead", late, rep))
    converted(salesforce, late)
    wiring.deliver(linked.id, "task")
    # A rep answers by the links of a mail.
    for object_type in ("Lead", "Contact"):
        deed = Deed(
            object_type=object_type,
            record_id=made[object_type],
            owner_id=rep,
            note="Rita Rep has contacted them.",
            new_task_key=f"by-link-{object_type.lower()}",
            subject="Referral",
            status="Contacted",
            task_keys=task_keys(wiring, made[object_type]),
            due_on=date(2026, 12, 1),
            complete=True,
        )
        assert rep_actions.carry_out(wiring.sessions, linked.id, deed) is None
        lost = replace(deed, status="Lost", reason="No budget", complete=False)
        assert rep_actions.carry_out(wiring.sessions, linked.id, lost) is None
    # A response clock tells the record by when somebody must have answered.
    updates = RecordUpdates(wiring.sessions)
    for object_type in sorted(clock_records.OBJECTS):
        due = {clock_records.FIELD: "2026-12-01T09:00:00+00:00"}
        told = updates.update(linked.id, object_type, [(made[object_type], due)])
        assert told == [None]
    # A referrer hears of it, and then wants to hear no more.
    referrer = salesforce.restful(
        "sobjects/Referrer__c", method="POST", json={"Name": "Ada"}
    )["id"]
    assert referrers.read(wiring.records, linked.id, [referrer])[referrer].silent
    with wiring.engine.begin() as db:
        referrer_stops.ask(db, linked.id, referrer, now=wiring.now())
    assert wiring.deliver(linked.id, referrer_stops.KIND) == 1
    with wiring.engine.connect() as db:
        assert not referrer_stops.holding(db, linked.id, [referrer])
    # The doctor looks at the connection.
    assert [step for step in wiring.try_out(linked.id) if not step.well] == []

    def used():
        told = salesforce.session.get(backdoor).json()
        return told.get(org.integration_user, {"objects": {}, "permissions": []})

    messages = [f"{name}.Referral_Status_Changed" for name in made]
    for _ in range(500):
        found = used()
        if all(
            "Referral_Status__c" in found["objects"].get(name, {}).get("read", ())
            for name in made
        ):
            return found
        time.sleep(0.02)
    raise AssertionError(f"no message left of {messages}: {found}")


def test_the_integration_user_is_granted_what_the_service_uses_and_no_more(
    recorded, org
):
    salesforce = client(org)
    describes = {
        name: salesforce.restful(f"sobjects/{name}/describe")
        for name in {*recorded["objects"], "Event"}
    }
    wanted = least_access.needed(recorded, describes)
    if os.environ.get("UPDATE_PERMISSION_SET"):
        FILE.write_bytes(
            least_access.written(wanted, label=LABEL, description=DESCRIPTION)
        )

    given = least_access.granted(FILE.read_bytes())
    wrong = least_access.differences(wanted, given, extras=EXTRAS)
    assert not wrong, "\n".join(wrong)


# --- the rules by themselves --------------------------------------------------------


def described(*names, layoutable=True):
    fields = [{"name": name, "permissionable": name != "LastName"} for name in names]
    return {"layoutable": layoutable, "fields": fields}


def touched(*read_, create=None, edit=None, delete=False):
    return {"read": list(read_), "create": create, "edit": edit, "delete": delete}


def test_what_was_read_and_written_is_granted_field_by_field():
    used = {
        "objects": {"Lead": touched("Email", "LastName", edit=["Phone"])},
        "permissions": ["ApiEnabled"],
    }
    wanted = least_access.needed(
        used, {"Lead": described("Email", "LastName", "Phone")}
    )

    assert wanted.fields == {"Lead.Email": False, "Lead.Phone": True}
    assert wanted.objects == {
        ("Lead", "allowRead"),
        ("Lead", "allowEdit"),
        ("Lead", "viewAllRecords"),
    }
    assert wanted.permissions == {"ApiEnabled"}


def test_nobody_is_granted_users_and_tasks_go_by_a_user_permission():
    used = {
        "objects": {
            "User": touched("Email"),
            "Task": touched(create=["ActivityDate", "WhoId"]),
        },
        "permissions": ["ApiEnabled", "EditTask"],
    }
    describes = {
        "User": {"layoutable": False, "fields": []},
        "Task": described("WhoId", "ActivityDate"),
        "Event": described("WhoId"),
    }
    wanted = least_access.needed(used, describes)

    assert wanted.objects == frozenset()
    assert wanted.fields == {
        "Task.ActivityDate": True,
        "Task.WhoId": True,
        "Event.WhoId": True,
    }
    assert wanted.permissions == {"ApiEnabled", "EditTask", "ActivitiesAccess"}


def test_contacts_are_not_read_without_accounts():
    used = {"objects": {"Contact": touched("Email")}, "permissions": []}
    wanted = least_access.needed(used, {"Contact": described("Email")})

    assert ("Account", "allowRead") in wanted.objects
    assert ("Account", "viewAllRecords") in wanted.objects


RIGHTS = Rights(
    frozenset({("Lead", "allowRead"), ("Lead", "allowEdit")}),
    {"Lead.Email": False, "Lead.Phone": True},
    frozenset({"ApiEnabled"}),
)


def test_what_is_written_grants_exactly_what_it_was_written_from():
    content = least_access.written(RIGHTS, label="L & M", description="a < b")

    assert least_access.granted(content) == RIGHTS
    assert least_access.differences(RIGHTS, least_access.granted(content)) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"fields": {**RIGHTS.fields, "Lead.Email": True}}, "Lead.Email: edit"),
        ({"fields": {**RIGHTS.fields, "Lead.Fax": False}}, "Lead.Fax: read"),
        ({"objects": RIGHTS.objects | {("Lead", "allowDelete")}}, "Lead: allowDelete"),
        (
            {"permissions": RIGHTS.permissions | {"ViewSetup"}},
            "user permission ViewSetup",
        ),
    ],
)
def test_more_and_less_are_both_told(more, words):
    other = replace(RIGHTS, **more)

    assert least_access.differences(RIGHTS, other) == [f"grants too much: {words}"]
    assert least_access.differences(RIGHTS, other, extras={words: "why"}) == []
    assert least_access.differences(other, RIGHTS) == [f"lacks: {words}"]
