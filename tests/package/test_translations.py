"""What the translations promise: nothing of core and programme stays English.

Source format keeps all that is said about an object in one language in one folder, so
the words for core's objects are in ``translations``, those for programme's own objects
in ``programme_translations``, and few fields that programme adds to core's objects in
neither.
"""

import re

import pytest
from lxml import etree
from trees import MD

from sidecar.package import read

NS = {"m": MD}
PROJECT = read.load(read.bundled())
OURS = read.select(PROJECT, ["core", "programme"])
TREE = read.select(PROJECT, ["translations", "programme_translations"])
LANGUAGES = ["de", "fr"]
FIELD = re.compile(r".*/objects/(\w+)/fields/(\w+)\.field-meta\.xml$")
LONGEST = {"label": 40, "help": 510, "relationshipLabel": 80}
# What programme adds to objects whose folder belongs to core.
LEFT_OUT = {
    ("Contact", "Last_Referral_On__c"),
    ("Contact", "Referrals_Made__c"),
    ("Contact", "Referrals_Won__c"),
    ("Lead", "Referring_Contact__c"),
    ("Referrer__c", "Referrals_Made__c"),
    ("Referrer__c", "Referrals_Won__c"),
    ("Referrer__c", "Rewards_Open__c"),
    ("Referrer__c", "Rewards_Paid__c"),
}
# Words that are the same in both languages, or names.
SAME = {"Opportunity", "Code", "Link", "Partner", "Standard", "Gold", "Website"}
SAME |= {"Account", "Type", "Contact", "Client", "Lead", "Status"}


def text(element, path):
    return element.findtext(f"m:{path}", namespaces=NS)


def texts(element, path):
    return [found.text for found in element.findall(path, NS)]


def fields_of_ours():
    return {
        (match[1], match[2]): etree.fromstring(content)
        for path, content in OURS.items()
        if (match := FIELD.match(path)) and match.groups() not in LEFT_OUT
    }


def file(folder, name):
    ending = f"/main/default/{folder}/{name}-meta.xml"
    found = [content for path, content in TREE.items() if path.endswith(ending)]
    assert len(found) == 1, ending
    return etree.fromstring(found[0])


def of_field(owner, name, language):
    return file(f"objectTranslations/{owner}-{language}", f"{name}.fieldTranslation")


def of_object(owner, language):
    name = f"{owner}-{language}"
    return file(f"objectTranslations/{name}", f"{name}.objectTranslation")


FIELDS = fields_of_ours()
EACH_FIELD = pytest.mark.parametrize(("owner", "name"), sorted(FIELDS))
EACH_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)


@EACH_LANGUAGE
@EACH_FIELD
def test_each_field_has_its_words_in_each_language(owner, name, language):
    field, translated = FIELDS[owner, name], of_field(owner, name, language)
    said = {
        "label": text(field, "label"),
        "help": text(field, "inlineHelpText"),
        "relationshipLabel": text(field, "relationshipLabel"),
    }

    assert text(translated, "name") == name
    for tag, english in said.items():
        words = text(translated, tag)
        assert bool(words) == bool(english), tag
        if words:
            assert len(words) <= LONGEST[tag], tag
            assert words != english or words in SAME, tag


@EACH_LANGUAGE
@EACH_FIELD
def test_each_picklist_value_of_a_field_is_translated(owner, name, language):
    values = texts(FIELDS[owner, name], ".//m:valueSetDefinition/m:value/m:label")
    translated = of_field(owner, name, language)

    assert texts(translated, "m:picklistValues/m:masterLabel") == values
    assert all(texts(translated, "m:picklistValues/m:translation"))


@EACH_LANGUAGE
def test_each_value_of_each_value_set_is_translated(language):
    sets = {
        path.rpartition("/")[2].partition(".")[0]: etree.fromstring(content)
        for path, content in OURS.items()
        if path.endswith(".globalValueSet-meta.xml")
    }
    assert sets
    for name, values in sets.items():
        translated = file(
            "globalValueSetTranslations",
            f"{name}-{language}.globalValueSetTranslation",
        )
        labels = texts(translated, "m:valueTranslation/m:masterLabel")
        words = texts(translated, "m:valueTranslation/m:translation")
        assert labels == texts(values, "m:customValue/m:label"), name
        # Two values under one word could not be told apart in a list.
        assert len(set(words)) == len(labels), name


@EACH_LANGUAGE
def test_each_message_of_a_validation_rule_is_translated(language):
    rules = [
        match.groups()
        for path in OURS
        if (match := re.search(r"objects/(\w+)/validationRules/(\w+)\.", path))
    ]
    assert rules
    for owner in {owner for owner, _ in rules}:
        translated = of_object(owner, language)
        named = texts(translated, "m:validationRules/m:name")
        assert named == sorted(rule for of, rule in rules if of == owner)
        for message in texts(translated, "m:validationRules/m:errorMessage"):
            assert 0 < len(message) <= 255


@EACH_LANGUAGE
def test_a_referrer_is_called_so_in_the_singular_and_the_plural(language):
    translated = of_object("Referrer__c", language)

    forms = translated.findall("m:caseValues", NS)
    assert {text(form, "plural") for form in forms} == {"true", "false"}
    assert text(translated, "gender") == "Masculine"
    assert text(translated, "nameFieldLabel")


@EACH_LANGUAGE
def test_each_section_of_our_own_that_a_layout_shows_is_translated(language):
    layout = etree.fromstring(
        OURS["core/main/default/layouts/Referrer__c-Referrer Layout.layout-meta.xml"]
    )
    own = [
        text(section, "label")
        for section in layout.findall("m:layoutSections", NS)
        if text(section, "customLabel") == "true"
    ]

    translated = of_object("Referrer__c", language)
    assert texts(translated, "m:layouts/m:sections/m:section") == own


@EACH_LANGUAGE
def test_the_app_is_translated(language):
    (name,) = texts(
        file("translations", f"{language}.translation"), "m:customApplications/m:name"
    )

    assert f"core/main/default/applications/{name}.app-meta.xml" in OURS


def test_nothing_is_translated_that_is_not_there():
    for path in TREE:
        if match := re.search(r"objectTranslations/(\w+)-\w\w/(\w+)\.field", path):
            assert match.groups() in FIELDS, path


def test_a_status_that_a_message_names_is_called_as_in_the_list():
    """The rule about the order tells at which status a referral is taken up again."""
    for language in LANGUAGES:
        statuses = file(
            "globalValueSetTranslations",
            f"Referral_Status-{language}.globalValueSetTranslation",
        )
        words = dict(
            zip(
                texts(statuses, "m:valueTranslation/m:masterLabel"),
                texts(statuses, "m:valueTranslation/m:translation"),
                strict=True,
            )
        )
        rules = of_object("Lead", language).findall("m:validationRules", NS)
        (order,) = [
            text(rule, "errorMessage")
            for rule in rules
            if text(rule, "name") == "Referral_Status_Order"
        ]
        assert words["Contacted"] in order
        for status in ("Won", "Lost"):
            field = of_field("Opportunity", "Referral_Status__c", language)
            assert words[status] in text(field, "help")
