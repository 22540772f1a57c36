"""Reports by mail: when they come, and to whom."""

import re
from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

import click

from sidecar.cli.frame import CONNECTION, json_option, note, note_within, show, wired
from sidecar.errors import Permanent, SidecarError
from sidecar.jobs import foresight
from sidecar.jobs.reports import cron, running, sending
from sidecar.jobs.reports.kinds import Words
from sidecar.referral.period import Period
from sidecar.salesforce.ids import is_id, to_18
from sidecar.store import report_mails, report_schedules
from sidecar.store.connections import OrgConnection
from sidecar.store.report_mails import Planned
from sidecar.store.report_schedules import First, Schedule
from sidecar.wiring import Wiring


@click.group()
def reports() -> None:
    """Reports by mail: when they come, and to whom."""


@reports.command("list")
@click.option(
    "--connection", "connection_id", type=CONNECTION, help="Of one connection only."
)
@json_option
@wired
def reports_list(wiring: Wiring, connection_id: int | None, as_json: bool) -> None:
    """
    List when each report is due, and what its last run came to.

    Example: sidecar reports list --connection acme
    """
    with wiring.engine.connect() as db:
        found = report_schedules.listing(
            db, keyring=wiring.keyring, connection_id=connection_id
        )
        mails = {id_: report_mails.count(db, id_) for id_ in _connections(found)}
    rows = [
        {
            "connection": item.connection_id,
            "report": item.report,
            "cron": item.cron,
            "next (UTC)": item.runs_at if item.state in report_schedules.OPEN else None,
            "to": ", ".join(item.recipients) or "as the report finds",
            "last for (UTC)": item.ran_for,
            "came to": item.error or item.outcome,
            "mails": ", ".join(
                f"{number} {state}"
                for (report, state), number in sorted(mails[item.connection_id].items())
                if report == item.report
            ),
        }
        for item in found
    ]
    show(rows, as_json, "no reports yet; the clock sets them up")


@reports.command("set")
@click.argument("connection_id", metavar="CONNECTION", type=CONNECTION)
@click.argument("report")
@click.option("--cron", "expression", help="Five fields, by the connection's time.")
@click.option("--to", multiple=True, help="A user's id or an address; several times.")
@click.option("--to-whom-it-finds", is_flag=True, help="Forget an earlier --to.")
@click.option("--language", help="Of readers given by address: en_US, de, fr.")
@wired
def reports_set(
    wiring: Wiring,
    connection_id: int,
    report: str,
    expression: str | None,
    to: Sequence[str],
    to_whom_it_finds: bool,
    language: str | None,
) -> None:
    """
    Set when a report comes and who gets it, and let it come.

    What is not given stays as it is.

    Example: sidecar reports set 1 weekly --cron "0 8 * * 1" --to boss@example.com
    """
    usual = running.named(wiring.reports, report)
    readers = [_reader(text) for text in to]
    with wiring.engine.begin() as db:
        connection = foresight.connection_of(db, connection_id)
        known = report_schedules.find(db, connection_id, report, keyring=wiring.keyring)
        when = cron.checked(expression or (known.cron if known else usual.cron))
        if not readers and known and not to_whom_it_finds:
            readers = list(known.recipients)
        first = _next(connection, report, when, wiring)
        report_schedules.put(
            db,
            first,
            recipients=readers,
            language=language or (known.language if known else "en_US"),
            keyring=wiring.keyring,
        )
        note_within(
            db,
            wiring,
            "reports.set",
            f"connection {connection_id}",
            report=report,
            cron=when,
            readers=len(readers),
        )
    local = first.runs_at.astimezone(ZoneInfo(connection.time_zone))
    click.echo(f"{report} comes next on {local:%A %Y-%m-%d %H:%M %Z}")


@reports.command("off")
@click.argument("connection_id", metavar="CONNECTION", type=CONNECTION)
@click.argument("report")
@wired
def reports_off(wiring: Wiring, connection_id: int, report: str) -> None:
    """Let a report come no more."""
    usual = running.named(wiring.reports, report)
    with wiring.engine.begin() as db:
        connection = foresight.connection_of(db, connection_id)
        # Before the clock has set it up, there is nothing to switch off yet.
        report_schedules.add(db, [_next(connection, report, usual.cron, wiring)])
        was_on = report_schedules.switch_off(db, connection_id, report)
    if was_on:
        note(wiring, "reports.off", f"connection {connection_id}", report=report)
    click.echo(f"{report} is off" if was_on else f"{report} was off already")


@reports.command("run")
@click.argument("connection_id", metavar="CONNECTION", type=CONNECTION)
@click.argument("report")
@click.option("--dry-run", is_flag=True, help="Show the letters; send nothing.")
@wired
def reports_run(wiring: Wiring, connection_id: int, report: str, dry_run: bool) -> None:
    """
    Run a report now, for the period that a run at this moment is about.

    Who has got the report of that period already does not get it twice.

    Example: sidecar reports run acme weekly --dry-run
    """
    usual = running.named(wiring.reports, report)
    now = wiring.now()
    with wiring.engine.begin() as db:
        connection = foresight.connection_of(db, connection_id)
        report_schedules.add(db, [_next(connection, report, usual.cron, wiring)])
        known = report_schedules.find(db, connection_id, report, keyring=wiring.keyring)
        if known is None:
            raise Permanent(f"there is no schedule for {report!r}")
        if dry_run:
            # A report may write down what it plans: it is taken back.
            undone = db.begin_nested()
            occasion, planned = running.plan(
                db, connection, known, wiring.reports, at=now
            )
            undone.rollback()
        else:
            outcome = running.run(
                db,
                connection,
                known,
                wiring.reports,
                at=now,
                keyring=wiring.keyring,
                now=now,
            )
    if dry_run:
        _show(wiring, connection, report, occasion.period, planned)
        return
    note(wiring, "reports.run", f"connection {connection_id}", report=report)
    wiring.doorbell.ring_to_reports(connection_id)
    click.echo(outcome)


def _show(
    wiring: Wiring,
    connection: OrgConnection,
    report: str,
    period: Period,
    planned: Sequence[Planned] | Words,
) -> None:
    if isinstance(planned, Words):
        number = f"{planned.number} words to referrers"
        click.echo(f"{report}, {period.first} to {period.last}: {number}")
        return
    click.echo(f"{report}, {period.first} to {period.last}: {len(planned)} mails")
    batch = [
        report_mails.draft(
            item,
            connection_id=connection.id,
            report=report,
            first=period.first,
            now=wiring.now(),
        )
        for item in planned
    ]
    known = sending.readers(batch, connection, wiring.records, wiring.now())
    if isinstance(known, SidecarError):
        raise known
    for item in batch:
        letter = sending.write(connection, item, known, wiring.reports)
        click.echo(f"\nTo: {letter.to.email}\nSubject: {letter.subject}\n")
        click.echo(letter.text)


def _next(connection: OrgConnection, report: str, when: str, wiring: Wiring) -> First:
    zone = ZoneInfo(connection.time_zone)
    # A run of this minute is still to come.
    just_before = wiring.now() - timedelta(microseconds=1)
    return First(connection.id, report, when, cron.following(when, zone, just_before))


def _reader(text: str) -> str:
    if is_id(text) and text.startswith("005"):
        return to_18(text)
    if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        return text
    raise click.UsageError(f"--to {text!r} is neither a user's id nor an address")


def _connections(found: Sequence[Schedule]) -> set[int]:
    return {item.connection_id for item in found}
