"""A desk at a dev org."""

from collections.abc import Iterator

import pytest
from actions.desk import Desk, grant

from sidecar.demo.stage import client
from sidecar.devorg.process import Running
from sidecar.store.connections import OrgConnection
from sidecar.wiring import Wiring

FIELDS = ("NumberOfEmployees", "AnnualRevenue", "DoNotCall", "Description", "Rating")


@pytest.fixture(scope="session")
def granted(org: Running) -> Iterator[Running]:
    """The org, in which the integration user may do what playbooks here say."""
    salesforce = client(org)
    parent = grant(
        salesforce,
        org.user_ids[org.integration_user],
        {
            "Lead": "Read Edit",
            "Opportunity": "Read Edit",
            "Account": "Read",
            "Campaign": "Read",
        },
        *(f"Lead.{name}" for name in FIELDS),
        "Lead.Referral_Response_Due__c",
        "Opportunity.Description",
        "CampaignMember.Status",
    )
    yield org
    salesforce.restful(f"sobjects/PermissionSet/{parent}", method="DELETE")


@pytest.fixture
def desk(wiring: Wiring, granted: Running, linked: OrgConnection) -> Desk:
    """A desk at a dev org."""
    return Desk(wiring, granted, linked)
