"""Persons: whom what we keep is about, each with a key of their own.

A person is somebody referred, or a referrer, within one org. What is kept about them
is sealed with their key, and the ring has sealed the key: to erase a person is to
destroy one value. They are recognised by traits, an e-mail address or a record's id,
of which a keyed digest is kept and not the trait: the digests outlive an erasure, so
that a late message does not bring the person back.

Whoever writes about persons holds the lane of their connection (``inbox.lock_lane``):
an erasure waits for it, and nobody writes meanwhile what it has looked past.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Row, Select, Table, select
from sqlalchemy.dialects.postgresql import insert

from sidecar.keyring import Keyring, new_key
from sidecar.store.tables import person, referral, secret

EMAIL, RECORD = "email", "record"

REFERRER_DETAILS = frozenset({"referrer", "referrer_id", "code"})
"""The words of a referral's details that are the referrer's."""

_ID = re.compile(r"([A-Za-z0-9]{15})(?:[A-Za-z0-9]{3})?\Z")
_DIGEST_KEY = "trait digests"


class Trait(NamedTuple):
    """What a person is known by, unreadable."""

    kind: str
    digest: bytes


Digest: TypeAlias = Callable[[str, str], Trait]


@dataclass(frozen=True)
class Person:
    """One person; ``key`` is None once they are erased."""

    id: int
    key: Keyring | None


class Gone(NamedTuple):
    """Who of a referral's people is erased."""

    person: bool
    referrer: bool

    def permitted(self, details: Mapping[str, str]) -> dict[str, str]:
        """Leave out of a referral's details what nobody may keep any more."""
        if self.person:
            return {}
        return without_referrer(details) if self.referrer else dict(details)


@dataclass(frozen=True)
class People:
    """Whom a referral is about, and by whom it came where that has an id."""

    person: Person
    referrer: Person | None = None

    @property
    def gone(self) -> Gone:
        """Who of them is erased."""
        referrer = self.referrer
        return Gone(
            self.person.key is None, referrer is not None and referrer.key is None
        )

    @property
    def keys(self) -> list[Keyring]:
        """The keys of all who are not erased; the outermost seal's first."""
        both = (self.person, self.referrer)
        return [one.key for one in both if one is not None and one.key is not None]


def without_referrer(details: Mapping[str, str]) -> dict[str, str]:
    """Leave out what is the referrer's."""
    return {
        word: text for word, text in details.items() if word not in REFERRER_DETAILS
    }


def digester(db: Connection, keyring: Keyring) -> Digest:
    """
    Give the function that makes traits of e-mail addresses and record ids.

    Its key is random and kept sealed: a new key of the ring seals it anew, and the
    digests stay what they are.
    """
    wanted = select(secret.c.sealed).where(secret.c.name == _DIGEST_KEY)
    sealed = db.scalar(wanted)
    if sealed is None:
        new = insert(secret).values(name=_DIGEST_KEY, sealed=keyring.seal(new_key()))
        db.execute(new.on_conflict_do_nothing())
        sealed = db.execute(wanted).scalar_one()
    key = keyring.open(sealed).encode()

    def digest(kind: str, value: str) -> Trait:
        text = f"{kind}\n{_normal(kind, value)}"
        return Trait(kind, hmac.digest(key, text.encode(), hashlib.sha256))

    return digest


def _normal(kind: str, value: str) -> str:
    """The 15- and the 18-character form are one id; case says nothing in addresses."""
    if kind == EMAIL:
        return value.strip().casefold()
    found = _ID.match(value)
    return found[1] if found else value


def of_referrals(
    db: Connection, org_id: str, keys: Iterable[str], *, keyring: Keyring
) -> dict[str, People]:
    """Give the people of referrals that are kept, by referral key."""
    query = select(referral.c.key, referral.c.person_id, referral.c.referrer_id).where(
        referral.c.org_id == org_id, referral.c.key.in_(list(keys))
    )
    return {
        row.key: found
        for row in db.execute(with_keys(query, referral))
        if (found := people(row, keyring))
    }


def with_keys(query: Select[Any], table: Table) -> Select[Any]:
    """Add to a query of a table its persons' sealed keys, as they are now."""
    about, referrer = person.alias("about"), person.alias("referrer")
    return (
        query.outerjoin(about, about.c.id == table.c.person_id)
        .outerjoin(referrer, referrer.c.id == table.c.referrer_id)
        .add_columns(
            about.c.key_sealed.label("person_key"),
            referrer.c.key_sealed.label("referrer_key"),
        )
    )


def people(row: Row[Any], keyring: Keyring) -> People | None:
    """Give the people of a row of ``with_keys``; None where it names none."""
    if row.person_id is None:
        return None

    def known(id_: int, sealed: str | None) -> Person:
        return Person(id_, keyring.unwrap(sealed) if sealed else None)

    referrer = None
    if row.referrer_id is not None:
        referrer = known(row.referrer_id, row.referrer_key)
    return People(known(row.person_id, row.person_key), referrer)


def seal(text: str, of: People) -> str:
    """
    Seal a text with the keys of all who are in it: it takes all of them to open it.

    Of who is erased there is nothing to seal: the caller has left it out.
    """
    if of.gone.person:
        return ""
    for key in reversed(of.keys):
        text = key.seal(text)
    return text


def opened(row: Row[Any], keyring: Keyring) -> str | None:
    """
    Open the sealed text of a row of ``with_keys``; None where it was erased.

    Raises:
        Permanent: no key fits.
    """
    text: str = row.sealed
    if not text:
        return None
    of = people(row, keyring)
    if of is None:
        return keyring.open(text)
    if any(of.gone):
        return None
    for key in of.keys:
        text = key.open(text)
    return text


def columns(of: People) -> dict[str, int | None]:
    """Name the people of a row that ``seal`` has sealed for them."""
    names = of.referrer is not None and not any(of.gone)
    return {
        "person_id": of.person.id,
        "referrer_id": of.referrer.id if of.referrer and names else None,
    }
