"""What is installed into an org: planned, deployed, proven, taken out again."""

import json
import sys
from typing import Any

import click

from sidecar.cli import deploying, lint, undoing
from sidecar.cli.frame import (
    ID,
    connection_id_of,
    fail,
    json_option,
    note_within,
    show_json,
    wired,
)
from sidecar.cli.wishes import (
    ask,
    connection_argument,
    diff_option,
    grant_of,
    modules_option,
    resume_option,
    resumed,
    token_option,
    wish_for,
    yes_option,
)
from sidecar.jobs.deploy import asking, reporting
from sidecar.package import report as reports
from sidecar.store import answers, deployments
from sidecar.wiring import Wiring


@click.group()
def package() -> None:
    """What is installed into an org."""


for _command in (lint.lint, undoing.rollback, undoing.uninstall):
    package.add_command(_command)


@package.command()
@connection_argument
@modules_option
@token_option
@diff_option
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
    wish = wish_for(wiring, connection, "plan", modules=modules)
    row = deploying.run(wiring, ask(wiring, wish, token_file), quiet=as_json)
    deploying.show(row, as_json=as_json, diff=diff)
    blocks = any(each["level"] == "blocks" for each in row.findings)
    sys.exit(1 if blocks or row.state != "done" else 0)


@package.command()
@connection_argument
@modules_option
@token_option
@click.option(
    "--grant",
    "grants",
    multiple=True,
    metavar="USER=SET",
    help="Give a user a permission set, as anna@example.com=Referral_User.",
)
@click.option("--no-self-test", is_flag=True, help="Leave the proof for `verify`.")
@yes_option
@resume_option
@diff_option
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
        id_ = resumed(wiring, resume, token_file, yes)
    else:
        wish = wish_for(
            wiring,
            connection,
            "install",
            modules=modules,
            grants=[grant_of(each) for each in grants],
            yes=yes,
            self_test=not no_self_test,
        )
        id_ = ask(wiring, wish, token_file)
    row = deploying.run(wiring, id_, quiet=as_json)
    deploying.show(row, as_json=as_json, diff=diff)
    sys.exit(0 if row.state == "done" else 1)


@package.command()
@connection_argument
@token_option
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
    wish = wish_for(wiring, connection, "verify", self_test=not no_self_test)
    row = deploying.run(wiring, ask(wiring, wish, token_file), quiet=as_json)
    deploying.show(row, as_json=as_json)
    sys.exit(0 if row.state == "done" else 1)


@package.command()
@connection_argument
@json_option
@wired
def status(wiring: Wiring, connection: str | None, as_json: bool) -> None:
    """Show what is installed, and the newest deployment. Exits with 1 if it is dead."""
    id_ = connection_id_of(wiring, connection)
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
@click.argument("deployment_id", type=ID)
@wired
def cancel(wiring: Wiring, deployment_id: int) -> None:
    """Stop a deployment, as far as that is still possible."""
    with wiring.engine.begin() as opened:
        if not answers.cancel(opened, deployment_id, now=wiring.now()):
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
