"""A connection that is removed takes everything with it but numbers."""

from datetime import timedelta

import pytest
from click.testing import CliRunner
from messages import lead_id
from people_house import House, address, person
from sqlalchemy import func, insert, select

from sidecar.cli import cli
from sidecar.errors import Permanent
from sidecar.store import authorizations, connections, removal, webhook_secrets
from sidecar.store.authorizations import Pending
from sidecar.store.tables import (
    audit,
    colleague,
    deployment,
    event,
    metadata,
    response_clock,
    response_clock_note,
)
from sidecar.store.tables import person as person_table
from sidecar.store.webhook_secrets import Kind, NewSecret


def run(house: House, *words: object, given: str | None = None):
    environ = {
        "SIDECAR_DATABASE_URL": house.wiring.settings.database_url,
        "SIDECAR_REDIS_URL": house.wiring.settings.redis_url,
        "SIDECAR_DEMO": "true",
    }
    return CliRunner().invoke(cli, [*map(str, words)], env=environ, input=given)


def fill(house: House) -> None:
    """Let people come by, and leave something in the tables that nothing else fills."""
    house.live(person(1), person(2), person(3, "Contacted"))
    house.deliver("task")
    house.hear(person(4))
    wiring, id_ = house.wiring, house.connection.id
    with wiring.engine.begin() as db:
        new = NewSecret(id_, Kind.BEARER, "hash")
        webhook_secrets.add(db, new, now=wiring.now(), keyring=wiring.keyring)
        db.execute(
            insert(colleague).values(
                connection_id=id_, user_id="005", active=True, read_at=wiring.now()
            )
        )
        clock = insert(response_clock).values(
            connection_id=id_,
            org_id=house.org_id,
            referral_key=lead_id(1),
            kind="promise",
            name="of-their-own",
            milestone="submitted",
            event_id=1,
            playbook_version="1",
            started_at=wiring.now(),
            marks=[],
            used=timedelta(),
        )
        clock_id = db.scalar(clock.returning(response_clock.c.id))
        db.execute(
            insert(response_clock_note).values(
                clock_id=clock_id, at=wiring.now(), what="started"
            )
        )
        words = ("name", "https://x", "client", "secret", "", "t", "s", "v", "n")
        pending = Pending(*words, connection_id=id_)
        authorizations.add(db, pending, now=wiring.now(), keyring=wiring.keyring)


def full(house: House) -> dict[str, int]:
    """Count the rows of each table that has any."""
    with house.wiring.engine.connect() as db:
        counted = {
            table.name: db.scalar(select(func.count()).select_from(table))
            for table in metadata.sorted_tables
        }
    return {name: rows for name, rows in counted.items() if rows}


def test_nothing_is_left_but_the_trail_and_who_was_erased(house):
    fill(house)
    house.erase(address(2))
    before = full(house)
    assert {"event", "follow_up", "referral", "response_clock", "person"} <= {*before}

    result = run(house, "connections", "remove", house.connection.id, "--yes")

    assert (result.exit_code, result.stderr) == (0, "")
    assert {*full(house)} == {"audit", "person", "person_trait", "secret"}
    with house.wiring.engine.connect() as db:
        assert db.scalars(select(person_table.c.key_sealed)).all() == [None]
        noted = db.execute(select(audit).order_by(audit.c.id.desc())).first()
    assert noted.what == "connections.remove"
    assert noted.details["rows"]["event"] == before["event"]
    assert noted.details["rows"]["response_clock"] == before["response_clock"]
    assert noted.details["milestones"] == {"submitted": 2, "contacted": 1}
    assert sum(noted.details["follow_ups"].values()) == before["follow_up"]


def test_who_was_erased_does_not_come_back_with_the_org(house, connect):
    house.live(person(1))
    house.erase(address(1))
    run(house, "connections", "remove", house.connection.id, "--yes")

    again = House(house.wiring, connect()[0])
    again.live(person(1))

    assert again.referral(1).details == {}


def test_another_connection_of_the_same_org_keeps_its_people(house, connect):
    house.live(person(1))
    other = House(house.wiring, connect()[0])
    other.number = 100
    other.live(person(2))

    run(house, "connections", "remove", house.connection.id, "--yes")

    assert other.referral(1) is not None, "the org's, not the connection's"
    assert other.referral(2).details
    assert {item.connection_id for item in other.events()} == {other.connection.id}


def test_every_table_that_names_a_connection_or_an_org_is_removed_from(house):
    """Also one that somebody adds tomorrow."""
    with house.wiring.engine.connect() as db:
        named = {table.name for table, _ in removal._all(db, house.connection.id)}

    free = {"audit", "authorization", "mail_suppression", "secret"}
    assert named | free == {table.name for table in metadata.sorted_tables}


def test_what_came_in_while_a_door_still_knew_the_address_goes_too(house):
    run(house, "connections", "remove", house.connection.id, "--yes")
    ids = house.hear(person(1))

    house.process(ids)

    assert house.rows(event.c.id) == []
    assert ids


def test_interrupted_it_may_be_given_again(house):
    fill(house)
    wiring, id_ = house.wiring, house.connection.id
    with wiring.engine.begin() as db:
        removal.close(db, id_, until=wiring.now() + timedelta(days=1))
    assert removal.remove_events(wiring.engine, id_) > 0
    with wiring.engine.connect() as db:
        assert connections.find(db, id_).paused_until, "nobody works for it meanwhile"

    result = run(house, "connections", "remove", house.connection.name, "--yes")

    assert result.exit_code == 0
    assert {*full(house)} == {"audit", "secret"}


def test_without_a_yes_it_is_told_what_goes_and_nothing_does(house):
    fill(house)
    before = full(house)

    result = run(house, "connections", "remove", house.connection.name, given="n\n")

    assert result.exit_code == 1
    for told in ("event", "response_clock", "audit trail", "Remove"):
        assert told in result.stdout
    assert full(house) == before
    assert (
        run(house, "connections", "remove", house.connection.id, "--json").exit_code
        == 2
    )
    assert full(house) == before


def test_while_a_deployment_is_under_way_nothing_is_removed(house):
    with house.wiring.engine.begin() as db:
        db.execute(
            insert(deployment).values(
                connection_id=house.connection.id,
                org_id=house.org_id,
                kind="plan",
                modules=["core"],
                options={},
                requested_by="anna",
                stage="look",
            )
        )

    result = run(house, "connections", "remove", house.connection.id, "--yes")

    assert result.exit_code == 1
    assert "sidecar package cancel" in result.stderr
    with house.wiring.engine.connect() as db:
        assert connections.find(db, house.connection.id) is not None


def test_nobody_calls_the_org_of_a_removed_connection(house):
    run(house, "connections", "remove", house.connection.id, "--yes")

    with pytest.raises(Permanent, match="there is no connection"):
        house.wiring.current(house.connection.id)
