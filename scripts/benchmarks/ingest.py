"""Durable acknowledgements a second, beside a bare view and the common way.

Everything of one comparison is measured in turns within one run, and told as a ratio:
the machine may be shared, and its speed may drift.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import followthrough
import psycopg
from rich.console import Console
from rich.table import Table

from sidecar import keyring
from sidecar.intake import door
from sidecar.machine import Child, Machine
from sidecar.settings import Settings
from sidecar.store import connections, database
from sidecar.web import gunicorn
from sidecar.wiring import Wiring

CONNECTIONS = 16
_HERE = Path(__file__).parent


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(prog="scripts/bench ingest")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each run")
    parser.add_argument("--rounds", type=int, default=3, help="of each comparison")
    half = max(1, (os.cpu_count() or 1) // 2)
    parser.add_argument("--processes", type=int, default=half, help="of gunicorn")
    parser.add_argument("--threads", type=int, default=8, help="of each of them")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--full", type=int, default=1_000_000, help="events kept")
    parser.add_argument("--changes", type=int, default=1000, help="followed through")
    given = parser.parse_args()
    console = Console(width=110)
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        Path(folder).chmod(0o755)
        machine = Machine(Path(folder))
        try:
            with _served(machine, given.processes, given.threads) as addresses:
                ours, full, peers = addresses
                _acks(console, ours, peers, given)
                if given.full:
                    _fullness(
                        console,
                        machine,
                        ours,
                        full,
                        given.seconds,
                        given.rounds,
                        given.full,
                    )
        finally:
            machine.stop()
    if given.changes:
        followthrough.measure(console, given.changes)


def _acks(console: Console, ours: str, peers: str, given: argparse.Namespace) -> None:
    ways = {"door": ours, "bare": f"{peers}/bare", "enqueue": f"{peers}/enqueue"}
    table = Table("size", "way", "acks/s", "notifications/s", "p50", "p95", "p99 ms")
    table.add_column("door / this")
    for size in given.sizes:
        runs: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
        for _ in range(given.rounds):
            for way, url in ways.items():
                runs[way].append(_load(url, size, given.seconds))
        for way in ways:
            rate = _median(runs[way], "per_second")
            ratios = [
                mine["per_second"] / theirs["per_second"]
                for mine, theirs in zip(runs["door"], runs[way], strict=True)
            ]
            table.add_row(
                str(size),
                way,
                f"{rate:,.0f}",
                f"{rate * size:,.0f}",
                *(f"{_median(runs[way], name):.1f}" for name in ("p50", "p95", "p99")),
                "" if way == "door" else f"{median(ratios):.2f}",
            )
    console.print(
        f"durable acks at {CONNECTIONS} connections; gunicorn with {given.processes} "
        f"processes of {given.threads} threads; {given.rounds} rounds"
    )
    console.print(table)


def _fullness(
    console: Console,
    machine: Machine,
    empty: str,
    full: str,
    seconds: float,
    rounds: int,
    number: int,
) -> None:
    """Ack rate with an inbox that holds a million events, beside an empty one."""
    _fill(machine.start_postgres("full"), number)
    ratios = []
    for _ in range(rounds):
        first = _load(full, 1, seconds)["per_second"]
        ratios.append(first / _load(empty, 1, seconds)["per_second"])
    console.print(
        f"acks/s with {number:,} events in the inbox / with few: "
        f"{median(ratios):.2f} (of {', '.join(f'{ratio:.2f}' for ratio in ratios)})"
    )


def _fill(database_url: str, number: int) -> None:
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute(
            """
            INSERT INTO event (connection_id, org_id, source, notification_id,
                               object_type, record_id, sealed, state, outcome)
            SELECT 1, '00D000000000001EAA', 'outbound_message',
                   '04l' || md5(n::text), 'Lead', '00Q' || lpad(n::text, 15, '0'),
                   repeat(md5(n::text), 20), 'done', 'unchanged'
            FROM generate_series(1, %s) AS n
            """,
            (number,),
        )
        db.execute("VACUUM ANALYZE event")
        db.execute("CHECKPOINT")


@contextmanager
def _served(
    machine: Machine, processes: int, threads: int
) -> Iterator[tuple[str, str, str]]:
    """Two doors, one of them on the database to be filled, and the peers."""
    redis_url = machine.start_redis()
    addresses = []
    for name in ("empty", "full"):
        url = machine.start_postgres(name)
        environ = os.environ | {
            "SIDECAR_DATABASE_URL": url,
            "SIDECAR_REDIS_URL": redis_url,
            "SIDECAR_DEMO": "true",
        }
        bind = f"127.0.0.1:{_free_port()}"
        key = _connect(Settings(database_url=url, demo=True))
        command = [sys.executable, "-m", "sidecar", "web", "--bind", bind]
        command += ["--processes", str(processes), "--threads", str(threads)]
        machine.start(Child(f"web-{name}", command, environ))
        machine.wait_for(f"web-{name}", lambda bind=bind: _answers(f"{bind}/readyz"))
        addresses.append(door.address(f"http://{bind}", key))
    bind = f"127.0.0.1:{_free_port()}"
    command = gunicorn("peers:app", bind=bind, processes=processes, threads=threads)
    command += ["--chdir", str(_HERE)]
    environ = os.environ | {"PEERS_REDIS_URL": redis_url}
    machine.start(Child("peers", command, environ))
    machine.wait_for("peers", lambda: _answers(bind))
    yield addresses[0], addresses[1], f"http://{bind}"


def _connect(settings: Settings) -> str:
    wiring = Wiring(settings)
    database.upgrade(wiring.engine)
    key = keyring.new_hook_key()
    new = connections.NewConnection(
        name="bench",
        org_id="00D000000000001EAA",
        hook_key=key,
        flow="jwt",
        login_url="https://login.salesforce.com",
        instance_url="https://example.my.salesforce.com",
        client_id="key",
        secret="secret",
    )
    with wiring.engine.begin() as db:
        connections.add(db, new, keyring=wiring.keyring)
    wiring.engine.dispose()
    return key


def _load(url: str, size: int, seconds: float) -> dict[str, float]:
    command = [sys.executable, str(_HERE / "load.py"), url, str(size)]
    command += [str(CONNECTIONS), str(seconds)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    if told["errors"]:
        raise SystemExit(f"{url} answered {told['errors'][0]}")
    return dict(told)


def _median(runs: list[dict[str, float]], name: str) -> float:
    return median(run[name] for run in runs)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
