"""Many threads, one commit: and never an Ack for what was not committed."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime

import psycopg
import pytest

from sidecar.errors import Retryable
from sidecar.store import database
from sidecar.store.inbox import Arrival
from sidecar.store.scribe import Scribe
from sidecar.wiring import Wiring


def _arrival(connection_id: int, name: str, **more: object) -> Arrival:
    values: dict[str, object] = {
        "connection_id": connection_id,
        "org_id": "00D000000000001EAA",
        "source": "outbound_message",
        "notification_id": name,
        "action_id": "04k",
        "object_type": "Lead",
        "record_id": "00Q000000000001EAA",
        "content": {"fields": {"Name": "Zoë \U0001f600 \\ \" '"}},
        "received_at": datetime.now(UTC),
    }
    return Arrival(**(values | more))  # type: ignore[arg-type]


def _kept(wiring: Wiring) -> set[str]:
    with psycopg.connect(wiring.settings.database_url) as db:
        rows = db.execute("SELECT notification_id FROM event").fetchall()
    return {row[0] for row in rows}


def test_each_of_many_threads_gets_its_own_new_ids(wiring, connect):
    connection, _ = connect()
    got: dict[int, list[int]] = {}

    def keep(number: int) -> None:
        arrivals = [_arrival(connection.id, f"{number}-{i}") for i in range(3)]
        got[number] = wiring.scribe.keep([*arrivals, _arrival(connection.id, "same")])

    threads = [threading.Thread(target=keep, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    ids = [id_ for given in got.values() for id_ in given]
    assert len(got) == 40
    assert len(ids) == len(set(ids)) == 40 * 3 + 1
    assert len(_kept(wiring)) == 40 * 3 + 1


def test_without_a_database_nobody_is_told_that_it_was_kept(wiring):
    def away() -> psycopg.Connection:
        raise psycopg.OperationalError("connection refused")

    scribe = Scribe(away, wiring.keyring)
    with pytest.raises(Retryable, match="the database is away: connection refused"):
        scribe.keep([_arrival(1, "1")])


def test_after_a_lost_connection_the_next_message_is_kept(wiring, connect):
    connection, _ = connect()
    assert len(wiring.scribe.keep([_arrival(connection.id, "1")])) == 1
    with wiring.engine.connect() as db:
        db.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    with pytest.raises(Retryable):
        wiring.scribe.keep([_arrival(connection.id, "2")])

    assert len(wiring.scribe.keep([_arrival(connection.id, "2")])) == 1


def test_the_server_flushes_each_commit_to_the_disk(wiring):
    """Full durability stays on."""
    url = wiring.settings.database_url
    with psycopg.connect(url, **database.CONNECT_ARGS) as db:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert db.execute(f"SHOW {name}").fetchone() == ("on",)


def test_the_schema_of_the_migrations_is_the_one_of_the_tables(wiring):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from sidecar.store.tables import metadata

    with wiring.engine.connect() as db:
        assert compare_metadata(MigrationContext.configure(db), metadata) == []


def test_an_upgrade_by_two_at_once_happens_once(machine):
    url = machine.start_postgres("upgraded_by_two")
    environ = os.environ | {"SIDECAR_DATABASE_URL": url, "SIDECAR_DEMO": "true"}
    command = [sys.executable, "-m", "sidecar", "db", "upgrade"]
    upgrades = [subprocess.Popen(command, env=environ) for _ in range(2)]

    assert [upgrade.wait(60) for upgrade in upgrades] == [0, 0]
    engine = database.engine_for(url)
    assert database.is_current(engine)
    engine.dispose()
