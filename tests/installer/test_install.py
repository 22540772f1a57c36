"""An install changes what its plan listed, proves itself, and finds nothing to do twice."""

from sidecar.package import report


def test_core_is_planned_installed_granted_activated_and_proven(customer):
    rep = customer.org.reps[0]

    row = customer.install(grants=[(rep, "Referral_User")])

    assert row.plan["counts"]["add"] > 0
    assert row.evidence["read_back"]["lacking"] == []
    assert [step["ok"] for step in row.evidence["self_test"]["steps"]] == [True] * 7
    assert all(row.evidence["flows"].values())
    assert row.report["report"]["good"]
    assert report.html(row.report)
    given = customer.rows(
        "SELECT Assignee.Username FROM PermissionSetAssignment "
        "WHERE PermissionSet.Name = 'Referral_User'"
    )
    assert [each["Assignee"]["Username"] for each in given] == [rep]
