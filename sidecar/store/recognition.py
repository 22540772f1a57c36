"""Recognising the people of a referral, whatever told of it, and getting to know them.

One query for all that a batch tells; one more for each of what is new.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from sidecar.keyring import Keyring, new_key
from sidecar.store.persons import (
    EMAIL,
    RECORD,
    Gone,
    People,
    Person,
    Trait,
    digester,
)
from sidecar.store.tables import person, person_trait


class Told(Protocol):
    """What tells of a referral, as ``Seen`` and ``Referral`` do."""

    @property
    def key(self) -> str:
        """The referral's key."""

    @property
    def record_id(self) -> str:
        """The record it is at."""

    @property
    def details(self) -> Mapping[str, str]:
        """What is said of its people."""


def gone(
    db: Connection, org_id: str, told: Iterable[Told], *, keyring: Keyring
) -> dict[str, Gone]:
    """
    Find those of these referrals of whose people somebody is erased.

    A record that came with an erased address is known by its id from then on. The
    caller holds the lane of the connection.

    Returns:
        By referral key; a referral of which nobody is erased is missing.
    """
    known = _Known(db, org_id, told, keyring)
    found = {
        key: Gone(
            known.erased(traits) is not None,
            known.erased(known.referrers(key)) is not None,
        )
        for key, traits in known.traits.items()
    }
    for key, who in found.items():
        if who.person:
            known.claim(known.traits[key])
    known.keep_claims()
    return {key: who for key, who in found.items() if any(who)}


def recognise(
    db: Connection,
    org_id: str,
    told: Iterable[Told],
    *,
    now: datetime,
    keyring: Keyring,
) -> dict[str, People]:
    """
    Find the people of referrals by their traits, and make those who are new.

    The caller holds the lane of the connection.

    Returns:
        By referral key.
    """
    known = _Known(db, org_id, told, keyring)
    groups = [
        traits
        for key in known.traits
        for traits in (known.traits[key], known.referrers(key))
        if traits
    ]
    known.make(known.strangers(groups), now)
    found = {}
    for key, traits in known.traits.items():
        referrers = known.referrers(key)
        found[key] = People(
            known.claim(traits), known.claim(referrers) if referrers else None
        )
    known.keep_claims()
    return found


class _Known:
    """What is known of the traits of some referrals, within one transaction."""

    def __init__(
        self, db: Connection, org_id: str, told: Iterable[Told], keyring: Keyring
    ) -> None:
        self._db, self._org_id, self._keyring = db, org_id, keyring
        self.traits: dict[str, list[Trait]] = {}
        self._referrers: dict[str, list[Trait]] = {}
        self._holders: dict[Trait, Person] = {}
        self._rows: set[tuple[Trait, int]] = set()
        self._claims: set[tuple[Trait, int]] = set()
        told = list(told)
        if not told:
            return
        digest = digester(db, keyring)
        for item in told:
            own = self.traits.setdefault(item.key, [])
            own += [digest(RECORD, item.key), digest(RECORD, item.record_id)]
            if email := item.details.get("email"):
                own.append(digest(EMAIL, email))
            if referrer := item.details.get("referrer_id"):
                self._referrers[item.key] = [digest(RECORD, referrer)]
        self._load()

    def _load(self) -> None:
        wanted = {
            trait
            for group in (*self.traits.values(), *self._referrers.values())
            for trait in group
        }
        rows = self._db.execute(
            select(
                person_trait.c.kind,
                person_trait.c.digest,
                person.c.id,
                person.c.key_sealed,
            )
            .join(person, person.c.id == person_trait.c.person_id)
            .where(
                person_trait.c.org_id == self._org_id,
                person_trait.c.kind.in_({trait.kind for trait in wanted}),
                person_trait.c.digest.in_({trait.digest for trait in wanted}),
            )
            # Of several who share an address, who is erased, else who came first.
            .order_by(person.c.key_sealed.is_not(None), person.c.id)
        )
        for kind, digest, id_, key_sealed in rows:
            trait = Trait(kind, bytes(digest))
            self._rows.add((trait, id_))
            if trait not in self._holders:
                key = self._keyring.unwrap(key_sealed) if key_sealed else None
                self._holders[trait] = Person(id_, key)

    def referrers(self, key: str) -> list[Trait]:
        return self._referrers.get(key, [])

    def erased(self, traits: Iterable[Trait]) -> Person | None:
        for trait in traits:
            if (found := self._holders.get(trait)) and found.key is None:
                return found
        return None

    def strangers(self, groups: Iterable[list[Trait]]) -> list[list[Trait]]:
        """Those of whom no trait is known, nor one of a stranger before them."""
        new: list[list[Trait]] = []
        seen: set[Trait] = set()
        for traits in groups:
            if seen.isdisjoint(traits) and self._holders.keys().isdisjoint(traits):
                new.append(traits)
            seen.update(traits)
        return new

    def make(self, strangers: list[list[Trait]], now: datetime) -> None:
        if not strangers:
            return
        keys = [new_key() for _ in strangers]
        rows = [
            {
                "org_id": self._org_id,
                "key_sealed": self._keyring.seal(key),
                "created_at": now,
            }
            for key in keys
        ]
        ids = self._db.scalars(
            insert(person).returning(person.c.id, sort_by_parameter_order=True), rows
        )
        for traits, key, id_ in zip(strangers, keys, ids, strict=True):
            for trait in traits:
                self._holders[trait] = Person(id_, Keyring([key]))

    def claim(self, traits: list[Trait]) -> Person:
        """Whose these are; their first known trait decides, but for an erasure."""
        found = self.erased(traits)
        if found is None:
            found = next(
                holder for trait in traits if (holder := self._holders.get(trait))
            )
        for trait in traits:
            self._holders.setdefault(trait, found)
            # Of who is erased no further address is learnt; their records are.
            if found.key is not None or trait.kind == RECORD:
                self._claims.add((trait, found.id))
        return found

    def keep_claims(self) -> None:
        rows = [
            {"org_id": self._org_id, "person_id": id_, **trait._asdict()}
            for trait, id_ in sorted(self._claims - self._rows)
        ]
        if rows:
            new = insert(person_trait).values(rows)
            self._db.execute(new.on_conflict_do_nothing())


def learn_records(
    db: Connection, org_id: str, by: Collection[Trait], records: Collection[Trait]
) -> None:
    """Know by these records from now on who is erased and known by these traits."""
    holders = db.scalars(
        select(person_trait.c.person_id)
        .join(person, person.c.id == person_trait.c.person_id)
        .where(
            person_trait.c.org_id == org_id,
            tuple_(person_trait.c.kind, person_trait.c.digest).in_(list(by)),
            person.c.erased_at.is_not(None),
        )
        .limit(1)
    ).all()
    rows = [
        {"org_id": org_id, "person_id": id_, **trait._asdict()}
        for id_ in holders
        for trait in records
    ]
    if rows:
        db.execute(insert(person_trait).values(rows).on_conflict_do_nothing())
