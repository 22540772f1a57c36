"""The org writes down which rights each user's calls use."""

import time

import pytest
from meta_listener import Listener
from meta_package import base, flow_file
from run_served import Client

from sidecar.devorg.founding import REPS


@pytest.fixture
def rep(served):
    made = Client(served, REPS[1])
    made.backdoor("DELETE", "access")
    return made


def used(client, username=REPS[1]):
    return client.backdoor("GET", "access").json().get(username, {})


def test_reads_are_noted_with_parents_filters_and_order(rep):
    rep.query(
        "SELECT Email, Owner.Name, ConvertedAccount.Phone FROM Lead "
        "WHERE Company = 'x' ORDER BY Rating"
    )
    found = used(rep)
    assert found["permissions"] == ["ApiEnabled"]
    assert found["objects"] == {
        "Account": {"read": ["Phone"], "create": None, "edit": None, "delete": False},
        "Lead": {
            "read": ["Company", "ConvertedAccountId", "Email", "OwnerId", "Rating"],
            "create": None,
            "edit": None,
            "delete": False,
        },
    }


def test_writes_are_noted_field_by_field(rep):
    made = rep.create("Lead", LastName="L", Company="C")
    rep.update("Lead", made, City="Bonn", Title=None)
    found = used(rep)["objects"]["Lead"]
    assert (found["read"], found["create"], found["edit"]) == (
        [],
        ["Company", "LastName"],
        ["City", "Title"],
    )
    rep.call("DELETE", f"sobjects/Lead/{made}")
    assert used(rep)["objects"]["Lead"]["delete"] is True


def test_activities_need_a_user_permission_in_place_of_rights(rep):
    rep.create("Task", Subject="Call")
    assert used(rep)["permissions"] == ["ApiEnabled", "EditTask"]


def test_what_flows_do_in_a_user_s_name_is_not_noted(served, rep):
    admin = Client(served)
    admin.deployed(base(flow=flow_file(status="Draft")))
    rep.create("Campaign", Name="With statuses")
    assert set(used(rep)["objects"]) == {"Campaign"}


def test_an_outbound_message_reads_in_the_name_of_its_user(served, rep):
    """Even what the user may not see: it would be missing from the message."""
    listener = Listener()
    admin = Client(served)
    admin.deployed(base(flow=flow_file(), url=listener.url))
    (set_,) = admin.query("SELECT Id FROM PermissionSet WHERE Name = 'Set'")
    admin.create(
        "PermissionSetAssignment", AssigneeId=admin.user_id, PermissionSetId=set_["Id"]
    )
    admin.backdoor("DELETE", "access")
    admin.create("Lead", LastName="L", Company="C", Journey__c="New")
    listener.wait_for(1)
    listener.close()
    for _ in range(100):
        read = used(admin, served.admin)["objects"]["Lead"]["read"]
        if read:
            break
        time.sleep(0.02)
    assert read == ["Id", "Journey__c", "LastName"]
