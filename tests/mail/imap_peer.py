"""A small IMAP server over TLS, on loopback: what a mailbox for bounces needs."""

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class ImapPeer:
    """One folder of mails by number; ``seen`` are those that a client has marked."""

    mails: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    password: str = "s3cret"
    logins: int = 0
    folder: str = "INBOX"

    def answer(self, line: str) -> tuple[list[bytes], str]:
        """Untagged lines, and the words behind the tag."""
        verb, _, rest = line.partition(" ")
        if verb.upper() == "UID":
            verb, _, rest = rest.partition(" ")
        match verb.upper():
            case "CAPABILITY":
                return [b"* CAPABILITY IMAP4rev1"], "OK done"
            case "LOGIN":
                self.logins += 1
                good = rest == f'bounces "{self.password}"'
                return [], "OK welcome" if good else "NO [AUTHENTICATIONFAILED] wrong"
            case "SELECT":
                if rest != f'"{self.folder}"':
                    return [], "NO [NONEXISTENT] no such folder"
                return [b"* %d EXISTS" % len(self.mails)], "OK [READ-WRITE] done"
            case "SEARCH":
                new = sorted(self.mails.keys() - self.seen)
                return [b"* SEARCH " + " ".join(map(str, new)).encode()], "OK done"
            case "FETCH":
                number, _, what = rest.partition(" ")
                assert "PEEK" in what
                most = int(re.search(r"<0\.(\d+)>", what)[1])
                data = self.mails[int(number)][:most]
                head = b"* %s FETCH (UID %s BODY[]<0> {%d}\r\n" % (
                    number.encode(),
                    number.encode(),
                    len(data),
                )
                return [head + data + b")"], "OK done"
            case "STORE":
                self.seen.add(int(rest.partition(" ")[0]))
                return [], "OK done"
            case "LOGOUT":
                return [b"* BYE"], "OK done"
        return [], "BAD unknown"


@contextmanager
def imap_serving(peer: ImapPeer, tls: ssl.SSLContext) -> Iterator[int]:
    """Serve on a free port, one client after the other; gone afterwards."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            try:
                with tls.wrap_socket(raw, server_side=True) as client:
                    _talk(peer, client)
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _talk(peer: ImapPeer, client: ssl.SSLSocket) -> None:
    client.sendall(b"* OK ready\r\n")
    for raw in client.makefile("rb"):
        tag, _, line = raw.decode().strip().partition(" ")
        untagged, words = peer.answer(line)
        for one in untagged:
            client.sendall(one + b"\r\n")
        client.sendall(f"{tag} {words}\r\n".encode())
        if line.upper().startswith("LOGOUT"):
            return
