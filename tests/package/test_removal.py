"""Rollback and uninstall: the customer's org as if we had never been there."""

import pytest
from orgs import (
    Org,
    Refused,
    copied,
    custom_field,
    customer,
    document,
    leaves,
    live,
    mapping,
    package,
    page,
    patches,
    section,
    value,
    value_set,
)
from test_plan import LAYOUT, STATUS, made, small, small_installed

from sidecar.package import archive, read
from sidecar.package.canonical import differing
from sidecar.package.parts import read_manifest
from sidecar.package.patches import read_patches
from sidecar.package.placeholders import declared, fill
from sidecar.package.plan import members_to_retrieve, plan
from sidecar.package.removal import (
    flow_versions,
    members_to_remove,
    rollback,
    to_export,
    uninstall,
)

CONVERT = "LeadConvertSettings/LeadConvertSettings.LeadConvertSetting"
HERE = range(20)
SLOW = range(20, 400)
EVERY = [*HERE, *(pytest.param(seed, marks=pytest.mark.slow) for seed in SLOW)]


def do(org: Org, step) -> None:
    """Do one step, as the hands do."""
    match step.kind:
        case "deactivate_flows":
            org.deactivate(step.names)
        case "delete_flow_versions":
            org.delete_flows(step.names)
        case "unassign":
            org.unassign(step.names)
        case "deploy":
            assert not any("purge" in path for path in step.archive)
            org.deploy(step.archive)
        case "by_hand":
            org.by_hand(step.names)


def taken_out(org: Org, installed, before, steps=None):
    """Uninstall, or only so many steps of it; give the removal."""
    members = members_to_remove(installed, layouts=org.layouts())
    removal = uninstall(
        installed=installed, before=before, now=org.retrieve(members, seed=3)
    )
    for step in removal.steps[:steps]:
        do(org, step)
    return removal


def first_install(seed):
    """Install version 1; give the org, the plan and what was there before."""
    org = copied(customer(seed))
    members = members_to_retrieve(package(), patches(), layouts=org.layouts())
    before = org.retrieve(members, seed)
    found = made(org, seed=seed)
    org.deploy(found.archive)
    return org, found, before


def equal(now, then) -> bool:
    """Compare by our canonical form, and by every text without our own code."""
    now, then = (
        {p: c for p, c in tree.items() if p != "package.xml" and leaves({p: c})}
        for tree in (now, then)
    )
    return differing(now, then) == [] and leaves(now) == leaves(then)


@pytest.mark.parametrize("seed", EVERY)
def test_an_uninstall_leaves_the_org_as_it_was(seed):
    org, found, before = first_install(seed)

    removal = taken_out(org, found.installed, before)

    assert equal(org.files, customer(seed))
    assert not removal.losses


@pytest.mark.parametrize("seed", EVERY)
def test_a_rollback_leaves_the_org_as_it_was(seed):
    org, found, before = first_install(seed)
    members = members_to_retrieve(package(), patches(), layouts=org.layouts())

    removal = rollback(before=before, sent=found.archive, now=org.retrieve(members))
    for step in removal.steps:
        do(org, step)

    assert equal(org.files, customer(seed))


@pytest.mark.parametrize("seed", EVERY)
def test_what_the_customer_did_meanwhile_survives_the_uninstall(seed):
    org, found, before = first_install(seed)
    org.files = live(org.files, seed)

    taken_out(org, found.installed, before)

    assert equal(org.files, live(customer(seed), seed))


@pytest.mark.parametrize("seed", EVERY)
def test_an_upgraded_org_is_left_as_it_was_before_the_first_install(seed):
    org, found, before = first_install(seed)
    org.files = live(org.files, seed)
    second = made(org, found.installed, version=2, seed=seed)
    org.deploy(second.archive)

    taken_out(org, second.installed, before)

    assert equal(org.files, live(customer(seed), seed))


@pytest.mark.parametrize("seed", EVERY)
def test_a_rolled_back_upgrade_leaves_the_first_version(seed):
    org, found, _ = first_install(seed)
    then = dict(org.files)
    members = members_to_retrieve(package(2), patches(2), layouts=org.layouts())
    before = org.retrieve(members, seed)
    second = made(org, found.installed, version=2, seed=seed)
    org.deploy(second.archive)

    removal = rollback(before=before, sent=second.archive, now=org.retrieve(members))
    for step in removal.steps:
        do(org, step)

    assert equal(org.files, then)


@pytest.fixture(scope="module")
def bundle():
    """The bundled package; a translation is no component, and has no end of its own."""
    tree = read.load(read.bundled())
    chosen = [m.name for m in read.modules(tree) if m.name != "translations"]
    tree = read.select(tree, chosen)
    values = {item.name: f"{item.name}.example.com" for item in declared(tree)}
    declarations = sorted((read.bundled() / "patches").glob("*.json"))
    sections = read_patches(*(path.read_bytes() for path in declarations))
    return archive.files(fill(tree, values)), sections


@pytest.mark.parametrize("seed", range(4))
def test_the_bundled_package_comes_once_and_goes_without_a_trace(bundle, seed):
    ours, sections = bundle
    org = copied(customer(seed))
    members = members_to_retrieve(ours, sections, layouts=org.layouts())
    before = org.retrieve(members, seed)
    found = plan(ours, before, patches=sections)
    org.deploy(found.archive)

    again = plan(ours, org.retrieve(members), found.installed, patches=sections)
    removal = taken_out(org, found.installed, before)

    assert again.empty
    assert equal(org.files, customer(seed))
    assert not removal.losses


@pytest.mark.parametrize("done", range(12))
def test_an_interrupted_uninstall_is_resumed_with_what_is_left(done):
    org, found, before = first_install(3)
    taken_out(org, found.installed, before, steps=done)

    taken_out(org, found.installed, before)

    assert equal(org.files, customer(3))
    assert not taken_out(org, found.installed, before).steps


def test_what_uses_goes_before_what_is_used():
    org, found, before = first_install(1)

    titles = [step.title for step in taken_out(org, found.installed, before).steps]

    order = [
        "Deactivate the flows",
        "Delete all versions of the flows",
        "Delete outbound messages",
        "Put back what was there",
        "Delete pages, tabs and actions",
        "Put back the lead conversion",
        "Take the permission sets from everybody",
        "Delete permission sets",
        "Delete rules and views",
        "Delete the rest",
        "Delete fields and objects",
        "Delete value sets",
    ]
    assert titles == [title for title in order if title in titles]
    assert titles[0] == order[0]
    assert titles[-1] == order[-1]


def test_the_model_refuses_another_order():
    """Else the tests above would prove nothing about the order."""
    org, found, before = first_install(1)
    steps = taken_out(org, found.installed, before, steps=0).steps
    (data,) = [step for step in steps if step.title == "Delete fields and objects"]

    with pytest.raises(Refused, match="still named"):
        do(org, data)


def test_own_fields_in_our_section_stay_and_the_section_with_them():
    org, first = small_installed()
    org.files[LAYOUT] = org.files[LAYOUT].replace(
        b"<field>Referrer__c</field>", b"<field>Own__c</field>"
    )
    taken_out(org, first.installed, small().files)

    assert b"<label>Referral</label>" in org.files[LAYOUT]
    assert b"<field>Own__c</field>" in org.files[LAYOUT]
    assert b"Referral_" not in org.files[LAYOUT]


def test_our_field_leaves_every_section_that_it_was_moved_to():
    org, first = small_installed()
    org.files[LAYOUT] = page(section("Info", ("Name", "Referral_Key__c")))
    before = small().files

    taken_out(org, first.installed, before)

    assert equal(org.files, before)


@pytest.mark.parametrize("back", ["uninstall", "rollback"])
def test_a_mapping_that_the_customer_made_of_our_field_goes_with_it(back):
    org, first = small_installed()
    before = small().files
    before.pop(CONVERT, None)
    org.files[CONVERT] = document(
        "LeadConvertSettings",
        mapping("Contact", ("Referral_Key__c",) * 2, ("Own__c", "Own__c"))
        + mapping("Opportunity", ("Referrer__c", "Own__c")),
    )
    if back == "uninstall":
        taken_out(org, first.installed, before)
    else:
        removal = rollback(before=before, sent=first.archive, now=org.files)
        for step in removal.steps:
            do(org, step)

    kept = document("LeadConvertSettings", mapping("Contact", ("Own__c", "Own__c")))
    assert not differing({CONVERT: org.files[CONVERT]}, {CONVERT: kept})


def test_a_layout_edited_after_the_deployment_keeps_its_edit_in_a_rollback():
    org = small()
    before = dict(org.files)
    found = made(org)
    org.deploy(found.archive)
    own = b"<layoutItems><behavior>Edit</behavior><field>Own__c</field></layoutItems>"
    at = org.files[LAYOUT].index(
        b"<layoutItems>", org.files[LAYOUT].index(b"Referral<")
    )
    org.files[LAYOUT] = org.files[LAYOUT][:at] + own + org.files[LAYOUT][at:]

    removal = rollback(before=before, sent=found.archive, now=org.files)
    for step in removal.steps:
        do(org, step)

    assert b"<field>Own__c</field>" in org.files[LAYOUT]
    assert b"Referral_Key__c" not in org.files[LAYOUT]


def test_a_section_that_stood_there_before_us_stays_in_a_rollback_though_empty():
    other = "layouts/Lead-Other.layout"
    org = small()
    org.files[other] = page(section("Info", ("Name",)), section("Referral", (), ()))
    before = dict(org.files)
    found = made(org)
    org.deploy(found.archive)
    # One of our fields is made compulsory: a merge alone would leave it there.
    at = org.files[other].index(b"Readonly")
    org.files[other] = (
        org.files[other][:at] + b"Required" + org.files[other][at + len("Readonly") :]
    )

    removal = rollback(before=before, sent=found.archive, now=org.files)
    for step in removal.steps:
        do(org, step)

    assert equal(org.files, before)
    assert b"<label>Referral</label>" in org.files[other]


def test_the_customer_s_later_wish_stays_even_where_it_is_what_we_had_wanted():
    org = small()
    place = "globalValueSets/Referral_Source.globalValueSet"
    org.files[place] = value_set(value("Link", "Web link"))
    before = dict(org.files)
    found = made(org)
    org.deploy(found.archive)
    org.files[place] = org.files[place].replace(b">Web link<", b">Link<")

    taken_out(org, found.installed, before)

    now, then = {place: org.files[place]}, {place: value_set(value("Link"))}
    assert not differing(now, then)


def test_what_goes_with_its_object_is_not_named_beside_it():
    org, first = small_installed()

    steps = taken_out(org, first.installed, small().files, steps=0).steps

    rows = set()
    for step in steps:
        if "destructiveChanges.xml" in step.archive:
            rows |= read_manifest(step.archive["destructiveChanges.xml"])[0]
    assert ("CustomObject", "Referrer__c") in rows
    assert ("CustomField", "Lead.Referral_Key__c") in rows
    assert not [
        name for _, name in rows if name.startswith(("Referrer__c.", "Referrer__c-"))
    ]


def test_what_the_customer_added_to_ours_is_told_before_it_is_lost():
    org, first = small_installed()
    place = "objects/Referrer__c.object"
    end = org.files[place].rindex(b"</")
    org.files[place] = (
        org.files[place][:end] + custom_field("Own__c").encode() + b"</CustomObject>"
    )
    org.files[STATUS] = org.files[STATUS].replace(
        b"<masterLabel>", value("Own").encode() + b"<masterLabel>"
    )

    removal = taken_out(org, first.installed, small().files, steps=0)

    assert sorted(removal.losses) == [
        "CustomField Referrer__c.Own__c is the customer's, and goes with Referrer__c",
        "GlobalValueSet Referral_Status: customValue[Own] added by the customer",
    ]


def test_data_of_deleted_fields_and_objects_is_named_for_export():
    org, first = small_installed()
    place = "objects/Referrer__c.object"
    end = org.files[place].rindex(b"</")
    org.files[place] = (
        org.files[place][:end] + custom_field("Own__c").encode() + b"</CustomObject>"
    )

    removal = taken_out(org, first.installed, small().files, steps=0)

    assert to_export(removal, org.files) == {
        "Contact": ["Id", "Referral_Key__c"],
        "Lead": ["Id", "Referral_Key__c", "Referral_Status__c", "Referrer__c"],
        "Referrer__c": ["Id", "Name", "Code__c", "Own__c"],
    }


def test_flows_are_deleted_by_their_versions():
    archive = flow_versions({"Referral_Lead": [1, 3]}, api_version="62.0")

    rows, version = read_manifest(archive["destructiveChanges.xml"])
    assert rows == {("Flow", "Referral_Lead-1"), ("Flow", "Referral_Lead-3")}
    assert version == "62.0"
    assert read_manifest(archive["package.xml"])[0] == set()


def test_record_types_are_left_to_a_person():
    org, first = small_installed()
    kind = "<recordTypes><fullName>Own</fullName><active>true</active></recordTypes>"
    org.files["objects/Campaign.object"] = document("CustomObject", kind)
    installed = {
        **first.installed,
        "objects/Campaign.object": org.files["objects/Campaign.object"],
    }

    removal = uninstall(installed=installed, before={}, now=org.files)

    (step,) = [step for step in removal.steps if step.kind == "by_hand"]
    assert step.names == ("RecordType Campaign.Own",)


def test_a_value_set_may_be_held_by_deleted_fields():
    org, first = small_installed()

    *_, last = taken_out(org, first.installed, small().files, steps=0).steps

    assert last.title == "Delete value sets"
    assert "15 days" in last.may_fail
