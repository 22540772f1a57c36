"""Each scheme on vectors of its own: what is taken, and why the rest is not."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
import signing
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sidecar.errors import Forged, Permanent
from sidecar.intake import signatures
from sidecar.intake.signatures import canvas, org_certificate, standard_webhooks
from sidecar.intake.signatures.credentials import Credential, Verified
from sidecar.intake.signatures.reasons import Reason
from sidecar.keyring import fingerprint
from sidecar.store.webhook_secrets import Kind

# Published in the tests of Standard Webhooks' reference libraries (Python and Go).
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
MAC = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OTHER_MAC = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
SEED = "VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="
SIGNATURE = (
    "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5Wq"
    "yeFiL8Ag=="
)
PUBLISHED = {"webhook-id": ID, "webhook-timestamp": str(AT), "webhook-signature": MAC}

SENDER = ed25519.Ed25519PrivateKey.from_private_bytes(base64.b64decode(SEED))
PUBLIC = (
    "whpk_"
    + base64.b64encode(
        SENDER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    ).decode()
)

ORG_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
BEGINS = datetime.fromtimestamp(AT, UTC) - timedelta(days=10)
ORG_CERTIFICATE = signing.pem(signing.certificate(ORG_KEY, begins=BEGINS, days=100))


def secret(kind, value, number=1, header=""):
    return Credential(number, kind, signatures.material(kind, value), header)


SYMMETRIC = secret(Kind.STANDARD_WEBHOOKS, SECRET)
ASYMMETRIC = secret(Kind.STANDARD_WEBHOOKS_ED25519, PUBLIC, 2)
OF_ORG = secret(Kind.ORG_CERTIFICATE, ORG_CERTIFICATE, 3)
BEARER = secret(Kind.BEARER, fingerprint("a-long-token"), 4)
API_KEY = secret(Kind.API_KEY, fingerprint("a long one?"[:6]), 5, "x-api-key")


def verify(headers, *accepted, body=BODY, now=AT):
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    return signatures.verify(sent.get, body, accepted, now=now)


def refused(headers, *accepted, **more):
    with pytest.raises(Forged) as caught:
        verify(headers, *accepted, **more)
    return str(caught.value)


# --- Standard Webhooks -------------------------------------------------------------------


def test_the_published_vector_is_taken():
    assert verify(PUBLISHED, SYMMETRIC) == Verified(1, ID)


def test_the_published_vector_of_ed25519_is_taken():
    headers = PUBLISHED | {"webhook-signature": SIGNATURE}

    assert verify(headers, ASYMMETRIC) == Verified(2, ID)
    assert refused(headers, ASYMMETRIC, body=BODY + b" ") == Reason.SIGNATURE_WRONG


def test_one_right_signature_among_several_is_enough():
    listed = f"{OTHER_MAC} v2,whatever {MAC} {OTHER_MAC}"
    assert verify(PUBLISHED | {"webhook-signature": listed}, SYMMETRIC).secret_id == 1
    both = f"{OTHER_MAC} {SIGNATURE}"
    both_kinds = verify(PUBLISHED | {"webhook-signature": both}, SYMMETRIC, ASYMMETRIC)
    assert both_kinds.secret_id == 2


def test_while_a_secret_is_rotated_both_are_taken_and_told_apart():
    """Promise 40."""
    new = "whsec_" + base64.b64encode(b"n" * 32).decode()
    accepted = [secret(Kind.STANDARD_WEBHOOKS, new, 9), SYMMETRIC]

    assert verify(PUBLISHED, *accepted).secret_id == 1
    by_new = signing.standard(new, BODY, message_id=ID, at=AT)
    assert verify(by_new, *accepted).secret_id == 9


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"webhook-id": None}, Reason.ID_MISSING),
        ({"webhook-id": ""}, Reason.ID_MALFORMED),
        ({"webhook-id": "with.stop"}, Reason.ID_MALFORMED),
        ({"webhook-id": "m" * 256}, Reason.ID_MALFORMED),
        ({"webhook-id": "ümlaut"}, Reason.ID_MALFORMED),
        ({"webhook-id": "another"}, Reason.SIGNATURE_WRONG),
        ({"webhook-timestamp": None}, Reason.TIMESTAMP_MISSING),
        ({"webhook-timestamp": ""}, Reason.TIMESTAMP_MALFORMED),
        ({"webhook-timestamp": "1614265330.0"}, Reason.TIMESTAMP_MALFORMED),
        ({"webhook-timestamp": "-1614265330"}, Reason.TIMESTAMP_MALFORMED),
        ({"webhook-timestamp": "²"}, Reason.TIMESTAMP_MALFORMED),
        ({"webhook-timestamp": "9" * 400}, Reason.TIMESTAMP_MALFORMED),
        ({"webhook-timestamp": "1614265331"}, Reason.SIGNATURE_WRONG),
        ({"webhook-signature": None}, Reason.SIGNATURE_MISSING),
        ({"webhook-signature": "  "}, Reason.SIGNATURE_MISSING),
        ({"webhook-signature": "garbage"}, Reason.SIGNATURE_MALFORMED),
        ({"webhook-signature": "v1,"}, Reason.SIGNATURE_MALFORMED),
        ({"webhook-signature": "v1,%%%"}, Reason.SIGNATURE_MALFORMED),
        ({"webhook-signature": "v1,a,b"}, Reason.SIGNATURE_MALFORMED),
        ({"webhook-signature": MAC[:-4]}, Reason.SIGNATURE_MALFORMED),
        ({"webhook-signature": f"{MAC} garbage"}, Reason.SIGNATURE_MALFORMED),
        ({"webhook-signature": "v2,AAAA"}, Reason.VERSION_UNKNOWN),
        ({"webhook-signature": MAC.replace("v1,", "v1a,")}, Reason.SIGNATURE_MALFORMED),
        ({"webhook-signature": OTHER_MAC}, Reason.SIGNATURE_WRONG),
        ({"webhook-signature": SIGNATURE}, Reason.SIGNATURE_WRONG),
        ({"webhook-signature": " ".join([MAC] * 17)}, Reason.SIGNATURES_TOO_MANY),
    ],
)
def test_each_fault_has_its_reason(changed, reason):
    """Promise 41."""
    headers = {
        name: value
        for name, value in (PUBLISHED | changed).items()
        if value is not None
    }
    assert refused(headers, SYMMETRIC) == reason


def test_a_last_digit_changed_is_refused():
    wrong = MAC.removesuffix("OE=") + "OA="
    assert refused(PUBLISHED | {"webhook-signature": wrong}, SYMMETRIC)


def test_the_bytes_count_and_not_what_they_mean():
    """Promise 39."""
    again = json.dumps(json.loads(BODY), separators=(",", ":")).encode()
    assert refused(PUBLISHED, SYMMETRIC, body=again) == Reason.SIGNATURE_WRONG


@pytest.mark.parametrize("away", [300, -300])
def test_five_minutes_both_ways_are_taken(away):
    assert verify(PUBLISHED, SYMMETRIC, now=AT + away)


def test_what_is_late_or_early_is_told_from_what_is_forged():
    """Promise 42: so the sender can see trouble with clocks and queues."""
    assert refused(PUBLISHED, SYMMETRIC, now=AT + 301) == Reason.TOO_OLD
    assert refused(PUBLISHED, SYMMETRIC, now=AT - 301) == Reason.TOO_NEW
    forged = PUBLISHED | {"webhook-signature": OTHER_MAC}
    assert refused(forged, SYMMETRIC, now=AT + 301) == Reason.SIGNATURE_WRONG


@pytest.mark.parametrize(
    "given",
    [
        "",
        "whsec_",
        "whsec_%%%",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        "ä",
    ],
)
def test_a_secret_that_is_none_is_refused_and_not_repeated(given):
    with pytest.raises(Permanent) as caught:
        standard_webhooks.symmetric(given)
    assert not given or given not in str(caught.value)


def test_a_senders_private_key_is_not_taken():
    with pytest.raises(Permanent, match="private"):
        standard_webhooks.asymmetric("whsk_" + SEED)
    for given in ("", "whpk_", "whpk_AAAA", "whpk_%%"):
        with pytest.raises(Permanent):
            standard_webhooks.asymmetric(given)


# --- the org's certificate -----------------------------------------------------------------


def test_what_the_org_signed_is_taken():
    assert verify(signing.by_org(ORG_KEY, BODY, at=AT), OF_ORG) == Verified(3)


def test_two_certificates_are_taken_while_one_replaces_the_other():
    newer = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = signing.pem(signing.certificate(newer, begins=BEGINS))
    accepted = [secret(Kind.ORG_CERTIFICATE, pem, 8), OF_ORG]

    assert verify(signing.by_org(ORG_KEY, BODY, at=AT), *accepted).secret_id == 3
    assert verify(signing.by_org(newer, BODY, at=AT), *accepted).secret_id == 8


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"x-referral-timestamp": None}, Reason.TIMESTAMP_MISSING),
        ({"x-referral-timestamp": "now"}, Reason.TIMESTAMP_MALFORMED),
        ({"x-referral-timestamp": str(AT + 1)}, Reason.CERTIFICATE_SIGNATURE_WRONG),
        ({"x-referral-signature": ""}, Reason.SIGNATURE_MISSING),
        ({"x-referral-signature": "%%"}, Reason.SIGNATURE_MALFORMED),
        ({"x-referral-signature": "A" * 4000}, Reason.SIGNATURE_MALFORMED),
        ({"x-referral-signature": "AAAA"}, Reason.CERTIFICATE_SIGNATURE_WRONG),
    ],
)
def test_each_fault_of_a_signed_event_has_its_reason(changed, reason):
    headers = signing.by_org(ORG_KEY, BODY, at=AT) | changed
    headers = {name: value for name, value in headers.items() if value is not None}
    assert refused(headers, OF_ORG) == reason


def test_another_key_or_another_body_is_refused():
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    wrong = Reason.CERTIFICATE_SIGNATURE_WRONG
    assert refused(signing.by_org(stranger, BODY, at=AT), OF_ORG) == wrong
    right = signing.by_org(ORG_KEY, BODY, at=AT)
    assert refused(right, OF_ORG, body=BODY + b"\n") == wrong


def test_a_certificate_counts_for_as_long_as_it_says():
    def at(days):
        moment = (BEGINS + timedelta(days=days)).timestamp()
        return signing.by_org(ORG_KEY, BODY, at=moment), int(moment)

    headers, now = at(100.1)
    assert refused(headers, OF_ORG, now=now) == Reason.CERTIFICATE_EXPIRED
    headers, now = at(-0.1)
    assert refused(headers, OF_ORG, now=now) == Reason.CERTIFICATE_NOT_YET
    headers, now = at(99)
    assert verify(headers, OF_ORG, now=now)


def test_old_signed_events_are_refused():
    headers = signing.by_org(ORG_KEY, BODY, at=AT)
    assert refused(headers, OF_ORG, now=AT + 301) == Reason.TOO_OLD
    assert refused(headers, OF_ORG, now=AT - 301) == Reason.TOO_NEW


def test_only_certificates_that_can_be_trusted_are_kept():
    der = signing.certificate(ORG_KEY).public_bytes(Encoding.DER)
    assert org_certificate.certificate(der)
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    for key in (weak, SENDER):
        with pytest.raises(Permanent, match="2048"):
            org_certificate.certificate(signing.pem(signing.certificate(key)).encode())
    for given in (b"", b"-----BEGIN CERTIFICATE-----", b"\x30\x82", der[:-3]):
        with pytest.raises(Permanent):
            org_certificate.certificate(given)


# --- tokens and keys -----------------------------------------------------------------------


def test_a_token_or_a_key_is_taken():
    assert verify({"authorization": "Bearer a-long-token"}, BEARER) == Verified(4)
    assert verify({"authorization": "bearer  a-long-token"}, BEARER) == Verified(4)
    elsewhere = secret(Kind.API_KEY, fingerprint("key"), 6, "x-relay-key")
    assert verify({"x-relay-key": "key"}, API_KEY, elsewhere) == Verified(6)
    both = {"x-relay-key": "key", "x-api-key": "wrong"}
    assert verify(both, API_KEY, elsewhere) == Verified(6)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", Reason.TOKEN_MALFORMED),
        ("Bearer", Reason.TOKEN_MALFORMED),
        ("Bearer ", Reason.TOKEN_MALFORMED),
        ("Basic YTpi", Reason.TOKEN_MALFORMED),
        ("Bearer a b", Reason.TOKEN_MALFORMED),
        ("Bearer " + "a" * 5000, Reason.TOKEN_MALFORMED),
        ("Bearer ä", Reason.TOKEN_MALFORMED),
        ("Bearer A-long-token", Reason.TOKEN_WRONG),
    ],
)
def test_each_fault_of_a_token_has_its_reason(header, reason):
    assert refused({"authorization": header}, BEARER) == reason


def test_each_fault_of_a_key_has_its_reason():
    assert refused({"x-api-key": "wrong"}, API_KEY) == Reason.KEY_WRONG
    assert refused({"x-api-key": ""}, API_KEY) == Reason.KEY_MALFORMED
    assert refused({"x-api-key": "é"}, API_KEY) == Reason.KEY_MALFORMED


# --- which scheme -----------------------------------------------------------------------------


def test_a_wrong_signature_is_not_mended_by_a_right_token():
    headers = signing.by_org(ORG_KEY, BODY, at=AT) | {
        "authorization": "Bearer a-long-token"
    }
    accepted = [BEARER, OF_ORG]

    assert verify(headers, *accepted) == Verified(3)
    assert refused(headers, *accepted, body=b"{}") == Reason.CERTIFICATE_SIGNATURE_WRONG
    # Where no signature is expected, the token is what counts.
    assert verify(headers, BEARER, body=b"{}") == Verified(4)


def test_what_the_connection_does_not_accept_is_told_from_nothing():
    assert refused({}, SYMMETRIC, OF_ORG, BEARER, API_KEY) == Reason.NOTHING_SENT
    assert refused({}) == Reason.NOTHING_SENT
    assert refused(PUBLISHED, BEARER) == Reason.NOT_ACCEPTED
    assert refused({"authorization": "Bearer x"}) == Reason.NOT_ACCEPTED
    assert refused({"x-api-key": "x"}, SYMMETRIC) == Reason.NOT_ACCEPTED


def test_a_token_is_no_key_and_a_key_no_token():
    assert refused({"authorization": "Bearer a long"}, API_KEY)
    assert refused({"x-api-key": "a-long-token"}, BEARER) == Reason.NOT_ACCEPTED


# --- Canvas -----------------------------------------------------------------------------------

DOCUMENT = b'{"algorithm":"HMACSHA256","userId":"005000000000001AAA"}'


def test_a_signed_request_opens():
    told = canvas.verify(signing.canvas("consumer", DOCUMENT), "consumer")
    assert told["userId"] == "005000000000001AAA"


def test_each_fault_of_a_signed_request_has_its_reason():
    right = signing.canvas("consumer", DOCUMENT)
    mac, _, content = right.partition(".")

    def reason(given):
        with pytest.raises(Forged) as caught:
            canvas.verify(given, "consumer")
        return str(caught.value)

    for malformed in (
        "",
        ".",
        mac,
        mac + content,
        f"{mac}.%",
        f"ä.{content}",
        "." + content,
    ):
        assert reason(malformed) == Reason.CANVAS_MALFORMED
    assert reason("A" * canvas.LONGEST + ".A") == Reason.CANVAS_MALFORMED
    other = base64.b64encode(DOCUMENT.replace(b"5", b"6")).decode()
    assert reason(f"{mac}.{other}") == Reason.CANVAS_WRONG
    assert reason(signing.canvas("another", DOCUMENT)) == Reason.CANVAS_WRONG
    for document in (b"[]", b"{", b"\xff"):
        assert reason(signing.canvas("consumer", document)) == Reason.CANVAS_UNREADABLE
    for document in (b"{}", b'{"algorithm":"none"}'):
        assert reason(signing.canvas("consumer", document)) == Reason.CANVAS_ALGORITHM


def test_without_a_secret_nothing_is_verified():
    with pytest.raises(ValueError):
        canvas.verify(signing.canvas("", DOCUMENT), "")
