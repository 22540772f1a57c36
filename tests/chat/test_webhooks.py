"""Webhooks: only theirs are called, and each answer is known for what it means."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from chat.chat_peer import HANGS_UP, IS_SILENT, Answer, Peer

from sidecar.chat.hosts import Kind, checked
from sidecar.chat.posts import Post
from sidecar.chat.webhooks import Webhooks
from sidecar.errors import Permanent, Retryable, SidecarError, Uncertain

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
POST = Post("New: Ada Example")


def webhooks(read: float = 20.0) -> Webhooks:
    return Webhooks(requests.Session, lambda: NOW, demo=True, timeouts=(5.0, read))


def send(peer: Peer, answer: Answer, kind: str = "slack") -> SidecarError:
    peer.answers.append(answer)
    with pytest.raises(SidecarError) as raised:
        webhooks().send(kind, peer.url(), POST)
    assert "secret" not in str(raised.value)
    return raised.value


def test_a_post_is_taken_and_the_answer_kept(peer: Peer) -> None:
    assert webhooks().send("slack", peer.url(), POST) == "200 ok"
    assert peer.said == ["New: Ada Example"]

    peer.answers.append(Answer(202, ""))
    assert webhooks().send("teams", peer.url("/workflows/1?sig=secret"), POST) == "202"
    assert peer.posts[1]["type"] == "message"


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (404, "no_service", "Slack: 404 no_service: the webhook is disabled"),
        (404, "channel_not_found", "Slack: 404 channel_not_found: the channel is gone"),
        (410, "channel_is_archived", "Slack: 410 channel_is_archived: unarchive"),
        (403, "action_prohibited", "Slack: 403 action_prohibited: an admin"),
        (403, "invalid_token", "Slack: 403 invalid_token: the address is not right"),
        (400, "invalid_payload", "Slack: 400 invalid_payload"),
        (302, "", "Slack answered 302: redirects are not followed"),
    ],
)
def test_what_needs_a_person_is_told_in_their_own_words(
    peer: Peer, status: int, said: str, told: str
) -> None:
    elsewhere = (("Location", peer.url("/elsewhere")),)

    error = send(peer, Answer(status, said, elsewhere))

    assert isinstance(error, Permanent)
    assert str(error).startswith(told)
    assert len(peer.paths) == 1, "somebody else was called"


def test_a_workflow_that_not_everybody_may_trigger_is_told_so(peer: Peer) -> None:
    error = send(peer, Answer(401, "Unauthorized"), "teams")

    assert str(error) == "Teams: 401 Unauthorized: let anyone trigger the workflow"


@pytest.mark.parametrize(
    ("status", "header", "at"),
    [
        (429, "30", NOW + timedelta(seconds=30)),
        (429, "Fri, 02 Jan 2026 03:05:05 GMT", NOW + timedelta(minutes=1)),
        (429, "Thu, 01 Jan 2026 03:05:05 GMT", NOW),
        (429, "soon", NOW + timedelta(seconds=30)),
        (429, "9" * 400, NOW + timedelta(days=1)),
        (429, None, NOW + timedelta(seconds=30)),
        (503, "7", NOW + timedelta(seconds=7)),
        (429, f"Mon, 30 Nov 2026 {'9' * 30}:00:00 GMT", NOW + timedelta(seconds=30)),
        (500, None, None),
    ],
)
def test_who_asks_for_a_pause_gets_it(
    peer: Peer, status: int, header: str | None, at: datetime | None
) -> None:
    given = (("Retry-After", header),) if header else ()

    error = send(peer, Answer(status, "rate_limited", given))

    assert isinstance(error, Retryable)
    assert error.retry_at == at


def test_an_answer_that_is_lost_leaves_it_open(peer: Peer) -> None:
    assert isinstance(send(peer, HANGS_UP), Uncertain)
    assert isinstance(send(peer, Answer(504, "gateway")), Uncertain)

    peer.answers.append(IS_SILENT)
    with pytest.raises(Uncertain, match="it may have been posted") as raised:
        webhooks(read=0.05).send("slack", peer.url(), POST)
    assert "secret" not in str(raised.value)
    assert len(peer.posts) == 3


def test_where_nobody_listens_nothing_was_posted() -> None:
    url = "http://127.0.0.1:1/services/T1/B1/secret"

    with pytest.raises(Retryable) as raised:
        webhooks().send("slack", url, POST)
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None, "its words name the address"


def test_only_the_beginning_of_an_answer_is_kept(peer: Peer) -> None:
    assert len(str(send(peer, Answer(400, "word " * 1_000_000)))) < 600


SLACK = "https://hooks.slack.com/services/T1/B1/x"
FLOW = (
    "https://1a.4.environment.api.powerplatform.com:443/powerautomate/automations/"
    "direct/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=x"
)
LOGIC = "https://prod-1.westus.logic.azure.com:443/workflows/1/triggers/manual?sig=x"


@pytest.mark.parametrize(
    ("kind", "url"), [("slack", SLACK), ("teams", FLOW), ("teams", LOGIC)]
)
def test_their_addresses_are_called(kind: str, url: str) -> None:
    assert checked(Kind(kind), url, demo=False) == url


@pytest.mark.parametrize(
    ("kind", "url", "told"),
    [
        ("slack", SLACK.replace("https", "http"), "not an https address"),
        ("slack", SLACK.replace(".com", ".com:8443"), "not an https address"),
        ("slack", SLACK.replace(".com", ".com.example.com"), "is not Slack"),
        ("slack", "https://hooks.slack.com@example.com/services/x", "cannot be read"),
        ("slack", "https://example.com\\@hooks.slack.com/services/x", "cannot be read"),
        ("slack", "https://hooks.slack.com/workflows/T1/x", "no incoming webhook"),
        ("slack", "https://hooks.slack.com:x/services/", "cannot be read"),
        ("slack", "https://[1/services/", "cannot be read"),
        ("slack", "https://127.0.0.1/services/T1", "is not Slack"),
        ("slack", "http://localhost/services/T1", "not an https address"),
        ("slack", "", "cannot be read"),
        ("slack", SLACK + "\r\nHost: x", "cannot be read"),
        ("slack", FLOW, "is not Slack"),
        ("teams", SLACK, "runs no Teams workflow"),
        ("teams", "https://logic.azure.com/workflows/1", "runs no Teams workflow"),
        ("teams", "https://x.logic.azure.com/other", "no workflow's address"),
        ("teams", "https://x.webhook.office.com/webhookb2/1", "ended connectors"),
    ],
)
def test_nobody_elses_are(kind: str, url: str, told: str) -> None:
    with pytest.raises(Permanent, match=told):
        checked(Kind(kind), url, demo=False)


def test_this_machine_is_called_in_the_demo_alone(peer: Peer) -> None:
    hooks = Webhooks(requests.Session, lambda: NOW)

    with pytest.raises(Permanent):
        hooks.send("slack", peer.url(), POST)
    assert peer.posts == []
