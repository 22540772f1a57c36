"""Which server takes our mail, and how it is reached."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from sidecar.errors import Permanent
from sidecar.mail.letters import Address

Security = Literal["none", "starttls", "tls"]

_SCHEMES: dict[str, tuple[Security, int]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("tls", 465),
}


@dataclass(frozen=True)
class Server:
    """
    The server that takes our mail.

    Attributes:
        username, password: empty where it asks for none.
        sender: the From address, and the envelope's.
        ca_file: PEM certificates to trust; None means those of the system.
        timeout_s: for the connection, and for each answer after it.
    """

    host: str
    port: int
    security: Security
    sender: Address
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    timeout_s: float = 10.0


def server_at(url: str, *, sender: Address, ca_file: Path | None = None) -> Server:
    """
    Read a server from its address.

    Args:
        url: ``smtp://host``, ``smtp+starttls://user:password@host:587`` or
            ``smtps://…``; user and password percent-encoded.

    Raises:
        Permanent: it cannot be read, or would send a password in clear.
    """
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError as exc:
        raise Permanent(f"the mail server's address cannot be read: {exc}") from None
    if scheme not in _SCHEMES or not host:
        known = ", ".join(f"{name}://host" for name in _SCHEMES)
        raise Permanent(f"the mail server's address must be one of {known}")
    security, usual_port = _SCHEMES[scheme]
    if parts.username and security == "none" and not _here(host):
        raise Permanent(
            f"smtp://{host} would send the password in clear: use smtp+starttls://"
            " or smtps://"
        )
    return Server(
        host=host,
        port=port or usual_port,
        security=security,
        sender=sender,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        ca_file=ca_file,
    )


def _here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
