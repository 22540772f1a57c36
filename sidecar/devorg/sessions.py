"""Who is calling: access tokens, their age, and the apps that may ask for one."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sidecar.devorg.clock import OrgClock
from sidecar.devorg.refusal import Refusal


@dataclass(slots=True)
class Session:
    """One access token; ``expires`` None means that it never ends."""

    token: str
    user_id: str
    app: str
    expires: datetime | None


@dataclass(slots=True)
class App:
    """
    An external client app, as set up by an admin.

    ``certificate`` is PEM (a certificate or a public key) for the JWT bearer
    flow; ``run_as`` is the user of the client credentials flow; ``authorised``
    are the users an admin approved beforehand, None meaning all.
    """

    name: str
    consumer_key: str
    consumer_secret: str
    certificate: str | None = None
    run_as: str | None = None
    authorised: set[str] | None = None
    rotates_refresh_tokens: bool = False
    callback_urls: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Grant:
    """A refresh token; ``family`` is revoked when a used one comes again."""

    user_id: str
    app: str
    family: str
    used: bool = False


class Sessions:
    """Access and refresh tokens of one org."""

    def __init__(
        self,
        *,
        org_id: str,
        clock: OrgClock,
        lifetime: timedelta,
        new_token: Callable[[], str] = lambda: _random_text(72),
    ) -> None:
        """``lifetime`` counts org time since the last call, as in Session Settings."""
        self._org_id = org_id
        self._clock = clock
        self._new_token = new_token
        self.lifetime = lifetime
        self._sessions: dict[str, Session] = {}
        self._grants: dict[str, Grant] = {}

    def open(self, user_id: str, *, app: str = "", endless: bool = False) -> str:
        """Return a new access token of the form ``<15-character org id>!...``."""
        token = f"{self._org_id[:15]}!AQ{self._new_token()}"
        expires = None if endless else self._clock.now() + self.lifetime
        self._sessions[token] = Session(token, user_id, app, expires)
        return token

    def find(self, token: str) -> Session:
        """
        Return the session of a token, and prolong it.

        Raises:
            Refusal: INVALID_SESSION_ID, unknown or expired.
        """
        session = self._sessions.get(token)
        now = self._clock.now()
        if session is None or (session.expires is not None and session.expires <= now):
            self._sessions.pop(token, None)
            raise Refusal(
                "INVALID_SESSION_ID", "Session expired or invalid", status=401
            )
        if session.expires is not None:
            session.expires = now + self.lifetime
        return session

    def expire(self, token: str | None = None) -> int:
        """End one session, or all of them; return how many ended."""
        ended = [token] if token in self._sessions else []
        if token is None:
            ended = list(self._sessions)
        for each in ended:
            del self._sessions[each]
        return len(ended)

    def grant(self, user_id: str, *, app: str, family: str | None = None) -> str:
        """Return a new refresh token."""
        token = f"5Aep861{self._new_token()}"
        self._grants[token] = Grant(user_id, app, family or token)
        return token

    def refresh(self, token: str, *, app: App) -> tuple[str, str | None]:
        """
        Use a refresh token.

        Returns:
            The user's id, and the next refresh token when the app rotates them.

        Raises:
            Refusal: invalid_grant. With rotation a token used twice ends its
                whole family, as the help article on refresh token rotation says.
        """
        grant = self._grants.get(token)
        if grant is None or grant.app != app.consumer_key:
            raise Refusal("invalid_grant", "expired access/refresh token")
        if not app.rotates_refresh_tokens:
            return grant.user_id, None
        if grant.used:
            self._revoke_family(grant.family)
            raise Refusal("invalid_grant", "expired access/refresh token")
        grant.used = True
        next_token = self.grant(
            grant.user_id, app=app.consumer_key, family=grant.family
        )
        return grant.user_id, next_token

    def revoke(self, token: str) -> None:
        """End a session, or a refresh token with its family."""
        self._sessions.pop(token, None)
        grant = self._grants.get(token)
        if grant is not None:
            self._revoke_family(grant.family)

    def _revoke_family(self, family: str) -> None:
        self._grants = {t: g for t, g in self._grants.items() if g.family != family}


def _random_text(size: int) -> str:
    # Clients expect letters, digits, dots and underscores in a token.
    return secrets.token_urlsafe(size).replace("-", ".")


def signature(secret: str, identity: str, issued_at: str) -> str:
    """Return a stand-in for the token answer's ``signature``."""
    return hashlib.sha256(f"{secret}{identity}{issued_at}".encode()).hexdigest()
