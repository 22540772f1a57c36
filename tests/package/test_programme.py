"""What the bundled module ``programme`` promises, whatever else it comes to hold."""

import json

import pytest
from lxml import etree
from package_files import (
    NS,
    api_versions,
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

CORE = tree("core")
TREE = tree("programme")
FIELDS = fields(TREE)
SETS = permission_sets(TREE)
OURS = {"Referral_Touchpoint__c", "Referral_Reward__c", "Referral_Goal__c"}
# Kept by flows and roll-ups; people read them.
AUTOMATIC = {
    "Rewards_Paid__c",
    "Rewards_Open__c",
    "Referrals_Made__c",
    "Referrals_Won__c",
    "Last_Referral_On__c",
}


def grantable():
    return {
        name
        for name, field in FIELDS.items()
        if one(field, "required") != "true" and one(field, "type") != "MasterDetail"
    }


def flows():
    return {
        path: etree.fromstring(content)
        for path, content in TREE.items()
        if path.endswith(".flow-meta.xml")
    }


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_each_field_explains_itself(name):
    for tag in ("label", "inlineHelpText", "description"):
        assert one(FIELDS[name], tag), tag
    assert len(one(FIELDS[name], "label")) <= 40


def test_each_component_that_can_be_described_is_and_its_name_is_short():
    assert [name for name, text in descriptions(TREE) if not text] == []
    for component in read.components(TREE):
        for part in component.name.replace("-", ".").split("."):
            assert len(part.removesuffix("__c")) <= 40, component.name


def test_one_api_version_stands_everywhere():
    assert api_versions(TREE) <= {read.api_version(TREE)}


def test_the_module_needs_core_alone():
    """What it refers to by name is in core, here, or Salesforce's own."""
    known = {*FIELDS, *fields(CORE)}
    for name, each in SETS.items():
        granted_here = {f for f in granted(each, "readable") if f.endswith("__c")}
        assert granted_here <= known, name


# --- who may see and do what --------------------------------------------------------


def test_each_field_is_granted_by_both_permission_sets():
    for name, each in SETS.items():
        seen = granted(each, "readable") - set(fields(CORE))
        assert seen == grantable(), name


def test_managers_hold_all_that_users_hold():
    user = SETS["Referral_Programme_User"]
    manager = SETS["Referral_Programme_Manager"]

    for access in ("readable", "editable"):
        assert granted(user, access) <= granted(manager, access)
    assert object_rights(user) <= object_rights(manager)
    for path in ("m:tabSettings/m:tab", "m:recordTypeVisibilities/m:recordType"):
        assert texts(user, path) == texts(manager, path)


def test_users_delete_nothing_and_decide_on_no_reward():
    user = SETS["Referral_Programme_User"]
    rights = object_rights(user)

    assert not [right for right in rights if right[1] in {"allowDelete", "viewAll"}]
    assert {o for o, right in rights if right == "allowCreate"} == {
        "Referral_Touchpoint__c",
        "Referrer__c",
    }
    assert not [f for f in granted(user, "editable") if f.startswith("Referral_Rew")]


def test_nobody_modifies_everything_or_edits_what_is_counted():
    for name, each in SETS.items():
        assert not [r for r in object_rights(each) if r[1] == "modifyAllRecords"], name
        assert not [
            f for f in granted(each, "editable") if f.partition(".")[2] in AUTOMATIC
        ], name


def test_what_counts_for_both_looks_the_same_on_contact_account_and_referrer():
    for name in ("Referrals_Made__c", "Referrals_Won__c"):
        kinds = {
            tuple(one(FIELDS[f"{o}.{name}"], t) for t in ("type", "precision", "scale"))
            for o in ("Account", "Contact", "Referrer__c")
        }
        assert kinds == {("Number", "8", "0")}


# --- rewards ------------------------------------------------------------------------


def test_the_rewards_of_a_referrer_are_paid_or_open_by_statuses_that_exist():
    status = FIELDS["Referral_Reward__c.Status__c"]
    values = set(texts(status, ".//m:value/m:fullName"))
    counted = {}
    for name in ("Rewards_Paid__c", "Rewards_Open__c"):
        field = FIELDS[f"Referrer__c.{name}"]
        (said,) = texts(field, "m:summaryFilterItems/m:value")
        counted[name] = set(said.split(", "))
        assert one(field, "summarizedField") == "Referral_Reward__c.Amount__c"
        assert one(field, "summaryForeignKey") == "Referral_Reward__c.Referrer__c"

    assert values == {"Pending", "Approved", "Paid", "Reversed"}
    assert counted["Rewards_Paid__c"] == {"Paid"}
    assert counted["Rewards_Open__c"] == {"Pending", "Approved"}


def test_each_rule_can_be_bypassed_by_those_who_may():
    rules = [path for path in TREE if path.endswith(".validationRule-meta.xml")]

    assert len(rules) >= 7
    for path in rules:
        rule = etree.fromstring(TREE[path])
        formula = one(rule, "errorConditionFormula")
        assert "NOT($Permission.Referral_Bypass_Validation)" in formula, path


# --- flows --------------------------------------------------------------------------


def test_no_flow_stops_a_save_because_a_total_was_refused():
    """Each update and each query for totals has a way on when it fails."""
    for path, flow in flows().items():
        if "Totals" in path:
            for step in (
                *flow.iterfind("m:recordUpdates", NS),
                *flow.iterfind("m:recordLookups", NS),
            ):
                assert texts(step, "m:faultConnector/m:targetReference"), path


def test_no_flow_queries_or_writes_within_a_loop():
    for path, flow in flows().items():
        works = {
            one(step, "name")
            for kind in ("recordLookups", "recordUpdates", "recordCreates")
            for step in flow.iterfind(f"m:{kind}", NS)
        }
        for loop in flow.iterfind("m:loops", NS):
            inside = texts(loop, "m:nextValueConnector/m:targetReference")
            seen = {one(loop, "name")}
            while inside:
                at = inside.pop()
                assert at not in works, path
                if at in seen:
                    continue
                seen.add(at)
                (step,) = [s for s in flow if one(s, "name") == at]
                inside += texts(step, ".//m:targetReference")


def test_credits_are_counted_after_the_save_so_that_bulk_counts_as_well():
    flow = root(TREE, "/Referral_Touchpoint_Credit.flow-meta.xml")

    assert texts(flow, "m:start/m:triggerType") == ["RecordAfterSave"]
    assert texts(flow, ".//m:rightValue/m:numberValue") == ["100.0"]
    assert len(texts(flow, ".//m:customErrorMessages/m:errorMessage")) == 1


# --- actions, duplicates, pages -----------------------------------------------------


def actions():
    return {
        each.name: etree.fromstring(TREE[each.files[0]])
        for each in read.components(TREE)
        if each.kind.type == "QuickAction"
    }


def test_there_is_a_short_form_for_the_phone_and_a_long_one_for_the_desk():
    forms = {name: len(texts(each, ".//m:field")) for name, each in actions().items()}

    assert forms["New_Referral_Phone"] < forms["New_Referral_Desk"]


@pytest.mark.parametrize("name", sorted(actions()))
def test_an_action_that_makes_a_lead_makes_a_referral_of_it(name):
    action = actions()[name]
    if one(action, "targetObject") == "Lead":
        preset = {
            one(each, "field"): one(each, "literalValue")
            for each in action.iterfind("m:fieldOverrides", NS)
        }
        assert preset["Referral_Status__c"] == "Submitted"
        assert preset["Referral_Origin__c"]
        # the rule on referrers is met by the form, or by the record it starts from
        shown = set(texts(action, ".//m:quickActionLayoutItems/m:field"))
        parent = one(action, "targetParentField")
        assert shown & {"Referrer__c", "Referrer_Name__c"} or parent in {
            "Referrer__c",
            "Referring_Contact__c",
        }


def test_a_duplicate_is_told_and_never_blocked():
    rule = root(TREE, ".duplicateRule-meta.xml")

    assert (one(rule, "actionOnInsert"), one(rule, "actionOnUpdate")) == (
        "Allow",
        "Allow",
    )
    # the matching rule is active some time after the deployment, and not before
    assert one(rule, "isActive") == "false"
    matching = root(TREE, ".matchingRule-meta.xml")
    (named,) = texts(rule, "m:duplicateRuleMatchRules/m:matchingRule")
    assert named in texts(matching, "m:matchingRules/m:fullName")


def test_the_sections_for_customers_own_layouts_show_fields_of_this_module():
    declared = json.loads((read.bundled() / "patches/programme.json").read_text())

    for section in declared["layoutSections"]:
        for column in section["columns"]:
            assert {f"{section['object']}.{name}" for name in column} <= set(FIELDS)


def test_layouts_are_of_our_own_objects_alone():
    layouts = {
        each.name.partition("-")[0]
        for each in read.components(TREE)
        if each.kind.type == "Layout"
    }

    assert layouts == OURS
