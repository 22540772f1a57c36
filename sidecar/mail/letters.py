"""What is sent: a letter and its addresses, as plain values.

A value may hold anything; ``sidecar.mail.message`` refuses what cannot be mailed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Address:
    """A mailbox: ``name`` may be empty, ``email`` is ``local@domain``."""

    name: str
    email: str


@dataclass(frozen=True)
class Image:
    """
    A picture that stands in a letter.

    Attributes:
        content_id: what the HTML calls it: ``<img src="cid:...">``; as a Message-ID,
            without angle brackets.
        name: of the file, should somebody keep it; ASCII without quotes.
        png: the picture.
    """

    content_id: str
    name: str
    png: bytes


@dataclass(frozen=True)
class Letter:
    """
    One mail to one person.

    Attributes:
        to: who gets it.
        subject: one line.
        text: what ``html`` says, for those who read plain text.
        html: a whole document with its styles in the elements.
        message_id: with its angle brackets, see ``message_id``. Sending a letter
            again means sending it with the same one.
        written_at: aware; becomes the Date header.
        headers: further header fields, such as Reply-To; each one line of ASCII.
        images: pictures that ``html`` shows.
    """

    to: Address
    subject: str
    text: str
    html: str
    message_id: str
    written_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    images: tuple[Image, ...] = ()


def replies_to(first: str) -> dict[str, str]:
    """
    Put a letter into the thread that another one began.

    Args:
        first: the other's Message-ID.

    Source:
        RFC 5322, section 3.6.4.
    """
    return {"In-Reply-To": first, "References": first}


def unsubscribable(url: str) -> dict[str, str]:
    """
    Say where the reader ends these mails, by one click where that may be said.

    Args:
        url: takes the POST of a mail program. The one click is for https alone.

    Source:
        RFC 2369, section 3.2; RFC 8058, section 3.1. The relay's DKIM signature has
        to cover both fields.
    """
    fields = {"List-Unsubscribe": f"<{url}>"}
    if url.startswith("https:"):
        fields["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return fields


def message_id(key: str, *, domain: str) -> str:
    """
    Make the Message-ID that every attempt at one follow-up shares.

    Args:
        key: the follow-up's own key, unique for ever: ASCII without spaces.
        domain: the sender's, so that nobody else can make the same id.

    Source:
        RFC 5322, section 3.6.4: unique for ever, the right part a domain.
    """
    return f"<{key}@{domain}>"
