"""What the service's doors take and answer, for programs."""

import click

from sidecar.cli.frame import show_json


@click.command()
def openapi() -> None:
    """
    Print the OpenAPI 3.1 description of the service's doors.

    The web gives out the same at /openapi.json.

    Example: sidecar openapi > sidecar-openapi.json
    """
    # Not at the top: no other command needs what generates it.
    from sidecar.api import description

    show_json(description.document())
