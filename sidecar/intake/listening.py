"""How long we listen to a caller: none may keep the others waiting.

gunicorn's threads read a request for as long as the caller takes, so as many callers
as there are threads could end the service by stopping halfway. Here a thread is given
to a request when its head has arrived, and taken away when the rest comes too slowly:
soon, when all threads are taken.

A proxy that buffers requests does the same; this is for those who run without one.
"""

import logging
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from errno import EMFILE, ENFILE
from functools import partial
from http import HTTPStatus
from selectors import EVENT_READ
from typing import Any

from gunicorn import http, util  # type: ignore[import-untyped]
from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.sock import ssl_wrap_socket  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from sidecar.logs import mask

HEAD_SECONDS = 10.0
"""For a request's head to arrive. Meanwhile it takes no thread."""

REST_SECONDS = 20.0
"""For the rest, while there are threads to spare."""

REST_SECONDS_WHEN_BUSY = 1.0
"""For the rest, while there are none. Where we speak TLS ourselves, a thread is given
to a caller with his first byte, and the handshake has as long as the rest."""

LEAVE_SECONDS = 2.0
"""For a caller to hang up after the last answer."""

BYTES_PER_SECOND = 50_000
"""Whoever sends at least that fast is never cut off: a byte that came earns time."""

_HEAD_BYTES = 16 * 1024
_LOOK_AGAIN_SECONDS = 0.1
_LEFTOVER_SECONDS = 0.05
_LEFTOVER_BYTES = 64 * 1024

_STATUS: dict[type[Exception], HTTPStatus] = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
}
_MALFORMED = (
    errors.ParseException,
    errors.InvalidChunkSize,
    errors.InvalidChunkExtension,
    errors.ChunkMissingTerminator,
)


class Listener(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker, with bounds on its patience."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Half a head: looked at again and again, as a poller would wake for each.
        self._halves: deque[TConn] = deque()
        # Those who are answered and shall hang up.
        self._leaving: deque[TConn] = deque()
        self._look_again_at = 0.0
        self._in_threads: set[TConn] = set()

    def init_process(self) -> None:
        """Start; what gunicorn says of a request may quote its address."""
        logging.getLogger("gunicorn.error").addFilter(_blacken)
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection; when there are too many, for the idlest one."""
        if self.nr_conns >= self.worker_connections - 1:
            self._drop_idlest()
        try:
            super().accept(listener)
        except OSError as exc:
            if exc.errno not in (EMFILE, ENFILE):
                raise
            self._drop_idlest()

    def enqueue_req(self, conn: TConn) -> None:
        """Give the connection a thread, now or when a request's head is there."""
        if conn.initialized and conn.parser.unreader.buf.tell():
            super().enqueue_req(conn)  # the next request came with the last one
            return
        conn.timeout = time.monotonic() + HEAD_SECONDS
        self._arrived(conn)

    def on_pending_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        """Something came on a connection that had been silent."""
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        self._arrived(conn)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait, but not longer than the halves and the leaving can."""
        if self._halves or self._leaving:
            timeout = min(timeout, _LOOK_AGAIN_SECONDS)
        super().wait_for_and_dispatch_events(timeout)
        now = time.monotonic()
        if now >= self._look_again_at:
            self._look_again_at = now + _LOOK_AGAIN_SECONDS
            halves, self._halves = self._halves, deque()
            for conn in halves:
                self._arrived(conn)
            leaving, self._leaving = self._leaving, deque()
            for conn in leaving:
                self._part(conn)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """
        After the answer, keep the connection or end it.

        gunicorn waits here until the caller hangs up, for two seconds in which
        nobody else is heard.
        """
        if fs.cancelled() or fs.exception() is not None or fs.result():
            super().finish_request(conn, fs)
            return
        try:
            _say_goodbye(conn.sock)
        except OSError:
            self._drop(conn)
            return
        conn.timeout = time.monotonic() + LEAVE_SECONDS
        self._part(conn)

    def handle(self, conn: TConn) -> Any:
        """Serve a request, in a thread."""
        self._in_threads.add(conn)
        try:
            conn.sock.setblocking(True)
            if self.cfg.is_ssl and not conn.initialized and not self._shake_hands(conn):
                return False
            conn.init()
            if not isinstance(conn.parser.unreader, Patience):
                patience = TLSPatience if self.cfg.is_ssl else Patience
                conn.parser.unreader = patience(conn.sock, busy=self._busy)
            conn.parser.unreader.begin()
            return super().handle(conn)
        finally:
            self._in_threads.discard(conn)

    def _shake_hands(self, conn: TConn) -> bool:
        """Begin TLS; False where the caller does not, or takes too long."""
        try:
            conn.sock = ssl_wrap_socket(conn.sock, self.cfg)
            # For the whole of the handshake, not for each of its reads.
            conn.sock.settimeout(
                REST_SECONDS_WHEN_BUSY if self._busy() else REST_SECONDS
            )
            conn.sock.do_handshake()
        except OSError as exc:
            self.log.debug("no TLS handshake: %s", exc)
            return False
        conn.sock.settimeout(None)
        conn.parser = http.get_parser(self.cfg, conn.sock, conn.client)
        conn.initialized = True
        return True

    def handle_error(
        self, req: Any, client: socket.socket, addr: Any, exc: Exception
    ) -> None:
        """Refuse what is no HTTP without repeating it: it may hold an address."""
        if not isinstance(exc, _MALFORMED):
            super().handle_error(req, client, addr, exc)
            return
        status = _STATUS.get(type(exc), HTTPStatus.BAD_REQUEST)
        peer = addr[0] if addr else ""
        self.log.warning("refused a request from %s: %s", peer, type(exc).__name__)
        try:
            util.write_error(client, status.value, status.phrase, "")
        except OSError:
            self.log.debug("the caller was gone")

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Keep the connection, unless a body is left that nobody wanted."""
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        return bool(keepalive and conn.parser.finish_body(deadline=deadline))

    def _arrived(self, conn: TConn) -> None:
        """Look how much of a request is there, and take nothing of it."""
        flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
        try:
            head = _raw(conn.sock, _HEAD_BYTES, flags)
        except BlockingIOError:
            conn.sock.setblocking(False)
            self.pending_conns.append(conn)
            waiting = partial(self.on_pending_socket_readable, conn)
            self.poller.register(conn.sock, EVENT_READ, waiting)
            return
        except OSError:
            head = b""
        # Of what is encrypted nobody can see here whether it is all there.
        whole = b"\n\r\n" in head or b"\n\n" in head or len(head) == _HEAD_BYTES
        if whole or (head and self.cfg.is_ssl):
            conn.data_ready = True
            super().enqueue_req(conn)
        elif head and time.monotonic() < conn.timeout and not _said_all(conn.sock):
            self._halves.append(conn)
        else:
            self._drop(conn)

    def _part(self, conn: TConn) -> None:
        """
        Close when the caller has, or when his time is up.

        Not before: what he still sends would be answered with a reset, and that
        can take our answer with it (RFC 9112, section 9.6).
        """
        try:
            if _raw(conn.sock, _LEFTOVER_BYTES, socket.MSG_DONTWAIT) == b"":
                conn.timeout = 0.0
        except BlockingIOError:
            pass
        except OSError:
            conn.timeout = 0.0
        if time.monotonic() < conn.timeout:
            self._leaving.append(conn)
        else:
            self._drop(conn)

    def _busy(self) -> bool:
        return len(self._in_threads) >= int(self.cfg.threads)

    def _drop_idlest(self) -> None:
        """The leaving go first, then the silent, the halting, and the served."""
        polled = (self.pending_conns, self.keepalived_conns)
        for idle in (self._leaving, polled[0], self._halves, polled[1]):
            if idle:
                conn = idle.popleft()
                if any(idle is queue for queue in polled):
                    self.poller.unregister(conn.sock)
                self._drop(conn)
                return

    def _drop(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()


class Patience(SocketUnreader):  # type: ignore[misc]
    """Reads a socket until the caller has had his time; then it is at its end."""

    def __init__(self, sock: socket.socket, *, busy: Callable[[], bool]) -> None:
        """
        Args:
            busy: tells whether others wait for this thread.
        """
        super().__init__(sock)
        self._busy = busy
        self.begin()

    def begin(self) -> None:
        """A new request: the time starts again."""
        self._started = time.monotonic()
        self._received = 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Give what has come, or nothing when it took too long."""
        size = max(self.mxchunk, min(size_hint or 0, self.max_body_chunk))
        while True:
            try:
                got = self._receive(size)
            except BlockingIOError:
                # Only now: what has come is read, even if we were late ourselves.
                if (left := self._left()) <= 0:
                    return b""
                poll = select.poll()
                poll.register(self.sock, select.POLLIN)
                # Others may begin to wait at any moment.
                poll.poll(1000 * min(left, REST_SECONDS_WHEN_BUSY / 4))
                continue
            self._received += len(got)
            return got

    def _receive(self, size: int) -> bytes:
        """Give what is there. Raises BlockingIOError: nothing is."""
        got: bytes = self.sock.recv(size, socket.MSG_DONTWAIT)
        return got

    def _left(self) -> float:
        patience = REST_SECONDS_WHEN_BUSY if self._busy() else REST_SECONDS
        earned = self._received / BYTES_PER_SECOND
        return self._started + patience + earned - time.monotonic()


class TLSPatience(Patience):
    """The same for a socket that decrypts: it knows no flags."""

    def _receive(self, size: int) -> bytes:
        self.sock.settimeout(0.0)
        try:
            got: bytes = self.sock.recv(size)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as exc:
            raise BlockingIOError from exc
        finally:
            self.sock.settimeout(None)
        return got


def _raw(sock: socket.socket, size: int, flags: int) -> bytes:
    """Receive what came over the wire, of a TLS socket too: there it is encrypted."""
    return socket.socket.recv(sock, size, flags)


def _say_goodbye(sock: socket.socket) -> None:
    """Say that nothing more will come; in TLS first by its own word for it."""
    if isinstance(sock, ssl.SSLSocket):
        sock.settimeout(0.0)
        # It is sent; the caller's own goodbye is not waited for.
        with suppress(OSError, ValueError):
            sock.unwrap()
    socket.socket.shutdown(sock, socket.SHUT_WR)


def _said_all(sock: socket.socket) -> bool:
    """Tell whether the caller has closed his side, where the system knows."""
    closed = getattr(select, "POLLRDHUP", 0)
    poll = select.poll()
    poll.register(sock, closed)
    return bool(poll.poll(0))


def _blacken(record: logging.LogRecord) -> bool:
    record.msg, record.args = mask(record.getMessage()), ()
    if record.exc_info:
        told = logging.Formatter().formatException(record.exc_info)
        record.exc_text, record.exc_info = mask(told), None
    return True
