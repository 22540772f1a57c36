"""SOQL: what it finds, and how it says that it does not understand."""

import contextlib
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.devorg.clock import OrgClock
from sidecar.devorg.founding import ADMIN
from sidecar.devorg.org import Org
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.soql import dates
from sidecar.devorg.soql.run import run


@pytest.fixture(scope="module")
def crm():
    """An org on 15 May 2026, a Friday, with three accounts and their people."""
    org = Org.fresh(seed=3, clock=OrgClock(start=datetime(2026, 5, 15, 12, tzinfo=UTC)))
    access = org.access(org.user_named(ADMIN))
    with org.work():
        for name, revenue, city in (
            ("Alpha", 100, "Berlin"),
            ("beta", 300, None),
            ("Gamma 100%", 200, "Bonn"),
        ):
            account = org.records.create(
                access,
                "Account",
                {"Name": name, "AnnualRevenue": revenue, "BillingCity": city},
            )
            for first in ("Ada", "Bo"):
                contact = org.records.create(
                    access,
                    "Contact",
                    {"FirstName": first, "LastName": name, "AccountId": account},
                )
            org.records.create(
                access,
                "Task",
                {"WhoId": contact, "Subject": "Call", "ActivityDate": "2026-05-14"},
            )
    return org


def find(org, soql, **options):
    """Return the records of a query, without their attributes."""
    access = org.access(org.user_named(ADMIN))
    result = run(org, access, soql, version="66.0", **options)
    return [_plain(result.show(row)) for row in result.rows]


def _plain(value):
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if k != "attributes"}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def names(org, where):
    rows = find(org, f"SELECT Name FROM Account {where}")
    return [row["Name"] for row in rows]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("WHERE Name = 'ALPHA'", ["Alpha"]),
        ("WHERE Name != 'alpha'", ["beta", "Gamma 100%"]),
        ("WHERE Name LIKE '%a'", ["Alpha", "beta"]),
        ("WHERE Name LIKE '_eta'", ["beta"]),
        (r"WHERE Name LIKE '%100\%'", ["Gamma 100%"]),
        ("WHERE Name IN ('Alpha', 'beta')", ["Alpha", "beta"]),
        ("WHERE Name NOT IN ('Alpha', 'beta')", ["Gamma 100%"]),
        ("WHERE AnnualRevenue > 100 AND AnnualRevenue <= 300", ["beta", "Gamma 100%"]),
        ("WHERE BillingCity = null", ["beta"]),
        ("WHERE BillingCity = ''", ["beta"]),
        ("WHERE BillingCity != null", ["Alpha", "Gamma 100%"]),
        ("WHERE NOT Name = 'beta'", ["Alpha", "Gamma 100%"]),
        (
            "WHERE (Name = 'beta' OR BillingCity = 'bonn') AND AnnualRevenue < 250",
            ["Gamma 100%"],
        ),
        ("WHERE NOT (Name = 'beta' OR Name = 'alpha')", ["Gamma 100%"]),
        ("WHERE CreatedDate = TODAY", ["Alpha", "beta", "Gamma 100%"]),
        ("WHERE CreatedDate < TODAY", []),
        ("WHERE CreatedDate >= 2026-05-15T14:00:00+02:00 LIMIT 1", ["Alpha"]),
        (
            "WHERE Id IN (SELECT AccountId FROM Contact WHERE Name LIKE 'bo b%')",
            ["beta"],
        ),
        ("WHERE Owner.Username = 'ADMIN@example.com' LIMIT 2", ["Alpha", "beta"]),
        ("ORDER BY AnnualRevenue DESC", ["beta", "Gamma 100%", "Alpha"]),
        ("ORDER BY Name", ["Alpha", "beta", "Gamma 100%"]),
        ("ORDER BY BillingCity", ["beta", "Alpha", "Gamma 100%"]),
        ("ORDER BY BillingCity NULLS LAST", ["Alpha", "Gamma 100%", "beta"]),
        ("ORDER BY BillingCity DESC NULLS LAST", ["Gamma 100%", "Alpha", "beta"]),
        ("ORDER BY Name LIMIT 1 OFFSET 1", ["beta"]),
    ],
)
def test_conditions_find_what_they_describe(crm, where, expected):
    assert names(crm, where) == expected


def test_the_first_sort_key_weighs_most(crm):
    rows = find(crm, "SELECT Name FROM Contact ORDER BY FirstName, LastName DESC")

    assert [row["Name"] for row in rows] == [
        f"{first} {last}"
        for first in ("Ada", "Bo")
        for last in ("Gamma 100%", "beta", "Alpha")
    ]


def test_parents_and_children_come_nested(crm):
    (row,) = find(
        crm,
        "SELECT Name, Owner.Profile.Name, (SELECT FirstName FROM Contacts "
        "WHERE FirstName > 'Az' ORDER BY FirstName) FROM Account WHERE Name = 'beta'",
    )

    assert row == {
        "Name": "beta",
        "Owner": {"Profile": {"Name": "System Administrator"}},
        "Contacts": {"totalSize": 1, "done": True, "records": [{"FirstName": "Bo"}]},
    }


def test_a_parent_of_several_types_has_a_name_and_a_type(crm):
    row = find(crm, "SELECT Who.Name, Who.Type, What.Name FROM Task LIMIT 1")[0]

    assert row == {"Who": {"Name": "Bo Alpha", "Type": "Contact"}, "What": None}


def test_counting_and_grouping(crm):
    rows = find(
        crm,
        "SELECT Account.Name n, COUNT(Id), MAX(LastName) FROM Contact "
        "GROUP BY Account.Name HAVING COUNT(Id) > 1 ORDER BY Account.Name DESC LIMIT 1",
    )
    assert rows == [{"n": "Gamma 100%", "expr0": 2, "expr1": "Gamma 100%"}]

    (totals,) = find(
        crm, "SELECT SUM(AnnualRevenue) s, AVG(AnnualRevenue) a FROM Account"
    )
    assert totals == {"s": 600.0, "a": 200.0}

    access = crm.access(crm.user_named(ADMIN))
    counted = run(crm, access, "SELECT COUNT() FROM Contact", version="66.0")
    assert (counted.total, list(counted.rows)) == (6, [])


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("SELECT FROM Lead", "MALFORMED_QUERY", "Column:8\nunexpected token: 'FROM'"),
        ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected token: <EOF>"),
        ("SELECT Id Lead", "MALFORMED_QUERY", "unexpected token: <EOF>"),
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY", "unexpected token: <EOF>"),
        (
            "SELECT Id FROM Lead WHERE Name = 'a' AND Title = 'b' OR Title = 'c'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        ("SELECT Id FROM Lead LIMIT x", "MALFORMED_QUERY", "unexpected token: 'x'"),
        (
            "SELECT Id FROM Lead WHERE Name = 'a",
            "MALFORMED_QUERY",
            "no viable alternative at character '''",
        ),
        ("SELECT Id; FROM Lead", "MALFORMED_QUERY", "at character ';'"),
        ("SELECT Nope FROM Lead", "INVALID_FIELD", "No such column 'Nope' on entity"),
        (
            "SELECT Nope.Name FROM Lead",
            "INVALID_FIELD",
            "Didn't understand relationship 'Nope' in field path.",
        ),
        (
            "SELECT Id FROM Nope",
            "INVALID_TYPE",
            "sObject type 'Nope' is not supported.",
        ),
        (
            "SELECT Id FROM Lead WHERE Company = 5",
            "INVALID_FIELD",
            "for field 'Company' must be of type string and should be enclosed in "
            "quotes",
        ),
        (
            "SELECT Id FROM Lead WHERE CreatedDate > '2026-01-01'",
            "INVALID_FIELD",
            "must be of type datetime and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Lead WHERE Id = 'x'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: x",
        ),
        (
            "SELECT Id FROM Lead WHERE Description = 'x'",
            "INVALID_FIELD",
            "field 'Description' can not be filtered in a query call",
        ),
        (
            "SELECT Company, COUNT(Id) FROM Lead",
            "MALFORMED_QUERY",
            "Field must be grouped or aggregated: Company",
        ),
        (
            "SELECT Id FROM Lead WHERE CreatedDate = SOMEDAY",
            "MALFORMED_QUERY",
            "SOMEDAY",
        ),
        (
            "SELECT Id FROM Lead OFFSET 2001",
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Maximum SOQL offset allowed is 2000",
        ),
        ("SELECT Id, Id FROM Lead", "INVALID_FIELD", "duplicate field selected: Id"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(admin, soql, code, message):
    (error,) = admin.query(soql)

    assert error["errorCode"] == code
    assert message in error["message"]


def test_the_error_points_at_its_place(admin):
    (error,) = admin.query("SELECT Id, Nope__c FROM Account")

    assert error["message"].startswith(
        "\nSELECT Id, Nope__c FROM Account\n           ^\n"
        "ERROR at Row:1:Column:12\nNo such column 'Nope__c' on entity 'Account'. If you"
    )


@given(st.text(max_size=40))
def test_any_text_in_quotes_is_only_text(crm, text):
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")

    found = names(crm, f"WHERE Name = '{escaped}'")

    assert found == [
        n for n in ("Alpha", "beta", "Gamma 100%") if n.lower() == text.lower()
    ]


@given(st.text(max_size=60))
def test_any_condition_is_understood_or_refused_and_breaks_nothing(crm, text):
    access = crm.access(crm.user_named(ADMIN))
    with contextlib.suppress(Refusal):
        run(crm, access, f"SELECT Id FROM Lead WHERE {text}", version="66.0")


@pytest.mark.parametrize(
    ("name", "number", "first", "after"),
    [
        ("TODAY", None, "2026-05-15", "2026-05-16"),
        ("THIS_WEEK", None, "2026-05-10", "2026-05-17"),
        ("LAST_MONTH", None, "2026-04-01", "2026-05-01"),
        ("NEXT_QUARTER", None, "2026-07-01", "2026-10-01"),
        ("LAST_YEAR", None, "2025-01-01", "2026-01-01"),
        ("LAST_N_DAYS", 7, "2026-05-08", "2026-05-16"),
        ("NEXT_N_DAYS", 2, "2026-05-16", "2026-05-18"),
        ("LAST_N_MONTHS", 5, "2025-12-01", "2026-05-01"),
        ("N_WEEKS_AGO", 1, "2026-05-03", "2026-05-10"),
    ],
)
def test_date_literals_span_the_days_they_name(name, number, first, after):
    assert dates.span(name, number, date(2026, 5, 15)) == (
        date.fromisoformat(first),
        date.fromisoformat(after),
    )


@given(st.dates(date(1900, 1, 1), date(2900, 1, 1)))
def test_weeks_months_quarters_and_years_follow_each_other_without_a_gap(today):
    for unit in ("WEEK", "MONTH", "QUARTER", "YEAR"):
        last, this, next_ = (
            dates.span(f"{which}_{unit}", None, today)
            for which in ("LAST", "THIS", "NEXT")
        )
        assert last[1] == this[0]
        assert this[0] <= today < this[1]
        assert this[1] == next_[0]
        assert timedelta(0) < next_[1] - next_[0]


def test_a_long_answer_comes_page_by_page(org, admin, rep):
    access = org.access(org.user_named(ADMIN))
    with org.work():
        for number in range(450):
            org.records.create(access, "Account", {"Name": f"A{number:03}"})

    path = "query?q=SELECT+Name+FROM+Account+ORDER+BY+Name"
    page = admin.call(
        "GET", path, **{"Sforce-Query-Options": "batchSize=200"}
    ).get_json()
    found, pages = page["records"], 1
    while not page["done"]:
        assert page["totalSize"] == 450
        page = admin.get(page["nextRecordsUrl"].split("/v66.0/")[1])
        found, pages = found + page["records"], pages + 1

    assert pages == 3
    first = admin.call("GET", path, **{"Sforce-Query-Options": "batchSize=200"})
    locator = first.get_json()["nextRecordsUrl"].split("/v66.0/")[1]
    rep.http = admin.http
    assert rep.refused("GET", locator)[1] == "INVALID_QUERY_LOCATOR"
    assert [row["Name"] for row in found] == [f"A{n:03}" for n in range(450)]
    assert admin.refused("GET", "query/01gNOPE00000000AAA-200")[1] == (
        "INVALID_QUERY_LOCATOR"
    )


def test_columns_are_told_for_drawing_a_table(admin):
    answer = admin.get(
        "query?columns=true&q=SELECT+Id,+Owner.Name,+COUNT(Id)+n+FROM+Account+"
        "GROUP+BY+Id,Owner.Name"
    )

    columns = answer["columnMetadata"]
    assert [column["columnName"] for column in columns] == ["Id", "Owner", "n"]
    assert columns[1]["joinColumns"][0]["columnName"] == "Name"
    assert (answer["entityName"], answer["idSelected"]) == ("Account", True)
