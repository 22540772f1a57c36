"""What the bundled module ``guidance`` promises to those who write and read."""

import re

import pytest
from lxml import etree
from trees import MD

from sidecar.package import read

NS = {"m": MD}
PROJECT = read.load(read.bundled())
TREE = read.select(PROJECT, ["guidance"])
TEMPLATES = {
    path.rpartition("/")[2].partition(".")[0]: (
        etree.fromstring(content),
        TREE[path.removesuffix("-meta.xml")].decode(),
    )
    for path, content in TREE.items()
    if path.endswith(".email-meta.xml")
}
PROMPTS = {
    path.rpartition("/")[2].partition(".")[0]: etree.fromstring(content)
    for path, content in TREE.items()
    if path.endswith(".prompt-meta.xml")
}
MERGE = re.compile(r"\{!(?:NullValue\()?(\w+)\.(\w+)")
# Standard fields that the templates fill in.
STANDARD = {
    "Lead": {"Name", "FirstName"},
    "Contact": {"FirstName"},
    "Referrer__c": {"Name"},
    "User": {"FirstName", "LastName", "Phone"},
    "Organization": {"Name"},
}


def words(text):
    return re.sub(r"\W+", " ", re.sub(r"<[^>]+>", " ", text)).split()


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_the_text_says_what_the_html_says(name):
    described, html = TEMPLATES[name]
    body = html.partition("<body")[2].partition(">")[2]

    text = described.findtext("m:textOnly", namespaces=NS)
    assert words(text) == words(body.replace("&quot;", '"'))


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_each_merge_field_exists(name):
    described, html = TEMPLATES[name]
    told = html + (described.findtext("m:subject", namespaces=NS) or "")

    for owner, field in set(MERGE.findall(told)):
        place = f"core/main/default/objects/{owner}/fields/{field}.field-meta.xml"
        assert field in STANDARD[owner] or place in PROJECT, f"{owner}.{field}"


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_referrer_without_a_name_is_addressed_all_the_same(name):
    described, html = TEMPLATES[name]

    for text in (html, etree.tostring(described, encoding="unicode")):
        assert not re.search(r"\{!\w+\.Referrer_Name__c\}", text)


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_mail_loads_nothing_from_elsewhere(name):
    _, html = TEMPLATES[name]

    assert not re.search(r"<(img|script|link|iframe)\b|url\(|https?:", html)


def test_there_is_a_template_for_each_occasion():
    assert set(TEMPLATES) == {
        "Referral_Acknowledgement",
        "Referral_Dormant_Referrer",
        "Referral_Introduction",
        "Referral_Status_Note",
        "Referral_Testimonial_Request",
    }


@pytest.mark.parametrize("name", sorted(PROMPTS))
def test_nobody_sees_a_prompt_before_an_administrator_publishes_it(name):
    versions = PROMPTS[name].findall("m:promptVersions", NS)

    assert versions
    for version in versions:
        assert version.findtext("m:isPublished", namespaces=NS) == "false"
        assert version.find("m:publishedByUser", NS) is None


@pytest.mark.parametrize("name", sorted(PROMPTS))
def test_each_prompt_fits_where_it_is_shown(name):
    for version in PROMPTS[name].findall("m:promptVersions", NS):
        floats = version.findtext("m:displayType", namespaces=NS) == "FloatingPanel"
        most = 240 if floats else 4000
        assert len(version.findtext("m:title", namespaces=NS)) <= 36
        assert len(version.findtext("m:body", namespaces=NS)) <= most


def test_the_prompts_stand_in_the_app_and_name_what_is_there():
    app = "core/main/default/applications/Referral_Tracking.app-meta.xml"
    assert app in PROJECT
    for prompt in PROMPTS.values():
        for version in prompt.findall("m:promptVersions", NS):
            place = version.findtext("m:customApplication", namespaces=NS)
            assert place == "Referral_Tracking"
