"""Secrets: shown once, replaced with an overlap, ended at once."""

import base64
import json

import pytest
import signing
from cryptography.hazmat.primitives.asymmetric import rsa

from sidecar.intake import signatures
from sidecar.store import webhook_secrets


def new(sidecar, connection, kind, *more, given=None):
    result = sidecar(
        "secrets", "new", connection.id, "--kind", kind, "--json", *more, given=given
    )
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def listed(sidecar):
    return json.loads(sidecar("secrets", "list", "--json").stdout)


@pytest.fixture
def connection(connect):
    return connect()[0]


@pytest.mark.parametrize(
    ("kind", "begins"),
    [
        ("standard-webhooks", "whsec_"),
        ("standard-webhooks-ed25519", "whsk_"),
        ("bearer", ""),
        ("api-key", ""),
    ],
)
def test_a_secret_is_shown_once_and_not_kept_in_the_clear(
    sidecar, wiring, connection, kind, begins
):
    told = new(sidecar, connection, kind)

    assert told["secret"].startswith(begins)
    assert len(told["secret"]) >= 43
    for again in (sidecar("secrets", "list"), sidecar("secrets", "list", "--json")):
        assert again.exit_code == 0
        assert kind in again.stdout
        assert told["secret"] not in again.output
    with wiring.engine.connect() as db:
        found = webhook_secrets.find(db, told["id"], keyring=wiring.keyring)
        rows = db.execute(webhook_secrets.webhook_secret.select()).all()
    assert told["secret"] not in str(rows)
    if kind != "standard-webhooks":
        assert told["secret"] not in found.value, "it is needed by the sender alone"
    assert signatures.credential(found).kind == kind


def test_an_orgs_certificate_is_taken_with_its_end(sidecar, connection, folder):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file = folder / "Referral_Signing.crt"
    file.write_text(signing.pem(signing.certificate(key, days=100)))
    told = new(sidecar, connection, "org-certificate", "--from-file", file)

    assert told["secret"] is None
    (row,) = listed(sidecar)
    assert row["not_after"]
    assert row["state"] == "taken"
    result = sidecar(
        "secrets",
        "new",
        connection.id,
        "--kind",
        "org-certificate",
        "--from-file",
        file,
    )
    assert "the certificate ends on" in result.stdout


def test_the_senders_own_secret_is_taken(sidecar, wiring, connection):
    secret = "whsec_" + base64.b64encode(b"s" * 24).decode()
    told = new(
        sidecar,
        connection,
        "standard-webhooks",
        "--from-file",
        "-",
        given=secret + "\n",
    )
    assert told["secret"] is None
    with wiring.engine.connect() as db:
        found = webhook_secrets.find(db, told["id"], keyring=wiring.keyring)
    assert found.value == secret


@pytest.mark.parametrize(
    ("words", "given", "code"),
    [
        (["--kind", "org-certificate"], None, 1),
        (["--kind", "org-certificate", "--from-file", "-"], "no certificate", 1),
        (["--kind", "standard-webhooks", "--from-file", "-"], "whsec_short", 1),
        (["--kind", "standard-webhooks-ed25519", "--from-file", "-"], "whsk_AAAA", 1),
        (["--kind", "bearer", "--from-file", "-"], "my own", 1),
        (["--kind", "bearer", "--header", "x-y"], None, 2),
        (["--kind", "api-key", "--header", "x y"], None, 2),
        (["--kind", "api-key", "--name", "a\nb"], None, 2),
        (["--kind", "unknown"], None, 2),
    ],
)
def test_what_cannot_be_used_is_refused(sidecar, connection, words, given, code):
    result = sidecar("secrets", "new", connection.id, *words, given=given)
    assert result.exit_code == code
    assert result.stderr
    assert "whsec_short" not in result.output
    assert listed(sidecar) == []


def test_a_connection_that_is_not_there_gets_none(sidecar, connection):
    assert sidecar("secrets", "new", 4711, "--kind", "bearer").exit_code == 2


def test_an_old_secret_is_taken_for_a_while_and_seen_to_be_used(
    sidecar, wiring, connection, hand
):
    """Promise 40."""
    old = new(
        sidecar, connection, "api-key", "--header", "X-Relay-Key", "--name", "relay"
    )
    result = sidecar("secrets", "rotate", old["id"], "--overlap", "2h")

    assert result.exit_code == 0
    assert "is taken until" in result.stdout
    with wiring.engine.begin() as db:
        webhook_secrets.used(db, old["id"], at=hand())
    one, other = listed(sidecar)
    assert (one["state"], other["state"]) == ("being replaced", "taken")
    assert one["last_used_at"]
    assert other["last_used_at"] is None
    assert (other["header"], other["name"]) == ("x-relay-key", "relay")
    with wiring.engine.connect() as db:

        def taken():
            return [
                secret.id
                for secret in webhook_secrets.accepted(
                    db, connection.id, now=hand(), keyring=wiring.keyring
                )
            ]

        assert taken() == [other["id"], one["id"]]
        hand.move(hours=3)
        assert taken() == [other["id"]]
    assert sidecar("secrets", "rotate", old["id"]).exit_code == 2


def test_a_retired_secret_is_taken_no_longer(sidecar, wiring, connection, hand):
    told = new(sidecar, connection, "bearer")

    assert sidecar("secrets", "retire", told["id"]).exit_code == 0
    with wiring.engine.connect() as db:
        accepted = webhook_secrets.accepted(
            db, connection.id, now=hand(), keyring=wiring.keyring
        )
    assert accepted == []
    (row,) = listed(sidecar)
    assert row["state"] == "retired"
    assert sidecar("secrets", "retire", told["id"]).exit_code == 2
    assert sidecar("secrets", "retire", 4711).exit_code == 2


def test_an_overlap_is_a_time(sidecar, connection):
    told = new(sidecar, connection, "bearer")
    for overlap in ("soon", "-1h", "99999d", "1w", ""):
        assert (
            sidecar("secrets", "rotate", told["id"], "--overlap", overlap).exit_code
            == 2
        )
    assert len(listed(sidecar)) == 1


def test_who_made_and_ended_a_secret_is_in_the_trail(sidecar, connection):
    told = new(sidecar, connection, "bearer")
    sidecar("secrets", "retire", told["id"])

    trail = sidecar("audit", "list", "--json").stdout
    assert "secrets.new" in trail
    assert "secrets.retire" in trail
    assert told["secret"] not in trail
