"""Calls into orgs: a ready token, time-outs on every call, one refresh at most."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError, SalesforceExpiredSession

from sidecar.errors import Permanent, Retryable
from sidecar.salesforce import refusals

API_VERSION = "62.0"
CLIENT = "referral-sidecar"
"""How our own writes are known: ``Sforce-Call-Options``, shown in change events."""

_CONNECT_SECONDS = 5
_READ_SECONDS = 60
_FULL = 0.97
"""From this share of the org's daily calls on, the rest is left to others."""

T = TypeVar("T")


class Tokens(Protocol):
    """Where access tokens are kept, for all workers together."""

    def current(self, connection_id: int) -> tuple[str, str | None]:
        """The org's instance URL and access token; None where there is none yet."""

    def renew(self, connection_id: int, stale: str | None) -> str:
        """
        Replace a token that the org refused, one worker at a time.

        Raises:
            Retryable, Permanent: as ``login.fetch``.
        """


@dataclass
class Sessions:
    """
    One client for each connection, kept as long as its token lives.

    simple-salesforce is given a ready token: left to itself it would log in again
    without end, and would wait without a time-out (its issues 804 and 148).
    """

    tokens: Tokens
    now: Callable[[], datetime]
    ca_file: Path | None = None
    _clients: dict[int, Salesforce] = field(default_factory=dict)
    _full: dict[int, datetime] = field(default_factory=dict)

    def call(self, connection_id: int, ask: Callable[[Salesforce], T]) -> T:
        """
        Ask an org something that may be asked twice without harm.

        Args:
            ask: makes the call with the client that it is given.

        Raises:
            Retryable, Permanent: with Salesforce's words.
        """
        if (until := self._full.get(connection_id)) and until > self.now():
            raise _limit_near(until)
        client = self._clients.get(connection_id) or self._open(connection_id)
        try:
            try:
                answer = ask(client)
            except SalesforceExpiredSession:
                # One refresh, one more try; a second refusal is for a person.
                stale = client.session_id
                answer = ask(self._open(connection_id, stale=stale))
        except (SalesforceError, requests.RequestException) as exc:
            raise refusals.of_exception(exc, self.now()) from exc
        self._mind_the_limit(connection_id)
        return answer

    def usage(self, connection_id: int) -> tuple[int, int]:
        """The org's calls of today and how many it has a day; 0, 0 before a call."""
        client = self._clients.get(connection_id)
        usage: Any = client.api_usage.get("api-usage") if client else None
        return (int(usage.used), int(usage.total)) if usage else (0, 0)

    def _open(self, connection_id: int, *, stale: str | None = None) -> Salesforce:
        instance_url, token = self.tokens.current(connection_id)
        if token is None or token == stale:
            token = self.tokens.renew(connection_id, stale)
        client = Salesforce(
            instance_url=instance_url,
            session_id=token,
            version=API_VERSION,
            session=http_session(ca_file=self.ca_file),
        )
        client.headers["Sforce-Call-Options"] = f"client={CLIENT}"
        client.headers.pop("X-PrettyPrint", None)
        self._clients[connection_id] = client
        return client

    def _mind_the_limit(self, connection_id: int) -> None:
        """``Sforce-Limit-Info: api-usage=18/5000`` is on every answer."""
        usage: Any = self._clients[connection_id].api_usage.get("api-usage")
        if usage and usage.used >= usage.total * _FULL:
            self._full[connection_id] = self.now() + refusals.PAUSE


def _limit_near(until: datetime) -> Retryable:
    return Retryable(
        f"the org has used {_FULL:.0%} of its API calls: the rest is left to others",
        retry_at=until,
        pauses_org=True,
    )


def http_session(*, ca_file: Path | None = None) -> requests.Session:
    """
    A session in which no call can hang.

    Args:
        ca_file: certificates trusted beside the usual ones.

    Raises:
        Permanent: ``ca_file`` cannot be read.
    """
    session = requests.Session()
    session.mount("https://", _Timely(ca_file))
    session.mount("http://", _Timely(None))
    return session


class _Timely(HTTPAdapter):
    """Puts time-outs on calls that bring none, and trusts one more CA."""

    def __init__(self, ca_file: Path | None) -> None:
        self._context = None if ca_file is None else _trusting(ca_file)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        if self._context is not None:
            kwargs["ssl_context"] = self._context
        super().init_poolmanager(*args, **kwargs)

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        if not args and kwargs.get("timeout") is None:
            kwargs["timeout"] = (_CONNECT_SECONDS, _READ_SECONDS)
        return super().send(request, *args, **kwargs)


@cache
def _trusting(ca_file: Path) -> ssl.SSLContext:
    """Read the certificates once for the process: it takes longer than a call."""
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as exc:
        raise Permanent(f"CA file {ca_file}: {exc}") from exc
    return context
