"""Erasing persons: their keys are destroyed, their numbers stay.

What stays of somebody erased: the digests by which a late message is known to be about
them, and rows that say what happened and when, under ids that only the org can read.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Table,
    and_,
    case,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from sidecar.keyring import Keyring
from sidecar.referral.follow_up import (
    Chat,
    Email,
    JoinCampaign,
    SetField,
    Task,
    What,
    Word,
    what_of,
)
from sidecar.store import inbox, persons, response_clocks
from sidecar.store.persons import Trait
from sidecar.store.tables import (
    connection,
    follow_up,
    person,
    person_trait,
    referral,
    report_mail,
)

_OPEN = ("waiting", "sending", "dead", "uncertain")
_WHY = "the person whom it was about is erased"
_SOMEBODY = "a referrer not yet named"


@dataclass(frozen=True)
class Found:
    """
    Whom a search has found in an org, and what is kept about them.

    Attributes:
        persons: ids of ours; several where they share an address.
        referrals: keys of referrals that are about them.
        introduced: keys of referrals that came by them.
        records: ids of the records that those are, or were, at.
        open: follow-ups about them that are still to be done.
        sending: those of them that are being done just now.
    """

    org_id: str
    persons: frozenset[int] = frozenset()
    traits: frozenset[Trait] = frozenset()
    referrals: tuple[str, ...] = ()
    introduced: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    follow_ups: int = 0
    open: int = 0
    sending: int = 0


def find(db: Connection, org_id: str, traits: Iterable[Trait]) -> Found:
    """
    Find whoever is known by one of these traits, or shares one with them.

    Two records with one address are one person to us, whatever the names on them.
    """
    known, people = frozenset(traits), frozenset[int]()
    while True:
        holders = _holders(db, org_id, known)
        if holders == people:
            break
        people = holders
        known |= _traits(db, people)
    about = referral.c.person_id.in_(people)
    keys = db.scalars(select(referral.c.key).where(about).order_by(referral.c.key))
    by_them = select(referral.c.key).where(referral.c.referrer_id.in_(people))
    records = select(referral.c.record_id).where(about)
    more = select(follow_up.c.record_id).where(follow_up.c.person_id.in_(people))
    counted = db.execute(
        select(follow_up.c.state, func.count())
        .where(follow_up.c.person_id.in_(people))
        .group_by(follow_up.c.state)
    )
    states = {str(row.state): int(row[1]) for row in counted}
    return Found(
        org_id=org_id,
        persons=people,
        traits=known,
        referrals=tuple(keys),
        introduced=tuple(db.scalars(by_them.order_by(referral.c.key))),
        records=tuple(sorted(db.scalars(records.union(more)))),
        follow_ups=sum(states.values()),
        open=sum(states.get(state, 0) for state in _OPEN),
        sending=states.get("sending", 0),
    )


def erase(
    db: Connection,
    org_id: str,
    traits: Iterable[Trait],
    *,
    now: datetime,
    keyring: Keyring,
) -> Found:
    """
    Erase a person: whatever is sealed with their key is unreadable from then on.

    Nobody decides about their org meanwhile. Who is not known is remembered as erased
    all the same: something of them may be on its way. What the doors have kept is not
    touched; see ``mentions.take_out``.

    Returns:
        What there was.
    """
    lock_org(db, org_id)
    asked = frozenset(traits)
    found = find(db, org_id, asked)
    if found.persons:
        _silence(db, found.persons, now)
        _spare_others(db, found.persons, keyring)
        _close(db, found.persons, now)
        response_clocks.cancel(db, org_id, found.referrals, now=now)
        gone = {"key_sealed": None, "erased_at": func.coalesce(person.c.erased_at, now)}
        db.execute(update(person).where(person.c.id.in_(found.persons)).values(gone))
        _suppress(db, org_id, asked - _traits(db, found.persons), min(found.persons))
    else:
        new = insert(person).values(org_id=org_id, created_at=now, erased_at=now)
        id_ = db.execute(new.returning(person.c.id)).scalar_one()
        _suppress(db, org_id, asked, id_)
        found = replace(found, persons=frozenset({id_}))
    return found


def lock_org(db: Connection, org_id: str) -> None:
    """Let nobody decide about an org until the transaction ends."""
    lanes = select(connection.c.id).where(connection.c.org_id == org_id)
    for connection_id in db.scalars(lanes.order_by(connection.c.id)).all():
        inbox.lock_lane(db, connection_id)


def suppressed(db: Connection, org_id: str) -> frozenset[Trait]:
    """List the traits of all who are erased in an org."""
    rows = db.execute(
        select(person_trait.c.kind, person_trait.c.digest)
        .join(person, person.c.id == person_trait.c.person_id)
        .where(person.c.org_id == org_id, person.c.erased_at.is_not(None))
    )
    return frozenset(Trait(kind, bytes(digest)) for kind, digest in rows)


def _holders(db: Connection, org_id: str, traits: Collection[Trait]) -> frozenset[int]:
    place = tuple_(person_trait.c.kind, person_trait.c.digest)
    rows = db.scalars(
        select(person_trait.c.person_id).where(
            person_trait.c.org_id == org_id, place.in_([tuple(t) for t in traits])
        )
    )
    # Of referrers no message tells an address; of a mail to them it is remembered.
    addresses = [trait.digest for trait in traits if trait.kind == persons.EMAIL]
    told = db.scalars(
        select(follow_up.c.referrer_id).where(
            follow_up.c.org_id == org_id,
            follow_up.c.kind == "word",
            follow_up.c.sent_to.in_(addresses),
            follow_up.c.referrer_id.is_not(None),
        )
    )
    return frozenset(rows) | frozenset(told)


def _traits(db: Connection, people: Collection[int]) -> frozenset[Trait]:
    rows = db.execute(
        select(person_trait.c.kind, person_trait.c.digest).where(
            person_trait.c.person_id.in_(people)
        )
    )
    return frozenset(Trait(kind, bytes(digest)) for kind, digest in rows)


def _suppress(
    db: Connection, org_id: str, traits: Collection[Trait], person_id: int
) -> None:
    rows = [
        {"org_id": org_id, "person_id": person_id, **trait._asdict()}
        for trait in traits
    ]
    if rows:
        db.execute(insert(person_trait).values(rows))


def _close(db: Connection, people: Collection[int], now: datetime) -> None:
    """Nothing more is done about them, and nothing is kept of what was said."""
    about = follow_up.c.person_id.in_(people)
    # What Salesforce or a mail server had against it may quote it.
    blank = {"sealed": "", "error": None, "referrer_id": None}
    db.execute(update(follow_up).where(about).values(blank))
    db.execute(
        update(follow_up)
        .where(about, follow_up.c.state.in_(_OPEN))
        .values(state="cancelled", error=_WHY, settled_at=now)
    )
    about = referral.c.person_id.in_(people)
    db.execute(update(referral).where(about).values(sealed="", referrer_id=None))
    about = report_mail.c.person_id.in_(people)
    blank = {"sealed": "", "to_sealed": "", "error": None}
    db.execute(update(report_mail).where(about).values(blank))
    db.execute(
        update(report_mail)
        .where(about, report_mail.c.state.in_(_OPEN))
        .values(state="cancelled", error=_WHY, settled_at=now)
    )


def _silence(db: Connection, people: Collection[int], now: datetime) -> None:
    """Tell them nothing more of those whom they have referred."""
    to_them = and_(
        follow_up.c.kind == "word",
        or_(follow_up.c.referrer_id.in_(people), follow_up.c.person_id.in_(people)),
    )
    open_ones = update(follow_up).where(to_them, follow_up.c.state.in_(_OPEN))
    db.execute(open_ones.values(state="cancelled", error=_WHY, settled_at=now))
    blank = {
        "sealed": "",
        "error": case((follow_up.c.error == _WHY, _WHY), else_=None),
        "receipt": None,
        "sent_to": None,
        "referrer_id": None,
        "recipient_id": None,
    }
    db.execute(update(follow_up).where(to_them).values(blank))


def _spare_others(db: Connection, people: Collection[int], keyring: Keyring) -> None:
    """Take a referrer out of what is kept about those whom they have referred."""
    names: dict[str, set[str]] = {}
    for row in _introduced(db, referral, people):
        details = json.loads(persons.opened(row, keyring) or "{}")
        kept = json.dumps(persons.without_referrer(details))
        names.setdefault(row.key, set()).update(_names(details))
        anew = update(referral).where(
            referral.c.org_id == row.org_id, referral.c.key == row.key
        )
        db.execute(anew.values(_alone(kept, row, keyring)))
    rows = _introduced(db, follow_up, people)
    contents = {
        row.id: json.loads(persons.opened(row, keyring) or "null") for row in rows
    }
    for row in rows:
        names.setdefault(row.referral_key, set()).update(
            _names((contents[row.id] or {}).get("values", {}))
        )
    for row in rows:
        # Of what is done, nobody needs the words any more.
        kept = ""
        if row.state in _OPEN and (content := contents[row.id]):
            what = what_of(row.kind, content)
            kept = json.dumps(asdict(_unnamed(what, names[row.referral_key])))
        anew = update(follow_up).where(follow_up.c.id == row.id)
        db.execute(anew.values(_alone(kept, row, keyring)))


def _introduced(
    db: Connection, table: Table, people: Collection[int]
) -> list[Row[Any]]:
    """Rows that name them, about others."""
    query = select(table).where(
        table.c.referrer_id.in_(people), table.c.person_id.not_in(people)
    )
    keyed = persons.with_keys(query, table)
    return list(db.execute(keyed.with_for_update(of=table)).all())


def _alone(text: str, row: Row[Any], keyring: Keyring) -> Mapping[str, Any]:
    """Seal for the one whom a row is about, and nobody else."""
    of = persons.people(row, keyring)
    sealed = persons.seal(text, replace(of, referrer=None)) if of and text else ""
    return {"sealed": sealed, "referrer_id": None}


def _names(told: Mapping[str, str]) -> set[str]:
    return {text for word in ("referrer", "code") if (text := told.get(word))}


def _unnamed(what: What, names: Collection[str]) -> What:
    """Leave a referrer's names out of what is still to be done."""
    match what:
        case Task():
            return replace(
                what,
                subject=_without(names, what.subject)[:255],
                description=_without(names, what.description),
            )
        case Email():
            return replace(what, values=persons.without_referrer(what.values))
        case Chat():
            told = persons.without_referrer(what.values)
            return replace(what, text=_without(names, what.text), values=told)
        case SetField():
            return replace(what, value=_without(names, what.value))
        case JoinCampaign():
            return what
        case Word():
            return what  # those to the referrer are silenced by then


def _without(names: Collection[str], text: str) -> str:
    if not names:
        return text
    longest_first = sorted(map(re.escape, names), key=len, reverse=True)
    named = re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)")
    return named.sub(_SOMEBODY, text)
