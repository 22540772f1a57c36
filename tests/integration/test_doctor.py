"""The doctor: every part is looked at, and what is not well is told with a remedy."""

from dataclasses import replace
from datetime import timedelta

import structlog
from messages import lead_id

from sidecar import doctor, keyring
from sidecar.intake import arrivals
from sidecar.settings import Settings
from sidecar.store import connections, webhook_secrets
from sidecar.store.inbox import Arrival
from sidecar.store.webhook_secrets import Kind, NewSecret
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


def _secret(wiring: Wiring, connection, **given) -> int:
    values = {"kind": Kind.ORG_CERTIFICATE, "value": "x"} | given
    with wiring.engine.begin() as db:
        new = NewSecret(connection.id, **values)
        return webhook_secrets.add(db, new, now=wiring.now(), keyring=wiring.keyring)


def test_an_orgs_certificate_is_spoken_of_30_days_before_it_ends(wiring, connect, hand):
    connection, _ = connect()
    part = (
        f"secret {_secret(wiring, connection, not_after=hand() + timedelta(days=31))}"
    )

    assert _found(wiring, part).well
    hand.move(days=2)
    soon = _found(wiring, part)
    assert not soon.well
    assert "secrets rotate" in soon.seen
    hand.move(days=30)
    assert "refused" in _found(wiring, part).seen


def test_a_replaced_secret_that_is_still_used_is_spoken_of_before_it_ends(
    wiring, connect, hand
):
    """Promise 40."""
    connection, _ = connect()
    id_ = _secret(wiring, connection, kind=Kind.BEARER)
    with wiring.engine.begin() as db:
        webhook_secrets.retire(db, id_, at=hand() + timedelta(hours=24))
    assert _found(wiring, f"secret {id_}").well
    hand.move(hours=20)
    assert "never" in _found(wiring, f"secret {id_}").seen
    with wiring.engine.begin() as db:
        webhook_secrets.used(db, id_, at=hand())
    assert not _found(wiring, f"secret {id_}").well


def test_an_old_address_that_is_taken_still_is_shown(wiring, connect):
    connection, hook_key = connect()
    with wiring.engine.begin() as db:
        connections.readdress(
            db, connection.id, keyring.new_hook_key(), keyring=wiring.keyring
        )
    part = f"old address of {connection.name}"
    assert "never since" in _found(wiring, part).seen

    wiring.connection_of(hook_key)

    assert "used last: 2" in _found(wiring, part).seen
    assert "end-address" in _found(wiring, part).seen


def test_the_clock_announces_a_certificates_end_too(wiring, connect, hand):
    """For whoever reads logs, and asks no doctor."""
    connection, _ = connect()
    ends = hand() + timedelta(days=45)
    new = NewSecret(connection.id, Kind.ORG_CERTIFICATE, "PEM", not_after=ends)
    with wiring.engine.begin() as db:
        id_ = webhook_secrets.add(db, new, now=hand(), keyring=wiring.keyring)

    def announced():
        with structlog.testing.capture_logs() as lines:
            wiring.announce_ends()
        return [line["secret"] for line in lines if line["event"] == "secret.ends"]

    assert announced() == []
    hand.move(days=16)
    assert announced() == [id_]
    with wiring.engine.begin() as db:
        webhook_secrets.retire(db, id_, at=hand())
    assert announced() == []


def test_the_client_certificate_seen_last_is_shown_with_its_end(wiring, connect, hand):
    """Promise 29."""
    connection, _ = connect()
    for number, days in (("1", 10), ("2", 100)):
        seen = webhook_secrets.SeenCertificate(
            number, "CN=proxy.salesforce.com", "CN=Issuer", hand() + timedelta(days)
        )
        wiring.certificate_seen(connection.id, seen)
    finding = _found(wiring, f"client certificate shown to {connection.name}")
    assert finding.well
    assert f"{hand() + timedelta(100):%Y-%m-%d}" in finding.seen
