import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from trees import MD, document, field, tree

from sidecar.errors import Unreadable
from sidecar.package import archive

NS = {"m": MD}


def manifest(files):
    root = etree.fromstring(files["package.xml"])
    assert root.findtext("m:version", namespaces=NS) == "62.0"
    return {
        row.findtext("m:name", namespaces=NS): [
            member.text for member in row.findall("m:members", NS)
        ]
        for row in root.findall("m:types", NS)
    }


def shape(content):
    """Tags and texts of the root's children, in order."""
    return [
        (etree.QName(child).localname, [e.text.strip() for e in child if e.text])
        for child in etree.fromstring(content)
    ]


def test_an_object_is_put_together_again_sorted_by_tag_and_name():
    files = archive.files(
        tree(
            {
                "core:objects/Referrer__c/Referrer__c.object-meta.xml": document(
                    "CustomObject",
                    "<label>Référrer &amp; co</label><!-- a word -->"
                    "<actionOverrides><actionName>View</actionName></actionOverrides>"
                    "<actionOverrides><actionName>Edit</actionName></actionOverrides>",
                ),
                "core:objects/Referrer__c/fields/Tier__c.field-meta.xml": field(
                    "Tier__c", label="Tier"
                ),
                "core:objects/Referrer__c/fields/Code__c.field-meta.xml": field(
                    "Code__c", label="Code"
                ),
                "core:objects/Referrer__c/listViews/All.listView-meta.xml": document(
                    "ListView", "<fullName>All</fullName>"
                ),
            }
        )
    )

    assert shape(files["objects/Referrer__c.object"]) == [
        ("actionOverrides", ["View"]),
        ("actionOverrides", ["Edit"]),
        ("fields", ["Code__c", "Code"]),
        ("fields", ["Tier__c", "Tier"]),
        ("label", []),
        ("listViews", ["All"]),
    ]
    assert "Référrer &amp; co" in files["objects/Referrer__c.object"].decode()
    assert manifest(files) == {
        "CustomField": ["Referrer__c.Code__c", "Referrer__c.Tier__c"],
        "CustomObject": ["Referrer__c"],
        "ListView": ["Referrer__c.All"],
    }


def test_a_standard_object_that_only_gets_fields_is_not_deployed_itself():
    files = archive.files(
        tree({"core:objects/Lead/fields/A__c.field-meta.xml": field("A__c")})
    )

    assert manifest(files) == {"CustomField": ["Lead.A__c"]}


def test_what_two_modules_add_to_one_object_goes_into_one_file():
    files = archive.files(
        tree(
            {
                "core:objects/Lead/fields/A__c.field-meta.xml": field("A__c"),
                "more:objects/Lead/fields/B__c.field-meta.xml": field("B__c"),
            },
            modules=("core", "more"),
        )
    )

    assert shape(files["objects/Lead.object"]) == [
        ("fields", ["A__c"]),
        ("fields", ["B__c"]),
    ]
    assert manifest(files) == {"CustomField": ["Lead.A__c", "Lead.B__c"]}


def test_a_component_in_two_modules_is_refused_not_overwritten():
    source = tree(
        {
            "core:flows/A.flow-meta.xml": document("Flow", ""),
            "more:flows/A.flow-meta.xml": document("Flow", ""),
        },
        modules=("core", "more"),
    )

    with pytest.raises(Unreadable, match="Flow A is in two modules, core and more"):
        archive.files(source)


def test_a_component_in_two_files_of_one_module_is_refused():
    flow = document("Flow", "")
    source = {"core:flows/A.flow-meta.xml": flow, "core:flows/b/A.flow-meta.xml": flow}

    with pytest.raises(Unreadable, match="Flow A is in two files"):
        archive.files(tree(source))


def test_the_outbound_messages_of_a_workflow_have_rows_of_their_own():
    body = "".join(
        f"<outboundMessages><fullName>{name}</fullName></outboundMessages>"
        for name in ("Second", "First")
    )
    source = {"core:workflows/Lead.workflow-meta.xml": document("Workflow", body)}
    files = archive.files(tree(source))

    assert files["workflows/Lead.workflow"] == document("Workflow", body)
    assert manifest(files) == {
        "Workflow": ["Lead"],
        "WorkflowOutboundMessage": ["Lead.First", "Lead.Second"],
    }


def test_folders_content_files_and_labels_are_named_as_the_api_wants_them():
    label = "<labels><fullName>Hello</fullName></labels>"
    files = archive.files(
        tree(
            {
                "core:reports/Referrals.reportFolder-meta.xml": b"<a/>",
                "core:reports/Referrals/Funnel.report-meta.xml": b"<b/>",
                "core:email/Referrals.emailFolder-meta.xml": b"<c/>",
                "core:email/Referrals/Won.email": b"Congratulations",
                "core:email/Referrals/Won.email-meta.xml": b"<d/>",
                "core:labels/CustomLabels.labels-meta.xml": document(
                    "CustomLabels", label
                ),
            }
        )
    )

    assert sorted(files) == [
        "email/Referrals-meta.xml",
        "email/Referrals/Won.email",
        "email/Referrals/Won.email-meta.xml",
        "labels/CustomLabels.labels",
        "package.xml",
        "reports/Referrals-meta.xml",
        "reports/Referrals/Funnel.report",
    ]
    assert manifest(files) == {
        "CustomLabel": ["Hello"],
        "CustomLabels": ["CustomLabels"],
        "EmailTemplate": ["Referrals", "Referrals/Won"],
        "Report": ["Referrals/", "Referrals/Funnel"],
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<CustomField", "A__c.field-meta.xml: "),
        (document("ListView", "<fullName>A__c</fullName>"), "expected CustomField"),
        (b"<CustomField/>", "expected CustomField"),  # not in Salesforce's namespace
        (document("CustomField", "<label>A</label>"), "without fullName"),
    ],
)
def test_a_child_that_is_not_what_its_name_says_is_refused(content, words):
    source = tree({"core:objects/Lead/fields/A__c.field-meta.xml": content})

    with pytest.raises(Unreadable, match=words):
        archive.build(source, values=None)


def test_a_document_type_is_refused_before_an_entity_of_it_is_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("do not tell")
    content = (
        f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>'
        f'<CustomField xmlns="{MD}"><fullName>A__c</fullName>'
        "<label>&e;</label></CustomField>"
    )
    source = {"core:objects/Lead/fields/A__c.field-meta.xml": content.encode()}

    with pytest.raises(Unreadable, match="document type"):
        archive.files(tree(source))


names = st.text("ABCxyz0189", min_size=1, max_size=8).map(lambda text: f"F{text}__c")


@given(st.lists(names, unique=True, min_size=1, max_size=6), st.randoms())
def test_the_bytes_depend_on_the_content_alone(fields, random):
    files = {
        f"core:objects/Lead/fields/{name}.field-meta.xml": field(name)
        for name in fields
    }
    shuffled = list(files.items())
    random.shuffle(shuffled)

    assert archive.build(tree(files), values=None) == archive.build(
        tree(dict(shuffled)), values=None
    )


def test_the_manifest_stands_at_the_root_and_the_files_carry_no_time():
    source = tree({"core:flows/A.flow-meta.xml": document("Flow", "")})
    packed = zipfile.ZipFile(io.BytesIO(archive.build(source, values=None)))

    assert packed.namelist() == ["flows/A.flow", "package.xml"]
    assert {entry.date_time[:3] for entry in packed.infolist()} == {(1980, 1, 1)}
