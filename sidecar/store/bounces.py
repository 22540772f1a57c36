"""Mails that came back: which follow-ups they were, and how that is noted."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from sidecar.store.tables import follow_up


def of_letter(
    db: Connection, key: str, digests: Iterable[bytes], connection_id: int | None
) -> list[int]:
    """
    Find the follow-ups that were one letter to one of these addresses.

    Args:
        key: the left part of the letter's Message-ID.
        digests: of the addresses; see ``store.persons``.
        connection_id: None for any.
    """
    named = or_(follow_up.c.key == key, follow_up.c.digest_key == key)
    return _found(db, [named, *_sent_to(digests, connection_id)])


def of_address(
    db: Connection,
    digests: Iterable[bytes],
    connection_id: int | None,
    *,
    since: datetime,
) -> list[int]:
    """Find the follow-ups of the last letter to one of these addresses."""
    where = [*_sent_to(digests, connection_id), follow_up.c.settled_at >= since]
    last = (
        select(func.coalesce(follow_up.c.digest_key, follow_up.c.key))
        .where(*where)
        .order_by(follow_up.c.settled_at.desc(), follow_up.c.id.desc())
        .limit(1)
    )
    key = db.scalar(last)
    if key is None:
        return []
    named = or_(follow_up.c.key == key, follow_up.c.digest_key == key)
    return _found(db, [named, *where])


def _sent_to(
    digests: Iterable[bytes], connection_id: int | None
) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [follow_up.c.sent_to.in_(list(digests))]
    if connection_id is not None:
        where.append(follow_up.c.connection_id == connection_id)
    return where


def _found(db: Connection, where: Sequence[ColumnElement[bool]]) -> list[int]:
    return list(db.scalars(select(follow_up.c.id).where(*where)))


def failed(db: Connection, ids: Iterable[int], *, why: str) -> int:
    """Give up on what was taken for done; how many that were."""
    came_back = update(follow_up).where(
        follow_up.c.id.in_(list(ids)), follow_up.c.state == "done"
    )
    return db.execute(came_back.values(state="dead", error=why)).rowcount


def noted(db: Connection, ids: Iterable[int], *, what: str) -> int:
    """Put behind the server's words what became of a letter since."""
    said = func.split_part(follow_up.c.receipt, _SINCE, 1)
    told = update(follow_up).where(
        follow_up.c.id.in_(list(ids)), follow_up.c.state == "done"
    )
    return db.execute(told.values(receipt=said + f"{_SINCE}{what}")).rowcount


_SINCE = " | since then: "
