"""What is kept about a person is sealed with a key of their own."""

import pytest
from messages import lead_id
from people_house import REFERRER, House, address, person
from sqlalchemy import event as listened
from sqlalchemy import func, select, update

from sidecar import keyring as keys
from sidecar.errors import Permanent
from sidecar.keyring import Keyring
from sidecar.store import persons, referrals, rotation
from sidecar.store.tables import follow_up, person_trait, referral, secret
from sidecar.store.tables import person as person_table
from sidecar.wiring import Wiring


def keys_of(house: House) -> list[str]:
    column = person_table.c.key_sealed
    query = select(column).where(column.is_not(None)).order_by(person_table.c.id)
    with house.wiring.engine.connect() as db:
        return list(db.scalars(query))


def test_two_persons_have_two_keys_and_one_can_go_without_the_other(house):
    house.live(person(1), person(2))
    first, second = (house.wiring.keyring.open(sealed) for sealed in keys_of(house))
    assert first != second

    with house.wiring.engine.begin() as db:
        db.execute(
            update(person_table)
            .where(
                person_table.c.id
                == select(referral.c.person_id)
                .where(referral.c.key == lead_id(1))
                .scalar_subquery()
            )
            .values(key_sealed=None, erased_at=func.now())
        )

    assert house.referral(1).details == {}
    assert house.referral(2).details["last_name"] == "Surname2"


def test_the_ring_alone_opens_nothing_about_a_person(house):
    house.live(person(1))
    (own,) = keys_of(house)
    sealed = house.rows(referral.c.sealed) + house.rows(follow_up.c.sealed)

    assert len(sealed) == 3
    for (text,) in sealed:
        with pytest.raises(Permanent):
            house.wiring.keyring.open(text)
        assert "Surname1" in house.wiring.keyring.unwrap(own).open(text)


def test_what_names_a_referrer_takes_both_keys(house):
    house.live(person(1, Referrer__c=REFERRER, Referrer_Name__c="Mira Sample"))
    rings = [house.wiring.keyring.unwrap(sealed) for sealed in keys_of(house)]
    ((sealed,),) = house.rows(referral.c.sealed)

    opened = []
    for outer in rings:
        for inner in rings:
            try:
                opened.append(inner.open(outer.open(sealed)))
            except Permanent:
                continue

    assert len(rings) == 2
    assert len(opened) == 1
    assert "Mira Sample" in opened[0]
    assert house.referral(1).details["referrer"] == "Mira Sample"


def test_one_address_is_one_person_however_it_is_written(house):
    house.live(person(1, Email="Ada@Example.com"), person(2, Email=" ada@example.COM "))
    house.live(person(3))

    rows = dict(house.rows(referral.c.key, referral.c.person_id))
    assert rows[lead_id(1)] == rows[lead_id(2)] != rows[lead_id(3)]
    assert len(keys_of(house)) == 2


def test_an_id_of_15_and_one_of_18_characters_are_one_record(house):
    house.live(person(1, Referrer__c=REFERRER), person(2, Referrer__c=REFERRER[:15]))

    rows = house.rows(referral.c.referrer_id)
    assert rows[0] == rows[1] != (None,)


def test_a_record_stays_with_its_person_when_the_address_changes(house):
    house.live(person(1))
    before = house.rows(referral.c.person_id)
    at = "2026-01-02T03:04:09.000Z"
    house.live(person(1, "Won", Email="else@example.com", SystemModstamp=at))

    assert house.rows(referral.c.person_id) == before
    # Both addresses, the record; its key is the same id.
    assert len(house.rows(person_trait.c.digest)) == 3


def test_no_trait_can_be_read_or_guessed_from_the_database_alone(house):
    import hashlib

    house.live(person(1))
    plain = [address(1), lead_id(1), lead_id(1)[:15]]

    for (digest,) in house.rows(person_trait.c.digest):
        guesses = [hashlib.sha256(text.encode()).digest() for text in plain]
        guesses += [
            hashlib.sha256(f"{kind}\n{text}".encode()).digest()
            for text in plain
            for kind in ("email", "record")
        ]
        assert bytes(digest) not in guesses


def test_rotation_seals_the_keys_anew_and_the_old_ring_key_can_go(wiring, connect):
    old, new = keys.new_key(), keys.new_key()
    wiring.keyring = Keyring([old])
    house = House(wiring, connect()[0])
    house.live(person(1, Referrer__c=REFERRER), person(2))
    texts = house.rows(referral.c.sealed)
    digests = house.rows(person_trait.c.digest)

    done = {
        column: (looked, anew)
        for column, looked, anew in rotation.rotate(
            house.wiring.engine, Keyring([new, old])
        )
    }

    assert done["person.key_sealed"] == (3, 3)
    assert done["secret.sealed"] == (1, 1)
    # What the keys seal is left as it is.
    assert done["referral.sealed"] == done["follow_up.sealed"] == (0, 0)
    assert house.rows(referral.c.sealed) == texts
    later = Wiring(wiring.settings, now=wiring.now)
    later.keyring = Keyring([new])
    house = House(later, house.connection)
    house.number = 100
    assert house.referral(1).details["last_name"] == "Surname1"
    assert house.deliver("task") == 2
    # The same digests as before: nobody becomes a stranger.
    house.live(person(1, "Won", SystemModstamp="2026-01-02T03:04:09.000Z"))
    assert house.rows(person_trait.c.digest) == digests
    assert len(keys_of(house)) == 3
    later.engine.dispose()


def test_the_digest_key_is_made_once(house):
    with house.wiring.engine.begin() as db:
        first = persons.digester(db, house.wiring.keyring)("email", "a@example.com")
    with house.wiring.engine.begin() as db:
        again = persons.digester(db, house.wiring.keyring)("email", "a@example.com")

    assert first == again
    assert len(house.rows(secret.c.name)) == 1


def test_a_key_that_is_remembered_opens_nothing_of_somebody_erased(house):
    """At once, in every process: the key is asked for in the same query."""
    house.live(person(1))
    assert house.referral(1).details
    with house.wiring.engine.connect() as reader:
        house.erase_rows(address(1))
        found = referrals.load(
            reader, house.org_id, [lead_id(1)], keyring=house.wiring.keyring
        )
    assert found[lead_id(1)].details == {}


def test_unwrapped_keys_are_forgotten_after_some_minutes():
    now = [0.0]
    ring = Keyring([keys.new_key()], ticks=lambda: now[0])
    sealed = ring.seal(keys.new_key())
    first = ring.unwrap(sealed)
    assert ring.unwrap(sealed) is first

    now[0] = 181
    again = ring.unwrap(sealed)

    assert again is not first
    ring.unwrap(ring.seal(keys.new_key()))
    assert len(ring._unwrapped) == 2


def statements(house: House, work) -> int:
    said = []

    def note(_connection, _cursor, statement, *_more):
        said.append(statement)

    listened.listen(house.wiring.engine, "before_cursor_execute", note)
    work()
    listened.remove(house.wiring.engine, "before_cursor_execute", note)
    return len(said)


def test_persons_are_looked_up_and_made_for_a_whole_batch_at_once(house):
    """As many statements for a hundred messages as for two."""
    house.live(person(200))
    few = house.hear(person(1), person(2))
    many = house.hear(*(person(number) for number in range(3, 103)))

    assert statements(house, lambda: house.process(few)) == statements(
        house, lambda: house.process(many)
    )
    assert len(keys_of(house)) == 103


def test_the_door_looks_nobody_up(house):
    """It acknowledges while nobody can get at the persons."""
    with house.wiring.engine.begin() as db:
        db.exec_driver_sql("LOCK TABLE person, person_trait, secret, referral")
        assert len(house.hear(person(1))) == 1
