"""Retention: what is kept for how long, and the purge that ends it.

What says who somebody is goes; what happened, when and how often stays. Each step is
a short transaction, and doing it again does no harm.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    and_,
    case,
    delete,
    exists,
    or_,
    select,
    text,
    tuple_,
    update,
)

from sidecar.keyring import Keyring
from sidecar.store import erasure, inbox, mentions, persons
from sidecar.store.tables import (
    authorization,
    connection,
    event,
    follow_up,
    person,
    person_trait,
    quarantine,
    referral,
    report_mail,
    webhook_delivery,
)

_BATCH = 1000
_SINCE_LAST = timedelta(days=2)
"""What came in since the last purge, and more: it is to be once a day."""
_NEW = timedelta(days=1)
_OVER = "it was given up on, and is no longer kept"


@dataclass(frozen=True)
class Terms:
    """For how long each kind is kept, from when it was done, refused or received."""

    events: timedelta
    quarantine: timedelta
    follow_ups: timedelta
    deliveries: timedelta


def purge(
    engine: Engine, terms: Terms, *, now: datetime, keyring: Keyring
) -> Iterator[tuple[str, int]]:
    """
    End what has been kept long enough.

    Yields:
        What was looked at, and how many of it were emptied or removed.
    """
    yield (
        "authorizations",
        _remove(engine, authorization, authorization.c.expires_at < now),
    )
    yield "events", _empty_events(engine, now - terms.events, now, keyring)
    refused = quarantine.c.last_seen_at < now - terms.quarantine
    yield "quarantine", _remove(engine, quarantine, refused)
    yield "follow-ups", _empty_follow_ups(engine, now - terms.follow_ups)
    yield "report mails", _empty_report_mails(engine, now - terms.follow_ups)
    delivered = webhook_delivery.c.received_at < now - terms.deliveries
    yield "webhook deliveries", _remove(engine, webhook_delivery, delivered)
    yield "of the erased", _of_the_erased(engine, now, keyring)
    yield "persons", _forget_strangers(engine, now - _NEW)
    _vacuum(engine)


def _repeat(engine: Engine, step: Callable[[Connection], int]) -> int:
    """Take a step until it finds less than a batch; each in a transaction."""
    total = 0
    while True:
        with engine.begin() as db:
            done = step(db)
        total += done
        if done < _BATCH:
            return total


def _remove(engine: Engine, table: Table, past: ColumnElement[bool]) -> int:
    keys = list(table.primary_key.columns)
    some = select(*keys).where(past).limit(_BATCH)
    return _repeat(
        engine,
        lambda db: db.execute(delete(table).where(tuple_(*keys).in_(some))).rowcount,
    )


def _empty_events(
    engine: Engine, before: datetime, now: datetime, keyring: Keyring
) -> int:
    """What waits is kept, however old."""
    full = (event.c.emptied_at.is_(None), event.c.state != "waiting")
    some = select(event.c.id).where(*full, event.c.received_at < before).limit(_BATCH)
    return _repeat(
        engine,
        lambda db: inbox.empty(db, db.scalars(some).all(), now=now, keyring=keyring),
    )


def _empty_follow_ups(engine: Engine, before: datetime) -> int:
    """The key stays, so that the same milestone does not bring the same again."""
    past = and_(
        follow_up.c.sealed != "",
        follow_up.c.settled_at < before,
        follow_up.c.state.not_in(("waiting", "sending")),
    )
    some = select(follow_up.c.id).where(past).limit(_BATCH)
    over = follow_up.c.state.in_(("dead", "uncertain"))
    blank = {
        "sealed": "",
        "person_id": None,
        "referrer_id": None,
        "sent_to": None,
        "state": case((over, "cancelled"), else_=follow_up.c.state),
        "error": case((over, _OVER), else_=None),
    }
    emptied = update(follow_up).where(follow_up.c.id.in_(some)).values(blank)
    return _repeat(engine, lambda db: db.execute(emptied).rowcount)


def _empty_report_mails(engine: Engine, before: datetime) -> int:
    """The key stays, so that nobody gets the same report again."""
    past = and_(
        report_mail.c.sealed != "",
        report_mail.c.settled_at < before,
        report_mail.c.state.not_in(("waiting", "sending")),
    )
    some = select(report_mail.c.id).where(past).limit(_BATCH)
    blank = {"sealed": "", "to_sealed": "", "person_id": None, "error": None}
    emptied = update(report_mail).where(report_mail.c.id.in_(some)).values(blank)
    return _repeat(engine, lambda db: db.execute(emptied).rowcount)


def _of_the_erased(engine: Engine, now: datetime, keyring: Keyring) -> int:
    """
    Take out what came of erased persons by a way that looked nobody up.

    A repeated message of theirs, for one: it is decided about, and emptied; what a
    door itself puts aside is not.
    """
    found = 0
    with engine.begin() as db:
        digest = persons.digester(db, keyring)
        orgs = db.scalars(select(connection.c.org_id).distinct()).all()
        traits = {org_id: erasure.suppressed(db, org_id) for org_id in orgs}
    for org_id, suppressed in traits.items():
        if suppressed:
            found += mentions.take_out(
                engine,
                org_id,
                suppressed,
                now=now,
                digest=digest,
                keyring=keyring,
                since=now - _SINCE_LAST,
            )
    return found


def _forget_strangers(engine: Engine, before: datetime) -> int:
    """Forget persons about whom nothing is left; who is erased is remembered."""
    total = 0
    with engine.connect() as db:
        orgs = db.scalars(select(person.c.org_id).distinct()).all()
    for org_id in orgs:
        total += _repeat(engine, partial(_some_strangers, org_id, before))
    return total


def _some_strangers(org_id: str, before: datetime, db: Connection) -> int:
    named = [
        exists().where(
            or_(table.c.person_id == person.c.id, table.c.referrer_id == person.c.id)
        )
        for table in (referral, follow_up)
    ]
    named.append(exists().where(report_mail.c.person_id == person.c.id))
    erasure.lock_org(db, org_id)
    ids = db.scalars(
        select(person.c.id)
        .where(
            person.c.org_id == org_id,
            person.c.erased_at.is_(None),
            person.c.created_at < before,
            ~or_(*named),
        )
        .limit(_BATCH)
    ).all()
    db.execute(delete(person_trait).where(person_trait.c.person_id.in_(ids)))
    return db.execute(delete(person).where(person.c.id.in_(ids))).rowcount


def _vacuum(engine: Engine) -> None:
    """Let the database write over what it has set aside of the former rows."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("SET statement_timeout = 0"))
        try:
            db.execute(
                text(
                    "VACUUM event, quarantine, follow_up, report_mail, referral, person"
                )
            )
        finally:
            db.execute(text("RESET statement_timeout"))
