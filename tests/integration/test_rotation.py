"""Keys rotate without a stop, and the old one can then be taken away."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from sidecar import keyring as keys
from sidecar.errors import Permanent
from sidecar.keyring import Keyring
from sidecar.store import connections, inbox, rotation
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Arrival
from sidecar.wiring import Wiring


def _fill(wiring: Wiring, connection: OrgConnection, count: int) -> None:
    wiring.keep(
        [
            Arrival(
                connection_id=connection.id,
                org_id=connection.org_id,
                source="outbound_message",
                notification_id=f"04l{number}",
                action_id="04k",
                object_type="Lead",
                record_id="00Q000000000001EAA",
                content={"fields": {"Company": f"Example {number}"}},
                received_at=datetime.now(UTC),
            )
            for number in range(count)
        ]
    )


def _rotated(wiring: Wiring, ring: Keyring) -> dict[str, tuple[int, int]]:
    return {
        column: (looked, anew)
        for column, looked, anew in rotation.rotate(wiring.engine, ring)
    }


def test_after_a_rotation_the_old_key_is_needed_no_more(
    wiring: Wiring, connect: Callable[..., tuple[OrgConnection, str]]
) -> None:
    old, new = keys.new_key(), keys.new_key()
    wiring.keyring = Keyring([old])
    connection, hook_key = connect()
    _fill(wiring, connection, 1203)

    done = _rotated(wiring, Keyring([new, old]))

    assert done["event.sealed"] == (1203, 1203)
    alone = Keyring([new])
    with wiring.engine.connect() as db:
        known = connections.login(db, connection.id, keyring=alone)
        events = inbox.listing(db, keyring=alone, limit=2000)
        opened = connections.hook_key(db, connection.id, keyring=alone)
    assert known.secret == "secret"
    assert opened == hook_key
    assert {each.fields["Company"] for each in events} == {
        f"Example {number}" for number in range(1203)
    }


def test_a_second_rotation_has_nothing_left_to_do(
    wiring: Wiring, connect: Callable[..., tuple[OrgConnection, str]]
) -> None:
    old, new = keys.new_key(), keys.new_key()
    wiring.keyring = Keyring([old])
    _fill(wiring, connect()[0], 3)
    _rotated(wiring, Keyring([new, old]))

    again = _rotated(wiring, Keyring([new, old]))

    assert all(anew == 0 for _, anew in again.values())


def test_what_is_written_during_a_rotation_is_not_overwritten(
    wiring: Wiring, connect: Callable[..., tuple[OrgConnection, str]]
) -> None:
    old, new = keys.new_key(), keys.new_key()
    wiring.keyring = Keyring([old])
    connection, _ = connect()
    ring = Keyring([new, old])
    renewed = ring.renewed

    def meanwhile(sealed: str) -> str | None:
        with wiring.engine.begin() as db:
            connections.replace_login(
                db,
                connection.id,
                secret="newer",
                client_secret="",
                access_token="token",
                keyring=Keyring([old]),
            )
        return renewed(sealed)

    ring.renewed = meanwhile  # type: ignore[method-assign]
    _rotated(wiring, ring)

    with wiring.engine.connect() as db:
        assert connections.login(db, connection.id, keyring=ring).secret == "newer"


def test_a_value_that_no_key_opens_stops_the_rotation(
    wiring: Wiring, connect: Callable[..., tuple[OrgConnection, str]]
) -> None:
    connect()

    with pytest.raises(Permanent, match="key ring"):
        _rotated(wiring, Keyring([keys.new_key()]))


def test_every_text_that_looks_sealed_is_in_a_column_that_is_rotated(
    wiring: Wiring, connect: Callable[..., tuple[OrgConnection, str]]
) -> None:
    """Fernet's texts begin alike; none may hide where nobody rotates it."""
    connection, _ = connect()
    _fill(wiring, connection, 1)
    known = {(table.name, column.name) for table, column in rotation.sealed_columns()}
    found = set()
    with wiring.engine.connect() as db:
        columns = db.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns "
                "WHERE table_schema = 'public' AND data_type = 'text'"
            )
        ).all()
        for table, column in columns:
            query = f'SELECT 1 FROM "{table}" WHERE "{column}" LIKE \'gAAAAA%\''
            if db.execute(text(query)).first():
                found.add((table, column))
    assert found
    assert found <= known
