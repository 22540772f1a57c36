"""What a mail server sends back: which letter did not arrive, at whom, and why.

A report is anybody's word. Reading it says what stands in it; whether it is about a
letter of ours is not known here.
"""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message

from sidecar.errors import Unreadable
from sidecar.mail.values import one_line

_MOST_RECIPIENTS = 100
_STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})(?!\d)")
_MESSAGE_ID = re.compile(r"<[^<>\s]{3,900}>")
_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_ACTIONS = frozenset({"failed", "delayed", "delivered", "relayed", "expanded"})

# Of the third part of a report: the letter, or its headers (RFC 6522, section 3).
_RETURNED = {
    "message/rfc822",
    "text/rfc822-headers",
    "message/global",
    "message/global-headers",
}


@dataclass(frozen=True)
class Bounce:
    """
    What became of one letter at one recipient.

    Attributes:
        recipients: the address as it was given to the server, and as it was in the
            end; one of them at least.
        action: ``failed``, ``delayed``, ``delivered``, ``relayed``, ``expanded``.
        status: an enhanced code, such as ``5.1.1``.
        message_id: of the letter, with its angle brackets; None where it is not told.

    Source:
        RFC 3464, section 2.3; RFC 3463, section 2.
    """

    recipients: tuple[str, ...]
    action: str
    status: str
    message_id: str | None

    @property
    def is_final(self) -> bool:
        """Whether the letter has not arrived, and never will."""
        return self.action == "failed" and self.status.startswith("5.")

    @property
    def blames_address(self) -> bool:
        """
        Whether no letter will arrive there.

        That a mailbox is full, or a letter too long or unwanted, says nothing of the
        next one: a day with a broken DMARC record must not end all mail.

        Source:
            RFC 3463: X.2.2 mailbox full, X.2.3 and X.3.4 too long, X.6 contents, X.7
            security or policy.
        """
        _, subject, detail = self.status.split(".")
        passing = {("2", "2"), ("2", "3"), ("3", "4")}
        return (
            self.is_final
            and subject not in {"6", "7"}
            and (subject, detail) not in passing
        )


def bounce(
    recipient: str, action: str, status: str, message_id: str | None = None
) -> Bounce:
    """
    Make a bounce of what somebody tells, word by word.

    Raises:
        Unreadable: with the name of what cannot be read.
    """
    address = _address(recipient)
    if address is None:
        raise Unreadable('"recipient" takes an address like rita.rep@example.com')
    if action.strip().lower() not in _ACTIONS:
        known = ", ".join(sorted(_ACTIONS))
        raise Unreadable(f'"action" takes one of {known} (RFC 3464)')
    code = _STATUS.fullmatch(status.strip())
    if code is None:
        raise Unreadable('"status" takes an enhanced code like 5.1.1 (RFC 3463)')
    named = _message_id(message_id) if message_id else None
    if message_id and named is None:
        raise Unreadable('"message_id" takes what stood in the letter, with its <>')
    return Bounce((address,), action.strip().lower(), _code(code), named)


def read(data: bytes) -> list[Bounce]:
    """
    Read a delivery status notification.

    Args:
        data: a whole mail as a mailbox has it; anything.

    Returns:
        What it tells, for each recipient; recipients of whom it tells no status that
        can be read are left out.

    Raises:
        Unreadable: it is no such report.
    """
    try:
        report = message_from_bytes(data)
        if report.get_content_type() != "multipart/report":
            raise Unreadable("no multipart/report")
        return _told(_messages(report))
    except (
        *(RecursionError, ValueError, LookupError, AttributeError),
        MessageError,
    ) as exc:
        # The parser of the standard library breaks in many ways on what is broken.
        raise Unreadable(f"a report that cannot be read: {exc!r}"[:200]) from exc


def _messages(part: Message) -> list[Message]:
    """Give what a part consists of; nothing where it is a text."""
    inside = part.get_payload()
    if not isinstance(inside, list):
        return []
    return [one for one in inside if isinstance(one, Message)]


def _told(parts: list[Message]) -> list[Bounce]:
    groups: list[Message] = []
    message_id = None
    for part in parts:
        kind = part.get_content_type()
        if kind in {"message/delivery-status", "message/global-delivery-status"}:
            groups = _messages(part) or groups
        elif kind in _RETURNED and message_id is None:
            message_id = _returned_id(part)
    if not groups:
        raise Unreadable("no message/delivery-status")
    # The first group is about the message, each further one about a recipient.
    told = (
        _of_recipient(group, message_id) for group in groups[1 : _MOST_RECIPIENTS + 1]
    )
    return [one for one in told if one is not None]


def _of_recipient(group: Message, message_id: str | None) -> Bounce | None:
    addresses = []
    for name in ("Original-Recipient", "Final-Recipient"):
        # An address type, a semicolon, the address: RFC 3464, section 2.3.1.
        kind, _, given = _text(group, name).partition(";")
        address = _address(given)
        known = kind.strip().lower() in {"rfc822", "utf-8"}
        if known and address is not None and address not in addresses:
            addresses.append(address)
    code = _STATUS.match(_text(group, "Status"))
    action = _text(group, "Action").strip().lower()
    if not addresses or code is None or action not in _ACTIONS:
        return None
    return Bounce(tuple(addresses), action, _code(code), message_id)


def _code(found: re.Match[str]) -> str:
    return ".".join(str(int(part)) for part in found.groups())


def _returned_id(part: Message) -> str | None:
    if letters := _messages(part):
        return _message_id(_text(letters[0], "Message-ID"))
    # Headers alone: they are the text of the part.
    body = part.get_payload(decode=True)
    if not isinstance(body, bytes):
        return None
    return _message_id(_text(message_from_bytes(body), "Message-ID"))


def _message_id(text: str) -> str | None:
    found = _MESSAGE_ID.search(text)
    return found[0] if found else None


def _address(text: str) -> str | None:
    """Find an address; with or without angle brackets."""
    found = _ADDRESS.fullmatch(one_line(text).strip("<>").strip())
    return found[0] if found and len(found[0]) <= 320 else None


def _text(message: Message, name: str) -> str:
    value = message.get(name)
    if value is None:
        return ""
    return one_line(str(make_header(decode_header(str(value)))))
