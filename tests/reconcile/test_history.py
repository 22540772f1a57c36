"""Field history: where the org tracks the field, nothing that it was at is missed."""

import io
import time
import zipfile

import pytest
from life import Life

from sidecar.devorg.process import Running
from sidecar.salesforce import metadata
from sidecar.salesforce.metadata import Options
from sidecar.salesforce.session import API_VERSION, http_session
from sidecar.store.tables import event

_NAMESPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
_PACKAGE = f"""<?xml version="1.0" encoding="UTF-8"?>
<Package {_NAMESPACE}>
    <types><members>Lead.Referral_Status__c</members><name>CustomField</name></types>
    <version>{API_VERSION}</version>
</Package>"""
_LEAD = """<?xml version="1.0" encoding="UTF-8"?>
<CustomObject {namespace}>
    <fields>
        <fullName>Referral_Status__c</fullName>
        <label>Referral Status</label>
        <required>false</required>
        <trackHistory>{tracked}</trackHistory>
        <type>Picklist</type>
        <valueSet>
            <restricted>true</restricted>
            <valueSetName>Referral_Status</valueSetName>
        </valueSet>
    </fields>
</CustomObject>"""


def _track(org: Running, tracked: bool) -> None:
    """Let the org keep the history of leads' referral status, or no longer."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("package.xml", _PACKAGE)
        lead = _LEAD.format(namespace=_NAMESPACE, tracked=str(tracked).lower())
        file.writestr("objects/Lead.object", lead)
    session = http_session()
    session.trust_env = False
    session.verify = str(org.ca_file)
    session.headers["Authorization"] = f"Bearer {org.admin_token}"
    where = {"base_url": org.base_url, "api_version": API_VERSION}
    id_ = metadata.start(
        session, **where, archive=content.getvalue(), options=Options()
    )
    deadline = time.monotonic() + 30
    while not (told := metadata.status(session, **where, deployment_id=id_)).done:
        assert time.monotonic() < deadline, "the deployment hangs"
        time.sleep(0.05)
    assert told.success, told.failures


@pytest.fixture
def tracking(life: Life):
    """An org that tracks the field."""
    _track(life.org, True)
    yield
    _track(life.org, False)


def _walk(life: Life) -> None:
    """A lead is won, which no flow stamps on leads, and lost before anybody hears."""
    life.misfortunes(drop=1.0)
    (lead,) = life.refer(1)
    for status in ("Contacted", "Won", "Lost"):
        life.pass_time(minutes=1)
        life.move({lead: status})
    life.settle()


def test_what_no_flow_stamps_is_shown_by_history(life: Life, tracking: None):
    _walk(life)

    assert life.wanted() == life.done()
    assert (life.count("expected"), life.count("recovered")) == (4, 4)


def test_without_history_the_stamps_show_the_rest(life: Life):
    _walk(life)

    missing = life.wanted() - life.done()
    assert {status for _, _, status in missing} == {"Won"}
    assert life.count("unexplained") == 0, "what nothing shows is not expected"


def test_what_was_tracked_and_told_is_not_made_up_for(life: Life, tracking: None):
    (lead,) = life.refer(1)
    life.live(minutes=1)
    life.move({lead: "Contacted"})
    life.live(minutes=1)
    life.settle()

    assert {source for (source,) in life.events(event.c.source)} == {"outbound_message"}
    assert life.wanted() == life.done()
