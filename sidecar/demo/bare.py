"""Module ``core`` in a dev org without the service beside it: no row, no proof.

For those who need an org with the package, and have no database to install it from.
"""

import time
from pathlib import Path

from simple_salesforce.api import Salesforce

from sidecar.devorg.process import Running
from sidecar.errors import Permanent
from sidecar.package import archive, read
from sidecar.salesforce import metadata
from sidecar.salesforce.deployment import Deployment
from sidecar.salesforce.metadata import Options
from sidecar.salesforce.session import API_VERSION, http_session

PERMISSION_SETS = ("Referral_Integration", "Referral_User")
_DEPLOY_SECONDS = 60.0


def client(org: Running) -> Salesforce:
    """Log in as the dev org's admin."""
    ca_file = Path(org.ca_file) if org.ca_file else None
    return Salesforce(
        instance_url=org.base_url,
        session_id=org.admin_token,
        version=API_VERSION,
        session=http_session(ca_file=ca_file),
    )


def install(org: Running, hook_url: str) -> None:
    """Deploy module ``core``, and grant its permission sets."""
    tree = read.select(read.load(read.bundled()), ["core"])
    values = {
        "REFERRAL_ENDPOINT_URL": hook_url,
        "REFERRAL_INTEGRATION_USERNAME": org.integration_user,
    }
    admin = client(org)
    deployed = _deploy(admin, org, archive.build(tree, values=values))
    if not deployed.success:
        told = "; ".join(f"{item.name}: {item.problem}" for item in deployed.failures)
        raise Permanent(f"the dev org refused the package: {told or deployed.error}")
    _grant(admin, org)


def _deploy(admin: Salesforce, org: Running, content: bytes) -> Deployment:
    session = admin.session
    session.headers["Authorization"] = f"Bearer {org.admin_token}"
    id_ = metadata.start(
        session,
        base_url=org.base_url,
        api_version=API_VERSION,
        archive=content,
        options=Options(),
    )
    deadline = time.monotonic() + _DEPLOY_SECONDS
    while True:
        told = metadata.status(
            session,
            base_url=org.base_url,
            api_version=API_VERSION,
            deployment_id=id_,
        )
        if told.done:
            return told
        if time.monotonic() > deadline:
            raise Permanent(f"the deployment hangs: {told.state} {told.detail}")
        time.sleep(0.2)


def _grant(admin: Salesforce, org: Running) -> None:
    """Fields are invisible to everyone, admins too, until they are granted."""
    names = ", ".join(f"'{name}'" for name in PERMISSION_SETS)
    sets = admin.query(
        f"SELECT Id, Name FROM PermissionSet WHERE Name IN ({names})"  # noqa: S608
    )["records"]
    given = {row["Name"]: row["Id"] for row in sets}
    wanted = [
        (org.integration_user, "Referral_Integration"),
        *((name, "Referral_User") for name in (org.admin, *org.reps)),
    ]
    for username, permission_set in wanted:
        admin.restful(
            "sobjects/PermissionSetAssignment",
            method="POST",
            json={
                "AssigneeId": org.user_ids[username],
                "PermissionSetId": given[permission_set],
            },
        )
