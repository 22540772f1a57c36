"""The ``sidecar`` command: one thin function for each verb.

Exit codes: 0 done, 1 something needs a person, 2 the command was misused or a
setting is wrong.
"""

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import click
from psycopg.errors import UndefinedColumn, UndefinedTable
from redis.exceptions import ConnectionError as RedisAway
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy.exc import OperationalError, ProgrammingError

from sidecar import __version__, keyring, logs, settings
from sidecar import clock as clock_entry
from sidecar import doctor as doctor_room
from sidecar.errors import Permanent, SidecarError
from sidecar.intake import door, listener_wsdl
from sidecar.logs import mask
from sidecar.machine import Machine, Stopped, check_free, our_processes
from sidecar.playbooks import read as playbooks
from sidecar.salesforce import login
from sidecar.salesforce.hosts import checked
from sidecar.salesforce.ids import is_id, to_18
from sidecar.store import connections as connections_store
from sidecar.store import database, inbox, quarantine
from sidecar.store import follow_ups as follow_ups_store
from sidecar.web import gunicorn
from sidecar.wiring import Wiring

Command = Callable[..., Any]

# What a bigint holds; PostgreSQL would break on more.
_ID = click.IntRange(1, 2**63 - 1)
_LIMIT = click.IntRange(1, 100_000)
_PORT = click.IntRange(0, 65_535)


def _told(command: Command) -> Command:
    """Show our errors as one line, and a bug as itself."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except SidecarError as exc:
            _fail(str(exc), 2 if isinstance(exc, settings.WrongSetting) else 1)
        except RedisAway as exc:
            _fail(f"Redis is away: {mask(str(exc))}", 1)
        except OperationalError as exc:
            _fail(f"the database is away: {mask(str(exc.orig)).strip()}", 1)
        except ProgrammingError as exc:
            if not isinstance(exc.orig, UndefinedTable | UndefinedColumn):
                raise
            _fail("the tables are not up to date: run `sidecar db upgrade`", 1)

    return run


def _fail(text: str, code: int) -> NoReturn:
    click.secho(text, fg="red", err=True)
    sys.exit(code)


def _wired(command: Command) -> Command:
    """Give a command the adapters as its first argument."""

    @wraps(command)
    @_told
    def run(*args: Any, **kwargs: Any) -> Any:
        wiring = Wiring(settings.from_environ())
        logs.configure(wiring.settings.log_format)
        return command(wiring, *args, **kwargs)

    return run


def _bind(_context: click.Context, _option: click.Parameter, given: str) -> str:
    """Refuse what is no address before anything is started."""
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})", given)
    if found is None or not 0 < int(found[2]) <= 65_535:
        raise click.BadParameter(f"{given!r} is not HOST:PORT, such as 127.0.0.1:8000")
    return given


_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, for machines."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sidecar")
def cli() -> None:
    """Referral tracking beside Salesforce."""


# --- what runs ---


@cli.command()
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
@_told
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
        machine.wait_for_web(bind)
        logs_folder = machine.directory / "logs"
        click.echo(f"up: http://{bind}  (logs in {logs_folder}, Ctrl-C stops)")
        click.echo("Other sidecar commands need what you set, and:")
        for name in ("SIDECAR_DATABASE_URL", "SIDECAR_REDIS_URL", "SIDECAR_KEYS_FILE"):
            if environ.get(name):
                click.echo(f"export {name}='{environ[name]}'")
        machine.keep_up(stopped)
    finally:
        machine.stop()


@cli.command()
@click.option("--bind", default="127.0.0.1:8000", show_default=True, callback=_bind)
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    help="Half of the processors by default, at least one.",
)
@click.option("--threads", type=click.IntRange(min=1), default=8, show_default=True)
@_told
def web(bind: str, processes: int | None, threads: int) -> None:
    """
    Serve the doors (gunicorn).

    PostgreSQL needs as much of the machine as the doors do, so half of its
    processors are theirs.
    """
    settings.from_environ()  # a slip is told here, not by each of the processes
    processes = processes or max(1, (os.cpu_count() or 1) // 2)
    command = gunicorn(
        "sidecar.web:from_environ()", bind=bind, processes=processes, threads=threads
    )
    os.execv(command[0], command)  # noqa: S606 it becomes gunicorn


@cli.command()
@click.option("--burst", is_flag=True, help="Stop when nothing waits.")
@_told
def worker(burst: bool) -> None:
    """Work on events and follow-ups (RQ)."""
    # It connects to Redis on import of the entry, which other verbs can do without.
    from sidecar import worker as worker_entry

    worker_entry.work(burst=burst)


@cli.command()
@_wired
def clock(wiring: Wiring) -> None:
    """Ring every 15 seconds for whatever is due."""
    clock_entry.run(wiring)


@cli.command()
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
@_told
def demo(once: bool, leads: int, data: Path) -> None:
    """Show the main job, with an org of our own."""
    # The demo brings the dev org and a mail server along; nothing else needs them.
    from sidecar.demo import play

    # Whoever ends us, ends what we started: all of it is stopped on the way out.
    # A closed window must not leave ten processes behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    sys.exit(play.run(data.resolve(), once=once, leads=leads))


@cli.command()
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
@_told
def devorg(port: int, directory: Path, speed: float, plain: bool) -> None:
    """Serve a small Salesforce on this machine."""
    from sidecar.devorg.serve import INFO_FILE, serve

    told = directory.resolve() / INFO_FILE
    click.echo(f"Its address, users and tokens will be in {told}. Ctrl-C stops it.")
    try:
        serve(port=port, directory=directory, speed=speed, plain=plain)
    except OSError as exc:
        raise Permanent(f"the dev org cannot be served: {exc}") from exc


# --- the database and the keys ---


@cli.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
@_wired
def db_upgrade(wiring: Wiring) -> None:
    """Bring the tables up to date."""
    database.upgrade(wiring.engine)
    click.echo("the database is up to date")


@cli.group()
def keys() -> None:
    """The key ring."""


@keys.command("new")
def keys_new() -> None:
    """Print a new key for SIDECAR_KEYS."""
    click.echo(keyring.new_key())


# --- connections ---


@cli.group()
def connections() -> None:
    """Our links to orgs."""


@connections.command("add")
@click.argument("name")
@click.option("--org-id", required=True, help="15 or 18 characters, 00D...")
@click.option("--instance-url", required=True, help="https://....my.salesforce.com")
@click.option("--login-url", help="Where tokens come from; the instance by default.")
@click.option(
    "--flow", type=click.Choice(login.FLOWS), default="jwt", show_default=True
)
@click.option("--client-id", required=True, help="The app's consumer key.")
@click.option("--username", default="", help="The integration user (flow jwt).")
@click.option(
    "--secret-file",
    type=click.File(),
    required=True,
    help="Private key, client secret or refresh token; - for standard input.",
)
@click.option("--time-zone", default="UTC", show_default=True)
@click.option("--fallback-owner", help="User id for what belongs to a queue.")
@click.option("--statuses", help='JSON: {"Org status": "milestone", ...}')
@click.option("--playbook", type=click.File(), help="YAML, instead of the standard.")
@_json_option
@_wired
def connections_add(
    wiring: Wiring,
    name: str,
    org_id: str,
    instance_url: str,
    login_url: str | None,
    flow: str,
    client_id: str,
    username: str,
    secret_file: Any,
    time_zone: str,
    fallback_owner: str | None,
    statuses: str | None,
    playbook: Any,
    as_json: bool,
) -> None:
    """
    Connect an org, and print the address for its outbound message.

    The address is a secret; it is shown once and cannot be read again.

    Example: sidecar connections add acme --org-id 00D... --client-id 3MVG9...
    --instance-url https://acme.my.salesforce.com --username integration@acme.example
    --secret-file jwt.key
    """
    if not is_id(org_id) or not org_id.startswith("00D"):
        raise click.UsageError(f"--org-id {org_id!r} is no org id (00D..., 15 or 18)")
    if not name.strip() or not name.isprintable():
        raise click.UsageError("NAME is empty, or has characters that do not print")
    if fallback_owner and not (is_id(fallback_owner) and fallback_owner[:3] == "005"):
        raise click.UsageError(f"--fallback-owner {fallback_owner!r} is no user's id")
    text = _text(playbook) if playbook else None
    if text is not None:
        playbooks.read(text, templates=wiring.templates)
    demo_mode = wiring.settings.demo
    hook_key = keyring.new_hook_key()
    new = connections_store.NewConnection(
        name=name,
        org_id=to_18(org_id),
        hook_key=hook_key,
        flow=flow,
        login_url=checked(login_url or instance_url, demo=demo_mode),
        instance_url=checked(instance_url, demo=demo_mode),
        client_id=client_id,
        username=username,
        secret=_secret(secret_file),
        time_zone=_zone(time_zone),
        fallback_owner_id=to_18(fallback_owner) if fallback_owner else None,
        status_map=_statuses(statuses),
        playbook=text,
    )
    with wiring.engine.begin() as opened:
        if name in {known.name for known in connections_store.listing(opened)}:
            raise click.UsageError(f"there is a connection {name!r} already")
        id_ = connections_store.add(opened, new, keyring=wiring.keyring)
    address = door.address(wiring.settings.public_url, hook_key)
    if as_json:
        _print_json({"id": id_, "org_id": new.org_id, "hook_url": address})
        return
    click.echo(f"connection {id_} ({name}) to org {new.org_id}")
    click.echo(f"endpoint of the outbound message: {address}")
    click.echo("Keep it: it is shown this once.")


@connections.command("list")
@_json_option
@_wired
def connections_list(wiring: Wiring, as_json: bool) -> None:
    """List the connections."""
    with wiring.engine.connect() as opened:
        known = connections_store.listing(opened)
    rows = [
        {
            "id": item.id,
            "name": item.name,
            "org": item.org_id,
            "flow": item.flow,
            "instance": item.instance_url,
            "paused": item.paused_until,
            "why": item.pause_reason if item.paused_until else None,
        }
        for item in known
    ]
    _print(rows, as_json, "no connections; `sidecar connections add` makes one")


@connections.command("fields")
@click.argument("connection_id", type=_ID)
@click.argument("wsdl", type=click.File("rb"))
@_wired
def connections_fields(wiring: Wiring, connection_id: int, wsdl: Any) -> None:
    """
    Learn from a listener WSDL which fields the outbound message sends.

    Salesforce leaves out what is empty. With its WSDL (Setup, Outbound Messages,
    "Click for WSDL") a field that was cleared can be told from one never sent.
    """
    object_type, types = listener_wsdl.read(wsdl.read())
    with wiring.engine.begin() as opened:
        if connections_store.find(opened, connection_id) is None:
            raise click.UsageError(f"there is no connection {connection_id}")
        connections_store.set_field_list(
            opened, connection_id, object_type, list(types)
        )
    click.echo(f"{object_type}: {', '.join(types)}")


def _text(file: Any) -> str:
    try:
        return str(file.read())
    except UnicodeDecodeError as exc:
        raise click.UsageError(f"{file.name} is no text: {exc}") from exc


def _secret(file: Any) -> str:
    """Read a secret; whatever is wrong with it, it is not repeated."""
    secret = _text(file).strip()
    if not secret:
        raise click.UsageError("--secret-file is empty")
    return secret


def _zone(name: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise click.UsageError(f"--time-zone {name!r} is not known") from exc
    return name


def _statuses(text: str | None) -> Mapping[str, str] | None:
    from sidecar.referral.journey import Milestone

    if text is None:
        return None
    try:
        given = json.loads(text)
        if not isinstance(given, dict):
            raise ValueError("it is no object")
        return {str(status): Milestone(value) for status, value in given.items()}
    except ValueError as exc:
        known = ", ".join(Milestone)
        raise click.UsageError(
            f"--statuses takes an object of status to milestone ({known}): {exc}"
        ) from exc


# --- events ---


@cli.group()
def events() -> None:
    """What was received."""


@events.command("list")
@click.option("--state", type=click.Choice(["waiting", "done", "dead"]))
@click.option("--record", help="Id of the record.")
@click.option("--quarantined", is_flag=True, help="What was refused at the door.")
@click.option("--limit", type=_LIMIT, default=50, show_default=True)
@_json_option
@_wired
def events_list(
    wiring: Wiring,
    state: str | None,
    record: str | None,
    quarantined: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List events, newest first. Exits with 1 where one is dead."""
    with wiring.engine.connect() as opened:
        if quarantined:
            refused = quarantine.listing(opened, limit=limit)
            shown = ("id", "kind", "org_id", "seen", "last_seen_at", "reason")
            rows = refused if as_json else [_only(shown, row) for row in refused]
            _print(rows, as_json, "nothing was refused")
            return
        found = inbox.listing(
            opened,
            keyring=wiring.keyring,
            state=state,
            record_id=_record(record) if record else None,
            limit=limit,
        )
    rows = [
        {
            "id": item.id,
            "received": item.received_at,
            "object": item.object_type,
            "record": item.record_id,
            "state": item.state,
            "told": item.outcome or item.error,
        }
        for item in found
    ]
    _print(rows, as_json, "no events")
    if any(item.state == "dead" for item in found):
        sys.exit(1)


def _record(given: str) -> str:
    if not is_id(given):
        raise click.UsageError(f"--record {given!r} is no record id (15 or 18)")
    return to_18(given)


@events.command("show")
@click.argument("event_id", type=_ID)
@_json_option
@_wired
def events_show(wiring: Wiring, event_id: int, as_json: bool) -> None:
    """Show one event with what it carried."""
    with wiring.engine.connect() as opened:
        found = inbox.find(opened, event_id, keyring=wiring.keyring)
    if found is None:
        raise click.UsageError(f"there is no event {event_id}")
    row = {name: getattr(found, name) for name in type(found).__dataclass_fields__}
    if as_json:
        _print_json(row)
        return
    for name, value in row.items():
        if name == "fields":
            for field, text in value.items():
                click.echo(f"  {field} = {'(nil)' if text is None else text}")
        else:
            click.echo(f"{name}: {'' if value is None else value}")


@events.command("replay")
@click.argument("event_ids", type=_ID, nargs=-1, required=True)
@_wired
def events_replay(wiring: Wiring, event_ids: Sequence[int]) -> None:
    """Run events again; nothing that was done is done twice."""
    with wiring.engine.begin() as opened:
        found = inbox.replay(opened, event_ids, now=wiring.now())
    wiring.doorbell.ring(found)
    click.echo(f"{len(found)} of {len(event_ids)} will run again")
    sys.exit(0 if len(found) == len(set(event_ids)) else 1)


# --- follow-ups ---


@cli.group()
def followups() -> None:
    """What is done about it."""


@followups.command("list")
@click.option(
    "--state",
    type=click.Choice(["waiting", "sending", "done", "dead", "uncertain"]),
)
@click.option("--referral", help="The referral's key.")
@click.option("--limit", type=_LIMIT, default=50, show_default=True)
@_json_option
@_wired
def followups_list(
    wiring: Wiring, state: str | None, referral: str | None, limit: int, as_json: bool
) -> None:
    """List follow-ups, newest first. Exits with 1 where one needs a person."""
    with wiring.engine.connect() as opened:
        found = follow_ups_store.listing(
            opened, state=state, referral_key=referral, limit=limit
        )
    shown = ("id", "kind", "referral_key", "milestone", "state", "attempts")
    rows = [_only((*shown, "receipt", "error"), row) for row in found]
    _print(found if as_json else rows, as_json, "no follow-ups")
    if any(row["state"] in {"dead", "uncertain"} for row in found):
        sys.exit(1)


@followups.command("retry")
@click.argument("follow_up_ids", type=_ID, nargs=-1, required=True)
@_wired
def followups_retry(wiring: Wiring, follow_up_ids: Sequence[int]) -> None:
    """Try again what was given up on."""
    with wiring.engine.begin() as opened:
        found = follow_ups_store.retry(opened, follow_up_ids, now=wiring.now())
    for connection_id, kind in set(found):
        wiring.doorbell.ring_to_deliver(connection_id, kind)
    click.echo(f"{len(found)} of {len(follow_up_ids)} will be tried again")
    sys.exit(0 if len(found) == len(set(follow_up_ids)) else 1)


@cli.command()
@_json_option
@_wired
def doctor(wiring: Wiring, as_json: bool) -> None:
    """Check every part; exits with 1 where one is not well."""
    findings = doctor_room.examine(wiring)
    _print([finding._asdict() for finding in findings], as_json, "")
    if not all(finding.well for finding in findings):
        sys.exit(1)


# --- printing ---


def _only(names: Iterable[str], row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, default=_plain, indent=2))


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _print(rows: Sequence[Mapping[str, Any]], as_json: bool, nothing: str) -> None:
    if as_json:
        _print_json(rows)
        return
    if not rows:
        click.echo(nothing)
        return
    # Nothing is cut off, and brackets in a text are no markup.
    table = Table(*(Column(name, overflow="fold") for name in rows[0]))
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)


if __name__ == "__main__":
    cli()
