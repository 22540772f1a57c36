"""The web server flow with PKCE: an admin allows us in the browser.

Source: "OAuth 2.0 Web Server Flow for Web App Integration", Salesforce Help; RFC 7636;
OpenID Connect Core 3.1.3.7: an ID token that came straight from the token endpoint over
TLS needs no signature check, its audience and nonce still count.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import jwt
import requests

from sidecar.errors import Permanent
from sidecar.salesforce import login
from sidecar.salesforce.login import Grant

SCOPES = "api refresh_token openid"


@dataclass(frozen=True)
class Attempt:
    """What only we know of one authorization until the browser comes back."""

    state: str
    verifier: str
    nonce: str


def new_attempt() -> Attempt:
    """Draw an attempt; 256 bits each."""
    return Attempt(*(secrets.token_urlsafe(32) for _ in range(3)))


def address(
    attempt: Attempt, *, login_url: str, client_id: str, redirect_uri: str
) -> str:
    """Give the page of the org where the admin says yes or no."""
    digest = hashlib.sha256(attempt.verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": SCOPES,
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return f"{login_url}/services/oauth2/authorize?{urlencode(asked)}"


def exchange(
    http: requests.Session,
    attempt: Attempt,
    *,
    code: str,
    login_url: str,
    client_id: str,
    client_secret: str,
    redirect_uri: str,
) -> Grant:
    """
    Turn the code into tokens.

    Raises:
        Retryable, Permanent: as ``login.fetch``; Permanent also where the ID token is
            another attempt's.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "code_verifier": attempt.verifier,
    }
    if client_secret:
        form["client_secret"] = client_secret
    grant = login.ask(http, login_url, form)
    _check(grant.answer, attempt, client_id)
    if not grant.refresh_token:
        raise Permanent(
            "the org gave no refresh token: add the scope refresh_token "
            "(Perform requests at any time) to the External Client App"
        )
    return grant


def _check(answer: Mapping[str, object], attempt: Attempt, client_id: str) -> None:
    try:
        claims = jwt.decode(
            str(answer.get("id_token", "")), options={"verify_signature": False}
        )
    except jwt.PyJWTError as exc:
        raise Permanent(
            "the org gave no ID token: add the scope openid to the External Client App"
        ) from exc
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    same = hmac.compare_digest(str(claims.get("nonce", "")), attempt.nonce)
    if client_id not in audiences or not same:
        raise Permanent("the ID token belongs to another authorization")
