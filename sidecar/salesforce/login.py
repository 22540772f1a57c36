"""Access tokens, by the OAuth flows that need nobody at the keyboard.

Sources: "OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration", "OAuth 2.0
Client Credentials Flow" and "OAuth 2.0 Refresh Token Flow", Salesforce Help.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import jwt
import requests

from sidecar.errors import Permanent, Retryable

FLOWS = ("jwt", "client_credentials", "refresh_token")


@dataclass(frozen=True)
class Grant:
    """
    What the org gave.

    ``refresh_token`` is the new one where the org rotates them; ``org_id`` and
    ``user_id`` are cut out of the identity URL; ``answer`` is all that came.
    """

    access_token: str
    org_id: str
    user_id: str = ""
    refresh_token: str | None = None
    answer: Mapping[str, object] = field(default_factory=dict, repr=False)


def fetch(
    http: requests.Session,
    *,
    flow: str,
    login_url: str,
    client_id: str,
    username: str,
    secret: str,
    client_secret: str = "",
) -> Grant:
    """
    Ask for an access token.

    Args:
        http: with time-outs.
        flow: one of ``FLOWS``.
        login_url: checked; for client credentials the org's My Domain.
        secret: the private key in PEM, the client's secret, or the refresh token.
        client_secret: beside a refresh token, where the app wants it.

    Raises:
        Retryable: no answer, or the login service has trouble.
        Permanent: the org refuses; with its words and what to look at.
    """
    form = _form(flow, login_url, client_id, username, secret)
    if flow == "refresh_token" and client_secret:
        form = {**form, "client_secret": client_secret}
    return ask(http, login_url, form)


def ask(http: requests.Session, login_url: str, form: Mapping[str, str]) -> Grant:
    """
    Send a form to the token endpoint.

    Raises:
        Retryable, Permanent: as ``fetch``.
    """
    flow = form["grant_type"]
    try:
        answer = http.post(f"{login_url}/services/oauth2/token", data=form)
    except requests.RequestException as exc:
        raise Retryable(f"no answer from {login_url}: {exc}") from exc
    if answer.status_code >= 500 or answer.status_code == 429:
        raise Retryable(f"{login_url} answered {answer.status_code}")
    try:
        given = answer.json()
    except ValueError as exc:
        raise Permanent(
            f"{login_url} did not answer like Salesforce: {answer.text[:200]!r}"
        ) from exc
    if answer.status_code != 200 or "access_token" not in given:
        raise Permanent(_refusal(flow, given))
    org_id, user_id = _identity(str(given.get("id", "")))
    refresh_token = given.get("refresh_token")
    return Grant(
        access_token=str(given["access_token"]),
        org_id=org_id,
        user_id=user_id,
        refresh_token=str(refresh_token) if refresh_token else None,
        answer=given,
    )


def revoke(http: requests.Session, login_url: str, token: str) -> None:
    """
    End a refresh or access token, and with a refresh token all that came of it.

    Raises:
        Retryable, Permanent: as ``fetch``; to revoke twice does no harm.

    Source:
        "Revoke OAuth Tokens", Salesforce Help: 200, or 400 with an error.
    """
    try:
        answer = http.post(f"{login_url}/services/oauth2/revoke", data={"token": token})
    except requests.RequestException as exc:
        raise Retryable(f"no answer from {login_url}: {exc}") from exc
    if answer.status_code >= 500 or answer.status_code == 429:
        raise Retryable(f"{login_url} answered {answer.status_code}")
    if not answer.ok:
        raise Permanent(f"the org says no ({answer.status_code} {answer.text[:200]!r})")


def _identity(identity_url: str) -> tuple[str, str]:
    """``https://login.salesforce.com/id/<org>/<user>``; empty where it is not that."""
    match urlsplit(identity_url).path.split("/"):
        case ["", "id", org_id, user_id]:
            return org_id, user_id
        case _:
            return "", ""


def _form(
    flow: str, login_url: str, client_id: str, username: str, secret: str
) -> Mapping[str, str]:
    match flow:
        case "jwt":
            claims = {
                "iss": client_id,
                "sub": username,
                "aud": _audience(login_url),
                "exp": int(time.time()) + 180,
            }
            try:
                assertion = jwt.encode(claims, secret, algorithm="RS256")
            except (jwt.PyJWTError, ValueError, TypeError) as exc:
                raise Permanent(f"the private key cannot be used: {exc}") from exc
            return {
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": assertion,
            }
        case "client_credentials":
            if urlsplit(login_url).hostname in _LOGIN_HOSTS:
                raise Permanent(
                    "client credentials are taken at the org's My Domain alone: make "
                    "the login URL https://....my.salesforce.com"
                )
            return {
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_secret": secret,
            }
        case "refresh_token":
            return {
                "grant_type": "refresh_token",
                "client_id": client_id,
                "refresh_token": secret,
            }
        case _:
            raise Permanent(f"no login flow {flow!r}; there are {', '.join(FLOWS)}")


_LOGIN_HOSTS = ("login.salesforce.com", "test.salesforce.com")


def _audience(login_url: str) -> str:
    """The audience is the login service, not the org's own domain."""
    host = urlsplit(login_url).hostname or ""
    if not host.endswith(".salesforce.com"):
        return login_url
    sandbox = host == "test.salesforce.com" or ".sandbox." in host
    return f"https://{'test' if sandbox else 'login'}.salesforce.com"


# What Salesforce says behind one and the same invalid_grant, and what helps.
_SAID = {
    "hasn't approved": "the user is not pre-authorised: in the app's policies, allow "
    "admin approved users and select a permission set that the user has",
    "audience is invalid": "the login URL belongs to another kind of org: "
    "https://test.salesforce.com for a sandbox, https://login.salesforce.com else",
    "invalid assertion": "the certificate in the app is not the one of this key",
    "expired authorization code": "the code or assertion came too late: this machine's "
    "clock may be off",
    "expired access/refresh token": "the refresh token is used up or revoked: connect "
    "the org again",
    "no client credentials user": "name a Run As user in the app's policies",
    "redirect_uri": "the app's callback URL is another one, to the letter",
    "code verifier": "the answer belongs to another attempt: begin again",
    "ip restricted": "the app's policies, or the profile's login IP ranges, refuse "
    "this machine's address",
    "user is inactive": "activate the integration user",
}
_REMEDIES = {
    "invalid_grant": "the user may not be pre-authorised for the app, the user name "
    "or the audience may be wrong, or this machine's clock may be off",
    "invalid_client_id": "check the consumer key",
    "invalid_client": "check the consumer key and the consumer secret",
    "invalid_app_access": "let an admin approve the app for this user",
    "inactive_user": "activate the integration user",
    "inactive_org": "the org is locked, closed or suspended",
    "unsupported_grant_type": "turn this flow on in the External Client App",
}


def _refusal(grant_type: str, given: Mapping[str, object]) -> str:
    error = str(given.get("error", "no reason given"))
    told = f"{error}: {given.get('error_description', '')}".rstrip(": ")
    remedy = next(
        (helps for said, helps in _SAID.items() if said in told), _REMEDIES.get(error)
    )
    if grant_type == "refresh_token" and error == "invalid_grant":
        remedy = _SAID["expired access/refresh token"]
    if grant_type == "authorization_code":
        return f"the org refuses the code ({told})" + (f"; {remedy}" if remedy else "")
    return f"reconnect needed ({told})" + (f"; {remedy}" if remedy else "")
