"""Our links to orgs."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sidecar import keyring
from sidecar.cli import connection_ends
from sidecar.cli.frame import CONNECTION, json_option, note, show, show_json, wired
from sidecar.console import authorize
from sidecar.errors import Permanent
from sidecar.intake import door, listener_wsdl
from sidecar.playbooks import read as playbooks
from sidecar.referral.journey import Milestone
from sidecar.salesforce import login
from sidecar.salesforce.hosts import checked
from sidecar.salesforce.ids import is_id, to_18
from sidecar.store import connections as connections_store
from sidecar.wiring import Wiring


@click.group()
def connections() -> None:
    """Our links to orgs."""


for _command in (
    connection_ends.new_address,
    connection_ends.end_address,
    connection_ends.remove,
):
    connections.add_command(_command)


@connections.command("add")
@click.argument("name")
@click.option("--org-id", required=True, help="15 or 18 characters, 00D...")
@click.option("--instance-url", required=True, help="https://....my.salesforce.com")
@click.option("--login-url", help="Where tokens come from; the instance by default.")
@click.option(
    "--flow", type=click.Choice(login.FLOWS), default="jwt", show_default=True
)
@click.option("--client-id", required=True, help="The app's consumer key.")
@click.option("--username", default="", help="The integration user (flow jwt).")
@click.option(
    "--secret-file",
    type=click.File(),
    required=True,
    help="Private key, client secret or refresh token; - for standard input.",
)
@click.option("--time-zone", default="UTC", show_default=True)
@click.option("--fallback-owner", help="User id for what belongs to a queue.")
@click.option("--statuses", help='JSON: {"Org status": "milestone", ...}')
@click.option("--playbook", type=click.File(), help="YAML, instead of the standard.")
@json_option
@wired
def connections_add(
    wiring: Wiring,
    name: str,
    org_id: str,
    instance_url: str,
    login_url: str | None,
    flow: str,
    client_id: str,
    username: str,
    secret_file: Any,
    time_zone: str,
    fallback_owner: str | None,
    statuses: str | None,
    playbook: Any,
    as_json: bool,
) -> None:
    """
    Connect an org, and print the address for its outbound message.

    The address is a secret; it is shown once. Where signed events go, `sidecar
    secrets new` says.

    Example: sidecar connections add acme --org-id 00D... --client-id 3MVG9...
    --instance-url https://acme.my.salesforce.com --username integration@acme.example
    --secret-file jwt.key
    """
    if not is_id(org_id) or not org_id.startswith("00D"):
        raise click.UsageError(f"--org-id {org_id!r} is no org id (00D..., 15 or 18)")
    if not name.strip() or not name.isprintable():
        raise click.UsageError("NAME is empty, or has characters that do not print")
    if fallback_owner and not (is_id(fallback_owner) and fallback_owner[:3] == "005"):
        raise click.UsageError(f"--fallback-owner {fallback_owner!r} is no user's id")
    text = _text(playbook) if playbook else None
    if text is not None:
        found = playbooks.read(text, templates=wiring.templates)
        if found.channels:
            raise click.UsageError(
                "--playbook posts to channels, and a new connection has none: add it "
                "without, then `sidecar channels add` and `sidecar playbooks set`"
            )
    demo_mode = wiring.settings.demo
    # It stands in for a login URL that was not given: a slip in it is its own.
    instance = _host("--instance-url", instance_url, demo=demo_mode)
    hook_key = keyring.new_hook_key()
    new = connections_store.NewConnection(
        name=name,
        org_id=to_18(org_id),
        hook_key=hook_key,
        flow=flow,
        login_url=_host("--login-url", login_url or instance, demo=demo_mode),
        instance_url=instance,
        client_id=client_id,
        username=username,
        secret=_for_flow(flow, username, _secret(secret_file)),
        time_zone=_zone(time_zone),
        fallback_owner_id=to_18(fallback_owner) if fallback_owner else None,
        status_map=_statuses(statuses),
        playbook=text,
    )
    with wiring.engine.begin() as opened:
        if name in {known.name for known in connections_store.listing(opened)}:
            raise click.UsageError(f"there is a connection {name!r} already")
        id_ = connections_store.add(opened, new, keyring=wiring.keyring)
    note(wiring, "connections.add", f"connection {id_}", org=new.org_id, flow=flow)
    address = door.address(wiring.settings.public_url, hook_key)
    if as_json:
        show_json({"id": id_, "org_id": new.org_id, "hook_url": address})
        return
    click.echo(f"connection {id_} ({name}) to org {new.org_id}")
    click.echo(f"endpoint of the outbound message: {address}")
    click.echo("Keep it: it is shown this once.")


@connections.command("list")
@json_option
@wired
def connections_list(wiring: Wiring, as_json: bool) -> None:
    """List the connections."""
    with wiring.engine.connect() as opened:
        known = connections_store.listing(opened)
        old = connections_store.old_addresses(opened)
    rows = [
        {
            "id": item.id,
            "name": item.name,
            "org": item.org_id,
            "flow": item.flow,
            "instance": item.instance_url,
            "paused": item.paused_until,
            "why": item.pause_reason if item.paused_until else None,
            "old address": _old_address(old, item.id),
        }
        for item in known
    ]
    show(rows, as_json, "no connections; `sidecar connections add` makes one")


def _old_address(old: Mapping[int, datetime | None], id_: int) -> str | None:
    if id_ not in old:
        return None
    used = old[id_]
    return f"used last {used:%Y-%m-%d %H:%M}Z" if used else "not used since"


@connections.command("authorize")
@click.argument("name")
@click.option("--login-url", required=True, help="The org's My Domain.")
@click.option("--client-id", required=True, help="The app's consumer key.")
@click.option(
    "--client-secret-file", type=click.File(), help="Where the app wants its secret."
)
@click.option("--org-id", help="00D...; to be sure that it is this org.")
@wired
def connections_authorize(
    wiring: Wiring,
    name: str,
    login_url: str,
    client_id: str,
    client_secret_file: Any,
    org_id: str | None,
) -> None:
    """
    Connect an org in the browser: prints a link for its admin.

    Renews the login where there is a connection of this name. The app's callback URL
    must be ours, to the letter; it is printed, too.

    Example: sidecar connections authorize acme --client-id 3MVG9...
    --login-url https://acme.my.salesforce.com
    """
    if org_id is not None and not (is_id(org_id) and org_id.startswith("00D")):
        raise click.UsageError(f"--org-id {org_id!r} is no org id (00D..., 15 or 18)")
    with wiring.engine.connect() as opened:
        known = {item.name: item for item in connections_store.listing(opened)}
    existing = known.get(name)
    link = authorize.begin(
        wiring,
        name=name,
        login_url=login_url,
        client_id=client_id,
        client_secret=_secret(client_secret_file) if client_secret_file else "",
        org_id=existing.org_id if existing else to_18(org_id) if org_id else "",
        connection_id=existing.id if existing else None,
    )
    note(wiring, "connections.authorize", name, login_url=login_url)
    click.echo(f"callback URL in the app: {authorize.redirect_uri(wiring.settings)}")
    click.echo(f"open within 15 minutes:  {link}")


@connections.command("test")
@click.argument("connection_id", metavar="CONNECTION", type=CONNECTION)
@json_option
@wired
def connections_test(wiring: Wiring, connection_id: int, as_json: bool) -> None:
    """Log in anew and look at everything the work needs; exits with 1 on a fault."""
    steps = list(wiring.try_out(connection_id))
    show([step._asdict() for step in steps], as_json, "")
    if not all(step.well for step in steps):
        sys.exit(1)


@connections.command("fields")
@click.argument("connection_id", metavar="CONNECTION", type=CONNECTION)
@click.argument("wsdl", type=click.File("rb"))
@wired
def connections_fields(wiring: Wiring, connection_id: int, wsdl: Any) -> None:
    """
    Learn from a listener WSDL which fields the outbound message sends.

    Salesforce leaves out what is empty. With its WSDL (Setup, Outbound Messages,
    "Click for WSDL") a field that was cleared can be told from one never sent.
    """
    object_type, types = listener_wsdl.read(wsdl.read())
    with wiring.engine.begin() as opened:
        if connections_store.find(opened, connection_id) is None:
            raise click.UsageError(f"there is no connection {connection_id}")
        connections_store.set_field_list(
            opened, connection_id, object_type, list(types)
        )
    note(wiring, "connections.fields", f"connection {connection_id}", of=object_type)
    click.echo(f"{object_type}: {', '.join(types)}")


def _text(file: Any) -> str:
    try:
        return str(file.read())
    except UnicodeDecodeError as exc:
        raise click.UsageError(f"{file.name} is no text: {exc}") from exc


def _secret(file: Any) -> str:
    """Read a secret; whatever is wrong with it, it is not repeated."""
    secret = _text(file).strip()
    if not secret:
        raise click.UsageError("--secret-file is empty")
    return secret


def _for_flow(flow: str, username: str, secret: str) -> str:
    """Refuse at once what no login could work with."""
    if flow != "jwt":
        return secret
    if not username:
        raise click.UsageError("--username is needed: as whom the key logs in")
    try:
        key = load_pem_private_key(secret.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise click.UsageError(
            "--secret-file holds no private key in PEM without a password"
        ) from exc
    if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
        raise click.UsageError("--secret-file: Salesforce takes RSA keys, 2048 bits up")
    return secret


def _host(option: str, url: str, *, demo: bool) -> str:
    try:
        return checked(url, demo=demo)
    except Permanent as exc:
        raise click.UsageError(f"{option}: {exc}") from exc


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise click.UsageError(f"--time-zone {name!r} is not known") from exc
    return name


def _statuses(text: str | None) -> Mapping[str, str] | None:
    if text is None:
        return None
    try:
        given = json.loads(text)
        if not isinstance(given, dict):
            raise ValueError("it is no object")
        return {str(status): Milestone(value) for status, value in given.items()}
    except ValueError as exc:
        known = ", ".join(Milestone)
        raise click.UsageError(
            f"--statuses takes an object of status to milestone ({known}): {exc}"
        ) from exc
