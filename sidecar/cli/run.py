"""What runs: the whole service, its parts, the demo, the dev org."""

import logging
import os
import re
import signal
import sys
from pathlib import Path

import click

from sidecar import clock as clock_entry
from sidecar import logs, settings
from sidecar import subscribe as subscribe_entry
from sidecar.cli.frame import CONNECTION, told, wired
from sidecar.errors import Permanent
from sidecar.machine import Machine, Stopped, check_free, our_processes
from sidecar.store import connections as connections_store
from sidecar.store import database
from sidecar.web import gunicorn
from sidecar.wiring import Wiring

_PORT = click.IntRange(0, 65_535)


def _bind(_context: click.Context, _option: click.Parameter, given: str) -> str:
    """Refuse what is no address before anything is started."""
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})", given)
    if found is None or not 0 < int(found[2]) <= 65_535:
        raise click.BadParameter(f"{given!r} is not HOST:PORT, such as 127.0.0.1:8000")
    return given


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("sidecar-data"),
    show_default=True,
    help="Where PostgreSQL, Redis, keys and logs live.",
)
@click.option("--bind", default="127.0.0.1:8000", show_default=True, callback=_bind)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Worker processes.",
)
@told
def up(data: Path, bind: str, workers: int) -> None:
    """
    Run everything on this machine, databases included.

    Stops on Ctrl-C. What SIDECAR_DATABASE_URL or SIDECAR_REDIS_URL name is used
    instead of our own.

    Example: sidecar up --data /var/lib/sidecar --bind 0.0.0.0:8000
    """
    machine = Machine(data.resolve())
    environ = dict(os.environ)
    settings.from_environ(environ)  # before anything is started
    check_free(bind)
    machine.claim()
    stopped = Stopped()
    try:
        if not environ.get("SIDECAR_DATABASE_URL"):
            click.echo("PostgreSQL ...")
            environ["SIDECAR_DATABASE_URL"] = machine.start_postgres()
        if not environ.get("SIDECAR_REDIS_URL"):
            click.echo("Redis ...")
            environ["SIDECAR_REDIS_URL"] = machine.start_redis()
        if not environ.get("SIDECAR_KEYS") and not environ.get("SIDECAR_KEYS_FILE"):
            environ["SIDECAR_KEYS_FILE"] = str(machine.keys_file())
        wiring = Wiring(settings.from_environ(environ))
        database.upgrade(wiring.engine)
        for child in our_processes(environ, bind=bind, workers=workers):
            machine.start(child)
            click.echo(f"{child.name} ...")
        machine.wait_for_web(bind, tls=wiring.settings.speaks_tls)
        logs_folder = machine.directory / "logs"
        scheme = "https" if wiring.settings.speaks_tls else "http"
        click.echo(f"up: {scheme}://{bind}  (logs in {logs_folder}, Ctrl-C stops)")
        click.echo("Other sidecar commands need what you set, and:")
        for name in ("SIDECAR_DATABASE_URL", "SIDECAR_REDIS_URL", "SIDECAR_KEYS_FILE"):
            if environ.get(name):
                click.echo(f"export {name}='{environ[name]}'")
        machine.keep_up(stopped)
    finally:
        machine.stop()


@click.command()
@click.option("--bind", default="127.0.0.1:8000", show_default=True, callback=_bind)
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    help="Half of the processors by default, at least one.",
)
@click.option("--threads", type=click.IntRange(min=1), default=8, show_default=True)
@told
def web(bind: str, processes: int | None, threads: int) -> None:
    """
    Serve the doors (gunicorn).

    PostgreSQL needs as much of the machine as the doors do, so half of its
    processors are theirs.

    Example: sidecar web --bind 0.0.0.0:8000 --threads 16
    """
    given = settings.from_environ()
    # A slip is told here, not by each of the processes.
    wiring = Wiring(given)
    _ = given.speaks_tls, wiring.marks, wiring.engine, wiring.keyring
    processes = processes or max(1, (os.cpu_count() or 1) // 2)
    command = gunicorn(
        "sidecar.web:from_environ()",
        bind=bind,
        processes=processes,
        threads=threads,
        tls=given,
    )
    os.execv(command[0], command)  # noqa: S606 it becomes gunicorn


@click.command()
@click.option("--burst", is_flag=True, help="Stop when nothing waits.")
@told
def worker(burst: bool) -> None:
    """
    Work on events and follow-ups (RQ).

    Example: sidecar worker --burst
    """
    wiring = Wiring(settings.from_environ())
    _ = wiring.engine, wiring.keyring  # it could do nothing without them
    # It connects to Redis on import of the entry, which other verbs can do without.
    from sidecar import worker as worker_entry

    worker_entry.work(burst=burst)


@click.command()
@wired
def clock(wiring: Wiring) -> None:
    """
    Ring every 15 seconds for whatever is due.

    Example: sidecar clock
    """
    _ = wiring.engine, wiring.keyring  # before it starts a thread that needs them
    clock_entry.run(wiring)


@click.command()
@click.option(
    "--connection", "connection_id", type=CONNECTION, help="All of them by default."
)
@click.option(
    "--topic",
    "topics",
    multiple=True,
    default=subscribe_entry.DEFAULT_TOPICS,
    show_default=True,
    help="/event/..., or /data/LeadChangeEvent; may be given several times.",
)
@wired
def subscribe(
    wiring: Wiring, connection_id: int | None, topics: tuple[str, ...]
) -> None:
    """
    Listen to events through the Pub/Sub API.

    Goes on where it stopped, for 72 hours; later, `sidecar reconcile` closes the gap.
    """
    for topic in topics:
        if not re.fullmatch(r"/(event|data)/\w+", topic):
            raise click.UsageError(f"--topic {topic!r} is no /event/... or /data/...")
    with wiring.engine.connect() as opened:
        known = [
            found
            for item in connections_store.listing(opened)
            if connection_id in {None, item.id}
            and (found := connections_store.find(opened, item.id))
        ]
    if not known:
        raise click.UsageError("there is no such connection")
    click.echo(f"listening to {', '.join(topics)} of {len(known)} org(s)", err=True)
    subscribe_entry.run(wiring, known, topics)


@click.command()
@click.option("--once", is_flag=True, help="Stop at the end; exit 0 if all was right.")
@click.option(
    "--leads",
    type=click.IntRange(1, 1000),
    default=6,
    show_default=True,
    help="How many referrals.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".sidecar/demo"),
    show_default=True,
)
@told
def demo(once: bool, leads: int, data: Path) -> None:
    """Show the main job, with an org of our own."""
    # The demo brings the dev org and a mail server along; nothing else needs them.
    from sidecar.demo import play

    # What it deploys is told in its own words.
    logs.configure("text", level=logging.WARNING)
    # Whoever ends us, ends what we started: all of it is stopped on the way out.
    # A closed window must not leave ten processes behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    sys.exit(play.run(data.resolve(), once=once, leads=leads))


@click.command()
@click.option(
    "--port", type=_PORT, default=0, show_default=True, help="0 takes a free one."
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".sidecar/devorg"),
    show_default=True,
    help="For certificates and devorg.json, which tells how to log in.",
)
@click.option(
    "--speed",
    type=click.FloatRange(0.001, 1_000_000),
    default=1.0,
    show_default=True,
    help="Of the org's clock.",
)
@click.option("--plain", is_flag=True, help="http instead of https.")
@told
def devorg(port: int, directory: Path, speed: float, plain: bool) -> None:
    """Serve a small Salesforce on this machine."""
    from sidecar.devorg.serve import INFO_FILE, serve

    told = directory.resolve() / INFO_FILE
    click.echo(f"Its address, users and tokens will be in {told}. Ctrl-C stops it.")
    try:
        serve(port=port, directory=directory, speed=speed, plain=plain)
    except OSError as exc:
        raise Permanent(f"the dev org cannot be served: {exc}") from exc
