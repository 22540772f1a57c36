"""What is installed into an org: planned, deployed, proven, taken out again."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from sidecar.cli import deploying, lint
from sidecar.cli.frame import (
    ID,
    fail,
    json_option,
    note_within,
    person,
    show_json,
    wired,
)
from sidecar.jobs.deploy import asking, reporting
from sidecar.jobs.deploy.asking import Kind, Wish
from sidecar.package import report as reports
from sidecar.store import connections as connections_store
from sidecar.store import deployments
from sidecar.store.deployments import Admin
from sidecar.wiring import Wiring


@click.group()
def package() -> None:
    """What is installed into an org."""


package.add_command(lint.lint)

_token = click.option(
    "--admin-token-file",
    "token_file",
    type=click.File(),
    help="An admin's access token; - for standard input. Or SIDECAR_ADMIN_TOKEN.",
)
_modules = click.option(
    "--module", "modules", multiple=True, help="Beside core; may be repeated."
)
_resume = click.option(
    "--resume", type=ID, metavar="ID", help="Go on with this deployment."
)
_yes = click.option("--yes", is_flag=True, help="Agree to what the plan warns of.")
_diff = click.option("--diff", is_flag=True, help="Show each change line by line.")
_connection = click.argument("connection", type=str, required=False)


@package.command()
@_connection
@_modules
@_token
@_diff
@json_option
@wired
def plan(
    wiring: Wiring,
    connection: str | None,
    modules: tuple[str, ...],
    token_file: Any,
    diff: bool,
    as_json: bool,
) -> None:
    """
    Show what an install would change; nothing is changed.

    CONNECTION is a name or a number. Exits with 1 where something blocks an install.

    Example: sidecar package plan acme --module analytics --admin-token-file token
    """
    wish = _wish(wiring, connection, "plan", modules=modules)
    row = deploying.run(wiring, _ask(wiring, wish, token_file), quiet=as_json)
    deploying.show(row, as_json=as_json, diff=diff)
    blocks = any(each["level"] == "blocks" for each in row.findings)
    sys.exit(1 if blocks or row.state != "done" else 0)


@package.command()
@_connection
@_modules
@_token
@click.option(
    "--grant",
    "grants",
    multiple=True,
    metavar="USER=SET",
    help="Give a user a permission set, as anna@example.com=Referral_User.",
)
@click.option("--no-self-test", is_flag=True, help="Leave the proof for `verify`.")
@_yes
@_resume
@_diff
@json_option
@wired
def install(
    wiring: Wiring,
    connection: str | None,
    modules: tuple[str, ...],
    token_file: Any,
    grants: tuple[str, ...],
    no_self_test: bool,
    yes: bool,
    resume: int | None,
    diff: bool,
    as_json: bool,
) -> None:
    """
    Install, upgrade, or go on with what was interrupted.

    The admin whose token is given deploys; the connection's integration user runs.
    An admin's token is kept, sealed, until the end of the deployment and no longer.

    Example: sidecar package install acme --grant anna@example.com=Referral_User
    --admin-token-file token
    """
    if resume is not None:
        id_ = _resumed(wiring, resume, token_file, yes)
    else:
        wish = _wish(
            wiring,
            connection,
            "install",
            modules=modules,
            grants=[_grant(each) for each in grants],
            yes=yes,
            self_test=not no_self_test,
        )
        id_ = _ask(wiring, wish, token_file)
    row = deploying.run(wiring, id_, quiet=as_json)
    deploying.show(row, as_json=as_json, diff=diff)
    sys.exit(0 if row.state == "done" else 1)


@package.command()
@_connection
@_token
@click.option("--no-self-test", is_flag=True, help="Only read.")
@json_option
@wired
def verify(
    wiring: Wiring,
    connection: str | None,
    token_file: Any,
    no_self_test: bool,
    as_json: bool,
) -> None:
    """
    Prove that what is installed works: rights, flows, one referral from end to end.

    Tells, too, what was changed in the org since. Exits with 1 where the proof fails.
    """
    wish = _wish(wiring, connection, "verify", self_test=not no_self_test)
    row = deploying.run(wiring, _ask(wiring, wish, token_file), quiet=as_json)
    deploying.show(row, as_json=as_json)
    sys.exit(0 if row.state == "done" else 1)


@package.command()
@_connection
@json_option
@wired
def status(wiring: Wiring, connection: str | None, as_json: bool) -> None:
    """Show what is installed, and the newest deployment. Exits with 1 if it is dead."""
    id_ = _connection_id(wiring, connection)
    found = asking.state(wiring.engine, id_, keyring=wiring.keyring)
    row = found.newest
    if as_json:
        show_json(
            {
                "modules": list(found.modules),
                "version": found.version,
                "installed_at": found.installed_at,
                "deployment": deploying.as_dict(row) if row else None,
            }
        )
    else:
        click.echo(
            f"installed: {', '.join(found.modules)} ({found.version})"
            if found.modules
            else "nothing is installed"
        )
        if row:
            deploying.show(row)
    sys.exit(1 if row and row.state in {"dead", "asking"} else 0)


@package.command()
@_connection
@_token
@click.option("--deployment", type=ID, help="Which one; the newest by default.")
@_yes
@_resume
@json_option
@wired
def rollback(
    wiring: Wiring,
    connection: str | None,
    token_file: Any,
    deployment: int | None,
    yes: bool,
    resume: int | None,
    as_json: bool,
) -> None:
    """
    Undo a deployment from what was kept before it.

    What the customer changed since stays as it is now.
    """
    if resume is not None:
        id_ = _resumed(wiring, resume, token_file, yes)
    else:
        wish = _wish(wiring, connection, "rollback", yes=yes, undoes=deployment)
        id_ = _ask(wiring, wish, token_file)
    row = deploying.run(wiring, id_, quiet=as_json)
    deploying.show(row, as_json=as_json)
    sys.exit(0 if row.state == "done" else 1)


@package.command()
@_connection
@_token
@click.option(
    "--export",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the data that goes to CSV files in this folder.",
)
@click.option("--delete-data", is_flag=True, help="The data may go.")
@_yes
@_resume
@json_option
@wired
def uninstall(
    wiring: Wiring,
    connection: str | None,
    token_file: Any,
    directory: Path | None,
    delete_data: bool,
    yes: bool,
    resume: int | None,
    as_json: bool,
) -> None:
    """
    Take everything of ours out of an org.

    Refuses where data would be lost, unless --delete-data says that it may.

    Example: sidecar package uninstall acme --export backup --delete-data
    --admin-token-file token
    """
    if resume is not None:
        id_ = _resumed(wiring, resume, token_file, yes)
    else:
        wish = _wish(
            wiring,
            connection,
            "uninstall",
            yes=yes,
            delete_data=delete_data,
            export=directory is not None,
        )
        id_ = _ask(wiring, wish, token_file)
    row = deploying.run(wiring, id_, quiet=as_json, export_to=directory)
    deploying.show(row, as_json=as_json)
    sys.exit(0 if row.state == "done" else 1)


@package.command()
@click.argument("deployment_id", type=ID)
@wired
def cancel(wiring: Wiring, deployment_id: int) -> None:
    """Stop a deployment, as far as that is still possible."""
    with wiring.engine.begin() as opened:
        if not deployments.cancel(opened, deployment_id, now=wiring.now()):
            fail(f"there is no deployment {deployment_id} that is not over", 1)
        note_within(opened, wiring, "package.cancel", f"deployment {deployment_id}")
    row = deploying.run(wiring, deployment_id)
    deploying.show(row)


@package.command()
@click.argument("deployment_id", type=ID)
@click.option("--html", "as_html", is_flag=True, help="As a page instead of JSON.")
@wired
def report(wiring: Wiring, deployment_id: int, as_html: bool) -> None:
    """Print a deployment's signed report."""
    with wiring.engine.connect() as opened:
        row = deployments.find(opened, deployment_id)
    if row is None or row.report is None:
        fail(f"there is no report of deployment {deployment_id}", 1)
    click.echo(
        reports.html(row.report)
        if as_html
        else json.dumps(row.report, indent=2, ensure_ascii=False)
    )


@package.command("check-report")
@click.argument("file", type=click.File("rb"))
@wired
def check_report(wiring: Wiring, file: Any) -> None:
    """Check that a report is ours, and as it was signed. Exits with 1 where not."""
    try:
        document = json.load(file)
    except ValueError as exc:
        raise click.UsageError(f"{file.name} is not JSON: {exc}") from exc
    wrong = reporting.check(
        document if isinstance(document, dict) else {}, wiring.keyring
    )
    if wrong:
        fail(wrong, 1)
    click.echo("the report is ours, and as it was signed")


def _wish(wiring: Wiring, connection: str | None, kind: Kind, **given: Any) -> Wish:
    return Wish(
        connection_id=_connection_id(wiring, connection),
        kind=kind,
        requested_by=person(),
        **given,
    )


def _connection_id(wiring: Wiring, given: str | None) -> int:
    if not given:
        raise click.UsageError("name a connection; `sidecar connections list` has them")
    with wiring.engine.connect() as opened:
        known = connections_store.listing(opened)
    for each in known:
        if given in {each.name, str(each.id)}:
            return each.id
    raise click.UsageError(f"there is no connection {given!r}")


def _ask(wiring: Wiring, wish: Wish, token_file: Any) -> int:
    with wiring.engine.connect() as opened:
        known = connections_store.find(opened, wish.connection_id)
    token = _given(wiring, token_file)
    return asking.ask(
        wish,
        admin=Admin(known.instance_url, token) if known and token else None,
        engine=wiring.engine,
        keyring=wiring.keyring,
        bundle=wiring.bundle,
        now=wiring.now(),
    )


def _resumed(wiring: Wiring, id_: int, token_file: Any, yes: bool) -> int:
    """Give a deployment what it waits for."""
    with wiring.engine.begin() as opened:
        row = deployments.find(opened, id_)
        if row is None:
            raise click.UsageError(f"there is no deployment {id_}")
        connection = connections_store.find(opened, row.connection_id)
        token = _given(wiring, token_file)
        if connection and token:
            deployments.give_admin(
                opened,
                id_,
                Admin(connection.instance_url, token),
                now=wiring.now(),
                keyring=wiring.keyring,
            )
            note_within(opened, wiring, "package.token", f"deployment {id_}")
        if yes and deployments.say_yes(
            opened, id_, fingerprint=row.fingerprint, now=wiring.now()
        ):
            note_within(opened, wiring, "package.yes", f"deployment {id_}")
    return id_


def _given(wiring: Wiring, token_file: Any) -> str:
    """The admin's token: from a file, or from the environment."""
    if token_file is None:
        return wiring.settings.admin_token
    token = str(token_file.read()).strip()
    if not token or not token.isprintable() or " " in token:
        raise click.UsageError(f"{token_file.name} holds no access token")
    return token


def _grant(text: str) -> tuple[str, str]:
    user, _, name = text.partition("=")
    if not user.strip() or not name.strip():
        raise click.UsageError(f"--grant takes USER=PERMISSION_SET, not {text!r}")
    return user.strip(), name.strip()
