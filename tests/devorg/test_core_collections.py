"""Many records in one call: each with its own result, or all or none."""

import pytest
from core_api import Api, add_key_field, add_status_field, grant
from hypothesis import given
from hypothesis import strategies as st

from sidecar.devorg.founding import ADMIN
from sidecar.devorg.org import Org

LEAD = {"attributes": {"type": "Lead"}, "LastName": "Example", "Company": "Example"}
NAMELESS = {"attributes": {"type": "Lead"}, "Company": "Example"}


def leads(api):
    return api.query("SELECT COUNT() FROM Lead")["totalSize"]


def test_a_bad_record_does_not_stop_the_others(admin):
    results = admin.call(
        "POST", "composite/sobjects", {"records": [LEAD, NAMELESS, LEAD]}
    ).get_json()

    assert [result["success"] for result in results] == [True, False, True]
    assert results[1]["errors"] == [
        {
            "statusCode": "REQUIRED_FIELD_MISSING",
            "message": "Required fields are missing: [LastName]",
            "fields": ["LastName"],
        }
    ]
    assert leads(admin) == 2


def test_all_or_none_is_none_when_one_is_bad(admin):
    results = admin.call(
        "POST", "composite/sobjects", {"allOrNone": True, "records": [LEAD, NAMELESS]}
    ).get_json()

    assert [result["errors"][0]["statusCode"] for result in results] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
    ]
    assert "id" not in results[0]
    assert leads(admin) == 0


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (LEAD | {"Nope__c": 1}, "INVALID_FIELD"),
        (LEAD | {"Company": 5}, "JSON_PARSER_ERROR"),
        (LEAD | {"attributes": {"type": "Nope__c"}}, "INVALID_TYPE"),
    ],
)
def test_a_record_of_the_wrong_shape_refuses_the_whole_request(admin, bad, code):
    refused = admin.refused("POST", "composite/sobjects", {"records": [LEAD, bad]})

    assert refused[:2] == (400, code)
    assert leads(admin) == 0


def test_two_hundred_are_the_most(admin):
    path = "composite/sobjects"
    assert admin.refused("POST", path, {"records": [LEAD] * 201}) == (
        400,
        "EXCEEDED_ID_LIMIT",
        "record limit reached. cannot submit more than 200 records into this call",
    )

    results = admin.call("POST", path, {"records": [LEAD] * 200}).get_json()
    assert len({result["id"] for result in results}) == 200


def test_an_update_fails_record_by_record(org, admin):
    add_status_field(org)
    grant(org, ADMIN, "Lead.Step__c")
    one, other = (admin.create("Lead", LastName="E", Company="E") for _ in range(2))
    admin.call("DELETE", f"sobjects/Lead/{other}")
    record = {"attributes": {"type": "Lead"}}

    results = admin.call(
        "PATCH",
        "composite/sobjects",
        {
            "records": [
                record | {"id": one[:15], "Step__c": "First"},
                record | {"id": one, "Step__c": "Nope"},
                record | {"id": other, "Title": "x"},
                record | {"id": "00Q000000000001EAA", "Title": "x"},
                record | {"Title": "x"},
            ]
        },
    ).get_json()

    assert results[0] == {"id": one, "success": True, "errors": []}
    assert [result["errors"][0]["statusCode"] for result in results[1:]] == [
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MISSING_ARGUMENT",
    ]


def test_an_upsert_repeated_makes_nothing_twice(org, admin):
    add_key_field(org, "Activity")
    grant(org, ADMIN, "Task.Key__c")
    body = {
        "records": [
            {"attributes": {"type": "Task"}, "Key__c": f"k{number}", "Subject": "Call"}
            for number in range(200)
        ]
    }

    first = admin.call("PATCH", "composite/sobjects/Task/Key__c", body).get_json()
    again = admin.call("PATCH", "composite/sobjects/Task/Key__c", body).get_json()

    assert all(result["created"] for result in first)
    assert not any(result["created"] for result in again)
    assert [r["id"] for r in first] == [r["id"] for r in again]
    assert admin.query("SELECT COUNT() FROM Task")["totalSize"] == 200


def test_one_key_twice_in_a_call_is_refused_the_second_time(org, admin):
    add_key_field(org, "Activity")
    grant(org, ADMIN, "Task.Key__c")
    task = {"attributes": {"type": "Task"}, "Subject": "Call"}

    results = admin.call(
        "PATCH",
        "composite/sobjects/Task/Key__c",
        {"records": [task | {"Key__c": "a"}, task | {"Key__c": "A"}, task]},
    ).get_json()

    assert [result["success"] for result in results] == [True, False, False]
    assert results[1]["errors"][0]["message"] == "Duplicate external id specified: A"
    assert results[2]["errors"][0]["statusCode"] == "MISSING_ARGUMENT"


def test_records_are_retrieved_in_the_order_asked(admin):
    one, other = (admin.create("Lead", LastName=n, Company="E") for n in "ab")

    records = admin.get(
        f"composite/sobjects/Lead?ids={other},00Q000000000001EAA,{one}&fields=LastName"
    )

    assert [r and r["LastName"] for r in records] == ["b", None, "a"]


def test_records_are_deleted_by_id(admin):
    one, other = (admin.create("Lead", LastName=n, Company="E") for n in "ab")

    results = admin.call("DELETE", f"composite/sobjects?ids={one},{other},x").get_json()

    assert [result["success"] for result in results] == [True, True, False]
    assert leads(admin) == 0


def test_a_composite_uses_what_came_before(admin):
    answer = admin.call(
        "POST",
        "composite",
        {
            "allOrNone": True,
            "compositeRequest": [
                {
                    "method": "POST",
                    "url": "/services/data/v66.0/sobjects/Account",
                    "referenceId": "account",
                    "body": {"Name": "Example"},
                },
                {
                    "method": "POST",
                    "url": "/services/data/v66.0/sobjects/Contact",
                    "referenceId": "contact",
                    "body": {"LastName": "E", "AccountId": "@{account.id}"},
                },
                {
                    "method": "GET",
                    "url": "/services/data/v66.0/query?q=SELECT+Account.Name+FROM+"
                    "Contact+WHERE+Id='@{contact.id}'",
                    "referenceId": "found",
                },
            ],
        },
    ).get_json()["compositeResponse"]

    assert [part["httpStatusCode"] for part in answer] == [201, 201, 200]
    assert answer[2]["body"]["records"][0]["Account"]["Name"] == "Example"


@pytest.mark.parametrize(("all_or_none", "left"), [(True, 0), (False, 1)])
def test_a_composite_that_fails_keeps_what_it_promised(admin, all_or_none, left):
    url = "/services/data/v66.0/sobjects/Lead"
    answer = admin.call(
        "POST",
        "composite",
        {
            "allOrNone": all_or_none,
            "compositeRequest": [
                {
                    "method": "POST",
                    "url": url,
                    "referenceId": "good",
                    "body": {"LastName": "E", "Company": "E"},
                },
                {
                    "method": "POST",
                    "url": url,
                    "referenceId": "bad",
                    "body": {"Company": "E"},
                },
                {"method": "GET", "url": f"{url}/@{{bad.id}}", "referenceId": "next"},
            ],
        },
    ).get_json()["compositeResponse"]

    errors = {part["referenceId"]: part["body"] for part in answer}
    assert errors["bad"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert errors["next"][0]["errorCode"] == "PROCESSING_HALTED"
    assert leads(admin) == left


def test_a_tree_is_planted_whole_or_not_at_all(admin):
    def tree(contact):
        return {
            "records": [
                {
                    "attributes": {"type": "Account", "referenceId": "a"},
                    "Name": "Example",
                    "Contacts": {
                        "records": [
                            contact
                            | {"attributes": {"type": "Contact", "referenceId": "c"}}
                        ]
                    },
                }
            ]
        }

    bad = admin.call("POST", "composite/tree/Account", tree({"Email": "x"}))
    assert (bad.status_code, bad.get_json()["hasErrors"]) == (400, True)
    assert bad.get_json()["results"][0]["referenceId"] == "c"
    assert admin.query("SELECT COUNT() FROM Account")["totalSize"] == 0

    good = admin.call("POST", "composite/tree/Account", tree({"LastName": "E"}))
    assert good.status_code == 201
    assert [r["referenceId"] for r in good.get_json()["results"]] == ["a", "c"]
    found = admin.query("SELECT Account.Name FROM Contact")["records"]
    assert found[0]["Account"]["Name"] == "Example"


def test_a_batch_answers_each_part_for_itself(admin):
    answer = admin.call(
        "POST",
        "composite/batch",
        {
            "batchRequests": [
                {"method": "GET", "url": "v66.0/sobjects/Lead/00Q000000000001EAA"},
                {
                    "method": "POST",
                    "url": "v66.0/sobjects/Lead",
                    "richInput": {"LastName": "E", "Company": "E"},
                },
            ]
        },
    ).get_json()

    assert answer["hasErrors"] is True
    assert [part["statusCode"] for part in answer["results"]] == [404, 201]


def test_a_bulk_job_tells_of_each_line(admin):
    job = admin.call(
        "POST", "jobs/ingest", {"object": "Lead", "operation": "insert"}
    ).get_json()
    upload = admin.http.put(
        f"/{job['contentUrl']}",
        data="LastName,Company\nA,Example\nB,\n",
        content_type="text/csv",
        headers={"Authorization": f"Bearer {admin.token}"},
    )
    path = f"jobs/ingest/{job['id']}"
    done = admin.call("PATCH", path, {"state": "UploadComplete"}).get_json()

    assert upload.status_code == 201
    assert done["state"] == "JobComplete"
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (2, 1)
    assert (
        b'"true","A","Example"' in admin.call("GET", f"{path}/successfulResults").data
    )
    assert b"REQUIRED_FIELD_MISSING" in admin.call("GET", f"{path}/failedResults").data


def test_a_deletion_that_is_taken_back_leaves_the_record_findable(org, admin):
    add_key_field(org, "Lead")
    grant(org, ADMIN, "Lead.Key__c")
    lead = admin.create("Lead", LastName="E", Company="E", Key__c="k")

    results = admin.call(
        "DELETE", f"composite/sobjects?ids={lead},00Q000000000001EAA&allOrNone=true"
    ).get_json()

    assert [result["success"] for result in results] == [False, False]
    assert admin.get("sobjects/Lead/Key__c/k")["Id"] == lead
    deleted = admin.call("GET", "queryAll?q=SELECT+Id+FROM+Lead").get_json()
    assert deleted["totalSize"] == 1


def test_an_upsert_that_matches_several_fails_alone(org, admin):
    add_key_field(org, "Lead", unique=False)
    grant(org, ADMIN, "Lead.Key__c")
    for _ in range(2):
        admin.create("Lead", LastName="E", Company="E", Key__c="same")

    results = admin.call(
        "PATCH",
        "composite/sobjects/Lead/Key__c",
        {"records": [LEAD | {"Key__c": "same"}, LEAD | {"Key__c": "other"}]},
    ).get_json()

    assert results[0]["errors"][0]["statusCode"] == "DUPLICATE_EXTERNAL_ID"
    assert results[1]["success"] is True


def test_a_request_refused_half_way_leaves_nothing_behind(admin):
    tree = {
        "records": [
            {
                "attributes": {"type": "Account", "referenceId": "a"},
                "Name": "Example",
                "Nopes": {"records": [{"attributes": {"referenceId": "b"}}]},
            }
        ]
    }

    assert admin.refused("POST", "composite/tree/Account", tree)[1] == "INVALID_FIELD"
    assert admin.query("SELECT COUNT() FROM Account")["totalSize"] == 0


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["attributes", "records", "type", "id", "Name", "url", "referenceId"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def patient():
    """One org for all the nonsense."""
    return Api.of(Org.fresh(seed=1), ADMIN)


@given(
    path=st.sampled_from(
        [
            "sobjects/Lead",
            "composite",
            "composite/batch",
            "composite/sobjects",
            "composite/tree/Account",
            "jobs/ingest",
        ]
    ),
    body=_JSON,
    inside=st.sampled_from([None, "records", "compositeRequest", "batchRequests"]),
)
def test_whatever_is_sent_the_answer_is_one_of_salesforces(patient, path, body, inside):
    response = patient.call("POST", path, {inside: body} if inside else body)

    assert response.status_code in {200, 201, 400, 404, 403}
    assert response.get_json() is not None
