"""Three-way merge: nothing of the customer's is lost, nothing of ours is forced."""

from collections import Counter

import pytest
from hypothesis import given, settings
from orgs import (
    document,
    flow,
    layouts,
    leaves,
    mapping,
    page,
    section,
    value,
    value_set,
    versions,
    xml,
)

from sidecar.errors import Unreadable
from sidecar.package.canonical import canonical, differing, parse
from sidecar.package.identity import _BAGS, _DEFAULTS, KEYS, keyed, repeats, type_of
from sidecar.package.lint.schema import official
from sidecar.package.merge import merge, told

untimed = settings(deadline=None)  # the machine may be busy
SET = "globalValueSets/S.globalValueSet"
CONVERT = "LeadConvertSettings/LeadConvertSettings.LeadConvertSetting"


def same(place, one, other):
    return canonical(one, place) == canonical(other, place)


def elements(node, kind, place=()):
    """Name every element by its keys; a text that stands once is left out."""
    found = Counter()
    by_tag = {}
    for child in node.children:
        by_tag.setdefault(child.tag, []).append(child)
    for tag, alike in by_tag.items():
        inner = type_of(kind, tag)
        for key, child in keyed(alike, inner).items():
            if child.children or repeats(kind, tag):
                found[*place, tag, key] += 1
                found += elements(child, inner, (*place, tag, key))
    return found


@untimed
@given(versions())
def test_where_the_customer_changed_nothing_ours_comes_out(drawn):
    place, base, _, ours = drawn

    assert same(place, merge(base, base, ours, path=place).content, ours)


@untimed
@given(versions())
def test_where_we_changed_nothing_theirs_comes_out_to_the_byte(drawn):
    place, base, theirs, _ = drawn

    assert merge(base, theirs, base, path=place).content == theirs


@settings(untimed, max_examples=300)
@given(versions())
def test_merging_once_more_changes_nothing(drawn):
    place, base, theirs, ours = drawn
    first = merge(base, theirs, ours, path=place)

    again = merge(base, first.content, ours, path=place)
    later = merge(ours, first.content, ours, path=place)

    assert again.content == later.content == first.content
    assert not again.changes
    assert not later.changes


@pytest.mark.slow
@settings(untimed, max_examples=20_000)
@given(versions())
def test_the_laws_of_merging_hold_for_long(drawn):
    place, base, theirs, ours = drawn
    first = merge(base, theirs, ours, path=place).content

    assert merge(base, first, ours, path=place).content == first
    assert same(place, merge(base, base, ours, path=place).content, ours)
    assert merge(base, theirs, base, path=place).content == theirs


@untimed
@given(versions())
def test_nothing_that_the_customer_has_beyond_ours_is_lost(drawn):
    place, base, theirs, ours = drawn
    merged = merge(base, theirs, ours, path=place).content

    was, there, now = (
        elements(node, node.tag)
        for node in (parse(content, place) for content in (base, theirs, merged))
    )

    assert not (there - was) - now


@untimed
@given(versions())
def test_without_a_base_nothing_of_theirs_is_touched(drawn):
    place, _, theirs, ours = drawn
    merged = merge(None, theirs, ours, path=place).content

    assert not leaves({place: theirs}) - leaves({place: merged})


@untimed
@given(layouts(), layouts())
def test_the_customer_s_order_of_sections_stays(theirs, ours):
    place = "layouts/Lead-L.layout"
    merged = parse(merge(None, theirs, ours, path=place).content, place)

    labels = [node.value("label") for node in merged.children]
    there = [node.value("label") for node in parse(theirs, place).children]
    assert [label for label in labels if label in there] == there


def test_a_value_that_the_customer_renamed_keeps_its_label_and_is_told():
    base = value_set(value("Won"), value("Lost"))
    theirs = value_set(value("Won", "Closed"), value("Lost"))
    ours = value_set(value("Won", "Won deal"), value("Lost"))

    unchanged = merge(base, theirs, base, path=SET)
    merged = merge(base, theirs, ours, path=SET)

    assert merged.content == theirs
    assert told(unchanged.kept) == ["customValue[Won]/label: changed 'Won' -> 'Closed'"]
    assert told(merged.conflicts) == [
        "customValue[Won]/label: changed 'Closed' -> 'Won deal'"
    ]


def test_a_deactivated_value_stays_so_and_an_added_one_stays():
    base = value_set(value("Won"), value("Lost"))
    theirs = value_set(
        value("Won"), value("Fair"), value("Lost", isActive="false"), value("Radio")
    )
    ours = value_set(value("Won"), value("Paid"), value("Lost"))

    merged = merge(base, theirs, ours, path=SET)

    assert same(
        SET,
        merged.content,
        value_set(
            value("Won"),
            value("Paid"),
            value("Fair"),
            value("Lost", isActive="false"),
            value("Radio"),
        ),
    )
    assert told(merged.changes) == ["customValue[Paid]: added"]


def test_what_we_gave_up_goes_only_as_we_had_left_it():
    base = value_set(value("Won"), value("Lost"), value("Old"))
    ours = value_set(value("Won"))
    theirs = value_set(
        value("Won"), value("Lost", "Gone"), value("Old", isActive="true")
    )

    merged = merge(base, theirs, ours, path=SET)

    assert same(SET, merged.content, value_set(value("Won"), value("Lost", "Gone")))
    assert told(merged.changes) == ["customValue[Old]: removed"]
    assert told(merged.conflicts) == ["customValue[Lost]: removed"]


def test_what_the_customer_took_away_stays_away():
    base = value_set(value("Won"), value("Lost"))
    theirs = value_set(value("Won"))

    unchanged = merge(base, theirs, base, path=SET)
    changed = merge(base, theirs, value_set(value("Won"), value("Lost", "X")), path=SET)

    assert unchanged.content == changed.content == theirs
    assert (
        told(unchanged.kept)
        == told(changed.conflicts)
        == ["customValue[Lost]: removed"]
    )


def test_our_new_order_arrives_where_the_customer_kept_the_old_one():
    base = value_set(value("A"), value("B"))
    theirs = value_set(value("A"), value("B"), value("C"))
    ours = value_set(value("B"), value("A"))

    merged = merge(base, theirs, ours, path=SET)

    names = [n.value("fullName") for n in parse(merged.content, SET).children]
    assert names[:3] == ["B", "C", "A"]
    assert told(merged.changes) == ["customValue: moved"]


def test_a_target_of_the_conversion_is_taken_once():
    theirs = document("LeadConvertSettings", mapping("Contact", ("Own__c", "Key__c")))
    ours = document("LeadConvertSettings", mapping("Contact", ("Key__c", "Key__c")))

    merged = merge(None, theirs, ours, path=CONVERT)

    assert merged.content == theirs
    assert [item.path for item in merged.conflicts] == [
        "objectMapping[Lead|Contact]/mappingFields[Key__c]"
    ]


def test_a_default_that_salesforce_wrote_out_is_no_wish_of_the_customer():
    field = xml("fields", fullName="F__c", type="Text", length="10")
    place = "objects/Lead.object"
    base = document("CustomObject", field)
    theirs = base.replace(b"</fields>", b"<trackHistory>false</trackHistory></fields>")
    ours = base.replace(
        b"</fields>",
        b"<trackHistory>true</trackHistory><unique>false</unique></fields>",
    )

    merged = merge(base, theirs, ours, path=place)

    assert same(place, merged.content, ours)
    assert b"<unique>" not in merged.content
    assert not merged.conflicts


def test_a_column_does_not_come_where_the_one_before_it_was_taken_away():
    place = "layouts/Lead-L.layout"
    base, theirs = page(section("S", ())), page(section("S", style="OneColumn"))
    ours = page(section("S", (), ("A",)))

    merged = merge(base, theirs, ours, path=place)

    assert b"<layoutColumns" not in merged.content
    assert told(merged.conflicts)[-1] == "layoutSections[S]/layoutColumns[]: added"


def test_salesforce_s_own_notes_in_a_flow_are_nobody_s_edit():
    place = "flows/F.flow"
    note = "<processMetadataValues><name>{}</name></processMetadataValues></Flow>"
    base = flow("F", "L", "A").replace(b"</Flow>", note.format("CanvasMode").encode())
    theirs = flow("F", "L", "A").replace(b"</Flow>", note.format("Builder").encode())
    ours = base.replace(b"<label>L<", b"<label>M<")

    merged = merge(base, theirs, ours, path=place)

    assert told(merged.changes) == ["label: changed 'L' -> 'M'"]
    assert not merged.kept
    assert not merged.conflicts


def test_a_column_that_a_later_one_follows_is_not_taken_from_under_it():
    """Else the customer's second column would be our first one the next time."""
    place = "layouts/Lead-L.layout"
    base, ours = page(section("S", ())), page(section("S"))
    theirs = page(section("S", (), ()))

    merged = merge(base, theirs, ours, path=place)

    assert merged.content.count(b"<layoutColumns>") == 2
    assert merge(base, merged.content, ours, path=place).content == merged.content


def test_equal_blank_items_and_columns_of_a_layout_do_not_collapse():
    blank = xml("layoutItems", emptySpace="true")
    place = "layouts/Lead-L.layout"
    theirs = page(section("S", ("A",), ("B",))).replace(
        b"</layoutColumns>", (blank * 3 + "</layoutColumns>").encode()
    )
    ours = page(section("S", ("A", "N"), ("B",)))

    merged = merge(None, theirs, ours, path=place).content

    assert merged.count(b"<emptySpace>true</emptySpace>") == 6
    assert merged.count(b"<field>N</field>") == 1


def test_the_canonical_form_does_not_see_what_has_no_meaning():
    place = "flows/F.flow"
    one = flow("F", "L", "A", "B").replace(b"><", b">\n   <")
    other = flow("F", "L", "B", "A").replace(b"<Flow", b"<!-- c --><Flow")
    third = flow("F", "L", "A", "C")

    assert canonical(one, place) == canonical(other, place)
    assert canonical(one, place) != canonical(third, place)
    assert differing({place: one}, {place: other, "x/Y.flow": third}) == ["x/Y.flow"]


def test_a_name_that_the_path_says_already_has_no_meaning():
    named = flow("F", "L").replace(b"<label>", b"<fullName>F</fullName><label>", 1)

    assert same("flows/F.flow", named, flow("F", "L"))


def test_typed_and_empty_values_survive_being_written():
    place = "customMetadata/M.R.md"
    head = (
        b'<CustomMetadata xmlns="http://soap.sforce.com/2006/04/metadata"'
        b' xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
        b' xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
    )
    row = b"<values><field>%s</field><value i:%s/></values>"
    ours = (
        head
        + row % (b"A__c", b'type="xsd:string"')
        + row % (b"B__c", b'nil="true"')
        + b"</CustomMetadata>"
    )

    written = canonical(ours, place)

    assert canonical(written, place) == written
    assert b'<value xsi:type="xsd:string"/>' in written
    assert b'<value xsi:nil="true"/>' in written
    assert b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' in written


def test_the_canonical_form_sees_the_order_of_values():
    assert not same(
        SET, value_set(value("A"), value("B")), value_set(value("B"), value("A"))
    )


def test_white_space_inside_a_formula_is_written_back_as_it_was():
    place = "objects/Lead.object"
    formula = "IF(A,\r\n   &quot;x  y&quot;, 1)\n"
    field = xml("fields", fullName="F__c", type="Text", formula=formula)
    theirs = document("CustomObject", field).replace(b"\r", b"&#13;")
    ours = document("CustomObject", xml("fields", fullName="G__c", type="Text"))

    merged = merge(None, theirs, ours, path=place).content

    assert b'IF(A,&#13;\n   "x  y", 1)\n</formula>' in merged


@pytest.mark.parametrize(
    "broken",
    [
        b"<GlobalValueSet",
        b"<!DOCTYPE x><GlobalValueSet xmlns='http://soap.sforce.com/2006/04/metadata'/>",
        b"<GlobalValueSet xmlns='urn:other'/>",
        document("Layout", ""),
    ],
)
def test_what_is_not_that_metadata_is_refused_by_its_path(broken):
    with pytest.raises(Unreadable, match="globalValueSets/S"):
        merge(None, broken, value_set(), path=SET)


@pytest.mark.parametrize("kind", sorted(KEYS))
def test_the_keys_are_elements_that_the_schema_knows(kind):
    assert set(KEYS[kind]) <= set(official().types[kind])


@pytest.mark.parametrize("kind", sorted({*_BAGS, *_DEFAULTS}))
def test_sets_and_defaults_are_of_types_that_the_schema_knows(kind):
    assert set(_DEFAULTS.get(kind, ())) <= set(official().types[kind])
