from pathlib import Path

import pytest
from trees import document, field, tree

from sidecar.errors import Unreadable
from sidecar.package import read


def named(found):
    return [(c.kind.type, c.name, c.module, len(c.files)) for c in found]


def test_the_children_of_an_object_are_one_component_with_it():
    source = tree(
        {
            "core:objects/Lead/fields/B__c.field-meta.xml": field("B__c"),
            "core:objects/Lead/fields/A__c.field-meta.xml": field("A__c"),
            "core:objects/Lead/listViews/Mine.listView-meta.xml": b"",
            "core:flows/Thing.flow-meta.xml": document("Flow", ""),
        }
    )

    assert named(read.components(source)) == [
        ("CustomObject", "Lead", "core", 3),
        ("Flow", "Thing", "core", 1),
    ]


def test_a_report_is_named_with_its_folder():
    source = tree(
        {
            "core:reports/Referrals.reportFolder-meta.xml": b"",
            "core:reports/Referrals/Funnel.report-meta.xml": b"",
        }
    )

    assert [c.name for c in read.components(source)] == [
        "Referrals/Funnel",
        "Referrals",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "flows/Thing.flwo-meta.xml",  # nobody knows the suffix
        "flows/Thing.flow",  # Metadata API format: a source deploy leaves it out
        "layouts/Thing.flow-meta.xml",  # in the folder of another type
        "objects/X__c.object-meta.xml",  # an object without a folder of its own
        "flows/notes.txt",
        "flows/-meta.xml",
        "flows/.flow-meta.xml",
    ],
)
def test_a_file_that_salesforce_would_leave_out_is_refused_by_name(path):
    with pytest.raises(Unreadable, match=path.rpartition("/")[2]):
        read.components(tree({f"core:{path}": b"<x/>"}))


@pytest.mark.parametrize("missing", ["cls", "cls-meta.xml"])
def test_half_a_class_is_refused(missing):
    files = {
        "core:classes/Sender.cls": b"class Sender {}",
        "core:classes/Sender.cls-meta.xml": document("ApexClass", ""),
    }
    del files[f"core:classes/Sender.{missing}"]

    with pytest.raises(Unreadable, match="ApexClass Sender"):
        read.components(tree(files))


def test_two_contents_of_one_class_are_refused():
    source = tree({"core:classes/a/A.cls": b"", "core:classes/b/A.cls": b""})

    with pytest.raises(Unreadable, match="ApexClass A"):
        read.components(source)


def test_selecting_a_module_leaves_the_files_of_the_others_out():
    source = tree(
        {
            "core:flows/A.flow-meta.xml": b"a",
            "core_more:flows/B.flow-meta.xml": b"b",
        },
        modules=("core", "core_more"),
    )

    assert sorted(read.select(source, ["core"])) == [
        "core/main/default/flows/A.flow-meta.xml",
        "sfdx-project.json",
    ]
    with pytest.raises(Unreadable, match="no module absent; there are core"):
        read.select(source, ["absent"])


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"packageDirectories": []}',
        b'{"packageDirectories": [{}]}',
        b'{"packageDirectories": [{"path": "../other"}]}',
        b'{"packageDirectories": [{"path": "/etc"}]}',
    ],
)
def test_a_project_file_that_names_no_package_directory_is_refused(content):
    with pytest.raises(Unreadable, match=r"sfdx-project\.json"):
        read.modules({"sfdx-project.json": content})


def test_loading_passes_over_hidden_files_and_what_is_outside_the_modules(tmp_path):
    source = tree({"core:flows/A.flow-meta.xml": b"a"})
    for path, data in {**source, "notes.txt": b"", "core/.idea/x": b""}.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    assert read.load(tmp_path) == source


def test_loading_refuses_a_folder_that_is_no_project(tmp_path):
    with pytest.raises(Unreadable, match=r"holds no sfdx-project\.json"):
        read.load(tmp_path)

    (tmp_path / "sfdx-project.json").write_bytes(tree({})["sfdx-project.json"])
    with pytest.raises(Unreadable, match="package directory core is missing"):
        read.load(tmp_path)


def test_an_installed_wheel_carries_the_package_inside_itself(monkeypatch, tmp_path):
    (tmp_path / "_metadata").mkdir()
    assert read.bundled().name == "salesforce_metadata"

    monkeypatch.setattr(read, "_HERE", Path(tmp_path / "package"))
    assert read.bundled() == tmp_path / "_metadata"
