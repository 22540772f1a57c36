"""Nobody who was referred is written to without a ground."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.jobs import reading
from sidecar.package import read
from sidecar.referral.consent import Ground, ground, why_not

ENOUGH = [Ground.GIVEN, Ground.GIVEN_TO_REFERRER, Ground.CUSTOMER]


@pytest.mark.parametrize("value", ENOUGH)
def test_who_has_agreed_or_is_a_customer_may_be_written_to(value):
    assert ground(str(value)) is value
    assert why_not(str(value)) == ""


@pytest.mark.parametrize("value", [None, "", " ", "Not given", "given", "Yes"])
def test_nobody_else_may_and_it_is_told_why(value):
    assert ground(value) is None
    assert why_not(value)


@given(st.text())
def test_whatever_an_org_has_added_is_no_ground(value):
    assert (ground(value) is None) == (value.strip() not in set(ENOUGH))


def test_the_values_are_those_of_the_package():
    file = read.bundled() / (
        "core/main/default/globalValueSets/Referral_Consent.globalValueSet-meta.xml"
    )
    names = {found.text for found in ElementTree.parse(file).iterfind(".//{*}fullName")}

    assert names == set(Ground)


@pytest.mark.parametrize("object_type", reading.DETAILS)
def test_the_ground_is_known_of_each_object(object_type):
    told = {"Referral_Consent__c": "Existing customer"}

    seen = reading.seen(object_type, "00Q000000000001EAA", told)

    assert ground(seen.details["consent"]) is Ground.CUSTOMER
    assert "Referral_Consent__c" in reading.read_back_fields(object_type)
