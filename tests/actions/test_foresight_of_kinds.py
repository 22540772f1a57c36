"""What a playbook would do is told for every kind of action, and nothing is done."""

import pytest
from messages import lead, message, notification
from sqlalchemy import func, select, update

from sidecar.intake import arrivals, outbound_message
from sidecar.jobs import foresight
from sidecar.playbooks.read import read
from sidecar.referral.playbook import RULES
from sidecar.store.tables import connection as connection_table
from sidecar.store.tables import follow_up

PLAYBOOK = """
version: "all 1"
milestones:
  submitted:
    - {action: a, task: {subject: "Call {prospect}"}}
    - {action: b, email: {template: new_referral, to: manager}}
    - {action: c, chat: {channel: sales, text: "New: {prospect}"}}
    - {action: d, set_field: {field: Rating, value: Hot}}
    - {action: e, add_to_campaign: {campaign: 701000000000001AAA}}
"""
AIMED = [
    ("a", "task"),
    ("b", "email"),
    ("c", "chat", "sales"),
    ("d", "set_field", "Rating"),
    ("e", "add_to_campaign", "701000000000001AAA"),
]


@pytest.fixture
def heard(wiring, connect):
    """A connection whose referral has just been submitted; and the playbook."""
    connection, _ = connect()
    with wiring.engine.begin() as db:
        db.execute(update(connection_table).values(playbook=PLAYBOOK))
    told = outbound_message.read(message([notification(1, lead(1))]))
    wiring.process(wiring.scribe.keep(arrivals.of(told, connection, wiring.now())))
    return connection, read(PLAYBOOK, templates=wiring.templates)


def test_a_simulation_tells_every_kind_and_does_nothing(wiring, heard, hand):
    connection, playbook = heard
    with wiring.engine.connect() as db:
        before = db.scalar(select(func.count()).select_from(follow_up))
    since = wiring.now().replace(year=2020)
    hand.move(hours=1)

    with foresight.reading(wiring.engine) as db:
        found = foresight.simulate(
            db,
            connection,
            playbook,
            since=since,
            now=wiring.now(),
            keyring=wiring.keyring,
        )
        explained = foresight.explain(
            db,
            connection,
            found[0].referral_key,
            playbook,
            now=wiring.now(),
            keyring=wiring.keyring,
        )

    assert {item.kind for item in found} <= set(RULES)
    for name, kind, *aim in AIMED:
        (item,) = (one for one in found if one.action == name)
        assert (item.kind, item.done) == (kind, True)
        if aim:
            assert [item.to] == aim
        (told,) = (one for one in explained["actions"] if one["action"] == name)
        assert (told["kind"], told["because_of"]) == (kind, "all 1")
    with wiring.engine.connect() as db:
        assert db.scalar(select(func.count()).select_from(follow_up)) == before


def test_each_follow_up_names_the_version_that_caused_it(wiring, heard):
    with wiring.engine.connect() as db:
        rows = db.execute(select(follow_up.c.kind, follow_up.c.playbook_version))
        assert sorted(map(tuple, rows)) == sorted(
            (kind, "all 1") for _, kind, *_ in AIMED
        )
