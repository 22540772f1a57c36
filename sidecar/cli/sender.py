"""What a secret's sender is told: what to keep, where to send, and in which headers."""

import click

from sidecar.cli.frame import show_json
from sidecar.console import canvas
from sidecar.intake import webhook
from sidecar.intake.signatures import org_certificate, standard_webhooks, token
from sidecar.intake.signatures.issue import Issued
from sidecar.store import connections
from sidecar.store.webhook_secrets import Kind, NewSecret
from sidecar.wiring import Wiring

_SIGNED = ", ".join(
    (standard_webhooks.ID, standard_webhooks.TIMESTAMP, standard_webhooks.SIGNATURE)
)
_HEADERS = {
    Kind.STANDARD_WEBHOOKS: f"{_SIGNED}: v1,... (HMAC-SHA256)",
    Kind.STANDARD_WEBHOOKS_ED25519: f"{_SIGNED}: v1a,... (Ed25519)",
    Kind.ORG_CERTIFICATE: f"{org_certificate.TIMESTAMP}, {org_certificate.SIGNATURE} "
    "(RSA with SHA-256 over <timestamp>.<body>)",
    Kind.BEARER: "Authorization: Bearer <the token>",
}


def tell(
    wiring: Wiring, id_: int, new: NewSecret, issued: Issued, *, as_json: bool
) -> None:
    """Print what the sender of a new secret needs."""
    address, headers = _address(wiring, new), _headers(new)
    if as_json:
        told = {"id": id_, "kind": new.kind, "secret": issued.shown}
        show_json(told | {"address": address, "headers": headers})
        return
    click.echo(f"secret {id_} ({new.kind}) of connection {new.connection_id}")
    if issued.not_after is not None:
        click.echo(f"the certificate ends on {issued.not_after:%Y-%m-%d}")
    if new.kind is Kind.CANVAS:
        click.echo(f"the canvas app's address: {address}")
    else:
        unknown = "`sidecar connections new-address` makes one that can be shown"
        click.echo(f"it sends to: {address or unknown}")
        click.echo(f"in the headers: {headers}")
    if issued.shown is not None:
        click.echo(f"for the sender: {issued.shown}")
        click.echo("Keep it: it is shown this once.")


def header(kind: str, given: str | None) -> str | None:
    """Name the header in which a key stands; None for what is no key."""
    return (given or token.KEY_HEADER) if kind == Kind.API_KEY else None


def _headers(new: NewSecret) -> str | None:
    if new.kind is Kind.API_KEY:
        return f"{header(new.kind, new.header)}: <the key>"
    return _HEADERS.get(new.kind)


def _address(wiring: Wiring, new: NewSecret) -> str | None:
    """Where it goes; None where only the hash of an old connection's key is kept."""
    if new.kind is Kind.CANVAS:
        return canvas.address(wiring.settings.public_url, new.connection_id)
    with wiring.engine.connect() as db:
        key = connections.hook_key(db, new.connection_id, keyring=wiring.keyring)
    return webhook.address(wiring.settings.public_url, key) if key else None
