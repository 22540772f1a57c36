"""The doctor: every part is looked at, and what is not well is told with a remedy."""

from dataclasses import replace
from datetime import timedelta

from messages import lead_id

from sidecar import doctor
from sidecar.intake import arrivals
from sidecar.settings import Settings
from sidecar.store.inbox import Arrival
from sidecar.wiring import Wiring


def _found(wiring: Wiring, part: str) -> doctor.Finding:
    return next(item for item in doctor.examine(wiring) if item.part.startswith(part))


def test_an_org_that_answers_is_well(wiring, linked):
    finding = _found(wiring, f"org {linked.name}")
    assert finding.well
    assert "API calls are left today" in finding.seen


def test_a_silent_action_is_told_with_the_query_that_finds_what_was_missed(
    wiring, connect, hand
):
    """Promise 6."""
    connection, _ = connect()
    for number in range(8):
        wiring.scribe.keep(
            [
                Arrival(
                    connection_id=connection.id,
                    org_id=connection.org_id,
                    source=arrivals.SOURCE,
                    notification_id=str(number),
                    action_id="04k000000000001AAA",
                    object_type="Lead",
                    record_id=lead_id(number),
                    content={"fields": {}},
                    received_at=hand() - timedelta(hours=60 - number),
                )
            ]
        )
    finding = _found(wiring, f"messages of {connection.name}")

    assert not finding.well
    assert "silent since" in finding.seen
    assert "may have been dropped" in finding.seen
    assert "FROM Lead WHERE SystemModstamp >=" in finding.seen


def test_a_database_that_is_away_is_one_finding_and_no_exception(wiring):
    away = Wiring(replace(wiring.settings, database_url="postgresql://127.0.0.1:1/x"))
    finding = _found(away, "database")
    assert not finding.well


def test_nothing_configured_is_told_part_by_part():
    findings = doctor.examine(Wiring(Settings(redis_url="redis://127.0.0.1:1")))
    assert not any(finding.well for finding in findings)
    assert any("SIDECAR_KEYS" in finding.seen for finding in findings)
