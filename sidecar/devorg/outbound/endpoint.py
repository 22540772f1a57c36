"""One POST to one endpoint, over a connection that is kept alive."""

import http.client
import ipaddress
import select
import socket
import ssl
from urllib.parse import SplitResult, urlsplit

from sidecar.devorg.outbound.acknowledgement import reason_to_retry

_HEADERS = {
    "Content-Type": "text/xml; charset=UTF-8",
    "SOAPAction": '""',
    "User-Agent": "Jakarta Commons-HttpClient/3.1",
    "Accept-Encoding": "gzip",
}
# "Setting Up Outbound Messaging", SOAP API Developer Guide: 80 for HTTP, 443 for
# HTTPS, and 1024 upwards for both.
_FIRST_FREE_PORT = 1024


class Endpoints:
    """The open connections of one sending thread."""

    def __init__(self, *, ca_file: str | None) -> None:
        """``ca_file``: who may have signed an endpoint's certificate."""
        self.ca_file = ca_file
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._open: dict[tuple[str, str, int], http.client.HTTPConnection] = {}

    def deliver(self, url: str, body: bytes, *, timeout: float) -> str | None:
        """
        Send one message.

        Args:
            timeout: real seconds for connecting, and for the answer.

        Returns:
            None when it was acknowledged; else why not, in Salesforce's words.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not _is_loopback(host):
            # A stand-in for an org calls nobody but this machine.
            return f"java.net.UnknownHostException: {host}"
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if port < _FIRST_FREE_PORT and (parts.scheme, port) not in {
            ("http", 80),
            ("https", 443),
        }:
            return f"java.net.ConnectException: port {port} is not allowed"
        key = (parts.scheme, host, port)
        try:
            connection = self._connection(key, timeout)
            connection.request("POST", _target(parts), body, _HEADERS)
            answer = connection.getresponse()
            status, content = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as exc:
            self._close(key)
            return _words(exc)
        if answer.will_close:
            self._close(key)
        return reason_to_retry(status, content)

    def close(self) -> None:
        """Close every connection."""
        for key in list(self._open):
            self._close(key)

    def _connection(
        self, key: tuple[str, str, int], timeout: float
    ) -> http.client.HTTPConnection:
        known = self._open.get(key)
        if known is not None and known.sock is not None and not _stale(known.sock):
            known.sock.settimeout(timeout)
            return known
        self._close(key)
        scheme, host, port = key
        made: http.client.HTTPConnection = (
            http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)
            if scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=timeout)
        )
        made.connect()
        self._open[key] = made
        return made

    def _close(self, key: tuple[str, str, int]) -> None:
        known = self._open.pop(key, None)
        if known is not None:
            known.close()


def _target(parts: SplitResult) -> str:
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


def _stale(sock: socket.socket) -> bool:
    """An idle connection with something to read was closed by its other end."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _words(exc: Exception) -> str:
    match exc:
        case ssl.SSLCertVerificationError():
            return (
                "javax.net.ssl.SSLHandshakeException: PKIX path building failed: "
                "unable to find valid certification path to requested target"
            )
        case ssl.SSLError():
            return f"javax.net.ssl.SSLException: {exc.reason}"
        case TimeoutError():
            return "java.net.SocketTimeoutException: Read timed out"
        case ConnectionRefusedError():
            return "java.net.ConnectException: Connection refused"
        case http.client.RemoteDisconnected():
            return "The server failed to respond"
        case ConnectionError():
            return "java.net.SocketException: Connection reset"
        case _:
            return f"java.io.IOException: {exc}"
