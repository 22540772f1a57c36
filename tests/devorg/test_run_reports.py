"""Deployed reports count what is there, as the user who runs them may see it."""

from datetime import date

import pytest
from meta_package import NS, manifest, text_field, zipped
from run_served import Client

from sidecar.devorg.founding import INTEGRATION, REPS
from sidecar.devorg.reports.intervals import interval, literal

MARCH = date(2026, 3, 11)


@pytest.mark.parametrize(
    ("name", "first", "end"),
    [
        ("INTERVAL_THISMONTH", "2026-03-01", "2026-04-01"),
        ("INTERVAL_LASTWEEK", "2026-03-01", "2026-03-08"),
        ("INTERVAL_CURY", "2026-01-01", "2027-01-01"),
        ("INTERVAL_PREVCURY", "2025-01-01", "2027-01-01"),
        ("INTERVAL_PREVQ", "2025-10-01", "2026-01-01"),
        ("INTERVAL_LAST90", "2025-12-11", "2026-03-12"),
        ("INTERVAL_NEXT7", "2026-03-12", "2026-03-19"),
    ],
)
def test_an_interval_is_a_span_of_days(name, first, end):
    assert interval(name, MARCH) == (date.fromisoformat(first), date.fromisoformat(end))


def test_an_unknown_interval_is_none():
    assert interval("INTERVAL_SOMETIME", MARCH) is None


def test_a_filter_may_name_a_day_in_many_ways():
    day = (MARCH, date(2026, 3, 12))
    assert literal("TODAY", MARCH) == day
    assert literal("2026-03-11", MARCH) == literal("3/11/2026", MARCH) == day
    assert literal("nonsense", MARCH) is None


# ---- on a served org


def column(name, *aggregates):
    kinds = "".join(f"<aggregateTypes>{each}</aggregateTypes>" for each in aggregates)
    return f"<columns>{kinds}<field>{name}</field></columns>"


def group(name, *, where="Down", granularity="None", extra="", order="Asc"):
    return (
        f"<groupings{where}>{extra.partition('|')[0]}<dateGranularity>{granularity}"
        f"</dateGranularity><field>{name}</field>{extra.partition('|')[2]}"
        f"<sortOrder>{order}</sortOrder></groupings{where}>"
    )


BY_COUNT = "<aggregateType>RowCount</aggregateType>|<sortByName>RowCount</sortByName>"


def criterion(name, operator, value):
    return (
        f"<criteriaItems><column>{name}</column><columnToColumn>false</columnToColumn>"
        f"<isUnlocked>true</isUnlocked><operator>{operator}</operator>"
        f"<value>{value}</value></criteriaItems>"
    )


def report(
    content,
    *,
    shape="Tabular",
    type_="LeadList",
    filters="",
    groups="",
    date_="CREATED_DATE",
    more="",
    interval_="INTERVAL_CUSTOM",
):
    filter_ = f"<filter>{filters}</filter>" if filters else ""
    return (
        f"<Report {NS}>{more}{content}{filter_}<format>{shape}</format>{groups}"
        f"<name>R</name><reportType>{type_}</reportType><scope>organization</scope>"
        "<showDetails>true</showDetails><timeFrameFilter>"
        f"<dateColumn>{date_}</dateColumn><interval>{interval_}</interval>"
        "</timeFrameFilter></Report>"
    )


FOLDER = (
    f"<ReportFolder {NS}><accessType>Public</accessType><name>Sums</name>"
    "<publicFolderAccess>ReadWrite</publicFolderAccess></ReportFolder>"
)
RATE = (
    "<aggregates><calculatedFormula>CONVERTED:SUM/RowCount</calculatedFormula>"
    "<datatype>percent</datatype><developerName>FORMULA1</developerName>"
    "<isActive>true</isActive><isCrossBlock>false</isCrossBlock>"
    "<masterLabel>Rate</masterLabel><scale>1</scale></aggregates>"
)
OURS = criterion("COMPANY", "equals", "Sums")
REPORTS = {
    "List": report(column("LAST_NAME") + column("EMPLOYEES"), filters=OURS),
    "Groups": report(
        column("LAST_NAME") + column("EMPLOYEES", "Sum") + column("CONVERTED", "Sum"),
        shape="Summary",
        filters=OURS,
        groups=group("LEAD_SOURCE", extra=BY_COUNT + "", order="Desc").replace(
            "</groupingsDown>", "<sortType>Aggregate</sortType></groupingsDown>"
        ),
        more=RATE,
    ),
    "Cross": report(
        column("LAST_NAME"),
        shape="Matrix",
        filters=OURS,
        groups=group("RATING", where="Across") + group("LEAD_SOURCE"),
    ),
    "Some": report(
        column("LAST_NAME"),
        filters="<booleanFilter>1 AND (2 OR 3)</booleanFilter>"
        + OURS
        + criterion("EMPLOYEES", "greaterThan", "10")
        + criterion("LEAD_SOURCE", "equals", ""),
    ),
    "Children": report(
        column("Account$Name") + column("Account$AnnualRevenue", "Sum"),
        shape="Summary",
        type_="Accounts_With_Contacts__c",
        filters=criterion("Account$Name", "startsWith", "Sums"),
        groups=group("Account$Name"),
        date_="Account$CreatedDate",
    ),
    "Hidden": report(column("LAST_NAME") + column("Lead.Hidden__c"), filters=OURS),
}
TYPE = (
    f"<ReportType {NS}><baseObject>Account</baseObject><category>accounts</category>"
    "<deployed>true</deployed><description>d</description><join><outerJoin>true</outerJoin>"
    "<relationship>Contacts</relationship></join><label>Accounts with contacts</label>"
    "<sections>"
    + "".join(
        "<columns><checkedByDefault>true</checkedByDefault>"
        f"<field>{name}</field><table>Account</table></columns>"
        for name in ("Name", "AnnualRevenue", "CreatedDate")
    )
    + "<masterLabel>Accounts</masterLabel></sections></ReportType>"
)


@pytest.fixture(scope="module")
def client(served):
    client = Client(served)
    files = {
        "objects/Lead.object": f"<CustomObject {NS}>{text_field('Hidden__c')}</CustomObject>",
        "reportTypes/Accounts_With_Contacts.reportType": TYPE,
        "reports/Sums-meta.xml": FOLDER,
    } | {f"reports/Sums/{name}.report": xml for name, xml in REPORTS.items()}
    members = {
        "CustomField": ["Lead.Hidden__c"],
        "ReportType": ["Accounts_With_Contacts"],
        "Report": ["Sums", *(f"Sums/{name}" for name in REPORTS)],
    }
    client.deployed(zipped({"package.xml": manifest(members), **files}))
    for last, source, size, rating in (
        ("A", "Web", 5, "Hot"),
        ("B", "Web", 20, "Cold"),
        ("C", None, 1, "Hot"),
    ):
        client.create(
            "Lead",
            LastName=last,
            Company="Sums",
            LeadSource=source,
            NumberOfEmployees=size,
            Rating=rating,
        )
    return client


def report_id(client, name):
    (found,) = client.query(
        f"SELECT Id, FolderName FROM Report WHERE DeveloperName = '{name}'"
    )
    assert found["FolderName"] == "Sums"
    return found["Id"]


def ran(client, name, **params):
    return client.get(f"analytics/reports/{report_id(client, name)}", **params)


def labels(fact):
    return [each["label"] for each in fact["aggregates"]]


def names(fact):
    return [row["dataCells"][0]["label"] for row in fact["rows"]]


def test_a_list_has_its_rows_under_the_grand_total(client):
    answer = ran(client, "List", includeDetails="true")
    fact = answer["factMap"]["T!T"]
    assert names(fact) == ["A", "B", "C"]
    assert fact["rows"][1]["dataCells"][1] == {"label": "20", "value": 20.0}
    assert fact["aggregates"] == [{"label": "3", "value": 3}]
    assert (answer["hasDetailRows"], answer["allData"]) == (True, True)
    assert answer["reportMetadata"]["detailColumns"] == ["LAST_NAME", "EMPLOYEES"]
    assert answer["attributes"]["type"] == "Report"


def test_groups_are_summed_up_and_sorted(client):
    answer = ran(client, "Groups")
    shown = [(e["key"], e["label"]) for e in answer["groupingsDown"]["groupings"]]
    assert shown == [("0", "Web"), ("1", "-")]
    assert answer["reportMetadata"]["aggregates"] == [
        "s!EMPLOYEES",
        "s!CONVERTED",
        "FORMULA1",
        "RowCount",
    ]
    facts = answer["factMap"]
    assert labels(facts["T!T"]) == ["26", "0", "0.0%", "3"]
    assert labels(facts["0!T"]) == ["25", "0", "0.0%", "2"]
    assert facts["T!T"]["rows"] == []
    assert names(facts["1!T"]) == ["C"]


def test_without_details_there_are_sums_alone(client):
    answer = ran(client, "Groups", includeDetails="false")
    assert answer["hasDetailRows"] is False
    assert all("rows" not in fact for fact in answer["factMap"].values())


def test_a_matrix_crosses_its_groups(client):
    answer = ran(client, "Cross")
    across = [each["label"] for each in answer["groupingsAcross"]["groupings"]]
    down = [each["label"] for each in answer["groupingsDown"]["groupings"]]
    key = f"{down.index('Web')}!{across.index('Cold')}"
    assert names(answer["factMap"][key]) == ["B"]
    assert labels(answer["factMap"][f"T!{across.index('Hot')}"]) == ["2"]


def test_filters_combine_by_their_logic(client):
    fact = ran(client, "Some")["factMap"]["T!T"]
    assert names(fact) == ["B", "C"]


def test_a_run_may_be_filtered_otherwise_for_once(client):
    path = f"analytics/reports/{report_id(client, 'List')}"
    metadata = client.get(path)["reportMetadata"]
    metadata["reportFilters"].append(
        {"column": "LAST_NAME", "operator": "equals", "value": "B"}
    )
    answer = client.call("POST", path, {"reportMetadata": metadata}).json()
    assert names(answer["factMap"]["T!T"]) == ["B"]
    assert labels(ran(client, "List")["factMap"]["T!T"]) == ["3"]


def test_a_parent_of_several_counts_once(client):
    one = client.create("Account", Name="Sums One", AnnualRevenue=100)
    client.create("Account", Name="Sums Two", AnnualRevenue=10)
    for last in ("A", "B"):
        client.create("Contact", LastName=last, AccountId=one)
    facts = ran(client, "Children")["factMap"]
    assert labels(facts["0!T"]) == ["$100.00", "2"]
    assert labels(facts["T!T"]) == ["$110.00", "3"]


def test_columns_that_the_user_may_not_see_are_left_out(client):
    assert ran(client, "Hidden")["reportMetadata"]["detailColumns"] == ["LAST_NAME"]


def test_who_may_not_run_reports_neither_finds_nor_runs_them(client, served):
    path = f"analytics/reports/{report_id(client, 'List')}"
    stranger = Client(served, INTEGRATION)
    assert stranger.refused("GET", path)[:2] == (403, "FORBIDDEN")
    soql = "SELECT Id FROM Report"
    assert stranger.refused("GET", "query", params={"q": soql})[1] == "INVALID_TYPE"
    assert Client(served, REPS[0]).get(path)


def test_a_report_that_is_not_there_is_not_found(client):
    found = client.refused("GET", "analytics/reports/00O000000000001")
    assert found[:2] == (404, "NOT_FOUND")


def test_what_cannot_be_run_is_refused_by_its_name(client):
    odd = report(column("LAST_NAME"), interval_="LAST_FISCALWEEK")
    files = {"reports/Sums/Odd.report": odd}
    client.deployed(
        zipped({"package.xml": manifest({"Report": ["Sums/Odd"]}), **files})
    )
    path = f"analytics/reports/{report_id(client, 'Odd')}"
    assert client.refused("GET", path)[1:] == (
        "BAD_REQUEST",
        "The report can't be run: the interval LAST_FISCALWEEK is not available",
    )
