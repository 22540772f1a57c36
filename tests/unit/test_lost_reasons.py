"""A reason for a loss has one name: in the package, in mails and on pages."""

from xml.etree import ElementTree

import pytest

from sidecar.jobs import reading
from sidecar.mail.languages import translations
from sidecar.mail.lost_reasons import LOST_REASONS, in_words
from sidecar.package import read

SET = "core/main/default/globalValueSets/Referral_Lost_Reason.globalValueSet-meta.xml"
TRANSLATED = (
    "translations/main/default/globalValueSetTranslations/"
    "Referral_Lost_Reason-{}.globalValueSetTranslation-meta.xml"
)


def test_the_reasons_are_those_of_the_package_in_its_order():
    file = ElementTree.parse(read.bundled() / SET)

    assert [one.text for one in file.iterfind(".//{*}fullName")] == list(LOST_REASONS)


@pytest.mark.parametrize("language", ["de", "fr"])
def test_a_mail_says_them_as_salesforce_does(language):
    file = ElementTree.parse(read.bundled() / TRANSLATED.format(language))
    said = {
        one.findtext("{*}masterLabel"): one.findtext("{*}translation")
        for one in file.iterfind("{*}valueTranslation")
    }
    translate = translations(language).gettext

    assert {reason: in_words(reason, translate) for reason in LOST_REASONS} == said


def test_what_an_org_has_added_is_said_as_it_is():
    # The catalog knows other words too; its empty one is its own head.
    translate = translations("de").gettext

    for reason in ("Referral", "Budget frozen", ""):
        assert in_words(reason, translate) == reason


@pytest.mark.parametrize("object_type", reading.DETAILS)
def test_the_reason_is_known_of_each_object(object_type):
    told = {"Referral_Lost_Reason__c": "No budget"}

    seen = reading.seen(object_type, "00Q000000000001EAA", told)

    assert seen.details["lost_reason"] == "No budget"
    assert "Referral_Lost_Reason__c" in reading.read_back_fields(object_type)
