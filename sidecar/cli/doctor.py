"""Whether every part is well."""

import sys

import click

from sidecar import doctor as doctor_room
from sidecar.cli.frame import json_option, show, wired
from sidecar.wiring import Wiring


@click.command()
@json_option
@wired
def doctor(wiring: Wiring, as_json: bool) -> None:
    """Check every part; exits with 1 where one is not well."""
    findings = doctor_room.examine(wiring)
    show([finding._asdict() for finding in findings], as_json, "")
    if not all(finding.well for finding in findings):
        sys.exit(1)
