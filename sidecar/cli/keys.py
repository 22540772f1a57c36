"""The database and the keys."""

import click

from sidecar import keyring
from sidecar.cli.frame import wired
from sidecar.store import database
from sidecar.wiring import Wiring


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
@wired
def db_upgrade(wiring: Wiring) -> None:
    """Bring the tables up to date."""
    database.upgrade(wiring.engine)
    click.echo("the database is up to date")


@click.group()
def keys() -> None:
    """The key ring."""


@keys.command("new")
def keys_new() -> None:
    """Print a new key for SIDECAR_KEYS."""
    click.echo(keyring.new_key())
