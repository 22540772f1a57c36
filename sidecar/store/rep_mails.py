"""The mails of one rep: what went to them lately, and what waits to go together."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select, update

from sidecar.keyring import Keyring
from sidecar.store import claims
from sidecar.store.claims import Attempt
from sidecar.store.tables import follow_up

_MOST_PARTS = 1000


def sent(
    db: Connection, connection_id: int, user_ids: Iterable[str], *, since: datetime
) -> dict[str, list[datetime]]:
    """When mails went to reps, oldest first; what went together is one."""
    mail = follow_up.c
    rows = db.execute(
        select(mail.recipient_id, func.max(mail.settled_at).label("at"))
        .where(
            mail.kind == "email",
            mail.connection_id == connection_id,
            mail.recipient_id.in_(list(user_ids)),
            mail.settled_at > since,
            mail.state == "done",
        )
        .group_by(mail.recipient_id, func.coalesce(mail.digest_key, mail.key))
        .order_by("at")
    )
    found: dict[str, list[datetime]] = {}
    for row in rows:
        found.setdefault(row.recipient_id, []).append(row.at)
    return found


def gather(
    db: Connection,
    connection_id: int,
    user_id: str,
    *,
    now: datetime,
    lease_ends: datetime,
    limit: int,
    keyring: Keyring,
) -> list[Attempt]:
    """
    Take what waits for a rep, due or held, to go together.

    What has been tried before goes by itself: it may have arrived. So does what the
    rep or the playbook wants at a later time.
    """
    mail = follow_up.c
    where = (
        mail.connection_id == connection_id,
        mail.kind == "email",
        mail.recipient_id == user_id,
        mail.state == "waiting",
        mail.digest_key.is_(None),
        mail.error.is_(None),
        or_(mail.held.is_not(None), mail.due_at <= now),
        claims.in_turn(also_under_way=False),
    )
    return claims.take(
        db,
        "email",
        where,
        now=now,
        lease_ends=lease_ends,
        limit=limit,
        keyring=keyring,
    )


def parts(
    db: Connection,
    connection_id: int,
    digest_key: str,
    *,
    now: datetime,
    lease_ends: datetime,
    keyring: Keyring,
) -> list[Attempt]:
    """Take what belongs to a mail that is to be sent again."""
    mail = follow_up.c
    where = (
        mail.connection_id == connection_id,
        mail.kind == "email",
        or_(mail.state == "waiting", mail.due_at <= now),
        mail.state.in_(("waiting", "sending")),
        mail.digest_key == digest_key,
    )
    return claims.take(
        db,
        "email",
        where,
        now=now,
        lease_ends=lease_ends,
        limit=_MOST_PARTS,
        keyring=keyring,
    )


def bind(db: Connection, attempts: Sequence[Attempt], digest_key: str) -> None:
    """Make mails one: from now on they are sent, and settled, as this one."""
    ids = [attempt.id for attempt in attempts]
    ours = and_(follow_up.c.id.in_(ids), follow_up.c.state == "sending")
    db.execute(update(follow_up).where(ours).values(digest_key=digest_key))
