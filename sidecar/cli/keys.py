"""The database and the keys."""

import click

from sidecar import keyring
from sidecar.cli.frame import note, wired
from sidecar.store import database, rotation
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


@keys.command("rotate")
@wired
def keys_rotate(wiring: Wiring) -> None:
    """
    Seal everything with the newest key, while the service runs.

    First put the new key in front of the old one, everywhere, and restart; then
    rotate; then the old one may go.
    """
    anew = 0
    for column, looked, renewed in rotation.rotate(wiring.engine, wiring.keyring):
        anew += renewed
        if looked:
            click.echo(f"{column}: {renewed} of {looked} sealed anew")
    note(wiring, "keys.rotate", f"{anew} values")
    click.echo(f"done; {anew} values. Run it again: when it says 0, the old key may go")
