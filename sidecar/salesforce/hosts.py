"""Which hosts may be called: Salesforce's, and nobody whom a message names."""

import ipaddress
import re
from urllib.parse import urlsplit

from sidecar.errors import Permanent

_DOMAINS = (".salesforce.com", ".force.com", ".salesforce.mil")
# Nothing in which two readers see two hosts: to some, a backslash ends the name.
_HOST = re.compile(r"[a-z0-9.-]+")


def checked(url: str, *, demo: bool) -> str:
    """
    Give back a login or instance URL that may be called, without its path.

    Args:
        demo: an address of this machine may be called too.

    Raises:
        Permanent: the host is not Salesforce's, or the address is not https.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as exc:
        raise Permanent(f"the address cannot be read: {exc}") from exc
    if "@" in parts.netloc:
        raise Permanent(f"{host}: an address with a login in it is not called")
    if demo and _here(host) and parts.scheme in {"http", "https"}:
        return f"{parts.scheme}://{parts.netloc}"
    if parts.scheme != "https":
        raise Permanent(f"{url!r} is not an https address")
    if not _HOST.fullmatch(host) or not host.endswith(_DOMAINS):
        raise Permanent(
            f"{host or url!r} is not a host of Salesforce's: use the org's My Domain, "
            "such as https://example.my.salesforce.com"
        )
    return f"https://{host}" if port is None else f"https://{host}:{port}"


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
