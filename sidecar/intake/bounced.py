"""The door for mails that came back: the provider that sends our mail posts to it.

It is guarded as the door for events is, with the same secrets: ``intake.webhook``.

    200  taken; ``ours`` tells how many were about letters of ours
    400  no bounce that can be read, with what is wrong and where
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol

from sidecar.errors import Unreadable
from sidecar.intake import strict_json
from sidecar.intake.signatures.credentials import Verified
from sidecar.intake.webhook import Answer, Receive
from sidecar.mail.bounces import Bounce, bounce
from sidecar.store.connections import OrgConnection

PREFIX = "/hooks/bounces/"

MOST = 100
_NEEDED = ("recipient", "status", "action")
_KNOWN = frozenset({*_NEEDED, "message_id"})


class Counted(Protocol):
    """What came of reports."""

    @property
    def ours(self) -> int:
        """How many were about letters of ours."""

    @property
    def suppressed(self) -> int:
        """How many addresses are written to no more."""


def receiver(take: Callable[[int, Sequence[Bounce]], Counted]) -> Receive:
    """
    Make what answers a request that is proved.

    Args:
        take: acts on bounces of a connection. Raises Retryable: the database is away.
    """

    def receive(
        connection: OrgConnection,
        body: bytes,
        _verified: Verified,
        _at: datetime,
        _peer: str,
        /,
    ) -> Answer:
        try:
            told = read(strict_json.read(body))
        except Unreadable as exc:
            return Answer(HTTPStatus.BAD_REQUEST, {"error": str(exc)})
        found = take(connection.id, told)
        counted = {"ours": found.ours, "suppressed": found.suppressed}
        return Answer(HTTPStatus.OK, {"bounces": len(told), **counted})

    return receive


def read(given: Any) -> list[Bounce]:
    """
    Read one bounce, or a list of them.

    Raises:
        Unreadable: with the place and the name of what is wrong.
    """
    listed = given if isinstance(given, list) else [given]
    if not 1 <= len(listed) <= MOST:
        raise Unreadable(f"takes 1 to {MOST} bounces, not {len(listed)}")
    return [_one(one, place) for place, one in enumerate(listed, 1)]


def _one(given: Any, place: int) -> Bounce:
    where = f"bounce {place}"
    if not isinstance(given, dict):
        raise Unreadable(f"{where} is no object")
    if unknown := sorted(given.keys() - _KNOWN):
        known = ", ".join(sorted(_KNOWN))
        raise Unreadable(f"{where}: {unknown[0][:40]!r} is none of {known}")
    for name in _NEEDED:
        if not isinstance(given.get(name), str):
            raise Unreadable(f'{where}: "{name}" is missing, or no text')
    message_id = given.get("message_id")
    if message_id is not None and not isinstance(message_id, str):
        raise Unreadable(f'{where}: "message_id" is no text')
    try:
        return bounce(given["recipient"], given["action"], given["status"], message_id)
    except Unreadable as exc:
        raise Unreadable(f"{where}: {exc}") from exc


def address(public_url: str, hook_key: str) -> str:
    """Where bounces of a connection's mails go; the key in it is a secret."""
    return f"{public_url}{PREFIX}{hook_key}"
