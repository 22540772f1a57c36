"""The commands, as people run them: what they say, and what they exit with."""

import json
import logging
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import structlog
from click.testing import CliRunner, Result
from life import Life
from sqlalchemy import select

from sidecar import doctor
from sidecar.cli import cli, frame
from sidecar.store import inbox, reconciliations
from sidecar.store.tables import event
from sidecar.wiring import Wiring

Run = Callable[..., Result]


@pytest.fixture
def run(life: Life, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command by the clock of the org."""
    monkeypatch.setattr(frame, "Wiring", partial(Wiring, now=life.wiring.now))
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    settings = life.wiring.settings
    environ = {
        "SIDECAR_DATABASE_URL": settings.database_url,
        "SIDECAR_REDIS_URL": settings.redis_url,
        "SIDECAR_CA_FILE": str(settings.ca_file),
        "SIDECAR_DEMO": "true",
    }

    def invoke(*args: object) -> Result:
        result = CliRunner().invoke(cli, [*map(str, args)], env=environ)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    yield invoke
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _lost(life: Life, count: int) -> list[str]:
    life.misfortunes(drop=1.0)
    leads = life.refer(count)
    life.pass_time(minutes=10)
    return leads


def test_reconcile_does_now_what_the_clock_does_later(run: Run, life: Life):
    _lost(life, 3)
    result = run("reconcile", "--json")

    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)
    assert (row["kind"], row["recovered"], row["error"]) == ("regular", 3, None)
    life.work()
    assert life.wanted() == life.done()


def test_since_says_what_it_costs_before_it_begins(run: Run, life: Life):
    since = life.wiring.now().isoformat()
    _lost(life, 3)
    result = run("reconcile", life.connection.id, "--since", since)

    assert result.exit_code == 0, result.output
    assert "3 Lead" in result.stderr
    assert "6 API calls" in result.stderr
    assert "are left today" in result.stderr
    life.work()
    assert life.wanted() == life.done()


def test_what_costs_too_much_is_refused_and_done_only_on_demand(run: Run, life: Life):
    since = life.wiring.now().isoformat()
    _lost(life, 3)
    used = life.door("GET", "")["calls"]
    life.door("PUT", "/limit", daily=used + 20)
    refused = run("reconcile", life.connection.id, "--since", since)

    assert refused.exit_code == 1
    assert "--yes" in refused.output
    assert life.events(event.c.id) == []
    life.door("PUT", "/limit", daily=used + 22)
    agreed = run("reconcile", life.connection.id, "--since", since, "--yes")
    assert agreed.exit_code == 0, agreed.output
    assert len(life.events(event.c.id)) == 3


def test_resync_says_what_it_costs_and_recovers_nothing(run: Run, life: Life):
    _lost(life, 3)
    result = run("resync", life.connection.id, "--json")

    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)
    assert (row["kind"], row["records"], row["recovered"]) == ("resync", 3, 0)
    assert "API calls" in result.stderr
    assert life.known() == life.as_they_are()


def test_completeness_exits_with_1_where_something_is_unexplained(run: Run, life: Life):
    assert "reconciled" in run("completeness").output
    _lost(life, 2)
    assert run("reconcile").exit_code == 0
    life.work()
    result = run("completeness", "--json")
    assert result.exit_code == 0
    assert sum(day["recovered"] for day in json.loads(result.stdout)) == 2

    life.refer(1)
    life.pass_time(minutes=10)
    run("reconcile")
    with life.wiring.engine.begin() as db:
        waiting = db.scalars(select(event.c.id).where(event.c.state == "waiting"))
        inbox.bury(db, list(waiting), why="a bug")
    result = run("completeness", life.connection.id, "--json")
    assert result.exit_code == 1
    assert sum(day["unexplained"] for day in json.loads(result.stdout)) == 1


@pytest.mark.parametrize(
    "since", ["yesterday", "1999-01-01", "2099-01-01", "0001-01-01T00:00+14:00"]
)
def test_a_moment_that_is_none_is_a_misuse(run: Run, since: str):
    assert run("reconcile", 1, "--since", since).exit_code == 2


def test_a_connection_that_is_none_is_a_misuse(run: Run):
    for verb in ("reconcile", "resync", "completeness"):
        assert run(verb, 4711).exit_code == 2


def _finding(life: Life, part: str) -> doctor.Finding:
    return next(
        item for item in doctor.examine(life.wiring) if item.part.startswith(part)
    )


def test_the_doctor_counts_what_is_recovered_and_says_what_is_unexplained(life: Life):
    _lost(life, 2)
    life.settle()
    found = _finding(life, "completeness")
    assert (found.well, "2 of them recovered" in found.seen) == (True, True)

    life.refer(1)
    life.pass_time(minutes=16)
    with life.wiring.engine.connect() as db:
        (id_,) = reconciliations.due(db, now=life.wiring.now())
    life.wiring.reconcile(id_)
    with life.wiring.engine.begin() as db:
        waiting = db.scalars(select(event.c.id).where(event.c.state == "waiting"))
        inbox.bury(db, list(waiting), why="a bug")
    found = _finding(life, "completeness")
    assert not found.well
    assert "unexplained" in found.seen


def test_the_doctor_misses_a_reconciliation_that_does_not_run(life: Life):
    life.settle()
    life.pass_time(hours=2)
    found = _finding(life, "completeness")

    assert not found.well
    assert f"sidecar reconcile {life.connection.id}" in found.seen


def test_a_silence_is_no_fault_where_nothing_has_changed(life: Life):
    for _ in range(6):
        life.refer(1)
        life.live(minutes=2)
    life.pass_time(hours=5)
    life.reconcile()
    found = _finding(life, "messages of")
    assert found.well, found.seen
    assert "Nothing has changed" in found.seen


def test_a_silence_in_which_things_changed_is_told_as_what_it_is(life: Life):
    for _ in range(6):
        life.refer(1)
        life.live(minutes=2)
    life.misfortunes(drop=1.0)
    life.pass_time(hours=4)
    life.refer(2)
    with structlog.testing.capture_logs() as logs:
        life.settle()
    found = _finding(life, "messages of")
    assert not found.well
    assert "2 changes since then" in found.seen
    warned = [each for each in logs if each["event"] == "pace.silent"]
    # At most once an hour, and three quarters of one have passed.
    assert 1 <= len(warned) <= 2
    assert warned[-1]["object"] == "Lead"
