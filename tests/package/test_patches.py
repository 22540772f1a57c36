"""Our section in the customer's layouts: put in once, taken out without a trace."""

import pytest
from hypothesis import given, settings
from orgs import PATCH, layouts, page, patches, section

from sidecar.errors import Unreadable
from sidecar.package.canonical import canonical, parse
from sidecar.package.patches import (
    fields_on,
    insert,
    layouts_of,
    read_patches,
    take_out,
    write_patches,
)

untimed = settings(deadline=None)  # the machine may be busy
PLACE = "layouts/Lead-Lead Layout.layout"
OURS = {"Referral_Status__c", "Referrer__c", "Referral_Key__c"}
PLAIN = page(section("Info", ("Name",), ("Phone",)), section("System", ("Own__c",)))


def labels(layout):
    sections = parse(layout, PLACE).children
    return [node.value("label") for node in sections if node.tag == "layoutSections"]


def same(one, other):
    return canonical(one, PLACE) == canonical(other, PLACE)


def test_the_section_comes_after_the_first_one_with_its_fields():
    patched = insert(PLAIN, patches(), path=PLACE)

    assert labels(patched) == ["Info", "Referral", "System"]
    assert fields_on(patched, path=PLACE) == {"Name", "Phone", "Own__c", *OURS}


def test_what_only_the_service_writes_is_read_only():
    patched = insert(PLAIN, patches(), path=PLACE)
    behavior = {
        item.value("field"): item.value("behavior")
        for part in parse(patched, PLACE).children
        for column in part.children
        for item in column.children
    }

    assert behavior["Referral_Key__c"] == "Readonly"
    assert behavior["Referral_Status__c"] == "Edit"
    assert behavior["Name"] == "Required"


@untimed
@given(layouts())
def test_a_second_time_changes_nothing_and_taking_out_leaves_no_trace(layout):
    patched = insert(layout, patches(), path=PLACE)

    assert insert(patched, patches(), path=PLACE) == patched
    assert same(take_out(patched, patches(), path=PLACE), layout)


@untimed
@given(layouts())
def test_a_layout_without_us_is_not_touched_by_taking_out(layout):
    assert take_out(layout, patches(), path=PLACE) == layout


def test_a_layout_of_another_object_is_not_touched():
    place = "layouts/Account-Account Layout.layout"

    assert insert(PLAIN, patches(), path=place) == PLAIN


def test_a_field_that_stands_elsewhere_is_not_put_there_again():
    layout = page(section("Mine", ("Name", "Referral_Status__c")))

    patched = insert(layout, patches(), path=PLACE)

    assert patched.count(b">Referral_Status__c<") == 1
    assert same(take_out(patched, patches(), path=PLACE), layout)


def test_a_section_of_that_label_is_used_and_stays_after_us():
    empty = page(section("Info", ("Name",)), section("Referral", ()))

    patched = insert(empty, patches(), path=PLACE)

    assert labels(patched) == ["Info", "Referral"]
    assert same(take_out(patched, patches(), path=PLACE, before=empty), empty)


def test_what_the_customer_put_into_our_section_stays_in_it():
    patched = insert(PLAIN, patches(), path=PLACE)
    item = (
        b"<layoutItems><behavior>Edit</behavior><field>Own_2__c</field></layoutItems>"
    )
    place = patched.index(b"Referral_Status__c")
    at = patched.rindex(b"<layoutItems>", 0, place)
    edited = patched[:at] + item + patched[at:]

    left = take_out(edited, patches(), path=PLACE)

    assert labels(left) == ["Info", "Referral", "System"]
    assert fields_on(left, path=PLACE) == {"Name", "Phone", "Own__c", "Own_2__c"}


def test_a_field_that_the_customer_took_off_stays_off():
    left = page(
        section("Info", ("Name",)),
        section("Referral", ("Referral_Status__c",), ("Referral_Key__c",)),
    )
    bare = page(section("Info", ("Name",)))

    assert insert(left, patches(), path=PLACE, known=OURS) == left
    assert insert(bare, patches(2), path=PLACE, known=OURS) == bare


def test_a_new_field_joins_the_section_that_is_there():
    first = insert(PLAIN, patches(), path=PLACE)
    second = insert(first, patches(2), path=PLACE, known=OURS)

    assert labels(second) == labels(first)
    assert fields_on(second, path=PLACE) - fields_on(first, path=PLACE) == {
        "Referral_Notes__c"
    }


def test_only_layouts_of_the_patched_objects_are_asked_for():
    listed = ["Lead-Lead Layout", "LeadX__c-L", "Contact-A-B", "Account-Lead-L"]

    assert layouts_of(patches(), listed) == ["Contact-A-B", "Lead-Lead Layout"]


def test_what_is_written_is_what_was_read():
    assert read_patches(write_patches(patches())) == patches()


@pytest.mark.parametrize(
    "broken",
    [
        b"[]",
        b"{",
        b'{"sections": []}',
        b'{"layoutSections": [{"object": "Lead"}]}',
        PATCH.replace(b'"readonly": ["Referral_Key__c"]', b'"readonly": ["Other__c"]'),
        b'{"layoutSections": [7]}',
    ],
)
def test_a_declaration_that_cannot_be_understood_is_refused(broken):
    with pytest.raises(Unreadable):
        read_patches(broken)
