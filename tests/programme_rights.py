"""The right to keep the list of referrers, as a manager of the programme has it."""

from typing import Any

from sidecar.devorg.process import Running


def keep_referrers(salesforce: Any, org: Running) -> None:
    """Give it to the org's admin; to give it twice changes nothing."""
    admin = org.user_ids[org.admin]
    query = "SELECT Id FROM PermissionSet WHERE Name = 'Referral_Manager'"
    (found,) = salesforce.query(query)["records"]
    given = salesforce.query(
        f"SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = '{admin}' "
        f"AND PermissionSetId = '{found['Id']}'"
    )
    if not given["records"]:
        values = {"AssigneeId": admin, "PermissionSetId": found["Id"]}
        salesforce.restful(
            "sobjects/PermissionSetAssignment", method="POST", json=values
        )
