"""From what an org says to where it is in our files, and what a user lacks."""

import pytest

from sidecar.package import archive, causes, grants, read
from sidecar.package.grants import Lack

CORE = read.select(read.load(read.bundled()), ["core"])
FILES = archive.files(CORE)


def place(**given):
    values = {"file": "", "component_type": "", "name": "", "line": 7} | given
    return causes.locate(CORE, **values)


def test_a_refused_field_is_found_in_its_own_file():
    path, line = place(
        file="objects/Lead.object",
        component_type="CustomField",
        name="Lead.Referral_Code__c",
    )

    assert path.endswith(
        "core/main/default/objects/Lead/fields/Referral_Code__c.field-meta.xml"
    )
    assert CORE[path].splitlines()[line - 1].startswith(b"<CustomField")


def test_a_file_that_is_sent_as_it_is_keeps_its_line():
    name = next(path for path in FILES if path.startswith("flows/"))
    flow = name.removeprefix("flows/").removesuffix(".flow")

    path, line = place(file=name, component_type="Flow", name=flow)

    assert (path.rpartition("/")[2], line) == (f"{flow}.flow-meta.xml", 7)


def test_a_customer_s_layout_is_told_as_it_stands_in_the_zip():
    file = "layouts/Lead-Lead Layout.layout"

    assert place(file=file, component_type="Layout") == (file, 7)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("Cannot update a field to a Lookup from something else", "another type"),
        ("You cannot deploy to a required field: Lead.X__c", "required"),
        ("In field: integrationUser - no User named x@example.com found", "user"),
        ("We can't find an action with the name and action type", "outbound message"),
        ("testLevel of NoTestRun cannot be used in production", "production"),
        ("Average test coverage across all Apex Classes is 60%", "tests"),
        ("Element actionCalls is duplicated at this location in type Flow", "file"),
        ("Not available for deploy for this organization", "switched off"),
        ("You have reached the maximum number of dynamic dashboards", "dynamic"),
        ("insufficient access rights on cross-reference id", "needs the component"),
        ("Unknown user permission: ManageX", "licence"),
        ("In field: field - no CustomField named Lead.A__c found", "not in the org"),
        ("bad value for restricted picklist field: Won", "picklist"),
    ],
)
def test_known_words_have_a_likely_cause(problem, words):
    cause = causes.likely(problem)

    assert cause is not None
    assert words in cause.why
    assert cause.remedy


def test_unknown_words_are_not_explained_away():
    assert causes.likely("Something nobody has seen yet") is None


def test_the_integration_user_is_promised_what_the_permission_set_says():
    promised = grants.promised(FILES, "Referral_Integration")

    assert promised["Lead"]["Referral_Status__c"] is not None
    assert "Referral_Followup_Key__c" in promised["Task"]


def test_what_a_user_lacks_is_told_by_name():
    promised = {"Lead": {"A__c": True, "B__c": False}, "Referrer__c": {}}

    assert (
        grants.lacking(
            promised, {"Lead": {"A__c": True, "B__c": False}, "Referrer__c": {}}
        )
        == []
    )
    assert grants.lacking(promised, {"Lead": {"A__c": False}}) == [
        Lack("Lead", "A__c", "edit"),
        Lack("Lead", "B__c", "see"),
        Lack("Referrer__c", "", "see"),
    ]
    assert str(Lack("Lead", "A__c", "edit")) == "may not edit Lead.A__c"
