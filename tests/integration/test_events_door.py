"""The door for events, in front of a real database: verified, kept, acknowledged."""

import base64
import json
from collections.abc import Mapping
from io import BytesIO

import events_sent as sent
import pytest
import signing
import structlog
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from messages import lead, lead_id, message, notification
from sqlalchemy import select

from sidecar.errors import Retryable
from sidecar.intake import arrivals, outbound_message, own_writes, webhook
from sidecar.intake.brake import LIMIT
from sidecar.intake.rates import Rates
from sidecar.intake.signatures.reasons import Reason
from sidecar.jobs.process import process
from sidecar.keyring import fingerprint
from sidecar.salesforce.ids import is_id
from sidecar.store import connections, inbox, quarantine, webhook_secrets
from sidecar.store.tables import event, follow_up
from sidecar.store.webhook_secrets import Kind, NewSecret

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
TOKEN = "a-bearer-token-for-tests"
ORG_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SENDER = ed25519.Ed25519PrivateKey.generate()
EVENT = sent.encoded(sent.bare())


class Answered:
    """What the door answered."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    @property
    def told(self) -> dict[str, object]:
        return dict(json.loads(self.body))


class Door:
    """The door of one connection."""

    def __init__(self, wiring, connection, key, *, rate=None) -> None:
        self.wiring, self.connection, self.key = wiring, connection, key
        self.rung: list[int] = []
        self.tick = 0.0
        limits = webhook.Limits(rate or Rates(per_second=1000, burst=10_000))
        self.application = webhook.application(
            self, limits, now=wiring.now, ticks=lambda: self.tick
        )

    def __getattr__(self, name):
        return getattr(self.wiring, name)

    def ring(self, ids) -> None:
        self.rung += ids

    def accept(self, kind: Kind, value: str, **more) -> int:
        with self.wiring.engine.begin() as db:
            new = NewSecret(self.connection.id, kind, value, **more)
            added = webhook_secrets.add(
                db, new, now=self.wiring.now(), keyring=self.wiring.keyring
            )
        self.forget()
        return added

    def forget(self) -> None:
        """As after some seconds: what the connection accepts is looked up again."""
        self.wiring._credentials.clear()

    def post(
        self, body: bytes, headers: Mapping[str, str], *, peer="192.0.2.1", **environ
    ) -> Answered:
        answer = Answered()

        def start(status, named, _exc=None):
            answer.status = int(status.split()[0])
            answer.headers = dict(named)

        given = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": webhook.PREFIX + self.key,
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": peer,
            "wsgi.input": BytesIO(body),
        }
        for name, value in headers.items():
            given["HTTP_" + name.upper().replace("-", "_")] = value
        answer.body = b"".join(self.application(given | environ, start))
        return answer

    def sign(self, body: bytes, message_id="msg_1", *, at=None) -> dict[str, str]:
        at = self.wiring.now().timestamp() if at is None else at
        return signing.standard(SECRET, body, message_id=message_id, at=at)

    def send(self, document, message_id="msg_1") -> Answered:
        body = sent.encoded(document)
        return self.post(body, self.sign(body, message_id))

    def events(self) -> list[inbox.Event]:
        with self.wiring.engine.connect() as db:
            found = inbox.listing(db, keyring=self.wiring.keyring, limit=1000)
        return found[::-1]


@pytest.fixture
def door(wiring, connect) -> Door:
    door = Door(wiring, *connect())
    door.accept(Kind.STANDARD_WEBHOOKS, SECRET)
    return door


@pytest.fixture
def logged():
    with structlog.testing.capture_logs() as lines:
        yield lines


def test_a_signed_event_is_kept_and_the_workers_told(door):
    answer = door.send(sent.bare())

    assert (answer.status, answer.told) == (200, {"events": 1, "new": 1})
    (kept,) = door.events()
    assert (kept.source, kept.notification_id) == ("platform_event", sent.UUID)
    assert (kept.state, kept.record_id) == ("waiting", sent.LEAD)
    assert door.rung == [kept.id]


def test_the_same_event_in_another_wrapping_is_no_other_event(door):
    """Facts: the id of an event is its EventUuid."""
    for number, wrap in enumerate(sent.WRAPPINGS):
        assert door.send(wrap(), f"msg_{number}").status == 200

    assert len(door.events()) == 1
    assert len(door.rung) == 1


def test_a_message_that_comes_again_is_acknowledged_and_does_nothing(door):
    first = door.send(sent.bare())
    again = door.send(sent.bare())
    # Whatever it says now: its sender's id says that it is the same message.
    changed = door.send(sent.bare(uuid="another"))

    assert [first.status, again.status, changed.status] == [200, 200, 200]
    assert [again.told["new"], changed.told["new"]] == [0, 0]
    assert len(door.events()) == 1
    assert door.send(sent.bare(uuid="another"), "msg_2").told["new"] == 1


def test_a_message_counts_as_seen_only_with_its_events(door):
    """What the database did not keep may come again, and is new then."""
    body = EVENT
    keep = door.wiring.scribe.keep
    door.wiring.scribe.keep = _away
    answer = door.post(body, door.sign(body))
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0

    door.wiring.scribe.keep = keep
    assert door.post(body, door.sign(body)).told["new"] == 1


def _away(*_given):
    raise Retryable("the database is away")


def schemes(door: Door) -> dict[str, tuple[int, dict[str, str]]]:
    """Of each scheme a secret of this connection and right headers."""
    at = door.wiring.now().timestamp()
    public = SENDER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    whpk = "whpk_" + base64.b64encode(public).decode()
    pem = signing.pem(signing.certificate(ORG_KEY))
    hashed = fingerprint(TOKEN)
    return {
        "v1a": (
            door.accept(Kind.STANDARD_WEBHOOKS_ED25519, whpk),
            signing.standard_ed25519(SENDER, EVENT, message_id="msg_9", at=at),
        ),
        "certificate": (
            door.accept(Kind.ORG_CERTIFICATE, pem),
            signing.by_org(ORG_KEY, EVENT, at=at),
        ),
        "bearer": (
            door.accept(Kind.BEARER, hashed),
            {"authorization": f"Bearer {TOKEN}"},
        ),
        "key": (
            door.accept(Kind.API_KEY, hashed, header="x-relay-key"),
            {"X-Relay-Key": TOKEN},
        ),
    }


@pytest.mark.parametrize("scheme", ["v1a", "certificate", "bearer", "key"])
def test_each_scheme_opens_the_door_and_its_use_is_remembered(door, scheme):
    secret_id, headers = schemes(door)[scheme]

    assert door.post(EVENT, headers).status == 200
    assert len(door.events()) == 1
    with door.wiring.engine.connect() as db:
        used = {
            row["id"]: row["last_used_at"]
            for row in webhook_secrets.listing(db, connection_id=door.connection.id)
        }
    assert [id_ for id_, at in used.items() if at is not None] == [secret_id]


def test_a_secret_of_another_connection_opens_nothing(door, connect):
    other = Door(door.wiring, *connect())
    assert other.post(EVENT, door.sign(EVENT)).status == 401


def test_while_a_secret_is_replaced_both_open_and_then_only_the_new_one(door, hand):
    """Promise 40."""
    with door.wiring.engine.connect() as db:
        (old,) = webhook_secrets.listing(db)
    new = "whsec_" + base64.b64encode(b"n" * 32).decode()
    door.accept(Kind.STANDARD_WEBHOOKS, new)
    with door.wiring.engine.begin() as db:
        end = hand().replace(microsecond=0)
        hand.move(hours=-1)
        assert webhook_secrets.retire(db, old["id"], at=end)
    door.forget()

    def by(secret, message_id):
        at = hand().timestamp()
        headers = signing.standard(secret, EVENT, message_id=message_id, at=at)
        return door.post(EVENT, headers).status

    assert [by(SECRET, "a"), by(new, "b")] == [200, 200]
    hand.move(hours=2)
    door.forget()
    assert [by(SECRET, "c"), by(new, "d")] == [401, 200]


def test_outside_each_refusal_is_the_same_and_inside_each_has_its_reason(door, logged):
    at = door.wiring.now().timestamp()
    right = door.sign(EVENT)
    attempts = [
        {},
        {"authorization": "Bearer x"},
        right | {"webhook-id": "other"},
        right | {"webhook-id": "a.b"},
        right | {"webhook-timestamp": "soon"},
        right | {"webhook-signature": "garbage"},
        right | {"webhook-signature": "v1,\xff"},
        right | {"webhook-signature": "v2,AAAA"},
        door.sign(EVENT, at=at - 400),
        door.sign(EVENT, at=at + 400),
    ]
    answers = [door.post(EVENT, headers) for headers in attempts]

    outside = {
        (it.status, it.body, tuple(sorted(it.headers.items()))) for it in answers
    }
    assert len(outside) == 1
    assert answers[0].status == 401
    reasons = [line["reason"] for line in logged if line["event"] == "events.forged"]
    assert reasons == [
        Reason.NOTHING_SENT,
        Reason.NOT_ACCEPTED,
        Reason.SIGNATURE_WRONG,
        Reason.ID_MALFORMED,
        Reason.TIMESTAMP_MALFORMED,
        Reason.SIGNATURE_MALFORMED,
        Reason.SIGNATURE_MALFORMED,
        Reason.VERSION_UNKNOWN,
        Reason.TOO_OLD,
        Reason.TOO_NEW,
    ]
    assert not door.events()


def test_nothing_secret_is_logged(door, logged):
    schemes(door)
    door.post(EVENT, {"authorization": f"Bearer {TOKEN}"})
    door.post(EVENT, {"authorization": f"Bearer {TOKEN}x", "x-api-key": TOKEN})
    door.post(EVENT, door.sign(EVENT))

    told = str(logged)
    for secret in (TOKEN, SECRET, door.key, door.sign(EVENT)["webhook-signature"]):
        assert secret not in told


def test_a_copy_of_the_org_is_kept_apart(door):
    """Promise 26."""
    copy = "00D000000000002EAA"
    relay = sent.SOURCE.replace("00D000000000001EAA", copy)
    for document in (
        sent.signed_message(org_id=copy),
        sent.event_bridge(source=relay),
    ):
        assert door.send(document, str(id(document))).status == 403
    assert not door.events()
    with door.wiring.engine.connect() as db:
        kept = quarantine.listing(db)
    assert {(row["kind"], row["org_id"]) for row in kept} == {("wrong_org", copy)}


def test_15_characters_name_the_same_org(door):
    assert door.send(sent.signed_message(org_id="00D000000000001")).status == 200


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b'"x"', b"{}", b"[" * 1000, b'{"a":1e9', b"\xff\xfe"),
        b"\0" * 9,
        sent.encoded(sent.signed_message(org_id="\0" * 15)),
        # A text, too, is read as a number.
        sent.encoded(sent.change_event(header={"commitNumber": "9" * 20})),
        sent.encoded(sent.change_event(header={"commitNumber": f"-{2**63 + 1}"})),
    ],
)
def test_what_is_signed_and_no_event_is_kept_for_inspection(door, body):
    answer = door.post(body, door.sign(body))

    assert answer.status == 400
    assert answer.told["error"]
    with door.wiring.engine.connect() as db:
        (kept,) = quarantine.listing(db)
    assert kept["kind"] == "unreadable"


def test_who_may_not_come_in_is_turned_away_unread(door):
    class Unread:
        def read(self, *_given):
            raise AssertionError("the body was read")

    unread = {"wsgi.input": Unread()}
    for path in ("x" * 43, "short", "", "../" + door.key, door.key + "/x"):
        answer = door.post(b"x", {}, PATH_INFO=webhook.PREFIX + path, **unread)
        assert answer.status == 404
    assert door.post(b"x", {}, REQUEST_METHOD="GET", **unread).status == 405
    length = str(webhook.BODY_BYTES + 1)
    assert door.post(b"x", {}, CONTENT_LENGTH=length, **unread).status == 413
    assert door.post(b"x", {}, CONTENT_LENGTH="9" * 5000, **unread).status == 413
    assert door.post(b"x", {}, CONTENT_LENGTH="2").status == 400


def test_too_many_wait_and_are_told_for_how_long(wiring, connect):
    door = Door(wiring, *connect(), rate=Rates(per_second=0.5, burst=2))
    door.accept(Kind.STANDARD_WEBHOOKS, SECRET)

    assert [door.send(sent.bare(), f"m{n}").status for n in range(3)] == [200, 200, 429]
    answer = door.send(sent.bare(), "m3")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
    door.tick += 2
    assert door.send(sent.bare(), "m3").status == 200


def test_who_forges_waits_himself_and_not_the_org(wiring, connect):
    door = Door(wiring, *connect(), rate=Rates(per_second=1, burst=3))
    door.accept(Kind.STANDARD_WEBHOOKS, SECRET)
    stranger = "198.51.100.7"

    statuses = {door.post(EVENT, {}, peer=stranger).status for _ in range(60)}
    assert statuses == {401}
    assert door.post(EVENT, {}, peer=stranger).status == 429
    assert door.send(sent.bare()).status == 200


def test_a_storm_is_kept_and_waits(door, hand):
    """Promise 15: nothing is lost, and nothing turns without end."""
    for number in range(LIMIT + 2):
        assert door.send(sent.bare(uuid=f"u{number}"), f"m{number}").status == 200

    kept = door.events()
    assert len(kept) == LIMIT + 2
    assert {item.state for item in kept} == {"waiting"}
    assert ["storm" in (item.error or "") for item in kept[-3:]] == [False, True, True]
    with door.wiring.engine.connect() as db:
        now = hand()
        due = inbox.due(db, now=now)[door.connection.id]
        assert len(due) == LIMIT
        hand.move(seconds=61)
        assert len(inbox.due(db, now=hand())[door.connection.id]) == LIMIT + 2


def test_our_own_writes_bring_no_work(door):
    """Promise 15."""
    header = {"changeOrigin": "com/salesforce/api/rest/62.0;client=referral-sidecar"}
    change = sent.change_event(header=header, Referral_Response_Due__c=None)
    assert door.send(sent.pub_sub(change)).status == 200

    (kept,) = door.events()
    assert (kept.state, kept.outcome) == ("done", "ignored: our own write")


def test_what_a_rep_says_through_a_link_comes_back_as_news(door):
    """We write it, in the rep's name; no rule of ours ever sets a status."""
    header = {"changeOrigin": "com/salesforce/api/rest/62.0;client=referral-sidecar"}
    change = sent.change_event(header=header, Referral_Status__c="Contacted")
    assert door.send(sent.pub_sub(change)).status == 200

    (kept,) = door.events()
    assert (kept.state, kept.outcome) == ("waiting", None)


def test_as_whom_we_write_is_learnt_at_login(wiring, linked):
    """Promise 15: so that our own changes are known again."""
    _, token = wiring.current(linked.id)
    wiring.renew(linked.id, token)
    with wiring.engine.connect() as db:
        found = connections.find(db, linked.id)

    assert is_id(found.integration_user_id)
    assert found.integration_user_id.startswith("005")
    header = {"commitUser": found.integration_user_id[:15]}
    change = sent.change_event(header=header, Phone="1")
    assert own_writes.ours(change, found.integration_user_id)


def test_what_nobody_sends_again_is_forgotten(door, hand):
    door.send(sent.bare())
    hand.move(days=29)
    door.wiring.purge(who="a test")
    assert door.send(sent.bare(uuid="other")).told["new"] == 0, "it is still known"
    hand.move(days=2)
    door.wiring.purge(who="a test")
    assert door.send(sent.bare(uuid="other")).told["new"] == 1


def test_a_hundred_events_in_one_message_are_a_hundred_rows(door):
    changes = [
        sent.CHANGE
        | {"Record_Id__c": lead_id(number), "Referral_Key__c": lead_id(number)}
        for number in range(100)
    ]
    assert door.send(sent.signed_message(*changes)).told == {"events": 100, "new": 100}


class Org:
    """Records as the org has them."""

    def read(self, _connection_id, _object_type, ids, _fields):
        return {id_: lead(1) for id_ in ids if id_ == lead_id(1)}


def test_a_change_through_two_doors_brings_one_follow_up(door):
    """Outbound message and signed event; whichever comes first."""
    by_message = arrivals.of(
        outbound_message.read(message([notification(1, lead(1))])),
        door.connection,
        door.wiring.now(),
    )
    door.accept(Kind.ORG_CERTIFICATE, signing.pem(signing.certificate(ORG_KEY)))
    body = sent.encoded(sent.signed_message(sent.CHANGE | {"Record_Id__c": lead_id(1)}))
    signed = signing.by_org(ORG_KEY, body, at=door.wiring.now().timestamp())

    assert door.post(body, signed).status == 200
    ids = [*door.rung, *door.wiring.keep(by_message)]
    assert len(ids) == 2
    for some in (ids, ids[::-1]):
        process(
            some,
            engine=door.wiring.engine,
            keyring=door.wiring.keyring,
            records=Org(),
            playbook_of=door.wiring.playbook_of,
            ring_to_deliver=lambda *_given: None,
            now=door.wiring.now,
        )
    with door.wiring.engine.connect() as db:
        states = db.scalars(select(event.c.state)).all()
        planned = db.execute(select(follow_up.c.milestone, follow_up.c.kind)).all()
    assert states == ["done", "done"]
    assert sorted(map(tuple, planned)) == [
        ("submitted", "email"),
        ("submitted", "task"),
    ]


# --- whatever comes -----------------------------------------------------------------------

_LATIN = st.text(st.characters(max_codepoint=255), max_size=80)
_NAMES = st.sampled_from(
    [
        "authorization",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "x-api-key",
        "x-referral-key-id",
        "x-referral-timestamp",
        "x-referral-signature",
        "x-relay-key",
    ]
)
_LIKELY = st.sampled_from(
    [
        "Bearer ",
        "v1,",
        "v1a,AAAA",
        "v1,AAAA v1a,====",
        "1614265330",
        "msg_1",
        "²",
        "=" * 9,
    ]
)
_HEADERS = st.dictionaries(_NAMES, _LATIN | _LIKELY | st.text(max_size=9))
_QUICK = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def open_door(door):
    schemes(door)
    limits = webhook.Limits(
        Rates(per_second=1e6, burst=10**6), forged=Rates(per_second=1e6, burst=10**6)
    )
    door.application = webhook.application(door, limits, now=door.wiring.now)
    return door


@given(headers=_HEADERS, body=st.binary(max_size=200))
@_QUICK
def test_whatever_the_headers_hold_a_stranger_gets_401(open_door, headers, body):
    """Promise 41."""
    assert open_door.post(body, headers).status == 401


@given(body=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@_QUICK
def test_whatever_is_signed_it_is_kept_or_refused(open_door, body):
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert open_door.post(body, headers).status in {200, 400, 403}


_LEAVES = st.none() | st.booleans() | st.integers(-9, 2**64 - 1) | st.text(max_size=9)
_VALUES = st.recursive(
    _LEAVES,
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*sent.CHANGE, *sent.comet_d(), *sent.event_bridge(), "events"]
            ),
            inside,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(
    wrap=st.sampled_from(sent.WRAPPINGS),
    inside=st.dictionaries(st.sampled_from(sorted(sent.CHANGE)), _VALUES, max_size=4),
    around=st.dictionaries(st.sampled_from(["id", "data", "events", "event"]), _VALUES),
)
@_QUICK
def test_whatever_an_event_holds_it_is_kept_or_refused(open_door, wrap, inside, around):
    document = wrap(sent.CHANGE | inside) | around
    body = json.dumps(document).encode()
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert open_door.post(body, headers).status in {200, 400, 403}
