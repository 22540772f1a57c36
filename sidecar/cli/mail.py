"""What is mailed: looked at, never sent; and to which addresses nothing is."""

import sys
from pathlib import Path

import click

from sidecar.cli.frame import fail, json_option, note, note_within, show, wired
from sidecar.errors import Permanent
from sidecar.jobs import letter_preview
from sidecar.mail import chromium, examples, preview
from sidecar.mail.languages import LANGUAGES
from sidecar.mail.render import Rendered
from sidecar.salesforce.ids import is_id, to_18
from sidecar.store import mail_preferences
from sidecar.wiring import Wiring

_LANGUAGE = click.option(
    "--language", type=click.Choice(LANGUAGES), default="en", show_default=True
)


@click.group()
def mail() -> None:
    """What is mailed, and to whom nothing is."""


@mail.command("templates")
@_LANGUAGE
@json_option
@wired
def mail_templates(_wiring: Wiring, language: str, as_json: bool) -> None:
    """List the mails that there are, each with the subject of an example."""
    rows = [
        {
            "template": name,
            "subject": examples.letter(name, language=language).subject,
        }
        for name in examples.letters()
    ]
    show(rows, as_json, "no templates")


@mail.command("preview")
@click.argument("template")
@click.option("--record", help="The record's id, or the referral's key.")
@_LANGUAGE
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("mail-preview"),
    show_default=True,
    help="The folder to write into.",
)
@click.option(
    "--chromium",
    "program",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The program that draws; else the one on the PATH.",
)
@wired
def mail_preview(
    wiring: Wiring,
    template: str,
    record: str | None,
    language: str,
    folder: Path,
    program: Path | None,
) -> None:
    """
    Write a mail as HTML, text and pictures; nothing is sent, and its links are dead.

    Without a record it tells of people who do not exist. Pictures are drawn by a
    Chromium, where this machine has one: 600 and 360 pixels wide, light and dark.

    Example: sidecar mail preview new_referral --record 00Q000000000001EAA
    """
    rendered = (
        examples.letter(
            template, language=language, public_url=wiring.settings.public_url
        )
        if record is None
        else _real(wiring, template, record, language)
    )
    name = f"{template.replace('/', '-')}.{language}"
    for path in preview.write(rendered, folder, name):
        click.echo(path)
    program = program or chromium.find()
    if program is None:
        click.echo(
            "no pictures: there is no Chromium on the PATH, and --chromium names none"
        )
        return
    try:
        with chromium.sheet(program) as sheet:
            for path in preview.draw(rendered, folder, name, sheet):
                click.echo(path)
    except Permanent as exc:
        fail(f"no pictures: {exc}", 1)


def _real(wiring: Wiring, template: str, record: str, language: str) -> Rendered:
    rendered = letter_preview.of_record(
        to_18(record) if is_id(record) else record,
        template,
        language=language,
        engine=wiring.engine,
        keyring=wiring.keyring,
        public_url=wiring.settings.public_url,
    )
    # Somebody's data goes into files.
    note(wiring, "mail.preview", record, template=template)
    return rendered


@mail.command("suppressed")
@json_option
@wired
def mail_suppressed(wiring: Wiring, as_json: bool) -> None:
    """List the addresses to which nothing is sent, and why."""
    with wiring.engine.connect() as opened:
        found = mail_preferences.listing(opened, keyring=wiring.keyring)
    rows = [
        {"address": known.address, "since": known.since, "reason": known.reason}
        for known in found
    ]
    show(rows, as_json, "mails go to every address")


@mail.command("suppress")
@click.argument("address")
@click.option("--reason", default="by hand", show_default=True)
@wired
def mail_suppress(wiring: Wiring, address: str, reason: str) -> None:
    """
    Send nothing to an address any more; - reads it from standard input.

    Example: sidecar mail suppress rita.rep@example.com --reason "has left"
    """
    wanted = _address(address)
    with wiring.engine.begin() as opened:
        new = mail_preferences.suppress(
            opened, wanted, reason=reason, now=wiring.now(), keyring=wiring.keyring
        )
        if new:
            # The audit trail names nobody: whose address it is stands in the list.
            note_within(opened, wiring, "mail.suppress", "an address", reason=reason)
    click.echo("nothing is sent to it" if new else "nothing was sent to it before")


@mail.command("unsuppress")
@click.argument("address")
@wired
def mail_unsuppress(wiring: Wiring, address: str) -> None:
    """
    Send to an address again; - reads it from standard input.

    What was not sent meanwhile is not sent now. Exits with 1 where nothing was in the
    way.
    """
    wanted = _address(address)
    with wiring.engine.begin() as opened:
        found = mail_preferences.unsuppress(opened, wanted, keyring=wiring.keyring)
        if found:
            note_within(opened, wiring, "mail.unsuppress", "an address")
    click.echo("mails go to it again" if found else "mails were going to it")
    sys.exit(0 if found else 1)


def _address(given: str) -> str:
    """Read an address; it stands in no shell's history when it comes by the pipe."""
    address = sys.stdin.readline().strip() if given == "-" else given.strip()
    local, _, domain = address.rpartition("@")
    if not local or not domain or not address.isprintable() or len(address) > 320:
        raise click.UsageError(
            f"ADDRESS is {address!r}; it takes one like rita.rep@example.com"
        )
    return address
