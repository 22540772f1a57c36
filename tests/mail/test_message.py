"""Letters as bytes: whatever is in them, the headers stay ours."""

import re
from datetime import datetime
from email import message_from_bytes
from email.policy import SMTP, SMTPUTF8

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from smtp_peer import SENDER, letter

from sidecar.errors import Permanent
from sidecar.mail.letters import Address, Image, message_id
from sidecar.mail.message import build
from sidecar.mail.values import one_line

OUR_FIELDS = [
    "Date",
    "From",
    "To",
    "Subject",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
]
# One line, as a name on a record is; the rest of Unicode included.
NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200
)


@given(subject=st.text(max_size=400))
@example(subject="Hello\r\nBcc: everybody@example.org")
@example(subject="=?utf-8?q?Hello=0D=0ABcc=3A_everybody=40example=2Eorg?=")
@example(subject="x" * 2000)
@example(subject="ä" * 300)
def test_no_subject_makes_another_header(subject: str) -> None:
    data = build(letter(subject=subject), sender=SENDER).data

    mail = message_from_bytes(data, policy=SMTP)
    assert mail.keys() == OUR_FIELDS
    assert not mail.defects
    assert max(map(len, data.partition(b"\r\n\r\n")[0].splitlines())) <= 998


def test_a_subject_of_several_lines_becomes_one() -> None:
    data = build(letter(subject="New\r\nBcc: x\u2028referral"), sender=SENDER).data

    assert b"\r\nSubject: New Bcc: x referral\r\n" in data


@given(subject=NAMES)
def test_a_subject_arrives_as_it_was_written(subject: str) -> None:
    data = build(letter(subject=subject), sender=SENDER).data

    assert one_line(message_from_bytes(data, policy=SMTP)["Subject"]) == one_line(
        subject
    )


@given(name=NAMES)
@example(name='Example, Ada (Sales) "the one" <mallory@example.org>, ' + "long " * 30)
@example(name="mallory@example.org, ")
@example(name="mallory@example.org, " * 3)
@example(name="mallory@example.org, " * 100)
@example(name='\\" <mallory@example.org>, "')
@example(name="Müller, Jörg (Vertrieb) " * 6)
@example(name="=?utf-8?q?mallory=40example=2Eorg=2C?=")
def test_no_name_makes_another_recipient(name: str) -> None:
    message = build(letter(to=Address(name, "rita@example.org")), sender=SENDER)

    mail = message_from_bytes(message.data, policy=SMTP)
    assert mail.keys() == OUR_FIELDS
    assert [to.addr_spec for to in mail["To"].addresses] == ["rita@example.org"]
    # Python's parser keeps the folds between encoded words as spaces.
    shown = mail["To"].addresses[0].display_name
    assert "".join(shown.split()) == "".join(one_line(name).split())
    assert max(map(len, message.data.partition(b"\r\n\r\n")[0].splitlines())) <= 998
    assert message.recipient == "rita@example.org"


@given(text=st.text(max_size=300), html=st.text(max_size=300))
@example(text="\r\r\n\n.\n..\nFrom me \n" + "x" * 2000, html="--=_part--")
@example(text="\r\n--=_part--\r\n", html="tab\t\r\n=_part =\n\x00")
def test_the_parts_arrive_as_they_were_written(text: str, html: str) -> None:
    text, html = (part.encode(errors="replace").decode() for part in (text, html))
    data = build(letter(text=text, html=html), sender=SENDER).data

    assert data.isascii()
    assert re.fullmatch(rb"(?:[^\r\n]{0,78}\r\n)*", data)
    parts = message_from_bytes(data, policy=SMTP).iter_parts()
    for part, written in zip(parts, (text, html), strict=True):
        assert _lines(part.get_content()) == _lines(written)


def test_a_letter_sent_again_is_the_same_bytes() -> None:
    assert build(letter(), sender=SENDER) == build(letter(), sender=SENDER)


def _lines(text: str) -> list[str]:
    return text.rstrip("\r\n").replace("\r\n", "\n").replace("\r", "\n").split("\n")


@pytest.mark.parametrize(
    "email",
    [
        "",
        "rita",
        "@example.org",
        "rita@",
        "rita@@example.org",
        "rita@example..org",
        "rita@-example.org",
        "rita@example.org.",
        "rita@[127.0.0.1]",
        ".rita@example.org",
        "ri ta@example.org",
        "rita@exa mple.org",
        "<rita@example.org>",
        "rita@example.org, mallory@example.org",
        "rita@example.org\r\nBcc: mallory@example.org",
        "rita@example.org\n",
        "rita\u2028@example.org",
        "rita@stra\u00dfe.example",  # IDNA 2003 would send it to strasse.example
        "rita@" + "a" * 64 + ".example",
        "r" * 65 + "@example.org",
        '"quoted part"@example.org',
    ],
)
@pytest.mark.parametrize("field", ["From", "To"])
def test_what_is_no_address_is_refused_by_field(email: str, field: str) -> None:
    to, sender = Address("", "rita@example.org"), Address("", email)
    if field == "To":
        to, sender = sender, to

    with pytest.raises(Permanent, match=f"^{field}"):
        build(letter(to=to), sender=sender)


@pytest.mark.parametrize(
    "email",
    [
        "rita@localhost",
        "rita.o'rep+crm@mail.example.org",
        "rita@xn--bcher-kva.example",
        "rita@b\u00fccher.example",
    ],
)
def test_usual_addresses_are_taken(email: str) -> None:
    message = build(letter(to=Address("", email)), sender=SENDER)

    assert message.recipient == email.replace("b\u00fccher", "xn--bcher-kva")
    assert not message.international


def test_a_name_of_two_lines_is_refused() -> None:
    with pytest.raises(Permanent, match="line break"):
        build(letter(to=Address("Rita\nBcc: x", "rita@example.org")), sender=SENDER)


@pytest.mark.parametrize(
    "given_id",
    [
        "",
        "key@example.com",
        "<key>",
        "<k\r\nBcc: x@example.com>",
        "<a b@example.com>",
        "<é@x>",
    ],
)
def test_what_is_no_message_id_is_refused(given_id: str) -> None:
    with pytest.raises(Permanent, match="Message-ID"):
        build(letter(message_id=given_id), sender=SENDER)


def test_a_long_message_id_is_not_broken() -> None:
    long = message_id("0123456789abcdef" * 12, domain="mail.example.com")

    data = build(letter(message_id=long), sender=SENDER).data

    assert f"\r\nMessage-ID: {long}\r\n".encode() in data.replace(b"\r\n ", b" ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Bcc", "a@example.org\nX: y"),
        ("subject", "again"),
        ("Content-Type", "text/plain"),
        ("mime-version", "1"),
        ("X Y", "z"),
        ("X:Y", "z"),
        ("", "z"),
        ("Bcc", "mallory@example.org"),
        ("Reply-To", "J\u00fcrgen <rita@example.org>"),
        ("Reply-To", ""),
    ],
)
def test_a_further_header_field_cannot_harm(name: str, value: str) -> None:
    with pytest.raises(Permanent):
        build(letter(headers={name: value}), sender=SENDER)


def test_international_headers_are_written_as_they_are() -> None:
    to = Address("J\u00fcrgen", "j\u00fcrgen@example.org")

    message = build(letter(to=to, subject="\u00c4hnlich"), sender=SENDER)

    mail = message_from_bytes(message.data, policy=SMTPUTF8)
    assert message.international
    assert "<j\u00fcrgen@example.org>\r\n".encode() in message.data
    assert mail["To"] == "J\u00fcrgen <j\u00fcrgen@example.org>"
    assert mail["Subject"] == "\u00c4hnlich"


def test_a_sender_beyond_ascii_needs_smtputf8_too() -> None:
    assert build(letter(), sender=Address("", "b\u00fcro@example.com")).international


def test_a_letter_without_a_time_zone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="time zone"):
        build(letter(written_at=datetime(2026, 3, 3)), sender=SENDER)  # noqa: DTZ001


@given(pictures=st.lists(st.binary(max_size=500), max_size=3), text=st.text())
def test_pictures_arrive_beside_the_page_that_shows_them(
    pictures: list[bytes], text: str
) -> None:
    images = tuple(
        Image(f"p{number}.key@example.com", f"p{number}.png", data)
        for number, data in enumerate(pictures)
    )
    written = letter(html=one_line(text), images=images)
    data = build(written, sender=SENDER).data

    mail = message_from_bytes(data, policy=SMTP)
    assert mail.keys() == OUR_FIELDS
    assert data == build(written, sender=SENDER).data
    plain, shown = mail.iter_parts()
    assert plain.get_content_type() == "text/plain"
    page, *parts = shown.iter_parts() if images else [shown]
    assert page.get_content().rstrip("\r\n") == one_line(text)
    assert [part.get_content() for part in parts] == pictures
    for number, part in enumerate(parts):
        assert part["Content-ID"] == f"<p{number}.key@example.com>"
        assert part["Content-Disposition"].content_disposition == "inline"
    if images:
        assert shown.get_content_type() == "multipart/related"
        assert shown.get_param("type") == "text/html"
    for line in data.splitlines():
        assert len(line) <= 998


@pytest.mark.parametrize(
    "image",
    [
        Image("a>@example.com", "a.png", b""),
        Image("a b@example.com", "a.png", b""),
        Image("a@example.com\r\nX: y", "a.png", b""),
        Image("a@example.com", 'a".png', b""),
        Image("a@example.com", "a.exe", b""),
        Image("a@example.com", "a.png\r\nX: y", b""),
    ],
)
def test_a_picture_with_a_harmful_name_is_refused(image: Image) -> None:
    with pytest.raises(Permanent):
        build(letter(images=(image,)), sender=SENDER)
