"""Monthly lists for referrers: for whom there is one, and what is in it."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from sidecar.keyring import Keyring
from sidecar.referral.follow_up import Word
from sidecar.referral.journey import Milestone, Referral
from sidecar.store import persons
from sidecar.store.persons import People, Person
from sidecar.store.tables import follow_up, person, reached, referral

MOST = 50
"""So many referrals are in a list; Gmail cuts off what is longer than 102 kB."""


class Listed(NamedTuple):
    """A referrer of whose referrals there is something new."""

    person_id: int
    record_id: str
    owner_id: str | None


def with_news(
    db: Connection, org_id: str, *, since: datetime, until: datetime
) -> list[Listed]:
    """
    Find referrers who have heard of us, and of whose referrals one has moved.

    Whether they still want to hear is asked when it is sent.
    """
    moved = exists().where(
        reached.c.org_id == referral.c.org_id,
        reached.c.referral_key == referral.c.key,
        reached.c.reached_at >= since,
        reached.c.reached_at < until,
    )
    rows = db.execute(
        select(
            referral.c.referrer_id,
            func.max(follow_up.c.recipient_id),
            func.max(referral.c.owner_id),
        )
        .join(
            follow_up,
            (follow_up.c.org_id == referral.c.org_id)
            & (follow_up.c.referrer_id == referral.c.referrer_id),
        )
        .where(
            referral.c.org_id == org_id,
            follow_up.c.kind == "word",
            follow_up.c.state == "done",
            moved,
        )
        .group_by(referral.c.referrer_id)
        .order_by(referral.c.referrer_id)
    )
    return [Listed(*row) for row in rows if row[1]]


def add(
    db: Connection,
    referrer: Listed,
    *,
    connection_id: int,
    org_id: str,
    key: str,
    month: datetime,
    now: datetime,
    keyring: Keyring,
) -> bool:
    """
    Plan a list; planned again, it is the same. For who is erased there is none.

    Returns:
        Whether it is new.
    """
    sealed = db.scalar(
        select(person.c.key_sealed).where(person.c.id == referrer.person_id)
    )
    if sealed is None:
        return False
    whose = People(Person(referrer.person_id, keyring.unwrap(sealed)))
    owner = referrer.owner_id
    rep = owner if owner and owner.startswith("005") else None
    word = Word("digest", referrer.record_id, rep, {"at": month.isoformat()})
    new = insert(follow_up).values(
        connection_id=connection_id,
        org_id=org_id,
        referral_key=referrer.record_id,
        milestone="digest",
        action=f"digest-{month:%Y-%m}",
        key=key,
        kind="word",
        record_id=referrer.record_id,
        event_id=0,
        playbook_version="",
        resend=False,
        recipient_id=referrer.record_id,
        sealed=persons.seal(json.dumps(asdict(word)), whose),
        **persons.columns(whose),
        due_at=now,
        created_at=now,
    )
    added = new.on_conflict_do_nothing().returning(follow_up.c.id)
    return db.scalar(added) is not None


def of(db: Connection, follow_up_id: int, *, keyring: Keyring) -> list[Referral]:
    """
    Give the referrals of the referrer to whom a list goes, the newest change first.

    One more than ``MOST`` at most, so that somebody may say that there are more.
    """
    whose = select(follow_up.c.org_id, follow_up.c.person_id).where(
        follow_up.c.id == follow_up_id
    )
    mine = whose.subquery()
    query = (
        select(referral)
        .join(
            mine,
            (mine.c.org_id == referral.c.org_id)
            & (mine.c.person_id == referral.c.referrer_id),
        )
        .where(referral.c.status.is_not(None))
        .order_by(referral.c.changed_at.desc(), referral.c.key)
        .limit(MOST + 1)
    )
    return [
        Referral(
            row.key,
            row.object_type,
            row.record_id,
            row.status,
            Milestone(row.milestone) if row.milestone else None,
            row.owner_id,
            row.changed_at,
            json.loads(text),
        )
        for row in db.execute(persons.with_keys(query, referral))
        if (text := persons.opened(row, keyring))
    ]
