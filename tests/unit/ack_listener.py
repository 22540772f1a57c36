"""A listener that gives one answer to everything, and a caller made from its WSDL."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import zeep


class Listener:
    """What it answers may be changed at any time; what it was sent is kept."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.bodies: list[bytes] = []
        self.port = 0


@contextmanager
def listening(answer: bytes) -> Iterator[Listener]:
    """Answer on a free port of this machine."""
    listener = Listener(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            listener.bodies.append(self.rfile.read(length))
            self.send_response(200)
            self.send_header("Content-Type", "text/xml; charset=UTF-8")
            self.send_header("Content-Length", str(len(listener.answer)))
            self.end_headers()
            self.wfile.write(listener.answer)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        listener.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown()
            thread.join()


def call(
    client: zeep.Client,
    listener: Listener,
    *records: Mapping[str, object],
    object_type: str = "Lead",
) -> object:
    """Call the listener as its contract says; what the client makes of the answer."""
    kind = client.get_type(f"{{urn:sobject.enterprise.soap.sforce.com}}{object_type}")
    service = client.create_service(
        "{http://soap.sforce.com/2005/09/outbound}NotificationBinding",
        f"http://127.0.0.1:{listener.port}/",
    )
    return service.notifications(
        OrganizationId="00D000000000001EAA",
        ActionId="04k000000000001AAA",
        SessionId=zeep.xsd.Nil,
        EnterpriseUrl="https://example.my.salesforce.com/services/Soap/c/62.0/x",
        PartnerUrl="https://example.my.salesforce.com/services/Soap/u/62.0/x",
        Notification=[
            {"Id": f"04l{number:012d}AAA", "sObject": kind(**record)}
            for number, record in enumerate(records)
        ],
    )
