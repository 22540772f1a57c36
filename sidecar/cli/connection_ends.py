"""A connection's address changed, and a connection taken away."""

from datetime import timedelta
from typing import Any

import click

from sidecar import keyring
from sidecar.cli.frame import (
    connection_id_of,
    fail,
    json_option,
    note,
    note_within,
    show,
    show_json,
    wired,
)
from sidecar.intake import door, webhook
from sidecar.store import (
    authorizations,
    connections,
    deployments,
    installed,
    removal,
)
from sidecar.wiring import Wiring

_connection = click.argument("connection", metavar="CONNECTION")
_LONG = timedelta(days=3650)

_STAYS = (
    "What stays: the audit trail, with the numbers; digests of who was erased, so that "
    "nothing brings them back; addresses that take no mail; what is in Salesforce."
)


@click.command("new-address")
@_connection
@json_option
@wired
def new_address(wiring: Wiring, connection: str, as_json: bool) -> None:
    """
    Give a connection new hook addresses; the old ones are taken as well for now.

    The installer writes the new ones into the org. `sidecar connections list` shows
    when an old one was used last, and `end-address` ends it.
    """
    id_ = connection_id_of(wiring, connection)
    hook_key = keyring.new_hook_key()
    with wiring.engine.begin() as db:
        if not connections.readdress(db, id_, hook_key, keyring=wiring.keyring):
            raise click.UsageError(
                f"an old address of {connection} is taken still: end it first, with "
                f"`sidecar connections end-address {connection}`"
            )
        note_within(db, wiring, "connections.new_address", f"connection {id_}")
    public_url = wiring.settings.public_url
    told = {
        "id": id_,
        "hook_url": door.address(public_url, hook_key),
        "events_url": webhook.address(public_url, hook_key),
    }
    if as_json:
        show_json(told)
        return
    click.echo(f"endpoint of the outbound message: {told['hook_url']}")
    click.echo(f"address for signed events: {told['events_url']}")
    click.echo("Keep them: they are shown this once.")
    click.echo(f"`sidecar package install {connection}` writes them into the org.")


@click.command("end-address")
@_connection
@click.option("--yes", is_flag=True, help="Do not ask.")
@wired
def end_address(wiring: Wiring, connection: str, yes: bool) -> None:
    """
    Take a connection's old address no longer; within ten seconds no door does.

    The org has to send to the new one by then: `sidecar package install` writes it.

    Example: sidecar connections end-address acme
    """
    id_ = connection_id_of(wiring, connection)
    with wiring.engine.connect() as db:
        known = connections.old_addresses(db)
    if id_ not in known:
        raise click.UsageError(f"{connection} has no old address")
    used = known[id_]
    last = f"{used:%Y-%m-%d %H:%M}Z" if used else "never since it was replaced"
    if not yes:
        click.echo(
            f"The old address was used last: {last}. What the org sends there after "
            "its end is lost; Salesforce repeats for a day what it has in its queue."
        )
        click.confirm("Does the org send to the new address?", abort=True)
    with wiring.engine.begin() as db:
        if not connections.end_old_address(db, id_):
            raise click.UsageError(f"{connection} has no old address")
        note_within(db, wiring, "connections.end_address", f"connection {id_}")
    click.echo(f"the old address of {connection} is taken no longer; used last: {last}")


@click.command("remove")
@_connection
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@wired
def remove(wiring: Wiring, connection: str, yes: bool, as_json: bool) -> None:
    """
    Remove a connection and all that is kept because of it, people's data too.

    Its address works no longer, what waits is not done any more, and its token is
    revoked in the org. Interrupted, it may be given again.

    Example: sidecar connections remove acme --yes
    """
    id_ = connection_id_of(wiring, connection)
    with wiring.engine.connect() as db:
        goes = removal.contents(db, id_)
        warning = _in_the_org(db, id_, connection)
    if not yes:
        if as_json:
            raise click.UsageError("--json takes --yes: nobody can be asked")
        show([{"goes": what, "rows": rows} for what, rows in goes.items()], False, "")
        click.echo(_STAYS)
        if warning:
            click.echo(warning)
        click.confirm(f"Remove {connection} for good?", abort=True)
    with wiring.engine.begin() as db:
        removal.close(db, id_, until=wiring.now() + _LONG)
    note(wiring, "connections.close", f"connection {id_}")
    revoked = wiring.sign_out(id_)
    numbers = _removed(wiring, id_, connection, revoked)
    if as_json:
        show_json({"id": id_, "revoked": revoked is None, **numbers})
    else:
        click.echo(f"connection {id_} ({connection}) is removed")
    for told in (revoked, warning):
        if told:
            click.secho(told, fg="yellow", err=True)


def _in_the_org(db: Any, id_: int, connection: str) -> str:
    """Say what goes on in the org; refuse while a deployment is under way."""
    for newest in deployments.listing(db, connection_id=id_, limit=1):
        if newest.state in {"waiting", "sending", "asking"}:
            fail(
                f"deployment {newest.id} is under way: wait for it, or "
                f"`sidecar package cancel {newest.id}`",
                1,
            )
    modules = installed.modules(db, id_)
    if not modules:
        return ""
    return (
        f"In the org there still is: {', '.join(modules)}. It goes on sending to "
        "an address that nobody has, and repeats each message for 24 hours: "
        f"`sidecar package uninstall {connection}` first, or deactivate the flows"
    )


def _removed(
    wiring: Wiring, id_: int, connection: str, revoked: str | None
) -> dict[str, Any]:
    events = removal.remove_events(wiring.engine, id_)
    with wiring.engine.begin() as db:
        authorizations.forget(db, id_, keyring=wiring.keyring)
        numbers = removal.remove(db, id_)
        numbers["rows"]["event"] = events + numbers["rows"].get("event", 0)
        note_within(
            db,
            wiring,
            "connections.remove",
            f"connection {id_}",
            name=connection,
            revoked=revoked is None,
            **numbers,
        )
    return numbers
