"""Response clocks, and the referrals that lack an owner or a next step."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click

from sidecar.cli.frame import LIMIT, json_option, note, only, show, wired
from sidecar.errors import Permanent
from sidecar.jobs import clocks as clocks_job
from sidecar.jobs import foresight
from sidecar.referral.response_clock import State
from sidecar.referral.words import NO_NEWS_AFTER
from sidecar.salesforce.ids import is_id, to_18
from sidecar.store import journeys, next_steps, response_clocks, unheard
from sidecar.store.next_steps import OpenReferral
from sidecar.wiring import Wiring


@click.group()
def clocks() -> None:
    """By when somebody must have answered."""


@clocks.command("list")
@click.option("--state", type=click.Choice([str(state) for state in State]))
@click.option("--referral", help="The referral's key.")
@click.option("--limit", type=LIMIT, default=50, show_default=True)
@json_option
@wired
def clocks_list(
    wiring: Wiring, state: str | None, referral: str | None, limit: int, as_json: bool
) -> None:
    """List response clocks, those that are due first."""
    with wiring.engine.connect() as db:
        found = response_clocks.listing(
            db, state=state, referral_key=referral, limit=limit
        )
    shown = (
        *("id", "referral_key", "kind", "name", "milestone", "state", "owner_id"),
        *("team", "due_at", "promised_at", "told", "write_error"),
    )
    show([only(shown, row) for row in found], as_json, "no clocks")


@clocks.command("pause")
@click.argument("referral")
@click.option("--until", type=click.DateTime(), help="In UTC; else until resumed.")
@wired
def clocks_pause(wiring: Wiring, referral: str, until: datetime | None) -> None:
    """
    Let a referral's clocks rest; what is left of the promise stays.

    Example: sidecar clocks pause 00Q000000000001EAA --until 2026-12-24
    """
    ends = until.replace(tzinfo=UTC) if until else None
    if ends is not None and ends <= wiring.now():
        raise click.UsageError("--until is over already")
    number = 0
    with wiring.engine.begin() as db:
        for connection_id, key in _found(wiring, referral):
            connection = foresight.connection_of(db, connection_id)
            number += clocks_job.rest(
                db,
                connection,
                key,
                playbook=wiring.playbook_of(connection),
                until=ends,
                why="by hand",
                now=wiring.now(),
            )
    note(wiring, "clocks.pause", f"referral {referral}", until=str(ends or ""))
    click.echo(f"{number} clocks rest")


@clocks.command("resume")
@click.argument("referral")
@wired
def clocks_resume(wiring: Wiring, referral: str) -> None:
    """Let a referral's clocks go on where they stood."""
    number = 0
    with wiring.engine.begin() as db:
        for connection_id, key in _found(wiring, referral):
            connection = foresight.connection_of(db, connection_id)
            number += clocks_job.go_on(
                db,
                connection,
                key,
                playbook=wiring.playbook_of(connection),
                why="by hand",
                now=wiring.now(),
            )
    note(wiring, "clocks.resume", f"referral {referral}")
    click.echo(f"{number} clocks go on")


@click.group()
def referrals() -> None:
    """Open referrals that need a person."""


@referrals.command("unowned")
@click.option("--limit", type=LIMIT, default=1000, show_default=True)
@json_option
@wired
def referrals_unowned(wiring: Wiring, limit: int, as_json: bool) -> None:
    """
    List open referrals without an owner who is a person. Exits with 1 if any.

    Example: sidecar referrals unowned --json
    """
    with wiring.engine.connect() as db:
        found = next_steps.unowned(db, limit=limit)
    _show(found, as_json, "every open referral has an owner")


@referrals.command("without-next-step")
@click.option("--limit", type=LIMIT, default=1000, show_default=True)
@json_option
@wired
def referrals_without_next_step(wiring: Wiring, limit: int, as_json: bool) -> None:
    """List open referrals for which nothing is planned. Exits with 1 if any."""
    with wiring.engine.connect() as db:
        found = next_steps.without_next_step(db, limit=limit)
    _show(found, as_json, "every open referral has a next step")


@referrals.command("unheard")
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=NO_NEWS_AFTER.days,
    show_default=True,
    help="For how long their referrers have heard nothing.",
)
@click.option("--limit", type=LIMIT, default=1000, show_default=True)
@json_option
@wired
def referrals_unheard(wiring: Wiring, days: int, limit: int, as_json: bool) -> None:
    """List open referrals whose referrers hear nothing. Exits with 1 if any."""
    before = wiring.now() - timedelta(days=days)
    with wiring.engine.connect() as db:
        found = unheard.unheard(db, before=before, limit=limit)
    shown = ("connection_id", "key", "record_id", "milestone", "since", "why")
    rows = [only(shown, asdict(item)) for item in found]
    show(rows, as_json, "every referrer has heard lately")
    if found:
        sys.exit(1)


def _show(found: Sequence[OpenReferral], as_json: bool, nothing: str) -> None:
    show([asdict(item) for item in found], as_json, nothing)
    if found:
        sys.exit(1)


def _found(wiring: Wiring, referral: str) -> list[tuple[int, str]]:
    with wiring.engine.connect() as db:
        found = journeys.find(db, to_18(referral) if is_id(referral) else referral)
    if not found:
        raise Permanent(f"nothing is known of referral {referral}")
    return found
