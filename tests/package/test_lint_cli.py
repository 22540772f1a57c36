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
