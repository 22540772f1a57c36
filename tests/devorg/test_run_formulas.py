"""Formulas that follow references, and who saves: as fields and rules read them."""

import pytest
from meta_package import (
    assign,
    deploy,
    deployed,
    grants,
    object_file,
    package,
    problems,
)
from run_flow import lead, row, save

from sidecar.devorg.founding import ADMIN, REPS
from sidecar.devorg.org import Org
from sidecar.devorg.refusal import Refusal


@pytest.fixture
def org():
    made = Org.fresh(seed=13)
    yield made
    made.stop()


def formula_field(formula, kind="Checkbox", extra=""):
    return (
        f"<fields><fullName>Told__c</fullName><formula>{formula}</formula>"
        f"<label>Told</label>{extra}<type>{kind}</type></fields>"
    )


def with_field(formula, kind="Checkbox", extra=""):
    return package(
        {
            "objects/Lead.object": object_file(formula_field(formula, kind, extra)),
        },
        {"CustomField": ["Lead.Told__c"]},
    )


def told(org, record_id):
    type_ = org.schema["Lead"]
    return type_.fields["told__c"].compute(row(org, record_id))


def rule(condition, message="No."):
    return package(
        {
            "objects/Lead.object": object_file(
                "<validationRules><fullName>Rule</fullName><active>true</active>"
                f"<errorConditionFormula>{condition}</errorConditionFormula>"
                f"<errorMessage>{message}</errorMessage></validationRules>"
            )
        },
        {"ValidationRule": ["Lead.Rule"]},
    )


def test_a_reference_to_several_objects_is_read_as_the_one_that_is_named(org):
    deployed(org, with_field("Owner:User.IsActive"))
    queue = next(iter(org.records.table("Group").rows))
    assert told(org, lead(org)) is True
    assert told(org, lead(org, OwnerId=queue)) is not True


def test_without_the_object_s_name_it_is_said_not_to_exist(org):
    made = deploy(org, with_field("Owner.IsActive"))
    assert problems(made) == {
        "Lead.Told__c": "Field Owner.IsActive does not exist. Check spelling."
    }


def test_days_between_two_times_are_a_number(org):
    deployed(
        org,
        with_field(
            "EmailBouncedDate - CreatedDate",
            "Number",
            "<precision>18</precision><scale>0</scale>",
        ),
    )
    made = lead(org, EmailBouncedDate="2030-01-01T00:00:00Z")
    days = (row(org, made)["EmailBouncedDate"] - row(org, made)["CreatedDate"]).days
    assert told(org, made) in {days, days + 1}


def test_a_permission_is_asked_of_whoever_saves(org):
    files = {
        "customPermissions/Bypass.customPermission": (
            '<CustomPermission xmlns="http://soap.sforce.com/2006/04/metadata">'
            "<isLicensed>false</isLicensed><label>Bypass</label></CustomPermission>"
        ),
        "permissionsets/Free.permissionset": grants(
            [],
            custom="<customPermissions><enabled>true</enabled><name>Bypass</name>"
            "</customPermissions>",
        ),
    }
    deployed(
        org, package(files, {"CustomPermission": ["Bypass"], "PermissionSet": ["Free"]})
    )
    deployed(org, rule("AND(NOT($Permission.Bypass), ISBLANK(City))", "Say where."))
    assign(org, REPS[0], "Free")
    save(org, "Lead", user=REPS[0], LastName="L", Company="C")
    with pytest.raises(Refusal) as refused:
        save(org, "Lead", user=ADMIN, LastName="L", Company="C")
    assert refused.value.message == "Say where."


def test_a_rule_may_look_at_a_long_text(org):
    deployed(org, rule("LEN(Description) &gt; 5", "Shorter."))
    lead(org, Description="short")
    with pytest.raises(Refusal):
        lead(org, Description="longer")


def test_a_formula_field_may_not(org):
    made = deploy(org, with_field("LEN(Description) &gt; 5"))
    assert "unsupported field type" in problems(made)["Lead.Told__c"]
