"""Connections: an org is connected, its address shown once, its fields learnt."""

import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sidecar.store import connections

WSDL = Path(__file__).parents[1] / "unit" / "messages" / "lead_listener.wsdl"
GIVEN = {
    "--org-id": "00D000000000001",
    "--instance-url": "https://acme.my.salesforce.com/home",
    "--client-id": "3MVG9",
    "--flow": "client_credentials",
    "--secret-file": "-",
}


def add(name="acme", **changed):
    """The words that connect an org, with these options changed."""
    options = GIVEN | {f"--{key.replace('_', '-')}": v for key, v in changed.items()}
    pairs = [(key, value) for key, value in options.items() if value is not None]
    return ["connections", "add", name, *(word for pair in pairs for word in pair)]


def test_an_org_is_connected_and_its_address_shown_once(sidecar, wiring):
    result = sidecar(*add(), "--json", given="a secret\n")

    assert (result.exit_code, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    assert told["org_id"] == "00D000000000001EAA"
    address, _, hook_key = told["hook_url"].rpartition("/")
    assert address == "https://sidecar.example.com/hooks/outbound"

    found = wiring.connection_of(hook_key)
    assert found is not None
    assert (found.id, found.name, found.org_id) == (
        told["id"],
        "acme",
        "00D000000000001EAA",
    )
    assert found.instance_url == found.login_url == "https://acme.my.salesforce.com"
    with wiring.engine.connect() as db:
        assert (
            connections.login(db, found.id, keyring=wiring.keyring).secret == "a secret"
        )

    for again in (
        sidecar("connections", "list"),
        sidecar("connections", "list", "--json"),
    ):
        assert again.exit_code == 0
        assert "acme" in again.stdout
        assert hook_key not in again.output
        assert "a secret" not in again.output


def test_without_json_it_is_told_to_a_person(sidecar, wiring):
    result = sidecar(*add(), given="x")

    assert result.exit_code == 0
    assert "(acme) to org 00D000000000001EAA" in result.stdout
    assert "https://sidecar.example.com/hooks/outbound/" in result.stdout
    assert "shown this once" in result.stdout


def test_an_org_may_bring_its_own_words_and_rules(sidecar, wiring, folder):
    book = folder / "playbook.yaml"
    book.write_text("version: '7'\nmilestones: {}\n")

    result = sidecar(
        *add(
            flow="refresh_token",
            login_url="https://login.salesforce.com",
            time_zone="Europe/Berlin",
            fallback_owner="005000000000009",
            statuses='{"Neu": "submitted"}',
            playbook=book,
        ),
        given="x",
    )

    assert result.exit_code == 0
    with wiring.engine.connect() as db:
        (found,) = connections.listing(db)
    assert found.flow == "refresh_token"
    assert found.login_url == "https://login.salesforce.com"
    assert found.time_zone == "Europe/Berlin"
    assert found.fallback_owner_id == "005000000000009AAA"
    assert found.statuses == {"Neu": "submitted"}
    assert wiring.playbook_of(found).version == "7"


@pytest.mark.parametrize(
    ("changed", "code", "told"),
    [
        ({"org_id": "nonsense"}, 2, "--org-id 'nonsense' is no org id"),
        ({"org_id": "001000000000001"}, 2, "is no org id"),
        ({"org_id": None}, 2, "--org-id"),
        ({"secret_file": None}, 2, "--secret-file"),
        ({"secret_file": "{folder}/none"}, 2, "--secret-file"),
        ({"flow": "password"}, 2, "--flow"),
        ({"flow": "jwt"}, 2, "--username is needed"),
        ({"flow": "jwt", "username": "i@acme.example"}, 2, "no private key"),
        ({"time_zone": "Mars/Olympus"}, 2, "--time-zone 'Mars/Olympus' is not known"),
        ({"time_zone": "Europe"}, 2, "--time-zone 'Europe' is not known"),
        ({"time_zone": "../etc/passwd"}, 2, "is not known"),
        ({"fallback_owner": "00G000000000001"}, 2, "is no user's id"),
        ({"fallback_owner": "rita"}, 2, "is no user's id"),
        ({"statuses": "{"}, 2, "--statuses takes an object"),
        ({"statuses": "[]"}, 2, "--statuses takes an object"),
        ({"statuses": '{"Neu": "new"}'}, 2, "submitted, contacted"),
        ({"instance_url": "https://acme.example.com"}, 2, "--instance-url: 'acme."),
        ({"instance_url": "http://acme.my.salesforce.com"}, 2, "not an https address"),
        ({"login_url": "https://example.com"}, 2, "--login-url: 'example.com'"),
        ({"playbook": "{folder}/wrong.yaml"}, 1, "version: Missing data"),
        ({"playbook": "{folder}/binary"}, 2, "binary is no text"),
        ({"playbook": "{folder}/posts.yaml"}, 2, "a new connection has none"),
        ({"secret_file": "{folder}/binary"}, 2, "binary is no text"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_kept(
    sidecar, wiring, folder, changed, code, told
):
    (folder / "wrong.yaml").write_text("milestones: {}")
    post = (
        '{version: "1", milestones: {won: [{action: a, chat: {channel: x, text: y}}]}}'
    )
    (folder / "posts.yaml").write_text(post)
    (folder / "binary").write_bytes(b"\xff\xfe\x00")
    changed = {
        key: value.format(folder=folder) if "folder" in str(value) else value
        for key, value in changed.items()
    }

    result = sidecar(*add(**changed), given="x")

    assert result.exit_code == code
    assert told in result.stderr
    with wiring.engine.connect() as db:
        assert connections.listing(db) == []


def test_a_name_is_given_once(sidecar, wiring):
    assert sidecar(*add(), given="x").exit_code == 0

    again = sidecar(*add(), given="x")

    assert again.exit_code == 2
    assert "there is a connection 'acme' already" in again.stderr


def test_connections_are_listed(sidecar, connect):
    none = sidecar("connections", "list")
    assert (none.exit_code, none.stderr) == (0, "")
    assert "connections add" in none.stdout
    assert json.loads(sidecar("connections", "list", "--json").stdout) == []

    first, _ = connect(name="first")
    second, _ = connect(name="second")

    told = json.loads(sidecar("connections", "list", "--json").stdout)
    assert [row["name"] for row in told] == ["first", "second"]
    assert [row["id"] for row in told] == [first.id, second.id]
    shown = {"id", "name", "org", "flow", "instance", "paused", "why", "old address"}
    assert shown == set(told[0])


def test_the_key_that_signs_in_is_made_here_and_stays_here(sidecar, wiring, folder):
    file = folder / "jwt.key"

    made = sidecar("keys", "sign-in", file, "--days", 30)

    assert (made.exit_code, made.stderr) == (0, "")
    assert file.stat().st_mode & 0o777 == 0o600
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    found = x509.load_pem_x509_certificate(made.stdout.encode())
    assert found.public_key() == key.public_key()
    assert "PRIVATE" not in made.output
    words = add(flow="jwt", username="integration@acme.example", secret_file=str(file))
    assert sidecar(*words).exit_code == 0

    before = file.read_bytes()
    again = sidecar("keys", "sign-in", file)
    assert (again.exit_code, "nothing was written" in again.stderr) == (2, True)
    assert file.read_bytes() == before


def test_an_address_is_replaced_without_a_message_lost(sidecar, wiring, connect):
    """The old one is taken until somebody ends it, and it shows whether it is used."""
    connection, old = connect(name="acme")

    def whose(hook_key):
        wiring._known.clear()
        found = wiring.connection_of(hook_key)
        return found and found.id

    def told_of_the_old():
        (row,) = json.loads(sidecar("connections", "list", "--json").stdout)
        return row["old address"]

    assert told_of_the_old() is None
    told = json.loads(sidecar("connections", "new-address", "acme", "--json").stdout)
    new = told["hook_url"].rpartition("/")[2]
    assert told["events_url"].rpartition("/")[2] == new

    placeholders = wiring.placeholders(connection.id)
    assert placeholders["REFERRAL_ENDPOINT_URL"].endswith(new)
    assert whose(new) == connection.id
    assert told_of_the_old() == "not used since"
    assert whose(old) == connection.id
    assert told_of_the_old().startswith("used last 2")

    again = sidecar("connections", "new-address", "acme")
    assert (again.exit_code, "end it first" in again.stderr) == (2, True)
    assert whose(old) == whose(new) == connection.id

    kept = sidecar("connections", "end-address", "acme", given="n\n")
    assert kept.exit_code == 1
    assert "used last" in kept.stdout
    ended = sidecar("connections", "end-address", str(connection.id), "--yes")
    assert (ended.exit_code, "used last: 2" in ended.stdout) == (0, True)
    assert (whose(old), whose(new)) == (None, connection.id)
    assert sidecar("connections", "end-address", "acme").exit_code == 2
    trail = sidecar("audit", "list", "--json").stdout
    assert "connections.new_address" in trail
    assert "connections.end_address" in trail
    assert new not in trail


def test_a_door_does_not_wait_for_who_holds_the_connections_row(
    wiring, connect, sidecar
):
    """A login may take a minute, and holds it."""
    connection, old = connect(name="acme")
    assert sidecar("connections", "new-address", "acme").exit_code == 0
    with wiring.engine.begin() as db:
        row = connections.connection.select().with_for_update()
        db.execute(row).all()

        assert wiring.connection_of(old).id == connection.id


def test_fields_are_learnt_from_a_listener_wsdl(sidecar, wiring, connect):
    connection, hook_key = connect()

    result = sidecar("connections", "fields", connection.id, WSDL)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Lead: Id, AnnualRevenue, Company, ")
    found = wiring.connection_of(hook_key)
    assert found.field_lists["Lead"][:3] == ["Id", "AnnualRevenue", "Company"]


@pytest.mark.parametrize(
    ("number", "file", "code", "told"),
    [
        ("7777", WSDL, 2, "there is no connection 7777"),
        ("x", WSDL, 2, "there is no connection 'x'"),
        ("{id}", WSDL / "none", 2, "Not a directory"),
        ("{id}", __file__, 1, "not well-formed XML"),
        (
            "{id}",
            WSDL.parent / "one_lead.xml",
            1,
            "not the WSDL of an outbound message",
        ),
    ],
)
def test_what_teaches_no_fields_is_told(
    sidecar, wiring, connect, number, file, code, told
):
    connection, hook_key = connect()

    result = sidecar("connections", "fields", number.format(id=connection.id), file)

    assert result.exit_code == code
    assert told in result.stderr
    assert wiring.connection_of(hook_key).field_lists == {}


@pytest.mark.parametrize(("bits", "code"), [(2048, 0), (1024, 2)])
def test_a_key_that_salesforce_takes_is_taken(sidecar, bits, code):
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    result = sidecar(*add(flow="jwt", username="i@acme.example"), given=pem.decode())

    assert result.exit_code == code, result.output


@pytest.mark.parametrize(
    "verb", ["connections test {}", "secrets list {}", "calendars show {}"]
)
def test_a_connection_is_named_by_name_or_by_number(sidecar, verb):
    sidecar(*add(), given="x")

    by = [sidecar(*verb.format(name).split()) for name in ("acme", "1")]

    assert by[0].output == by[1].output
    assert by[0].exit_code == by[1].exit_code
    unknown = sidecar(*verb.format("nowhere").split())
    assert unknown.exit_code == 2
    assert "there is no connection 'nowhere'" in unknown.output
