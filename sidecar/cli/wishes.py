"""What people say to `sidecar package`: which org, as whom, what, and how far."""

from typing import Any

import click

from sidecar.cli.frame import ID, connection_id_of, note_within, person
from sidecar.jobs.deploy import asking
from sidecar.jobs.deploy.asking import Kind, Wish
from sidecar.store import answers, deployments
from sidecar.store import connections as connections_store
from sidecar.store.deployments import Admin
from sidecar.wiring import Wiring

token_option = click.option(
    "--admin-token-file",
    "token_file",
    type=click.File(),
    help="An admin's access token; - for standard input. Or SIDECAR_ADMIN_TOKEN.",
)
modules_option = click.option(
    "--module", "modules", multiple=True, help="Beside core; may be repeated."
)
resume_option = click.option(
    "--resume", type=ID, metavar="ID", help="Go on with this deployment."
)
yes_option = click.option("--yes", is_flag=True, help="Agree to what is warned of.")
diff_option = click.option("--diff", is_flag=True, help="Show changes line by line.")
connection_argument = click.argument("connection", type=str, required=False)


def wish_for(wiring: Wiring, connection: str | None, kind: Kind, **given: Any) -> Wish:
    """Put together what the person at this machine wants."""
    return Wish(
        connection_id=connection_id_of(wiring, connection),
        kind=kind,
        requested_by=person(),
        **given,
    )


def ask(wiring: Wiring, wish: Wish, token_file: Any) -> int:
    """Make the deployment; its id."""
    with wiring.engine.connect() as opened:
        known = connections_store.find(opened, wish.connection_id)
    token = given_token(wiring, token_file)
    if not token and wish.kind == "plan":
        # Nothing would be there to go on with.
        raise click.UsageError(
            "a plan reads with an admin's access token: give --admin-token-file, or "
            "SIDECAR_ADMIN_TOKEN"
        )
    return asking.ask(
        wish,
        admin=Admin(known.instance_url, token) if known and token else None,
        engine=wiring.engine,
        keyring=wiring.keyring,
        bundle=wiring.bundle,
        now=wiring.now(),
    )


def resumed(wiring: Wiring, id_: int, token_file: Any, yes: bool) -> int:
    """Give a deployment what it waits for."""
    with wiring.engine.begin() as opened:
        row = deployments.find(opened, id_)
        if row is None:
            raise click.UsageError(f"there is no deployment {id_}")
        connection = connections_store.find(opened, row.connection_id)
        token = given_token(wiring, token_file)
        if connection and token:
            answers.give_admin(
                opened,
                id_,
                Admin(connection.instance_url, token),
                now=wiring.now(),
                keyring=wiring.keyring,
            )
            note_within(opened, wiring, "package.token", f"deployment {id_}")
        if yes and answers.say_yes(
            opened, id_, fingerprint=row.fingerprint, now=wiring.now()
        ):
            note_within(opened, wiring, "package.yes", f"deployment {id_}")
    return id_


def given_token(wiring: Wiring, token_file: Any) -> str:
    """The admin's token: from a file, or from the environment."""
    if token_file is None:
        return wiring.settings.admin_token
    token = str(token_file.read()).strip()
    if not token or not token.isprintable() or " " in token:
        raise click.UsageError(f"{token_file.name} holds no access token")
    return token


def grant_of(text: str) -> tuple[str, str]:
    """Read ``user=permission set``."""
    user, _, name = text.partition("=")
    if not user.strip() or not name.strip():
        raise click.UsageError(f"--grant takes USER=PERMISSION_SET, not {text!r}")
    return user.strip(), name.strip()
