"""Bounds on how much comes: a sender's rate, and a record that changes without end."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sidecar.intake import peer
from sidecar.intake.brake import Brake
from sidecar.intake.rates import Rates

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_burst_is_taken_and_then_so_many_a_second():
    rates = Rates(per_second=2, burst=3)

    assert [rates.take("a", at=0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert rates.take("b", at=0) == 0, "nobody waits for another"
    assert rates.wait("a", at=0.25) == 0.25
    assert rates.take("a", at=0.5) == 0
    assert rates.take("a", at=0.5) > 0


def test_what_was_taken_in_anothers_name_is_given_back():
    rates = Rates(per_second=1, burst=1)
    rates.take("a", at=0)
    rates.give_back("a", at=0)

    assert rates.take("a", at=0) == 0
    rates.give_back("a", at=100)
    rates.take("a", at=100)
    assert rates.take("a", at=100) > 0, "never more than a burst"


@given(st.lists(st.floats(0, 10), min_size=1, max_size=60))
def test_never_more_than_burst_and_rate_allow(steps):
    rates = Rates(per_second=5, burst=4)
    at, taken = 0.0, 0
    for step in steps:
        at += step
        taken += rates.take("a", at=at) == 0
    assert taken <= 4 + 5 * at + 1e-6


def test_a_flood_of_senders_fills_no_memory():
    rates = Rates(per_second=1, burst=2, remembered=10)
    for number in range(1000):
        rates.take(number, at=0)

    assert len(rates._buckets) == 10
    brake = Brake(remembered=10)
    for number in range(1000):
        brake.until(number, at=AT)
    assert len(brake._windows) == 10


def test_a_storm_waits_for_the_end_of_its_window():
    """Promise 15."""
    brake = Brake(limit=2, window=timedelta(seconds=60))
    later = AT + timedelta(seconds=59)
    end = AT + timedelta(seconds=60)

    assert brake.until("a", at=AT) is None
    assert brake.until("a", at=AT) is None
    assert brake.until("a", at=later) == end
    assert brake.until("b", at=later) is None, "nobody waits for another"
    assert brake.until("a", at=end) is None


def test_a_clock_set_back_ends_a_window():
    brake = Brake(limit=1)
    brake.until("a", at=AT)
    assert brake.until("a", at=AT - timedelta(hours=1)) is None


PROXIES = peer.networks(["10.0.0.0/8", "2001:db8::1"])


def caller(remote, forwarded=None, proxies=PROXIES):
    environ = {"REMOTE_ADDR": remote}
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    return peer.address(environ, proxies)


def test_only_proxies_of_ours_say_who_called():
    assert caller("192.0.2.1", "198.51.100.1") == "192.0.2.1"
    assert caller("10.1.1.1", "198.51.100.1") == "198.51.100.1"
    assert caller("10.1.1.1", "1.1.1.1, 198.51.100.1, 10.2.2.2") == "198.51.100.1"
    assert caller("2001:db8::1", "198.51.100.1") == "198.51.100.1"
    assert caller("::ffff:10.1.1.1", "198.51.100.1") == "198.51.100.1"
    assert caller("10.1.1.1", "198.51.100.1", ()) == "10.1.1.1"
    assert caller("10.1.1.1") == "10.1.1.1"


@given(st.text(), st.text())
def test_whatever_the_header_holds_there_is_an_address(remote, forwarded):
    assert isinstance(caller(remote, forwarded), str)
    assert len(caller("10.1.1.1", forwarded)) <= 64
