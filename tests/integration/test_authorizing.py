"""Connecting an org in the browser, and saying what is wrong with a connection."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy import update

from sidecar.console import authorize
from sidecar.devorg.process import Running
from sidecar.errors import Permanent, SidecarError
from sidecar.salesforce import login
from sidecar.store import audit, connections, removal, tables
from sidecar.store.connections import OrgConnection
from sidecar.web import create_app
from sidecar.wiring import Wiring

APP = {"name": "Sidecar", "consumer_key": "3MVG9.web", "consumer_secret": "S3CRET"}


@pytest.fixture
def desk(wiring: Wiring, org: Running) -> Wiring:
    """A service that trusts the dev org, and an app for it there."""
    assert org.ca_file is not None
    wiring.settings = replace(
        wiring.settings,
        ca_file=Path(org.ca_file),
        public_url="https://sidecar.example.com",
    )
    app = {**APP, "callback_urls": [authorize.redirect_uri(wiring.settings)]}
    app["rotates_refresh_tokens"] = True
    _post(org, "/devorg/apps", app)
    return wiring


@pytest.fixture
def browser(desk: Wiring) -> Iterator[FlaskClient]:
    """A browser in front of our pages."""
    with create_app(desk).test_client() as client:
        yield client


def _post(org: Running, path: str, body: dict[str, object]) -> requests.Response:
    answer = requests.post(
        f"{org.base_url}{path}", json=body, verify=org.ca_file, timeout=10
    )
    answer.raise_for_status()
    return answer


def _link(desk: Wiring, org: Running, **more: object) -> str:
    given: dict[str, object] = {
        "name": "acme",
        "login_url": org.base_url,
        "client_id": APP["consumer_key"],
        "client_secret": APP["consumer_secret"],
        **more,
    }
    return authorize.begin(desk, **given)  # type: ignore[arg-type]


def _leave(browser: FlaskClient, link: str) -> str:
    """Open the link; where it leads."""
    answer = browser.get(urlsplit(link).path, base_url="https://sidecar.example.com")
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def _allow(org: Running, address: str, **form: str) -> str:
    """Say yes at the org; where it sends the browser."""
    form = {"username": org.admin, "allow": "yes", **form}
    answer = requests.post(
        address, data=form, verify=org.ca_file, allow_redirects=False, timeout=10
    )
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def _back(browser: FlaskClient, address: str) -> tuple[int, str]:
    parts = urlsplit(address)
    answer = browser.get(
        f"{parts.path}?{parts.query}", base_url="https://sidecar.example.com"
    )
    return answer.status_code, answer.text


def test_an_org_is_connected_by_allowing_us_in_the_browser(
    desk: Wiring, browser: FlaskClient, org: Running
) -> None:
    back = _allow(org, _leave(browser, _link(desk, org)))

    status, page = _back(browser, back)

    assert status == 200, page
    key = re.search(r"/hooks/outbound/([\w-]+)", page)
    assert key is not None
    with desk.engine.connect() as db:
        found = connections.by_hook_key(db, key[1])
    assert found is not None
    assert (found.name, found.org_id, found.flow) == (
        "acme",
        org.org_id,
        "refresh_token",
    )
    assert desk.sessions.call(found.id, lambda client: client.limits())


def test_what_leaves_for_the_org_is_bound_to_this_browser_and_attempt(
    desk: Wiring, browser: FlaskClient, org: Running
) -> None:
    asked = parse_qs(urlsplit(_leave(browser, _link(desk, org))).query)

    cookie = browser.get_cookie(
        authorize.COOKIE, domain="sidecar.example.com", path="/oauth"
    )
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["https://sidecar.example.com/oauth/callback"]
    assert len(asked["state"][0]) >= 43
    assert asked["nonce"] != asked["state"]
    assert cookie is not None
    assert cookie.secure
    assert cookie.http_only
    assert cookie.value == asked["state"][0]


@pytest.mark.parametrize(
    "forged",
    [
        {"state": "another"},
        {"state": ""},
        {"code": "another"},
    ],
    ids=["another state", "no state", "another code"],
)
def test_an_answer_that_is_not_the_orgs_connects_nothing(
    desk: Wiring, browser: FlaskClient, org: Running, forged: dict[str, str]
) -> None:
    back = urlsplit(_allow(org, _leave(browser, _link(desk, org))))
    query = {key: value[0] for key, value in parse_qs(back.query).items()}

    status, _ = _back(browser, f"{back.path}?{urlencode({**query, **forged})}")

    assert status == 400
    with desk.engine.connect() as db:
        assert connections.listing(db) == []


def test_an_answer_counts_once(
    desk: Wiring, browser: FlaskClient, org: Running
) -> None:
    link = _link(desk, org)
    back = _allow(org, _leave(browser, link))
    assert _back(browser, back)[0] == 200
    _leave_again = browser.get(
        urlsplit(link).path, base_url="https://sidecar.example.com"
    )

    status, page = _back(browser, back)

    assert _leave_again.status_code == 400
    assert status == 400, page


def test_another_browser_cannot_finish_what_this_one_began(
    desk: Wiring, browser: FlaskClient, org: Running
) -> None:
    back = _allow(org, _leave(browser, _link(desk, org)))

    status, page = _back(create_app(desk).test_client(), back)

    assert status == 400
    assert "did not begin" in page


def test_a_link_expires(
    desk: Wiring, browser: FlaskClient, org: Running, hand: Callable[..., object]
) -> None:
    link = _link(desk, org)
    hand.move(minutes=16)  # type: ignore[attr-defined]

    answer = browser.get(urlsplit(link).path)

    assert answer.status_code == 400


def test_a_no_is_told_in_the_orgs_words(
    desk: Wiring, browser: FlaskClient, org: Running
) -> None:
    back = _allow(org, _leave(browser, _link(desk, org)), allow="no")

    status, page = _back(browser, back)

    assert status == 400
    assert "access_denied" in page
    assert "<script" not in page


def test_whatever_the_answer_says_stays_text(browser: FlaskClient) -> None:
    browser.set_cookie(
        authorize.COOKIE, "s", domain="sidecar.example.com", path="/oauth"
    )

    status, page = _back(
        browser, "/oauth/callback?state=s&error=%3Cscript%3Ealert(1)%3C/script%3E"
    )

    assert status == 400
    assert "<script>alert" not in page


def test_the_login_of_another_org_is_refused(
    desk: Wiring, browser: FlaskClient, org: Running
) -> None:
    link = _link(desk, org, org_id="00D000000000009EAA")

    status, page = _back(browser, _allow(org, _leave(browser, link)))

    assert status == 400
    assert org.org_id[:15] in page


def test_no_foreign_host_is_ever_asked(desk: Wiring, org: Running) -> None:
    with pytest.raises(Permanent, match="not a host"):
        _link(desk, org, login_url="https://salesforce.com.example.org")


def test_a_connections_login_is_renewed_in_place(
    desk: Wiring, browser: FlaskClient, org: Running, linked: OrgConnection
) -> None:
    link = _link(desk, org, connection_id=linked.id, org_id=linked.org_id)

    assert _back(browser, _allow(org, _leave(browser, link)))[0] == 200

    with desk.engine.connect() as db:
        assert connections.login(db, linked.id, keyring=desk.keyring).client_secret
        found = connections.find(db, linked.id)
    assert found is not None
    assert found.flow == "refresh_token"


def test_eight_workers_that_race_use_each_refresh_token_once(
    desk: Wiring, browser: FlaskClient, org: Running
) -> None:
    """A token used twice would end its whole family."""
    _back(browser, _allow(org, _leave(browser, _link(desk, org))))
    with desk.engine.connect() as db:
        (connection,) = connections.listing(db)
    for _ in range(5):
        _, stale = desk.current(connection.id)
        with ThreadPoolExecutor(8) as workers:
            renewed = workers.map(desk.renew, [connection.id] * 8, [stale] * 8)
            tokens = list(renewed)
        assert len({*tokens}) == 1
    assert desk.sessions.call(connection.id, lambda client: client.limits())


def test_as_whom_we_write_is_known_from_the_first_day(
    desk: Wiring, browser: FlaskClient, org: Running
) -> None:
    """Promise 15: our own changes are ours before any token is renewed."""
    _back(browser, _allow(org, _leave(browser, _link(desk, org))))

    with desk.engine.connect() as db:
        (connection,) = connections.listing(db)
        entries = audit.listing(db, limit=10)
    assert (connection.integration_user_id or "").startswith("005")
    noted = [each for each in entries if each.what == "connections.authorized"]
    assert noted[0].who.startswith("user 005")


def test_client_credentials_are_asked_for_at_the_my_domain_alone() -> None:
    with pytest.raises(Permanent, match="My Domain"):
        login.fetch(
            requests.Session(),
            flow="client_credentials",
            login_url="https://login.salesforce.com",
            client_id="key",
            username="",
            secret="secret",
        )


def test_signed_out_nobody_comes_in_with_the_old_token(
    desk: Wiring, browser: FlaskClient, org: Running
) -> None:
    _back(browser, _allow(org, _leave(browser, _link(desk, org))))
    with desk.engine.connect() as db:
        (connection,) = connections.listing(db)

    assert desk.sign_out(connection.id) is None

    _, stale = desk.current(connection.id)
    with pytest.raises(Permanent, match="reconnect needed"):
        desk.renew(connection.id, stale)
    assert desk.sign_out(connection.id) is None, "twice does no harm"


def test_who_cannot_be_signed_out_is_told_what_helps(
    wiring: Wiring, connect: Callable[..., tuple[OrgConnection, str]]
) -> None:
    connection, _ = connect(flow="refresh_token")

    told = wiring.sign_out(connection.id)

    assert told is not None
    assert "Connected Apps OAuth Usage" in told


def test_a_connection_removed_meanwhile_is_not_renewed(
    desk: Wiring, browser: FlaskClient, org: Running, linked: OrgConnection
) -> None:
    link = _link(desk, org, connection_id=linked.id, org_id=linked.org_id)
    answer = _allow(org, _leave(browser, link))
    with desk.engine.begin() as db:
        removal.remove(db, linked.id)

    status, page = _back(browser, answer)

    assert status == 400
    assert "was removed" in page


# --- connections test ----------------------------------------------------------------


def test_a_connection_that_works_is_well_in_every_part(
    desk: Wiring, linked: OrgConnection
) -> None:
    steps = list(desk.try_out(linked.id))

    assert [step for step in steps if not step.well] == []
    assert [step.part for step in steps][1:] == ["login", "API", "user", "fields"]


@pytest.mark.parametrize(
    ("column", "value", "part", "remedy"),
    [
        ("client_id", "another", "login", "consumer key"),
        ("username", "nobody@example.com", "login", "pre-authorised"),
        ("instance_url", "https://127.0.0.1:1", "host 127.0.0.1", "no answer"),
        ("org_id", "00D000000000009EAA", "login", "the connection is to"),
    ],
)
def test_what_is_wrong_with_a_connection_is_named(
    desk: Wiring,
    linked: OrgConnection,
    column: str,
    value: str,
    part: str,
    remedy: str,
) -> None:
    with desk.engine.begin() as db:
        db.execute(update(tables.connection).values({column: value}))

    told = list(desk.try_out(linked.id))[-1]

    assert not told.well
    assert told.part == part
    assert remedy in told.seen


def test_a_clock_that_is_off_is_named(
    desk: Wiring, linked: OrgConnection, hand: Callable[..., object]
) -> None:
    hand.move(minutes=7)  # type: ignore[attr-defined]

    told = list(desk.try_out(linked.id))[-1]

    assert not told.well
    assert re.search("4[12][0-9] s ahead", told.seen)


def test_a_key_that_is_not_the_apps_is_named(
    desk: Wiring, linked: OrgConnection, folder: Path
) -> None:
    from sidecar.devorg.certificates import make_signer

    make_signer(folder / "other.key")
    other = desk.keyring.seal((folder / "other.key").read_text())
    with desk.engine.begin() as db:
        db.execute(update(tables.connection).values(secret_sealed=other))

    told = list(desk.try_out(linked.id))[-1]

    assert "certificate" in told.seen


def test_there_is_no_trial_of_what_is_not_there(desk: Wiring) -> None:
    with pytest.raises(SidecarError, match="no connection"):
        desk.try_out(99)
