"""The stage: every process of the demo, started and connected."""

import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from simple_salesforce.api import Salesforce

from sidecar import keyring
from sidecar.demo.bare import client, install
from sidecar.devorg.process import Running, read_info
from sidecar.devorg.serve import INFO_FILE
from sidecar.errors import Permanent
from sidecar.intake import door
from sidecar.jobs.deploy import asking
from sidecar.jobs.deploy.asking import Wish
from sidecar.machine import Child, Machine, our_processes
from sidecar.settings import from_environ
from sidecar.store import connections, database, deployments
from sidecar.store.deployments import Admin
from sidecar.wiring import Wiring

_DATABASE = "demo"
_DEPLOY_SECONDS = 90.0
_POLL = timedelta(milliseconds=200)

__all__ = ["Stage", "Tell", "build", "client", "connect", "install", "install_package"]

Tell = Callable[[str], None]


@dataclass
class Stage:
    """Everything that runs, and how to reach it."""

    machine: Machine
    wiring: Wiring
    org: Running
    connection_id: int
    hook_url: str
    web_url: str
    mail_folder: Path

    @property
    def web_log(self) -> Path:
        """What the web application prints."""
        return self.machine.directory / "logs" / "web.log"

    def admin(self) -> Salesforce:
        """The dev org as its admin sees it, through simple-salesforce."""
        return client(self.org)


def build(
    directory: Path,
    *,
    tell: Tell,
    workers: int = 2,
    speed: float = 1.0,
    settings: Mapping[str, str] | None = None,
) -> Stage:
    """
    Start everything on an empty stage; what an earlier demo left is forgotten.

    Args:
        tell: is called with the name of each part before it starts.
        workers: how many worker processes.
        speed: of the dev org's clock.
        settings: further ``SIDECAR_`` variables.

    Raises:
        Permanent: a part did not come up; with the last that it said.
    """
    machine = Machine(directory)
    machine.claim()
    try:
        return _build(machine, tell, workers, speed, settings or {})
    except BaseException:
        machine.stop()
        raise


def _build(
    machine: Machine,
    tell: Tell,
    workers: int,
    speed: float,
    more: Mapping[str, str],
) -> Stage:
    directory = machine.directory
    for folder in ("mail", "logs", "redis", "devorg"):
        shutil.rmtree(directory / folder, ignore_errors=True)
    tell("PostgreSQL")
    machine.drop_database(_DATABASE)
    environ = dict(os.environ)
    environ["SIDECAR_DATABASE_URL"] = machine.start_postgres(_DATABASE)
    tell("Redis")
    environ["SIDECAR_REDIS_URL"] = machine.start_redis()
    tell("mail server")
    mail_folder, smtp_url = _start_mailbox(machine)
    tell("dev org")
    org = _start_org(machine, speed)
    bind = f"127.0.0.1:{_free_port()}"
    environ |= {
        "SIDECAR_DEMO": "true",
        "SIDECAR_SMTP_URL": smtp_url,
        "SIDECAR_MAIL_FROM": "Referrals <referrals@sidecar.example>",
        "SIDECAR_CA_FILE": org.ca_file or "",
        "SIDECAR_PUBLIC_URL": f"http://{bind}",
        "SIDECAR_KEYS_FILE": str(machine.keys_file()),
        # Weeks of referrals pass in a minute: each mail is to be seen.
        "SIDECAR_MAILS_AN_HOUR": "0",
        **more,
    }
    wiring = Wiring(from_environ(environ))
    tell("tables")
    database.upgrade(wiring.engine)
    tell("web, workers, clock")
    for child in our_processes(environ, bind=bind, workers=workers):
        machine.start(child)
    connection_id, hook_url = connect(wiring, org)
    tell("referral fields and flow, deployed into the dev org")
    install_package(wiring, org, connection_id)
    machine.wait_for_web(bind)
    return Stage(
        machine, wiring, org, connection_id, hook_url, f"http://{bind}", mail_folder
    )


def _start_mailbox(machine: Machine) -> tuple[Path, str]:
    folder = machine.directory / "mail"
    command = [sys.executable, "-m", "sidecar.demo.mailbox", "--folder", str(folder)]
    machine.start(Child("mailbox", command, os.environ, keep=False))
    machine.wait_for("mailbox", (folder / "port").exists)
    return folder, f"smtp://127.0.0.1:{(folder / 'port').read_text()}"


def _start_org(machine: Machine, speed: float) -> Running:
    folder = machine.directory / "devorg"
    command = [sys.executable, "-m", "sidecar.devorg", "--dir", str(folder)]
    command += ["--speed", str(speed)]
    machine.start(Child("devorg", command, os.environ, keep=False))
    machine.wait_for("devorg", (folder / INFO_FILE).exists)
    return read_info(folder)


def connect(wiring: Wiring, org: Running) -> tuple[int, str]:
    """Connect the dev org; the connection's id and the address for its messages."""
    hook_key = keyring.new_hook_key()
    new = connections.NewConnection(
        name="dev org",
        org_id=org.org_id,
        hook_key=hook_key,
        flow="jwt",
        login_url=org.base_url,
        instance_url=org.base_url,
        client_id=org.consumer_key,
        username=org.integration_user,
        secret=Path(org.jwt_key_file).read_text(),
    )
    with wiring.engine.begin() as db:
        connection_id = connections.add(db, new, keyring=wiring.keyring)
    return connection_id, door.address(wiring.settings.public_url, hook_key)


def install_package(wiring: Wiring, org: Running, connection_id: int) -> None:
    """
    Install module ``core`` as an admin does, and grant its permission sets.

    The self-test is left out: its task and its mails are not part of the play.

    Raises:
        Permanent: the dev org refuses it, or does not come to an end.
    """
    people = (org.admin, *org.reps)
    deployment_id = asking.ask(
        Wish(
            connection_id,
            "install",
            requested_by="the demo",
            grants=[
                (org.admin, "Referral_Manager"),  # keeps the list of referrers
                *((name, "Referral_User") for name in people),
            ],
            yes=True,
            self_test=False,
        ),
        admin=Admin(org.base_url, org.admin_token),
        engine=wiring.engine,
        keyring=wiring.keyring,
        bundle=wiring.bundle,
        now=wiring.now(),
    )
    wiring.poll = _POLL
    deadline = time.monotonic() + _DEPLOY_SECONDS
    while True:
        wiring.deploy(deployment_id)
        with wiring.engine.connect() as db:
            row = deployments.find(db, deployment_id)
        if row is None or row.state in {"dead", "asking"}:
            raise Permanent(f"the package was not installed: {row and row.error}")
        if row.state == "done":
            return
        if time.monotonic() > deadline:
            raise Permanent(f"the deployment hangs: {row.stage} {row.error}")
        time.sleep(_POLL.total_seconds())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
