"""Posts through incoming webhooks, and names what their answers mean.

Sources: docs.slack.dev, "Sending messages using incoming webhooks" (errors), "Rate
limits" (one message a second, 429 with Retry-After); api.slack.com/changelog,
"Improving error conditions for Incoming Webhooks" (2016-05-17); learn.microsoft.com,
"Troubleshoot issues with triggers" of Power Automate. A workflow answers 202: it has
taken the post, and has not yet made it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from sidecar.chat import slack, teams
from sidecar.chat.hosts import Kind, checked
from sidecar.chat.posts import Post
from sidecar.errors import Permanent, Retryable, SidecarError, Uncertain

_TIMEOUTS = (5.0, 20.0)
_SAID = 500
"""Characters of an answer that are kept."""
_LATER = timedelta(seconds=30)
_LONGEST = timedelta(days=1)
_BODY = {Kind.SLACK: slack.body, Kind.TEAMS: teams.body}

_REMEDIES = {
    "no_service": "the webhook is disabled or removed: make a new one",
    "invalid_token": "the address is not right: copy it again",
    "no_team": "the workspace is gone",
    "channel_not_found": "the channel is gone: make a webhook for another",
    "channel_is_archived": "unarchive the channel, or make a webhook for another",
    "action_prohibited": "an admin of the workspace has to let the app post there",
}
"""What to do about an answer, by a word in it."""


@dataclass(frozen=True)
class Webhooks:
    """
    Posts to channels; each post opens a connection of its own.

    A kept connection may have been closed by the other side: the post would be lost or
    not, and nobody could tell.

    Attributes:
        sessions: makes the session of one call.
        demo: an address of this machine may be called too.
        timeouts: seconds until there is a connection, and between two signs of life.
    """

    sessions: Callable[[], requests.Session]
    now: Callable[[], datetime]
    demo: bool = False
    timeouts: tuple[float, float] = _TIMEOUTS

    def send(self, kind: str, url: str, post: Post) -> str:
        """
        Post once.

        Args:
            kind: ``slack`` or ``teams``.

        Returns:
            The answer's own words, such as ``200 ok``.

        Raises:
            Retryable: not taken, for now.
            Permanent: not taken, and never will be as it is.
            Uncertain: all may have been sent, and no answer came.
        """
        whose = Kind(kind)
        body = json.dumps(_BODY[whose](post), ensure_ascii=False).encode()
        address = checked(whose, url, demo=self.demo)
        with self.sessions() as session:
            try:
                answer = session.post(
                    address,
                    data=body,
                    headers={
                        "Content-Type": "application/json; charset=utf-8",
                        "Connection": "close",
                    },
                    timeout=self.timeouts,
                    # Nobody else is to see a post, or to be called for it.
                    allow_redirects=False,
                    stream=True,
                )
            except requests.RequestException as exc:
                raise _unanswered(exc, whose) from None
            return self._understood(answer, whose)

    def _understood(self, answer: requests.Response, whose: Kind) -> str:
        told = f"{answer.status_code} {_said(answer)}".strip()
        name = whose.capitalize()
        match answer.status_code:
            case code if 200 <= code < 300:
                return told
            case code if 300 <= code < 400:
                raise Permanent(f"{name} answered {code}: redirects are not followed")
            case 504:
                raise Uncertain(f"{name}: {told}: it may have been posted")
            case 429 | 503:
                raise Retryable(f"{name}: {told}", retry_at=self._asked(answer))
            case code if code >= 500 or code == 408:
                raise Retryable(f"{name}: {told}")
        remedy = next((do for word, do in _REMEDIES.items() if word in told), "")
        if whose is Kind.TEAMS and answer.status_code in {401, 403}:
            remedy = "let anyone trigger the workflow"
        raise Permanent(f"{name}: {told}" + (f": {remedy}" if remedy else ""))

    def _asked(self, answer: requests.Response) -> datetime:
        """When it wants to be called again: RFC 9110, section 10.2.3."""
        now, given = self.now(), answer.headers.get("Retry-After", "").strip()
        if given.isascii() and given.isdigit():
            return now + min(timedelta(seconds=int(given[:9])), _LONGEST)
        try:
            at = parsedate_to_datetime(given)
        except (ValueError, OverflowError):
            return now + _LATER
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return min(max(at, now), now + _LONGEST)


def _unanswered(exc: requests.RequestException, whose: Kind) -> SidecarError:
    """What a broken call means; its own words name the address, which is a secret."""
    told = f"no answer from {whose.capitalize()} ({type(exc).__name__})"
    if isinstance(exc, requests.ConnectTimeout | requests.exceptions.SSLError):
        return Retryable(told)
    cause = exc.args[0] if exc.args else None
    if isinstance(cause, MaxRetryError) and isinstance(
        cause.reason, NewConnectionError
    ):
        return Retryable(told)
    if isinstance(exc, requests.exceptions.ProxyError):
        return Retryable(told)
    if isinstance(exc, requests.ConnectionError | requests.Timeout) or isinstance(
        cause, ProtocolError
    ):
        return Uncertain(f"{told}: it may have been posted")
    return Permanent(told)


def _said(answer: requests.Response) -> str:
    """The beginning of what was answered, on one line."""
    try:
        began = next(answer.iter_content(4 * _SAID), b"")
    except requests.RequestException:
        began = b""
    return " ".join(began.decode("utf-8", "replace").split())[:_SAID]
