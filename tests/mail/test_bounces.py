"""Mails that came back: believed where they are ours, and never more than that."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imap_peer import ImapPeer, imap_serving
from office import RALF, Office
from signing import standard
from sqlalchemy import update

from sidecar import doctor, settings
from sidecar.errors import Permanent, Retryable, Unreadable
from sidecar.intake import bounced
from sidecar.intake.signatures.issue import issue
from sidecar.mail.bounce_mailbox import mailbox_at
from sidecar.mail.bounces import Bounce, read
from sidecar.referral.mail_preference import Mails, Preference
from sidecar.store import mail_preferences, webhook_secrets
from sidecar.store.tables import follow_up
from sidecar.store.webhook_secrets import Kind, NewSecret
from sidecar.web import create_app

LINE = "\r\n"


def report(
    status: str = "5.1.1",
    *,
    action: str = "failed",
    to: str = "rita@example.com",
    message_id: str | None = None,
    returned: str = "text/rfc822-headers",
    original: str | None = None,
) -> bytes:
    """A report, as RFC 3464 has them."""
    lines = [
        "From: Mail Delivery System <MAILER-DAEMON@mx.example.org>",
        "To: referrals@sidecar.example",
        "Subject: Undelivered mail",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "Your letter could not be delivered.",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.example.org",
        "",
        *([f"Original-Recipient: rfc822; {original}"] if original else []),
        f"Final-Recipient: rfc822; {to}",
        f"Action: {action}",
        f"Status: {status} (as it says)",
        f"Diagnostic-Code: smtp; 550 {status} no such user {to}",
        "",
    ]
    if message_id is not None:
        lines += [
            "--b",
            f"Content-Type: {returned}",
            "",
            f"Message-ID: {message_id}",
            "Subject: New referral",
            "",
            "text",
        ]
    return LINE.join([*lines, "--b--", ""]).encode()


# --- reading ---


@pytest.mark.parametrize("returned", ["text/rfc822-headers", "message/rfc822"])
def test_a_report_tells_whom_what_and_of_which_letter(returned) -> None:
    assert read(report(message_id="<1@example.com>", returned=returned)) == [
        Bounce(("rita@example.com",), "failed", "5.1.1", "<1@example.com>")
    ]


def test_the_address_as_it_was_given_comes_first() -> None:
    (told,) = read(report(to="rita@old.example", original="rita@example.com"))
    assert told.recipients == ("rita@example.com", "rita@old.example")


@pytest.mark.parametrize(
    ("status", "action", "final", "blames"),
    [
        ("5.1.1", "failed", True, True),
        ("5.2.1", "failed", True, True),
        ("5.2.2", "failed", True, False),  # full
        ("5.3.4", "failed", True, False),  # too long
        ("5.6.1", "failed", True, False),  # what it holds
        ("5.7.1", "failed", True, False),  # a policy
        ("4.4.7", "delayed", False, False),
        ("4.4.7", "failed", False, False),
        ("2.0.0", "delivered", False, False),
    ],
)
def test_what_a_status_says_of_the_address(status, action, final, blames) -> None:
    (told,) = read(report(status, action=action))
    assert (told.is_final, told.blames_address) == (final, blames)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Subject: out of office\r\n\r\nI am away",
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b--",
        report().replace(b"message/delivery-status", b"text/plain"),
        report(to="=?utf-8?b?a?="),
        report(to="=?utf\xff-8?q?a?="),
    ],
)
def test_any_other_mail_is_no_report(data) -> None:
    with pytest.raises(Unreadable):
        read(data)


@pytest.mark.parametrize("status", ["", "6.1.1", "5.1", "5.1.1111", "very bad"])
def test_a_recipient_without_a_status_is_left_out(status) -> None:
    assert read(report(status)) == []


@given(st.data())
def test_whatever_comes_it_is_read_or_refused(data) -> None:
    whole = report(message_id="<1@example.com>")
    cut = data.draw(st.integers(0, len(whole)))
    noise = data.draw(st.binary(max_size=60))
    try:
        told = read(whole[:cut] + noise + whole[cut + len(noise) :])
    except Unreadable:
        return
    assert all(one.recipients and one.status.count(".") == 2 for one in told)


def test_a_report_in_a_report_without_end_is_refused() -> None:
    part = b'Content-Type: multipart/report; boundary="%d"\r\n\r\n--%d\r\n'
    deep = b"".join(part % (n, n) for n in range(3000))
    with pytest.raises(Unreadable):
        read(deep)


# --- acting ---


def sent(office: Office, name: str = "Ada", **more: object) -> str:
    """Send a mail; its Message-ID."""
    office.plan(name, **more)
    office.deliver()
    return str(office.peer.mails()[-1]["Message-ID"])


def take(office: Office, data: bytes):
    return office.wiring.take_bounces(None, read(data))


def suppressed(office: Office) -> list[tuple[str, str]]:
    with office.wiring.engine.connect() as db:
        found = mail_preferences.listing(db, keyring=office.wiring.keyring)
    return [(known.address, known.reason) for known in found]


def test_a_letter_that_never_arrives_is_a_dead_letter_and_ends_mail_there(office):
    counted = take(office, report(message_id=sent(office)))

    assert (counted.ours, counted.suppressed) == (1, 1)
    assert suppressed(office) == [("rita@example.com", "a mail came back: 5.1.1")]
    assert office.states == [("dead", 1)]
    assert "5.1.1" in office.column("error")[0]
    findings = {item.part: item for item in doctor.examine(office.wiring)}
    assert not findings["follow-ups"].well

    office.plan("Bert")
    office.deliver()
    assert office.states[1] == ("cancelled", 1)


def test_told_again_it_changes_nothing(office):
    data = report(message_id=sent(office))
    take(office, data)
    again = take(office, data)

    assert (again.ours, again.suppressed) == (1, 0)
    assert len(suppressed(office)) == 1


def test_a_delay_is_noted_and_nothing_else(office):
    message_id = sent(office)
    for status in ("4.4.1", "4.4.7"):
        take(office, report(status, action="delayed", message_id=message_id))

    assert suppressed(office) == []
    assert office.states == [("done", 1)]
    assert office.column("receipt")[0].endswith(
        "queued as 1 | since then: delayed, 4.4.7"
    )


def test_a_refused_letter_is_dead_and_its_address_goes_on(office):
    take(office, report("5.7.1", message_id=sent(office)))

    assert office.states == [("dead", 1)]
    assert suppressed(office) == []


def test_a_digest_that_came_back_is_all_of_its_parts(office):
    office.choose(Preference(Mails.DIGEST))
    office.plan("Ada", "Bert")
    office.deliver()
    office.move(hours=23)
    office.deliver()
    take(office, report(message_id=str(office.peer.mails()[0]["Message-ID"])))

    assert office.states == [("dead", 1)] * 2


def test_a_report_that_names_no_letter_is_known_by_the_address(office):
    sent(office)
    sent(office, "Bert", to=RALF)
    take(office, report())

    assert [state for state, _ in office.states] == ["dead", "done"]
    assert suppressed(office) == [("rita@example.com", "a mail came back: 5.1.1")]


def test_but_not_weeks_later(office):
    sent(office)
    office.move(days=8)
    assert take(office, report()).ours == 0
    assert suppressed(office) == []


@pytest.mark.parametrize(
    "told",
    [
        {"to": "boss@example.com"},
        {"to": "boss@example.com", "message_id": "ours"},
        {"message_id": "<0123456789abcdef0123456789abcdef@sidecar.example>"},
        {"message_id": "<something@elsewhere.example>"},
    ],
)
def test_a_forged_report_changes_nothing(office, told):
    """An address to which we never wrote, or a letter that we did not write to it."""
    message_id = sent(office)
    if told.get("message_id") == "ours":
        told = told | {"message_id": message_id}
    counted = take(office, report(**told))

    assert (counted.ours, counted.suppressed) == (0, 0)
    assert suppressed(office) == []
    assert office.states == [("done", 1)]


def test_another_connections_sender_says_nothing_of_this_ones_letters(office, connect):
    message_id = sent(office)
    other, _ = connect()
    told = read(report(message_id=message_id))

    assert office.wiring.take_bounces(other.id, told).ours == 0
    assert office.wiring.take_bounces(office.connection.id, told).ours == 1


# --- the mailbox ---


@pytest.fixture
def mailbox(office, server_tls, certificate):
    box = ImapPeer()
    with imap_serving(box, server_tls) as port:
        office.wiring.settings = replace(
            office.wiring.settings,
            bounce_mailbox=f"imaps://bounces:s3cret@127.0.0.1:{port}/INBOX",
            ca_file=certificate,
        )
        yield box


def test_new_mails_of_the_mailbox_are_read_once(office, mailbox):
    message_id = sent(office)
    mailbox.mails = {
        7: b"Subject: out of office\r\n\r\nI am away",
        8: report(to="=?utf-8?b?a?="),
        9: report(message_id=message_id) + b"x" * (2 * 1024 * 1024),
    }
    assert office.wiring.read_bounces() == 3
    assert mailbox.seen == {7, 8, 9}
    assert office.states == [("dead", 1)]
    assert office.wiring.read_bounces() == 0


def test_what_could_not_be_acted_on_stays_new(office, mailbox):
    mailbox.mails = {1: report(message_id=sent(office))}
    url = office.wiring.settings.database_url
    broken = type(office.wiring)(
        replace(office.wiring.settings, database_url=url + "_gone")
    )
    with pytest.raises(Retryable, match="database is away"):
        broken.read_bounces()
    assert mailbox.seen == set()
    assert office.wiring.read_bounces() == 1


def test_a_refused_login_or_folder_is_told_without_the_password(office, mailbox):
    mailbox.password = "another"
    with pytest.raises(Permanent, match="refused the login") as refused:
        office.wiring.read_bounces()
    assert "s3cret" not in str(refused.value)

    mailbox.password, mailbox.folder = "s3cret", "Other"
    with pytest.raises(Permanent, match="no folder 'INBOX'"):
        office.wiring.read_bounces()


def test_nobody_at_the_mailbox_is_tried_again(office, mailbox, certificate):
    away = replace(
        office.wiring.settings, bounce_mailbox="imaps://a:b@127.0.0.1:1/INBOX"
    )
    office.wiring.settings = away
    with pytest.raises(Retryable, match="bounce mailbox 127"):
        office.wiring.read_bounces()


@pytest.mark.parametrize(
    "url",
    [
        "imap://a:hush@mail.example.com/INBOX",
        "imaps://mail.example.com",
        "imaps://a:hush@[mail",
        "imaps://a:hush@mail.example.com/a%22b",
    ],
)
def test_an_address_that_cannot_serve_is_refused_without_its_password(url):
    with pytest.raises(Permanent) as refused:
        mailbox_at(url)
    assert "hush" not in str(refused.value)


def test_no_setting_shows_the_password():
    url = "imaps://a:hush@mail.example.com/INBOX"
    given = settings.from_environ({"SIDECAR_BOUNCE_MAILBOX": url})
    assert "hush" not in repr(given)
    assert "hush" not in repr(mailbox_at(url))


# --- the door ---


@pytest.fixture
def post(office, wiring):
    issued = issue(Kind.STANDARD_WEBHOOKS, None)
    with wiring.engine.begin() as db:
        new = NewSecret(office.connection.id, Kind.STANDARD_WEBHOOKS, issued.value)
        webhook_secrets.add(db, new, now=wiring.now(), keyring=wiring.keyring)
    client = create_app(wiring).test_client()

    def send(body: object, *, signed: bool = True):
        data = json.dumps(body).encode()
        headers = standard(
            issued.shown, data, message_id="m1", at=wiring.now().timestamp()
        )
        return client.post(
            bounced.address("", office.hook_key),
            data=data,
            headers=headers if signed else {},
        )

    return send


def test_a_provider_tells_of_bounces(office, post):
    message_id = sent(office)
    told = {
        "message_id": message_id,
        "recipient": "Rita@Example.com",
        "status": "5.1.1",
        "action": "failed",
    }
    answer = post(told)

    assert answer.get_json() == {"bounces": 1, "ours": 1, "suppressed": 1}
    assert office.states == [("dead", 1)]
    assert post([told, told | {"recipient": "boss@example.com"}]).get_json() == {
        "bounces": 2,
        "ours": 1,
        "suppressed": 0,
    }


def test_without_a_signature_nothing_is_read(office, post):
    assert post({"recipient": "rita@example.com"}, signed=False).status_code == 401


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"status": "550"}, '"status" takes'),
        ({"status": None}, '"status" is missing'),
        ({"action": "bounced"}, '"action" takes one of delayed'),
        ({"recipient": "rita"}, '"recipient" takes'),
        ({"message_id": "key"}, '"message_id" takes'),
        ({"more": 1}, "'more' is none of"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(office, post, change, named):
    good = {"recipient": "rita@example.com", "status": "5.1.1", "action": "failed"}
    answer = post([good, good | change])

    assert answer.status_code == 400
    assert answer.get_json()["error"].startswith("bounce 2: ")
    assert named in answer.get_json()["error"]


def test_old_rows_without_an_address_are_no_letters_of_ours(office):
    message_id = sent(office)
    with office.wiring.engine.begin() as db:
        db.execute(update(follow_up).values(sent_to=None))
    assert take(office, report(message_id=message_id)).ours == 0
