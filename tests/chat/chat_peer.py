"""Slack and Teams on loopback: a real HTTP server that answers as it is told."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """What comes back; a status of 0 hangs up, one of -1 never says anything."""

    status: int = 200
    body: str = "ok"
    headers: tuple[tuple[str, str], ...] = ()


HANGS_UP, IS_SILENT = Answer(0), Answer(-1)


class Peer:
    """What was posted, and the answers to come; afterwards everything is ``200 ok``."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.posts: list[dict[str, Any]] = []
        self.answers: deque[Answer] = deque()
        self.done = threading.Event()
        self.port = 0

    def url(self, path: str = "/services/T1/B1/secret") -> str:
        """A webhook's address."""
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def said(self) -> list[str]:
        """The first words of each post to Slack."""
        return [post["blocks"][0]["text"]["text"] for post in self.posts]


@contextmanager
def listening() -> Iterator[Peer]:
    """Run a peer."""
    peer = Peer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            peer.paths.append(self.path)
            peer.posts.append(json.loads(body))
            answer = peer.answers.popleft() if peer.answers else Answer()
            self.close_connection = True
            if answer is HANGS_UP:
                return
            if answer is IS_SILENT:
                peer.done.wait()
                return
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.end_headers()
            # Nobody has to listen to the end.
            with suppress(ConnectionError):
                self.wfile.write(answer.body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    peer.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield peer
    finally:
        peer.done.set()
        server.shutdown()
        thread.join()
        server.server_close()
