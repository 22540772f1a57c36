"""The daily limit, faults to order, and the rest of the back door."""

from datetime import timedelta

LEAD = {"LastName": "Example", "Company": "Example GmbH"}


def test_every_answer_tells_how_many_calls_are_used(org, admin):
    org.limits.daily = 100

    first = admin.call("GET", "limits")
    refused = admin.call("GET", "sobjects/Nope__c")

    assert first.headers["Sforce-Limit-Info"] == "api-usage=1/100"
    assert refused.headers["Sforce-Limit-Info"] == "api-usage=2/100"
    assert first.get_json()["DailyApiRequests"] == {"Max": 100, "Remaining": 99}


def test_two_hundred_records_are_one_call(org, admin):
    record = {"attributes": {"type": "Lead"}} | LEAD

    admin.call("POST", "composite/sobjects", {"records": [record] * 200})

    assert org.limits.used == 1


def test_a_used_up_limit_refuses_until_a_day_has_passed(org, admin):
    org.limits.daily = 2
    admin.create("Lead", **LEAD)
    org.clock.advance(timedelta(hours=1))
    admin.token = org.sessions.open(org.user_named("admin@example.com"), endless=True)
    admin.create("Lead", **LEAD)

    assert admin.refused("POST", "sobjects/Lead", LEAD) == (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "TotalRequests Limit exceeded.",
    )

    # Rolling: after 23 hours more the first call is forgotten, not the second.
    org.clock.advance(timedelta(hours=23, minutes=1))
    admin.create("Lead", **LEAD)
    assert admin.refused("GET", "limits")[1] == "REQUEST_LIMIT_EXCEEDED"


def test_logging_in_is_no_api_call(org, admin):
    admin.http.post("/services/oauth2/token", data={"grant_type": "x"})
    admin.http.get("/services/data")

    assert org.limits.used == 0


def test_a_fault_strikes_before_or_after_acting(admin):
    def order(**fault):
        response = admin.http.post("/devorg/faults", json=fault)
        assert response.status_code == 200

    order(method="POST", path="/sobjects/Lead", count=2)
    for _ in range(2):
        assert admin.refused("POST", "sobjects/Lead", LEAD)[:2] == (
            503,
            "SERVER_UNAVAILABLE",
        )
    assert admin.query("SELECT COUNT() FROM Lead")["totalSize"] == 0

    order(
        path="/sobjects/Lead",
        status=400,
        error_code="UNABLE_TO_LOCK_ROW",
        message="unable to obtain exclusive access to this record",
        after_acting=True,
    )
    assert admin.refused("POST", "sobjects/Lead", LEAD)[1] == "UNABLE_TO_LOCK_ROW"
    assert admin.query("SELECT COUNT() FROM Lead")["totalSize"] == 1

    admin.create("Lead", **LEAD)


def test_a_fault_of_unknown_shape_is_not_ordered(admin):
    response = admin.http.post("/devorg/faults", json={"chance": 1})

    assert (response.status_code, response.get_json()) == (400, {"unknown": ["chance"]})
    assert admin.http.get("/devorg/faults").get_json() == []


def test_the_back_door_moves_the_clock_and_counts_calls(org, admin):
    before = org.clock.now()
    admin.call("GET", "limits")

    admin.http.post("/devorg/clock", json={"advance_s": 3600, "speed": 10})

    assert timedelta(hours=1) <= org.clock.now() - before < timedelta(hours=2)
    assert org.clock.speed == 10
    assert admin.http.get("/devorg/calls").get_json() == {"GET limits": 1}


def test_a_reset_forgets_data_and_keeps_people(org, admin):
    admin.create("Lead", **LEAD)

    admin.http.post("/devorg/reset")

    assert admin.query("SELECT COUNT() FROM Lead")["totalSize"] == 0
    assert admin.query("SELECT COUNT() FROM User")["totalSize"] == 6


def test_a_token_for_anyone_through_the_back_door(org, admin):
    answer = admin.http.post(
        "/devorg/sessions", json={"username": "rita.rep@example.com"}
    ).get_json()
    admin.token = answer["token"]

    lead = admin.create("Lead", **LEAD)

    assert admin.get(f"sobjects/Lead/{lead}")["CreatedById"] == answer["user_id"]
    admin.http.delete("/devorg/sessions", json={"token": answer["token"]})
    assert admin.refused("GET", "limits")[1] == "INVALID_SESSION_ID"
