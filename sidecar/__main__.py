"""``python -m sidecar`` is the ``sidecar`` command."""

from sidecar.cli import cli

cli()
