"""Mails to reps: one writer for each org, one connection to the mail server.

One writer a time sees all that goes to a rep. So mails keep their order, count against
what the rep wants in an hour, and go together where it is much.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from sidecar.errors import Retryable
from sidecar.jobs.deliver.attempts import Ending, pause
from sidecar.jobs.deliver.mail_batch import Batch, Desk, Post
from sidecar.jobs.deliver.readers import look_up
from sidecar.logs import log
from sidecar.store import claims, connections
from sidecar.store.claims import Attempt, End

MAILS_AT_ONCE = 50

_KIND = "email"


def deliver_emails(
    connection_id: int,
    *,
    desk: Desk,
    post: Callable[[], AbstractContextManager[Post]],
) -> int:
    """
    Send all of an org's due mails that their readers want now.

    A worker that dies leaves one mail in doubt, not a batch: a mail is settled before
    the next one is handed over.

    Args:
        post: gives a connection to the mail server. Raises Retryable where that is to
            be left in peace.

    Returns:
        How many mails were tried. None where somebody else is at it: what they find
        due includes ours, and they look again before they leave.
    """
    made = 0
    while (lane := _enter(connection_id, desk)) is not None:
        try:
            with post() as outgoing:
                done, goes_on = _send_due(connection_id, desk, lane, outgoing)
                made += done
        except Retryable as exc:
            log().info("mail.rests", connection=connection_id, reason=str(exc))
            goes_on = False
        finally:
            _leave(connection_id, desk, lane)
        if not goes_on:
            return made
        with desk.engine.connect() as db:
            # What became due between our last look and our leaving was not ours to
            # whoever rang for it.
            if not claims.is_due(db, connection_id, _KIND, now=desk.now()):
                return made
    return made


@dataclass
class _Lane:
    """That we are the one who sends; until then, or until we ask again."""

    until: datetime


def _enter(connection_id: int, desk: Desk) -> _Lane | None:
    """Become the one who sends this org's mails; None where somebody is."""
    now = desk.now()
    until = now + desk.lease
    with desk.engine.begin() as db:
        if connections.take_lane(db, connection_id, now=now, until=until, kind=_KIND):
            return _Lane(until)
    return None


def _leave(connection_id: int, desk: Desk, lane: _Lane) -> None:
    with desk.engine.begin() as db:
        connections.leave_lane(db, connection_id, kind=_KIND, since=lane.until)


def _send_due(
    connection_id: int, desk: Desk, lane: _Lane, outgoing: Post
) -> tuple[int, bool]:
    """Send batches until nothing is due; how many mails, and whether to look again."""
    made = 0
    while attempts := _claim(connection_id, desk, lane):
        with desk.engine.connect() as db:
            connection = connections.find(db, connection_id)
        if connection is None:
            return made, False
        readers = look_up(
            connection,
            attempts,
            engine=desk.engine,
            reps=desk.reps,
            an_hour=desk.an_hour,
            keyring=desk.keyring,
            now=desk.now,
        )
        batch = Batch(connection, attempts, readers, desk=desk, outgoing=outgoing)
        made += batch.run()
        if batch.org_rests is not None:
            rests = Ending(End("waiting"), batch.org_rests)
            pause(desk.engine, connection_id, [rests])
        if batch.stopped:
            return made, False
    return made, True


def _claim(connection_id: int, desk: Desk, lane: _Lane) -> list[Attempt]:
    """Take what is due, and stay the one who sends; nothing where we are no longer."""
    now = desk.now()
    until = now + desk.lease
    with desk.engine.begin() as db:
        if not connections.keep_lane(
            db, connection_id, since=lane.until, until=until, kind=_KIND
        ):
            return []
        lane.until = until
        return claims.claim(
            db,
            connection_id,
            _KIND,
            now=now,
            lease_ends=until,
            limit=MAILS_AT_ONCE,
            keyring=desk.keyring,
        )
