"""What the org says of itself."""


def test_the_versions_are_told_to_anyone(admin):
    versions = admin.http.get("/services/data").get_json()

    assert versions[-1] == {
        "label": "Spring '26",
        "url": "/services/data/v66.0",
        "version": "66.0",
    }
    assert {"62.0": "Winter '25", "64.0": "Summer '25"}.items() <= {
        each["version"]: each["label"] for each in versions
    }.items()


def test_a_version_that_was_never_released_is_not_there(admin):
    admin.version = "99.0"

    assert admin.refused("GET", "limits")[:2] == (404, "NOT_FOUND")


def test_the_list_of_objects_holds_the_standard_ones(admin):
    found = {each["name"]: each for each in admin.get("sobjects")["sobjects"]}

    assert found["Lead"]["keyPrefix"] == "00Q"
    assert found["Lead"]["labelPlural"] == "Leads"
    assert found["Profile"]["createable"] is False
    assert {
        "Account",
        "Campaign",
        "CampaignMember",
        "CampaignMemberStatus",
        "Contact",
        "Event",
        "Group",
        "Opportunity",
        "Organization",
        "PermissionSet",
        "PermissionSetAssignment",
        "Task",
        "User",
        "UserRole",
    } <= set(found)


def test_fields_are_described_as_they_are(admin):
    described = admin.get("sobjects/Task/describe")
    fields = {each["name"]: each for each in described["fields"]}

    who = fields["WhoId"]
    assert (who["type"], who["referenceTo"]) == ("reference", ["Contact", "Lead"])
    assert (who["relationshipName"], who["polymorphicForeignKey"]) == ("Who", True)
    status = fields["Status"]
    assert (status["nillable"], status["defaultedOnCreate"]) == (False, True)
    assert [v["value"] for v in status["picklistValues"] if v["defaultValue"]] == [
        "Not Started"
    ]
    assert fields["IsClosed"]["updateable"] is False
    assert fields["Subject"]["type"] == "combobox"


def test_children_are_described_with_their_relationship(admin):
    children = admin.get("sobjects/Account/describe")["childRelationships"]

    contacts = next(c for c in children if c["relationshipName"] == "Contacts")
    assert (contacts["childSObject"], contacts["field"]) == ("Contact", "AccountId")


def test_addresses_are_read_whole_and_written_in_parts(admin):
    account = admin.create("Account", Name="E", BillingCity="Berlin")

    record = admin.get(f"sobjects/Account/{account}")

    assert record["BillingAddress"]["city"] == "Berlin"
    assert record["BillingAddress"]["street"] is None
    assert record["ShippingAddress"] is None


def test_changes_and_deletions_are_listed_by_period(admin):
    lead = admin.create("Lead", LastName="E", Company="E")
    period = "start=2020-01-01T00:00:00Z&end=2100-01-01T00:00:00%2B00:00"

    assert admin.get(f"sobjects/Lead/updated?{period}")["ids"] == [lead]
    admin.call("DELETE", f"sobjects/Lead/{lead}")
    gone = admin.get(f"sobjects/Lead/deleted?{period}")["deletedRecords"]
    assert [each["id"] for each in gone] == [lead]
