"""The mailbox to which mail servers send back what they could not deliver: IMAP."""

import imaplib
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sidecar.errors import Permanent, Retryable

_PORT = 993  # RFC 8314, section 3.2
_AT_ONCE = 200
_BYTES = 1024 * 1024
"""A report stands before the letter that it returns; the rest is not fetched."""


@dataclass(frozen=True)
class Mailbox:
    """Where reports come in, always over TLS."""

    host: str
    port: int
    username: str
    folder: str
    password: str = field(repr=False)
    ca_file: Path | None = None
    timeout_s: float = 20.0


def mailbox_at(url: str, *, ca_file: Path | None = None) -> Mailbox:
    """
    Read a mailbox from its address.

    Args:
        url: ``imaps://user:password@host/INBOX``; all but the host percent-encoded.

    Raises:
        Permanent: it cannot be read; without repeating the password.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme != "imaps" or not host or not parts.username or not parts.password:
        raise Permanent(
            "the bounce mailbox must be like imaps://user:password@host/INBOX, with "
            "user and password percent-encoded"
        )
    folder = unquote(parts.path.strip("/")) or "INBOX"
    username, password = unquote(parts.username), unquote(parts.password)
    if not folder.isascii() or re.search(r'[\x00-\x1f\x7f"\\]', folder):
        raise Permanent("the bounce mailbox: its folder has an ASCII name")
    return Mailbox(host, port or _PORT, username, folder, password, ca_file)


def read_new(mailbox: Mailbox, take: Callable[[bytes], None]) -> int:
    """
    Give each new mail to ``take``; what it has taken is marked as seen.

    Args:
        take: gets a mail, at most its first megabyte. Where it raises, the mail stays
            new.

    Returns:
        How many there were; at most 200, so that one look comes to an end.

    Raises:
        Retryable: the server is away, or says something that is no IMAP.
        Permanent: it refuses the login or has no such folder.
    """
    with _opened(mailbox) as imap:
        return _read(imap, take)


def greet(mailbox: Mailbox) -> str:
    """
    Log in, and read nothing.

    Raises:
        Retryable, Permanent: as ``read_new``.
    """
    with _opened(mailbox):
        return f"{mailbox.host}:{mailbox.port} answers, and has {mailbox.folder}"


@contextmanager
def _opened(mailbox: Mailbox) -> Iterator[imaplib.IMAP4_SSL]:
    place = f"bounce mailbox {mailbox.host}:{mailbox.port}"
    try:
        tls = ssl.create_default_context(cafile=mailbox.ca_file)
        with imaplib.IMAP4_SSL(
            mailbox.host, mailbox.port, ssl_context=tls, timeout=mailbox.timeout_s
        ) as imap:
            _enter(imap, mailbox, place)
            yield imap
    except imaplib.IMAP4.error as exc:
        raise Retryable(f"{place}: {_words(exc)}") from exc
    except OSError as exc:
        raise Retryable(f"{place}: {exc}") from exc


def _enter(imap: imaplib.IMAP4_SSL, mailbox: Mailbox, place: str) -> None:
    try:
        imap.login(mailbox.username, mailbox.password)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as exc:
        raise Permanent(f"{place} refused the login: {_words(exc)}") from exc
    except UnicodeError as exc:
        raise Permanent(f"{place}: user or password are not ASCII") from exc
    answer, said = imap.select(f'"{mailbox.folder}"')
    if answer != "OK":
        raise Permanent(f"{place} has no folder {mailbox.folder!r}: {_said(said)}")


def _read(imap: imaplib.IMAP4_SSL, take: Callable[[bytes], None]) -> int:
    _, found = imap.uid("SEARCH", "UNSEEN")
    numbers = (found[0] or b"").split() if found else []
    read = 0
    for number in numbers[:_AT_ONCE]:
        uid = number.decode("ascii", "replace")
        if not uid.isdecimal():
            continue
        # PEEK: nothing is seen before it is taken (RFC 9051, section 6.4.5).
        _, answers = imap.uid("FETCH", uid, f"(BODY.PEEK[]<0.{_BYTES}>)")
        mails = [one[1] for one in answers or [] if isinstance(one, tuple)]
        for mail in mails[:1]:
            take(mail)
            read += 1
        with suppress(imaplib.IMAP4.readonly):
            imap.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")
    return read


def _words(exc: imaplib.IMAP4.error) -> str:
    return _said(list(exc.args))


def _said(words: Sequence[object]) -> str:
    said = " ".join(
        one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)
        for one in words
    )
    return said[:200]
