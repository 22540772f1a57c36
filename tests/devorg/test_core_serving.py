"""The org as a process: TLS, real sockets, clients that others wrote."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from sidecar.devorg.process import running


@pytest.fixture
def http(served):
    """A session that trusts the org's authority."""
    session = requests.Session()
    # Else an environment variable decides whom to trust.
    session.trust_env = False
    session.verify = served.ca_file
    yield session
    session.close()


def token_for(served, http, username):
    claims = {
        "iss": served.consumer_key,
        "sub": username,
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 120,
    }
    key = Path(served.jwt_key_file).read_text()
    assertion = jwt.encode(claims, key, algorithm="RS256")
    answer = http.post(
        f"{served.base_url}/services/oauth2/token",
        data={
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": assertion,
        },
    )
    return answer.json()["access_token"]


def test_a_client_that_knows_salesforce_finds_one(served, http):
    token = token_for(served, http, served.admin)
    sf = Salesforce(
        instance_url=served.base_url, session_id=token, session=http, version="62.0"
    )

    lead = sf.Lead.create({"LastName": "Example", "Company": "Example GmbH"})["id"]
    sf.Lead.update(lead, {"Title": "Director"})
    found = sf.query(f"SELECT Title FROM Lead WHERE Id = '{lead}'")

    assert found["records"][0]["Title"] == "Director"
    assert sf.api_usage["api-usage"].total == 15000
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.Lead.update(lead, {"Company": None})
    assert refused.value.content[0]["fields"] == ["Company"]
    sf.Lead.delete(lead)
    with pytest.raises(SalesforceResourceNotFound):
        sf.Lead.get(lead)
    sf.session_id = "00D000000000001!bogus"
    sf.headers["Authorization"] = f"Bearer {sf.session_id}"
    with pytest.raises(SalesforceExpiredSession):
        sf.query("SELECT Id FROM Lead")


def test_a_stranger_to_the_authority_is_not_served(served):
    with requests.Session() as stranger:
        stranger.trust_env = False
        with pytest.raises(requests.exceptions.SSLError):
            stranger.get(f"{served.base_url}/services/data")


@pytest.mark.parametrize(("after_acting", "left"), [(False, 0), (True, 1)])
def test_a_connection_cut_before_or_after_acting(served, http, after_acting, left):
    headers = {"Authorization": f"Bearer {served.admin_token}"}
    name = f"Cut {after_acting}"
    fault = {"method": "POST", "path": "/sobjects/Account", "hang_up": True}
    http.post(
        f"{served.base_url}/devorg/faults", json=fault | {"after_acting": after_acting}
    )

    with pytest.raises(requests.exceptions.ConnectionError):
        http.post(
            f"{served.base_url}/services/data/v66.0/sobjects/Account",
            json={"Name": name},
            headers=headers,
        )

    found = http.get(
        f"{served.base_url}/services/data/v66.0/query",
        params={"q": f"SELECT COUNT() FROM Account WHERE Name = '{name}'"},
        headers=headers,
    )
    assert found.json()["totalSize"] == left


def test_many_at_once_are_served_one_after_the_other(served, http):
    headers = {"Authorization": f"Bearer {served.admin_token}"}

    def create(number):
        return http.post(
            f"{served.base_url}/services/data/v66.0/sobjects/Campaign",
            json={"Name": f"Campaign {number}"},
            headers=headers,
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(create, range(40))) == {201}
    found = http.get(
        f"{served.base_url}/services/data/v66.0/query",
        params={"q": "SELECT COUNT() FROM CampaignMemberStatus"},
        headers=headers,
    )
    assert found.json()["totalSize"] == 80


def test_plain_http_for_those_who_ask(tmp_path):
    with running(tmp_path, plain=True, speed=1000.0) as plain:
        assert plain.base_url.startswith("http://127.0.0.1:")
        assert plain.ca_file is None
        with requests.Session() as session:
            session.trust_env = False
            state = session.get(f"{plain.base_url}/devorg").json()
        assert (state["org_id"], state["speed"]) == (plain.org_id, 1000.0)
