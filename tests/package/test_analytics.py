"""What the bundled module ``analytics`` promises: every number can be traced."""

import re

import pytest
from lxml import etree
from trees import MD

from sidecar.package import read

NS = {"m": MD}
TREE = read.select(read.load(read.bundled()), ["analytics"])
# Standard fields that a column may show besides the fields of the project.
STANDARD = {
    "Lead": "Name Company Email Phone Status LeadSource Industry Owner CreatedDate "
    "IsConverted ConvertedDate",
    "Opportunity": "Name Account StageName Amount CloseDate IsClosed IsWon Type "
    "LeadSource Campaign Owner CreatedDate Account.Industry",
    "Referrer__c": "Name Owner CreatedDate",
    "Referral_Reward__c": "Name CreatedDate",
    "Referral_Touchpoint__c": "Name CreatedDate",
}
# Columns of the one standard report type that is used.
STANDARD_REPORT = {
    "OPPORTUNITY_NAME",
    "ACCOUNT_NAME",
    "AMOUNT",
    "CLOSE_DATE",
    "CLOSED",
    "FULL_NAME",
    "ROLLUP_DESCRIPTION",
    "Opportunity.Referral_Status__c",
}


def of_kind(suffix):
    return {
        path.rpartition("/")[2].partition(".")[0]: etree.fromstring(content)
        for path, content in TREE.items()
        if path.endswith(f".{suffix}-meta.xml")
    }


REPORTS = of_kind("report")
REPORT_TYPES = of_kind("reportType")
(DASHBOARD,) = of_kind("dashboard").values()
COMPONENTS = DASHBOARD.findall(".//m:dashboardComponent", NS)


def text(element, path):
    return element.findtext(f"m:{path}", namespaces=NS)


def texts(element, *paths):
    return [found.text for path in paths for found in element.findall(path, NS)]


def fields_of_the_project():
    """Object -> field -> the object that a lookup field points to, if any."""
    found = {name: dict.fromkeys(text.split()) for name, text in STANDARD.items()}
    for path, content in read.load(read.bundled()).items():
        if match := re.search(r"objects/(\w+)/fields/(\w+)\.field-meta\.xml$", path):
            to = text(etree.fromstring(content), "referenceTo")
            found.setdefault(match[1], {})[match[2]] = to
    return found


FIELDS = fields_of_the_project()
CHILDREN = {"Referred_Leads__r": "Lead", "Referred_Opportunities__r": "Opportunity"}


def exists(owner, field):
    if field in FIELDS[owner]:
        return True
    lookup, _, rest = field.partition(".")
    target = FIELDS[owner].get(lookup)
    return bool(rest and target) and exists(target, rest)


def columns(report):
    """List every column that the report names, formulas included."""
    named = texts(
        report,
        "m:columns/m:field",
        "m:groupingsDown/m:field",
        "m:groupingsAcross/m:field",
        "m:filter/m:criteriaItems/m:column",
        "m:timeFrameFilter/m:dateColumn",
        "m:chart/m:groupingColumn",
        "m:chart/m:secondaryGroupingColumn",
        "m:chart/m:chartSummaries/m:column",
        "m:buckets/m:sourceColumnName",
        "m:sortColumn",
        "m:groupingsDown/m:sortByName",
    )
    for formula in texts(report, "m:aggregates/m:calculatedFormula"):
        named += re.findall(r"([\w.$]+):(?:SUM|MAX)", formula)
    own = {"RowCount", *texts(report, "m:aggregates/m:developerName")}
    own |= set(texts(report, "m:buckets/m:developerName"))
    return set(named) - own


@pytest.mark.parametrize("name", sorted(REPORT_TYPES))
def test_each_column_of_a_report_type_is_a_field(name):
    report_type = REPORT_TYPES[name]
    base = text(report_type, "baseObject")

    for column in report_type.findall("m:sections/m:columns", NS):
        table, field = text(column, "table"), text(column, "field")
        owner = CHILDREN[table.partition(".")[2]] if "." in table else base
        assert exists(owner, field), f"{owner}.{field}"


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_each_column_of_a_report_is_offered_by_its_report_type(name):
    report = REPORTS[name]
    kind = text(report, "reportType")
    if kind == "Opportunity":
        offered = STANDARD_REPORT | {"WON"}
    else:
        offered = {
            f"{text(column, 'table')}${text(column, 'field')}"
            for column in REPORT_TYPES[kind.removesuffix("__c")].iterfind(
                "m:sections/m:columns", NS
            )
        }

    assert columns(report) <= offered


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_each_report_says_what_it_counts_in_salesforce_s_lengths(name):
    report = REPORTS[name]

    assert len(name) <= 40
    assert 0 < len(text(report, "name")) <= 40
    assert 0 < len(text(report, "description")) <= 255


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_each_period_that_a_report_counts_stands_in_its_description(name):
    words = {
        "INTERVAL_PREVCURY": "this year",
        "INTERVAL_LAST90": "last 13 weeks",
        "INTERVAL_CUSTOM": "",  # all there is
    }
    interval = text(REPORTS[name], "timeFrameFilter/m:interval")

    assert words[interval] in text(REPORTS[name], "description")


def test_the_questions_that_the_programme_is_run_by_have_a_report():
    assert len(REPORTS) >= 14
    assert set(REPORTS) >= {
        "Referral_Funnel",
        "Conversion_by_Source",
        "Conversion_by_Type",
        "Conversion_by_Referrer",
        "Conversion_by_Owner_and_Team",
        "Time_to_Convert",
        "Deal_Size",
        "Referred_and_Other_Leads",
        "Referral_Rate",
        "Channel_by_Campaign",
        "Overdue_Referrals",
        "ROI_by_Partner",
        "Data_Quality",
        "Lifetime_Value",
    }


def test_a_report_about_referrals_counts_referrals_alone():
    """Without the filter every lead of the org would be in it."""
    for name, report in REPORTS.items():
        kind = text(report, "reportType")
        if kind.startswith("Referral_") and not report.findall("m:buckets", NS):
            if kind in {"Referral_Touchpoints__c", "Referral_Rewards__c"}:
                continue  # those exist for referrals alone
            filtered = texts(report, "m:filter/m:criteriaItems/m:column")
            assert any("Referral_Status__c" in column for column in filtered), name


def test_the_comparison_knows_every_status():
    """A status that is missing would count a referral as not referred."""
    values = next(
        etree.fromstring(content)
        for path, content in read.load(read.bundled()).items()
        if path.endswith("Referral_Status.globalValueSet-meta.xml")
    )
    statuses = texts(values, "m:customValue/m:fullName")
    bucketed = [each for each in REPORTS.values() if each.findall("m:buckets", NS)]

    assert bucketed
    for report in bucketed:
        assert (
            texts(report, "m:buckets/m:values/m:sourceValues/m:sourceValue") == statuses
        )


def test_a_chart_is_drawn_over_a_grouping_of_its_report():
    for name, report in REPORTS.items():
        groups = texts(report, "m:groupingsDown/m:field", "m:groupingsAcross/m:field")
        drawn = texts(
            report, "m:chart/m:groupingColumn", "m:chart/m:secondaryGroupingColumn"
        )
        assert set(drawn) <= set(groups), name


def test_no_column_is_grouped_by_as_well():
    """Salesforce: "You can't include groupings in the selected columns list"."""
    for name, report in REPORTS.items():
        groups = texts(report, "m:groupingsDown/m:field", "m:groupingsAcross/m:field")
        assert not set(groups) & set(texts(report, "m:columns/m:field")), name


def test_a_component_that_draws_a_chart_says_how_it_sorts_and_scales():
    """Salesforce refuses it otherwise, though neither is required by the schema."""
    for component in COMPONENTS:
        if text(component, "componentType") != "Metric":
            assert text(component, "sortBy"), text(component, "header")
            assert text(component, "chartAxisRange"), text(component, "header")


def test_the_dashboard_shows_to_each_viewer_what_they_may_see():
    assert text(DASHBOARD, "dashboardType") == "LoggedInUser"
    assert DASHBOARD.find("m:runningUser", NS) is None
    assert len(COMPONENTS) >= 8


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda c: text(c, "header"))
def test_each_component_has_a_title_and_states_the_question_that_it_answers(component):
    for tag in ("header", "title", "footer"):
        assert 0 < len(text(component, tag)) <= 80, tag
    assert text(component, "footer").endswith("?")


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda c: text(c, "header"))
def test_each_component_leads_to_a_report_that_draws_it(component):
    folder, _, name = text(component, "report").partition("/")

    assert f"analytics/main/default/reports/{folder}.reportFolder-meta.xml" in TREE
    if text(component, "useReportChart") == "true":
        assert REPORTS[name].find("m:chart", NS) is not None
    else:
        assert name in REPORTS


def test_the_components_cover_no_other():
    taken = set()
    for place in DASHBOARD.iterfind(".//m:dashboardGridComponents", NS):
        left, top = int(text(place, "columnIndex")), int(text(place, "rowIndex"))
        cells = {
            (left + column, top + row)
            for column in range(int(text(place, "colSpan")))
            for row in range(int(text(place, "rowSpan")))
        }
        assert not cells & taken
        assert max(column for column, _ in cells) < 12
        taken |= cells


def test_the_folders_are_shared_with_no_named_user():
    for kind in ("reportFolder", "dashboardFolder"):
        (folder,) = of_kind(kind).values()
        assert texts(folder, "m:folderShares/m:sharedToType") == ["Organization"]
    for path, content in TREE.items():
        assert b"@" not in content, path
