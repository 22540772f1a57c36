"""A report says what happened, and that nobody changed it since."""

import copy

import pytest

from sidecar import keyring
from sidecar.jobs.deploy import reporting
from sidecar.keyring import Keyring
from sidecar.package import report

FACTS = {
    "id": 7,
    "kind": "install",
    "connection": "acme <b>",
    "org_id": "00D000000000001EAA",
    "modules": ["core"],
    "version": "1",
    "requested_by": "anna",
    "created_at": "2030-01-01T00:00:00+00:00",
    "ended_at": "2030-01-01T00:01:00+00:00",
    "org": {"org_name": "Example GmbH", "edition": "Enterprise Edition"},
    "findings": [{"level": "informs", "message": "é", "remedy": "", "code": "x"}],
    "plan": {
        "counts": {"add": 1, "leave": 1},
        "entries": [
            {
                "type": "CustomField",
                "full_name": "Lead.A__c",
                "file": "objects/Lead.object",
                "action": action,
                "reason": "new",
                "diff": "secret",
            }
            for action in ("add", "leave")
        ],
    },
    "evidence": {
        "self_test": {
            "steps": [{"step": "s", "ok": True, "words": "w", "at": "t"}],
            "passed": True,
        },
        "timings": {"look": ["a", "b"]},
    },
}


@pytest.fixture
def ring():
    return Keyring([keyring.new_key()])


@pytest.fixture
def signed(ring):
    return reporting.signed(report.build(FACTS), ring)


def test_a_report_tells_what_changed_and_how_to_undo_it(signed):
    content = signed["report"]

    assert (content["good"], content["verdict"]) == (True, "installed and proven")
    assert [each["action"] for each in content["changes"]["entries"]] == ["add"]
    assert content["undo"] == "sidecar package rollback acme <b>"
    assert "secret" not in str(signed)


def test_a_failure_is_the_verdict():
    failed = copy.deepcopy(FACTS)
    failed["evidence"]["failure"] = "the org would refuse the package"

    content = report.build(failed)

    assert (content["good"], content["verdict"]) == (
        False,
        "the org would refuse the package",
    )


def test_a_report_is_what_was_signed_or_it_is_told(signed, ring):
    assert reporting.check(signed, ring) == ""

    forged = copy.deepcopy(signed)
    forged["report"]["verdict"] = "installed and proven, really"
    assert "changed" in reporting.check(forged, ring)


def test_a_report_is_ours_after_its_key_was_rotated_and_not_after_it_is_gone(
    signed, ring
):
    other = keyring.new_key()
    assert "not in this key ring" in reporting.check(signed, Keyring([other]))

    old = keyring.new_key()
    made = reporting.signed(report.build(FACTS), Keyring([old]))
    assert reporting.check(made, Keyring([other, old])) == ""


@pytest.mark.parametrize(
    "document",
    [{}, {"report": {}, "signature": {}}, {"report": [], "signature": "x"}],
)
def test_what_is_no_report_is_told(document, ring):
    assert reporting.check(document, ring)


def test_the_page_escapes_what_orgs_say(signed):
    page = report.html(signed)

    assert "acme &lt;b&gt;" in page
    assert "acme <b>" not in page
    assert signed["signature"]["public_key"] in page
