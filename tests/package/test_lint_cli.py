"""The command ``sidecar package lint``: what it prints, and how it ends."""

import json

import pytest
from click.testing import CliRunner
from trees import field, tree

from sidecar.cli import cli


@pytest.fixture
def project(tmp_path):
    """Write a project to disk."""

    def write(files):
        for path, content in files.items():
            place = tmp_path / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        return str(tmp_path)

    return write


FIELD = "core:objects/Lead/fields/X__c.field-meta.xml"
SOUND = {"label": "X", "length": "10", "type": "Text"}


def run(*arguments):
    return CliRunner().invoke(cli, ["package", "lint", *arguments])


def test_a_folder_that_is_no_project_is_a_misuse(tmp_path):
    result = run(str(tmp_path))

    assert result.exit_code == 2
    assert "sfdx-project.json" in result.output


def test_a_folder_that_is_not_there_is_a_misuse(tmp_path):
    assert run(str(tmp_path / "nowhere")).exit_code == 2


def test_a_sound_project_has_no_findings(project):
    folder = project(tree({FIELD: field("X__c", **SOUND)}))

    result = run(folder)

    assert (result.exit_code, result.output.splitlines()[0]) == (0, "0 findings")


def test_a_finding_says_file_line_rule_and_remedy(project):
    folder = project(tree({FIELD: field("X__c", **SOUND, lenght="3")}))

    result = run(folder)

    assert result.exit_code == 1
    assert "core/main/default/objects/Lead/fields/X__c.field-meta.xml" in result.output
    assert "2: error schema/unknown-element" in result.output
    assert "did you mean length?" in result.output
    assert "1 finding: 1 error" in result.output


def test_json_says_the_same(project):
    folder = project(tree({FIELD: field("X__c", **SOUND, lenght="3")}))

    found = json.loads(run(folder, "--format", "json").output)

    assert found["counts"] == {"error": 1, "warning": 0, "note": 0}
    assert found["findings"][0]["rule"] == "schema/unknown-element"
    assert found["findings"][0]["line"] == 2


def test_sarif_holds_what_a_code_review_needs(project):
    """Source: SARIF 2.1.0, sections 3.13 (log), 3.19 (tool), 3.27 (result)."""
    folder = project(tree({FIELD: field("X__c", **SOUND, lenght="3")}))

    log = json.loads(run(folder, "--format", "sarif").output)

    assert log["version"] == "2.1.0"
    (one,) = log["runs"]
    driver = one["tool"]["driver"]
    assert driver["name"]
    (result,) = one["results"]
    assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["level"] in {"error", "warning", "note"}
    assert result["message"]["text"]
    (location,) = result["locations"]
    place = location["physicalLocation"]
    assert place["artifactLocation"]["uriBaseId"] in one["originalUriBaseIds"]
    assert not place["artifactLocation"]["uri"].startswith("/")
    assert place["region"] == {"startLine": 2}


def test_a_path_in_sarif_is_a_uri(project):
    name = "core:layouts/X__c-My Läyout.layout-meta.xml"
    folder = project(tree({name: b"<"}))

    log = json.loads(run(folder, "--format", "sarif").output)

    uri = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert uri["artifactLocation"]["uri"].endswith(
        "X__c-My%20L%C3%A4yout.layout-meta.xml"
    )


def test_advice_is_told_where_it_is_asked_for(project):
    folder = project(tree({FIELD: field("X__c", **SOUND)}))

    usual, all_of_it = run(folder), run(folder, "--level", "note")

    assert (usual.exit_code, all_of_it.exit_code) == (0, 1)
    assert "3 of a lower level" in usual.output
    assert {"field/help", "field/description"} <= {
        word.rstrip(":") for word in all_of_it.output.split()
    }


def test_without_a_folder_the_bundled_package_is_looked_at():
    assert run("--level", "note").output.splitlines() == ["0 findings"]


def test_the_project_says_what_it_holds_itself_to(project):
    said = {"levels": {"field/help": "error", "field/description": "off"}}
    files = tree({FIELD: field("X__c", **SOUND)}, plugins={"sidecar-lint": said})

    result = run(project(files), "--level", "note")

    assert "error field/help" in result.output
    assert "field/description" not in result.output


def test_an_exemption_takes_a_reason_and_one_finding_away(project):
    row = {"rule": "field/help", "name": "Lead.X__c", "reason": "Nobody sees it."}
    files = {FIELD: field("X__c", **SOUND)}

    for rows, told in (([row], 0), ([dict(row, reason="")], 1), ([], 1)):
        said = {"levels": {"field/help": "error"}, "exempt": rows}
        result = run(project(tree(files, plugins={"sidecar-lint": said})))
        assert ("error field/help" in result.output) == told, rows
