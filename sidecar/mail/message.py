"""A letter as the bytes that travel, and the addresses on its envelope."""

import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.header import Header
from email.utils import format_datetime

from sidecar.errors import Permanent
from sidecar.mail.letters import Address, Image, Letter
from sidecar.mail.values import one_line


@dataclass(frozen=True)
class Message:
    """
    What SMTP is told.

    Attributes:
        sender, recipient: ``local@domain``, the domain in its ASCII form.
        data: headers and body with CRLF line ends, before dot stuffing. ASCII
            unless ``international``.
        international: an address has a local part beyond ASCII, so that the server
            must offer SMTPUTF8 (RFC 6531).
    """

    sender: str
    recipient: str
    data: bytes
    international: bool


def build(letter: Letter, *, sender: Address) -> Message:
    """
    Write a letter out as MIME, plain text first.

    Raises:
        Permanent: an address or a header field that cannot be sent.
        ValueError: ``letter.written_at`` has no time zone.
    """
    if letter.written_at.tzinfo is None:
        raise ValueError("written_at has no time zone")
    from_, to = _mailbox("From", sender), _mailbox("To", letter.to)
    fields = {
        "Date": format_datetime(letter.written_at),
        "From": _addressed("From", from_),
        "To": _addressed("To", to),
        "Subject": _written("Subject", one_line(letter.subject)),
        "Message-ID": _message_id(letter.message_id),
        # RFC 3834: out-of-office replies are not wanted.
        "Auto-Submitted": "auto-generated",
    }
    for name, value in letter.headers.items():
        fields[_field_name(name, fields)] = _plain(name, value)
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return Message(
        sender=from_.email,
        recipient=to.email,
        data=head.encode() + _body(letter.text, letter.html, letter.images),
        international=not (from_.email + to.email).isascii(),
    )


# All of it is written here and not by EmailMessage: that takes what looks like an
# encoded word in a text for one, decodes it, and writes the line breaks and commas
# that were in it into the header (seen with Python 3.11.7). Anybody may type such a
# name into a form. It is also what makes one letter the same bytes each time, and
# takes a quarter of a millisecond where EmailMessage takes a whole one and more.


# Quoted-printable writes "=" as "=3D": this cannot occur in a part (RFC 2045,
# section 6.7).
_BOUNDARY = b"=_part"
_RELATED = b"=_whole"
"""Base64 has no underscore."""


def _body(text: str, html: str, images: Sequence[Image]) -> bytes:
    page = _part(b"html", html, _RELATED if images else _BOUNDARY)
    return (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative;"
        b' boundary="%(boundary)s"\r\n\r\n%(text)s%(html)s--%(boundary)s--\r\n'
    ) % {
        b"boundary": _BOUNDARY,
        b"text": _part(b"plain", text, _BOUNDARY),
        b"html": _with_images(page, images) if images else page,
    }


def _with_images(page: bytes, images: Sequence[Image]) -> bytes:
    """
    Put a page and what it shows into one part, the page first.

    Source:
        RFC 2387, sections 3.1 and 3.4; RFC 2392 for ``cid:``.
    """
    return (
        b"--%s\r\nContent-Type: multipart/related;"
        b' type="text/html"; boundary="%s"\r\n\r\n%s%s--%s--\r\n'
    ) % (_BOUNDARY, _RELATED, page, b"".join(map(_image, images)), _RELATED)


def _image(image: Image) -> bytes:
    if not _CONTENT_ID.fullmatch(image.content_id):
        raise Permanent(f"Content-ID: {image.content_id!r} is not one")
    if not _FILE_NAME.fullmatch(image.name):
        raise Permanent(f"{image.name!r} is no name of a picture's file")
    coded = encodebytes(image.png).replace(b"\n", b"\r\n")
    return (
        b'--%s\r\nContent-Type: image/png; name="%s"\r\nContent-ID: <%s>\r\n'
        b'Content-Disposition: inline; filename="%s"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n%s"
    ) % (
        _RELATED,
        image.name.encode(),
        image.content_id.encode(),
        image.name.encode(),
        coded,
    )


def _part(subtype: bytes, text: str, boundary: bytes) -> bytes:
    # The line end added here belongs to the boundary after it. Having one is also
    # what tells b2a_qp to break lines with CRLF.
    lines = re.sub(r"\r\n?|\n", "\r\n", text) + "\r\n"
    return (
        b"--%s\r\nContent-Type: text/%s; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n%s"
    ) % (boundary, subtype, b2a_qp(lines.encode(), istext=True))


_PLAIN = re.compile(r"(?!.*=\?)[ -~]*")
_WORDS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_WIDTH = 76  # RFC 2047, section 2: of a line with an encoded word


def _written(field: str, text: str) -> str:
    """Write free text as one header value, in encoded words where it needs them."""
    return text if _fits(field, text) else _encoded(field, text)


def _addressed(field: str, address: Address) -> str:
    name = address.name
    if not name:
        return address.email
    if not _fits(field, name):
        phrase = _encoded(field, name)
    elif _WORDS.fullmatch(name):
        phrase = name
    else:
        escaped = re.sub(r'(["\\])', r"\\\1", name)
        phrase = f'"{escaped}"'
    # The address stands on its own line when the name fills one.
    gap = "\r\n " if len(phrase) + len(address.email) > _WIDTH - 8 else " "
    return f"{phrase}{gap}<{address.email}>"


def _fits(field: str, text: str) -> bool:
    return bool(_PLAIN.fullmatch(text)) and len(field) + 2 + len(text) <= _WIDTH


def _encoded(field: str, text: str) -> str:
    header = Header(text, "utf-8", maxlinelen=_WIDTH, header_name=field)
    return header.encode(linesep="\r\n")


# RFC 5322 dot-atom, and RFC 6531: anything beyond ASCII. Quoted local parts are
# valid too, but Salesforce takes none.
_ATOM = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~\u00a1-\ud7ff\ue000-\U0010ffff-]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_LABEL = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_LONGEST = 900  # RFC 5322, section 2.1.1: a line has at most 998 characters
_MESSAGE_ID = re.compile(r"(?=.{3,900}$)<[!-;=?A-~]+@[!-;=?A-~]+>")
_CONTENT_ID = re.compile(r"[A-Za-z0-9.-]{1,80}@[A-Za-z0-9.-]{1,255}")
_FILE_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}\.png")
_FIELD_NAME = re.compile(r"[A-Za-z0-9-]{1,60}")
# What would change the letter's form, or add readers that the envelope lacks.
_NOT_TO_SET = {"mime-version", "cc", "bcc", "sender", "return-path"}


def _mailbox(field: str, address: Address) -> Address:
    name = _unbroken(field, address.name)
    local, _, domain = _unbroken(field, address.email).rpartition("@")
    ascii_domain = _ascii(domain)
    if (
        not _LOCAL.fullmatch(local)
        or len(local.encode()) > 64  # RFC 5321, section 4.5.3.1.1
        or not _DOMAIN.fullmatch(ascii_domain)
        or len(ascii_domain) > 255
    ):
        raise Permanent(f"{field}: {address.email!r} is not an e-mail address")
    return Address(name, f"{local}@{ascii_domain}")


def _ascii(domain: str) -> str:
    """
    Write a domain as DNS knows it; an empty text where that is not certain.

    Python's codec follows the rules of 2003, under which some names are those of
    somebody else today ("ß" became "ss"): such a name does not come back the same.
    """
    if domain.isascii():
        return domain
    try:
        known = domain.encode("idna")
        same = known.decode("idna") == domain.lower()
    except UnicodeError:
        return ""
    return known.decode("ascii") if same else ""


def _message_id(given: str) -> str:
    if not _MESSAGE_ID.fullmatch(given):
        raise Permanent(f"Message-ID: {given!r} is not one")
    return given


def _field_name(name: str, taken: Mapping[str, str]) -> str:
    low = name.lower()
    ours = low in map(str.lower, taken) or low in _NOT_TO_SET
    if not _FIELD_NAME.fullmatch(name) or ours or low.startswith("content-"):
        raise Permanent(f"{name!r} is not a header field to be set")
    return name


def _plain(field: str, value: str) -> str:
    if not value or not _PLAIN.fullmatch(value) or len(value) > _LONGEST:
        raise Permanent(f"{field}: {value!r} is not one line of ASCII")
    return value


def _unbroken(field: str, value: str) -> str:
    if len(value.splitlines()) > 1 or value != value.rstrip("\r\n"):
        raise Permanent(f"{field} has a line break: {value!r}")
    return one_line(value)
