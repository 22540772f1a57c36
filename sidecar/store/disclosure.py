"""Everything that is kept about a person, in plain words: for them to read.

Of others it says nothing: a referrer learns that a referral came by them, and not who
was referred.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from sidecar.keyring import Keyring
from sidecar.store import mail_preferences, mentions, persons
from sidecar.store.erasure import Found
from sidecar.store.persons import Digest
from sidecar.store.tables import follow_up, person, referral, report_mail

Told = dict[str, Any]


def known(db: Connection, found: Found, *, keyring: Keyring) -> Told:
    """Tell what the tables say of them; moments are aware."""
    about = referral.c.person_id.in_(found.persons)
    by_them = referral.c.referrer_id.in_(found.persons)
    done = follow_up.c.person_id.in_(found.persons)
    named = follow_up.c.referrer_id.in_(found.persons)
    return {
        "org": found.org_id,
        "known": [
            {"since": row.created_at, "erased": row.erased_at}
            for row in db.execute(
                select(person).where(person.c.id.in_(found.persons)).order_by("id")
            )
        ],
        "referrals about them": [
            _state(row) | {"details": _content(row, keyring)}
            for row in db.execute(_of(referral, about).order_by(referral.c.key))
        ],
        "referrals by them": [
            _state(row) | {"details": _own(_content(row, keyring))}
            for row in db.execute(_of(referral, by_them).order_by(referral.c.key))
        ],
        "done about them": [
            _deed(row) | {"content": _content(row, keyring)}
            for row in db.execute(_of(follow_up, done).order_by(follow_up.c.id))
        ],
        "done, naming them as the referrer": [
            _deed(row)
            for row in db.execute(_of(follow_up, named).order_by(follow_up.c.id))
        ],
        "reports to them": [
            {
                "report": row.report,
                "state": row.state,
                "planned": row.created_at,
                "ended": row.settled_at,
            }
            for row in db.execute(
                select(report_mail)
                .where(report_mail.c.person_id.in_(found.persons))
                .order_by(report_mail.c.id)
            )
        ],
    }


def received(engine: Engine, found: Found, *, digest: Digest, keyring: Keyring) -> Told:
    """Tell what came in about them and is still kept; all of it is searched."""
    about: list[Told] = []
    naming: list[Told] = []
    for item in mentions.in_events(
        engine, found.org_id, found.traits, digest=digest, keyring=keyring
    ):
        (about if item.about else naming).append(
            {
                "received": item.received_at,
                "object": item.object_type,
                "record": item.record_id if item.about else None,
                "fields": item.fields,
            }
        )
    with engine.connect() as db:
        silent = [
            {"since": known.since, "because": known.reason}
            for known in mail_preferences.listing(db, keyring=keyring)
            if digest(persons.EMAIL, known.address) in found.traits
        ]
    return {
        "their address takes no mail": silent,
        "messages about them": about,
        "messages that name them": naming,
        "refused messages that name them": list(
            _refused(engine, found, digest, keyring)
        ),
    }


def _refused(
    engine: Engine, found: Found, digest: Digest, keyring: Keyring
) -> Iterator[Told]:
    for row in mentions.in_quarantine(
        engine, found.traits, digest=digest, keyring=keyring
    ):
        yield {
            "first received": row.first_seen_at,
            "last received": row.last_seen_at,
            "refused as": row.kind,
        }


def _of(table: Any, wanted: Any) -> Any:
    return persons.with_keys(select(table).where(wanted), table)


def _content(row: Row[Any], keyring: Keyring) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(persons.opened(row, keyring) or "{}")
    return content


def _own(details: Mapping[str, Any]) -> Mapping[str, Any]:
    return {word: details[word] for word in persons.REFERRER_DETAILS if word in details}


def _state(row: Row[Any]) -> Told:
    return {
        "referral": row.key,
        "object": row.object_type,
        "record": row.record_id,
        "status": row.status,
        "milestone": row.milestone,
        "at": row.changed_at,
    }


def _deed(row: Row[Any]) -> Told:
    return {
        "kind": row.kind,
        "milestone": row.milestone,
        "action": row.action,
        "state": row.state,
        "planned": row.created_at,
        "ended": row.settled_at,
        "receipt": row.receipt,
    }
