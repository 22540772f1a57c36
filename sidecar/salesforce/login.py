"""Access tokens, by the OAuth flows that need nobody at the keyboard.

Sources: "OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration", "OAuth 2.0
Client Credentials Flow" and "OAuth 2.0 Refresh Token Flow", Salesforce Help.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import jwt
import requests

from sidecar.errors import Permanent, Retryable

FLOWS = ("jwt", "client_credentials", "refresh_token")


@dataclass(frozen=True)
class Grant:
    """
    What the org gave.

    ``refresh_token`` is the new one where the org rotates them; ``org_id`` is cut out
    of the identity URL.
    """

    access_token: str
    org_id: str
    refresh_token: str | None = None


def fetch(
    http: requests.Session,
    *,
    flow: str,
    login_url: str,
    client_id: str,
    username: str,
    secret: str,
) -> Grant:
    """
    Ask for an access token.

    Args:
        http: with time-outs.
        flow: one of ``FLOWS``.
        login_url: checked; for client credentials the org's My Domain.
        secret: the private key in PEM, the client's secret, or the refresh token.

    Raises:
        Retryable: no answer, or the login service has trouble.
        Permanent: the org refuses; with its words and what to look at.
    """
    form = _form(flow, login_url, client_id, username, secret)
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
    return Grant(
        access_token=str(given["access_token"]),
        org_id=_org_id(str(given.get("id", ""))),
        refresh_token=given.get("refresh_token") if flow == "refresh_token" else None,
    )


def _org_id(identity_url: str) -> str:
    """``https://login.salesforce.com/id/<org>/<user>``; empty where it is not that."""
    match urlsplit(identity_url).path.split("/"):
        case ["", "id", org_id, _]:
            return org_id
        case _:
            return ""


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


def _audience(login_url: str) -> str:
    """The audience is the login service, not the org's own domain."""
    host = urlsplit(login_url).hostname or ""
    if not host.endswith(".salesforce.com"):
        return login_url
    sandbox = host == "test.salesforce.com" or ".sandbox." in host
    return f"https://{'test' if sandbox else 'login'}.salesforce.com"


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


def _refusal(flow: str, given: Mapping[str, object]) -> str:
    error = str(given.get("error", "no reason given"))
    told = f"{error}: {given.get('error_description', '')}".rstrip(": ")
    remedy = _REMEDIES.get(error)
    if flow == "refresh_token" and error == "invalid_grant":
        remedy = "the refresh token is used up or revoked: connect the org again"
    return f"reconnect needed ({told})" + (f"; {remedy}" if remedy else "")
