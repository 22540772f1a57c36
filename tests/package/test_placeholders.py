import pytest
from trees import document, tree

from sidecar.errors import Permanent, Unreadable
from sidecar.package import archive, placeholders, read

TEXT = "https://placeholder.invalid/endpoint"
WORKFLOW = "core/main/default/workflows/Lead.workflow-meta.xml"
DECLARED = {
    "filename": WORKFLOW,
    "stringToReplace": TEXT,
    "replaceWithEnv": "ENDPOINT_URL",
}


def project(*replacements, body=f"<endpointUrl>{TEXT}</endpointUrl>"):
    return tree(
        {"core:workflows/Lead.workflow-meta.xml": document("Workflow", body)},
        replacements=list(replacements),
    )


def test_a_value_takes_the_place_of_the_text_escaped_as_xml():
    filled = placeholders.fill(
        project(DECLARED), {"ENDPOINT_URL": "https://example.com/?a=1&b=<2>"}
    )

    assert (
        b"<endpointUrl>https://example.com/?a=1&amp;b=&lt;2&gt;</endpointUrl>"
        in filled[WORKFLOW]
    )
    assert TEXT.encode() not in b"".join(filled.values())
    assert placeholders.declared(filled) == []


def test_without_values_the_zip_holds_what_the_source_holds():
    source = project(DECLARED)

    assert archive.build(source, values=None) == archive.build(
        source, values={"ENDPOINT_URL": TEXT}
    )


def test_a_value_for_a_module_that_is_not_installed_is_not_asked_for():
    source = project(
        DECLARED, {**DECLARED, "filename": "other/x", "replaceWithEnv": "X"}
    )

    assert [p.name for p in placeholders.declared(source)] == ["ENDPOINT_URL"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "needs a value for ENDPOINT_URL"),
        ({"ENDPOINT_URL": "x", "USER": "y"}, "no placeholder USER"),
        ({"ENDPOINT_URL": " "}, "cannot be written"),
        ({"ENDPOINT_URL": "https://example.com/\nX"}, "cannot be written"),
        ({"ENDPOINT_URL": "\x00"}, "cannot be written"),
    ],
)
def test_a_value_that_is_missing_left_over_or_unfit_is_refused(values, words):
    with pytest.raises(Permanent, match=words):
        archive.build(project(DECLARED), values=values)


def test_a_declaration_whose_text_is_nowhere_is_refused():
    with pytest.raises(Unreadable, match="does not hold 'https://placeholder"):
        placeholders.declared(project(DECLARED, body="<x/>"))


@pytest.mark.parametrize(
    "entry", ["x", {}, {**DECLARED, "replaceWithFile": "y"}, {"glob": "**"}]
)
def test_a_declaration_of_another_form_is_refused_not_passed_over(entry):
    with pytest.raises(Unreadable, match="a replacement needs filename"):
        placeholders.declared(project(entry))


def test_the_bundled_package_names_what_it_needs():
    assert {p.name for p in placeholders.declared(read.load(read.bundled()))} == {
        "REFERRAL_ENDPOINT_URL",
        "REFERRAL_EVENTS_URL",
        "REFERRAL_INTEGRATION_USERNAME",
    }
