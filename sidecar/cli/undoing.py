"""Taking out again what was installed: one deployment, or all of it."""

import sys
from pathlib import Path
from typing import Any

import click

from sidecar.cli import deploying
from sidecar.cli.frame import ID, json_option, wired
from sidecar.cli.wishes import (
    ask,
    connection_argument,
    resume_option,
    resumed,
    token_option,
    wish_for,
    yes_option,
)
from sidecar.wiring import Wiring


@click.command()
@connection_argument
@token_option
@click.option("--deployment", type=ID, help="Which one; the newest by default.")
@yes_option
@resume_option
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
        id_ = resumed(wiring, resume, token_file, yes)
    else:
        wish = wish_for(wiring, connection, "rollback", yes=yes, undoes=deployment)
        id_ = ask(wiring, wish, token_file)
    row = deploying.run(wiring, id_, quiet=as_json)
    deploying.show(row, as_json=as_json)
    sys.exit(0 if row.state == "done" else 1)


@click.command()
@connection_argument
@token_option
@click.option(
    "--export",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the data that goes to CSV files in this folder.",
)
@click.option("--delete-data", is_flag=True, help="The data may go.")
@yes_option
@resume_option
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
        id_ = resumed(wiring, resume, token_file, yes)
    else:
        wish = wish_for(
            wiring,
            connection,
            "uninstall",
            yes=yes,
            delete_data=delete_data,
            export=directory is not None,
        )
        id_ = ask(wiring, wish, token_file)
    row = deploying.run(wiring, id_, quiet=as_json, export_to=directory)
    deploying.show(row, as_json=as_json)
    sys.exit(0 if row.state == "done" else 1)
