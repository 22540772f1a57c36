"""Where the playbook's chat messages go."""

import re
from typing import TextIO

import click

from sidecar.chat.hosts import Kind, checked
from sidecar.cli.frame import CONNECTION, json_option, note_within, show, wired
from sidecar.errors import Permanent
from sidecar.jobs import chat_posts, foresight
from sidecar.mail.languages import LANGUAGES
from sidecar.playbooks.read import NAME
from sidecar.store import channels as channels_store
from sidecar.store.channels import Channel
from sidecar.wiring import Wiring

_CONNECTION = click.argument("connection_id", metavar="CONNECTION", type=CONNECTION)


@click.group()
def channels() -> None:
    """Where the playbook's chat messages go."""


@channels.command("add")
@_CONNECTION
@click.argument("name")
@click.option("--kind", type=click.Choice([str(kind) for kind in Kind]), required=True)
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default=LANGUAGES[0],
    show_default=True,
    help="Of the words beside the playbook's own.",
)
@click.option(
    "--url-file",
    type=click.File(encoding="utf-8"),
    required=True,
    help="Holds the webhook's address, a secret; - for standard input.",
)
@wired
def channels_add(
    wiring: Wiring,
    connection_id: int,
    name: str,
    kind: str,
    language: str,
    url_file: TextIO,
) -> None:
    """
    Let a playbook post to a channel by this name.

    Slack: an app's incoming webhook. Teams: a workflow made from "Post to a channel
    when a webhook request is received".

    Example: sidecar channels add 1 sales --kind slack --url-file webhook.txt
    """
    if not re.fullmatch(NAME, name):
        raise click.UsageError(f"NAME {name!r}: use small letters, digits and hyphens")
    try:
        url = url_file.read(10_000).strip()
    except UnicodeDecodeError as exc:
        raise Permanent(f"--url-file {url_file.name} holds no address") from exc
    checked(Kind(kind), url, demo=wiring.settings.demo)
    new = Channel(connection_id, name, kind, language, url)
    with wiring.engine.begin() as db:
        foresight.connection_of(db, connection_id)
        if not channels_store.add(db, new, now=wiring.now(), keyring=wiring.keyring):
            raise click.UsageError(
                f"connection {connection_id} has a channel {name!r}: "
                f"`sidecar channels remove {connection_id} {name}` first"
            )
        note_within(
            db, wiring, "channels.add", f"connection {connection_id}", channel=name
        )
    click.echo(f"channel {name}; `sidecar channels test {connection_id} {name}` posts")


@channels.command("list")
@click.argument(
    "connection_id", metavar="[CONNECTION]", type=CONNECTION, required=False
)
@json_option
@wired
def channels_list(wiring: Wiring, connection_id: int | None, as_json: bool) -> None:
    """List channels, without their addresses."""
    with wiring.engine.connect() as db:
        rows = channels_store.listing(db, connection_id)
    show(rows, as_json, "no channels; `sidecar channels add` adds one")


@channels.command("remove")
@_CONNECTION
@click.argument("name")
@wired
def channels_remove(wiring: Wiring, connection_id: int, name: str) -> None:
    """Remove a channel to which the playbook posts no longer."""
    with wiring.engine.begin() as db:
        connection = foresight.connection_of(db, connection_id)
        playbook = wiring.playbook_of(connection)
        if name in playbook.channels:
            raise Permanent(
                f"playbook {playbook.version} posts to {name!r}: set another first "
                f"(`sidecar playbooks set {connection_id} FILE`)"
            )
        if not channels_store.remove(db, connection_id, name):
            raise _unknown(connection_id, name)
        note_within(
            db, wiring, "channels.remove", f"connection {connection_id}", channel=name
        )
    click.echo(f"channel {name} is removed")


@channels.command("test")
@_CONNECTION
@click.argument("name")
@wired
def channels_test(wiring: Wiring, connection_id: int, name: str) -> None:
    """Post one line to a channel, and say what it answered."""
    with wiring.engine.connect() as db:
        known = channels_store.of_connection(db, connection_id, keyring=wiring.keyring)
    if (channel := known.get(name)) is None:
        raise _unknown(connection_id, name)
    click.echo(
        wiring.webhooks.send(channel.kind, channel.url, chat_posts.trial(channel))
    )


def _unknown(connection_id: int, name: str) -> Permanent:
    return Permanent(f"connection {connection_id} has no channel {name!r}")
