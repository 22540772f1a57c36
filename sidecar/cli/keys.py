"""The database and the keys."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from sidecar import keyring
from sidecar.cli.frame import note, wired
from sidecar.salesforce import sign_in_key
from sidecar.store import database, rotation
from sidecar.wiring import Wiring


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
@wired
def db_upgrade(wiring: Wiring) -> None:
    """
    Bring the tables up to date.

    Example: sidecar db upgrade
    """
    database.upgrade(wiring.engine)
    click.echo("the database is up to date")


@click.group()
def keys() -> None:
    """The key ring, and the key that signs in."""


@keys.command("new")
def keys_new() -> None:
    """
    Print a new key for SIDECAR_KEYS.

    Example: sidecar keys new > sidecar.key
    """
    click.echo(keyring.new_key())


@keys.command("rotate")
@wired
def keys_rotate(wiring: Wiring) -> None:
    """
    Seal everything with the newest key, while the service runs.

    First put the new key in front of the old one, everywhere, and restart; then
    rotate; then the old one may go.

    Example: sidecar keys rotate
    """
    anew = 0
    for column, looked, renewed in rotation.rotate(wiring.engine, wiring.keyring):
        anew += renewed
        if looked:
            click.echo(f"{column}: {renewed} of {looked} sealed anew")
    note(wiring, "keys.rotate", f"{anew} values")
    click.echo(f"done; {anew} values. Run it again: when it says 0, the old key may go")


@keys.command("sign-in")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=730,
    show_default=True,
    help="For how long its certificate is good.",
)
def keys_sign_in(file: Path, days: int) -> None:
    """
    Make the key with which an org is signed in to, and print its certificate.

    FILE gets the private key, which nobody else may read; `connections add
    --secret-file` takes it. The certificate is uploaded in the app.

    Example: sidecar keys sign-in jwt.key
    """
    private, certificate = sign_in_key.make(now=datetime.now(UTC), days=days)
    try:
        with os.fdopen(
            os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
        ) as new:
            new.write(private)
    except OSError as exc:
        raise click.UsageError(f"{file}: {exc.strerror}; nothing was written") from exc
    click.echo(certificate, nl=False)
