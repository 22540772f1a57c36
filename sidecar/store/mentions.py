"""Who is mentioned in what the doors have kept: searched, because nothing names them.

A door seals what comes in with the ring and looks nobody up. Whoever wants to know
what it says of a person opens it all (docs/privacy.md says how long that takes).
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Table, select, update

from sidecar.keyring import Keyring
from sidecar.store import inbox, recognition
from sidecar.store.persons import EMAIL, RECORD, Digest, Trait
from sidecar.store.tables import event, quarantine

_BATCH = 500
# What may be an address or an id, in JSON and XML alike.
_APART = r"[^\s\"'<>()\[\]{},;:&=|\\/]"
_WORD = re.compile(
    rf"{_APART}+@{_APART}+"
    r"|(?<![A-Za-z0-9])[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?(?![A-Za-z0-9])"
)
_OF_THE_REFERRER = frozenset({"Referrer__c", "Referrer_Name__c", "Referral_Code__c"})
_KEY, _ADDRESS = "Referral_Key__c", "Email"
# By these an event that waits is decided about; they say nothing of anybody.
_STATE = frozenset(
    {
        "Id",
        "OwnerId",
        "Referral_Status__c",
        _KEY,
        "SystemModstamp",
        "LastModifiedDate",
        "recovered",
    }
)


@dataclass(frozen=True)
class Mention:
    """
    An event that mentions somebody.

    ``about`` says that it is about them; ``fields`` are then all that it carries, and
    otherwise those that mention them.
    """

    id: int
    about: bool
    received_at: datetime
    object_type: str | None
    record_id: str | None
    fields: Mapping[str, Any]


def mentions(text: str, traits: Collection[Trait], digest: Digest) -> bool:
    """Tell whether a text holds one of these addresses or ids."""
    return any(
        digest(EMAIL if "@" in word else RECORD, word.rstrip(".")) in traits
        for word in _WORD.findall(text)
    )


def in_events(
    engine: Engine,
    org_id: str,
    traits: Collection[Trait],
    *,
    digest: Digest,
    keyring: Keyring,
    since: datetime | None = None,
) -> Iterator[Mention]:
    """Search the inbox of an org, or what came into it since a moment."""
    for row in _events(engine, org_id, since):
        if found := _mention(row, keyring, traits, digest):
            yield found


def in_quarantine(
    engine: Engine,
    traits: Collection[Trait],
    *,
    digest: Digest,
    keyring: Keyring,
    since: datetime | None = None,
) -> Iterator[Row[Any]]:
    """Search what was refused; rows without their bodies."""
    recent = quarantine.c.last_seen_at >= since if since else None
    for row in _walk(engine, quarantine, recent):
        if mentions(f"{keyring.open(row.sealed)}\n{row.reason}", traits, digest):
            yield row


def take_out(
    engine: Engine,
    org_id: str,
    traits: Collection[Trait],
    *,
    now: datetime,
    digest: Digest,
    keyring: Keyring,
    since: datetime | None = None,
) -> int:
    """
    Take erased persons out of what the doors have kept.

    What is about them is emptied, and its record known as theirs from then on. Of
    what only mentions them, as their referrals do of a referrer, nothing is lost but
    that. An event that waits keeps what is decided by.
    Doing it again does no harm.

    Returns:
        How many events and refused messages held something.
    """
    changed = 0
    for row in _events(engine, org_id, since):
        if mention := _mention(row, keyring, traits, digest):
            with engine.begin() as db:
                if mention.about:
                    own = _own(row, mention.fields, digest)
                    records = {trait for trait in own if trait.kind == RECORD}
                    recognition.learn_records(db, org_id, own, records)
                changed += _take_out(db, row, mention, now, keyring)
    for refused in in_quarantine(
        engine, traits, digest=digest, keyring=keyring, since=since
    ):
        blank = {"sealed": keyring.seal(""), "reason": "what it held was erased"}
        # Its digest stays: the same message is not kept anew.
        with engine.begin() as db:
            emptied = update(quarantine).where(quarantine.c.id == refused.id)
            changed += db.execute(emptied.values(blank)).rowcount
    return changed


def _mention(
    row: Row[Any], keyring: Keyring, traits: Collection[Trait], digest: Digest
) -> Mention | None:
    text = keyring.open(row.sealed)
    fields: dict[str, Any] = json.loads(text)["fields"]
    about = not _own(row, fields, digest).isdisjoint(traits)
    if not about and not mentions(text, traits, digest):
        return None
    if not about:
        fields = {
            name: value
            for name, value in fields.items()
            if mentions(json.dumps(value, ensure_ascii=False), traits, digest)
        }
    return Mention(
        id=row.id,
        about=about,
        received_at=row.received_at,
        object_type=row.object_type,
        record_id=row.record_id,
        fields=fields,
    )


def _own(row: Row[Any], fields: Mapping[str, Any], digest: Digest) -> set[Trait]:
    """By what the one whom an event is about is known."""
    told = [
        (RECORD, row.record_id),
        (RECORD, fields.get(_KEY)),
        (EMAIL, fields.get(_ADDRESS)),
    ]
    return {digest(kind, str(value)) for kind, value in told if value}


def _take_out(
    db: Connection, row: Row[Any], mention: Mention, now: datetime, keyring: Keyring
) -> int:
    if mention.about and row.state != "waiting":
        return inbox.empty(db, [row.id], now=now, keyring=keyring)
    content = json.loads(keyring.open(row.sealed))
    dropped = set(mention.fields)
    if mention.about:
        dropped = set(content["fields"]) - _STATE
    elif "Referrer__c" in dropped:
        dropped |= _OF_THE_REFERRER
    kept = {
        "fields": {
            name: value
            for name, value in content["fields"].items()
            if name not in dropped
        },
        "absent": [name for name in content.get("absent", ()) if name not in dropped],
    }
    # Whoever has worked on it meanwhile has looked who is erased.
    anew = update(event).where(event.c.id == row.id, event.c.sealed == row.sealed)
    return db.execute(anew.values(sealed=keyring.seal(json.dumps(kept)))).rowcount


def _events(engine: Engine, org_id: str, since: datetime | None) -> Iterator[Row[Any]]:
    recent = event.c.received_at >= since if since else None
    return _walk(
        engine, event, event.c.org_id == org_id, event.c.emptied_at.is_(None), recent
    )


def _walk(
    engine: Engine, table: Table, *wanted: ColumnElement[bool] | None
) -> Iterator[Row[Any]]:
    """Walk along the primary key; no transaction stays open in between."""
    last = 0
    while True:
        query = select(table).where(table.c.id > last).order_by(table.c.id)
        for condition in wanted:
            query = query if condition is None else query.where(condition)
        with engine.connect() as db:
            rows = db.execute(query.limit(_BATCH)).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].id
