"""What the bundled module ``core`` promises, whatever else it comes to hold."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree
from package_files import (
    NS,
    api_versions,
    components,
    descriptions,
    fields,
    granted,
    object_rights,
    one,
    permission_sets,
    root,
    texts,
    tree,
)

from sidecar.package import read
from sidecar.referral.journey import STANDARD_STATUSES, Milestone

TREE = tree("core")
FIELDS = fields(TREE)
SETS = permission_sets(TREE)
OBJECTS = ("Contact", "Lead", "Opportunity")
STATUSES = [status for status, _ in STANDARD_STATUSES.items()]
README = (read.bundled() / "README.md").read_text()
LADDER = ("Referral_Viewer", "Referral_User", "Referral_Manager")
# Only those who work on referrals see what a referrer may earn.
HIDDEN_FROM_VIEWERS = {f"{name}.Potential_Commission__c" for name in OBJECTS}
# Fields of Lead that conversion does not carry, and why.
NOT_CONVERTED = {
    "Referral_Unowned__c": "a formula, true of the lead alone",
}
NOT_TO_OPPORTUNITY = {
    "Referral_Response_Due__c": "the first response is due on a person",
}
# What no outbound message carries: read back where it is needed.
NOT_SENT = {"Referral_Notes__c", "Referral_Unowned__c", "Referral_Days_To_Convert__c"}


def owners(name):
    """A field of Activity is granted on tasks and events, which share the access."""
    owner, _, field = name.partition(".")
    both = ("Event", "Task") if owner == "Activity" else (owner,)
    return {f"{each}.{field}" for each in both}


def grantable():
    """All our fields but those that are required, which no one may grant."""
    return {
        owned
        for name, field in FIELDS.items()
        if one(field, "required") != "true"
        for owned in owners(name)
    }


def ours(names):
    """Leave out standard fields."""
    return {name for name in names if name.endswith("__c")}


# --- what people read ---------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_each_field_explains_itself_within_salesforce_s_lengths(name):
    field = FIELDS[name]

    for tag, most in (("label", 40), ("inlineHelpText", 510), ("description", 1000)):
        text = one(field, tag)
        assert text, tag
        assert len(text) <= most, tag
    assert len(name.partition(".")[2].removesuffix("__c")) <= 40


def test_each_component_that_can_be_described_is():
    undescribed = [name for name, text in descriptions(TREE) if not text]

    assert undescribed == []


def test_names_and_labels_fit_into_forty_characters():
    for component in read.components(TREE):
        for part in re.split("[.-]", component.name):
            assert len(part.removesuffix("__c")) <= 40, component.name
            assert "__" not in part.removesuffix("__c"), component.name
    for path, content in TREE.items():
        if path.endswith(".xml"):
            for tag in ("label", "masterLabel", "pluralLabel"):
                for text in texts(etree.fromstring(content), f"m:{tag}"):
                    assert len(text) <= 40, path


def test_no_file_names_a_user_an_org_an_address_or_a_profile():
    for path, content in TREE.items():
        text = content.decode()
        assert not re.search(r"\w@\w+\.\w", text), path
        assert not re.search(r"\b00[D5][A-Za-z0-9]{12,15}\b", text), path
        assert "/profiles/" not in path


def test_one_api_version_stands_everywhere():
    version = read.api_version(TREE)

    assert api_versions(TREE) == {version}
    assert float(version) >= 53  # outbound messages as flow actions


@pytest.mark.parametrize("module", read.modules(TREE), ids=lambda each: each.name)
def test_the_readme_says_how_many_components_a_module_has(module):
    count = sum(components(tree(module.name)).values())

    assert f"| `{module.name}` | {count} |" in README


def test_more_than_forty_components_have_a_reason_in_the_readme():
    count = sum(components(TREE).values())

    assert count <= 40 or "Why `core` has more than 40 components" in README


# --- who may see and do what --------------------------------------------------------


def test_users_and_managers_see_each_field_and_viewers_all_but_commissions():
    for name in ("Referral_User", "Referral_Manager"):
        assert granted(SETS[name], "readable") == grantable(), name
    seen = granted(SETS["Referral_Viewer"], "readable")
    assert seen == grantable() - HIDDEN_FROM_VIEWERS
    assert ours(granted(SETS["Referral_Integration"], "readable")) <= grantable()


@pytest.mark.parametrize(("less", "more"), [LADDER[:2], LADDER[1:]])
def test_each_permission_set_holds_all_of_the_lesser_one(less, more):
    less, more = SETS[less], SETS[more]

    for access in ("readable", "editable"):
        assert granted(less, access) <= granted(more, access)
    assert object_rights(less) <= object_rights(more)
    for path in (
        "m:customPermissions/m:name",
        "m:tabSettings/m:tab",
        "m:applicationVisibilities/m:application",
        "m:userPermissions/m:name",
    ):
        assert set(texts(less, path)) <= set(texts(more, path))


def test_viewers_change_nothing():
    assert granted(SETS["Referral_Viewer"], "editable") == set()
    assert {right for _, right in object_rights(SETS["Referral_Viewer"])} == {
        "allowRead"
    }


def test_nobody_modifies_everything_and_managers_alone_delete_referrers_alone():
    rights = {name: object_rights(each) for name, each in SETS.items()}

    for name, held in rights.items():
        assert not [each for each in held if each[1] == "modifyAllRecords"], name
        deletes = {object_ for object_, right in held if right == "allowDelete"}
        assert deletes == ({"Referrer__c"} if name == "Referral_Manager" else set())


def test_the_integration_creates_no_records_and_bypasses_no_rule():
    integration = SETS["Referral_Integration"]

    creates = {o for o, right in object_rights(integration) if right == "allowCreate"}
    assert creates == set()
    assert texts(integration, "m:customPermissions/m:name") == []
    assert texts(integration, "m:license") == []


def test_only_managers_bypass_the_rules():
    bypass = [
        name
        for name, each in SETS.items()
        if "Referral_Bypass_Validation" in texts(each, "m:customPermissions/m:name")
    ]

    assert bypass == ["Referral_Manager"]


def test_people_see_the_keys_and_only_the_integration_sets_them():
    keys = {f"{name}.Referral_Key__c" for name in OBJECTS}
    keys |= {"Task.Referral_Followup_Key__c", "Event.Referral_Followup_Key__c"}
    set_by_us = {key for key in keys if "Followup" in key}

    assert set_by_us <= granted(SETS["Referral_Integration"], "editable")
    for name in LADDER:
        assert not keys & granted(SETS[name], "editable"), name


def test_what_is_computed_is_editable_for_nobody():
    computed = {
        owned
        for name, field in FIELDS.items()
        if one(field, "formula") or one(field, "type") in {"Summary", "AutoNumber"}
        for owned in owners(name)
    }

    assert computed
    for name, each in SETS.items():
        assert not computed & granted(each, "editable"), name


# --- the journey --------------------------------------------------------------------


def test_the_statuses_are_the_milestones_that_the_service_knows_in_their_order():
    values = root(TREE, "/Referral_Status.globalValueSet-meta.xml")
    names = texts(values, "m:customValue/m:fullName")

    assert names == STATUSES
    assert [STANDARD_STATUSES[name] for name in names] == list(Milestone)
    for owner in OBJECTS:
        status = FIELDS[f"{owner}.Referral_Status__c"]
        assert texts(status, "m:valueSet/m:valueSetName") == ["Referral_Status"]
        assert texts(status, "m:valueSet/m:restricted") == ["true"]


@pytest.mark.parametrize("owner", ["Lead", "Opportunity"])
def test_the_path_has_a_step_with_guidance_for_each_status(owner):
    path = root(TREE, f"/Referral_{owner}_Path.pathAssistant-meta.xml")

    assert one(path, "fieldName") == "Referral_Status__c"
    steps = texts(path, "m:pathAssistantSteps/m:picklistValueName")
    assert steps == STATUSES
    assert len(texts(path, "m:pathAssistantSteps/m:info")) == len(STATUSES)
    for step in path.findall("m:pathAssistantSteps", NS):
        shown = texts(step, "m:fieldNames")
        assert len(shown) <= 5  # Salesforce shows no more
        own = {name for name in shown if name.endswith("__c")}
        assert {f"{owner}.{name}" for name in own} <= set(FIELDS)


def test_no_record_becomes_a_referral_by_a_default_value():
    values = root(TREE, "/Referral_Status.globalValueSet-meta.xml")

    assert set(texts(values, "m:customValue/m:default")) == {"false"}


@pytest.mark.parametrize("owner", OBJECTS)
def test_a_time_is_kept_for_each_status_that_the_object_reaches(owner):
    skipped = {"Opportunity", "Won"} if owner != "Opportunity" else set()

    for status in set(STATUSES) - skipped:
        field = FIELDS[f"{owner}.Referral_{status}_At__c"]
        assert one(field, "type") == "DateTime"
        flow = root(TREE, f"/Referral_{owner}_Milestones.flow-meta.xml")
        stamped = texts(flow, ".//m:assignToReference")
        assert f"$Record.Referral_{status}_At__c" in stamped


@pytest.mark.parametrize("owner", OBJECTS)
def test_the_keys_are_external_ids_that_hold_a_uuid_and_unique_where_they_begin(owner):
    key = FIELDS[f"{owner}.Referral_Key__c"]

    assert [one(key, tag) for tag in ("type", "length", "externalId")] == [
        "Text",
        "36",
        "true",
    ]
    # A cloned contact or opportunity copies it, and must not be refused.
    assert one(key, "unique") == ("true" if owner == "Lead" else "false")


def test_a_task_and_a_referrer_are_found_by_a_unique_key_whatever_its_case():
    for name in ("Activity.Referral_Followup_Key__c", "Referrer__c.Code__c"):
        tags = ("externalId", "unique", "caseSensitive")
        assert [one(FIELDS[name], tag) for tag in tags] == ["true", "true", "false"]


# --- lead conversion ----------------------------------------------------------------


@pytest.mark.parametrize("target", ["Contact", "Opportunity"])
def test_lead_conversion_carries_each_field_or_says_why_not(target):
    exempt = dict(NOT_CONVERTED)
    if target == "Opportunity":
        exempt |= NOT_TO_OPPORTUNITY
    settings = root(TREE, ".LeadConvertSetting-meta.xml")
    (mapping,) = [
        each
        for each in settings.findall("m:objectMapping", NS)
        if one(each, "outputObject") == target
    ]
    mapped = {
        one(row, "inputField"): one(row, "outputField")
        for row in mapping.findall("m:mappingFields", NS)
    }

    leads = {name.partition(".")[2] for name in FIELDS if name.startswith("Lead.")}
    assert set(mapped) == leads - set(exempt)
    assert all(source == into for source, into in mapped.items())
    for name in mapped:
        lead, twin = FIELDS[f"Lead.{name}"], FIELDS[f"{target}.{name}"]
        for tag in ("type", "length", "precision", "scale", "referenceTo"):
            assert one(lead, tag) == one(twin, tag), name
        same_set = "m:valueSet/m:valueSetName"
        assert texts(lead, same_set) == texts(twin, same_set), name


# --- what is told -------------------------------------------------------------------


@pytest.mark.parametrize("owner", OBJECTS)
def test_the_outbound_message_carries_what_a_follow_up_and_the_order_need(owner):
    message = root(TREE, f"/{owner}.workflow-meta.xml").find("m:outboundMessages", NS)
    sent = set(texts(message, "m:fields"))

    assert sent >= {"Id", "OwnerId", "SystemModstamp"}
    assert sent >= {"CreatedDate", "LastModifiedDate", "LastModifiedById"}
    assert sent >= {
        "Lead": {"FirstName", "LastName", "Company", "Email", "Phone"},
        "Contact": {"FirstName", "LastName", "Email", "Phone"},
        "Opportunity": {"Name", "Amount", "StageName", "IsWon", "IsClosed"},
    }.get(owner, set())
    assert (
        ours(sent)
        == {name.partition(".")[2] for name in FIELDS if name.startswith(f"{owner}.")}
        - NOT_SENT
    )
    assert texts(message, "m:includeSessionId") == ["false"]


@pytest.mark.parametrize("owner", OBJECTS)
def test_the_integration_user_may_read_all_that_the_outbound_message_sends(owner):
    """Its field access decides what a message holds; these need none."""
    message = root(TREE, f"/{owner}.workflow-meta.xml").find("m:outboundMessages", NS)
    always = {"Id", "OwnerId", "FirstName", "LastName", "Name", "Company"}
    always |= {"CreatedDate", "LastModifiedDate", "LastModifiedById", "SystemModstamp"}
    always |= {"StageName", "CloseDate", "IsWon", "IsClosed"}
    readable = granted(SETS["Referral_Integration"], "readable")

    assert {
        f"{owner}.{name}" for name in set(texts(message, "m:fields")) - always
    } <= readable


@pytest.mark.parametrize("owner", OBJECTS)
def test_the_flow_sends_the_message_on_every_path(owner):
    flow = root(TREE, f"/Referral_{owner}_Status_Changed.flow-meta.xml")
    send = flow.find("m:actionCalls", NS)
    leads_to = {"Send_Status_Changed": {None}}
    for step in flow.iterfind("m:decisions", NS):
        leads_to[one(step, "name")] = set(texts(step, ".//m:targetReference"))
    for step in flow.iterfind("m:recordUpdates", NS):
        targets = texts(step, "m:connector/m:targetReference")
        refused = texts(step, "m:faultConnector/m:targetReference")
        assert targets == refused  # an org's own rule stops no message
        leads_to[one(step, "name")] = set(targets)

    assert one(send, "actionName") == f"{owner}.Referral_Status_Changed"
    assert one(flow, "status") == "Active"
    ends, seen = texts(flow, "m:start/m:connector/m:targetReference"), set()
    while ends:
        at = ends.pop()
        assert leads_to[at], at
        if at != "Send_Status_Changed" and at not in seen:
            ends += leads_to[at]
        seen.add(at)
    assert seen == set(leads_to)


# --- rules, lists, pages ------------------------------------------------------------


def test_each_rule_can_be_bypassed_by_those_who_may():
    rules = {
        path: etree.fromstring(content)
        for path, content in TREE.items()
        if path.endswith(".validationRule-meta.xml")
    }

    assert len(rules) >= 6
    for path, rule in rules.items():
        formula = one(rule, "errorConditionFormula")
        assert "NOT($Permission.Referral_Bypass_Validation)" in formula, path
        assert len(one(rule, "errorMessage")) <= 255, path
        assert one(rule, "active") == "true", path


def test_lists_are_filtered_by_statuses_that_exist():
    for path, content in TREE.items():
        if path.endswith(".listView-meta.xml"):
            for each in etree.fromstring(content).iterfind("m:filters", NS):
                if one(each, "field") == "Referral_Status__c":
                    assert set(one(each, "value").split(",")) <= set(STATUSES), path


def test_a_relationship_has_one_name_on_the_object_that_it_leads_to():
    names = Counter(
        (one(field, "referenceTo"), one(field, "relationshipName"))
        for field in FIELDS.values()
        if one(field, "referenceTo")
    )

    assert names
    assert all(relationship for _, relationship in names)
    assert set(names.values()) == {1}


def test_the_sections_for_customers_own_layouts_show_each_field_once():
    declared = json.loads((read.bundled() / "patches/core.json").read_text())
    sections = {each["object"]: each for each in declared["layoutSections"]}

    assert set(sections) == set(OBJECTS)
    for owner, section in sections.items():
        shown = [name for column in section["columns"] for name in column]
        known = {n.partition(".")[2] for n in FIELDS if n.startswith(f"{owner}.")}
        assert sorted(shown) == sorted(known - {"Referral_Unowned__c"})
        computed = {n for n in known if one(FIELDS[f"{owner}.{n}"], "formula")}
        assert (computed | {"Referral_Key__c"}) & set(shown) == set(section["readonly"])


def test_no_layout_of_a_standard_object_is_in_the_package():
    layouts = {Path(path).name for path in TREE if "/layouts/" in path}

    assert layouts == {"Referrer__c-Referrer Layout.layout-meta.xml"}
