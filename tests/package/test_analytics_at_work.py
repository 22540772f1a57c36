"""Every report of the package, run on an org with a handful of referrals in it."""

import pytest
from package_files import tree
from working_org import WorkingOrg

from sidecar.salesforce.caller import rest

ANALYTICS = tree("analytics")
REPORTS = sorted(
    path.rpartition("/")[2].removesuffix(".report-meta.xml")
    for path in ANALYTICS
    if path.endswith(".report-meta.xml")
)


@pytest.fixture(scope="module")
def org(tmp_path_factory):
    """Two referred leads of one referrer, one of nobody, a deal won and one lost."""
    folder = tmp_path_factory.mktemp("org")
    parts = (tree("core"), tree("programme"), ANALYTICS)
    with WorkingOrg.running(folder, *parts) as found:
        found.assign("Referral_Manager")
        found.assign("Referral_Programme_Manager")
        referrer = found.create("Referrer__c", Name="Mira Sample", Code__c="MIRA")
        referred = {"Referral_Status__c": "Submitted", "Referrer__c": referrer}
        for last in ("One", "Two"):
            found.create(
                "Lead",
                LastName=last,
                Company="Example Ltd",
                Email=f"{last.lower()}@example.com",
                Referral_Source__c="Partner" if last == "One" else None,
                **referred,
            )
        found.create("Lead", LastName="Other", Company="Example Ltd")
        found.create(
            "Opportunity",
            Name="Deal",
            StageName="Closed Won",
            CloseDate="2026-06-30",
            Amount=1000,
            Referral_Status__c="Opportunity",
            Referrer__c=referrer,
        )
        found.create(
            "Opportunity",
            Name="Another deal",
            StageName="Closed Lost",
            CloseDate="2026-06-30",
            Referral_Status__c="Opportunity",
            Referral_Lost_Reason__c="No budget",
            Referrer__c=referrer,
        )
        yield found


def run(org, name):
    (found,) = org.query(f"SELECT Id FROM Report WHERE DeveloperName = '{name}'")
    answer = rest(
        org.caller,
        "GET",
        f"analytics/reports/{found['Id']}",
        params={"includeDetails": "true"},
    )
    assert isinstance(answer, dict)
    return answer


def totals(answer):
    labels = [each["label"] for each in answer["factMap"]["T!T"]["aggregates"]]
    return dict(zip(answer["reportMetadata"]["aggregates"], labels, strict=True))


def groups(answer):
    """Label of each group of the first level -> number of its rows."""
    facts = answer["factMap"]
    return {
        each["label"]: facts[f"{each['key']}!T"]["aggregates"][-1]["value"]
        for each in answer["groupingsDown"]["groupings"]
    }


@pytest.mark.parametrize("name", REPORTS)
def test_each_report_runs_and_shows_all_its_columns(org, name):
    answer = run(org, name)

    assert "RowCount" in totals(answer)
    assert answer["reportMetadata"]["detailColumns"]


def test_the_funnel_counts_referred_leads_by_status(org):
    assert groups(run(org, "Referral_Funnel")) == {"Submitted": 2}


def test_referred_leads_are_held_against_the_others(org):
    assert groups(run(org, "Referred_and_Other_Leads")) == {
        "Referred": 2,
        "Not referred": 1,
    }


def test_conversion_is_broken_down_by_source_and_by_referrer(org):
    assert groups(run(org, "Conversion_by_Source")) == {"Partner": 1, "-": 1}
    assert groups(run(org, "Conversion_by_Referrer")) == {"Mira Sample": 2}


def test_losses_are_counted_by_their_reason(org):
    assert groups(run(org, "Lost_Opportunities_by_Reason")) == {"No budget": 1}
    assert groups(run(org, "Lost_Leads_by_Reason")) == {}


def test_what_is_missing_makes_a_referral_poor(org):
    """Neither has a phone number or a consent."""
    (count,) = groups(run(org, "Data_Quality")).values()
    assert count == 2


def test_the_dashboard_is_there_for_whoever_looks(org):
    (found,) = org.query("SELECT Title, Type, FolderName FROM Dashboard")
    assert (found["Title"], found["Type"]) == ("Referral Performance", "LoggedInUser")
