"""How a mail ended is committed, or it is said that nobody knows."""

import psycopg
import pytest

from sidecar.store.claims import End


def test_a_connection_that_breaks_while_a_mail_is_settled_is_told(wiring, database_url):
    """An answer that never came must not pass for a commit."""
    settler = wiring.settler
    settler.begin({}, [], now=wiring.now())
    assert settler.finish() == frozenset()

    with psycopg.connect(database_url) as other:
        other.execute("LOCK TABLE follow_up IN ACCESS EXCLUSIVE MODE")
        settler.begin({1: (1, End("done"))}, [], now=wiring.now())
        waiting = """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND query LIKE '%settled%'
              AND datname = current_database()
        """
        ended = (other.execute(waiting).fetchone()[0] for _ in range(10_000))
        assert any(ended), "the settlement never waited for the table"
        with pytest.raises(psycopg.Error):
            settler.finish()

    settler.begin({}, [], now=wiring.now())
    assert settler.finish() == frozenset(), "the next one has a new connection"
