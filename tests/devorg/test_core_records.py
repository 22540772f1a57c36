"""Single records: what is kept, what is refused, and in which words."""

import pytest
from core_api import add_key_field, add_status_field, grant

from sidecar.devorg.founding import ADMIN

LEAD = {"LastName": "Example", "Company": "Example GmbH"}


def test_a_record_reads_back_as_it_was_written(admin):
    lead = admin.create(
        "Lead", **LEAD, FirstName=" Ada ", Email="ada@example.com", AnnualRevenue=12.5
    )

    record = admin.get(f"sobjects/Lead/{lead}")

    assert record["Name"] == "Ada Example"
    assert record["FirstName"] == "Ada"
    assert record["AnnualRevenue"] == 13.0  # currency(18,0)
    assert record["Status"] == "Open - Not Contacted"
    assert record["Phone"] is None
    assert record["OwnerId"] == admin.org.user_named(ADMIN)
    assert record["CreatedDate"].endswith(".000+0000")
    assert record["attributes"] == {
        "type": "Lead",
        "url": f"/services/data/v66.0/sobjects/Lead/{lead}",
    }
    assert len(lead) == 18


def test_fields_asked_for_are_the_fields_answered(admin):
    lead = admin.create("Lead", **LEAD)

    record = admin.get(f"sobjects/Lead/{lead[:15]}?fields=Company,Id")

    assert list(record) == ["attributes", "Company", "Id"]


def test_an_update_changes_what_it_names_and_nothing_else(admin):
    lead = admin.create("Lead", **LEAD, Title="Director", Phone="1")

    answer = admin.call("PATCH", f"sobjects/Lead/{lead}", {"Phone": "2", "Title": None})

    record = admin.get(f"sobjects/Lead/{lead}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert (record["Phone"], record["Title"], record["Company"]) == (
        "2",
        None,
        LEAD["Company"],
    )


@pytest.mark.parametrize(
    ("values", "code", "message"),
    [
        (
            {"LastName": "A"},
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [Company]",
        ),
        (
            LEAD | {"LastName": "x" * 81},
            "STRING_TOO_LONG",
            f"Last Name: data value too large: {'x' * 81} (max length=80)",
        ),
        (
            LEAD | {"Nope__c": 1},
            "INVALID_FIELD",
            "No such column 'Nope__c' on sobject of type Lead",
        ),
        (
            LEAD | {"Email": "nobody"},
            "INVALID_EMAIL_ADDRESS",
            "Email: invalid email address: nobody",
        ),
        (
            LEAD | {"OwnerId": "001000000000001AAA"},
            "MALFORMED_ID",
            "Owner ID: id value of incorrect type: 001000000000001AAA",
        ),
        (
            LEAD | {"OwnerId": "005000000000001AAA"},
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
        ),
        (
            LEAD | {"IsConverted": True},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "Unable to create/update fields: IsConverted. Please check the security "
            "settings of this field and verify that it is read/write for your profile "
            "or permission set.",
        ),
        (
            LEAD | {"AnnualRevenue": 10**18},
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Annual Revenue: value outside of valid range on numeric field: 1000000000000000000",
        ),
    ],
)
def test_a_record_that_breaks_a_rule_is_refused_in_salesforces_words(
    admin, values, code, message
):
    assert admin.refused("POST", "sobjects/Lead", values) == (400, code, message)
    assert admin.query("SELECT COUNT() FROM Lead")["totalSize"] == 0


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("Company", 5, "string from VALUE_NUMBER_INT value 5"),
        ("DoNotCall", "maybe", "boolean from VALUE_STRING value maybe"),
        ("NumberOfEmployees", 1.5, "int from VALUE_NUMBER_FLOAT value 1.5"),
        ("Company", {"a": 1}, "string from START_OBJECT value {"),
        ("EmailBouncedDate", "2026-01-02", "datetime from VALUE_STRING value"),
    ],
)
def test_a_value_of_the_wrong_json_type_is_refused_with_its_place(
    admin, field, value, message
):
    status, code, said = admin.refused("POST", "sobjects/Lead", {field: value})

    assert (status, code) == (400, "JSON_PARSER_ERROR")
    assert f"Cannot deserialize instance of {message}" in said
    assert said.endswith("]")
    assert "at [line:1, column:" in said


def test_a_restricted_picklist_takes_its_active_values_alone(org, admin):
    add_status_field(org)
    grant(org, ADMIN, "Lead.Step__c")

    lead = admin.create("Lead", **LEAD, Step__c="First")

    for value in ("Third", "first", "Old"):
        assert admin.refused("PATCH", f"sobjects/Lead/{lead}", {"Step__c": value}) == (
            400,
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"Step: bad value for restricted picklist field: {value}",
        )


def test_a_unique_value_is_held_once_whatever_its_case(org, admin):
    add_key_field(org, "Lead")
    grant(org, ADMIN, "Lead.Key__c")
    holder = admin.create("Lead", **LEAD, Key__c="abc")

    assert admin.refused("POST", "sobjects/Lead", LEAD | {"Key__c": "ABC"}) == (
        400,
        "DUPLICATE_VALUE",
        f"duplicate value found: Key__c duplicates value on record with id: "
        f"{holder[:15]}",
    )
    # The value is free again once its holder lets go of it.
    admin.call("PATCH", f"sobjects/Lead/{holder}", {"Key__c": ""})
    admin.create("Lead", **LEAD, Key__c="ABC")


def test_an_upsert_creates_once_and_then_updates(org, admin):
    add_key_field(org, "Lead")
    grant(org, ADMIN, "Lead.Key__c")

    first = admin.call("PATCH", "sobjects/Lead/Key__c/a%2Fb", LEAD)
    second = admin.call("PATCH", "sobjects/Lead/Key__c/A%2FB", {"Title": "Director"})

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.get_json()["id"] == second.get_json()["id"]
    assert second.get_json()["created"] is False
    assert admin.get("sobjects/Lead/Key__c/a%2Fb")["Title"] == "Director"
    assert admin.query("SELECT Key__c FROM Lead")["records"][0]["Key__c"] == "a/b"


def test_an_upsert_that_matches_several_lists_them(org, admin):
    add_key_field(org, "Lead", unique=False)
    grant(org, ADMIN, "Lead.Key__c")
    leads = [admin.create("Lead", **LEAD, Key__c="same") for _ in range(2)]

    answer = admin.call("PATCH", "sobjects/Lead/Key__c/same", LEAD)

    assert answer.status_code == 300
    assert answer.get_json() == [
        f"/services/data/v66.0/sobjects/Lead/{lead}" for lead in leads
    ]


def test_a_field_that_is_no_key_finds_nothing(admin):
    assert admin.refused("PATCH", "sobjects/Lead/Company/x", LEAD) == (
        404,
        "NOT_FOUND",
        "Provided external ID field does not exist or is not accessible: Company",
    )


def test_a_deleted_record_is_gone_and_says_so(admin):
    lead = admin.create("Lead", **LEAD)

    assert admin.call("DELETE", f"sobjects/Lead/{lead}").status_code == 204

    path = f"sobjects/Lead/{lead}"
    assert admin.refused("GET", path)[:2] == (404, "NOT_FOUND")
    assert admin.refused("PATCH", path, {"Title": "x"}) == (
        404,
        "ENTITY_IS_DELETED",
        "entity is deleted",
    )
    assert admin.refused("DELETE", path)[1] == "ENTITY_IS_DELETED"
    assert admin.query("SELECT Id FROM Lead")["totalSize"] == 0
    deleted = admin.call("GET", "queryAll?q=SELECT+Id,IsDeleted+FROM+Lead").get_json()
    assert deleted["records"][0]["IsDeleted"] is True


def test_what_hangs_on_a_deleted_record_goes_with_it_or_lets_go(admin):
    campaign = admin.create("Campaign", Name="Spring")
    lead = admin.create("Lead", **LEAD)
    admin.create("CampaignMember", CampaignId=campaign, LeadId=lead)
    opportunity = admin.create(
        "Opportunity",
        Name="Deal",
        StageName="Prospecting",
        CloseDate="2026-12-31",
        CampaignId=campaign,
    )

    admin.call("DELETE", f"sobjects/Campaign/{campaign}")

    assert admin.query("SELECT Id FROM CampaignMember")["totalSize"] == 0
    assert admin.get(f"sobjects/Opportunity/{opportunity}")["CampaignId"] is None


def test_a_parent_may_be_named_by_its_external_id(org, admin):
    add_key_field(org, "Account")
    grant(org, ADMIN, "Account.Key__c")
    account = admin.create("Account", Name="Example GmbH", Key__c="k1")

    contact = admin.create("Contact", LastName="Example", Account={"Key__c": "K1"})

    assert admin.get(f"sobjects/Contact/{contact}")["AccountId"] == account
    assert admin.refused(
        "POST", "sobjects/Contact", {"LastName": "E", "Account": {"Key__c": "k2"}}
    )[2] == ("Foreign key external ID: k2 not found for field Key__c in entity Account")


def test_a_task_knows_whether_it_is_closed_and_whose_it_is(admin):
    account = admin.create("Account", Name="Example GmbH")
    contact = admin.create("Contact", LastName="Example", AccountId=account)
    task = admin.create("Task", Subject="Call", WhoId=contact, Priority="High")

    admin.call("PATCH", f"sobjects/Task/{task}", {"Status": "Completed"})

    record = admin.get(f"sobjects/Task/{task}")
    assert record["AccountId"] == account
    assert record["IsClosed"] is True
    assert record["IsHighPriority"] is True
    assert record["CompletedDateTime"] is not None


def test_an_opportunity_draws_its_probability_from_its_stage(admin):
    deal = admin.create(
        "Opportunity",
        Name="Deal",
        StageName="Prospecting",
        CloseDate="2026-05-01",
        Amount=1000,
    )
    admin.call("PATCH", f"sobjects/Opportunity/{deal}", {"StageName": "Closed Won"})

    record = admin.get(f"sobjects/Opportunity/{deal}")
    assert record["IsWon"] is True
    assert record["IsClosed"] is True
    assert (record["Probability"], record["ExpectedRevenue"]) == (100.0, 1000.0)
    assert (record["FiscalYear"], record["FiscalQuarter"]) == (2026, 2)


def test_a_path_that_leads_nowhere_says_so(admin):
    for path in ("nowhere", "sobjects/Nope__c", "sobjects/Nope__c/describe"):
        assert admin.refused("GET", path) == (
            404,
            "NOT_FOUND",
            "The requested resource does not exist",
        )
    assert admin.refused("PUT", "sobjects/Lead", LEAD)[:2] == (
        405,
        "METHOD_NOT_ALLOWED",
    )


def test_a_body_that_is_no_json_is_refused(admin):
    send = admin.http.post
    headers = {"Authorization": f"Bearer {admin.token}"}
    path = "/services/data/v66.0/sobjects/Lead"

    broken = send(path, data="{", headers=headers, content_type="application/json")
    text = send(path, data="x", headers=headers, content_type="text/plain")

    assert broken.get_json()[0]["errorCode"] == "JSON_PARSER_ERROR"
    assert text.get_json()[0]["errorCode"] == "UNSUPPORTED_MEDIA_TYPE"
    assert (broken.status_code, text.status_code) == (400, 415)


def test_a_new_record_cannot_choose_its_id(admin):
    lead = admin.create("Lead", **LEAD)

    assert admin.refused("POST", "sobjects/Lead", LEAD | {"Id": lead})[1:] == (
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "cannot specify Id in an insert call",
    )


def test_a_record_is_no_duplicate_of_itself(org, admin):
    add_key_field(org, "Lead")
    grant(org, ADMIN, "Lead.Key__c")
    lead = admin.create("Lead", **LEAD, Key__c="abc")

    admin.call("PATCH", f"sobjects/Lead/{lead}", {"Key__c": "ABC"})

    assert admin.get(f"sobjects/Lead/{lead}")["Key__c"] == "ABC"


def test_times_are_kept_to_the_second(admin):
    admin.create("Lead", **LEAD, EmailBouncedDate="2026-01-02T03:04:05.678+01:00")

    found = admin.query(
        "SELECT EmailBouncedDate FROM Lead "
        "WHERE EmailBouncedDate = 2026-01-02T02:04:05Z"
    )

    assert found["records"][0]["EmailBouncedDate"] == "2026-01-02T02:04:05.000+0000"


def test_a_task_taken_up_again_is_not_completed(admin):
    task = admin.create("Task", Subject="Call", Status="Completed")

    admin.call("PATCH", f"sobjects/Task/{task}", {"Status": "In Progress"})

    record = admin.get(f"sobjects/Task/{task}")
    assert (record["IsClosed"], record["CompletedDateTime"]) == (False, None)
