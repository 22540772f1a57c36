"""The ``sidecar`` command: one thin function for each verb.

Exit codes: 0 done, 1 something needs a person, 2 the command was misused or a
setting is wrong.
"""

import click

from sidecar import __version__
from sidecar.cli import (
    audit,
    calendars,
    channels,
    clocks,
    connections,
    doctor,
    events,
    followups,
    keys,
    mail,
    openapi,
    package,
    playbooks,
    privacy,
    reconcile,
    reports,
    run,
    secrets,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sidecar")
def cli() -> None:
    """Referral tracking beside Salesforce."""


for command in (
    run.up,
    run.web,
    run.worker,
    run.clock,
    run.subscribe,
    run.demo,
    run.devorg,
    keys.db,
    keys.keys,
    connections.connections,
    secrets.secrets,
    events.events,
    followups.followups,
    mail.mail,
    playbooks.playbooks,
    calendars.calendars,
    channels.channels,
    clocks.clocks,
    clocks.referrals,
    reports.reports,
    package.package,
    reconcile.reconcile,
    reconcile.resync,
    reconcile.completeness,
    privacy.privacy,
    audit.audit,
    doctor.doctor,
    openapi.openapi,
):
    cli.add_command(command)
