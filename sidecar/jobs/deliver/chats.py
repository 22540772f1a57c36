"""Posts to chat channels: one at a time, each settled as soon as it is answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from sqlalchemy import Engine

from sidecar.chat.posts import Post
from sidecar.errors import Permanent, Retryable, SidecarError, Uncertain
from sidecar.jobs.deliver.attempts import claim, ended, resting, settle
from sidecar.keyring import Keyring
from sidecar.referral.follow_up import Chat
from sidecar.store import channels, claims, connections
from sidecar.store.channels import Channel
from sidecar.store.claims import Attempt
from sidecar.store.connections import OrgConnection

POSTS_AT_ONCE = 20
COPIES = 2
"""
How often a post may be made whose answer was lost.

A channel shows each copy, and nothing takes one back: so not as often as a mail, which
its reader's program knows by its Message-ID. A second line costs a glance; a referral
of which nobody heard may be lost.
"""


class Webhooks(Protocol):
    """Who carries a post to a channel."""

    def send(self, kind: str, url: str, post: Post) -> str:
        """Post once. Raises Retryable, Permanent, Uncertain."""


Write = Callable[[OrgConnection, Attempt, Chat, Channel], Post]


def deliver_chats(
    connection_id: int,
    *,
    engine: Engine,
    keyring: Keyring,
    webhooks: Webhooks,
    write: Write,
    lease: timedelta,
    now: Callable[[], datetime],
) -> int:
    """
    Make all of a connection's due posts.

    A channel that asks for a pause gets one: what waits for it is put off, and costs no
    attempt.

    Args:
        write: makes the post. Raises Permanent.
        lease: how long a batch may take before somebody else may make its posts.

    Returns:
        How many attempts were made.
    """
    made = 0
    while True:
        with engine.connect() as db:
            connection = connections.find(db, connection_id)
            known = channels.of_connection(db, connection_id, keyring=keyring)
        if connection is None or resting(connection, now()):
            return made
        attempts = claim(
            engine, keyring, connection_id, "chat", POSTS_AT_ONCE, now(), lease
        )
        if not attempts:
            return made
        send = partial(_posted, connection, known, webhooks, write)
        stop_at = now() + lease / 2
        made += _one_after_another(
            connection_id, attempts, send, engine, stop_at=stop_at, now=now
        )


def _one_after_another(
    connection_id: int,
    attempts: Sequence[Attempt],
    send: Callable[[Attempt], str | SidecarError],
    engine: Engine,
    *,
    stop_at: datetime,
    now: Callable[[], datetime],
) -> int:
    """Make posts until there is no time left; channels that ask for a pause get it."""
    made = 0
    quiet: dict[str, datetime] = {}
    for attempt in attempts:
        channel = _channel_of(attempt)
        with engine.begin() as db:
            if channel in quiet or now() > stop_at:
                later = quiet.get(channel, now())
                claims.give_back(db, attempt, due_at=later)
                continue
            if not claims.is_current(db, attempt):
                # Whom it is about was erased since the batch was claimed.
                continue
        result = send(attempt)
        patience = replace(attempt, resend=attempt.resend and attempt.number < COPIES)
        settle(engine, [ended(patience, result, now())], [attempt], now())
        made += 1
        if isinstance(result, Retryable) and (until := result.retry_at) is not None:
            quiet[channel] = until
            with engine.begin() as db:
                claims.postpone(db, connection_id, "chat", channel, until=until)
    return made


def _channel_of(attempt: Attempt) -> str:
    return attempt.what.channel if isinstance(attempt.what, Chat) else ""


def _posted(
    connection: OrgConnection,
    known: Mapping[str, Channel],
    webhooks: Webhooks,
    write: Write,
    attempt: Attempt,
) -> str | SidecarError:
    what = attempt.what
    if not isinstance(what, Chat) or (channel := known.get(what.channel)) is None:
        name = _channel_of(attempt)
        return Permanent(
            f"connection {connection.id} has no channel {name!r}: add it "
            f"(`sidecar channels add {connection.id} {name}`)"
        )
    if attempt.after_silence and attempt.number > COPIES:
        return Uncertain("the worker died while posting")
    try:
        text = write(connection, attempt, what, channel)
        return webhooks.send(channel.kind, channel.url, text)
    except SidecarError as exc:
        return exc
