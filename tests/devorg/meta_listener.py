"""A real HTTP endpoint that receives outbound messages and answers as it is told."""

import ssl
import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lxml import etree

OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
RECORD = "{urn:sobject.enterprise.soap.sforce.com}"
ACK = (
    '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">'
    '<e:Body><n:notificationsResponse xmlns:n="http://soap.sforce.com/2005/09/outbound">'
    "<n:Ack>true</n:Ack></n:notificationsResponse></e:Body></e:Envelope>"
)
NACK = ACK.replace("true", "false")


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    def notifications(self):
        """[(notification id, {field: text} or None without a record)]"""
        found = []
        for each in etree.fromstring(self.body).iter(f"{OUTBOUND}Notification"):
            record = each.find(f"{OUTBOUND}sObject")
            fields = None
            if record is not None:
                fields = {c.tag.removeprefix(RECORD): c.text for c in record}
            found.append((each.findtext(f"{OUTBOUND}Id"), fields))
        return found


class Listener:
    """Answers each message with the next of ``answers``, then with Acks."""

    def __init__(self, *, certificate=None):
        self.received = []
        self.answers = deque()
        self.news = threading.Condition()
        self._connections = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                super().setup()
                outer._connections += 1
                self.number = outer._connections

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.news:
                    outer.received.append(
                        Received(self.path, dict(self.headers), body, self.number)
                    )
                    answer = outer.answers.popleft() if outer.answers else (200, ACK)
                    outer.news.notify_all()
                if answer is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                status, text, *headers = answer
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *args: None
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True
            )
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}/hooks/om?key=1"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def wait_for(self, count, seconds=10):
        """Wait until so many notifications came, in however many messages."""
        with self.news:
            assert self.news.wait_for(lambda: len(self.ids()) >= count, seconds), (
                f"{len(self.ids())} of {count} notifications came"
            )

    def wait_for_messages(self, count, seconds=10):
        with self.news:
            assert self.news.wait_for(lambda: len(self.received) >= count, seconds), (
                f"{len(self.received)} of {count} messages came"
            )

    def ids(self):
        """Notification ids in order of arrival, repeats included."""
        return [n for each in self.received for n, _ in each.notifications()]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
