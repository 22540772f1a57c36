"""What every command stands in: its adapters, its errors, its output."""

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import wraps
from typing import Any, NoReturn

import click
from psycopg.errors import UndefinedColumn, UndefinedTable
from redis.exceptions import ConnectionError as RedisAway
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, ProgrammingError

from sidecar import logs, settings
from sidecar.errors import SidecarError
from sidecar.logs import mask
from sidecar.store import audit, connections
from sidecar.wiring import Wiring

Command = Callable[..., Any]


class _Number(click.IntRange):
    """The number of a row: what a bigint holds; PostgreSQL would break on more."""

    name = "number"


class _Named(click.ParamType[int | str]):
    """A connection by its name or number; ``wired`` gives commands the number."""

    name = "connection"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        """Read a number; what is none is a name."""
        if str(value).removeprefix("-").isdecimal():
            return ID.convert(value, param, ctx)
        return str(value)


ID = _Number(1, 2**63 - 1)
CONNECTION = _Named()
LIMIT = click.IntRange(1, 100_000)


def told(command: Command) -> Command:
    """Show our errors as one line, and a bug as itself."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except SidecarError as exc:
            fail(str(exc), 2 if isinstance(exc, settings.WrongSetting) else 1)
        except RedisAway as exc:
            fail(
                f"Redis is away: {mask(str(exc))} SIDECAR_REDIS_URL says where it is; "
                "`sidecar up` brings one along",
                1,
            )
        except OperationalError as exc:
            fail(f"the database is away: {mask(str(exc.orig)).strip()}", 1)
        except ProgrammingError as exc:
            if not isinstance(exc.orig, UndefinedTable | UndefinedColumn):
                raise
            fail("the tables are not up to date: run `sidecar db upgrade`", 1)

    return run


def fail(text: str, code: int) -> NoReturn:
    """Say in red what is wrong, and leave with the code."""
    click.secho(text, fg="red", err=True)
    sys.exit(code)


def wired(command: Command) -> Command:
    """Give a command the adapters as its first argument."""

    @wraps(command)
    @told
    def run(*args: Any, **kwargs: Any) -> Any:
        wiring = Wiring(settings.from_environ())
        logs.configure(wiring.settings.log_format)
        if isinstance(name := kwargs.get("connection_id"), str):
            kwargs["connection_id"] = connection_id_of(wiring, name)
        return command(wiring, *args, **kwargs)

    return run


def connection_id_of(wiring: Wiring, given: str | None) -> int:
    """Find a connection by its name or number."""
    if not given:
        raise click.UsageError("name a connection; `sidecar connections list` has them")
    with wiring.engine.connect() as opened:
        known = connections.listing(opened)
    for each in known:
        if given in {each.name, str(each.id)}:
            return each.id
    raise click.UsageError(
        f"there is no connection {given!r}; `sidecar connections list` has them"
    )


def note(wiring: Wiring, what: str, about: str, **details: object) -> None:
    """Say in the audit trail what the person at this machine has just done."""
    with wiring.engine.begin() as db:
        note_within(db, wiring, what, about, **details)


def note_within(
    db: Connection, wiring: Wiring, what: str, about: str, **details: object
) -> None:
    """As ``note``, in the transaction of what is done."""
    audit.note(
        db,
        who=person(),
        what=what,
        about=about,
        details=details,
        now=wiring.now(),
    )


def person() -> str:
    """Who is at the keyboard: the one behind sudo, where there is one."""
    return f"{os.environ.get('SUDO_USER') or getpass.getuser()} (command line)"


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, for machines."
)


def only(names: Iterable[str], row: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the named values of a row, in this order."""
    return {name: row[name] for name in names}


def show_json(value: Any) -> None:
    """Print for machines; moments in ISO 8601."""
    click.echo(json.dumps(value, default=_plain, indent=2))


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def show(rows: Sequence[Mapping[str, Any]], as_json: bool, nothing: str) -> None:
    """Print rows as a table, or as JSON; without rows, say that there is nothing."""
    if as_json:
        show_json(rows)
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
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
    return str(value)
