"""Open referrals of whose referrers nobody has told for a while, and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, func, or_, select, true

from sidecar.referral.response_clock import CLOSED
from sidecar.store.tables import connection, follow_up, person, referral


@dataclass(frozen=True)
class Unheard:
    """
    A referral whose referrer hears nothing.

    Attributes:
        since: when they heard last, or when the referral came to us.
        why: what became of the last word.
        last_state: of that word; None where none was ever planned.
    """

    connection_id: int
    org_id: str
    key: str
    record_id: str
    milestone: str | None
    since: datetime
    why: str
    last_state: str | None
    event_id: int
    playbook_version: str


def unheard(
    db: Connection,
    *,
    before: datetime,
    connection_id: int | None = None,
    last_state: str | None = None,
    limit: int = 1000,
) -> list[Unheard]:
    """
    List open referrals with a referrer who has heard nothing since a moment.

    Longest silence first; of people who are erased, nothing is told.

    Args:
        last_state: of the last word; None for any, and for none.
    """
    query = _query(before, last_state).limit(limit)
    if connection_id is not None:
        query = query.where(connection.c.id == connection_id)
    return [_unheard(row) for row in db.execute(query)]


def _query(before: datetime, last_state: str | None) -> Select[Any]:
    word = follow_up.alias("word")
    about = and_(
        word.c.org_id == referral.c.org_id,
        word.c.referral_key == referral.c.key,
        word.c.kind == "word",
    )
    last = (
        select(word.c.state, word.c.error, word.c.event_id, word.c.playbook_version)
        .where(about)
        .order_by(word.c.id.desc())
        .limit(1)
        .lateral("last")
    )
    heard = (
        select(func.max(word.c.settled_at))
        .where(about, word.c.state == "done")
        .scalar_subquery()
    )
    # A monthly list has told of all of a referrer's referrals.
    listed = (
        select(func.max(word.c.settled_at))
        .where(
            word.c.person_id == referral.c.referrer_id,
            word.c.milestone == "digest",
            word.c.state == "done",
        )
        .scalar_subquery()
    )
    # What is NULL, GREATEST leaves out.
    since = func.coalesce(func.greatest(heard, listed), referral.c.created_at)
    erased = exists().where(
        person.c.id.in_((referral.c.person_id, referral.c.referrer_id)),
        person.c.erased_at.is_not(None),
    )
    return (
        select(
            connection.c.id.label("connection_id"),
            referral.c.org_id,
            referral.c.key,
            referral.c.record_id,
            referral.c.milestone,
            since.label("since"),
            last,
        )
        .select_from(referral)
        .join(connection, connection.c.org_id == referral.c.org_id)
        .outerjoin(last, true())
        .where(
            referral.c.referrer_id.is_not(None),
            referral.c.status.is_not(None),
            or_(
                referral.c.milestone.is_(None),
                referral.c.milestone.not_in([str(item) for item in CLOSED]),
            ),
            since <= before,
            ~erased,
            last.c.state == last_state if last_state else true(),
        )
        .order_by(since, referral.c.key)
    )


def _unheard(row: Row[Any]) -> Unheard:
    match row.state:
        case None:
            why = "no word was planned: the playbook has none, or it came before"
        case "done":
            why = "nothing has happened since"
        case "waiting" | "sending":
            why = "a word is on its way" + (f": {row.error}" if row.error else "")
        case "uncertain":
            why = f"the last word may not have left: {row.error}"
        case state:
            why = f"{state}: {row.error or 'no reason is known'}"
    return Unheard(
        row.connection_id,
        row.org_id,
        row.key,
        row.record_id,
        row.milestone,
        row.since,
        why,
        row.state,
        row.event_id or 0,
        row.playbook_version or "",
    )
