"""What can be asked of an org before and after an install: licences, rights, sight."""

import pytest
from meta_package import NS, grants, object_file, package, text_field
from run_served import Client

from sidecar.devorg.founding import INTEGRATION

OBJECTS = (
    "<objectPermissions><allowCreate>false</allowCreate><allowDelete>false</allowDelete>"
    "<allowEdit>true</allowEdit><allowRead>true</allowRead>"
    "<modifyAllRecords>false</modifyAllRecords><object>Lead</object>"
    "<viewAllRecords>false</viewAllRecords></objectPermissions>"
)


@pytest.fixture(scope="module")
def client(served):
    client = Client(served)
    files = {
        "objects/Lead.object": object_file(
            text_field("Seen__c") + text_field("Read__c") + text_field("Never__c")
        ),
        "customPermissions/Told.customPermission": (
            f"<CustomPermission {NS}><isLicensed>false</isLicensed><label>Told</label>"
            "</CustomPermission>"
        ),
        "permissionsets/Facts.permissionset": grants(
            ["Lead.Seen__c", "Lead.Read__c"],
            objects=OBJECTS,
            custom="<customPermissions><enabled>true</enabled><name>Told</name>"
            "</customPermissions>",
        ).replace(
            "<editable>true</editable><field>Lead.Read__c",
            "<editable>false</editable><field>Lead.Read__c",
        ),
    }
    members = {
        "CustomField": ["Lead.Seen__c", "Lead.Read__c", "Lead.Never__c"],
        "CustomPermission": ["Told"],
        "PermissionSet": ["Facts"],
    }
    client.deployed(package(files, members))
    return client


@pytest.fixture
def integration(served):
    return Client(served, INTEGRATION)


def seen(client):
    """Fields of Lead as a user's describe tells them: createable, updateable."""
    answer = client.call("GET", "sobjects/Lead/describe")
    if answer.status_code != 200:
        return None
    return {
        each["name"]: (each["createable"], each["updateable"])
        for each in answer.json()["fields"]
        if each["name"].endswith("__c")
    }


def assign(client, user_id):
    (set_,) = client.query("SELECT Id FROM PermissionSet WHERE Name = 'Facts'")
    return client.create(
        "PermissionSetAssignment", AssigneeId=user_id, PermissionSetId=set_["Id"]
    )


def test_a_user_sees_in_describe_what_was_granted_as_long_as_it_is(client, integration):
    assert seen(integration) is None
    assignment = assign(client, integration.user_id)
    # The object may be edited, not created; the field's own right says the rest.
    fields = seen(integration)
    assert {"Seen__c", "Read__c"} <= fields.keys()
    assert "Never__c" not in fields
    assert (fields["Seen__c"][1], fields["Read__c"][1]) == (True, False)
    client.call("DELETE", f"sobjects/PermissionSetAssignment/{assignment}")
    assert seen(integration) is None


def test_grants_are_rows(client):
    assert (
        client.query(
            "SELECT Field, PermissionsRead, PermissionsEdit FROM FieldPermissions "
            "WHERE Parent.Name = 'Facts' AND Field = 'Lead.Read__c'"
        )[0]["PermissionsEdit"]
        is False
    )
    (rights,) = client.query(
        "SELECT SobjectType, PermissionsRead, PermissionsEdit, PermissionsCreate "
        "FROM ObjectPermissions WHERE Parent.Name = 'Facts'"
    )
    assert (
        rights["SobjectType"],
        rights["PermissionsRead"],
        rights["PermissionsEdit"],
        rights["PermissionsCreate"],
    ) == ("Lead", True, True, False)
    (access,) = client.query(
        "SELECT SetupEntityType FROM SetupEntityAccess WHERE Parent.Name = 'Facts'"
    )
    assert access["SetupEntityType"] == "CustomPermission"


def test_assignments_are_found_by_the_names_of_their_ends(client):
    assignment = assign(client, client.user_id)
    (found,) = client.query(
        "SELECT Id, Assignee.Username FROM PermissionSetAssignment "
        "WHERE PermissionSet.Name IN ('Facts')"
    )
    assert (found["Id"], found["Assignee"]["Username"]) == (
        assignment,
        "admin@example.com",
    )
    assert (
        client.refused(
            "POST",
            "sobjects/PermissionSetAssignment",
            {
                "AssigneeId": client.user_id,
                "PermissionSetId": client.query(
                    "SELECT Id FROM PermissionSet WHERE Name = 'Facts'"
                )[0]["Id"],
            },
        )[1]
        == "DUPLICATE_VALUE"
    )
    client.call("DELETE", f"sobjects/PermissionSetAssignment/{assignment}")


def test_licences_are_counted(client):
    found = {
        each["Name"]: (each["TotalLicenses"], each["UsedLicenses"])
        for each in client.query(
            "SELECT Name, TotalLicenses, UsedLicenses FROM UserLicense"
        )
    }
    assert found["Salesforce Integration"] == (5, 1)
    assert found["Salesforce"] == (10, 4)
    (profile,) = client.query(
        "SELECT UserLicense.Name FROM Profile "
        "WHERE Name = 'Minimum Access - API Only Integrations'"
    )
    assert profile["UserLicense"]["Name"] == "Salesforce Integration"


def test_without_its_licence_an_integration_user_gets_no_object_permissions(
    client, integration
):
    (licence,) = client.query(
        "SELECT Id, PermissionSetLicenseId FROM PermissionSetLicenseAssign "
        "WHERE PermissionSetLicense.DeveloperName = 'SalesforceAPIIntegrationPsl'"
    )
    client.call("DELETE", f"sobjects/PermissionSetLicenseAssign/{licence['Id']}")
    (set_,) = client.query("SELECT Id FROM PermissionSet WHERE Name = 'Facts'")
    wanted = {"AssigneeId": integration.user_id, "PermissionSetId": set_["Id"]}
    refusal = client.refused("POST", "sobjects/PermissionSetAssignment", wanted)
    client.create(
        "PermissionSetLicenseAssign",
        AssigneeId=integration.user_id,
        PermissionSetLicenseId=licence["PermissionSetLicenseId"],
    )
    assert refusal == (
        400,
        "FIELD_INTEGRITY_EXCEPTION",
        "Can't assign permission set Set to user Referral Integration. The user license "
        "doesn't allow the permission: Read Leads",
    )


def test_the_company_tells_what_it_is(client):
    (found,) = client.query(
        "SELECT OrganizationType, IsSandbox, InstanceName, LanguageLocaleKey, "
        "DefaultLocaleSidKey, TimeZoneSidKey, TrialExpirationDate FROM Organization"
    )
    del found["attributes"]
    assert found == {
        "OrganizationType": "Developer Edition",
        "IsSandbox": False,
        "InstanceName": "DEV1",
        "LanguageLocaleKey": "en_US",
        "DefaultLocaleSidKey": "en_US",
        "TimeZoneSidKey": "GMT",
        "TrialExpirationDate": None,
    }
