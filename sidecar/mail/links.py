"""The links behind a mail's buttons: signed, for one purpose, and not for ever.

A link is what lets somebody in: whoever has the mail is taken for the rep to whom it
was sent. So each opens one page about one referral, and ends. Scanners of mail open
links: opening one never does anything.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sidecar.keyring import Keyring, fingerprint

PREFIX = "/m/"
LIFE = timedelta(days=14)
"""A rep on holiday comes back to links that work; a forwarded mail is old by then."""
PREFERENCES_LIFE = timedelta(days=180)
"""Who wants fewer mails may take up an old one to say so."""

_PURPOSE = "mail link 1"
_MAC_BYTES = 32
_LONGEST = 1000


class Act(StrEnum):
    """What a link is for."""

    CONTACTED = "contacted"
    UNREACHABLE = "unreachable"
    SNOOZE = "snooze"
    UPDATE = "update"  # change the status, add a note
    PREFERENCES = "preferences"
    STOP = "stop"  # no more mails: RFC 8058's one click
    FALL_SILENT = "fall_silent"  # the same, for a referrer


@dataclass(frozen=True)
class Link:
    """
    What a link says.

    Attributes:
        user_id: of the rep, or the referrer; 18 characters.
        locale: of the page, as Salesforce names one: ``en_US``, ``de_DE``.
        follow_up_id, referral_key: what it is about; 0 and empty where it is about
            the rep's mails as such.
        expires_at: aware, whole seconds.
    """

    act: Act
    connection_id: int
    user_id: str
    locale: str
    expires_at: datetime
    follow_up_id: int = 0
    referral_key: str = ""


def token(link: Link, keyring: Keyring) -> str:
    """Write a link as a text that fits into a URL and that nobody else can make."""
    said = json.dumps(
        [
            link.act,
            link.connection_id,
            link.user_id,
            link.locale,
            int(link.expires_at.timestamp()),
            link.follow_up_id,
            link.referral_key,
        ],
        separators=(",", ":"),
    ).encode()
    return _text(keyring.mac(_PURPOSE, said) + said)


def read(given: str, keyring: Keyring) -> Link | None:
    """
    Read a link, expired or not; None where it is none of ours.

    Args:
        given: what stood in the URL; anything.
    """
    data = _bytes(given)
    mark, said = data[:_MAC_BYTES], data[_MAC_BYTES:]
    if not said or not keyring.is_mac(_PURPOSE, said, mark):
        return None
    act, connection_id, user_id, locale, expires, follow_up_id, key = json.loads(said)
    return Link(
        act=Act(act),
        connection_id=connection_id,
        user_id=user_id,
        locale=locale,
        expires_at=datetime.fromtimestamp(expires, UTC),
        follow_up_id=follow_up_id,
        referral_key=key,
    )


def digest(given: str, state: str = "") -> str:
    """
    Give what is kept of a used link.

    Args:
        given: its token.
        state: for a link that may be used once for each state of a record.
    """
    return fingerprint(f"{given}\n{state}")


def address(public_url: str, link: Link, keyring: Keyring) -> str:
    """Give the URL of a link."""
    return f"{public_url}{PREFIX}{token(link, keyring)}"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(given: str) -> bytes:
    """
    Undo ``_text``; nothing where that is not possible.

    One link has one token: base64 would let others through that differ in bits which
    are not used, and a used link would be another.
    """
    if len(given) > _LONGEST:
        return b""
    try:
        data = base64.b64decode(
            given + "=" * (-len(given) % 4), altchars=b"-_", validate=True
        )
    except (binascii.Error, ValueError):
        return b""
    return data if _text(data) == given else b""
