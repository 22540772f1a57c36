"""Tokens: who gets one, who does not, and when it ends."""

import time
from datetime import timedelta

import jwt
import pytest
from core_api import Api

from sidecar.devorg.certificates import make_signer
from sidecar.devorg.founding import ADMIN, INTEGRATION, REPS
from sidecar.devorg.oauth import JWT_BEARER
from sidecar.devorg.sessions import App

KEY, SECRET = "3MVG9key", "0123ABC"


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    """A private key, and the certificate an admin uploads."""
    file = tmp_path_factory.mktemp("keys") / "jwt.key"
    certificate = make_signer(file)
    return file.read_text(), certificate


@pytest.fixture
def app(org, signer):
    made = App(
        name="Test",
        consumer_key=KEY,
        consumer_secret=SECRET,
        certificate=signer[1],
        run_as=org.user_named(INTEGRATION),
        authorised={org.user_named(ADMIN)},
    )
    org.apps[KEY] = made
    return made


def ask(admin, **form):
    headers = form.pop("headers", {})
    response = admin.http.post("/services/oauth2/token", data=form, headers=headers)
    return response.status_code, response.get_json()


def assertion(signer, **claims):
    claims = {
        "iss": KEY,
        "sub": ADMIN,
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 180,
    } | claims
    return jwt.encode(claims, signer[0], algorithm="RS256")


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"sub": ADMIN.upper(), "aud": "https://test.salesforce.com"},
        {"aud": "https://localhost/", "exp": (int(time.time()) + 86_400) * 1000},
    ],
)
def test_a_signed_assertion_gets_a_token_that_works(org, admin, app, signer, claims):
    status, answer = ask(
        admin, grant_type=JWT_BEARER, assertion=assertion(signer, **claims)
    )

    assert status == 200
    assert answer["id"] == f"https://localhost/id/{org.id}/{org.user_named(ADMIN)}"
    assert answer["access_token"].startswith(org.id[:15] + "!")
    assert "refresh_token" not in answer
    admin.token = answer["access_token"]
    assert admin.call("GET", "limits").status_code == 200


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"sub": REPS[0]}, "invalid_grant", "user hasn't approved this consumer"),
        ({"sub": "nobody"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"iss": "other"}, "invalid_client_id", "client identifier invalid"),
        ({"aud": "https://example.com"}, "invalid_grant", "audience is invalid"),
        ({"exp": 1}, "invalid_grant", "expired authorization code"),
        (
            {"exp": (int(time.time()) - 3600) * 1000},
            "invalid_grant",
            "expired authorization code",
        ),
    ],
)
def test_an_assertion_that_does_not_fit_gets_nothing(
    admin, app, signer, claims, error, description
):
    assert ask(admin, grant_type=JWT_BEARER, assertion=assertion(signer, **claims)) == (
        400,
        {"error": error, "error_description": description},
    )


def test_an_assertion_signed_by_someone_else_gets_nothing(admin, app, signer, tmp_path):
    make_signer(tmp_path / "other.key")
    forged = assertion(((tmp_path / "other.key").read_text(), ""))
    unsigned = jwt.encode({"iss": KEY, "sub": ADMIN}, None, algorithm="none")

    for given in (forged, unsigned, "x.y.z", ""):
        status, answer = ask(admin, grant_type=JWT_BEARER, assertion=given)
        assert (status, answer["error_description"]) == (400, "invalid assertion")


def test_client_credentials_act_as_the_run_as_user(org, admin, app):
    basic = {"Authorization": "Basic M01WRzlrZXk6MDEyM0FCQw=="}

    in_header = ask(admin, grant_type="client_credentials", headers=basic)
    in_body = ask(
        admin, grant_type="client_credentials", client_id=KEY, client_secret=SECRET
    )

    for status, answer in (in_header, in_body):
        assert status == 200
        assert answer["id"].endswith(org.user_named(INTEGRATION))
    assert ask(
        admin, grant_type="client_credentials", client_id=KEY, client_secret="x"
    ) == (
        401,
        {
            "error": "invalid_client",
            "error_description": "invalid client credentials",
        },
    )


def test_a_refresh_token_used_twice_ends_its_family_when_the_app_rotates(
    org, admin, app
):
    app.rotates_refresh_tokens = True
    first = org.sessions.grant(org.user_named(ADMIN), app=KEY)

    def refresh(token):
        return ask(
            admin, grant_type="refresh_token", refresh_token=token, client_id=KEY
        )

    _, answer = refresh(first)
    second = answer["refresh_token"]
    assert second != first
    assert refresh(first)[1]["error"] == "invalid_grant"
    assert refresh(second)[1]["error"] == "invalid_grant"


def test_without_rotation_a_refresh_token_stays(org, admin, app):
    token = org.sessions.grant(org.user_named(ADMIN), app=KEY)

    for _ in range(2):
        status, answer = ask(
            admin, grant_type="refresh_token", refresh_token=token, client_id=KEY
        )
        assert status == 200
        assert "refresh_token" not in answer
    admin.http.post("/services/oauth2/revoke", data={"token": token})
    assert (
        ask(admin, grant_type="refresh_token", refresh_token=token, client_id=KEY)[0]
        == 400
    )


def test_an_unknown_grant_is_refused(admin):
    assert ask(admin, grant_type="magic")[1]["error"] == "unsupported_grant_type"


def test_a_session_ends_two_hours_after_its_last_call(org, admin):
    org.clock.advance(timedelta(minutes=119))
    assert admin.call("GET", "limits").status_code == 200
    org.clock.advance(timedelta(minutes=119))
    assert admin.call("GET", "limits").status_code == 200

    org.clock.advance(timedelta(minutes=121))

    assert admin.refused("GET", "limits") == (
        401,
        "INVALID_SESSION_ID",
        "Session expired or invalid",
    )


def test_who_am_i(org, admin):
    headers = {"Authorization": f"Bearer {admin.token}"}
    user_id = org.user_named(ADMIN)

    info = admin.http.get("/services/oauth2/userinfo", headers=headers).get_json()
    identity = admin.http.get(f"/id/{org.id}/{user_id}", headers=headers).get_json()

    assert (info["user_id"], info["organization_id"]) == (user_id, org.id)
    assert info["preferred_username"] == identity["username"] == ADMIN
    assert identity["urls"]["rest"] == "https://localhost/services/data/v{version}/"
    assert admin.http.get("/services/oauth2/userinfo").status_code == 403
    other = Api.of(org, REPS[0])
    headers = {"Authorization": f"Bearer {other.token}"}
    assert admin.http.get(f"/id/{org.id}/{user_id}", headers=headers).status_code == 404


def test_introspection_tells_a_live_token_from_a_dead_one(org, admin, app):
    def introspect(token):
        return admin.http.post(
            "/services/oauth2/introspect",
            data={"token": token, "client_id": KEY, "client_secret": SECRET},
        ).get_json()

    assert introspect(admin.token)["username"] == ADMIN
    assert introspect("x") == {"active": False}
