"""Tokens: JWT bearer, client credentials, refresh, revoke, introspect; who am I.

Source: "Authorize Apps with OAuth" (remoteaccess_oauth_*), and what the official
clients send: ``exp`` may be in milliseconds, ``aud`` may be our own address.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from flask import Blueprint, Request, Response, jsonify, request

from sidecar.devorg import authorize
from sidecar.devorg.caller import bearer_token
from sidecar.devorg.identity import identity_of, userinfo_of
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.schema import Row
from sidecar.devorg.sessions import App, Session, signature

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")
# Seconds that an assertion's expiry may lie behind our clock.
_SKEW = 180


def blueprint(org: Org, *, wall: Callable[[], float]) -> Blueprint:
    """
    Build the OAuth and identity routes of one org.

    ``wall`` is the wall's clock in seconds since 1970: clients that sign an
    assertion know nothing of the org's own time.
    """
    routes = Blueprint("oauth", __name__)

    @routes.post("/services/oauth2/token")
    def token() -> Response:
        """Give out an access token."""
        form = request.form
        try:
            with org.work():
                answer = _grant(org, form.get("grant_type", ""), request, wall())
        except Refusal as refusal:
            return _oauth_error(refusal)
        return _no_store(jsonify(answer))

    authorize.add_routes(routes, org)

    @routes.route("/services/oauth2/userinfo", methods=["GET", "POST"])
    def userinfo() -> Response:
        """Tell who the token belongs to, in OpenID Connect's words."""
        session = _session(org)
        if session is None:
            return Response("Bad_OAuth_Token", status=403, content_type="text/plain")
        return jsonify(userinfo_of(org, _user(org, session)))

    @routes.get("/id/<org_id>/<user_id>")
    def identity(org_id: str, user_id: str) -> Response:
        """Tell who the token belongs to, in Salesforce's words."""
        session = _session(org)
        if session is None:
            return Response("Bad_OAuth_Token", status=403, content_type="text/plain")
        if org_id[:15] != org.id[:15] or user_id[:15] != session.user_id[:15]:
            return Response("Bad_Id", status=404, content_type="text/plain")
        return jsonify(identity_of(org, _user(org, session)))

    @routes.route("/services/oauth2/revoke", methods=["GET", "POST"])
    def revoke() -> Response:
        """End an access or refresh token."""
        with org.lock:
            org.sessions.revoke(request.values.get("token", ""))
        return Response(status=200)

    @routes.post("/services/oauth2/introspect")
    def introspect() -> Response:
        """Tell whether a token still works, and for whom."""
        try:
            app = _authenticated_app(org, request)
        except Refusal as refusal:
            return _oauth_error(refusal)
        return jsonify(_introspect(org, app, request.form.get("token", "")))

    @routes.get("/.well-known/openid-configuration")
    def discovery() -> Response:
        """List the OAuth endpoints."""
        base = f"{org.base_url}/services/oauth2"
        return jsonify(
            {
                "issuer": org.base_url,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "revocation_endpoint": f"{base}/revoke",
                "userinfo_endpoint": f"{base}/userinfo",
                "introspection_endpoint": f"{base}/introspect",
            }
        )

    return routes


def _grant(
    org: Org, grant_type: str, request: Request, now: float
) -> dict[str, object]:
    form = request.form
    if grant_type == JWT_BEARER:
        app, user_id = _from_assertion(org, form.get("assertion", ""), now)
        return _token(org, app, user_id)
    if grant_type == "client_credentials":
        app = _authenticated_app(org, request)
        if app.run_as is None:
            raise Refusal("invalid_grant", "no client credentials user enabled")
        return _token(org, app, app.run_as)
    if grant_type == "authorization_code":
        return _from_code(org, form)
    if grant_type == "refresh_token":
        app = _app(org, form.get("client_id", ""))
        given = form.get("client_secret")
        if given is not None and not _same(given, app.consumer_secret):
            raise Refusal("invalid_client", "invalid client credentials")
        user_id, next_token = org.sessions.refresh(
            form.get("refresh_token", ""), app=app
        )
        answer = _token(org, app, user_id)
        return answer | ({"refresh_token": next_token} if next_token else {})
    raise Refusal("unsupported_grant_type", "grant type not supported")


def _from_code(org: Org, form: authorize.Form) -> dict[str, object]:
    app = _app(org, form.get("client_id", ""))
    if not _same(form.get("client_secret", ""), app.consumer_secret):
        raise Refusal("invalid_client", "invalid client credentials")
    code = org.codes.redeem(form, app, org.clock.now())
    answer = _token(org, app, code.user_id) | {"scope": code.scope}
    if "refresh_token" in code.scope.split():
        key = app.consumer_key
        answer["refresh_token"] = org.sessions.grant(code.user_id, app=key)
    if "openid" in code.scope.split():
        answer["id_token"] = _id_token(org, app, code)
    return answer


def _id_token(org: Org, app: App, code: authorize.Code) -> str:
    """Sign as nobody can check: whoever has it from us over TLS need not."""
    now = int(time.time())
    claims = {
        "iss": org.base_url,
        "aud": app.consumer_key,
        "sub": f"{org.base_url}/id/{org.id}/{code.user_id}",
        "iat": now,
        "exp": now + 120,
        "nonce": code.nonce,
    }
    return jwt.encode(claims, app.consumer_secret, algorithm="HS256")


def _token(org: Org, app: App, user_id: str) -> dict[str, object]:
    user = org.records.table("User").rows[user_id]
    if not user.get("IsActive"):
        raise Refusal("inactive_user", "user is inactive")
    identity = f"{org.base_url}/id/{org.id}/{user_id}"
    issued_at = str(int(org.clock.now().timestamp() * 1000))
    return {
        "access_token": org.sessions.open(user_id, app=app.consumer_key),
        "signature": signature(app.consumer_secret, identity, issued_at),
        "scope": "api refresh_token",
        "instance_url": org.base_url,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
        "api_instance_url": org.base_url,
    }


def _app(org: Org, consumer_key: str) -> App:
    app = org.apps.get(consumer_key)
    if app is None:
        raise Refusal("invalid_client_id", "client identifier invalid")
    return app


def _authenticated_app(org: Org, request: Request) -> App:
    key = request.form.get("client_id", "")
    secret = request.form.get("client_secret", "")
    scheme, _, basic = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            key, _, secret = base64.b64decode(basic).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as exc:
            raise Refusal("invalid_client", "invalid client credentials") from exc
    app = _app(org, key)
    if not _same(secret, app.consumer_secret):
        raise Refusal("invalid_client", "invalid client credentials")
    return app


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _from_assertion(org: Org, assertion: str, now: float) -> tuple[App, str]:
    try:
        # Who it claims to be from decides which key has to have signed it.
        claims = jwt.decode(assertion, options={"verify_signature": False})
        app = _app(org, str(claims.get("iss", "")))
        if app.certificate is None:
            raise Refusal("invalid_grant", "invalid assertion")
        jwt.decode(
            assertion,
            _public_key(app.certificate),
            algorithms=["RS256"],
            options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
        )
    except (jwt.PyJWTError, ValueError) as exc:
        raise Refusal("invalid_grant", "invalid assertion") from exc
    _check_claims(org, claims, now)
    user_id = org.user_named(str(claims.get("sub", "")))
    if user_id is None or (
        app.authorised is not None and user_id not in app.authorised
    ):
        raise Refusal("invalid_grant", "user hasn't approved this consumer")
    return app, user_id


def _check_claims(org: Org, claims: dict[str, object], now: float) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    ours = {*_LOGIN_HOSTS, org.base_url}
    if not any(str(each).rstrip("/") in ours for each in audiences):
        raise Refusal("invalid_grant", "audience is invalid")
    try:
        expires = float(str(claims["exp"]))
    except (KeyError, ValueError) as exc:
        raise Refusal("invalid_grant", "invalid assertion") from exc
    if expires > 10**11:
        expires /= 1000
    if expires + _SKEW < now:
        raise Refusal("invalid_grant", "expired authorization code")


def _public_key(pem: str) -> str:
    if "BEGIN CERTIFICATE" in pem:
        key = x509.load_pem_x509_certificate(pem.encode()).public_key()
        return key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode()
    return pem


def _session(org: Org) -> Session | None:
    try:
        token = bearer_token(request.headers.get("Authorization", ""))
    except Refusal:
        # userinfo also takes the token as a parameter.
        token = request.values.get("access_token", "")
    try:
        with org.lock:
            return org.sessions.find(token)
    except Refusal:
        return None


def _user(org: Org, session: Session) -> Row:
    return org.records.table("User").rows[session.user_id]


def _introspect(org: Org, app: App, token: str) -> dict[str, object]:
    try:
        session = org.sessions.find(token)
    except Refusal:
        return {"active": False}
    user = _user(org, session)
    answer: dict[str, object] = {
        "active": True,
        "scope": "api refresh_token",
        "client_id": app.consumer_key,
        "username": user["Username"],
        "sub": f"{org.base_url}/id/{org.id}/{session.user_id}",
        "token_type": "access_token",
    }
    if session.expires is not None:
        answer["exp"] = int(session.expires.timestamp())
    return answer


def _oauth_error(refusal: Refusal) -> Response:
    response = jsonify(
        {"error": refusal.error_code, "error_description": refusal.message}
    )
    response.status_code = 401 if refusal.error_code == "invalid_client" else 400
    return _no_store(response)


def _no_store(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-cache, no-store"
    return response
