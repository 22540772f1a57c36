"""Settings and databases that are wrong or away: one line, its variable, an exit code."""

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg import sql

from sidecar import keyring

# Verbs that need settings; what they would do is not done.
NEEDY = [
    ("up", "--data", "{folder}"),
    ("web",),
    ("worker", "--burst"),
    ("clock",),
    ("db", "upgrade"),
    ("connections", "list"),
    ("events", "list"),
    ("events", "replay", "1"),
    ("followups", "list"),
    ("doctor",),
]
verbs = pytest.mark.parametrize("verb", NEEDY, ids=" ".join)


@verbs
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIDECAR_DATABASE_URL", "mysql://user:hush-hush@host/name"),
        ("SIDECAR_MAX_MESSAGE_BYTES", "ten"),
        ("SIDECAR_KEYS", "hush-hush"),
        ("SIDECAR_DATABSE_URL", "postgresql://user:hush-hush@host/name"),
    ],
)
def test_a_wrong_setting_exits_with_2_and_the_variables_name(
    run, folder, verb, name, value
):
    result = run(*(word.format(folder=folder) for word in verb), **{name: value})

    assert result.exit_code == 2
    assert name in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert "hush-hush" not in result.output
    assert not list(folder.iterdir()), "something was started"


@pytest.mark.parametrize("verb", ["web", "worker", "clock"])
@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "SIDECAR_DATABASE_URL"),
        ({"SIDECAR_DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "SIDECAR_KEYS"),
    ],
)
def test_no_service_starts_without_a_database_and_a_key(run, verb, given, missing):
    result = run(verb, **given)

    assert result.exit_code == 2
    assert missing in result.stderr
    assert len(result.output.splitlines()) == 1, "something ran before it was looked at"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIDECAR_DATABASE_URL", "postgresql://user:hush-hush@host:port/name"),
        ("SIDECAR_KEYS_FILE", "{folder}/binary"),
        ("SIDECAR_KEYS_FILE", "{folder}/wrong"),
    ],
)
def test_what_shows_only_when_it_is_used_exits_with_2_too(run, folder, name, value):
    (folder / "binary").write_bytes(b"\xff\xfe")
    (folder / "wrong").write_text("hush-hush")
    environ = {"SIDECAR_DATABASE_URL": "postgresql://127.0.0.1:1/x"}

    result = run("events", "list", **environ | {name: value.format(folder=folder)})

    # Nothing of it is used before the database is asked, except for the address.
    if name == "SIDECAR_DATABASE_URL":
        assert result.exit_code == 2
        assert name in result.stderr
        assert "hush-hush" not in result.output
    result = run("doctor", "--json", **environ | {name: value.format(folder=folder)})
    assert name in result.stdout or name in result.stderr
    assert "hush-hush" not in result.output


def test_without_a_database_it_is_told_which_variable_names_one(run):
    result = run("connections", "list")

    assert result.exit_code == 2
    assert "SIDECAR_DATABASE_URL is not set" in result.stderr


def test_outside_of_the_demo_nothing_is_sealed_without_a_key(sidecar, folder):
    (folder / "key").write_text("secret")
    add = ["connections", "add", "acme", "--org-id", "00D000000000001"]
    add += ["--instance-url", "https://acme.my.salesforce.com", "--client-id", "x"]
    add += ["--secret-file", folder / "key", "--flow", "client_credentials"]

    result = sidecar(*add, SIDECAR_DEMO="false")
    assert result.exit_code == 2
    assert "SIDECAR_KEYS" in result.stderr

    result = sidecar(*add, SIDECAR_DEMO="false", SIDECAR_KEYS=keyring.new_key())
    assert result.exit_code == 0


@pytest.mark.parametrize(
    "verb",
    [
        ("db", "upgrade"),
        ("connections", "list"),
        ("events", "list", "--json"),
        ("events", "show", "1"),
        ("events", "replay", "1"),
        ("followups", "list"),
        ("followups", "retry", "1"),
    ],
    ids=" ".join,
)
def test_a_database_that_is_away_is_told_in_one_line(run, verb, nobody):
    url = f"postgresql://user:hush-hush@127.0.0.1:{nobody}/name"

    result = run(*verb, SIDECAR_DATABASE_URL=url, SIDECAR_DEMO="true")

    assert result.exit_code == 1
    assert result.stderr.startswith("the database is away: ")
    assert "Traceback" not in result.output
    assert "hush-hush" not in result.output


@pytest.fixture
def empty_url(database_url):
    """A database in which nothing has been made yet."""
    name = database_url.rpartition("/")[2] if "?" not in database_url else None
    with psycopg.connect(database_url, autocommit=True) as db:
        name = f"{db.info.dbname}_empty"
        db.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        old = f"/{db.info.dbname}"
    return database_url.replace(old, f"/{name}", 1)


def test_tables_that_are_missing_are_told_and_made(run, empty_url):
    environ = {"SIDECAR_DATABASE_URL": empty_url, "SIDECAR_DEMO": "true"}

    before = run("connections", "list", **environ)
    assert before.exit_code == 1
    assert before.stderr.strip().endswith("run `sidecar db upgrade`")

    for _ in range(2):  # a second time there is nothing to do
        upgraded = run("db", "upgrade", **environ)
        assert (upgraded.exit_code, upgraded.stderr) == (0, "")
        assert upgraded.stdout == "the database is up to date\n"

    assert run("connections", "list", **environ).exit_code == 0


def test_a_new_key_is_one_and_always_another(run):
    first, second = (run("keys", "new").stdout.strip() for _ in range(2))

    assert first != second
    Fernet(first)
    assert run("db", "upgrade", SIDECAR_KEYS=f"{first},{second}").exit_code == 2
    assert "SIDECAR_KEYS" not in run("db", "upgrade", SIDECAR_KEYS=first).stderr
