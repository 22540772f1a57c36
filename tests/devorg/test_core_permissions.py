"""Who sees and changes what."""

import pytest
from core_api import add_key_field, grant

from sidecar.devorg.founding import ADMIN, INTEGRATION

LEAD = {"LastName": "Example", "Company": "Example GmbH"}


def test_a_deployed_field_is_seen_by_nobody_until_it_is_granted(org, admin):
    add_key_field(org, "Lead")

    names = {f["name"] for f in admin.get("sobjects/Lead/describe")["fields"]}
    assert "Key__c" not in names
    assert admin.refused("POST", "sobjects/Lead", LEAD | {"Key__c": "1"})[2] == (
        "No such column 'Key__c' on sobject of type Lead"
    )
    assert (
        "No such column 'Key__c'"
        in admin.query("SELECT Key__c FROM Lead")[0]["message"]
    )

    grant(org, ADMIN, "Lead.Key__c")

    admin.create("Lead", **LEAD, Key__c="1")
    fields = {f["name"]: f for f in admin.get("sobjects/Lead/describe")["fields"]}
    assert fields["Key__c"]["createable"] is True


def test_a_field_that_may_be_read_may_not_be_written(org, admin):
    add_key_field(org, "Lead")
    grant(org, ADMIN, "Lead.Key__c", edit=False)

    assert admin.refused("POST", "sobjects/Lead", LEAD | {"Key__c": "1"})[1] == (
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    )
    assert admin.query("SELECT Key__c FROM Lead")["totalSize"] == 0


def test_tasks_and_events_share_the_security_of_their_fields(org, admin):
    add_key_field(org, "Activity")
    grant(org, ADMIN, "Task.Key__c")

    admin.create("Task", Subject="Call", Key__c="1")
    names = {f["name"] for f in admin.get("sobjects/Event/describe")["fields"]}
    assert "Key__c" in names


def test_a_withdrawn_grant_works_no_more(org, admin):
    add_key_field(org, "Lead")
    grant(org, ADMIN, "Lead.Key__c")
    assignment = admin.query("SELECT Id FROM PermissionSetAssignment")["records"][0]

    admin.call("DELETE", f"sobjects/PermissionSetAssignment/{assignment['Id']}")

    assert admin.query("SELECT Key__c FROM Lead")[0]["errorCode"] == "INVALID_FIELD"


def test_the_integration_user_has_nothing_but_what_is_granted(org, integration, admin):
    assert integration.refused("GET", "sobjects/Lead/describe")[0] == 404
    assert integration.query("SELECT Id FROM Lead")[0]["errorCode"] == "INVALID_TYPE"
    assert integration.query("SELECT Id FROM Task")[0]["errorCode"] == "INVALID_TYPE"

    grant(org, INTEGRATION, "Lead.Email")
    set_id = admin.query("SELECT Id FROM PermissionSet WHERE IsOwnedByProfile = false")
    admin.create(
        "ObjectPermissions",
        ParentId=set_id["records"][0]["Id"],
        SobjectType="Lead",
        PermissionsRead=True,
    )

    assert integration.query("SELECT Id, Company, Email FROM Lead")["totalSize"] == 0
    # A standard field is granted like any other, unless it is required.
    assert integration.query("SELECT Phone FROM Lead")[0]["errorCode"] == (
        "INVALID_FIELD"
    )
    assert integration.refused("POST", "sobjects/Lead", LEAD)[1] == (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    )
    lead = admin.create("Lead", **LEAD)
    assert integration.refused("PATCH", f"sobjects/Lead/{lead}", {"Email": None}) == (
        403,
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "insufficient access rights on object id",
    )


@pytest.mark.parametrize("field", ["Lead.Nope__c", "Lead.LastName", "Nope__c.X__c"])
def test_a_grant_on_a_field_that_cannot_be_granted_is_refused(admin, field):
    set_id = admin.create("PermissionSet", Name="Some", Label="Some")

    assert admin.refused(
        "POST",
        "sobjects/FieldPermissions",
        {
            "ParentId": set_id,
            "SobjectType": "Lead",
            "Field": field,
            "PermissionsRead": True,
        },
    )[1] == ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")


def test_a_user_without_the_api_is_turned_away(org, admin):
    profile = admin.query(
        "SELECT Id FROM Profile WHERE Name = 'Minimum Access - Salesforce'"
    )["records"][0]["Id"]
    user = org.user_named(INTEGRATION)
    admin.call("PATCH", f"sobjects/User/{user}", {"ProfileId": profile})
    token = org.sessions.open(user)

    answer = admin.http.get(
        "/services/data/v66.0/limits", headers={"Authorization": f"Bearer {token}"}
    )

    assert (answer.status_code, answer.get_json()[0]["errorCode"]) == (
        403,
        "API_CURRENTLY_DISABLED",
    )


def test_a_user_who_was_switched_off_is_logged_out_and_owns_nothing_new(
    org, admin, rep
):
    user = org.user_named("rita.rep@example.com")
    admin.call("PATCH", f"sobjects/User/{user}", {"IsActive": False})

    assert rep.refused("GET", "limits")[:2] == (401, "INVALID_SESSION_ID")
    assert admin.refused("POST", "sobjects/Lead", LEAD | {"OwnerId": user})[1] == (
        "INACTIVE_OWNER_OR_USER"
    )
