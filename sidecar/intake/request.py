"""What a request brings, within bounds: its headers, its body, the rest unread."""

import socket
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

from sidecar.errors import Permanent

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class TooLong(Permanent):
    """More bytes than we take."""


class CutShort(Permanent):
    """Fewer bytes than were announced."""


def body(environ: "WSGIEnvironment", max_bytes: int) -> bytes:
    """
    Read the body whole, or not at all.

    Raises:
        TooLong, CutShort: with the number of bytes.
    """
    stream: IO[bytes] = environ["wsgi.input"]
    announced = environ.get("CONTENT_LENGTH") or ""
    # Of a number that is too long to be read, twenty digits tell enough.
    digits = announced.lstrip("0")[:20] or "0"
    length = int(digits) if announced.isdecimal() else None
    if length is not None and length > max_bytes:
        raise TooLong(f"the body has {length} bytes; {max_bytes} are taken")
    try:
        read = stream.read(max_bytes + 1 if length is None else length)
    except (OSError, ValueError) as exc:
        raise CutShort(f"the body could not be read: {exc}") from exc
    except ParseException as exc:
        # Its text repeats what was sent.
        raise CutShort(f"the body is malformed: {type(exc).__name__}") from exc
    if len(read) > max_bytes:
        raise TooLong(f"the body has more than {max_bytes} bytes")
    if length is not None and len(read) < length:
        raise CutShort(f"{length} bytes were announced, {len(read)} came")
    return read


def header(environ: "WSGIEnvironment", name: str) -> bytes | None:
    """
    Give a header as it was sent; None where there is none.

    Source: PEP 3333, "Unicode Issues": a server hands over bytes as Latin-1.
    """
    value = environ.get("HTTP_" + name.upper().replace("-", "_"))
    return value.encode("latin-1", "replace") if isinstance(value, str) else None


def close_unread(environ: "WSGIEnvironment") -> None:
    """
    Let go of a stranger's body.

    A server would read what is left of it to find the next request; half-closing the
    socket ends that. gunicorn gives the socket; elsewhere the server has its way.
    """
    given = environ.get("gunicorn.socket")
    if isinstance(given, socket.socket):
        with suppress(OSError):
            # Not the method of a TLS socket, which would send the answer in the clear.
            socket.socket.shutdown(given, socket.SHUT_RD)
