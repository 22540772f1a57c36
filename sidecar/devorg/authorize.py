"""The web server flow: a person allows an app, and the app gets a code.

Source: "OAuth 2.0 Web Server Flow for Web App Integration" and "Proof Key for Code
Exchange (PKCE)", Salesforce Help: the redirect address must be one of the app's, to
the letter; a code lives for 15 minutes and works once; the challenge is the SHA-256 of
the verifier, in base64url without padding.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from werkzeug.datastructures import ImmutableMultiDict

from sidecar.devorg.refusal import Refusal
from sidecar.devorg.sessions import App

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as Answer

    from sidecar.devorg.org import Org

CODE_LIFE = timedelta(minutes=15)
Form = ImmutableMultiDict[str, str]


@dataclass(frozen=True, slots=True)
class Code:
    """What a code stands for, until it is used."""

    app: str
    user_id: str
    redirect_uri: str
    challenge: str
    scope: str
    nonce: str
    expires: datetime


class Codes:
    """The codes given out and not used yet."""

    def __init__(self) -> None:
        self._codes: dict[str, Code] = {}

    def give(self, code: Code) -> str:
        """Give out a code."""
        name = f"aPrx{secrets.token_urlsafe(48)}"
        self._codes[name] = code
        return name

    def redeem(self, form: Form, app: App, now: datetime) -> Code:
        """
        Take a code back, once.

        Raises:
            Refusal: invalid_grant, redirect_uri_mismatch.
        """
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.app != app.consumer_key or code.expires < now:
            raise Refusal("invalid_grant", "expired authorization code")
        if form.get("redirect_uri", "") != code.redirect_uri:
            raise Refusal(
                "redirect_uri_mismatch", "redirect_uri must match configuration"
            )
        if code.challenge and not _answers(form.get("code_verifier", ""), code):
            raise Refusal("invalid_grant", "invalid code verifier")
        return code


def add_routes(routes: Blueprint, org: Org) -> None:
    """Add the page where a person says yes or no."""

    @routes.route("/services/oauth2/authorize", methods=["GET", "POST"])
    def authorize() -> Answer:
        """Ask; then send the browser back with a code, or with access_denied."""
        asked = request.values
        try:
            app = _asking(org, asked)
        except Refusal as refusal:
            # Nobody is sent to an address that the app does not know.
            words = f"error={refusal.error_code}&error_description={refusal.message}"
            return Response(words, status=400, content_type="text/html")
        if request.method == "GET":
            return Response(_page(org, app), content_type="text/html")
        answer = {"state": asked["state"]} if asked.get("state") else {}
        if request.form.get("allow") != "yes":
            answer["error"] = "access_denied"
            answer["error_description"] = "end-user denied authorization"
        else:
            user_id = org.user_named(request.form.get("username", ""))
            if user_id is None:
                return Response(_page(org, app), status=400, content_type="text/html")
            answer["code"] = org.codes.give(
                Code(
                    app=app.consumer_key,
                    user_id=user_id,
                    redirect_uri=asked["redirect_uri"],
                    challenge=asked.get("code_challenge", ""),
                    scope=asked.get("scope", "api refresh_token"),
                    nonce=asked.get("nonce", ""),
                    expires=org.clock.now() + CODE_LIFE,
                )
            )
        return redirect(f"{asked['redirect_uri']}?{urlencode(answer)}")


def _asking(org: Org, asked: object) -> App:
    values: Form = asked  # type: ignore[assignment]
    app = org.apps.get(values.get("client_id", ""))
    if app is None:
        raise Refusal("invalid_client_id", "client identifier invalid")
    if values.get("redirect_uri", "") not in app.callback_urls:
        raise Refusal("redirect_uri_mismatch", "redirect_uri must match configuration")
    if values.get("response_type") != "code":
        raise Refusal("unsupported_response_type", "response type not supported")
    challenge = values.get("code_challenge", "")
    if not challenge:
        raise Refusal("invalid_request", "missing required code challenge")
    if values.get("code_challenge_method", "") != "S256":
        raise Refusal("invalid_request", "invalid code challenge method")
    return app


def _answers(verifier: str, code: Code) -> bool:
    if not 43 <= len(verifier) <= 128:
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    made = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(made, code.challenge)


def _page(org: Org, app: App) -> str:
    names = sorted(
        str(row["Username"])
        for row in org.records.table("User").rows.values()
        if row.get("IsActive")
    )
    options = "".join(f"<option>{escape(name)}</option>" for name in names)
    return (
        "<!doctype html><html lang=en><title>Allow access?</title>"
        f"<h1>Allow access?</h1><p>{escape(app.name)} asks for access to the dev org."
        "<form method=post><p><label>User <select name=username>"
        f"{options}</select></label>"
        "<p><button name=allow value=yes>Allow</button> "
        "<button name=allow value=no>Deny</button></form>"
    )
