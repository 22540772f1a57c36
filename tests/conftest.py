"""Real pieces for tests: PostgreSQL, Redis, a dev org, the service's own processes."""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql

from sidecar import keyring
from sidecar.demo import stage
from sidecar.devorg.process import Running, running
from sidecar.machine import Machine
from sidecar.settings import Settings
from sidecar.store import connections, database
from sidecar.store.connections import NewConnection, OrgConnection
from sidecar.wiring import Wiring

# How fast this machine is at the moment is no property of the code.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

ORG_ID = "00D000000000001EAA"

_LONGEST = ("tests/faults/", "tests/integration/test_demo.py", "tests/installer/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: no process is left alone with it at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))


_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> None:
    for name in list(os.environ):
        if name.startswith("SIDECAR_") and name != "SIDECAR_CORPUS":
            del os.environ[name]


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """PostgreSQL and Redis in a folder of their own, full durability on."""
    machine = Machine(tmp_path_factory.mktemp("machine"))
    yield machine
    machine.stop()


@pytest.fixture(scope="session")
def redis_url(machine: Machine) -> str:
    """Where Redis listens."""
    return machine.start_redis()


@pytest.fixture(scope="session")
def _template(machine: Machine) -> str:
    """A migrated database to copy from."""
    url = machine.start_postgres("template_migrated")
    engine = database.engine_for(url)
    database.upgrade(engine)
    engine.dispose()
    return url


@pytest.fixture
def database_url(_template: str) -> str:
    """A fresh, migrated database."""
    name = f"test_{next(_numbers)}"
    server = _template.replace("/template_migrated", "/postgres")
    with psycopg.connect(server, autocommit=True) as db:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE template_migrated")
        db.execute(create.format(sql.Identifier(name)))
    return _template.replace("/template_migrated", f"/{name}")


class Hand:
    """The clock's hand, for tests to move."""

    def __init__(self) -> None:
        self._moved = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._moved

    def move(self, **by: float) -> None:
        """Let time pass."""
        self._moved += timedelta(**by)


@pytest.fixture
def hand() -> Hand:
    """The service's clock."""
    return Hand()


@pytest.fixture
def wiring(database_url: str, redis_url: str, hand: Hand) -> Iterator[Wiring]:
    """The service's adapters on a fresh database and an empty Redis."""
    settings = Settings(
        database_url=database_url,
        redis_url=redis_url,
        demo=True,
        mail_from="Referrals <referrals@sidecar.example>",
    )
    wiring = Wiring(settings, now=hand)
    wiring.redis.flushall()
    yield wiring
    wiring.engine.dispose()


@pytest.fixture
def connect(wiring: Wiring) -> Callable[..., tuple[OrgConnection, str]]:
    """Add a connection; gives it and its hook key."""

    def add(**given: object) -> tuple[OrgConnection, str]:
        hook_key = keyring.new_hook_key()
        values: dict[str, object] = {
            "name": f"org {next(_numbers)}",
            "org_id": ORG_ID,
            "hook_key": hook_key,
            "flow": "client_credentials",
            "login_url": "https://127.0.0.1:1",
            "instance_url": "https://127.0.0.1:1",
            "client_id": "key",
            "secret": "secret",
        }
        with wiring.engine.begin() as db:
            new = NewConnection(**(values | given))  # type: ignore[arg-type]
            id_ = connections.add(db, new, keyring=wiring.keyring)
            found = connections.find(db, id_)
        assert found is not None
        return found, hook_key

    return add


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder."""
    return tmp_path


@pytest.fixture(scope="session")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A dev org with the package's core installed; its messages go nowhere."""
    with running(tmp_path_factory.mktemp("devorg")) as found:
        stage.install(found, "http://127.0.0.1:1/hooks/outbound/nowhere")
        yield found


@pytest.fixture
def linked(wiring: Wiring, org: Running) -> OrgConnection:
    """A connection to the dev org, made as an admin makes it."""
    assert org.ca_file is not None
    wiring.settings = replace(wiring.settings, ca_file=Path(org.ca_file))
    connection_id, _ = stage.connect(wiring, org)
    with wiring.engine.connect() as db:
        found = connections.find(db, connection_id)
    assert found is not None
    return found
