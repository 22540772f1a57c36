"""The row of a deployment: one turn at a time, one deployment at a time."""

from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from sidecar.errors import Permanent
from sidecar.store import answers, deployment_files, deployments, installed
from sidecar.store.deployments import Admin, NewDeployment
from sidecar.store.tables import metadata

ADMIN = Admin(
    "https://example.my.salesforce.com", "00D000000000001!secret.of.the.admin"
)
LEASE = timedelta(seconds=120)


@pytest.fixture
def ask(wiring, connect):
    """Ask for deployments of one connection."""
    connection, _ = connect()

    def add(**given):
        values = {
            "connection_id": connection.id,
            "org_id": connection.org_id,
            "kind": "install",
            "modules": ["core"],
            "options": {},
            "stage": "look",
            "requested_by": "admin@example.com",
        }
        with wiring.engine.begin() as db:
            return deployments.add(
                db,
                NewDeployment(**(values | given)),
                admin=ADMIN,
                now=wiring.now(),
                keyring=wiring.keyring,
            )

    return add


@pytest.fixture
def claim(wiring):
    def take(id_):
        with wiring.engine.begin() as db:
            now = wiring.now()
            return deployments.claim(db, id_, now=now, lease_ends=now + LEASE)

    return take


@pytest.fixture
def write(wiring):
    def put(id_, turn, **changes):
        with wiring.engine.begin() as db:
            return deployments.write(db, id_, turn, changes)

    return put


def test_the_tables_are_what_the_migrations_make(wiring):
    with wiring.engine.connect() as db:
        assert compare_metadata(MigrationContext.configure(db), metadata) == []


def test_a_connection_has_one_open_deployment_at_a_time(ask, claim, write):
    first = ask()

    with pytest.raises(Permanent, match=f"deployment {first} of this connection"):
        ask()

    write(first, claim(first).attempts, state="done")
    assert ask() != first


def test_a_turn_is_nobody_else_s_until_its_lease_ends(ask, claim, write, hand):
    id_ = ask()
    turn = claim(id_).attempts

    assert claim(id_) is None
    hand.move(seconds=LEASE.total_seconds() + 1)
    later = claim(id_).attempts

    assert not write(id_, turn, async_id="0Af_late")
    assert write(id_, later, async_id="0Af000000000001AAA", state="waiting")


def test_what_an_org_was_told_to_do_is_found_by_whoever_goes_on(
    wiring, ask, claim, write, hand
):
    id_ = ask()
    write(id_, claim(id_).attempts, async_id="0Af000000000001AAA")
    hand.move(seconds=LEASE.total_seconds() + 1)

    assert claim(id_).async_id == "0Af000000000001AAA"


def test_the_admin_is_sealed_and_gone_at_the_end(wiring, ask):
    id_ = ask()
    with wiring.engine.begin() as db:
        (kept,) = db.execute(text("SELECT deployment::text FROM deployment")).one()
        assert deployments.admin(db, id_, keyring=wiring.keyring) == ADMIN
        deployments.end(db, id_)
        assert deployments.admin(db, id_, keyring=wiring.keyring) is None

    assert "secret.of" not in kept
    assert "secret.of" not in repr(ADMIN)


def test_a_new_token_lets_a_deployment_go_on_that_asked_for_one(
    wiring, ask, claim, write
):
    id_ = ask()
    write(id_, claim(id_).attempts, state="asking", question="token", stage="deploy")
    assert claim(id_) is None

    with wiring.engine.begin() as db:
        other = Admin(ADMIN.instance_url, "another")
        assert answers.give_admin(
            db, id_, other, now=wiring.now(), keyring=wiring.keyring
        )

    assert claim(id_).stage == "deploy"


def test_a_yes_counts_for_the_plan_that_was_shown_and_no_other(
    wiring, ask, claim, write
):
    id_ = ask()
    write(id_, claim(id_).attempts, state="asking", question="yes", fingerprint="new")
    with wiring.engine.begin() as db:
        now = wiring.now()
        assert not answers.say_yes(db, id_, fingerprint="old", now=now)
        assert answers.say_yes(db, id_, fingerprint="new", now=now)

    assert claim(id_).options == {"yes": "new"}


def test_files_come_back_byte_by_byte_and_sealed(wiring, ask):
    id_ = ask()
    tree = {
        "workflows/Lead.workflow": b"<endpointUrl>/hooks/outbound/k3y</endpointUrl>"
    }
    with wiring.engine.begin() as db:
        for name in ("org", "before"):
            deployment_files.keep(db, id_, name, tree, keyring=wiring.keyring)
        kept = db.execute(text("SELECT sealed FROM deployment_files")).scalars().all()
        assert deployment_files.of(db, id_, "org", keyring=wiring.keyring) == tree
        deployments.end(db, id_)
        assert deployment_files.of(db, id_, "org", keyring=wiring.keyring) is None
        assert deployment_files.of(db, id_, "before", keyring=wiring.keyring) == tree

    assert not any("k3y" in each for each in kept)


def test_what_was_installed_last_is_what_is_known(wiring, ask):
    id_ = ask()
    with wiring.engine.begin() as db:
        connection_id = deployments.find(db, id_).connection_id
        for version in ("1", "2"):
            installed.keep(
                db,
                connection_id,
                modules=["core"],
                version=version,
                deployment_id=id_,
                files={"a": b"ours " + version.encode()},
                before={"a": b"theirs"},
                now=wiring.now(),
                keyring=wiring.keyring,
            )
        known = installed.of(db, connection_id, keyring=wiring.keyring)
        assert (known.version, known.files) == ("2", {"a": b"ours 2"})
        assert known.before == {"a": b"theirs"}
        installed.forget(db, connection_id)
        assert installed.of(db, connection_id, keyring=wiring.keyring) is None


def test_cancelling_wakes_a_deployment_that_waits_for_a_person(
    wiring, ask, claim, write
):
    id_ = ask()
    write(id_, claim(id_).attempts, state="asking", question="yes")
    with wiring.engine.begin() as db:
        assert answers.cancel(db, id_, now=wiring.now())

    assert claim(id_).cancel_asked_at is not None
