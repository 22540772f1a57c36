"""Whatever stands in a project: the linter answers with findings, and soon."""

import json
import string
import sys
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trees import MD, document, tree

from sidecar.package import read
from sidecar.package.lint import formulas, nodes, schema, show
from sidecar.package.lint.checks import lint
from sidecar.package.lint.findings import Finding
from sidecar.package.lint.sections import load

SMALL = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
BUNDLED = load(read.bundled())
# One file of each type, so that each check has something to look at.
FIRST = {path.rpartition("/")[2].partition(".")[2]: path for path in sorted(BUNDLED)}
FEW = {path: BUNDLED[path] for path in (*FIRST.values(), "sfdx-project.json")}


def answer(files):
    found = lint(files)
    assert all(isinstance(one, Finding) for one in found)
    assert all(one.line >= 1 and one.message and one.remedy for one in found)
    for text in (show.as_json(found), show.as_sarif(found, version="1")):
        json.loads(text)
    show.as_text(found)
    return found


@SMALL
@given(st.sampled_from(sorted(set(FEW) - {"sfdx-project.json"})), st.data())
def test_no_damage_to_a_file_makes_it_fail(path, data):
    content = FEW[path]
    place = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, 40))
    more = data.draw(st.binary(max_size=40) | st.sampled_from([b"<", b"&x;", b"\x00"]))

    answer(FEW | {path: content[:place] + more + content[place + length :]})


# Names and values as they stand in metadata, and as they should not.
WORDS = st.sampled_from(
    [
        *("", " ", ".", "..", "-", "$", "__c", "__r", "a.b.c.d", "X__c", "Lead", "1"),
        *("Lead.X__c", "X__r.Y__c", "ns__X__c", "Owner:User.Name", "Lead$X__c", "$A$B"),
        *("$Record", "$Record.X__c", "$Setup.X__c.Y__c", "$Permission.", "$Label.X"),
        *("$CustomMetadata.A.B.C", "$ObjectType.A.Fields.B", "$Api.Session_ID"),
        *("{!$Record.X__c}", "{!", "IF(", 'CASE(X__c,"a",1,0)', '"', "/*", "1 AND 9"),
        *("true", "false", "62.0", "99999999999", "2026-01-01", "user@acme.com"),
        *("Referrer__c", "Referral_Status__c", "Lead-de", "CustomEntity$X__c@Y.Z__c"),
        *("outboundMessage", "SpecifiedUser", "%41", "é", "\u2028", "x" * 300),
    ]
) | st.text(string.printable, max_size=12)


@cache
def elements(kind, depth):
    """Give XML strategies for what the schema allows inside of a type, and more."""
    known = schema.official().types.get(kind, {})
    if not known or depth == 0:
        return WORDS.map(escaped)
    names = st.sampled_from(sorted(known))
    return st.lists(
        names.flatmap(
            lambda name: elements(known[name].type, depth - 1).map(
                lambda inner: f"<{name}>{inner}</{name}>"
            )
        ),
        max_size=8,
    ).map("".join)


def escaped(text):
    plain = "".join(c for c in text if c.isprintable())
    return plain.replace("&", "&amp;").replace("<", "&lt;")


PLACES = [
    ("objects/Lead/fields/X__c.field", "CustomField"),
    ("objects/X__c/X__c.object", "CustomObject"),
    ("objects/Lead/listViews/X.listView", "ListView"),
    ("objects/Lead/validationRules/X.validationRule", "ValidationRule"),
    ("objects/Lead/recordTypes/X.recordType", "RecordType"),
    ("objectTranslations/Lead-de/X__c.fieldTranslation", "CustomFieldTranslation"),
    ("objectTranslations/Lead-de/Lead-de.objectTranslation", "CustomObjectTranslation"),
    ("customMetadata/X.Y.md", "CustomMetadata"),
    *(
        (f"{folder}/X.{suffix}", kind)
        for folder, suffix, kind in (
            ("flows", "flow", "Flow"),
            ("workflows", "workflow", "Workflow"),
            ("layouts", "layout", "Layout"),
            ("permissionsets", "permissionset", "PermissionSet"),
            ("globalValueSets", "globalValueSet", "GlobalValueSet"),
            ("pathAssistants", "pathAssistant", "PathAssistant"),
            ("quickActions", "quickAction", "QuickAction"),
            ("reportTypes", "reportType", "ReportType"),
            ("reports/F", "report", "Report"),
            ("dashboards/F", "dashboard", "Dashboard"),
            ("matchingRules", "matchingRule", "MatchingRules"),
            ("duplicateRules", "duplicateRule", "DuplicateRule"),
            ("LeadConvertSettings", "LeadConvertSetting", "LeadConvertSettings"),
            ("namedCredentials", "namedCredential", "NamedCredential"),
            ("flexipages", "flexipage", "FlexiPage"),
            ("applications", "app", "CustomApplication"),
            ("translations", "translation", "Translations"),
            ("prompts", "prompt", "Prompt"),
            ("labels", "labels", "CustomLabels"),
        )
    ),
]


@SMALL
@given(st.data())
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[1])
def test_no_document_that_the_schema_allows_makes_it_fail(place, data):
    path, kind = place
    body = data.draw(elements(kind, 5))

    answer(FEW | {f"core/main/default/{path}-meta.xml": document(kind, body)})


@SMALL
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["levels", "exempt", "milestones", "rule", "name", "x"]
                ),
                inner,
                max_size=3,
            )
        ),
    )
)
def test_no_statement_in_the_project_file_makes_it_fail(said):
    for more in (
        {"plugins": said},
        {"plugins": {"sidecar-lint": said}},
        {"replacements": said, "namespace": said, "sourceApiVersion": said},
    ):
        answer(tree({"core:x": b""}, **more))


@pytest.mark.parametrize(
    "said",
    [
        {"levels": {"field/help": ["error"], "field/label": 1, "\ud800": "note"}},
        {"exempt": [{"rule": "field/help", "name": "\ud800", "reason": "x"}, 1]},
        {"milestones": ["X"]},
    ],
)
def test_a_statement_that_is_not_understood_is_told(said):
    found = answer(tree({"core:x": b""}, plugins={"sidecar-lint": said}))

    assert "project/statement" in {one.rule for one in found}


def test_what_stands_in_a_file_does_not_steer_a_terminal():
    body = "<label>A\x9b31mB</label><wrong\x85/>".encode()
    files = tree(
        {
            "core:flows/X.flow-meta.xml": document("Flow", "").replace(
                b"></", b">" + body + b"</"
            )
        }
    )

    assert all(
        letter.isprintable() or letter == "\n" for letter in show.as_text(lint(files))
    )


@SMALL
@given(st.text(max_size=200) | st.lists(WORDS, max_size=30).map(" ".join))
def test_no_formula_makes_it_fail(text):
    formula = formulas.read(text)

    assert formula.references is not None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"\xff\xfe",
        b"<",
        b"<?xml version='1.0' encoding='nowhere'?><a/>",
        b"<a>" * 300 + b"</a>" * 300,
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
        b"<CustomField/>",
        f'<a:CustomField xmlns:a="{MD}"><b/></a:CustomField>'.encode(),
    ],
)
def test_what_is_no_metadata_is_a_finding(content):
    path = "core:objects/Lead/fields/X__c.field-meta.xml"

    assert answer(tree({path: content}))


@pytest.mark.parametrize("text", ["(" * 9000, '"' * 9001, "/*x" * 3000, "A." * 4000])
def test_a_hostile_formula_costs_no_more_than_its_length(text):
    assert formulas.read(text).problem


def test_depth_is_bounded_by_the_reader():
    with pytest.raises(nodes.Broken):
        nodes.parse(b"<a>" * 5000 + b"</a>" * 5000)


def steps(files):
    """Count the lines of Python that looking at these files takes."""
    count = 0

    def line(frame, event, _):
        nonlocal count
        count += event == "line"
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        lint(files)
    finally:
        sys.settrace(before)
    return count


GENERATED = {
    "objects/T{n}__c/T{n}__c.object": (
        "CustomObject",
        "<deploymentStatus>Deployed</deploymentStatus><label>T</label>"
        "<nameField><label>N</label><type>Text</type></nameField>"
        "<pluralLabel>T</pluralLabel><sharingModel>Private</sharingModel>",
    ),
    "objects/T{n}__c/fields/To__c.field": (
        "CustomField",
        "<fullName>To__c</fullName><label>To</label><referenceTo>T{next}__c"
        "</referenceTo><relationshipName>R{n}</relationshipName><type>Lookup</type>",
    ),
    "objects/Lead/fields/F{n}__c.field": (
        "CustomField",
        "<fullName>F{n}__c</fullName><label>F</label><length>9</length>"
        "<type>Text</type>",
    ),
    "objects/T{n}__c/validationRules/V.validationRule": (
        "ValidationRule",
        "<fullName>V</fullName><active>true</active><errorConditionFormula>"
        "To__r.To__r.Name = To__r.Wrong__c</errorConditionFormula>"
        "<errorMessage>x</errorMessage>",
    ),
    "reportTypes/T{n}.reportType": (
        "ReportType",
        "<baseObject>T{n}__c</baseObject><deployed>true</deployed><label>T</label>"
        "<join><outerJoin>true</outerJoin><relationship>R{last}__r</relationship>"
        "</join><sections><columns><checkedByDefault>true</checkedByDefault>"
        "<field>Name</field><table>T{n}__c.R{last}__r</table></columns>"
        "<masterLabel>S</masterLabel></sections>",
    ),
    "reports/F/R{n}.report": (
        "Report",
        "<columns><field>T{n}__c$Wrong__c</field></columns><format>Tabular</format>"
        "<name>R</name><reportType>T{n}__c</reportType>",
    ),
    "dashboards/F/D{n}.dashboard": (
        "Dashboard",
        "<dashboardGridLayout><dashboardGridComponents><colSpan>1</colSpan>"
        "<columnIndex>0</columnIndex><dashboardComponent><componentType>Table"
        "</componentType><report>F/Q{n}</report></dashboardComponent>"
        "<rowIndex>0</rowIndex><rowSpan>1</rowSpan></dashboardGridComponents>"
        "<numberOfColumns>12</numberOfColumns><rowHeight>9</rowHeight>"
        "</dashboardGridLayout>",
    ),
    "flows/F{n}.flow": (
        "Flow",
        "<label>F</label><start><locationX>0</locationX><locationY>0</locationY>"
        "<connector><targetReference>S</targetReference></connector></start>"
        "<subflows><name>S</name><label>S</label><locationX>0</locationX>"
        "<locationY>0</locationY><flowName>G{n}</flowName></subflows>",
    ),
    "permissionsets/P{n}.permissionset": (
        "PermissionSet",
        "<classAccesses><apexClass>C{n}</apexClass><enabled>true</enabled>"
        "</classAccesses><fieldPermissions><editable>true</editable>"
        "<field>Lead.G{n}__c</field><readable>true</readable></fieldPermissions>"
        "<label>P</label>",
    ),
    "objectTranslations/T{n}__c-de/T{n}__c-de.objectTranslation": (
        "CustomObjectTranslation",
        "<recordTypes><label>x</label><name>Wrong</name></recordTypes>",
    ),
    "classes/K{n}.cls": ("ApexClass", "<apiVersion>62.0</apiVersion>"),
}


def generated(size):
    """Give a project of so many of everything, of which much is not there."""
    files = {}
    for n in range(size):
        names = {"n": n, "next": (n + 1) % size, "last": (n - 1) % size}
        for path, (kind, body) in GENERATED.items():
            content = document(kind, body.format(**names))
            files[f"core:{path.format(**names)}-meta.xml"] = content
        files[f"core:classes/K{n}.cls"] = f"class K{n} {{ T{n}_c__c t; }}".encode()
    return tree(files)


def test_the_work_grows_with_the_project_and_no_faster():
    """Counted in lines of Python, since a clock tells of the machine."""
    steps(generated(2))  # what is read once in a process
    small, large = steps(generated(40)), steps(generated(160))

    assert large < small * 4 * 1.15
