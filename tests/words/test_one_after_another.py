"""Between two mails of a batch much may happen: a stop, a closed door, a late worker."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from programme import Programme

from sidecar.jobs.deliver.attempts import claim
from sidecar.jobs.deliver.words import deliver_words
from sidecar.mail.pool import Away
from sidecar.salesforce import referrers
from sidecar.store import connections, referrer_stops


class Server:
    """Takes all, and lets something happen with each."""

    def __init__(self, happens) -> None:
        self.happens, self.letters = happens, []

    def send(self, letter) -> str:
        self.letters.append(letter)
        self.happens()
        return "250 taken"

    @contextmanager
    def __call__(self):
        yield self


def deliver(programme: Programme, post) -> int:
    wiring = programme.wiring
    return deliver_words(
        programme.linked.id,
        engine=wiring.engine,
        keyring=wiring.keyring,
        referrers=lambda id_, ids: referrers.read(wiring.records, id_, ids),
        reps=wiring.records,
        post=post,
        write=wiring.write_word,
        lease=wiring.lease,
        now=wiring.now,
    )


def two_waiting(programme: Programme) -> tuple[str, str]:
    """Two referrers with a word each that is due."""
    both = programme.referrer(), programme.referrer()
    normal, programme.wiring.deliver = programme.wiring.deliver, lambda *_: 0
    for each in both:
        programme.refer(each)
    programme.wiring.deliver = normal
    return both


def test_who_stops_while_a_batch_goes_out_gets_no_more(programme: Programme) -> None:
    both = two_waiting(programme)
    wiring, id_ = programme.wiring, programme.linked.id

    def all_stop_and_salesforce_is_told() -> None:
        with wiring.engine.begin() as db:
            for each in both:
                referrer_stops.ask(db, id_, each, now=wiring.now())
        wiring.deliver(id_, referrer_stops.KIND)

    server = Server(all_stop_and_salesforce_is_told)
    deliver(programme, server)
    assert len(server.letters) == 1
    assert programme.words("state") == [("done",), ("cancelled",)]
    assert programme.why_not()[1] == "the referrer wants no more of these mails"


def test_a_server_that_sends_us_away_is_left_in_peace(programme: Programme) -> None:
    two_waiting(programme)

    def away() -> None:
        until = programme.wiring.now() + timedelta(minutes=5)
        raise Away("421 going down", retry_at=until, costs=True)

    server = Server(away)
    deliver(programme, server)
    assert len(server.letters) == 1
    assert programme.words("state", "attempts") == [("waiting", 1), ("waiting", 0)]


def test_a_worker_who_is_late_leaves_the_lane_to_whoever_has_it(
    programme: Programme,
) -> None:
    two_waiting(programme)
    wiring, id_ = programme.wiring, programme.linked.id

    def somebody_else_comes() -> None:
        if len(server.letters) == 1:
            wiring.now.move(seconds=wiring.lease.total_seconds() + 1)
            with wiring.engine.begin() as db:
                assert lane(db)

    def lane(db) -> bool:
        now = wiring.now()
        until = now + wiring.lease
        return connections.take_lane(db, id_, now=now, until=until, kind="word")

    server = Server(somebody_else_comes)
    deliver(programme, server)
    with wiring.engine.begin() as db:
        assert not lane(db)


def test_what_breaks_us_keeps_no_other_waiting(programme: Programme) -> None:
    two_waiting(programme)

    def breaks() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        deliver(programme, Server(breaks))
    assert programme.words("state", "attempts") == [("sending", 1), ("waiting", 0)]


def test_a_word_never_tried_is_not_in_doubt_with_one_that_was(
    programme: Programme,
) -> None:
    wiring = programme.wiring
    mira = programme.referrer()
    one, two = (programme.refer(mira, name) for name in ("One", "Two"))
    normal, wiring.deliver = wiring.deliver, lambda *_: 0
    programme.hear(one, "Qualified")
    engine, keyring, id_ = wiring.engine, wiring.keyring, programme.linked.id
    assert claim(engine, keyring, id_, "word", 9, wiring.now(), wiring.lease)
    programme.hear(two, "Qualified")
    wiring.deliver = normal

    for _ in range(2):
        wiring.now.move(days=2)
        programme.deliver()
    assert programme.words()[2:] == [("qualified", "uncertain"), ("qualified", "done")]
