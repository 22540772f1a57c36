"""The dev org's Pub/Sub API, as our subscriber meets it."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import grpc
import pytest

from sidecar.devorg.events import changes, server
from sidecar.devorg.events.bus import RETENTION
from sidecar.devorg.founding import ADMIN
from sidecar.devorg.org import Org
from sidecar.errors import Permanent
from sidecar.salesforce.events.stream import (
    Caller,
    PositionLost,
    Received,
    Subscription,
    channel,
)
from sidecar.salesforce.refusals import LoggedOut

TOPIC = "/data/LeadChangeEvent"

Subscribe = Callable[..., Subscription]


@pytest.fixture
def opened(org: Org) -> Iterator[grpc.Channel]:
    """A channel to an org that captures the changes of leads."""
    org.events.captured = {"Lead"}
    serving, port = server.serve(org, None)
    serving.start()
    with channel(f"127.0.0.1:{port}", plain=True) as found:
        yield found
    org.events.bus.close()
    serving.stop(None).wait()


@pytest.fixture
def subscribe(org: Org, opened: grpc.Channel) -> Subscribe:
    """Make a subscription in the admin's name."""
    user_id = str(org.user_named(ADMIN))

    def make(topic: str = TOPIC, *, token: str | None = None) -> Subscription:
        token = token or org.sessions.open(user_id)
        caller = Caller(token, "https://127.0.0.1", org.id)
        return Subscription(opened, caller, topic)

    return make


def lead(org: Org, **values: object) -> str:
    access = org.system(str(org.user_named(ADMIN)))
    with org.work():
        return org.records.create(
            access, "Lead", {"LastName": "Example", "Company": "Example Ltd", **values}
        )


def change(org: Org, record_id: str, **values: object) -> None:
    access = org.system(str(org.user_named(ADMIN)))
    with org.work():
        org.records.update(access, "Lead", record_id, values)


def take(subscription: Subscription, count: int, **where: Any) -> list[Received]:
    """The first events, and then no more."""
    found: list[Received] = []
    where.setdefault("after", None)
    where.setdefault("earliest", True)
    if count == 0:
        return found
    for portion in subscription.portions(**where):
        found += portion.events
        if len(found) >= count:
            break
    subscription.stop()
    return found


def test_a_created_record_is_told_with_its_values(
    org: Org, subscribe: Subscribe
) -> None:
    record_id = lead(org, FirstName="Ada", Email="ada@example.com")

    event = take(subscribe(), 1)[0].values

    header = event["ChangeEventHeader"]
    assert (header["changeType"], header["recordIds"]) == ("CREATE", [record_id])
    assert header["commitNumber"] > 2**53
    assert event["Name"]["FirstName"] == "Ada"
    assert event["Email"] == "ada@example.com"


def test_an_update_names_what_changed_and_what_was_emptied(
    org: Org, subscribe: Subscribe
) -> None:
    record_id = lead(org, FirstName="Ada", Phone="123")

    change(org, record_id, FirstName="Bea", Phone=None, Company="Other Ltd")

    event = take(subscribe(), 2)[1].values
    header = event["ChangeEventHeader"]
    assert {"Name.FirstName", "Phone", "Company"} <= {*header["changedFields"]}
    assert header["nulledFields"] == ["Phone"]
    assert event["Email"] is None
    assert event["Company"] == "Other Ltd"


def test_a_deletion_is_told_without_values(org: Org, subscribe: Subscribe) -> None:
    record_id = lead(org)
    access = org.system(str(org.user_named(ADMIN)))
    with org.work():
        org.records.delete(access, "Lead", record_id)

    event = take(subscribe(), 2)[1].values

    assert event["ChangeEventHeader"]["changeType"] == "DELETE"
    assert event["Company"] is None


def test_what_was_taken_back_is_never_told(org: Org, subscribe: Subscribe) -> None:
    access = org.system(str(org.user_named(ADMIN)))

    def undone() -> None:
        with org.work():
            org.records.create(access, "Lead", {"LastName": "No", "Company": "No"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    lead(org, Company="Yes")

    assert take(subscribe(), 1)[0].values["Company"] == "Yes"


def test_a_subscription_goes_on_after_its_position(
    org: Org, subscribe: Subscribe
) -> None:
    for number in range(5):
        lead(org, Company=f"Example {number}")
    first = take(subscribe(), 5)[1]

    rest = take(subscribe(), 3, after=first.replay_id, earliest=False)

    assert [each.values["Company"] for each in rest] == [
        "Example 2",
        "Example 3",
        "Example 4",
    ]


def test_more_events_than_a_portion_arrive_whole_and_in_order(
    org: Org, subscribe: Subscribe
) -> None:
    for number in range(250):
        lead(org, Company=f"Example {number}")

    found = take(subscribe(), 250)

    assert [each.values["Company"] for each in found] == [
        f"Example {number}" for number in range(250)
    ]
    assert len({each.id for each in found}) == 250


@pytest.mark.parametrize("position", [b"", b"x", b"\0" * 10, b"\xff" * 10])
def test_an_unknown_position_is_refused(
    org: Org, subscribe: Subscribe, position: bytes
) -> None:
    lead(org)

    with pytest.raises(PositionLost, match="replayid"):
        take(subscribe(), 1, after=position, earliest=False)


def test_a_position_is_lost_after_72_hours(org: Org, subscribe: Subscribe) -> None:
    lead(org)
    lead(org)
    first, _ = take(subscribe(), 2)

    org.clock.advance(RETENTION + timedelta(minutes=1))
    lead(org)
    lead(org)

    with pytest.raises(PositionLost):
        take(subscribe(), 1, after=first.replay_id, earliest=False)


def test_who_is_not_logged_in_hears_nothing(org: Org, subscribe: Subscribe) -> None:
    with pytest.raises(LoggedOut, match=r"auth\.error"):
        take(subscribe(token="nobody"), 1)


def test_a_token_that_ends_mid_stream_ends_the_stream(
    org: Org, subscribe: Subscribe
) -> None:
    lead(org)
    portions = subscribe().portions(None, earliest=True)
    next(portions)

    org.sessions.expire()

    with pytest.raises(LoggedOut):
        next(portions)


def test_an_unknown_topic_is_named(org: Org, subscribe: Subscribe) -> None:
    with pytest.raises(Permanent, match="/event/Nobody__e"):
        take(subscribe("/event/Nobody__e"), 1)


def test_a_quiet_stream_says_where_it_stands(org: Org, subscribe: Subscribe) -> None:
    org.events.keep_alive_s = 0.1

    portion = next(subscribe().portions(None, earliest=False))

    assert portion.events == ()
    assert portion.position == server.replay_bytes(org.events.bus.latest())


def test_a_stream_is_stopped_from_outside(org: Org, subscribe: Subscribe) -> None:
    subscription = subscribe()
    ended = threading.Event()

    def listen() -> None:
        list(subscription.portions(None, earliest=False))
        ended.set()

    thread = threading.Thread(target=listen)
    thread.start()
    lead(org)

    subscription.stop()
    thread.join(10)

    assert ended.is_set()


def test_a_gap_event_has_no_values(org: Org, subscribe: Subscribe) -> None:
    type_ = org.schema["Lead"]
    row = {"Id": "00Q000000000001EAA", "Company": "Example"}
    payload = changes.change(org, type_, row, None, str(org.user_named(ADMIN)))
    payload["ChangeEventHeader"]["changeType"] = "GAP_UPDATE"  # type: ignore[index]
    org.events.bus.publish("LeadChangeEvent", payload)

    event = take(subscribe(), 1)[0].values

    assert event["ChangeEventHeader"]["changeType"] == "GAP_UPDATE"
    assert event["Company"] is None
