"""Outbound messages leave as from Salesforce: after the commit, until acknowledged."""

import time
from datetime import timedelta
from itertools import pairwise

import pytest
from meta_listener import ACK, NACK, Listener

from sidecar.devorg.certificates import make_tls
from sidecar.devorg.clock import OrgClock
from sidecar.devorg.founding import ADMIN, INTEGRATION
from sidecar.devorg.org import Org
from sidecar.devorg.outbound.message import Action

FIELDS = ("Id", "Company", "LastName", "Email", "SystemModstamp")


@pytest.fixture
def listener():
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def org():
    made = Org.fresh(seed=7, clock=OrgClock())
    yield made
    made.stop()


@pytest.fixture
def admin(org):
    return org.system(org.user_named(ADMIN))


def action(org, url, *, user=ADMIN, name="Lead.Changed"):
    made = Action(
        id=org.ids.new("04k"),
        full_name=name,
        object_name="Lead",
        endpoint_url=url,
        fields=FIELDS,
        api_version="62.0",
        integration_user_id=org.user_named(user),
    )
    org.outbound.actions[made.id] = made
    return made


def leads(org, admin, count):
    with org.work():
        return [
            org.records.create(admin, "Lead", {"LastName": f"L{n}", "Company": "C"})
            for n in range(count)
        ]


def settled(org, seconds=10):
    """Wait until nothing is queued or under way."""
    for _ in range(int(seconds * 200)):
        status = org.outbound.status()
        if not status["queued"] and not status["under_way"]:
            return status
        time.sleep(0.005)
    raise AssertionError(status)


def failures(org, count, seconds=10):
    """Wait until so many messages were not acknowledged and wait again."""
    for _ in range(int(seconds * 200)):
        status = org.outbound.status()
        if status["nacks"] >= count and not status["under_way"]:
            return org.outbound.waiting()
        time.sleep(0.005)
    raise AssertionError(status)


def test_the_request_is_salesforce_s(org, admin, listener):
    org.outbound.queue(action(org, listener.url), leads(org, admin, 1))
    listener.wait_for(1)
    request = listener.received[0]
    assert request.path == "/hooks/om?key=1"
    assert request.headers["Content-Type"] == "text/xml; charset=UTF-8"
    assert request.headers["SOAPAction"] == '""'
    ((_, fields),) = request.notifications()
    assert list(fields) == ["Id", "Company", "LastName", "SystemModstamp"]
    assert settled(org)["acknowledged"] == 1


def test_a_message_carries_at_most_100_notifications(org, admin, listener):
    org.outbound.set_switches({"paused": True})
    org.outbound.queue(action(org, listener.url), leads(org, admin, 250))
    org.outbound.set_switches({"paused": False})
    listener.wait_for(250)
    sizes = sorted(len(each.notifications()) for each in listener.received)
    assert sizes == [50, 100, 100]
    assert len(set(listener.ids())) == 250


def test_two_actions_never_share_a_message(org, admin, listener):
    ids = leads(org, admin, 2)
    org.outbound.set_switches({"paused": True})
    org.outbound.queue(action(org, listener.url), ids)
    org.outbound.queue(action(org, listener.url, name="Lead.Other"), ids)
    org.outbound.set_switches({"paused": False})
    listener.wait_for(4)
    assert len(listener.received) == 2


def test_the_record_is_sent_as_it_is_when_sent(org, admin, listener):
    (lead,) = leads(org, admin, 1)
    org.outbound.set_switches({"paused": True})
    made = action(org, listener.url)
    org.outbound.queue(made, [lead, lead])
    with org.work():
        org.records.update(admin, "Lead", lead, {"Company": "Later"})
    org.outbound.set_switches({"paused": False})
    listener.wait_for(2)
    found = listener.received[0].notifications()
    assert [fields["Company"] for _, fields in found] == ["Later", "Later"]
    assert found[0][0] != found[1][0]


def test_a_deleted_record_leaves_a_notification_without_data(org, admin, listener):
    (lead,) = leads(org, admin, 1)
    org.outbound.set_switches({"paused": True})
    org.outbound.queue(action(org, listener.url), [lead])
    with org.work():
        org.records.delete(admin, "Lead", lead)
    org.outbound.set_switches({"paused": False})
    listener.wait_for(1)
    assert listener.received[0].notifications()[0][1] is None


def test_the_integration_user_s_field_security_decides_what_is_sent(
    org, admin, listener
):
    (lead,) = leads(org, admin, 1)
    with org.work():
        org.records.update(admin, "Lead", lead, {"Email": "ada@example.com"})
    org.outbound.queue(action(org, listener.url, user=INTEGRATION), [lead])
    listener.wait_for(1)
    assert "Email" not in listener.received[0].notifications()[0][1]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, NACK), "SOAP response was a nack"),
        (
            (200, "thanks"),
            "org.xml.sax.SAXParseException; lineNumber: 1; columnNumber: 1; Content is not allowed in prolog.",
        ),
        ((500, ACK), "(500)Internal Server Error"),
        ((302, ACK, ("Location", "/hooks/om?key=1")), "(302)Found"),
        (None, "The server failed to respond"),
    ],
)
def test_what_is_not_acknowledged_is_sent_again(org, admin, listener, answer, words):
    listener.answers.append(answer)
    org.outbound.queue(action(org, listener.url), leads(org, admin, 1))
    (waiting,) = failures(org, 1)
    assert (waiting.attempts, waiting.error) == (1, words)
    org.clock.advance(timedelta(minutes=1))
    listener.wait_for(2)
    assert len(set(listener.ids())) == 1
    assert settled(org)["acknowledged"] == 1


def test_nobody_listening_is_a_failed_attempt(org, admin, listener):
    url = listener.url
    listener.close()
    org.outbound.queue(action(org, url), leads(org, admin, 1))
    assert failures(org, 1)[0].error == "java.net.ConnectException: Connection refused"


def test_the_endpoint_s_certificate_is_verified(org, admin, tmp_path):
    tls = make_tls(tmp_path)
    secure = Listener(certificate=(tls.chain, tls.key))
    org.outbound.queue(action(org, secure.url), leads(org, admin, 1))
    assert failures(org, 1)[0].error == (
        "javax.net.ssl.SSLHandshakeException: PKIX path building failed: unable to "
        "find valid certification path to requested target"
    )
    org.outbound.set_switches({"ca_file": str(tls.ca)})
    org.outbound.retry_now()
    secure.wait_for(1)
    assert settled(org)["acknowledged"] == 1
    secure.close()


def test_an_endpoint_elsewhere_is_never_called(org, admin):
    org.outbound.queue(
        action(org, "https://placeholder.invalid/x"), leads(org, admin, 1)
    )
    assert (
        failures(org, 1)[0].error
        == "java.net.UnknownHostException: placeholder.invalid"
    )


def test_the_time_between_attempts_doubles_up_to_two_hours_for_24_hours(
    org, admin, listener
):
    listener.answers.extend([(200, NACK)] * 100)
    org.outbound.queue(action(org, listener.url), leads(org, admin, 1))
    intervals = []
    for attempt in range(1, 100):
        waiting = failures(org, attempt)
        now = org.clock.now()
        intervals.append((waiting[0].due_at - now).total_seconds())
        org.clock.advance(waiting[0].due_at - now + timedelta(seconds=1))
        if now - waiting[0].queued_at > timedelta(hours=22):
            break
    for earlier, later in pairwise(intervals[:8]):
        assert 1.5 < later / earlier < 2.6
    assert max(intervals) <= 7200
    assert min(intervals[9:]) > 5700
    org.clock.advance(timedelta(hours=2))
    assert settled(org)["dropped"] == 1
    assert len(listener.received) < 30


def test_retries_come_out_of_order(org, admin, listener):
    listener.answers.append((200, NACK))
    org.outbound.set_switches({"paused": True})
    org.outbound.queue(action(org, listener.url), leads(org, admin, 60))
    org.outbound.set_switches({"paused": False})
    failures(org, 1)
    first = listener.ids()
    org.clock.advance(timedelta(minutes=1))
    listener.wait_for(120)
    again = listener.ids()[60:]
    assert sorted(again) == sorted(first)
    assert again != first


def test_nothing_leaves_before_the_commit_nor_after_a_rollback(org, admin, listener):
    made = action(org, listener.url)
    (lead,) = leads(org, admin, 1)

    def fail():
        with org.work():
            org.journal.on_commit(lambda: org.outbound.queue(made, [lead]))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert org.outbound.status()["queued"] == 0
    with org.work():
        org.journal.on_commit(lambda: org.outbound.queue(made, [lead]))
        assert org.outbound.status()["queued"] == 0
    listener.wait_for(1)


def test_one_connection_carries_many_messages(org, admin, listener):
    org.outbound.set_switches({"batch_size": 1})
    made = action(org, listener.url)
    for lead in leads(org, admin, 40):
        org.outbound.queue(made, [lead])
    listener.wait_for(40)
    assert len({each.connection for each in listener.received}) <= 4


def test_a_connection_that_the_endpoint_closed_is_not_used_again(org, admin, listener):
    listener.answers.append((200, ACK, ("Connection", "close")))
    made = action(org, listener.url)
    one, two = leads(org, admin, 2)
    org.outbound.queue(made, [one])
    listener.wait_for(1)
    settled(org)
    org.outbound.queue(made, [two])
    listener.wait_for(2)
    assert settled(org)["nacks"] == 0


def test_the_misfortunes_strike_as_often_as_ordered(org, admin, listener):
    made = action(org, listener.url)
    org.outbound.set_switches({"drop": 2, "duplicate": 1, "batch_size": 1})
    org.outbound.queue(made, leads(org, admin, 5))
    listener.wait_for(4)
    status = settled(org)
    assert (status["acknowledged"], status["dropped"]) == (3, 2)
    assert sorted(map(listener.ids().count, set(listener.ids()))) == [1, 1, 2]


def test_a_lost_answer_makes_a_second_delivery(org, admin, listener):
    org.outbound.set_switches({"lose_answer": 1})
    org.outbound.queue(action(org, listener.url), leads(org, admin, 1))
    (waiting,) = failures(org, 1)
    assert waiting.error == "java.net.SocketTimeoutException: Read timed out"
    org.outbound.retry_now()
    listener.wait_for(2)
    assert len(set(listener.ids())) == 1


def test_a_delayed_notification_comes_after_the_others(org, admin, listener):
    org.outbound.set_switches({"delay": 1, "delay_seconds": 30, "paused": True})
    made = action(org, listener.url)
    ids = leads(org, admin, 3)
    org.outbound.queue(made, ids)
    org.outbound.set_switches({"paused": False})
    listener.wait_for(2)
    assert len(org.outbound.waiting()) == 1
    org.clock.advance(timedelta(seconds=31))
    listener.wait_for(3)
    records = [f["Id"] for each in listener.received for _, f in each.notifications()]
    assert records == [*ids[1:], ids[0]]


def test_every_notification_of_a_fraction_misfortune_is_accounted_for(
    org, admin, listener
):
    org.outbound.set_switches({"drop": 0.5, "shuffle": True})
    org.outbound.queue(action(org, listener.url), leads(org, admin, 200))
    status = settled(org)
    assert status["acknowledged"] + status["dropped"] == 200
    assert 50 < status["dropped"] < 150


def test_a_switch_that_does_not_exist_is_refused(org):
    with pytest.raises(ValueError, match="no such switch: explode"):
        org.outbound.set_switches({"explode": True})
