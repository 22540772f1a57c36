"""The stage: every process of the demo, started and connected."""

import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from simple_salesforce.api import Salesforce

from sidecar import keyring
from sidecar.devorg.process import Running, read_info
from sidecar.devorg.serve import INFO_FILE
from sidecar.errors import Permanent
from sidecar.intake import door
from sidecar.machine import Child, Machine, our_processes
from sidecar.package import archive, read
from sidecar.salesforce import metadata
from sidecar.salesforce.deployment import Deployment
from sidecar.salesforce.metadata import Options
from sidecar.salesforce.session import API_VERSION, http_session
from sidecar.settings import from_environ
from sidecar.store import connections, database
from sidecar.wiring import Wiring

PERMISSION_SETS = ("Referral_Integration", "Referral_User")
_DATABASE = "demo"
_DEPLOY_SECONDS = 60.0

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


def client(org: Running) -> Salesforce:
    """Log in as the dev org's admin."""
    ca_file = Path(org.ca_file) if org.ca_file else None
    return Salesforce(
        instance_url=org.base_url,
        session_id=org.admin_token,
        version=API_VERSION,
        session=http_session(ca_file=ca_file),
    )


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
    install(org, hook_url)
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


def install(org: Running, hook_url: str) -> None:
    """Deploy module ``core``, and grant its permission sets."""
    tree = read.select(read.load(read.bundled()), ["core"])
    values = {
        "REFERRAL_ENDPOINT_URL": hook_url,
        "REFERRAL_INTEGRATION_USERNAME": org.integration_user,
    }
    admin = client(org)
    deployed = _deploy(admin, org, archive.build(tree, values=values))
    if not deployed.success:
        told = "; ".join(f"{item.name}: {item.problem}" for item in deployed.failures)
        raise Permanent(f"the dev org refused the package: {told or deployed.error}")
    _grant(admin, org)


def _deploy(admin: Salesforce, org: Running, content: bytes) -> Deployment:
    session = admin.session
    session.headers["Authorization"] = f"Bearer {org.admin_token}"
    id_ = metadata.start(
        session,
        base_url=org.base_url,
        api_version=API_VERSION,
        archive=content,
        options=Options(),
    )
    deadline = time.monotonic() + _DEPLOY_SECONDS
    while True:
        told = metadata.status(
            session,
            base_url=org.base_url,
            api_version=API_VERSION,
            deployment_id=id_,
        )
        if told.done:
            return told
        if time.monotonic() > deadline:
            raise Permanent(f"the deployment hangs: {told.state} {told.detail}")
        time.sleep(0.2)


def _grant(admin: Salesforce, org: Running) -> None:
    """Fields are invisible to everyone, admins too, until they are granted."""
    names = ", ".join(f"'{name}'" for name in PERMISSION_SETS)
    sets = admin.query(
        f"SELECT Id, Name FROM PermissionSet WHERE Name IN ({names})"  # noqa: S608
    )["records"]
    given = {row["Name"]: row["Id"] for row in sets}
    wanted = [
        (org.integration_user, "Referral_Integration"),
        *((name, "Referral_User") for name in (org.admin, *org.reps)),
    ]
    for username, permission_set in wanted:
        admin.restful(
            "sobjects/PermissionSetAssignment",
            method="POST",
            json={
                "AssigneeId": org.user_ids[username],
                "PermissionSetId": given[permission_set],
            },
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
