"""Secrets: shown once, replaced with an overlap, ended at once."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
import requests
import signing
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

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


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("standard-webhooks", "webhook-id, webhook-timestamp, webhook-signature: v1,"),
        ("standard-webhooks-ed25519", "webhook-signature: v1a,"),
        ("bearer", "Authorization: Bearer <the token>"),
        ("api-key", "x-api-key: <the key>"),
    ],
)
def test_where_to_and_in_which_headers_it_is_sent_is_said(
    sidecar, connect, kind, headers
):
    connection, hook_key = connect()
    told = sidecar("secrets", "new", connection.id, "--kind", kind).stdout

    assert f"https://sidecar.example.com/hooks/events/{hook_key}\n" in told
    assert headers in told
    assert headers in new(sidecar, connection, kind)["headers"]


def test_the_header_of_a_key_is_listed(sidecar, connection):
    new(sidecar, connection, "api-key", "--header", "X-Relay-Key")
    new(sidecar, connection, "api-key")
    new(sidecar, connection, "bearer")

    assert {row["header"] for row in listed(sidecar)} == {
        "x-relay-key",
        "x-api-key",
        None,
    }


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
    assert "x-referral-timestamp, x-referral-signature" in result.stdout


@pytest.fixture
def signing_org(org):
    """A dev org that has a certificate; gives what its admin would set."""
    back_door(org, "features", json={"certificates": ["Referral_Signing"]})
    return {"SIDECAR_CA_FILE": org.ca_file, "SIDECAR_ADMIN_TOKEN": org.admin_token}


def back_door(org, path, **given):
    answer = requests.post(
        f"{org.base_url}/devorg/{path}", verify=org.ca_file, timeout=10, **given
    )
    answer.raise_for_status()
    return answer.content


def test_an_orgs_certificate_is_read_from_the_org(
    sidecar, wiring, linked, org, signing_org
):
    """What the org signs with the key that it keeps is taken at the door."""
    told = sidecar(
        *("secrets", "new", linked.id, "--kind", "org-certificate"),
        *("--from-org", "Referral_Signing"),
        **signing_org,
    )

    assert (told.exit_code, told.stderr) == (0, "")
    assert "the certificate ends on" in told.stdout
    at = str(int(wiring.now().timestamp()))
    signature = back_door(
        org, "certificates/Referral_Signing", data=f"{at}.a body".encode()
    )
    headers = {
        "x-referral-timestamp": at.encode(),
        "x-referral-signature": base64.b64encode(signature),
    }
    verified = signatures.verify(
        headers.get, b"a body", wiring.credentials_of(linked.id), now=float(at)
    )
    (row,) = listed(sidecar)
    assert verified.secret_id == row["id"]


def test_a_certificate_that_is_the_same_is_no_replacement(sidecar, linked, signing_org):
    name = ("--from-org", "Referral_Signing")
    new = ("secrets", "new", linked.id, "--kind", "org-certificate", *name)
    told = json.loads(sidecar(*new, "--json", **signing_org).stdout)

    result = sidecar("secrets", "rotate", told["id"], *name, **signing_org)

    assert (result.exit_code, len(listed(sidecar))) == (2, 1)
    assert "this one already" in result.stderr


def test_why_a_certificate_cannot_be_read_is_said(
    sidecar, wiring, linked, org, signing_org
):
    wiring.renew(linked.id, None)
    _, integration = wiring.current(linked.id)

    def refusal(kind, name, **environ):
        words = ("secrets", "new", linked.id, "--kind", kind, "--from-org", name)
        result = sidecar(*words, **(signing_org | environ))
        assert result.exit_code in {1, 2}
        assert listed(sidecar) == []
        return result.stderr

    kind, name = "org-certificate", "Referral_Signing"
    absent = refusal(kind, "Nobody")
    assert "no certificate Nobody; it has: Referral_Signing" in absent
    weak = refusal(kind, name, SIDECAR_ADMIN_TOKEN=integration)
    assert "Modify Metadata Through Metadata API Functions" in weak
    old = refusal(kind, name, SIDECAR_ADMIN_TOKEN="00Dnobody")
    assert "does not take the admin's token" in old
    assert "--admin-token-file" in refusal(kind, name, SIDECAR_ADMIN_TOKEN="")
    assert "org-certificate alone" in refusal("bearer", name)
    assert "no unique name" in refusal(kind, "../secrets")


def test_a_certificate_that_has_ended_or_is_none_yet_is_not_taken(sidecar, connection):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    begins = datetime.now(UTC) - timedelta(days=400)
    ended = signing.pem(signing.certificate(key, begins=begins))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Referral_Signing")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    asked = request.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()
    words = ("secrets", "new", connection.id, "--kind", "org-certificate")

    assert "ended on" in sidecar(*words, "--from-file", "-", given=ended).stderr
    refused = sidecar(*words, "--from-file", "-", given=asked)
    assert "signing request" in refused.stderr
    assert listed(sidecar) == []


def test_of_a_chain_the_orgs_own_certificate_is_taken(sidecar, wiring, connection):
    root_key, key = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in "12"
    )
    root = signing.certificate(root_key, name="An authority", authority=True)
    leaf = signing.certificate(key, issuer=(root, root_key), days=90)
    chain = signing.pem(root) + signing.pem(leaf)

    told = new(sidecar, connection, "org-certificate", "--from-file", "-", given=chain)

    with wiring.engine.connect() as db:
        found = webhook_secrets.find(db, told["id"], keyring=wiring.keyring)
    assert found.value == signing.pem(leaf)


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


def test_a_canvas_apps_consumer_secret_is_given_and_never_shown(
    sidecar, wiring, connection, folder
):
    file = folder / "consumer-secret"
    file.write_text("0123456789ABCDEF0123456789ABCDEF\n")
    options = ("--kind", "canvas", "--from-file", file)
    result = sidecar("secrets", "new", connection.id, *options)

    assert result.exit_code == 0
    assert f"/canvas/{connection.id}\n" in result.stdout
    assert "0123456789" not in result.output + sidecar("secrets", "list").output
    with wiring.engine.connect() as db:
        (found,) = webhook_secrets.accepted(
            db, connection.id, now=wiring.now(), keyring=wiring.keyring
        )
    assert found.value == "0123456789ABCDEF0123456789ABCDEF"


@pytest.mark.parametrize("given", ["", "short", "two words of a text", "größer-als-8"])
def test_what_is_no_consumer_secret_is_refused_with_the_remedy(
    sidecar, connection, folder, given
):
    file = folder / "consumer-secret"
    file.write_text(given)
    options = ("--kind", "canvas", "--from-file", file)
    result = sidecar("secrets", "new", connection.id, *options)

    assert result.exit_code != 0
    assert "as the app's settings show it" in " ".join(result.output.split())
    bare = sidecar("secrets", "new", connection.id, "--kind", "canvas")
    assert "give it with --from-file" in " ".join(bare.output.split())
