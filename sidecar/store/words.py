"""What words to referrers need to know of each other, and of the referrals."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from sidecar.store.tables import follow_up, recognition, referral

_SENT = ("done", "uncertain")
_ON_ITS_WAY = ("waiting", "sending")


def last_news(
    db: Connection, connection_id: int, referrer_ids: Collection[str]
) -> dict[str, datetime]:
    """
    Tell when referrers last got a mail with news, or one was last tried.

    Who never got one is missing.
    """
    rows = db.execute(
        select(follow_up.c.recipient_id, func.max(follow_up.c.settled_at))
        .where(
            follow_up.c.connection_id == connection_id,
            follow_up.c.kind == "word",
            follow_up.c.recipient_id.in_(referrer_ids),
            follow_up.c.digest_key.is_not(None),
            follow_up.c.state.in_(_SENT + _ON_ITS_WAY),
            follow_up.c.settled_at.is_not(None),
        )
        .group_by(follow_up.c.recipient_id)
    )
    return {row[0]: row[1] for row in rows}


def bundle(db: Connection, ids: Iterable[int], key: str) -> None:
    """Make one mail of several words: whoever sends them again sends the same."""
    db.execute(
        update(follow_up).where(follow_up.c.id.in_(list(ids))).values(digest_key=key)
    )


def won_by(db: Connection, follow_up_id: int) -> int:
    """Count the won referrals of the referrer to whom a word goes."""
    found = db.scalar(
        select(func.count())
        .select_from(referral)
        .join(
            follow_up,
            and_(
                follow_up.c.org_id == referral.c.org_id,
                follow_up.c.referrer_id == referral.c.referrer_id,
            ),
        )
        .where(follow_up.c.id == follow_up_id, referral.c.milestone == "won")
    )
    return found or 0


def recognise(
    db: Connection,
    follow_up_id: int,
    *,
    org_id: str,
    referrer_id: str,
    marks: Sequence[int],
) -> bool:
    """
    Let a mail thank a referrer for having reached these marks, each once.

    Args:
        follow_up_id: what the mail is of; sent again, it says so again.
        marks: all that are reached, the highest last.

    Returns:
        Whether it is this mail that does so for the highest.
    """
    if not marks:
        return False
    place = {"org_id": org_id, "referrer_id": referrer_id}
    rows = [{**place, "mark": mark, "follow_up_id": follow_up_id} for mark in marks]
    db.execute(insert(recognition).values(rows).on_conflict_do_nothing())
    whose = db.scalar(
        select(recognition.c.follow_up_id).where(
            recognition.c.org_id == org_id,
            recognition.c.referrer_id == referrer_id,
            recognition.c.mark == marks[-1],
        )
    )
    return whose == follow_up_id


def has_newer(db: Connection, follow_up_id: int) -> bool:
    """Tell whether the referrer has referred somebody since."""
    this, newer = referral.alias("this"), referral.alias("newer")
    later = or_(
        newer.c.created_at > this.c.created_at,
        and_(newer.c.created_at == this.c.created_at, newer.c.key > this.c.key),
    )
    wanted = (
        select(newer.c.key)
        .select_from(follow_up)
        .join(
            this,
            and_(
                this.c.org_id == follow_up.c.org_id,
                this.c.key == follow_up.c.referral_key,
            ),
        )
        .join(
            newer,
            and_(
                newer.c.org_id == this.c.org_id,
                newer.c.referrer_id == this.c.referrer_id,
                later,
            ),
        )
        .where(follow_up.c.id == follow_up_id)
    )
    return db.scalar(select(exists(wanted))) is True


def asked_since(
    db: Connection, follow_up_id: int, referrer_id: str, *, since: datetime
) -> bool:
    """Tell whether a referrer was asked the same for another referral since."""
    this = select(follow_up.c.connection_id, follow_up.c.action).where(
        follow_up.c.id == follow_up_id
    )
    mine = this.subquery()
    wanted = select(follow_up.c.id).where(
        follow_up.c.connection_id == mine.c.connection_id,
        follow_up.c.action == mine.c.action,
        follow_up.c.kind == "word",
        follow_up.c.recipient_id == referrer_id,
        follow_up.c.state.in_(_SENT),
        follow_up.c.settled_at >= since,
        follow_up.c.id != follow_up_id,
    )
    return db.scalar(select(exists(wanted))) is True
