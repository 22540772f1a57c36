"""What is done at each milestone: checked, explained, tried without doing it."""

from datetime import UTC, datetime
from typing import TextIO

import click

from sidecar.cli.frame import CONNECTION, json_option, note, show, show_json, wired
from sidecar.errors import Permanent
from sidecar.jobs import foresight
from sidecar.playbooks import read as reading
from sidecar.playbooks import schema
from sidecar.referral.playbook import Playbook
from sidecar.salesforce.ids import is_id, to_18
from sidecar.store import channels as channels_store
from sidecar.store import connections, journeys, playbook_versions
from sidecar.store.connections import OrgConnection
from sidecar.wiring import Wiring

_PLAYBOOK = click.option(
    "--playbook",
    "file",
    type=click.File(encoding="utf-8"),
    help="YAML to go by, instead of the connection's own.",
)


@click.group()
def playbooks() -> None:
    """What is done at each milestone."""


@playbooks.command("check")
@click.argument("file", type=click.File(encoding="utf-8"))
@wired
def playbooks_check(wiring: Wiring, file: TextIO) -> None:
    """
    Read a playbook, and name each place that must be mended.

    Example: sidecar playbooks check acme.yaml
    """
    found = _read(wiring, file)
    actions = sum(map(len, found.actions.values()))
    click.echo(
        f"version {found.version}: {actions} actions, {len(found.types)} types, "
        f"{len(found.clocks)} response clocks"
    )


@playbooks.command("schema")
@wired
def playbooks_schema(wiring: Wiring) -> None:
    """Print the JSON Schema of playbooks, for editors."""
    show_json(schema.schema(wiring.templates))


@playbooks.command("set")
@click.argument("connection_id", metavar="CONNECTION", type=CONNECTION)
@click.argument("file", type=click.File(encoding="utf-8"))
@wired
def playbooks_set(wiring: Wiring, connection_id: int, file: TextIO) -> None:
    """
    Act by this playbook from now on; a version once used means one text.

    Example: sidecar playbooks set acme acme.yaml
    """
    text = _text(file)
    found = reading.read(text, templates=wiring.templates)
    with wiring.engine.begin() as db:
        now_is = foresight.connection_of(db, connection_id).playbook
        there = {row["name"] for row in channels_store.listing(db, connection_id)}
        if missing := ", ".join(sorted(found.channels - there)):
            raise Permanent(
                f"connection {connection_id} has no channel {missing}: "
                "`sidecar channels add` adds one"
            )
        if now_is is not None:
            # It came with the connection: what was done by it can be explained later.
            version = reading.read(now_is, templates=wiring.templates).version
            playbook_versions.put(db, connection_id, version, now_is, now=wiring.now())
        playbook_versions.put(db, connection_id, found.version, text, now=wiring.now())
    note(
        wiring,
        "playbooks.set",
        f"connection {connection_id}",
        version=found.version,
    )
    click.echo(f"connection {connection_id} acts by version {found.version}")


@playbooks.command("explain")
@click.option("--record", required=True, help="The record's id, or the referral's key.")
@_PLAYBOOK
@json_option
@wired
def playbooks_explain(
    wiring: Wiring, record: str, file: TextIO | None, as_json: bool
) -> None:
    """
    Say where a referral stands, what was planned and what will come; and why.

    Example: sidecar playbooks explain --record 00Q000000000001EAA
    """
    key = to_18(record) if is_id(record) else record
    with foresight.reading(wiring.engine) as db:
        found = journeys.find(db, key)
        if not found:
            raise Permanent(f"nothing is known of {record}")
        told = []
        for connection_id, referral_key in found:
            connection = foresight.connection_of(db, connection_id)
            told.append(
                {"connection": connection.name}
                | foresight.explain(
                    db,
                    connection,
                    referral_key,
                    _chosen(wiring, connection, file),
                    now=wiring.now(),
                    keyring=wiring.keyring,
                )
            )
    if as_json:
        show_json(told)
        return
    for one in told:
        for name, value in one.items():
            if isinstance(value, list):
                click.echo(f"\n{name}")
                show(value, as_json, "  none")
            else:
                click.echo(f"{name:<14}{'' if value is None else value}")


@playbooks.command("simulate")
@click.option("--since", required=True, type=click.DateTime(), help="In UTC.")
@click.option("--connection", "connection_id", type=CONNECTION, help="Only this one.")
@_PLAYBOOK
@json_option
@wired
def playbooks_simulate(
    wiring: Wiring,
    since: datetime,
    connection_id: int | None,
    file: TextIO | None,
    as_json: bool,
) -> None:
    """
    Say what would have happened since a day, and why; nothing is written or sent.

    Example: sidecar playbooks simulate --since 2026-01-01 --playbook acme.yaml
    """
    rows = []
    with foresight.reading(wiring.engine) as db:
        for connection in connections.listing(db):
            if connection_id not in {None, connection.id}:
                continue
            found = foresight.simulate(
                db,
                connection,
                _chosen(wiring, connection, file),
                since=since.replace(tzinfo=UTC),
                now=wiring.now(),
                keyring=wiring.keyring,
            )
            rows += [
                {
                    "at": item.at,
                    "connection": connection.name,
                    "referral": item.referral_key,
                    "milestone": item.milestone,
                    "action": item.action,
                    "kind": item.kind,
                    "to": item.to,
                    "would": "be done" if item.done else "be left out",
                    "why": item.why,
                }
                for item in found
            ]
    show(rows, as_json, "nothing would have happened")


def _chosen(wiring: Wiring, connection: OrgConnection, file: TextIO | None) -> Playbook:
    if file is None:
        return wiring.playbook_of(connection)
    file.seek(0)
    return _read(wiring, file)


def _read(wiring: Wiring, file: TextIO) -> Playbook:
    return reading.read(_text(file), templates=wiring.templates)


def _text(file: TextIO) -> str:
    try:
        return file.read()
    except UnicodeDecodeError as exc:
        raise Permanent(f"{file.name} is no UTF-8 text: {exc}") from exc
