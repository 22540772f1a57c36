"""What is wrong with one mail, or with the database for a moment, is not the others'."""

from dataclasses import replace

import psycopg
import pytest
from office import RALF
from sqlalchemy import text, update

from sidecar.store.tables import follow_up


def test_a_mail_whose_content_does_not_open_is_a_dead_letter_alone(office):
    office.plan("Ada", "Bert", "Cleo")
    with office.wiring.engine.begin() as db:
        broken = update(follow_up).where(follow_up.c.referral_key == "Ada")
        db.execute(broken.values(sealed="no seal"))
    office.deliver()

    assert office.states == [("dead", 1), ("done", 1), ("done", 1)]
    assert "cannot be opened" in office.column("error")[0]


def test_a_mail_whose_content_is_not_ours_is_a_dead_letter_alone(office):
    office.plan("Ada", "Bert")
    seal = office.wiring.keyring.seal
    with office.wiring.engine.begin() as db:
        broken = update(follow_up).where(follow_up.c.referral_key == "Ada")
        db.execute(broken.values(sealed=seal('{"secret": "Ada Example"}')))
    office.deliver()

    assert office.states == [("dead", 1), ("done", 1)]
    assert "Ada Example" not in office.column("error")[0]


def test_what_follows_a_mail_that_breaks_us_goes_back_untouched(office):
    """A bug is not caught; its neighbours go with the next ring."""
    office.plan("Ada", to=RALF)
    office.plan("Bert", "Cleo")
    ralf = office.staff.known[RALF]
    office.staff.known[RALF] = replace(ralf, time_zone="Mars/Olympus")
    with pytest.raises(KeyError):
        office.deliver()
    assert office.states == [("sending", 1), ("waiting", 0), ("waiting", 0)]

    office.deliver()
    assert office.states == [("sending", 1), ("done", 1), ("done", 1)]


def test_a_mail_that_has_left_is_settled_though_the_connection_breaks(office):
    """Ada's mail is with the server; PostgreSQL ends the connection; all is well."""
    office.plan("Ada", "Bert", "Cleo")
    engine, real = office.wiring.engine, office.wiring.settler

    class Breaking:
        begun = 0

        def begin(self, ends, following, *, now):
            self.begun += 1
            if self.begun == 2:
                own = real._prepared.pgconn().backend_pid
                with engine.begin() as db:
                    db.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
            real.begin(ends, following, now=now)

        def finish(self):
            return real.finish()

    with pytest.raises(psycopg.Error):
        office.deliver(settler=Breaking())
    assert office.subjects == ["New referral: Ada"]
    assert office.states[0] == ("done", 1)
    assert office.states[2] == ("waiting", 0)

    office.move(minutes=3)
    office.deliver()
    assert len(office.peer.mails()) == 3
