"""A rollback gives back what was there; an uninstall leaves only what is the customer's."""

import csv

from sidecar.jobs.deploy import exporting
from sidecar.package import canonical
from sidecar.store import answers


def everything(customer):
    """
    What the org has of what we touch.

    Value sets of ours are left out: deleted fields hold them for 15 days.
    """
    files = customer.retrieve(
        CustomObject=["Lead", "Contact", "Opportunity", "Account", "Activity"],
        Layout=["Lead-Lead Layout", "Contact-Contact Layout"],
        LeadConvertSettings=["*"],
        GlobalValueSet=["*"],
        PermissionSet=["*"],
        Flow=["*"],
        Workflow=["*"],
    )
    ours = "globalValueSets/Referral_"
    return {path: text for path, text in files.items() if not path.startswith(ours)}


def referral(customer):
    """A referral of the customer's, made after the install."""
    me = customer.org.user_ids[customer.org.admin]
    (found,) = customer.rows("SELECT Id FROM PermissionSet WHERE Name='Referral_User'")
    customer.rest(
        "POST",
        "sobjects/PermissionSetAssignment",
        json={"AssigneeId": me, "PermissionSetId": found["Id"]},
    )
    customer.rest(
        "POST",
        "sobjects/Lead",
        json={
            "LastName": "Sample",
            "Company": "Example GmbH",
            "Referral_Status__c": "Submitted",
            "Referral_Code__c": 'quoted "code"',
        },
    )


def test_a_rollback_gives_back_what_was_there(customer):
    before = everything(customer)
    customer.install(self_test=False)

    row = customer.run(customer.ask("rollback", yes=True))

    assert (row.state, row.error) == ("done", None)
    assert row.evidence["left"] == []
    assert canonical.differing(before, everything(customer)) == []
    again = customer.install(self_test=False)
    assert "deployed" in again.evidence


def test_an_uninstall_leaves_only_what_is_the_customer_s(customer):
    before = everything(customer)
    customer.install(modules=["programme"])

    row = customer.run(customer.ask("uninstall", yes=True))

    assert (row.state, row.error) == ("done", None)
    assert row.evidence["left"] == []
    assert canonical.differing(before, everything(customer)) == []


def test_data_is_not_lost_unless_it_is_said_that_it_may(customer):
    customer.install(self_test=False)
    referral(customer)

    row = customer.run(customer.ask("uninstall", yes=True))

    assert row.state == "dead"
    assert row.error.startswith("nothing was changed: data would be lost (1 of Lead)")
    assert customer.rows("SELECT Id FROM PermissionSet WHERE Name = 'Referral_User'")
    # What the admin was lent to see the data is given back.
    lent = customer.rows(
        "SELECT PermissionSet.Name FROM PermissionSetAssignment WHERE "
        "Assignee.Username = 'admin@example.com' AND PermissionSet.Name LIKE 'Referral%'"
    )
    assert [each["PermissionSet"]["Name"] for each in lent] == ["Referral_User"]


def test_data_is_written_to_files_before_it_goes(customer, tmp_path):
    customer.install(self_test=False)
    referral(customer)
    wish = {"yes": True, "delete_data": True, "export": True}

    row = customer.run(customer.ask("uninstall", **wish))
    assert (row.state, row.question) == ("asking", "export")
    files = exporting.export(
        tmp_path / "out",
        wanted=row.plan["export"],
        caller=customer.caller,
    )
    with customer.wiring.engine.begin() as db:
        assert answers.exported(db, row.id, files, now=customer.wiring.now())
    row = customer.run(row.id)

    assert (row.state, row.error) == ("done", None)
    assert files["Lead.csv"] == 1
    with (tmp_path / "out" / "Lead.csv").open(newline="") as file:
        (kept,) = csv.DictReader(file)
    assert kept["Referral_Code__c"] == 'quoted "code"'
    assert kept["Referral_Key__c"] == kept["Id"]
    assert len(customer.rows("SELECT Id FROM Lead")) == 1


def test_an_interrupted_uninstall_is_ended_by_the_next_one(customer):
    before = everything(customer)
    customer.install(self_test=False)
    id_ = customer.ask("uninstall", yes=True)
    while customer.find(id_).evidence.get("at_step", 0) < 3:
        assert customer.turn(id_).state in {"waiting", "sending"}
    with customer.wiring.engine.begin() as db:
        answers.cancel(db, id_, now=customer.wiring.now())
    row = customer.run(id_)
    assert row.state == "dead"
    assert "cancelled" in row.error

    row = customer.run(customer.ask("uninstall", yes=True))

    assert (row.state, row.error) == ("done", None)
    assert canonical.differing(before, everything(customer)) == []


def test_a_killed_uninstall_goes_on_at_the_step_it_was_at(customer):
    customer.install(self_test=False)
    id_ = customer.ask("uninstall", yes=True)
    while customer.find(id_).evidence.get("at_step", 0) < 2:
        customer.turn(id_)

    row = customer.another_process().run(id_)

    assert (row.state, row.evidence["left"]) == ("done", [])
