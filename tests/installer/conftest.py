"""An org of a customer, our service beside it, and an admin who installs."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.serving import make_server

from sidecar.demo import stage
from sidecar.devorg.process import Running, running
from sidecar.jobs.deploy import asking
from sidecar.jobs.deploy.asking import Wish
from sidecar.package import archive
from sidecar.salesforce import metadata, retrieval
from sidecar.salesforce.caller import Caller, query, rest
from sidecar.salesforce.metadata import Options
from sidecar.store import (
    connections,
    deployment_files,
    deployments,
    follow_ups,
    inbox,
)
from sidecar.store.deployments import Admin, Deployment
from sidecar.web import create_app
from sidecar.wiring import Wiring


@dataclass
class Customer:
    """A customer's org with a connection, and hands that do what people do."""

    org: Running
    wiring: Wiring
    connection_id: int

    @property
    def admin(self) -> Admin:
        """Who installs."""
        return Admin(self.org.base_url, self.org.admin_token)

    @property
    def caller(self) -> Caller:
        """The same, calling."""
        return self.wiring.as_admin(self.admin)

    def ask(self, kind: str = "install", **given: Any) -> int:
        """Ask for a deployment."""
        admin = given.pop("admin", self.admin)
        wish = Wish(self.connection_id, kind, "anna", **given)  # type: ignore[arg-type]
        return asking.ask(
            wish,
            admin=admin,
            engine=self.wiring.engine,
            keyring=self.wiring.keyring,
            bundle=self.wiring.bundle,
            now=self.wiring.now(),
        )

    def turn(self, id_: int) -> Deployment:
        """Take one turn, if it is due, and work on what came in."""
        self.wiring.take_turn(id_)
        self.work()
        return self.find(id_)

    def work(self) -> None:
        """What a worker does meanwhile."""
        now = self.wiring.now()
        with self.wiring.engine.connect() as db:
            events = inbox.due(db, now=now)
            waiting = follow_ups.due(db, now=now)
        for ids in events.values():
            self.wiring.process(ids)
        for connection_id, kind in waiting:
            if kind == "task":
                self.wiring.deliver(connection_id, kind)

    def run(self, id_: int, *, until: str | None = None) -> Deployment:
        """Take turns until the deployment is over, asks, or reaches a stage."""
        for _ in range(2000):
            row = self.turn(id_)
            if row.state in {"asking", "done", "dead"} or row.stage == until:
                return row
            if row.due_at > self.wiring.now():
                time.sleep(0.02)
        raise AssertionError(f"still {row.state} at {row.stage}: {row.error}")

    def install(self, **given: Any) -> Deployment:
        """Install; a failure is the test's."""
        row = self.run(self.ask(**given))
        assert row.state == "done", (row.stage, row.error, row.evidence, row.findings)
        return row

    def another_process(self) -> "Customer":
        """What remains when this process is gone: the database, and the keys."""
        other = Wiring(self.wiring.settings, now=self.wiring.now, poll=self.wiring.poll)
        return Customer(self.org, other, self.connection_id)

    def files(self, id_: int, name: str) -> dict[str, bytes]:
        """Files kept with a deployment."""
        with self.wiring.engine.connect() as db:
            kept = deployment_files.of(db, id_, name, keyring=self.wiring.keyring)
        assert kept is not None
        return kept

    def state(self) -> asking.State:
        """What we know to be installed."""
        return asking.state(
            self.wiring.engine, self.connection_id, keyring=self.wiring.keyring
        )

    def find(self, id_: int) -> Deployment:
        """The row as it stands."""
        with self.wiring.engine.connect() as db:
            row = deployments.find(db, id_)
        assert row is not None
        return row

    def deploy(self, files: dict[str, bytes], **options: Any) -> None:
        """Deploy something of the customer's own."""
        caller = self.caller
        id_ = metadata.start(
            caller.http,
            archive=archive.pack(files),
            options=Options(**options),
            **caller.where,
        )
        for _ in range(1000):
            told = metadata.status(caller.http, deployment_id=id_, **caller.where)
            if told.done:
                assert told.success, told
                return
            time.sleep(0.02)
        raise AssertionError("hangs")

    def retrieve(self, **members: list[str]) -> dict[str, bytes]:
        """What the org has of these."""
        caller = self.caller
        id_ = retrieval.start(caller, members)
        for _ in range(1000):
            found = retrieval.check(caller, id_)
            if found.done:
                return dict(found.files)
            time.sleep(0.02)
        raise AssertionError("hangs")

    def rows(self, soql: str, *, tooling: bool = False) -> list[dict[str, Any]]:
        """Ask the org as its admin."""
        return query(self.caller, soql, tooling=tooling)

    def rest(self, method: str, path: str, **given: Any) -> Any:
        """Call the org as its admin."""
        return rest(self.caller, method, path, **given)

    def befall(self, **fault: Any) -> None:
        """Order a misfortune for the next request that matches."""
        self.back_door("POST", "/faults", body=fault)

    def back_door(
        self, method: str, path: str, *, body: dict[str, Any] | None = None
    ) -> Any:
        """What no API of Salesforce offers."""
        answer = requests.request(
            method,
            f"{self.org.base_url}/devorg{path}",
            json=body or {},
            timeout=10,
            verify=self.org.ca_file,
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def token_for(self, username: str) -> str:
        """A fresh access token."""
        return str(
            self.back_door("POST", "/sessions", body={"username": username})["token"]
        )


@contextlib.contextmanager
def served(wiring: Wiring) -> Iterator[str]:
    """Serve our doors; gives their address."""
    server = make_server("127.0.0.1", 0, create_app(wiring), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def customer(tmp_path: Path, wiring: Wiring) -> Iterator[Customer]:
    """A customer's org in which nothing of ours was ever installed."""
    wiring.poll = timedelta(milliseconds=20)
    with running(tmp_path / "org") as org, served(wiring) as url:
        ca_file = Path(str(org.ca_file))
        wiring.settings = replace(wiring.settings, public_url=url, ca_file=ca_file)
        connection_id, _ = stage.connect(wiring, org)
        with wiring.engine.connect() as db:
            assert connections.find(db, connection_id)
        yield Customer(org, wiring, connection_id)
