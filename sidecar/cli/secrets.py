"""What a connection accepts, at its events door and its canvas page."""

import re
import time
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import click

from sidecar.cli import sender
from sidecar.cli.frame import (
    CONNECTION,
    ID,
    json_option,
    note,
    only,
    show,
    wired,
)
from sidecar.cli.wishes import given_token, token_option
from sidecar.errors import Permanent
from sidecar.intake.signatures.issue import Issued, issue
from sidecar.intake.signatures.token import KEY_HEADER
from sidecar.salesforce import certificates
from sidecar.store import connections, webhook_secrets
from sidecar.store.deployments import Admin
from sidecar.store.webhook_secrets import Kind, NewSecret
from sidecar.wiring import Wiring

_SHOWN = (
    "id",
    "connection_id",
    "kind",
    "name",
    "header",
    "state",
    "created_at",
    "last_used_at",
    "retires_at",
    "not_after",
)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


_from_org_option = click.option(
    "--from-org",
    metavar="NAME",
    help="The org's certificate of this unique name, read from the org as an admin.",
)


@click.group()
def secrets() -> None:
    """What a connection accepts, at its events door and its canvas page."""


@secrets.command("new")
@click.argument("connection_id", metavar="CONNECTION", type=CONNECTION)
@click.option(
    "--kind",
    type=click.Choice([str(kind) for kind in Kind]),
    required=True,
    help="The scheme that it admits.",
)
@click.option("--name", default="", help="What it is for.")
@click.option(
    "--header", help=f"Where an api-key stands; {KEY_HEADER} unless it is said here."
)
@click.option(
    "--from-file",
    type=click.File("rb"),
    help="The org's certificate, the sender's own whsec_ or whpk_, or the canvas app's "
    "consumer secret; - for standard input.",
)
@_from_org_option
@token_option
@json_option
@wired
def secrets_new(
    wiring: Wiring,
    connection_id: int,
    kind: str,
    name: str,
    header: str | None,
    from_file: Any,
    from_org: str | None,
    token_file: Any,
    as_json: bool,
) -> None:
    """
    Add a secret, and print what its sender needs: it is shown once.

    Example: sidecar secrets new 1 --kind org-certificate --from-org Referral_Signing
    --admin-token-file admin.token
    """
    _check(name, header, Kind(kind))
    given = _Given(from_file, from_org, token_file)
    issued = _issued(wiring, connection_id, Kind(kind), given)
    new = NewSecret(
        connection_id,
        Kind(kind),
        issued.value,
        name=name,
        header=header.lower() if header else None,
        not_after=issued.not_after,
    )
    with wiring.engine.begin() as opened:
        if connections.find(opened, connection_id) is None:
            raise click.UsageError(f"there is no connection {connection_id}")
        id_ = webhook_secrets.add(opened, new, now=wiring.now(), keyring=wiring.keyring)
    note(wiring, "secrets.new", f"{kind} {id_} of connection {connection_id}")
    sender.tell(wiring, id_, new, issued, as_json=as_json)


@secrets.command("list")
@click.argument(
    "connection_id", metavar="[CONNECTION]", type=CONNECTION, required=False
)
@json_option
@wired
def secrets_list(wiring: Wiring, connection_id: int | None, as_json: bool) -> None:
    """List secrets, when each was used last, and when it ends."""
    now = wiring.now()
    with wiring.engine.connect() as opened:
        rows = webhook_secrets.listing(opened, connection_id=connection_id)
        seen = webhook_secrets.certificates(opened)
    told = [
        only(
            _SHOWN,
            row
            | {
                "header": sender.header(row["kind"], row["header"]),
                "state": _state(row, now),
            },
        )
        for row in rows
    ]
    told += [
        dict.fromkeys(_SHOWN)
        | {
            "connection_id": row["connection_id"],
            "kind": "client-certificate",
            "name": row["subject"],
            "state": "seen last",
            "created_at": row["first_seen_at"],
            "last_used_at": row["last_seen_at"],
            "not_after": row["not_after"],
        }
        for row in seen
        if connection_id in (None, row["connection_id"])
    ]
    show(told, as_json, "no secrets; `sidecar secrets new` makes one")


@secrets.command("rotate")
@click.argument("secret_id", type=ID)
@click.option(
    "--overlap",
    default="24h",
    show_default=True,
    help="For how long the old one is taken as well: 30m, 24h, 7d.",
)
@click.option(
    "--from-file", type=click.File("rb"), help="As with `sidecar secrets new`."
)
@_from_org_option
@token_option
@json_option
@wired
def secrets_rotate(
    wiring: Wiring,
    secret_id: int,
    overlap: str,
    from_file: Any,
    from_org: str | None,
    token_file: Any,
    as_json: bool,
) -> None:
    """
    Put a new secret beside an old one, which ends after a while.

    `sidecar secrets list` shows whether the old one is still used.

    Example: sidecar secrets rotate 7 --overlap 7d
    """
    now = wiring.now()
    ends = now + _duration(overlap)
    with wiring.engine.connect() as opened:
        old = webhook_secrets.find(opened, secret_id, keyring=wiring.keyring)
    if old is None:
        raise click.UsageError(f"there is no secret {secret_id}")
    if old.retires_at is not None:
        raise click.UsageError(f"secret {secret_id} was rotated or retired before")
    given = _Given(from_file, from_org, token_file)
    issued = _issued(wiring, old.connection_id, old.kind, given)
    if issued.value == old.value:
        raise click.UsageError(f"secret {secret_id} is this one already")
    new = NewSecret(
        old.connection_id,
        old.kind,
        issued.value,
        name=old.name,
        header=old.header,
        not_after=issued.not_after,
    )
    with wiring.engine.begin() as opened:
        id_ = webhook_secrets.add(opened, new, now=now, keyring=wiring.keyring)
        webhook_secrets.retire(opened, secret_id, at=ends)
    note(wiring, "secrets.rotate", f"{secret_id} -> {id_}, overlap {overlap}")
    sender.tell(wiring, id_, new, issued, as_json=as_json)
    if not as_json:
        click.echo(f"secret {secret_id} is taken until {ends:%Y-%m-%d %H:%M}Z")


@secrets.command("retire")
@click.argument("secret_id", type=ID)
@wired
def secrets_retire(wiring: Wiring, secret_id: int) -> None:
    """Let a secret end now; within ten seconds no door takes it any more."""
    with wiring.engine.begin() as opened:
        if not webhook_secrets.retire(opened, secret_id, at=wiring.now()):
            raise click.UsageError(
                f"there is no secret {secret_id} that is still taken"
            )
    note(wiring, "secrets.retire", str(secret_id))
    click.echo(f"secret {secret_id} is taken no longer")


class _Given(NamedTuple):
    """Where a secret that somebody else has made comes from."""

    file: Any
    org_name: str | None
    token_file: Any


def _issued(wiring: Wiring, connection_id: int, kind: Kind, given: _Given) -> Issued:
    """Make a secret, or take what is given: from a file, or from the org itself."""
    content = given.file.read() if given.file else None
    if given.org_name is not None:
        if kind is not Kind.ORG_CERTIFICATE:
            raise click.UsageError("--from-org is for the kind org-certificate alone")
        if content is not None:
            raise click.UsageError("--from-org and --from-file: one of them")
        content = _from_org(wiring, connection_id, given.org_name, given.token_file)
    issued = issue(kind, content)
    if issued.not_after is not None and issued.not_after <= wiring.now():
        raise Permanent(
            f"the certificate ended on {issued.not_after:%Y-%m-%d}: nothing that it "
            "signs is taken. Create a new one in Setup, Certificate and Key Management"
        )
    return issued


def _from_org(wiring: Wiring, connection_id: int, name: str, token_file: Any) -> bytes:
    """Read the org's certificate as its admin, for this once."""
    if not re.fullmatch(r"[A-Za-z]\w{0,79}", name, re.ASCII):
        raise click.UsageError(
            f"--from-org {name!r} is no unique name of a certificate"
        )
    with wiring.engine.connect() as opened:
        known = connections.find(opened, connection_id)
    if known is None:
        raise click.UsageError(f"there is no connection {connection_id}")
    token = given_token(wiring, token_file)
    if not token:
        raise click.UsageError(
            "--from-org takes an admin's access token: --admin-token-file, or "
            "SIDECAR_ADMIN_TOKEN. The integration user may not read certificates"
        )
    caller = wiring.as_admin(Admin(known.instance_url, token))
    return certificates.read(caller, name, wait=time.sleep)


def _check(name: str, header: str | None, kind: Kind) -> None:
    if not name.isprintable() or len(name) > 200:
        raise click.UsageError("--name is too long, or does not print")
    if header is None:
        return
    if kind is not Kind.API_KEY:
        raise click.UsageError("--header is for the kind api-key alone")
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", header):
        raise click.UsageError(f"--header {header!r} is no name of a header")


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,4})([mhd])", text)
    if found is None:
        raise click.UsageError(f"--overlap {text!r} is no time: 30m, 24h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _state(row: dict[str, Any], now: datetime) -> str:
    ends = row["retires_at"]
    if ends is not None:
        return "retired" if ends <= now else "being replaced"
    return "expired" if row["not_after"] and row["not_after"] <= now else "taken"
