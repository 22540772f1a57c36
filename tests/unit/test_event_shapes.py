"""One event inside, whatever the wrapping."""

from contextlib import suppress
from datetime import UTC, datetime

import events_sent as sent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import Unreadable
from sidecar.intake import event_arrivals, shapes, strict_json
from sidecar.salesforce.session import CLIENT
from sidecar.store.connections import OrgConnection

AT = datetime(2026, 1, 2, 3, 4, 7, tzinfo=UTC)
US = "005000000000009AAA"
CONNECTION = OrgConnection(
    id=7,
    name="acme",
    org_id="00D000000000001EAA",
    flow="jwt",
    login_url="",
    instance_url="",
    client_id="",
    username="",
    time_zone="UTC",
    fallback_owner_id=None,
    playbook=None,
    status_map={},
    field_lists={},
    paused_until=None,
    pause_reason=None,
    integration_user_id=US,
)


def rows(document, *, message_id=""):
    """What the inbox keeps of a document, through bytes and back."""
    read = shapes.read(strict_json.read(sent.encoded(document)))
    return [
        row
        for told in read
        for row in event_arrivals.of(told, CONNECTION, AT, message_id=message_id)
    ]


def only(document, **more):
    (row,) = rows(document, **more)
    return row


@pytest.mark.parametrize("wrap", sent.WRAPPINGS)
def test_a_status_change_is_the_same_in_every_wrapping(wrap):
    row = only(wrap())

    assert (row.source, row.notification_id) == ("platform_event", sent.UUID)
    assert (row.object_type, row.record_id) == ("Lead", sent.LEAD)
    assert row.action_id == sent.NAME
    fields = row.content["fields"]
    assert fields["Referral_Status__c"] == "Submitted"
    assert fields["Referral_Key__c"] == sent.LEAD
    assert not row.error
    assert not row.outcome


@pytest.mark.parametrize("wrap", sent.WRAPPINGS)
def test_unknown_fields_are_kept(wrap):
    row = only(wrap(sent.CHANGE | {"Campaign__c": "spring", "Number__c": 2**60}))

    payload = row.content["payload"]
    assert payload["Campaign__c"] == "spring"
    assert payload["Number__c"] == 2**60


def test_what_is_around_the_event_is_kept():
    row = only(sent.event_bridge())
    assert row.content["wrapping"]["region"] == "eu-central-1"
    row = only(sent.comet_d())
    assert row.content["wrapping"]["data"]["event"]["replayId"] == 2112
    row = only(sent.signed_message() | {"Version": 2})
    assert row.content["wrapping"]["Version"] == 2


@pytest.mark.parametrize("wrap", [sent.comet_d, sent.pub_sub, sent.event_bridge])
def test_a_change_event_keeps_its_64_bits(wrap):
    change = sent.change_event(Referral_Status__c="Contacted")
    row = only(wrap(change))

    assert (row.source, row.object_type, row.record_id) == (
        "change_event",
        "Lead",
        sent.LEAD,
    )
    header = row.content["payload"]["ChangeEventHeader"]
    assert header["commitNumber"] == 1745500706683617281
    assert "Contacted" in str(row.content)


def test_each_record_of_a_change_is_a_row_of_its_own():
    ids = [sent.LEAD, "00Q000000000002EAA"]
    change = sent.change_event(header={"recordIds": ids}, OwnerId="005000000000003AAA")
    found = rows(sent.event_bridge(change))

    assert [row.record_id for row in found] == ids
    assert len({row.notification_id for row in found}) == 2


def test_a_change_event_has_a_name_without_an_id():
    change = sent.change_event(Referral_Status__c="Contacted")
    one = only(sent.comet_d(change, uuid=None, channel="/data/LeadChangeEvent"))
    other = only(change)

    assert one.notification_id == other.notification_id
    assert one.action_id == other.action_id == "LeadChangeEvent"


def test_changed_fields_that_are_a_bitmap_or_missing_are_taken_from_the_payload():
    for header in (
        {"changedFields": ["0x650004E0", "4-0x10"]},
        {"changedFields": None},
    ):
        change = sent.change_event(header=header, Referral_Status__c="Won")
        assert not only(sent.pub_sub(change)).outcome


def test_what_tells_nothing_of_a_referral_is_kept_and_settled():
    row = only(sent.pub_sub(sent.change_event(Title="Dr.")))
    assert row.outcome.startswith("ignored")
    assert row.record_id == sent.LEAD
    other = {"Printer_Model__c": "XZO-5", "Ink_Percentage__c": 0.2}
    row = only(sent.comet_d(other, channel="/event/Low_Ink__e"))
    assert row.outcome.startswith("ignored")
    assert row.action_id == "Low_Ink__e"


def test_our_own_writes_are_known_by_client_or_user():
    """Promise 15."""
    by_client = {"changeOrigin": f"com/salesforce/api/rest/62.0;client={CLIENT}"}
    by_user = {"commitUser": US[:15]}
    for header in (
        by_client,
        {"changeOrigin": by_client["changeOrigin"] + "/"},
        by_user,
    ):
        change = sent.change_event(header=header, OwnerId=US)
        assert only(sent.pub_sub(change)).outcome == "ignored: our own write"
        # A status is what a rep has said through a link: it is news.
        change = sent.change_event(header=header, Referral_Status__c="Won")
        assert not only(sent.pub_sub(change)).outcome
    assert not only(sent.comet_d(sent.CHANGE | {"Changed_By_Id__c": US})).outcome
    for origin in (f"x;client={CLIENT}2", f"{CLIENT}", "", None):
        change = sent.change_event(header={"changeOrigin": origin}, OwnerId=US)
        assert not only(sent.pub_sub(change)).outcome


@pytest.mark.parametrize(
    "document",
    [
        {"object": "Lead", "data": [{"Id": sent.LEAD, "Company": "Example Ltd"}]},
        {"object": "Lead", "record": {"Id": sent.LEAD}},
        {"attributes": {"type": "Lead", "url": "/x"}, "Id": sent.LEAD},
        {"New": {"attributes": {"type": "Lead"}, "Id": sent.LEAD}, "Old": {}},
    ],
)
def test_a_record_that_a_flow_or_apex_posts_is_read_back(document):
    row = only(document)
    assert (row.source, row.object_type, row.record_id) == (
        "callout",
        "Lead",
        sent.LEAD,
    )
    assert row.content["fields"] == {"Id": sent.LEAD}
    assert not row.error


def test_without_an_id_the_senders_counts_and_then_the_content():
    change = sent.bare(uuid=None)
    assert only(change, message_id="msg_1").notification_id == "msg_1"
    assert only(change).notification_id == only(change).notification_id
    other = change | {"Changed_At__c": "2026-01-02T03:04:09.000Z"}
    assert only(other).notification_id != only(change).notification_id


def test_what_has_no_time_is_never_taken_for_a_repetition():
    """Promise 11: the second of two equal changes is no duplicate."""
    record = {"object": "Lead", "record": {"Id": sent.LEAD}}
    assert only(record).notification_id != only(record).notification_id


def test_one_that_makes_no_sense_leaves_the_others_alone():
    """Promise 4."""
    message = sent.signed_message(sent.CHANGE, {"Record_Id__c": "x"}, sent.CHANGE)
    good, bad, other = rows(message)

    assert not good.error
    assert not other.error
    assert bad.error
    nameless = only(sent.comet_d(sent.CHANGE | {"Record_Id__c": "no id"}))
    assert "names no record" in nameless.error


@pytest.mark.parametrize(
    "document",
    [
        sent.comet_d("This is a message.", channel="/u/Broadcast"),
        {
            "data": {"event": {}, "sobject": {"Id": sent.LEAD}},
            "channel": "/topic/Leads",
        },
    ],
)
def test_streaming_events_that_name_no_object_are_told_as_such(document):
    row = only(document)
    assert row.error
    assert row.record_id is None


def test_too_much_of_a_change_is_left_to_the_reconciler():
    header = {"changeType": "GAP_OVERFLOW", "recordIds": ["00Q*"]}
    row = only(sent.comet_d(sent.change_event(header=header)))
    assert row.record_id is None
    assert "reconcile" in row.error


def test_secrets_and_sessions_go_no_further():
    session = "00D000000000001!AQ4AQFakeSessionFakeSession"
    row = only(
        sent.comet_d(sent.CHANGE | {"Notes__c": f"see {session}", "Api_Key__c": "hush"})
        | {"clientId": session}
    )
    assert session not in str(row)
    assert "hush" not in str(row)


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        [[]] * 1001,
        "text",
        7,
        None,
        {"hello": "world"},
        {"channel": "/event/X__e", "data": "no object"},
        {"channel": 7, "data": {"payload": {}}},
        {"detail-type": "X__e", "detail": {}, "id": "1", "source": "x"},
        {"id": "x", "payload": "Avro, not decoded"},
        {"ChangeEventHeader": {"entityName": "Lead"}},
        {"ChangeEventHeader": {"entityName": "\0", "changeType": "X", "recordIds": []}},
        {"OrganizationId": "00D000000000001EAA", "events": []},
        {"object": "Lead; DROP", "data": [{}]},
        {
            "type": "a",
            "data": {
                "type": "b",
                "data": {"type": "c", "data": {"type": "d", "data": {}}},
            },
        },
    ],
)
def test_what_is_no_event_is_refused_with_a_reason(document):
    with pytest.raises(Unreadable) as caught:
        rows(document)
    assert str(caught.value).isprintable()


def test_an_event_is_unwrapped_so_often_and_no_more():
    document = sent.bare()
    for _ in range(3):
        document = {"type": "x", "data": document}
    assert only(document).record_id == sent.LEAD
    with pytest.raises(Unreadable, match="wrapped"):
        rows({"type": "x", "data": document})


# Documents that nearly are something: the words of all wrappings, put together anyhow.
_WORDS = st.sampled_from(
    [
        "ChangeEventHeader",
        "EventUuid",
        "New",
        "OrganizationId",
        "Record_Id__c",
        "Object__c",
        "New_Status__c",
        "attributes",
        "changeType",
        "changedFields",
        "channel",
        "data",
        "detail",
        "detail-type",
        "entityName",
        "event",
        "events",
        "id",
        "Id",
        "object",
        "payload",
        "recordIds",
        "record",
        "replayId",
        "sobject",
        "source",
        "type",
        "commitNumber",
        "nulledFields",
        "changeOrigin",
        "commitUser",
    ]
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from([sent.LEAD, sent.NAME, "Lead", "UPDATE", sent.SOURCE, "0x1"])
)
_DOCUMENTS = st.recursive(
    _LEAVES,
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.dictionaries(_WORDS | st.text("ab\0", max_size=3), inside, max_size=6)
    ),
    max_leaves=30,
)


def _storable(row):
    named = (row.source, row.notification_id, row.action_id, row.object_type)
    texts = [*named, row.record_id, row.error, row.outcome]
    return all("\0" not in (text or "") and len(text or "") < 600 for text in texts)


@given(_DOCUMENTS)
def test_whatever_comes_is_kept_or_refused(document):
    with suppress(Unreadable):
        assert all(_storable(row) for row in rows(document))


@given(
    st.sampled_from(sent.WRAPPINGS),
    st.dictionaries(_WORDS, _DOCUMENTS, max_size=3),
    st.dictionaries(st.sampled_from(sorted(sent.CHANGE)), _LEAVES, max_size=4),
)
def test_whatever_stands_in_an_event_it_is_kept_or_refused(wrap, around, inside):
    with suppress(Unreadable):
        assert all(_storable(row) for row in rows(wrap(sent.CHANGE | inside) | around))
