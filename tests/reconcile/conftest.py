"""A dev org whose messages reach a real door, and a mail server that keeps count."""

import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from life import Life
from werkzeug.serving import make_server

from sidecar import keyring
from sidecar.demo import stage
from sidecar.devorg.process import Running, running
from sidecar.intake import door
from sidecar.store import connections
from sidecar.store.connections import NewConnection
from sidecar.web import create_app
from sidecar.wiring import Wiring


@dataclass(frozen=True)
class Neighbours:
    """An org with the package's core, and where its messages go."""

    org: Running
    port: int
    hook_key: str


@pytest.fixture(scope="session")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    port = _free_port()
    hook_key = keyring.new_hook_key()
    with running(tmp_path_factory.mktemp("far_org")) as org:
        stage.install(org, door.address(f"http://127.0.0.1:{port}", hook_key))
        yield Neighbours(org, port, hook_key)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Keeper:
    def __init__(self) -> None:
        self.message_ids: list[str] = []

    async def handle_DATA(  # noqa: N802 aiosmtpd's name
        self, _peer: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        mail = message_from_bytes(envelope.original_content or b"")
        self.message_ids.append(str(mail["Message-ID"]).strip("<>").partition("@")[0])
        return "250 kept"


@pytest.fixture
def mail_server() -> Iterator[tuple[str, list[str]]]:
    """A mail server's address, and the Message-IDs of what it has taken."""
    keeper = _Keeper()
    port = _free_port()
    controller = Controller(keeper, hostname="127.0.0.1", port=port)
    controller.start()
    yield f"smtp://127.0.0.1:{port}", keeper.message_ids
    controller.stop()


@pytest.fixture
def life(
    wiring: Wiring, neighbours: Neighbours, mail_server: tuple[str, list[str]]
) -> Iterator[Life]:
    """An org just set up, connected, with everything at work."""
    org = neighbours.org
    smtp_url, mails = mail_server
    wiring.settings = replace(
        wiring.settings,
        ca_file=Path(str(org.ca_file)),
        smtp_url=smtp_url,
        mails_an_hour=0,
    )
    new = NewConnection(
        name="dev org",
        org_id=org.org_id,
        hook_key=neighbours.hook_key,
        flow="jwt",
        login_url=org.base_url,
        instance_url=org.base_url,
        client_id=org.consumer_key,
        username=org.integration_user,
        secret=Path(org.jwt_key_file).read_text(),
    )
    with wiring.engine.begin() as db:
        id_ = connections.add(db, new, keyring=wiring.keyring)
        connection = connections.find(db, id_)
    assert connection is not None
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server(
        "127.0.0.1", neighbours.port, create_app(wiring), threaded=True
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        life = Life(wiring, connection, org, mails)
        life.door("POST", "/reset")
        life.door("PUT", "/limit", daily=1_000_000)
        life.sync()
        life.reconcile()
        yield life
        life.door("DELETE", "/outbound")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
