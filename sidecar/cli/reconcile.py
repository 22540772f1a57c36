"""Nothing missed: compare with the orgs' own records, and show how it stands."""

import logging
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from rich.console import Console

from sidecar import logs
from sidecar.cli.frame import CONNECTION, fail, json_option, only, show, wired
from sidecar.jobs import catching_up
from sidecar.jobs.reconcile import EVERY
from sidecar.store import connections as connections_store
from sidecar.store import reached, reconciliations
from sidecar.store.connections import OrgConnection
from sidecar.store.reconciliations import RESYNC, SINCE, Reconciliation
from sidecar.wiring import Wiring

_SHOWN = ("id", "connection", "kind", "from", "records", "recovered", "calls", "state")


def _moment(
    _context: click.Context, _option: click.Parameter, given: str | None
) -> datetime | None:
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(given)
        at = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise click.BadParameter(
            f"{given!r} is no moment, such as 2026-01-31T18:00Z"
        ) from exc
    if at.year < catching_up.BEGINNING.year:
        raise click.BadParameter(f"{given!r} is before there was a Salesforce")
    return at.replace(microsecond=0)


@click.command()
@click.argument(
    "connection_id", metavar="[CONNECTION]", type=CONNECTION, required=False
)
@click.option(
    "--since", callback=_moment, help="From this moment on (UTC, unless it says else)."
)
@click.option("--yes", is_flag=True, help="Whatever it costs in API calls.")
@json_option
@wired
def reconcile(
    wiring: Wiring,
    connection_id: int | None,
    since: datetime | None,
    yes: bool,
    as_json: bool,
) -> None:
    """
    Find what the org's records show and no message told, and act on it.

    The clock does so every quarter of an hour. With --since all from that moment on
    is compared, as after an outage of more than a day; what it costs in API calls is
    said first, and is asked for where it is more than a quarter of what is left.
    What was done already is not done again.

    Example: sidecar reconcile 1 --since 2026-01-31T18:00Z
    """
    known = _connections(wiring, connection_id)
    if since is not None and since > wiring.now():
        raise click.UsageError("--since lies ahead")
    rows = [
        _catch_up(wiring, each, SINCE, since, yes=yes)
        if since is not None
        else _run(wiring, _regular(wiring, each))
        for each in known
    ]
    _show(rows, known, as_json)


@click.command()
@click.argument("connection_id", metavar="CONNECTION", type=CONNECTION)
@click.option("--yes", is_flag=True, help="Whatever it costs in API calls.")
@json_option
@wired
def resync(wiring: Wiring, connection_id: int, yes: bool, as_json: bool) -> None:
    """
    Read all referrals of an org anew, and forget those that it no longer has.

    Nothing follows from it: no task, no mail. What it costs in API calls is said
    first.

    Example: sidecar resync acme
    """
    known = _connections(wiring, connection_id)
    rows = [
        _catch_up(wiring, each, RESYNC, catching_up.BEGINNING, yes=yes)
        for each in known
    ]
    _show(rows, known, as_json)


@click.command()
@click.argument(
    "connection_id", metavar="[CONNECTION]", type=CONNECTION, required=False
)
@click.option(
    "--days",
    type=click.IntRange(1, 3660),
    default=14,
    show_default=True,
    help="So many days back.",
)
@json_option
@wired
def completeness(
    wiring: Wiring, connection_id: int | None, days: int, as_json: bool
) -> None:
    """
    Count, day by day, the changes that the org shows and how we know of them.

    Expected is what the org's records show. It was received, or recovered, or is in
    hand; what is none of these is unexplained, and then it exits with 1. Days are in
    UTC.

    Example: sidecar completeness acme --days 30
    """
    known = _connections(wiring, connection_id)
    names = {each.id: each.name for each in known}
    first = wiring.now() - timedelta(days=days - 1)
    with wiring.engine.begin() as opened:
        for each in known:
            regular = reconciliations.regular(opened, each.id)
            if regular is not None and regular.done_at is not None:
                since = max(first, regular.covers_from)
                counted = reached.count(opened, each.id, since=since, now=wiring.now())
                reached.record(opened, counted)
        found = [
            item
            for item in reached.recorded(opened, since=first.date())
            if item.connection_id in names
        ]
    rows = [
        {
            "day": item.day,
            "connection": names[item.connection_id],
            "expected": item.expected,
            "received": item.received,
            "recovered": item.recovered,
            "in hand": item.in_hand,
            "unexplained": item.unexplained,
        }
        for item in found
    ]
    show(rows, as_json, "nothing has been reconciled yet")
    if any(item.unexplained for item in found):
        sys.exit(1)


def _connections(wiring: Wiring, connection_id: int | None) -> list[OrgConnection]:
    with wiring.engine.connect() as opened:
        known = connections_store.listing(opened)
    chosen = [each for each in known if connection_id in {None, each.id}]
    if not chosen:
        raise click.UsageError("there is no such connection")
    return chosen


def _regular(wiring: Wiring, connection: OrgConnection) -> Reconciliation:
    now = wiring.now()
    with wiring.engine.begin() as opened:
        reconciliations.set_up(opened, now=now, first_after=EVERY)
        row = reconciliations.regular(opened, connection.id)
        if row is None:
            raise LookupError(f"connection {connection.id}")
        reconciliations.hasten(opened, row.id, now=now)
    return row


def _catch_up(
    wiring: Wiring, connection: OrgConnection, kind: str, since: datetime, *, yes: bool
) -> Reconciliation:
    with wiring.engine.connect() as opened:
        row = reconciliations.under_way(opened, connection.id)
    if row is not None:
        click.echo(
            f"{connection.name}: {kind} {row.id} is not over, and goes on", err=True
        )
    else:
        bill = catching_up.bill(
            connection.id, kind=kind, since=since, org=wiring.changes
        )
        click.echo(f"{connection.name}: {bill.words()}", err=True)
        if bill.too_much and not yes:
            _ask()
    begun = catching_up.begin(
        connection.id, kind=kind, since=since, engine=wiring.engine, now=wiring.now()
    )
    return _run(wiring, begun)


def _ask() -> None:
    share = f"{catching_up.SHARE:.0%}"
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        fail(f"that is more than {share} of what is left: --yes does it anyway", 1)
    if not click.confirm(f"That is more than {share} of what is left. Go on?"):
        sys.exit(1)


def _run(wiring: Wiring, row: Reconciliation) -> Reconciliation:
    """Take the turns that are due; workers may take some of them."""
    # The person sees what came of it; the workers log the turns that they take.
    logs.configure(wiring.settings.log_format, level=logging.WARNING)
    try:
        with Console(stderr=True).status("...") as line:
            while wiring.take_turn_of_reconciliation(row.id):
                row = _find(wiring, row.id)
                line.update(f"{row.records:,} records, {row.recovered:,} recovered")
    except KeyboardInterrupt:
        click.echo(
            "it is not over: the workers go on with it, and so does this command",
            err=True,
        )
        sys.exit(1)
    return _find(wiring, row.id)


def _find(wiring: Wiring, id_: int) -> Reconciliation:
    with wiring.engine.connect() as opened:
        found = reconciliations.find(opened, id_)
    if found is None:
        raise LookupError(f"reconciliation {id_}")
    return found


def _show(
    rows: list[Reconciliation], known: list[OrgConnection], as_json: bool
) -> None:
    listed: list[dict[str, Any]] = [
        {
            "id": row.id,
            "connection": each.name,
            "kind": row.kind,
            "from": row.covers_from,
            "records": row.records,
            "recovered": row.recovered,
            "calls": row.calls,
            "state": row.state,
            "next_at": None if row.settled else row.due_at,
            "error": row.error,
        }
        for row, each in zip(rows, known, strict=True)
    ]
    shown = (*_SHOWN, "next_at", "error")
    show(listed if as_json else [only(shown, row) for row in listed], as_json, "")
    if any(row.error for row in rows):
        sys.exit(1)
