"""Which hosts may be called: Salesforce's, and nobody whom a message names."""

import ipaddress
from urllib.parse import urlsplit

from sidecar.errors import Permanent

_DOMAINS = (".salesforce.com", ".force.com", ".salesforce.mil")


def checked(url: str, *, demo: bool) -> str:
    """
    Give back a login or instance URL that may be called, without its path.

    Args:
        demo: an address of this machine may be called too.

    Raises:
        Permanent: the host is not Salesforce's, or the address is not https.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.username or parts.password:
        raise Permanent(f"{host}: an address with a login in it is not called")
    if demo and _here(host):
        return f"{parts.scheme}://{parts.netloc}"
    if parts.scheme != "https":
        raise Permanent(f"{url!r} is not an https address")
    if not host.endswith(_DOMAINS):
        raise Permanent(
            f"{host or url!r} is not a host of Salesforce's: use the org's My Domain, "
            "such as https://example.my.salesforce.com"
        )
    return f"https://{parts.netloc}"


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
