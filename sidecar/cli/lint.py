"""The linter: what is wrong with an SFDX project."""

import sys
from pathlib import Path

import click

from sidecar import __version__
from sidecar.cli.frame import fail
from sidecar.errors import Unreadable
from sidecar.package import read
from sidecar.package.lint import checks, show
from sidecar.package.lint.findings import Level
from sidecar.package.lint.sections import load


@click.command()
@click.argument(
    "folder",
    metavar="[DIR]",
    required=False,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="SARIF is what code reviews show beside the lines.",
)
@click.option(
    "--level",
    type=click.Choice([level.value for level in Level]),
    default=Level.WARNING.value,
    show_default=True,
    help="The least that is told and counted.",
)
def lint(folder: Path | None, form: str, level: str) -> None:
    """
    Look for faults in the SFDX project in DIR, offline.

    DIR holds sfdx-project.json; without it, the bundled package is looked at. Exits
    with 1 when anything of that level is found, with 2 when DIR is no SFDX project.

    A project may raise or lower levels, and exempt findings with a reason, in its
    sfdx-project.json: {"plugins": {"sidecar-lint": {"levels": {"field/help": "error"},
    "exempt": [{"rule": ..., "name": ..., "reason": ...}]}}}.

    Example: sidecar package lint my-project --format sarif > lint.sarif
    """
    try:
        findings = checks.lint(load(folder or read.bundled()))
    except (Unreadable, OSError) as exc:
        fail(str(exc).encode(errors="replace").decode(), 2)
    least = Level(level).gravity
    told = [found for found in findings if found.level.gravity >= least]
    match form:
        case "json":
            click.echo(show.as_json(told))
        case "sarif":
            click.echo(show.as_sarif(told, version=__version__))
        case _:
            click.echo(show.as_text(told))
            if hidden := len(findings) - len(told):
                click.echo(f"({hidden} of a lower level: --level note shows them)")
    sys.exit(1 if told else 0)
