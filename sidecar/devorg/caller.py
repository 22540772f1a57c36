"""From a request's headers to a user's rights, for every API of the org."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal

if TYPE_CHECKING:
    from sidecar.devorg.org import Org


def bearer_token(authorization: str) -> str:
    """
    Return the access token in the value of an ``Authorization`` header.

    Raises:
        Refusal: INVALID_AUTH_HEADER, there is none.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() not in {"bearer", "oauth"} or not token.strip():
        raise Refusal("INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", status=401)
    return token.strip()


def admit(org: Org, token: str, kind: str) -> Access:
    """
    Let an access token in, and count the call.

    Args:
        org: locked by the caller.
        token: an access token, alias session id.
        kind: what is called, for the call counter.

    Raises:
        Refusal: INVALID_SESSION_ID; API_CURRENTLY_DISABLED, the user may not use
            the API; REQUEST_LIMIT_EXCEEDED.
    """
    session = org.sessions.find(token)
    user = org.records.table("User").rows.get(session.user_id)
    if user is None or not user.get("IsActive"):
        raise Refusal("INVALID_SESSION_ID", "Session expired or invalid", status=401)
    access = org.access(session.user_id)
    if not access.has("ApiEnabled"):
        raise Refusal(
            "API_CURRENTLY_DISABLED", "API is disabled for this User", status=403
        )
    org.usage.permission(access, "ApiEnabled")
    org.limits.count(kind)
    return access
