"""What is known of a person, and its end."""

import sys
from collections.abc import Callable
from typing import Any

import click

from sidecar.cli.frame import fail, json_option, note_within, show, show_json, wired
from sidecar.salesforce.ids import is_id, to_18
from sidecar.store import connections, disclosure, erasure, mentions, persons
from sidecar.store.erasure import Found
from sidecar.store.persons import EMAIL, RECORD, Trait
from sidecar.wiring import Wiring

Command = Callable[..., Any]


@click.group()
def privacy() -> None:
    """What is known of a person, and its end."""


def _somebody(command: Command) -> Command:
    """Take who it is about."""
    for option in (
        click.option("--org-id", help="00D...; all connected orgs by default."),
        click.option("--record", "records", multiple=True, help="Id of a record."),
        click.option(
            "--email",
            "emails",
            multiple=True,
            help="Address; - reads addresses from standard input, one a line.",
        ),
    ):
        command = option(command)
    return command


@privacy.command("export")
@_somebody
@wired
def privacy_export(
    wiring: Wiring,
    emails: tuple[str, ...],
    records: tuple[str, ...],
    org_id: str | None,
) -> None:
    """
    Print all that is kept of a person, as JSON in plain words.

    Example: sidecar privacy export --email ada@example.com
    """
    told = []
    with wiring.engine.begin() as db:
        digest = persons.digester(db, wiring.keyring)
        traits = _traits(digest, emails, records)
        everyone = [erasure.find(db, org, traits) for org in _orgs(db, org_id)]
        for found in everyone:
            told.append(disclosure.known(db, found, keyring=wiring.keyring))
            _note(db, wiring, "privacy.export", found)
    for found, part in zip(everyone, told, strict=True):
        part |= disclosure.received(
            wiring.engine, found, digest=digest, keyring=wiring.keyring
        )
    show_json(told)


@privacy.command("erase")
@_somebody
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@wired
def privacy_erase(
    wiring: Wiring,
    emails: tuple[str, ...],
    records: tuple[str, ...],
    org_id: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """
    Erase a person for good; numbers stay, and nothing brings the person back.

    Whoever shares an address with them is erased with them: look at what it shows
    before you say yes. What is in Salesforce, and mail that was sent, is not ours to
    erase. Interrupted, it may be given again.

    Example: sidecar privacy erase --email ada@example.com
    """
    with wiring.engine.begin() as db:
        digest = persons.digester(db, wiring.keyring)
        traits = _traits(digest, emails, records)
        everyone = [erasure.find(db, org, traits) for org in _orgs(db, org_id)]
    if not yes:
        if as_json:
            raise click.UsageError("--json takes --yes: nobody can be asked")
        show([_row(found) for found in everyone], False, "")
        click.confirm("Erase this for good?", abort=True)
    rows = []
    for org in (found.org_id for found in everyone):
        with wiring.engine.begin() as db:
            erased = erasure.erase(
                db, org, traits, now=wiring.now(), keyring=wiring.keyring
            )
            _note(db, wiring, "privacy.erase", erased)
        rows.append(_row(erased) | {"messages": _take_out(wiring, erased, digest)})
    show(rows, as_json, "")
    if any(row["being done"] for row in rows) and not as_json:
        click.echo("what was being done when it was cancelled may have been done")
    if rows and not as_json:
        click.echo(
            "Salesforce keeps its records and tasks: erase the person there, too"
        )


@privacy.command("purge")
@json_option
@wired
def privacy_purge(wiring: Wiring, as_json: bool) -> None:
    """End what has been kept long enough; the clock does it once a day."""
    done = wiring.purge(who="command line")
    show(
        [{"what": what, "ended": number} for what, number in done.items()], as_json, ""
    )


def _take_out(wiring: Wiring, erased: Found, digest: persons.Digest) -> int:
    return mentions.take_out(
        wiring.engine,
        erased.org_id,
        erased.traits,
        now=wiring.now(),
        digest=digest,
        keyring=wiring.keyring,
    )


def _traits(
    digest: persons.Digest, emails: tuple[str, ...], records: tuple[str, ...]
) -> list[Trait]:
    """Nobody's address is repeated in what we say of it."""
    given = [
        line.strip()
        for email in emails
        for line in (sys.stdin if email == "-" else [email])
        if line.strip()
    ]
    if not given and not records:
        raise click.UsageError("whom? give --email or --record")
    if not all("@" in email for email in given):
        raise click.UsageError("--email takes addresses")
    if not all(is_id(record) for record in records):
        raise click.UsageError("--record takes record ids (15 or 18 characters)")
    addresses = [digest(EMAIL, email) for email in given]
    return addresses + [digest(RECORD, to_18(record)) for record in records]


def _orgs(db: Any, org_id: str | None) -> list[str]:
    known = sorted({item.org_id for item in connections.listing(db)})
    if org_id is None:
        return known
    if to_18(org_id) not in known:
        fail(f"no connection is of the org {org_id}", 2)
    return [to_18(org_id)]


def _note(db: Any, wiring: Wiring, what: str, found: Found) -> None:
    note_within(
        db,
        wiring,
        what,
        f"{len(found.persons)} persons of {found.org_id}",
        persons=sorted(found.persons),
        digests=sorted(f"{trait.kind} {trait.digest.hex()}" for trait in found.traits),
    )


def _row(found: Found) -> dict[str, Any]:
    return {
        "org": found.org_id,
        "persons": len(found.persons),
        "records": ", ".join(found.records),
        "referrals about them": len(found.referrals),
        "referrals by them": len(found.introduced),
        "follow-ups": found.follow_ups,
        "cancelled": found.open,
        "being done": found.sending,
    }
