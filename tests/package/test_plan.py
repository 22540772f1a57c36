"""The plan says what would change, changes no more, and comes to an end."""

import json
from dataclasses import replace

import pytest
from orgs import (
    PATCH,
    Org,
    copied,
    custom_field,
    customer,
    document,
    flow,
    leaves,
    live,
    package,
    page,
    patches,
    path,
    section,
    value,
    value_set,
)

from sidecar.package.canonical import differing
from sidecar.package.parts import PATCHES, join, read_manifest, split
from sidecar.package.patches import read_patches
from sidecar.package.plan import (
    Plan,
    changed_since,
    fingerprint,
    members_to_retrieve,
    plan,
    summary,
)

SEEDS = range(20)
LAYOUT = "layouts/Lead-Lead Layout.layout"
STATUS = "globalValueSets/Referral_Status.globalValueSet"
FLOW = "flows/Referral_Lead.flow"


def made(org: Org, last=None, version=1, seed=0) -> Plan:
    """Retrieve, and plan."""
    ours = package(version)
    members = members_to_retrieve(ours, patches(version), layouts=org.layouts())
    there = org.retrieve(members, seed)
    return plan(ours, there, last, patches=patches(version))


def installed(seed, version=1):
    org = copied(customer(seed))
    first = made(org, version=version)
    org.deploy(first.archive)
    return org, first


def entry(found: Plan, kind, name):
    (one,) = [e for e in found.entries if (e.type, e.full_name) == (kind, name)]
    return one


def small():
    """An org in which nothing stands in our way."""
    org = copied(customer(0))
    for place in list(org.files):
        if place.startswith(("pathAssistants/", "globalValueSets/")):
            del org.files[place]
    org.files[LAYOUT] = page(section("Info", ("Name",)))
    return org


@pytest.mark.parametrize("seed", SEEDS)
def test_after_an_install_the_plan_is_empty(seed):
    org, first = installed(seed)

    for last in (first.installed, None):
        again = made(org, last, seed=seed + 1)
        assert again.empty
        assert not any(again.counts[a] for a in ("add", "patch", "blocked"))


@pytest.mark.parametrize("seed", SEEDS)
def test_an_install_takes_nothing_from_the_customer(seed):
    before = customer(seed)
    org, first = installed(seed)

    assert not first.empty
    assert not leaves(before) - leaves(org.files)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_upgrade_takes_nothing_from_the_customer_and_comes_to_an_end(seed):
    org, first = installed(seed)
    org.files = live(org.files, seed)
    mine = leaves(live(customer(seed), seed))

    second = made(org, first.installed, version=2)
    org.deploy(second.archive)

    assert not mine - leaves(org.files)
    assert made(org, second.installed, version=2, seed=seed).empty
    assert b"Send_Again" in org.files[FLOW]
    assert b"<fullName>Won<" in org.files[STATUS]
    assert b"<fullName>Lost<" not in org.files[STATUS]


@pytest.mark.parametrize("seed", SEEDS)
def test_only_what_changes_is_sent(seed):
    first = made(copied(customer(seed)))
    rows, version = read_manifest(first.archive["package.xml"])
    planned = {
        (e.type, e.full_name) for e in first.entries if e.action in {"add", "patch"}
    }

    assert planned <= rows
    assert {kind for kind, _ in rows - planned} <= {"Workflow", "CustomLabels"}
    assert version == "62.0"


def test_the_workflow_file_is_sent_with_all_that_the_customer_has_in_it():
    org = small()
    own = "<alerts><fullName>Own</fullName><description>Own</description></alerts>"
    org.files["workflows/Lead.workflow"] = document("Workflow", own)

    found = made(org)

    assert b"<fullName>Own<" in found.archive["workflows/Lead.workflow"]
    assert entry(found, "WorkflowOutboundMessage", "Lead.Referral_Status")
    assert (
        "WorkflowAlert",
        "Lead.Own",
    ) not in read_manifest(found.archive["package.xml"])[0]


def test_a_plan_survives_json():
    found = made(small())
    found = replace(found, archive={**found.archive, "classes/A.cls": b"\xff\xfe"})

    assert Plan.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_plan_is_stale_when_a_layout_was_edited_and_not_when_it_was_turned_over():
    org = small()
    members = members_to_retrieve(package(), patches(), layouts=org.layouts())
    found = made(org)

    assert changed_since(found, org.retrieve(members, seed=7)) == []
    assert fingerprint(org.retrieve(members, seed=8)) == found.fingerprint

    org.files[LAYOUT] = page(section("Info", ("Name", "Own__c")))
    now = org.retrieve(members)
    assert changed_since(found, now) == [LAYOUT]
    assert fingerprint(now) != found.fingerprint


def test_a_layout_that_came_since_makes_the_plan_stale():
    org = small()
    found = made(org)
    org.files["layouts/Lead-New.layout"] = page(section("Info", ("Name",)))
    members = members_to_retrieve(package(), patches(), layouts=org.layouts())

    assert changed_since(found, org.retrieve(members)) == ["layouts/Lead-New.layout"]


@pytest.mark.parametrize(
    ("field", "why"),
    [
        (custom_field("Referrer__c", type="Lookup", referenceTo="Own__c"), "has type"),
        (custom_field("Referrer__c", formula="1"), "formula"),
        (custom_field("Referrer__c", length="20"), "holds 20 characters"),
    ],
)
def test_a_field_of_our_name_that_is_another_blocks(field, why):
    org = small()
    org.files["objects/Lead.object"] = document("CustomObject", field)

    found = made(org)

    assert found.blocked
    assert entry(found, "CustomField", "Lead.Referrer__c").action == "blocked"
    assert why in entry(found, "CustomField", "Lead.Referrer__c").reason


def test_a_field_that_we_installed_is_lengthened_by_an_upgrade():
    org, first = small_installed()
    longer = {
        name: content.replace(b"<length>80<", b"<length>120<")
        for name, content in package().items()
    }

    found = plan(longer, org.retrieve(everything(org)), first.installed)

    assert not found.blocked
    assert entry(found, "CustomField", "Lead.Referrer__c").action == "patch"


def test_settings_that_were_not_retrieved_block_instead_of_being_replaced():
    org = small()
    del org.files["standardValueSets/LeadSource.standardValueSet"]

    assert entry(made(org), "StandardValueSet", "LeadSource").action == "blocked"


def test_the_customer_s_own_value_set_of_our_name_gets_our_values_and_keeps_its_own():
    org = small()
    place = "globalValueSets/Referral_Source.globalValueSet"
    org.files[place] = value_set(value("Fair"), value("Link", "Web link"))

    found = made(org)
    org.deploy(found.archive)

    one = entry(found, "GlobalValueSet", "Referral_Source")
    assert one.action == "patch"
    assert one.notes == ("customValue[Link]/label: changed 'Web link' -> 'Link'",)
    assert b"<fullName>Form<" in org.files[place]
    assert b"<label>Web link<" in org.files[place]


def test_the_customer_s_own_flow_of_our_name_is_left_alone():
    org = small()
    org.files[FLOW] = flow("Referral_Lead", "Own", "Other")

    found = made(org)

    assert entry(found, "Flow", "Referral_Lead").action == "conflict"
    assert FLOW not in found.archive


def test_a_flow_of_our_name_that_we_did_not_install_is_not_completed():
    org = small()
    org.files[FLOW] = flow("Referral_Lead", "Lead", "Stamp")

    assert entry(made(org), "Flow", "Referral_Lead").action == "conflict"


def test_a_field_that_we_gave_up_leaves_our_section():
    org, first = small_installed()
    assert b"<field>Referrer__c</field>" in org.files[LAYOUT]

    org.deploy(made(org, first.installed, version=2).archive)

    assert b"<field>Referrer__c</field>" not in org.files[LAYOUT]
    assert b"<field>Referral_Notes__c</field>" in org.files[LAYOUT]


def test_a_flow_that_the_customer_extended_is_not_replaced_by_a_newer_one():
    org, first = small_installed()
    org.files[FLOW] = org.files[FLOW].replace(
        b"</Flow>",
        b"<assignments><name>Own</name><label>Own</label></assignments></Flow>",
    )

    assert entry(made(org, first.installed), "Flow", "Referral_Lead").action == "leave"
    second = made(org, first.installed, version=2)
    assert entry(second, "Flow", "Referral_Lead").action == "conflict"
    assert FLOW not in second.archive


def small_installed():
    org = small()
    first = made(org)
    org.deploy(first.archive)
    return org, first


def test_a_renamed_value_and_a_changed_rule_are_kept_and_told():
    org, first = small_installed()
    org.files[STATUS] = org.files[STATUS].replace(
        b"<label>Contacted</label>", b"<label>Called</label>"
    )
    org.files["objects/Lead.object"] = org.files["objects/Lead.object"].replace(
        b"<active>true</active>", b"<active>false</active>"
    )

    same = made(org, first.installed)
    assert same.empty
    assert entry(same, "GlobalValueSet", "Referral_Status").action == "keep"
    assert entry(same, "ValidationRule", "Lead.Referral_Order").notes == (
        "active: changed 'true' -> 'false'",
    )

    org.deploy(made(org, first.installed, version=2).archive)
    assert b"<label>Called</label>" in org.files[STATUS]
    assert b"<active>false</active>" in org.files["objects/Lead.object"]
    assert b"Not so" in org.files["objects/Lead.object"]


def test_what_the_customer_deleted_comes_back_only_if_nothing_works_without_it():
    org, first = small_installed()
    left = split(org.files)
    del left["CustomField", "Lead.Referral_Key__c"]
    del left["ListView", "Lead.Referral_Open"]
    org.files = join(left.values(), api_version="62.0")

    found = made(org, first.installed)

    assert entry(found, "CustomField", "Lead.Referral_Key__c").action == "add"
    assert entry(found, "ListView", "Lead.Referral_Open").action == "keep"


def test_a_path_that_the_customer_has_for_the_same_object_is_not_pushed_aside():
    org = small()
    org.files["pathAssistants/Own.pathAssistant"] = path("Own")

    found = made(org)

    one = entry(found, "PathAssistant", "Referral_Lead")
    assert one.action == "conflict"
    assert "Own" in one.reason
    assert "pathAssistants/Referral_Lead.pathAssistant" not in found.archive


def test_what_was_installed_by_an_earlier_choice_is_remembered():
    org, first = small_installed()
    chosen = [part for part in split(package()).values() if part.type != "CustomLabel"]
    ours = join(chosen, api_version="62.0")
    members = members_to_retrieve(ours, patches(), layouts=org.layouts())

    found = plan(ours, org.retrieve(members), first.installed, patches=patches())

    assert found.empty
    assert entry(found, "CustomLabel", "Referral_Hello").action == "leave"
    assert not differing(found.installed, first.installed)


def test_a_package_without_sections_leaves_those_that_were_installed():
    org, first = small_installed()

    found = plan(package(), org.retrieve(everything(org)), first.installed)

    assert found.empty
    assert found.installed[PATCHES] == first.installed[PATCHES]


def test_another_module_s_sections_leave_ours_on_the_page():
    org, first = small_installed()
    other = read_patches(
        PATCH.replace(b'"Referral"', b'"Referrals Made"').replace(b"Key__c", b"Made__c")
    )

    found = plan(
        package(), org.retrieve(everything(org)), first.installed, patches=other
    )
    org.deploy(found.archive)

    assert b"<field>Referral_Key__c</field>" in org.files[LAYOUT]
    assert b"<field>Referral_Made__c</field>" in org.files[LAYOUT]
    remembered = read_patches(found.installed[PATCHES])
    assert {item.label for item in remembered.sections} == {
        "Referral",
        "Referrals Made",
    }


def everything(org):
    return members_to_retrieve(package(), patches(), layouts=org.layouts())


def test_the_diff_shows_what_changes_in_the_canonical_form():
    org = small()

    shown = made(org).diffs[LAYOUT]

    assert "--- org Layout Lead-Lead Layout" in shown
    assert (
        "+        <label>Referral</label>" in shown or "+    <label>Referral" in shown
    )
    assert not [line for line in shown.splitlines() if line.startswith("-<")]


def test_the_summary_counts_and_names_what_is_not_simply_left_alone():
    org, first = small_installed()
    assert summary(made(org, first.installed)) == [
        f"0 add, 0 patch, {len(first.entries)} leave, 0 keep, 0 conflict, 0 blocked"
    ]

    lines = summary(made(small()))
    assert "add      Flow Referral_Lead (required): is not in the org" in lines
    assert any(line.startswith("patch    Layout Lead-Lead Layout") for line in lines)


def test_what_has_to_be_retrieved_is_ours_and_the_layouts_of_patched_objects():
    members = members_to_retrieve(
        package(), patches(), layouts=["Lead-A", "Account-A", "Contact-B"]
    )

    assert members["Layout"] == {"Lead-A", "Contact-B", "Referrer__c-Referrer Layout"}
    assert members["Workflow"] == {"Lead"}
    assert members["PathAssistant"] == {"*"}
    assert "Lead.Referral_Key__c" in members["CustomField"]


def test_a_folder_is_asked_for_by_its_plain_name():
    folder = document("ReportFolder", "<name>Referral Tracking</name>")
    parts = split({"reports/Referral_Tracking-meta.xml": folder})
    ours = join(parts.values(), api_version="62.0")

    assert ("Report", "Referral_Tracking/") in read_manifest(ours["package.xml"])[0]
    assert members_to_retrieve(ours) == {"Report": {"Referral_Tracking"}}
