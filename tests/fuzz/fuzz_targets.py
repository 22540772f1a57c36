"""What strangers, senders and admins write, and who reads it: fuzz targets.

A target takes any bytes. It returns, or raises what the reader promises to raise and
the target lets pass; whatever else comes out of it is a fault. ``scripts/fuzz`` drives
them by coverage, ``test_fuzz_targets`` a little each time the tests are run.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any

import events_sent as sent
import orjson
import signing
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fuzz_draw import Draw
from google.protobuf.message import DecodeError
from messages import of_leads

from sidecar.errors import Forged, Unreadable
from sidecar.intake import (
    arrivals,
    client_certificate,
    event_arrivals,
    outbound_message,
    peer,
    request,
    shapes,
    signatures,
    stream,
    strict_json,
)
from sidecar.intake.signatures import canvas
from sidecar.intake.signatures.credentials import Credential
from sidecar.jobs import reading
from sidecar.keyring import Keyring, fingerprint, new_key
from sidecar.logs import mask
from sidecar.mail import links
from sidecar.mail.links import Act, Link
from sidecar.playbooks import calendars, expressions
from sidecar.playbooks import read as playbooks
from sidecar.playbooks.document import WrongDocument
from sidecar.referral.conditions import TEXTS, holds
from sidecar.referral.journey import Milestone, Referral
from sidecar.referral.working_time import spans
from sidecar.salesforce.events import payload
from sidecar.salesforce.events import protocol as wire
from sidecar.salesforce.events.stream import Portion, Received
from sidecar.store.connections import OrgConnection
from sidecar.store.inbox import Arrival
from sidecar.store.webhook_secrets import Kind

AT = datetime(2026, 1, 2, 3, 4, 7, tzinfo=UTC)
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
    field_lists={"Lead": ["Id", "Email"]},
    paused_until=None,
    pause_reason=None,
    integration_user_id="005000000000009AAA",
)


@dataclass(frozen=True)
class Target:
    """
    One reader of what others write.

    Attributes:
        run: takes any bytes.
        seeds: what it reads gladly, or nearly.
        words: what its language is made of, for a dictionary.
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]] = lambda: ()
    words: Sequence[bytes] = ()


def _require_kept(rows: Iterable[Arrival]) -> None:
    """What the inbox is given, PostgreSQL has to take."""
    for row in rows:
        orjson.dumps(row.content)
        told = (row.notification_id, row.action_id, row.object_type, row.record_id)
        _require_texts(*told, row.error, row.outcome, row.source)


def _require_texts(*texts: str | None) -> None:
    for text in texts:
        assert "\0" not in (text or ""), text
        (text or "").encode()


# --- outbound messages ---


def outbound(data: bytes) -> None:
    try:
        message = outbound_message.read(data, field_lists=CONNECTION.field_lists)
    except Unreadable as exc:
        fault = outbound_message.fault("Client", str(exc))
        outbound_message.parse(fault)
        arrivals.inspectable(data).encode()
        return
    _require_texts(message.org_id)
    _require_kept(arrivals.of(message, CONNECTION, AT))
    for item in message.notifications:
        if item.object_type in reading.DETAILS and item.record_id:
            with suppress(ValueError):
                reading.seen(item.object_type, item.record_id, item.fields)


# --- JSON and events ---


def strict(data: bytes) -> None:
    with suppress(Unreadable):
        value = strict_json.read(data)
        assert strict_json.read(orjson.dumps(value)) == value


def _event(data: bytes) -> bytes:
    """Bytes as they are, or an event in its wrapping with something changed."""
    draw = Draw(data)
    if draw.number(4) == 0:
        return draw.rest()
    payloads = (sent.CHANGE, sent.change_event(Referral_Status__c="Submitted"))
    inside = draw.altered(draw.pick(payloads))
    wrap = draw.pick(sent.WRAPPINGS)
    told = wrap(inside) if isinstance(inside, dict) else wrap()
    return json.dumps(draw.altered(told)).encode()


def events(data: bytes) -> None:
    body = _event(data)
    try:
        told = shapes.read(strict_json.read(body))
    except Unreadable:
        arrivals.inspectable(body).encode()
        return
    for item in told:
        _require_texts(item.org_id)  # quarantine keeps it, when it is another one
        found = event_arrivals.of(item, CONNECTION, AT, message_id="msg_1")
        assert found, "an event that was acknowledged is a row"
        _require_kept(found)


# --- who sent it ---

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
TOKEN = "a-bearer-token-for-tests"


@cache
def _keys() -> tuple[rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey]:
    return (
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
        ed25519.Ed25519PrivateKey.generate(),
    )


@cache
def _accepted() -> list[Credential]:
    org, sender = _keys()
    public = sender.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    kept = (
        (
            Kind.ORG_CERTIFICATE,
            signing.pem(signing.certificate(org, begins=AT - timedelta(days=1))),
        ),
        (Kind.STANDARD_WEBHOOKS, SECRET),
        (Kind.STANDARD_WEBHOOKS_ED25519, base64.b64encode(public).decode()),
        (Kind.BEARER, fingerprint(TOKEN)),
        (Kind.API_KEY, fingerprint(TOKEN)),
    )
    return [
        Credential(number, kind, signatures.material(kind, value), "x-api-key")
        for number, (kind, value) in enumerate(kept)
    ]


_HEADERS = (
    *("webhook-id", "webhook-timestamp", "webhook-signature"),
    *("x-referral-timestamp", "x-referral-signature", "authorization", "x-api-key"),
)


def signed(data: bytes) -> None:
    """Headers of every scheme: right ones, with something in them replaced."""
    draw = Draw(data)
    org, sender = _keys()
    body, at = b"{}", AT.timestamp()
    right: list[dict[str, str]] = [
        {},
        signing.standard(SECRET, body, message_id="msg_1", at=at),
        signing.standard_ed25519(sender, body, message_id="msg_1", at=at),
        signing.by_org(org, body, at=at),
        {"authorization": f"Bearer {TOKEN}"},
        {"x-api-key": TOKEN},
    ]
    chosen = draw.number(len(right))
    headers = dict(right[chosen])
    wrong = chosen == 0
    for _ in range(draw.number(4)):
        name = draw.pick(_HEADERS)
        value = draw.bytes(draw.number(200)).decode("latin-1")
        before = headers.get(name, "")
        place = draw.number(len(before) + 1)
        headers[name] = before[:place] + value + before[place + draw.number(3) :]
        wrong = True
    environ: dict[str, Any] = {
        "HTTP_" + name.upper().replace("-", "_"): value
        for name, value in headers.items()
    }
    accepted = [known for known in _accepted() if draw.number(8) or not wrong]
    try:
        found = signatures.verify(
            lambda name: request.header(environ, name), body, accepted, now=at
        )
    except Forged:
        if wrong:
            return
        raise
    assert found.secret_id in range(len(_accepted()))


def bounded(data: bytes) -> None:
    """A body's length, and who a proxy says has called."""
    draw = Draw(data)
    length = draw.bytes(draw.number(30)).decode("latin-1")
    named = draw.bytes(draw.number(80)).decode("latin-1")
    environ: dict[str, Any] = {
        "CONTENT_LENGTH": length,
        "HTTP_X_FORWARDED_FOR": named,
        "REMOTE_ADDR": draw.pick(("10.0.0.5", "::ffff:10.0.0.5", "", "fe80::1%eth0")),
        "wsgi.input": BytesIO(draw.rest()),
    }
    peer.address(environ, peer.networks(["10.0.0.0/8", "fe80::/10"])).encode()
    with suppress(request.TooLong, request.CutShort):
        assert len(request.body(environ, 50)) <= 50


@cache
def _chain() -> tuple[x509.Certificate, x509.Certificate]:
    org, _ = _keys()
    root = signing.certificate(
        org, name="root", authority=True, begins=AT - timedelta(days=9)
    )
    leaf = signing.certificate(
        org,
        name="proxy.salesforce.com",
        begins=AT - timedelta(days=9),
        issuer=(root, org),
        dns=("proxy.salesforce.com",),
    )
    return leaf, root


def certificate(data: bytes) -> None:
    """A certificate that a proxy passes on, in each of the ways to write one."""
    draw = Draw(data)
    leaf, root = _chain()
    der = bytearray(leaf.public_bytes(Encoding.DER))
    for _ in range(draw.number(4)):
        place = draw.number(len(der))
        der[place : place + draw.number(4)] = draw.bytes(draw.number(6))
    written = base64.b64encode(der).decode()
    pem = f"-----BEGIN CERTIFICATE-----\n{written}\n-----END CERTIFICATE-----\n"
    value = draw.pick((f":{written}:", pem.replace("\n", " "), pem, "", "%"))
    place = draw.number(len(value) + 1)
    value = value[:place] + draw.rest().decode("latin-1") + value[place:]
    trusted = client_certificate.authorities(signing.pem(root).encode())
    environ: dict[str, Any] = {"HTTP_X_CLIENT_CERT": value}
    with suppress(Forged):
        found = client_certificate.from_header(environ, "X-Client-Cert", trusted, at=AT)
        client_certificate.names_of(found)
        client_certificate.seen(found)
    # Who is trusted might write strange names, too.
    with suppress(ValueError, x509.InvalidVersion):
        strange = x509.load_der_x509_certificate(bytes(der))
        with suppress(Forged):
            client_certificate.names_of(strange)
        with suppress(Forged):
            client_certificate.seen(strange)


def canvas_request(data: bytes) -> None:
    """A signed request: any text, or any document rightly signed."""
    draw = Draw(data)
    if draw.number(2) == 0:
        shown = {"algorithm": "HMACSHA256", "userId": "005000000000001AAA"}
        document = json.dumps(draw.altered(shown)).encode()
        text = signing.canvas("secret", draw.pick((document, draw.rest())))
    else:
        text = draw.rest().decode("utf-8", "replace")
    with suppress(Forged):
        assert isinstance(canvas.verify(text, "secret"), dict)


def _canvas_seeds() -> Iterable[bytes]:
    content = base64.b64encode(b'{"algorithm":"HMACSHA256"}')
    mac = hmac.new(b"secret", content, hashlib.sha256).digest()
    yield b"\x01" + base64.b64encode(mac) + b"." + content


# --- links in mails ---


@cache
def _keyring() -> Keyring:
    return Keyring([new_key()])


def mail_link(data: bytes) -> None:
    """The last part of a mail link's address, near to a right one and far away."""
    draw = Draw(data)
    right = links.token(
        Link(Act.UPDATE, 7, "005000000000001AAA", "de_DE", AT, 5, "00Q0"), _keyring()
    )
    token = right
    for _ in range(draw.number(3)):
        place = draw.number(len(token) + 1)
        piece = draw.bytes(draw.number(6)).decode("utf-8", "replace")
        token = token[:place] + piece + token[place + draw.number(4) :]
    if draw.number(3) == 0:
        token = draw.rest().decode("utf-8", "replace")
    found = links.read(token, _keyring())
    links.digest(token)
    assert (found is None) == (token != right)


# --- what admins write ---


def playbook(data: bytes) -> None:
    with suppress(UnicodeDecodeError, WrongDocument):
        playbooks.read(data.decode(), templates=("new_referral",))


def calendar(data: bytes) -> None:
    with suppress(UnicodeDecodeError, WrongDocument):
        found = calendars.calendar(data.decode(), "Europe/Berlin")
        for team in (found.everybody, *found.teams.values()):
            next(spans(AT, team.week))


def condition(data: bytes) -> None:
    draw = Draw(data)
    facts = {name: draw.text() for name in sorted(TEXTS)[: draw.number(4)]}
    referral = Referral(
        key="00Q000000000001EAA",
        object_type="Lead",
        record_id="00Q000000000001EAA",
        status="Submitted",
        milestone=Milestone.SUBMITTED,
        owner_id="005000000000001AAA",
        changed_at=AT,
        details={**facts, "amount": draw.text()},
    )
    if draw.number(2):
        text = draw.rest().decode("utf-8", "replace")
    else:
        text = " ".join(draw.pick(_TOKENS) for _ in range(draw.number(24)))
    with suppress(expressions.WrongCondition):
        asked = expressions.condition(text)
        assert holds(asked, referral).yes in {True, False}


_TOKENS = (
    *("referral.type", "referral.amount", "referral.company", "true", "false", "null"),
    *("1", "-1", "0", "1u", "1.5", "1e400", "9223372036854775807", '"a"', "b'a'", "''"),
    *("==", "!=", "<", ">=", "&&", "||", "!", "-", "?", ":", "in", "+", "*", "/", "%"),
    *("(", ")", "[", "]", "{", "}", ",", ".size()", '.matches("a")', '.matches("(")'),
    *(".contains('a')", ".startsWith(", "size(", "has(referral.type)", "int(", "r'\\'"),
    *('.matches("(a+)+$")', ".matches(referral.company)", "/* */", "//", "'\\u0000'"),
)


# --- streams ---


@cache
def _schema() -> payload.Schema:
    header = {
        "type": "record",
        "name": "ChangeEventHeader",
        "fields": [
            {"name": "entityName", "type": "string"},
            {"name": "recordIds", "type": {"type": "array", "items": "string"}},
            {"name": "changeType", "type": "string"},
            {"name": "changeOrigin", "type": "string"},
            {"name": "commitUser", "type": "string"},
            *(
                {"name": name, "type": {"type": "array", "items": "string"}}
                for name in ("nulledFields", "diffFields", "changedFields")
            ),
        ],
    }
    name = {
        "type": "record",
        "name": "Switchable_PersonName",
        "fields": [{"name": "FirstName", "type": ["null", "string"]}],
    }
    declared = {
        "type": "record",
        "name": "LeadChangeEvent",
        "fields": [
            {"name": "ChangeEventHeader", "type": header},
            {"name": "Name", "type": ["null", name]},
            {"name": "Amount", "type": ["null", "double", "long"]},
            {"name": "Referral_Status__c", "type": ["null", "string"]},
            {"name": "Photo", "type": ["null", "bytes"]},
        ],
    }
    return payload.schema("s", json.dumps(declared))


def _avro(changed: dict[str, Any]) -> bytes:
    import fastavro

    header = {
        "entityName": "Lead",
        "recordIds": [sent.LEAD],
        "changeType": "UPDATE",
        "changeOrigin": "",
        "commitUser": "005000000000001AAA",
        "nulledFields": [],
        "diffFields": ["1-0x1"],
        "changedFields": ["0x8"],
    }
    record = {"ChangeEventHeader": header, "Referral_Status__c": "Submitted"}
    record["ChangeEventHeader"] = header | changed
    out = BytesIO()
    fastavro.schemaless_writer(out, _schema().parsed, record)
    return out.getvalue()


class _Kept:
    """A memory that takes what PostgreSQL would."""

    def position(self, topic: str) -> bytes | None:
        return None

    def keep(self, topic: str, rows: list[Arrival], after: bytes) -> None:
        assert after
        _require_kept(rows)

    def forget(self, topic: str) -> None:
        pass


def _heard(
    received: Received, position: bytes = b"p", topic: str = "/data/LeadChangeEvent"
) -> None:
    listener = stream.Listener(
        topic=topic,
        connection=lambda: CONNECTION,
        memory=_Kept(),
        subscribe=lambda: None,  # type: ignore[arg-type, return-value]
        log_in=lambda: None,
        wait=lambda _seconds: None,
        stopped=lambda: True,
        now=lambda: AT,
    )
    listener._keep(Portion((received,), position))


def avro(data: bytes) -> None:
    """A payload of a schema: any bytes, or a header with strange lists in it."""
    draw = Draw(data)
    content = (
        draw.rest()
        if draw.number(2)
        else _avro(
            {
                draw.pick(
                    ("changedFields", "nulledFields", "diffFields", "recordIds")
                ): [draw.text() for _ in range(draw.number(4))],
                draw.pick(("entityName", "changeType", "changeOrigin")): draw.text(),
            }
        )
    )
    try:
        values = payload.decode(content, _schema())
    except Unreadable as exc:
        _heard(Received("id", b"p", {}, str(exc)))
        return
    _heard(Received(draw.text(), b"p", values))


def avro_schema(data: bytes) -> None:
    """A schema that an org gives out, and a payload by it."""
    draw = Draw(data)
    content = draw.bytes(draw.number(60))
    declared = {
        "type": "record",
        "name": "X",
        "fields": [
            {"name": "a", "type": ["null", "string", "bytes", "double"]},
            {"name": "b", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "ChangeEventHeader", "type": ["null", "string"]},
        ],
    }
    text = json.dumps(draw.altered(declared)) if draw.number(4) else ""
    text = text or draw.rest().decode("utf-8", "replace")
    with suppress(Unreadable):
        values = payload.decode(content, payload.schema("s", text))
        _heard(Received("id", b"p", values), topic="/event/Another__e")


def positions(data: bytes) -> None:
    """What a server answers on a stream, its positions whatever bytes they are."""
    try:
        response = wire.FetchResponse.FromString(data)
    except DecodeError:
        return  # gRPC tells it as a broken call
    for each in response.events:
        try:
            values = payload.decode(each.event.payload, _schema())
            received = Received(each.event.id, bytes(each.replay_id), values)
        except Unreadable as exc:
            received = Received(each.event.id, bytes(each.replay_id), {}, str(exc))
        _heard(received, bytes(response.latest_replay_id))


def _position_seeds() -> Iterable[bytes]:
    response = wire.FetchResponse(latest_replay_id=b"\0\xff")
    response.events.add(replay_id=b"\x01").event.payload = _avro({})
    yield response.SerializeToString()


def logged(data: bytes) -> None:
    """What is written into the log, whatever came."""
    text = data.decode("utf-8", "replace")
    mask(text).encode()
    arrivals.inspectable(data).encode()


TARGETS = {
    "outbound": Target(
        outbound,
        lambda: [of_leads(1), of_leads(1, 2).decode().encode("utf-16")],
        (
            b"<![CDATA[",
            b"]]>",
            b"<!--",
            b"-->",
            b"<?xml",
            b"<!DOCTYPE",
            b"&#0;",
            b"&amp;",
            b"<Notification>",
            b"xsi:nil='true'",
            b"xsi:type=",
            b"xmlns:a='b'",
            b"<sf:Id>",
            b"<SessionId>",
            b"encoding='utf-16'",
            b"encoding='latin-1'",
            b"\xff\xfe",
        ),
    ),
    "json": Target(
        strict,
        lambda: [sent.encoded(wrap()) for wrap in sent.WRAPPINGS],
        (
            b"NaN",
            b"-Infinity",
            b"1e999",
            b"\\ud800",
            b"\\u0000",
            b"\xef\xbb\xbf",
            b"[",
            b'{"a":',
            b"18446744073709551616",
            b"-0",
            b"1.0E+2",
        ),
    ),
    "events": Target(events, lambda: [bytes(range(1, 60)), b"\x01" * 40]),
    "signatures": Target(signed, lambda: [bytes([n, 0]) for n in range(6)]),
    "request": Target(bounded, lambda: [b"\x02 10\x07::1,1.2", b"\x03\xb25x"]),
    "certificate": Target(certificate, lambda: [b"\0\0\0\0", b"\x01" * 12]),
    "canvas": Target(canvas_request, _canvas_seeds),
    "mail-link": Target(mail_link, lambda: [b"\0\x01", b"\x01\x05\x02ab\x01\x01"]),
    "playbook": Target(
        playbook,
        lambda: [playbooks.standard_text().encode()],
        (
            b"milestones:",
            b"- task:",
            b"email:",
            b"when: ",
            b"&a ",
            b"*a",
            b"<<: ",
            b"!!",
            b"|\n",
            b"? ",
            b"---\n",
            b"!!python/object:os.system",
            b"due: 2 working days",
            b"clocks:",
            b"version: ",
            b'"\\UFFFFFFFF"',
            b"%YAML 9",
        ),
    ),
    "calendar": Target(
        calendar,
        lambda: [
            b"time_zone: Europe/Berlin\nhours:\n  monday: 09:00-17:00\n"
            b"holidays: DE-BE\nclosed: [2026-12-24]\n"
        ],
        (
            b"time_zone: ",
            b"hours:",
            b"holidays: ",
            b"teams:",
            b"closed:",
            b"24:00",
            b"../../etc/passwd",
            b"00:00-00:00",
            b"fallback_owner: ",
            b"9999-12-31",
        ),
    ),
    "condition": Target(
        condition,
        lambda: [b"\0\0\x01referral.amount > 1000 && referral.type == 'Partner'"],
        tuple(token.encode() for token in _TOKENS),
    ),
    "avro": Target(avro, lambda: [b"\x01" + _avro({}), b"\0\0\x03\x01\x01"]),
    "avro-schema": Target(avro_schema, lambda: [b"\x02ab\x01\0", b"\0\x01" * 20]),
    "positions": Target(positions, _position_seeds),
    "log": Target(
        logged,
        lambda: [of_leads(1)],
        (
            b"<SessionId>",
            b"</SessionId>",
            b"00D000000000001!AQ4A",
            b"password=",
            b"<!--",
            b"/hooks/outbound/",
            b"whsec_",
            b"Bearer ",
            b"eyJ",
        ),
    ),
}
"""Every reader by the name that ``scripts/fuzz`` knows it by."""
