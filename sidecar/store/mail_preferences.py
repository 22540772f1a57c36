"""Which mails reps want, and addresses to which none are sent any more."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Connection, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from sidecar.keyring import Keyring
from sidecar.referral.mail_preference import Mails, Preference
from sidecar.store.tables import follow_up, mail_preference, mail_suppression


class Suppressed(NamedTuple):
    """An address that takes no mail, as somebody or a bounce has said."""

    id: int
    address: str
    reason: str
    since: datetime


def of_reps(
    db: Connection, connection_id: int, user_ids: Iterable[str]
) -> dict[str, Preference]:
    """Give what reps have chosen; who has chosen nothing is missing."""
    rows = db.execute(
        select(mail_preference).where(
            mail_preference.c.connection_id == connection_id,
            mail_preference.c.user_id.in_(list(user_ids)),
        )
    )
    return {
        row.user_id: Preference(
            Mails(row.mails), row.quiet_from, row.quiet_until, row.changed_at
        )
        for row in rows
    }


def choose(
    db: Connection,
    connection_id: int,
    user_id: str,
    preference: Preference,
    *,
    now: datetime,
) -> None:
    """Remember what a rep has chosen; what waits for the rep is decided anew."""
    values = {
        "mails": preference.mails,
        "quiet_from": preference.quiet_from,
        "quiet_until": preference.quiet_until,
        "changed_at": now,
    }
    new = insert(mail_preference).values(
        connection_id=connection_id, user_id=user_id, **values
    )
    db.execute(
        new.on_conflict_do_update(
            index_elements=["connection_id", "user_id"], set_=values
        )
    )
    waits = and_(
        follow_up.c.kind == "email",
        follow_up.c.connection_id == connection_id,
        follow_up.c.recipient_id == user_id,
        follow_up.c.state == "waiting",
        follow_up.c.held.is_not(None),
    )
    db.execute(
        update(follow_up)
        .where(waits)
        .values(due_at=func.least(follow_up.c.due_at, now))
    )


def suppress(
    db: Connection, address: str, *, reason: str, now: datetime, keyring: Keyring
) -> bool:
    """Send nothing to an address any more; False where that was so already."""
    # One a time: two would not see each other's.
    db.execute(select(func.pg_advisory_xact_lock(1_002)))
    wanted = _same(address)
    if any(_same(known.address) == wanted for known in listing(db, keyring=keyring)):
        return False
    db.execute(
        insert(mail_suppression).values(
            address_sealed=keyring.seal(address.strip()), reason=reason, since=now
        )
    )
    return True


def unsuppress(db: Connection, address: str, *, keyring: Keyring) -> bool:
    """Send to an address again; False where nothing was in the way."""
    wanted = _same(address)
    ids = [
        known.id
        for known in listing(db, keyring=keyring)
        if _same(known.address) == wanted
    ]
    if ids:
        db.execute(delete(mail_suppression).where(mail_suppression.c.id.in_(ids)))
    return bool(ids)


def listing(db: Connection, *, keyring: Keyring) -> list[Suppressed]:
    """
    List the addresses, oldest first.

    They are sealed, and few: nobody can look for one without opening all.
    """
    rows = db.execute(select(mail_suppression).order_by(mail_suppression.c.id))
    return [
        Suppressed(row.id, _opened(row.address_sealed, keyring), row.reason, row.since)
        for row in rows
    ]


def suppressed(db: Connection, *, keyring: Keyring) -> frozenset[str]:
    """Give the addresses, as ``is_suppressed`` compares them."""
    return frozenset(_same(known.address) for known in listing(db, keyring=keyring))


def is_suppressed(address: str, among: frozenset[str]) -> bool:
    """Tell whether an address is one of them; case says nothing in addresses."""
    return _same(address) in among


def _same(address: str) -> str:
    return address.strip().casefold()


@lru_cache(maxsize=4096)
def _opened(sealed: str, keyring: Keyring) -> str:
    return keyring.open(sealed)
